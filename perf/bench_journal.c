// SPDX-License-Identifier: Apache-2.0
// The journal alone, one round: core 0 is the matching core, the journal thread on core 1 makes durable what it is
// told. Prints one {"name","value","floor","unit"} a line; whoever calls it takes the rounds, and fio between them.
//
//   bench_journal DIRECTORY [--yield] [--depth N] [--commit-kb N]
//
// Without --yield (root scheduling group, see README) every wait is a real sleep: a thread that only spins or yields
// keeps the kernel's own workers, which complete the writes, off the core for seconds, and a round takes minutes.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/journal/journal.h"
#include "engine/engine.h"
#include "perf/clock.h"
#include "perf/engine_stream.h"
#include "perf/line.h"
#include "perf/sync_write.h"

enum { SINGLES = 500, STREAM = 1000000, RING_DEPTH = 65536, BURST = 32, COST_BURST = 8192, COST_TURNS = 16 };
enum { LOAD_PER_S = 100000, WINDOW = 5000, WINDOWS = 41, DATE = 20260105, BLOCK = 4096, DEADLINE_S = 60 };
#define SECOND_NS UINT64_C(1000000000)

struct bench {
    struct journal_identity identity;
    struct journal_writer_options options;
    struct journal_writer *writer;
    struct ring *ring;
    struct matcher_port *port;
    struct engine *engine;
    struct command order;
    uint32_t samples[WINDOW];
};

static void sample(const char *name, double value, double floor, const char *unit)
{
    char text[32] = "null";
    if (floor > 0)
        snprintf(text, sizeof text, "%.3f", floor);
    printf("{\"name\":\"%s\",\"value\":%.3f,\"floor\":%s,\"unit\":\"%s\"}\n", name, value, text, unit);
}

// One hop of a wait for the journal.
static void hop(void)
{
    static unsigned hops;
    if (!clock_yields)
        clock_idle();
    else if (++hops % 64)
        spin_pause();
    else
        clock_idle();
}

static uint64_t durable(const struct bench *bench)
{
    return atomic_load_explicit(&bench->port->durable_seq, memory_order_acquire);
}

static uint64_t produced(const struct bench *bench)
{
    return atomic_load_explicit(&bench->ring->produced, memory_order_relaxed);
}

static void await_durable(const struct bench *bench)
{
    while (durable(bench) < produced(bench))
        hop();
}

static void publish(struct bench *bench, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct command *command = ring_slot(bench->ring, i);
        command->type = CMD_ENTER;
        command->quantity = i;
    }
    ring_publish(bench->ring, count);
}

// ---- the matching core ----------------------------------------------------------------------------------------------

static void make_engine(struct bench *bench)
{
    struct engine_capacity capacity = {.max_orders = 4096,
                                       .max_levels = 1024,
                                       .max_trades = 1024,
                                       .max_special = 1024,
                                       .max_conditional = 64,
                                       .max_symbols = 1,
                                       .max_accounts = 1,
                                       .max_sessions = 1};
    struct engine_stream stream = {.symbols = 1};
    struct event events[ENGINE_EVENTS_MAX];
    struct command c;
    size_t size = (engine_footprint(&capacity) + 4095) / 4096 * 4096;
    void *memory = aligned_alloc(4096, size);
    if (!memory)
        fail_with(EX_OSERR, "no memory for an engine");
    memset(memory, 0, size);
    bench->engine = engine_new(memory, &capacity);
    for (uint32_t i = 0; engine_stream_opening(&stream, &capacity, i, &c); i++) {
        c.seq = engine_sequence(bench->engine) + 1;
        engine_step(bench->engine, &c, events);
    }
    struct command *order = &bench->order;
    order->type = CMD_ENTER;
    order->tif = '0';
    order->display = 'Y';
    order->iso = 'N';
    order->capacity = 'P';
    order->cross = 'N';
    order->price = 1000000;
    order->quantity = 100;
    order->locate = 1;
    memset(order->cl_ord_id, ' ', sizeof order->cl_ord_id);
    engine_stream_symbol(0, order->symbol);
}

