// SPDX-License-Identifier: Apache-2.0
// The engine alone, on one core, commands in memory: bench_engine STREAM [rounds] [--json]
//
// Commands are made in batches outside of the time taken, as a gateway's ring would hold them, and stepped with all
// that the engine does in production on: UserRefNum check, live-order table, events written, rolling hash. Trades and
// their digest are taken from the events after each batch, so that every round is also a test.
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

static void step_all(struct batch *b, const struct command *c)
{
    b->event_count += batch_step(b->engine, c, NULL, b->events + b->event_count);
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

// One pass over the stream, each message by itself if there is a histogram for them. Returns ns a message behind the
// prefill; processor time in *cpu.
static double play_round(struct batch *b, struct histogram *each, double *cpu)
{
    struct engine_stream *s = &b->stream;
    make_engine(b);
    play_slowly(b, 0, s->prefill);
    uint64_t overhead = each ? timer_overhead() : 0;
    uint64_t taken = 0;
    *cpu = 0;
    for (uint64_t first = s->prefill; first < s->count; first += BATCH) {
        unsigned count = batch_make(b, first);
        double before = cpu_ns();
        taken += each ? time_each(b, count, overhead, each) : time_batch(b, count);
        *cpu += cpu_ns() - before;
        batch_watch(b);
    }
    *cpu /= (double)(s->count - s->prefill);
    return (double)taken * (double)clock_scale / 4294967296.0 / (double)(s->count - s->prefill);
}

static void print(const struct batch *b, const struct histogram *each, const char *path, const double *rounds,
                  const double *cpu, int count, bool json)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    unsigned long long p50 = histogram_percentile(each, 50), p99 = histogram_percentile(each, 99),
                       p999 = histogram_percentile(each, 99.9);
    unsigned long long messages = b->stream.count - b->stream.prefill, digest = b->stream.digest;
    if (json)
        printf("{\"stream\":\"%s\",\"messages\":%llu,\"ns\":%.2f,\"cpu_ns\":%.2f,\"min\":%.2f,\"max\":%.2f,\"rounds\":%"
               "d,\"p50\":%llu,"
               "\"p99\":%llu,\"p999\":%llu,\"trades\":%llu,\"digest\":\"%016llx\",\"memory_mb\":%zu}\n",
               name, messages, rounds[count / 2], cpu[count / 2], rounds[0], rounds[count - 1], count, p50, p99, p999,
               (unsigned long long)b->stream.trades, digest, b->size >> 20);
    else
        printf("%-12s %8.2f ns a message (processor time %.2f, min %.2f, max %.2f, %d rounds of %llu), p50 %llu, p99 "
               "%llu, p99.9 %llu ns; %llu "
               "trades, digest %016llx; %zu MB\n",
               name, rounds[count / 2], cpu[count / 2], rounds[0], rounds[count - 1], count, messages, p50, p99, p999,
               (unsigned long long)b->stream.trades, digest, b->size >> 20);
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    int rounds = 5;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (!path)
            path = argv[i];
        else
            rounds = atoi(argv[i]);
    }
    if (!path || rounds < 1 || rounds > 1000) {
        fprintf(stderr, "usage: bench_engine STREAM [rounds] [--json]\n");
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
    double *times = calloc((size_t)rounds, sizeof *times), *cpu = calloc((size_t)rounds, sizeof *cpu), unused;
    xw_assert(histogram && times && cpu);
    clock_calibrate();
    make_engine(&b);
    play_slowly(&b, 0, b.stream.count); // learns the chains' quantities
    for (int i = 0; i < rounds; i++)
        times[i] = play_round(&b, NULL, &cpu[i]);
    play_round(&b, histogram, &unused);
    qsort(times, (size_t)rounds, sizeof *times, compare_double);
    qsort(cpu, (size_t)rounds, sizeof *cpu, compare_double);
    print(&b, histogram, path, times, cpu, rounds, json);
    return 0;
}
