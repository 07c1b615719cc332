// SPDX-License-Identifier: Apache-2.0
// The engine alone, on one core, commands in memory: bench_engine STREAM [rounds] [--floor OBJECT] [--json]
//
// With the streams' floor program as a shared object (perf/bench/floor_turns.c) the two take turns of a million
// messages: short enough that both see the machine in the same state. The first quarter of a turn, in which each takes
// the caches back from the other, is not timed.
//
// Commands are made in batches outside of the time taken, as a gateway's ring would hold them, and stepped with all
// that the engine does in production on: UserRefNum check, live-order table, events written, rolling hash. Trades and
// their digest are taken from the events after each batch, so that every round is also a test.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "contract/assert.h"
#include "engine/capacity.h"
#include "perf/clock.h"
#include "perf/engine_batch.h"
#include "perf/engine_stream.h"
#include "perf/histogram.h"

#define TURN (UINT64_C(1) << 20) // messages

// What perf/bench/floor_turns.c gives.
struct floor {
    bool (*open)(const char *path);              // false: no stream that it takes
    void (*rewind)(void);                        // the book is that of the prefill
    uint64_t (*run)(uint64_t first, uint64_t n); // these messages; returns cycles of the time stamp counter
    uint64_t (*digest)(void);                    // of the trades since the rewind, the prefill's with them
};

static void step_all(struct batch *b, const struct command *c)
{
    b->event_count += batch_step(b->engine, c, b->events + b->event_count);
    xw_assert(b->event_count <= BATCH_EVENTS);
}

static void make_engine(struct batch *b)
{
    memset(b->memory, 0, b->size);
    b->engine = engine_new(b->memory, &b->capacity);
    engine_stream_rewind(&b->stream);
    struct command c;
    for (uint32_t i = 0; engine_stream_opening(&b->stream, &b->capacity, i, &c); i++) {
        c.seq = engine_sequence(b->engine) + 1;
        step_all(b, &c);
    }
    b->event_count = 0;
}

static uint64_t tsc_before(void)
{
    _mm_lfence();
    uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
}

static uint64_t tsc_after(void)
{
    unsigned core;
    uint64_t now = __rdtscp(&core);
    _mm_lfence();
    return now;
}

static uint64_t time_each(struct batch *b, unsigned count, uint64_t overhead, struct histogram *histogram)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = tsc_before();
        step_all(b, &b->commands[i]);
        uint64_t taken = tsc_after() - start;
        taken = taken > overhead ? taken - overhead : 0;
        histogram_record(histogram, taken * clock_scale >> 32);
        sum += taken;
    }
    return sum;
}

static uint64_t timer_overhead(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 10000; i++) {
        uint64_t start = tsc_before();
        uint64_t taken = tsc_after() - start;
        least = taken < least ? taken : least;
    }
    return least;
}

// What this thread has had of the processor: other than the counter it does not run while others do.
static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double ns_of(uint64_t cycles)
{
    return (double)cycles * (double)clock_scale / 4294967296.0;
}

struct round {
    double ns, cpu, floor; // a message behind the prefill: taken, of processor time, and by the floor
};

// Messages from `first` on, to `end`. Returns cycles, and processor time in *cpu.
static uint64_t play(struct batch *b, struct histogram *each, uint64_t overhead, uint64_t first, uint64_t end,
                     double *cpu)
{
    uint64_t taken = 0;
    *cpu = 0;
    while (first < end) {
        unsigned count = batch_make(b, first);
        double before = cpu_ns();
        taken += each ? time_each(b, count, overhead, each) : time_batch(b, count);
        *cpu += cpu_ns() - before;
        batch_watch(b);
        first += count;
    }
    return taken;
}

// One pass over the stream, each message by itself if there is a histogram for them; in turns with the floor if there
// is one.
static struct round play_round(struct batch *b, struct histogram *each, const struct floor *floor)
{
    struct engine_stream *s = &b->stream;
    make_engine(b);
    play_slowly(b, 0, s->prefill);
    if (floor)
        floor->rewind();
    uint64_t overhead = each ? timer_overhead() : 0, timed = 0, taken = 0, floor_taken = 0;
    double cpu = 0, now;
    for (uint64_t first = s->prefill, end; first < s->count; first = end) {
        end = s->count - first < TURN ? s->count : first + TURN;
        uint64_t settled = first + (end - first) / 4 / BATCH * BATCH;
        if (floor) {
            floor->run(first, settled - first);
            floor_taken += floor->run(settled, end - settled);
        }
        play(b, each, overhead, first, settled, &now);
        taken += play(b, each, overhead, settled, end, &now);
        cpu += now;
        timed += end - settled;
    }
    xw_assert(!floor || floor->digest() == s->digest); // the same trades
    return (struct round){
        .ns = ns_of(taken) / (double)timed, .cpu = cpu / (double)timed, .floor = ns_of(floor_taken) / (double)timed};
}