// The next order as a matching core takes it: stamped, into the journal's ring when it is `journaled`, then stepped.
// Every second one trades with the one before it.
static void take_order(struct bench *bench, bool journaled)
{
    static struct event events[ENGINE_EVENTS_MAX];
    struct command *order = &bench->order;
    order->seq = engine_sequence(bench->engine) + 1;
    order->user_ref++;
    order->side = order->user_ref % 2 ? 'B' : 'S';
    order->time_ns++;
    order->prev_hash = (uint32_t)engine_event_hash(bench->engine);
    if (journaled) {
        struct command *cell = ring_slot(bench->ring, 0);
        memcpy((char *)cell + sizeof cell->seq, (char *)order + sizeof order->seq, sizeof *order - sizeof order->seq);
        ring_publish(bench->ring, 1);
    }
    engine_step(bench->engine, order, events);
}

static uint64_t time_burst(struct bench *bench, bool journaled)
{
    uint64_t start = clock_ns();
    for (unsigned i = 0; i < COST_BURST; i++)
        take_order(bench, journaled);
    return clock_ns() - start;
}

// What the journal's ring adds to a command, by turns with and without it; the journal thread takes it meanwhile.
static void time_cost(struct bench *bench)
{
    uint32_t with[COST_TURNS], without[COST_TURNS];
    for (unsigned turn = 0; turn < COST_TURNS; turn++) {
        without[turn] = (uint32_t)time_burst(bench, false);
        (void)ring_room(bench->ring, RING_DEPTH); // all of it is free: looked at here, not within the time taken
        with[turn] = (uint32_t)time_burst(bench, true);
        await_durable(bench);
    }
    const double lines = sizeof(struct command) / 64.0;
    double added = (double)sample_at(with, COST_TURNS, 0.5) - (double)sample_at(without, COST_TURNS, 0.5);
    sample("journal.core_ns_per_line", added / COST_BURST / lines, 0, "ns");
}

// Orders through the engine, the ring, the disk, until they are released.
static void time_engine(struct bench *bench)
{
    uint64_t start = clock_ns();
    for (uint32_t done = 0; done < STREAM; done += BURST) {
        while (ring_room(bench->ring, BURST) < BURST)
            hop();
        for (unsigned i = 0; i < BURST; i++)
            take_order(bench, true);
    }
    await_durable(bench);
    sample("journal.durable_commands_per_s", STREAM / ((double)(clock_ns() - start) / 1e9), 0, "1/s");
}

// ---- the journal ----------------------------------------------------------------------------------------------------

static void time_stream(struct bench *bench)
{
    uint64_t bytes = journal_writer_counts(bench->writer).bytes, commits = journal_writer_counts(bench->writer).commits;
    uint64_t start = clock_ns();
    for (uint32_t done = 0; done < STREAM; done += BURST) {
        while (ring_room(bench->ring, BURST) < BURST)
            hop();
        publish(bench, BURST);
    }
    await_durable(bench);
    double seconds = (double)(clock_ns() - start) / 1e9;
    struct journal_counts counts = journal_writer_counts(bench->writer);
    sample("journal.bytes_per_s", (double)(counts.bytes - bytes) / seconds, 0, "B/s");
    sample("journal.bytes_per_commit", (double)(counts.bytes - bytes) / (double)(counts.commits - commits), 0, "B");
}

static void time_singles(struct bench *bench, double floor)
{
    for (unsigned i = 0; i < SINGLES; i++) {
        uint64_t start = clock_ns();
        publish(bench, 1);
        await_durable(bench);
        bench->samples[i] = (uint32_t)(clock_ns() - start);
    }
    sample("durable.unloaded_p50_over_sync", sample_at(bench->samples, SINGLES, 0.50), floor, "ns");
}

