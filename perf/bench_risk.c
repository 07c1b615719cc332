// SPDX-License-Identifier: Apache-2.0
// What the checks of risk cost a command: bench_risk STREAM ACCOUNTS [rounds] [--json]
//
// The same stream, spread over so many accounts of one session each, through an engine on a day without risk, one on a
// day with risk but no limits, and one with every limit of every scope set, none of them met: the rounds of the three
// take turns, and the difference is that of rounds side by side.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "engine/capacity.h"
#include "perf/clock.h"
#include "perf/engine_batch.h"
#include "perf/engine_stream.h"

#define BATCH 256
#define BATCH_EVENTS 16384
#define ROUNDS_MOST 1000

enum { NONE, IDLE, ALL, KINDS };

struct bench {
    struct engine_stream stream;
    struct engine_capacity capacity;
    struct engine *engine;
    void *memory;
    size_t size;
    _Alignas(64) struct command commands[BATCH + BATCH_BEHIND];
    struct event *events;
    unsigned event_count;
    uint64_t digest; // of the first round
};

static void step(struct bench *b, struct command *c)
{
    c->seq = engine_sequence(b->engine) + 1;
    c->time_ns = c->seq;
    b->event_count = batch_step(b->engine, c, 0, b->events);
}

static void watch_all(struct bench *b)
{
    struct stream_trade trade;
    for (unsigned i = 0; i < b->event_count; i++) {
        xw_assert(b->events[i].type != EV_REJECTED); // then it would measure less work
        engine_stream_watch(&b->stream, &b->events[i], &trade);
    }
    b->event_count = 0;
}

// ---- the limits
// ------------------------------------------------------------------------------------------------------

// Far from what any order comes to, in the unit's largest.
static uint64_t loose(enum limit limit)
{
    static const char *const units[] = {
#define LIMIT(name, key, scopes, unit, reject, help) #unit,
#include "contract/limits.def"
#undef LIMIT
    };
    const char *unit = units[limit];
    if (limit == LIMIT_FORBIDDEN)
        return FORBID_ISO;
    return strcmp(unit, "MONEY") == 0      ? UINT64_C(1000000000000000000)
           : strcmp(unit, "QUANTITY") == 0 ? UINT64_C(1000000000000)
           : strcmp(unit, "PPM") == 0      ? 1000000
           : strcmp(unit, "TICKS") == 0    ? 2000000000
           : strcmp(unit, "COUNT") == 0    ? 1000000000
           : strcmp(unit, "MS") == 0       ? 1000
                                           : 1;
}

static void set_limit(struct bench *b, enum limit limit, enum scope scope, uint32_t index)
{
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.limit = (uint8_t)limit;
    c.limit.scope = (uint8_t)scope;
    c.limit.index = (uint16_t)index;
    c.limit.value = loose(limit);
    step(b, &c);
    xw_assert(b->event_count > 0);
}

static void set_all(struct bench *b, enum limit limit, const char *scopes)
{
    for (; *scopes; scopes++) {
        if (*scopes == 'V')
            set_limit(b, limit, SCOPE_VENUE, 0);
        for (uint32_t i = 0; i < b->stream.sessions; i++) {
            if (*scopes == 'F' && i % 8 == 0)
                set_limit(b, limit, SCOPE_FIRM, i);
            if (*scopes == 'A' || *scopes == 'S')
                set_limit(b, limit, *scopes == 'A' ? SCOPE_ACCOUNT : SCOPE_SESSION, i);
        }
        for (uint32_t locate = 1; *scopes == 'Y' && locate <= b->stream.symbols; locate++)
            set_limit(b, limit, SCOPE_SYMBOL, locate);
    }
}

static void know_symbols(struct bench *b)
{
    for (uint16_t locate = 1; locate <= b->stream.symbols; locate++) {
        struct command c = {.type = CMD_REFERENCE, .session = SESSION_NONE};
        c.reference.locate = locate;
        c.reference.adv = UINT64_C(1000000000000);
        c.reference.reg_sho = SHO_NONE;
        c.reference.tier = 1;
        step(b, &c);
        c = (struct command){.type = CMD_GROUP, .session = SESSION_NONE};
        c.group.locate = locate;
        c.group.group = (uint16_t)(1 + locate % 32);
        step(b, &c);
    }
}

static void make_engine(struct bench *b, int kind)
{
    struct engine_capacity capacity = b->capacity;
    capacity.max_positions = kind == NONE ? 0 : b->capacity.max_positions;
    memset(b->memory, 0, b->size);
    b->engine = engine_new(b->memory, &capacity);
    engine_stream_rewind(&b->stream);
    struct command c;
    for (uint32_t i = 0; engine_stream_opening(&b->stream, &capacity, i, &c); i++) {
        if (c.type == CMD_START && kind == ALL) {
            know_symbols(b);
#define LIMIT(name, key, scopes, unit, reject, help) set_all(b, LIMIT_##name, scopes);
#include "contract/limits.def"
#undef LIMIT
        }
        step(b, &c);
    }
    b->event_count = 0;
}

