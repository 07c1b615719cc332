// SPDX-License-Identifier: Apache-2.0
#include "perf/player.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/assert.h"
#include "perf/clock.h"
#include "perf/encode.h"

#define SECOND UINT64_C(1000000000)
#define STALL_NS UINT64_C(300000000)   // without an answer while some are due: ask
#define STALL_PATIENCE_NS (2 * SECOND) // before asking again
#define RECORD_NS UINT64_C(50000000)   // what was received is given to the kernel this often
#define TEND_EVERY 64                  // rounds between looks at timers while there is work

static volatile sig_atomic_t stopped;

void player_stop(void)
{
    stopped = 1;
}

// How much of the flow may be sent by now; what it was while FILE is being written. False: there is no such file.
static bool read_part(struct player *player)
{
    double percent;
    FILE *file = fopen(player->options->part, "re");
    if (!file)
        return false;
    if (fscanf(file, "%lf", &percent) == 1 && percent >= 0 && percent <= 100)
        player->part = (uint64_t)((double)player->flow.count * percent / 100);
    fclose(file);
    return true;
}

// ---- opening --------------------------------------------------------------------------------------------------------

static int open_transport(struct player *player, unsigned device, char *error, size_t error_size)
{
    const struct options *options = player->options;
    struct channel_address channels[SESSIONS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < player->lines_count; i++) {
        const struct session_option *session = &options->sessions[i];
        if (!options->udp && session->device != device)
            continue;
        channels[count] =
            (struct channel_address){.local_ip = options->local_ip,
                                     .remote_ip = session->ip,
                                     .local_port = options->local_port ? (uint16_t)(options->local_port + i) : 0,
                                     .remote_port = session->port};
        player->line_of[device][count] = (uint8_t)i;
        player->lines[i].plan.channel = count++;
    }
    if (count == 0)
        return 0;
    struct transport *transport = options->udp ? transport_udp_open(channels, count, player->capture, error, error_size)
                                               : transport_virtio_open(options->virtio[device], channels, count,
                                                                       player->capture, error, error_size);
    player->transports[device] = transport;
    return transport ? 0 : EX_UNAVAILABLE;
}

static int open_files(struct player *player, char *error, size_t error_size)
{
    const struct options *options = player->options;
    if (options->pcap && !(player->capture = capture_open(options->pcap, error, error_size)))
        return EX_CANTCREAT;
    if (options->record && !(player->record = record_open(options->record))) {
        snprintf(error, error_size, "%s: %s", options->record, strerror(errno));
        return EX_CANTCREAT;
    }
    player->part = player->flow.count;
    if (options->part && !read_part(player)) {
        snprintf(error, error_size, "%s: %s", options->part, strerror(errno));
        return EX_NOINPUT;
    }
    return 0;
}

static int open_lines(struct player *player)
{
    const struct options *options = player->options;
    for (unsigned i = 0; i < player->lines_count; i++) {
        const struct session_option *session = &options->sessions[i];
        struct line_plan plan = {.user = session->user,
                                 .password = session->password,
                                 .transport = player->transports[options->udp ? 0 : session->device],
                                 .channel = player->lines[i].plan.channel,
                                 .orders = player->flow.orders,
                                 .outstanding = options->window,
                                 .timeout_ns = (uint64_t)(options->timeout_s * 1e9),
                                 .record = player->record,
                                 .latency = player->latency,
                                 .ref_of = player->flow.raw ? NULL : player->ref_of,
                                 .fill = trades_note,
                                 .fill_context = &player->trades};
        if (line_open(&player->lines[i], &plan) != 0)
            return EX_OSERR;
    }
    return 0;
}

int player_open(struct player *player, const struct options *options, struct flow *flow, char *error, size_t error_size)
{
    memset(player, 0, sizeof *player);
    player->options = options;
    player->flow = *flow;
    player->lines_count = options->sessions_count < flow->sessions ? options->sessions_count : flow->sessions;
    clock_yields = options->yield == YIELD_ALWAYS;
    player->yields =
        options->yield == YIELD_ALWAYS || (options->yield == YIELD_AUTO && sysconf(_SC_NPROCESSORS_ONLN) <= 2);
    player->ref_of = calloc((size_t)flow->orders + 1, sizeof *player->ref_of);
    player->latency = calloc(ANSWER_TYPES, sizeof *player->latency);
    snprintf(error, error_size, "no memory");
    if (!player->ref_of || !player->latency)
        return EX_OSERR;
    int result = open_files(player, error, error_size);
    player->transports_count = options->udp ? 1 : options->devices;
    for (unsigned device = 0; result == 0 && device < player->transports_count; device++)
        result = open_transport(player, device, error, error_size);
    return result != 0 ? result : open_lines(player);
}

// ---- one round ------------------------------------------------------------------------------------------------------