// Open loop: each order's time is the one at which it was to be sent, whatever held it up.
static void time_window(struct bench *bench)
{
    const uint64_t first = produced(bench), interval = SECOND_NS / LOAD_PER_S, start = clock_ns();
    uint32_t sent = 0, seen = 0;
    while (seen < WINDOW) {
        uint64_t now = clock_ns();
        for (; sent < WINDOW && start + sent * interval <= now && ring_room(bench->ring, 1); sent++)
            publish(bench, 1);
        uint64_t released = durable(bench) - first;
        for (now = clock_ns(); seen < released; seen++)
            bench->samples[seen] = (uint32_t)(now - (start + seen * interval));
        hop();
    }
}

// The same load, by a bare loop of writes in the journal thread's place.
static void time_peer(struct bench *bench, struct sync_write *sync)
{
    pin_self(PAIR_FAR_CORE);
    spinner_start(PAIR_NEAR_CORE);
    sync_write_load(sync, SECOND_NS / LOAD_PER_S, JOURNAL_RECORDS, bench->samples, WINDOW);
    spinner_stop();
    pin_self(PAIR_NEAR_CORE);
}

// Windows as long as the floor's own sample, and the median of them: what takes a core away for milliseconds is not the
// journal's, and is in both or in neither. The bare loop takes turns with the journal: a device that holds one write in
// a thousand up for a millisecond holds up the hundred commands that come meanwhile, of each 5,000, whoever writes.
static void time_load(struct bench *bench, struct sync_write *sync, const struct journal_lane *lane,
                      const struct journal_thread_options *options, const double floor[2])
{
    static const double part[2] = {0.50, 0.99};
    double journal[2][WINDOWS], peer[2][WINDOWS];
    for (unsigned i = 0; i < WINDOWS; i++) {
        time_peer(bench, sync);
        for (unsigned p = 0; p < 2; p++)
            peer[p][i] = sample_at(bench->samples, WINDOW, part[p]);
        struct journal_thread *thread = journal_thread_start(bench->writer, lane, 1, options);
        if (!thread)
            exit(EX_OSERR);
        publish(bench, 1);
        await_durable(bench); // it is at work
        time_window(bench);
        if (journal_thread_stop(thread))
            exit(EX_IOERR);
        for (unsigned p = 0; p < 2; p++)
            journal[p][i] = sample_at(bench->samples, WINDOW, part[p]);
    }
    const double own[2] = {median(journal[0], WINDOWS), median(journal[1], WINDOWS)};
    const double bare[2] = {median(peer[0], WINDOWS), median(peer[1], WINDOWS)};
    sample("durable.p50_over_sync", own[0], floor[0], "ns");
    sample("durable.p99_over_sync", own[1], floor[1], "ns");
    sample("durable.bare_p50_over_sync", bare[0], floor[0], "ns");
    sample("durable.bare_p99_over_sync", bare[1], floor[1], "ns");
    sample("durable.p50_over_bare", own[0], bare[0], "ns");
    sample("durable.p99_over_bare", own[1], bare[1], "ns");
}

// The better of the two ways to write one block, because a floor is what can be had.
static void time_floor(struct sync_write *sync, uint32_t *samples, double *p50, double *p99)
{
    pin_self(PAIR_FAR_CORE);
    spinner_start(PAIR_NEAR_CORE);
    for (int by_uring = 0; by_uring < 2; by_uring++) {
        sync_write_time(sync, by_uring, samples, SINGLES);
        double middle = sample_at(samples, SINGLES, 0.50);
        if (by_uring == 0 || middle < *p50) {
            *p50 = middle;
            *p99 = sample_at(samples, SINGLES, 0.99);
        }
    }
    spinner_stop();
    pin_self(PAIR_NEAR_CORE);
}

// ---- the whole ------------------------------------------------------------------------------------------------------