// ---- rounds
// ----------------------------------------------------------------------------------------------------------

static void play_slowly(struct bench *b, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++) {
        engine_stream_command(&b->stream, i, &b->commands[0]);
        step(b, &b->commands[0]);
        watch_all(b);
    }
}

static uint64_t __attribute__((noinline)) time_batch(struct bench *b, unsigned count)
{
    uint64_t start = __rdtsc();
    b->event_count = batch_run(b->engine, b->commands, count, b->events);
    uint64_t taken = __rdtsc() - start;
    xw_assert(b->event_count <= BATCH_EVENTS);
    return taken;
}

// One pass over the stream: ns a command behind the prefill.
static double play_round(struct bench *b, int kind)
{
    struct engine_stream *s = &b->stream;
    uint64_t taken = 0;
    make_engine(b, kind);
    play_slowly(b, 0, s->prefill);
    for (uint64_t first = s->prefill; first < s->count; first += BATCH) {
        unsigned count = s->count - first < BATCH ? (unsigned)(s->count - first) : BATCH;
        for (unsigned i = 0; i < count; i++) {
            engine_stream_command(s, first + i, &b->commands[i]);
            b->commands[i].seq = engine_sequence(b->engine) + 1 + i;
            b->commands[i].time_ns = b->commands[i].seq;
        }
        memset(&b->commands[count], 0, BATCH_BEHIND * sizeof *b->commands);
        taken += time_batch(b, count);
        watch_all(b);
    }
    xw_assert(b->digest == 0 || s->digest == b->digest);
    b->digest = s->digest;
    return (double)taken * (double)clock_scale / 4294967296.0 / (double)(s->count - s->prefill);
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint32_t power_above(uint64_t value)
{
    uint32_t power = 1024;
    while (power < value)
        power *= 2;
    return power;
}

int main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
    int given = argc - json, rounds = given > 3 ? atoi(argv[3]) : 5;
    int accounts = given > 2 ? atoi(argv[2]) : 0;
    if (accounts < 1 || accounts > 20000 || rounds < 1 || rounds > ROUNDS_MOST) {
        fprintf(stderr, "usage: bench_risk STREAM ACCOUNTS [rounds] [--json]\n");
        return 64;
    }
    static struct bench b;
    static double ns[KINDS][ROUNDS_MOST], added[ROUNDS_MOST];
    if (!engine_stream_open(&b.stream, argv[1])) {
        fprintf(stderr, "bench_risk: %s is no order stream; ../shared/streams/make.sh DIRECTORY makes some\n", argv[1]);
        return 66;
    }
    engine_stream_spread(&b.stream, (uint16_t)accounts);
    uint32_t orders = power_above(b.stream.prefill + b.stream.prefill / 8);
    b.capacity = (struct engine_capacity){.max_orders = orders,
                                          .max_levels = 65536,
                                          .max_trades = 1u << 20,
                                          .max_special = capacity_special(0, orders),
                                          .max_conditional = 1024,
                                          .max_positions = (uint32_t)accounts * b.stream.symbols,
                                          .max_symbols = (uint16_t)b.stream.symbols,
                                          .max_accounts = (uint16_t)accounts,
                                          .max_sessions = (uint16_t)accounts};
    b.size = engine_footprint(&b.capacity);
    b.memory = batch_memory(b.size);
    b.events = batch_memory(BATCH_EVENTS * sizeof *b.events);
    clock_calibrate();
    make_engine(&b, NONE);
    play_slowly(&b, 0, b.stream.count); // learns the chains' quantities
    for (int i = 0; i < rounds; i++) {
        for (int kind = 0; kind < KINDS; kind++)
            ns[kind][i] = play_round(&b, kind);
        added[i] = ns[ALL][i] - ns[NONE][i];
    }
    for (int kind = 0; kind < KINDS; kind++)
        qsort(ns[kind], (size_t)rounds, sizeof(double), compare_double);
    qsort(added, (size_t)rounds, sizeof(double), compare_double);
    printf(json ? "{\"added\":%.2f,\"min\":%.2f,\"max\":%.2f,\"none\":%.2f,\"idle\":%.2f,\"all\":%.2f,\"accounts\":%d,"
                  "\"rounds\":%d}\n"
                : "%.2f ns a command for all checks (min %.2f, max %.2f); without risk %.2f, without limits %.2f, with "
                  "all %.2f ns; %d accounts, %d rounds\n",
           added[rounds / 2], added[0], added[rounds - 1], ns[NONE][rounds / 2], ns[IDLE][rounds / 2],
           ns[ALL][rounds / 2], accounts, rounds);
    return 0;
}
