// SPDX-License-Identifier: Apache-2.0
#include "perf/client_bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client/ouch.h"
#include "contract/log.h"
#include "contract/wire.h"
#include "perf/client_line.h"
#include "perf/clock.h"
#include "perf/histogram.h"

#define PHASE_NS UINT64_C(3000000000)    // a phase sends no longer than this
#define PATIENCE_NS UINT64_C(2000000000) // and waits this long for what is missing
#define SPIN_NS UINT64_C(5000)           // an answer that takes longer is waited for asleep
#define ROUND_TRIPS_MOST 200000u
#define WARM_UP 1000u
#define TIMES 65536u // sending times kept, at least the largest window
#define BLOCK_ENTER 50u
#define BLOCK_CANCEL 12u

struct bench {
    const struct options *options;
    struct transport *transport;
    struct line line; // logs in; not used while a phase runs
    bool yields;
    uint32_t next_ref;      // of the next order
    uint64_t next_sequence; // of the next answer
    uint8_t enter[BLOCK_ENTER], cancel[BLOCK_CANCEL];
    uint64_t times[TIMES];
    uint8_t *log; // {4 size, datagram} as they came, looked at after the phase
    size_t log_size, log_room;
};

struct phase {
    uint32_t window, pack;
    uint64_t total;
    // results
    uint64_t sent, answered, wrong;
    double seconds;
    struct histogram latency;
    uint32_t first_ref;
    uint64_t first_sequence;
};

// ---- what is sent: an order that rests far below any market, then its cancel
// -----------------------------------------

static void make_blocks(struct bench *bench)
{
    struct xw_enter order = {.user_ref = 1,
                             .quantity = 100,
                             .price = 10000,
                             .symbol = bench->options->symbols_count ? bench->options->symbols[0] : "BENCH",
                             .side = 'B'};
    uint8_t message[XW_OUCH_REQUEST_MAX];
    size_t size = xw_ouch_enter(message, &order, NULL);
    put_be16(bench->enter, (uint16_t)(size + 1));
    bench->enter[2] = 'U';
    memcpy(bench->enter + 3, message, size);
    size = xw_ouch_cancel(message, 1, 0, NULL);
    put_be16(bench->cancel, (uint16_t)(size + 1));
    bench->cancel[2] = 'U';
    memcpy(bench->cancel + 3, message, size);
}

static size_t put_block(struct bench *bench, const struct phase *phase, uint64_t index, uint8_t *out)
{
    uint32_t ref = phase->first_ref + (uint32_t)(index / 2);
    if (index % 2 == 0) {
        memcpy(out, bench->enter, BLOCK_ENTER);
        put_be32(out + 4, ref);
        return BLOCK_ENTER;
    }
    memcpy(out, bench->cancel, BLOCK_CANCEL);
    put_be32(out + 4, ref);
    return BLOCK_CANCEL;
}

static bool send_one(struct bench *bench, struct phase *phase)
{
    uint8_t datagram[XW_DATAGRAM_MAX];
    size_t size = 0;
    uint64_t index = phase->sent;
    for (uint32_t i = 0; i < phase->pack && index < phase->total; i++, index++)
        size += put_block(bench, phase, index, datagram + size);
    uint64_t now_ns = clock_ns();
    if (!bench->transport->operations->send(bench->transport, 0, datagram, size))
        return false;
    for (; phase->sent < index; phase->sent++)
        bench->times[phase->sent % TIMES] = now_ns;
    return true;
}

// ---- what comes back ------------------------------------------------------------------------------------------------

static void keep(struct bench *bench, const struct datagram *datagram)
{
    if (bench->log_size + 4 + datagram->size > bench->log_room)
        return; // counted as wrong afterwards
    memcpy(bench->log + bench->log_size, &datagram->size, 4);
    memcpy(bench->log + bench->log_size + 4, datagram->payload, datagram->size);
    bench->log_size += 4 + datagram->size;
}

static void take(struct bench *bench, struct phase *phase, const struct datagram *datagram, uint64_t now_ns)
{
    uint64_t before = phase->answered;
    if (bench->options->reflect) {
        phase->answered += phase->pack;
        if (phase->answered > phase->sent)
            phase->answered = phase->sent;
    } else {
        if (datagram->size < 7 || datagram->payload[0] != 'S')
            return;
        uint64_t next = (uint64_t)get_be32(datagram->payload + 1) + get_be16(datagram->payload + 5);
        if (next <= bench->next_sequence)
            return;
        bench->next_sequence = next;
        phase->answered = next - phase->first_sequence;
        keep(bench, datagram);
    }
    // Orders only: of a window of one, the cancels are there to keep the book small.
    if (phase->window > 1 || before % 2 == 0)
        histogram_record(&phase->latency, now_ns - bench->times[before % TIMES]);
}