static unsigned receive(struct player *player)
{
    struct datagram datagrams[TRANSPORT_BURST];
    unsigned all = 0;
    for (unsigned device = 0; device < player->transports_count; device++) {
        struct transport *transport = player->transports[device];
        if (!transport)
            continue;
        unsigned count = transport->operations->receive(transport, datagrams, TRANSPORT_BURST);
        uint64_t now_ns = count ? clock_ns() : 0;
        for (unsigned i = 0; i < count; i++) {
            struct line *line = &player->lines[player->line_of[device][datagrams[i].channel]];
            line_receive(line, now_ns, datagrams[i].payload, datagrams[i].size);
        }
        transport->operations->done(transport);
        all += count;
    }
    return all;
}

static void flush(struct player *player)
{
    for (unsigned device = 0; device < player->transports_count; device++)
        if (player->transports[device])
            player->transports[device]->operations->flush(player->transports[device]);
}

// A line that hears no answer for long, though some are due, asks what the venue has taken.
static void tend(struct player *player, uint64_t now_ns)
{
    bool linked[DEVICES_MAX] = {false};
    if (player->record && now_ns > player->recorded_ns + RECORD_NS) {
        player->recorded_ns = now_ns;
        record_flush(player->record);
    }
    for (unsigned device = 0; device < player->transports_count; device++)
        if (player->transports[device])
            linked[device] = player->transports[device]->operations->tend(player->transports[device], now_ns);
    for (unsigned i = 0; i < player->lines_count; i++) {
        struct line *line = &player->lines[i];
        line_tend(line, now_ns, linked[player->options->udp ? 0 : player->options->sessions[i].device]);
        if (line->progress_ns > player->moved_ns)
            player->moved_ns = line->progress_ns;
        if (line->state == LINE_READY && line->orders.outstanding && now_ns > line->progress_ns + STALL_NS)
            line_ask(line, now_ns, STALL_PATIENCE_NS);
    }
}

static uint32_t outstanding(const struct player *player)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < player->lines_count; i++)
        count += player->lines[i].orders.outstanding;
    return count;
}

// When the next intent is meant to be sent: 0, not before there is room in the window.
static uint64_t due(const struct player *player, const struct intent *intent)
{
    if (player->options->rate > 0)
        return player->began_ns + (uint64_t)((double)player->cursor * 1e9 / player->options->rate);
    if (player->options->scale > 0 && player->flow.timed)
        return player->began_ns + (uint64_t)((double)intent->due_ns / player->options->scale);
    return 0;
}

// Whether a replace must wait: its quantity depends on trades that may not have been heard of.
static bool must_wait(struct player *player, struct line *line, const struct intent *intent, uint64_t now_ns)
{
    if (!player->flow.exact || intent->kind != INTENT_REPLACE)
        return false;
    uint32_t target = player->ref_of[intent->target];
    if (target == 0 || !orders_may_trade(&line->orders, target))
        return false;
    // The last message's trades come without an end mark: an account query behind them makes one.
    line_query(line, now_ns, STALL_PATIENCE_NS);
    return true;
}

static unsigned issue(struct player *player)
{
    const struct options *options = player->options;
    uint32_t busy = outstanding(player), room = busy < options->window ? options->window - busy : 0;
    unsigned sent = 0;
    // A datagram is begun only when all of its messages find room in the window.
    if (room < options->pack && room < options->window)
        return 0;
    for (; player->cursor < player->part && sent < room && sent < 4 * TRANSPORT_BURST; sent++) {
        const struct intent *intent = &player->flow.intents[player->cursor];
        struct line *line = &player->lines[intent->session % player->lines_count];
        struct request request;
        uint64_t now_ns = clock_ns(), due_ns = due(player, intent);
        if (due_ns > now_ns || !line_ready(line) || must_wait(player, line, intent, now_ns))
            break;
        encode_intent(line, &player->flow, intent, player->ref_of, options->symbols, &request);
        request.due_ns = due_ns ? due_ns : now_ns;
        xw_assert(line_send(line, &request, false));
        player->cursor++;
        if (line->queued >= options->pack && !line_poll(line, now_ns))
            break;
    }
    for (unsigned i = 0; i < player->lines_count && options->pack > 1; i++)
        if (player->lines[i].queued)
            line_poll(&player->lines[i], clock_ns());
    return sent;
}

static void show_progress(struct player *player, uint64_t now_ns, bool last)
{
    if (!player->options->progress || (!last && now_ns - player->shown_ns < SECOND))
        return;
    struct player_totals totals;
    player_total(player, &totals);
    double seconds = (double)(now_ns - player->shown_ns) / 1e9;
    double rate = (double)(totals.counts.sent - player->shown_sent) / (seconds > 0 ? seconds : 1);
    fprintf(stderr,
            "%s%9" PRIu64 " of %" PRIu64 " sent  %9.0f/s  %6" PRIu64 " outstanding  %9" PRIu64
            " executions  p50 %5.1f us%s",
            isatty(2) ? "\r" : "", totals.counts.sent, player->flow.count, rate, totals.outstanding,
            totals.counts.messages['E'], (double)histogram_percentile(&player->latency[ANSWER_ACCEPTED], 50) / 1e3,
            isatty(2) && !last ? "" : "\n");
    player->shown_ns = now_ns;
    player->shown_sent = totals.counts.sent;
}