static int compare_ns(const void *a, const void *b)
{
    return compare_double(&((const struct round *)a)->ns, &((const struct round *)b)->ns);
}

// `rounds` ascend.
static void print(const struct batch *b, const struct histogram *each, const char *path, const struct round *rounds,
                  int count, bool json)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const struct round *median = &rounds[count / 2];
    unsigned long long p50 = histogram_percentile(each, 50), p99 = histogram_percentile(each, 99),
                       p999 = histogram_percentile(each, 99.9);
    unsigned long long messages = b->stream.count - b->stream.prefill, digest = b->stream.digest;
    printf(json ? "{\"stream\":\"%s\",\"ns\":%.2f,\"cpu_ns\":%.2f,\"floor_ns\":%.2f,\"min\":%.2f,\"max\":%.2f,"
                  "\"rounds\":%d,\"messages\":%llu,\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"trades\":%llu,"
                  "\"digest\":\"%016llx\",\"memory_mb\":%zu}\n"
                : "%-12s %8.2f ns a message (processor time %.2f, floor %.2f, min %.2f, max %.2f, %d rounds of %llu), "
                  "p50 %llu, p99 %llu, p99.9 %llu ns; %llu trades, digest %016llx; %zu MB\n",
           name, median->ns, median->cpu, median->floor, rounds[0].ns, rounds[count - 1].ns, count, messages, p50, p99,
           p999, (unsigned long long)b->stream.trades, digest, b->size >> 20);
}

static void *symbol(void *object, const char *name, const char *path)
{
    void *found = dlsym(object, name);
    if (!found) {
        fprintf(stderr, "bench_engine: %s has no %s: it is to be made of perf/bench/floor_turns.c\n", path, name);
        exit(66);
    }
    return found;
}

static void open_floor(struct floor *floor, const char *path, const char *stream)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        fprintf(stderr, "bench_engine: %s\n", dlerror());
        exit(66);
    }
    *(void **)&floor->open = symbol(object, "floor_open", path);
    *(void **)&floor->rewind = symbol(object, "floor_rewind", path);
    *(void **)&floor->run = symbol(object, "floor_run", path);
    *(void **)&floor->digest = symbol(object, "floor_digest", path);
    if (!floor->open(stream)) {
        fprintf(stderr, "bench_engine: the floor does not take %s\n", stream);
        exit(66);
    }
}

int main(int argc, char **argv)
{
    const char *path = NULL, *object = NULL;
    int rounds = 5;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--floor") == 0 && i + 1 < argc)
            object = argv[++i];
        else if (!path)
            path = argv[i];
        else
            rounds = atoi(argv[i]);
    }
    if (!path || rounds < 1 || rounds > 1000) {
        fprintf(stderr, "usage: bench_engine STREAM [rounds] [--floor OBJECT] [--json]\n");
        return 64;
    }
    static struct batch b;
    if (!engine_stream_open(&b.stream, path)) {
        fprintf(stderr, "bench_engine: %s is no order stream; ../shared/streams/make.sh DIRECTORY makes some\n", path);
        return 66;
    }
    uint32_t orders = power_above(b.stream.prefill + b.stream.prefill / 8);
    b.capacity = (struct engine_capacity){.max_orders = orders,
                                          .max_levels = 65536,
                                          .max_trades = 1u << 20,
                                          .max_special = capacity_special(0, orders),
                                          .max_conditional = 1024,
                                          .max_symbols = (uint16_t)b.stream.symbols,
                                          .max_accounts = 1,
                                          .max_sessions = 1};
    b.size = engine_footprint(&b.capacity);
    b.memory = batch_memory(b.size);
    b.events = batch_memory(BATCH_EVENTS * sizeof *b.events);
    memset(b.events, 0, BATCH_EVENTS * sizeof *b.events);
    struct histogram *histogram = calloc(1, sizeof *histogram);
    struct round *played = calloc((size_t)rounds, sizeof *played);
    struct floor floor;
    xw_assert(histogram && played);
    if (object)
        open_floor(&floor, object, path);
    clock_calibrate();
    make_engine(&b);
    play_slowly(&b, 0, b.stream.count); // learns the chains' quantities
    for (int i = 0; i < rounds; i++)
        played[i] = play_round(&b, NULL, object ? &floor : NULL);
    play_round(&b, histogram, NULL);
    qsort(played, (size_t)rounds, sizeof *played, compare_ns);
    print(&b, histogram, path, played, rounds, json);
    return 0;
}