static void run_phase(struct bench *bench, struct phase *phase)
{
    const struct transport_operations *operations = bench->transport->operations;
    struct datagram datagrams[TRANSPORT_BURST];
    uint64_t began = clock_ns(), moved = began, now_ns = began;
    phase->first_ref = bench->next_ref;
    phase->first_sequence = bench->next_sequence;
    bench->log_size = 0;
    while (phase->answered < phase->total) {
        unsigned count = operations->receive(bench->transport, datagrams, TRANSPORT_BURST);
        if (count) {
            moved = now_ns = clock_ns();
            for (unsigned i = 0; i < count; i++)
                take(bench, phase, &datagrams[i], now_ns);
        }
        operations->done(bench->transport);
        unsigned sent = 0;
        while (phase->sent < phase->total && phase->sent - phase->answered + phase->pack <= phase->window &&
               sent < TRANSPORT_BURST && send_one(bench, phase))
            sent++;
        operations->flush(bench->transport);
        if (count == 0 && sent == 0) {
            now_ns = clock_ns();
            if (now_ns > moved + PATIENCE_NS)
                break;
            if (bench->yields && (clock_yields || now_ns > moved + SPIN_NS))
                clock_idle();
        }
        if (now_ns > began + PHASE_NS && phase->total > phase->sent)
            phase->total = phase->sent + phase->sent % 2; // the last order still gets its cancel
    }
    phase->seconds = (double)(clock_ns() - began) / 1e9;
    bench->next_ref += (uint32_t)((phase->sent + 1) / 2);
}

// Every answer in its place: Accepted and Canceled in turn, of the right order.
static void check_phase(struct bench *bench, struct phase *phase)
{
    uint64_t index = 0;
    if (bench->options->reflect)
        return;
    for (size_t at = 0; at < bench->log_size;) {
        uint32_t size;
        memcpy(&size, bench->log + at, 4);
        const uint8_t *datagram = bench->log + at + 4, *message = datagram + 7;
        at += 4 + size;
        uint64_t first = get_be32(datagram + 1) - phase->first_sequence;
        unsigned count = get_be16(datagram + 5);
        phase->wrong += first > index ? first - index : 0;
        index = first;
        for (unsigned i = 0; i < count && message + 2 <= datagram + size; i++, index++) {
            uint32_t ref = phase->first_ref + (uint32_t)(index / 2);
            const uint8_t *ouch = message + 2;
            if (get_be16(message) < 13 || ouch[0] != (index % 2 ? 'C' : 'A') || get_be32(ouch + 9) != ref)
                phase->wrong++;
            message += 2 + get_be16(message);
        }
    }
    phase->wrong += phase->answered > index ? phase->answered - index : 0;
}

// ---- set-up ---------------------------------------------------------------------------------------------------------

static void await(struct bench *bench)
{
    struct datagram datagrams[TRANSPORT_BURST];
    uint64_t limit = clock_ns() + (uint64_t)(bench->options->grace_s * 1e9);
    for (;;) {
        const struct transport_operations *operations = bench->transport->operations;
        unsigned count = operations->receive(bench->transport, datagrams, TRANSPORT_BURST);
        uint64_t now_ns = clock_ns();
        for (unsigned i = 0; i < count && !bench->options->reflect; i++)
            line_receive(&bench->line, now_ns, datagrams[i].payload, datagrams[i].size);
        operations->done(bench->transport);
        bool linked = operations->tend(bench->transport, now_ns);
        if (!bench->options->reflect)
            line_tend(&bench->line, now_ns, linked);
        operations->flush(bench->transport);
        if (linked && (bench->options->reflect || line_ready(&bench->line)))
            return;
        if (now_ns > limit)
            fail_with(EX_UNAVAILABLE, "no %s within %.0f s: is the venue up, is the session right?",
                      linked ? "login" : "link", bench->options->grace_s);
        if (bench->yields)
            clock_idle();
    }
}