static void set_up(struct bench *bench, char *directory)
{
    struct journal_report tail = {0};
    char text[256];
    bench->identity = (struct journal_identity){.directory = directory, .instance = "bench", .date = DATE};
    size_t size = ring_footprint(RING_DEPTH, sizeof(struct command));
    bench->ring = memset(aligned_alloc(4096, (size + 4095) / 4096 * 4096), 0, size);
    ring_new(bench->ring, RING_DEPTH, sizeof(struct command), 0);
    bench->port = memset(aligned_alloc(CACHE_PAIR, sizeof *bench->port), 0, sizeof *bench->port);
    pin_self(PAIR_FAR_CORE); // also where the helper thread will be
    if (journal_writer_open(&bench->writer, &bench->identity, &bench->options, &tail, text, sizeof text)) {
        fprintf(stderr, "%s\n", text);
        exit(EX_IOERR);
    }
    pin_self(PAIR_NEAR_CORE);
    make_engine(bench);
}

// The segments that a day begins with are small: on to one of full size, with the next one made, as in mid-day.
static void warm_up(struct bench *bench)
{
    while (journal_writer_counts(bench->writer).segments < 3) {
        while (ring_room(bench->ring, BURST) < BURST)
            hop();
        publish(bench, BURST);
    }
    await_durable(bench);
    while (!journal_writer_counts(bench->writer).next_ready)
        usleep(1000);
}

static void run(struct bench *bench, struct sync_write *sync)
{
    const struct journal_lane lane = {0, bench->ring, bench->port};
    const struct journal_thread_options options = {
        .durable = true, .yield = clock_yields, .cpu = PAIR_FAR_CORE, .pinned = true};
    double before[2] = {0}, after[2] = {0};
    struct journal_thread *thread = journal_thread_start(bench->writer, &lane, 1, &options);
    if (!thread)
        exit(EX_OSERR);
    warm_up(bench);
    if (journal_thread_stop(thread))
        exit(EX_IOERR);
    // A floor before and one behind what is held against it: this machine's speed changes within seconds.
    time_floor(sync, bench->samples, &before[0], &before[1]);
    thread = journal_thread_start(bench->writer, &lane, 1, &options);
    time_singles(bench, before[0]);
    time_stream(bench);
    time_engine(bench);
    time_cost(bench);
    if (!thread || journal_thread_stop(thread))
        exit(EX_IOERR);
    time_floor(sync, bench->samples, &after[0], &after[1]);
    time_load(bench, sync, &lane, &options, (const double[]){(before[0] + after[0]) / 2, (before[1] + after[1]) / 2});
}

static void remove_all(const char *directory)
{
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "%s stays behind\n", directory);
}

int main(int argc, char **argv)
{
    static struct bench bench = {.options = {.segment_mb = 512, .commit_kb = 256}};
    const char *parent = NULL;
    char directory[512];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--yield") == 0)
            clock_yields = true;
        else if (strcmp(argv[i], "--depth") == 0 && i + 1 < argc)
            bench.options.depth = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--commit-kb") == 0 && i + 1 < argc)
            bench.options.commit_kb = (uint32_t)atoi(argv[++i]);
        else if (!parent)
            parent = argv[i];
    }
    if (!parent || bench.options.commit_kb < 8 || bench.options.commit_kb > 1024 || bench.options.depth > 4) {
        fprintf(stderr, "usage: %s DIRECTORY [--yield] [--depth 1..4] [--commit-kb 8..1024]\n", argv[0]);
        return EX_USAGE;
    }
    snprintf(directory, sizeof directory, "%s/bench_journal.XXXXXX", parent);
    if (!mkdtemp(directory)) {
        perror(directory);
        return EX_CANTCREAT;
    }
    alarm(DEADLINE_S);
    clock_calibrate();
    struct sync_write *sync = sync_write_open(directory, BLOCK);
    set_up(&bench, directory);
    run(&bench, sync);
    struct journal_counts counts = journal_writer_counts(bench.writer);
    enum journal_result result = journal_writer_close(bench.writer);
    sync_write_close(sync);
    remove_all(directory);
    fprintf(stderr, "commits %llu of %.0f commands, segments %llu, waits for a segment %llu\n",
            (unsigned long long)counts.commits, (double)counts.records / (double)counts.commits,
            (unsigned long long)counts.segments, (unsigned long long)counts.segment_waits);
    return result ? EX_IOERR : 0;
}