// ---- the run --------------------------------------------------------------------------------------------------------

// While no more of the flow may be sent, no intended time comes either: what follows keeps its pace.
static bool held(struct player *player, uint64_t now_ns)
{
    if (player->cursor < player->part || player->cursor == player->flow.count || !player->began_ns)
        return false;
    uint64_t due_ns = due(player, &player->flow.intents[player->cursor]);
    if (due_ns && due_ns < now_ns)
        player->began_ns += now_ns - due_ns;
    read_part(player);
    return true;
}

// Everything is sent and settled when a last query of every line has been answered.
static bool finished(struct player *player, uint64_t now_ns)
{
    if (player->cursor < player->flow.count)
        return false;
    bool all = true;
    for (unsigned i = 0; i < player->lines_count; i++) {
        struct line *line = &player->lines[i];
        bool quiet = line->state == LINE_READY && line_quiet(line);
        if (quiet && !line->fenced) {
            line_query(line, now_ns, STALL_PATIENCE_NS);
            line->fenced = line->query_ns != 0;
            quiet = false;
        }
        all = all && quiet;
    }
    return all;
}

bool player_run(struct player *player)
{
    uint64_t grace_ns = (uint64_t)(player->options->grace_s * 1e9);
    player->shown_ns = player->moved_ns = clock_ns();
    bool done = false;
    for (unsigned round = 0; !done && !stopped; round++) {
        unsigned work = receive(player);
        if (player->began_ns == 0) {
            bool ready = true;
            for (unsigned i = 0; i < player->lines_count; i++)
                ready = ready && line_ready(&player->lines[i]);
            if (ready)
                player->began_ns = clock_ns();
        } else {
            work += issue(player);
        }
        if (work == 0 || round % TEND_EVERY == 0) {
            uint64_t now_ns = clock_ns();
            tend(player, now_ns);
            show_progress(player, now_ns, false);
            done = player->began_ns && finished(player, now_ns);
            // An open-loop run may have nothing due for long.
            bool idle = held(player, now_ns) || (player->cursor < player->flow.count && player->began_ns &&
                                                 due(player, &player->flow.intents[player->cursor]) > now_ns);
            idle = idle && outstanding(player) == 0;
            if (idle)
                player->moved_ns = now_ns;
            if (now_ns > player->moved_ns + grace_ns)
                break;
        }
        flush(player);
        if (work == 0 && player->yields)
            clock_idle();
    }
    player->ended_ns = clock_ns();
    show_progress(player, player->ended_ns, true);
    return done;
}

bool player_reread(struct player *player)
{
    uint64_t grace_ns = (uint64_t)(player->options->grace_s * 1e9), began = clock_ns();
    for (unsigned i = 0; i < player->lines_count; i++)
        if (line_reread(&player->lines[i]) != 0)
            return false;
    for (;;) {
        unsigned work = receive(player);
        uint64_t now_ns = clock_ns();
        bool done = true;
        tend(player, now_ns);
        flush(player);
        for (unsigned i = 0; i < player->lines_count; i++)
            done = done && line_reread_done(&player->lines[i]);
        if (done)
            return true;
        if (stopped || now_ns > began + grace_ns + 60 * SECOND)
            return false;
        if (work == 0 && player->yields)
            clock_idle();
    }
}

void player_total(const struct player *player, struct player_totals *totals)
{
    memset(totals, 0, sizeof *totals);
    for (unsigned i = 0; i < player->lines_count; i++) {
        const struct line *line = &player->lines[i];
        const struct order_counts *counts = &line->orders.counts;
        const struct xw_session_stats *stats = xw_session_stats(line->session);
        totals->counts.sent += counts->sent;
        totals->counts.accepted += counts->accepted;
        totals->counts.rejected += counts->rejected;
        totals->counts.silent += counts->silent;
        totals->counts.lost += counts->lost;
        totals->counts.violations += counts->violations;
        for (unsigned type = 0; type < 128; type++)
            totals->counts.messages[type] += counts->messages[type];
        totals->outstanding += line->orders.outstanding;
        totals->waiting += line->again_count - line->again_next;
        totals->resent += line->resent;
        totals->recoveries += line->recoveries;
        totals->retransmissions += stats->requests;
        totals->gaps += xw_session_missing(line->session) + stats->went_back;
    }
}

int player_close(struct player *player)
{
    int result = 0;
    for (unsigned i = 0; i < player->lines_count; i++)
        if (player->lines[i].session) {
            line_logoff(&player->lines[i], clock_ns());
            line_close(&player->lines[i]);
        }
    for (unsigned device = 0; device < player->transports_count; device++)
        if (player->transports[device]) {
            player->transports[device]->operations->flush(player->transports[device]);
            player->transports[device]->operations->close(player->transports[device]);
        }
    if (player->record && record_close(player->record) != 0)
        result = -1;
    if (player->capture && capture_close(player->capture) != 0)
        result = -1;
    flow_free(&player->flow);
    trades_free(&player->trades);
    free(player->ref_of);
    free(player->latency);
    return result;
}