static void open_bench(struct bench *bench)
{
    const struct options *options = bench->options;
    const struct session_option *session = &options->sessions[0];
    char error[512];
    struct channel_address channel = {options->local_ip, options->sessions_count ? session->ip : options->server_ip,
                                      options->local_port,
                                      options->sessions_count ? session->port : options->server_port};
    bench->transport = options->udp ? transport_udp_open(&channel, 1, NULL, error, sizeof error)
                                    : transport_virtio_open(options->virtio[0], &channel, 1, NULL, error, sizeof error);
    if (!bench->transport)
        fail_with(EX_UNAVAILABLE, "%s", error);
    if (options->reflect)
        transport_virtio_assume(bench->transport);
    clock_yields = options->yield == YIELD_ALWAYS;
    bench->yields =
        options->yield == YIELD_ALWAYS || (options->yield == YIELD_AUTO && sysconf(_SC_NPROCESSORS_ONLN) <= 2);
    bench->log_room = (size_t)(options->orders + ROUND_TRIPS_MOST) * 100 + (1u << 20);
    bench->log = malloc(bench->log_room);
    if (!bench->log)
        fail_with(EX_OSERR, "no memory for the answers");
    memset(bench->log, 0, bench->log_room); // touched now, not while measuring
    make_blocks(bench);
    bench->next_ref = 1;
    if (!options->reflect) {
        struct line_plan plan = {.user = session->user,
                                 .password = session->password,
                                 .transport = bench->transport,
                                 .outstanding = 1024,
                                 .from_now = true,
                                 .timeout_ns = (uint64_t)(options->timeout_s * 1e9)};
        if (line_open(&bench->line, &plan) != 0)
            fail_with(EX_OSERR, "no memory for the session");
    }
    await(bench);
    if (!options->reflect) {
        bench->next_ref = bench->line.next_ref;
        bench->next_sequence = xw_session_next_sequence(bench->line.session);
    }
}

static void print_phase(FILE *out, const char *name, const struct phase *phase, const char *end)
{
    fprintf(out,
            "  \"%s\": {\"window\": %u, \"pack\": %u, \"sent\": %" PRIu64 ", \"answered\": %" PRIu64
            ", \"lost\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"seconds\": %.6f, \"rate\": %.1f, \"p50_ns\": %" PRIu64
            ", \"p90_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 ", \"p999_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64
            "}%s\n",
            name, phase->window, phase->pack, phase->sent, phase->answered, phase->sent - phase->answered, phase->wrong,
            phase->seconds, (double)phase->answered / phase->seconds, histogram_percentile(&phase->latency, 50),
            histogram_percentile(&phase->latency, 90), histogram_percentile(&phase->latency, 99),
            histogram_percentile(&phase->latency, 99.9), phase->latency.max, end);
}

static void print(FILE *out, const struct options *options, const struct phase *trip, const struct phase *stream)
{
    fprintf(out, "{\n  \"mode\": \"%s\",\n", options->reflect ? "reflect" : "venue");
    print_phase(out, "round_trip", trip, ",");
    print_phase(out, "streaming", stream, "");
    fprintf(out, "}\n");
}

int bench_run(const struct options *options)
{
    static struct bench bench;
    static struct phase warm, trip, stream;
    bench.options = options;
    open_bench(&bench);
    uint64_t trips = options->orders < ROUND_TRIPS_MOST ? options->orders : ROUND_TRIPS_MOST;
    warm = (struct phase){.window = 1, .pack = 1, .total = WARM_UP};
    trip = (struct phase){.window = 1, .pack = 1, .total = trips & ~UINT64_C(1)};
    uint64_t step = 2 * (uint64_t)options->pack;
    stream = (struct phase){.window = options->window, .pack = options->pack, .total = options->orders / step * step};
    struct phase *phases[] = {&warm, &trip, &stream};
    bool good = true;
    if (options->trips)
        stream.total = 0;
    if (options->streaming)
        trip.total = 0;
    for (unsigned i = 0; i < 3; i++) {
        run_phase(&bench, phases[i]);
        check_phase(&bench, phases[i]);
        good = good && phases[i]->wrong == 0 && phases[i]->answered == phases[i]->sent;
    }
    print(stdout, options, &trip, &stream);
    if (options->json) {
        FILE *file = fopen(options->json, "w");
        if (!file)
            fail_with(EX_CANTCREAT, "%s: %s", options->json, strerror(errno));
        print(file, options, &trip, &stream);
        if (fclose(file) != 0)
            fail_with(EX_IOERR, "%s: %s", options->json, strerror(errno));
    }
    if (!options->reflect) {
        line_logoff(&bench.line, clock_ns());
        bench.transport->operations->flush(bench.transport);
        line_close(&bench.line);
    }
    bench.transport->operations->close(bench.transport);
    free(bench.log);
    return good ? 0 : 1;
}
