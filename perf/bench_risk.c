// SPDX-License-Identifier: Apache-2.0
// What the checks of risk cost a command: bench_risk STREAM ACCOUNTS [rounds] [--json]
//
// The same stream, spread over so many accounts of one session each, through an engine on a day without risk, one on a
// day with risk but no limits, and one with every limit of every scope set, none of them met. The three take turns of a
// quarter of a million messages, and a round's difference is the median of those of turns side by side: the machine
// changes its pace between turns, hardly ever within two.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capacity.h"
#include "perf/clock.h"
#include "perf/engine_batch.h"
#include "perf/engine_stream.h"

#define ROUNDS_MOST 1000
#define TURN (UINT64_C(1) << 18) // messages
#define TURNS_MOST 1024

enum { NONE, IDLE, ALL, KINDS };

static void step(struct batch *b, struct command *c)
{
    c->seq = engine_sequence(b->engine) + 1;
    c->time_ns = c->seq;
    b->event_count = batch_step(b->engine, c, b->events);
}

// ---- the limits

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

static void set_limit(struct batch *b, enum limit limit, enum scope scope, uint32_t index)
{
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.limit = (uint8_t)limit;
    c.limit.scope = (uint8_t)scope;
    c.limit.index = (uint16_t)index;
    c.limit.value = loose(limit);
    step(b, &c);
    xw_assert(b->event_count > 0);
}

static void set_all(struct batch *b, enum limit limit, const char *scopes)
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

static void know_symbols(struct batch *b)
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

static void make_engine(struct batch *b, int kind)
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

// A round's medians: what the limits cost over a day without risk, and each kind, ns a command.
struct round {
    double added, ns[KINDS];
};

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, compare_double);
    return values[count / 2];
}

// Messages from `first` on, to `end`. Returns ns a command.
static double play_turn(struct batch *b, uint64_t first, uint64_t end)
{
    uint64_t taken = 0;
    for (uint64_t at = first; at < end; at += BATCH) {
        unsigned count = batch_make(b, at);
        taken += time_batch(b, count);
        batch_watch(b);
    }
    return (double)taken * (double)clock_scale / 4294967296.0 / (double)(end - first);
}

// One pass over the stream by each kind. The digest of its trades is that of the first pass, in *digest.
static struct round play_round(struct batch *kinds, uint64_t *digest)
{
    static double ns[KINDS][TURNS_MOST], added[TURNS_MOST];
    const struct engine_stream *s = &kinds[NONE].stream;
    for (int kind = 0; kind < KINDS; kind++) {
        make_engine(&kinds[kind], kind);
        play_slowly(&kinds[kind], 0, s->prefill);
    }
    unsigned turns = 0;
    for (uint64_t first = s->prefill, end; first < s->count; first = end, turns++) {
        end = s->count - first < TURN ? s->count : first + TURN;
        xw_assert(turns < TURNS_MOST);
        for (int k = 0; k < KINDS; k++) { // to and fro
            int kind = turns % 2 ? KINDS - 1 - k : k;
            ns[kind][turns] = play_turn(&kinds[kind], first, end);
        }
        added[turns] = ns[ALL][turns] - ns[NONE][turns];
    }
    struct round round = {.added = median(added, turns)};
    for (int kind = 0; kind < KINDS; kind++) {
        round.ns[kind] = median(ns[kind], turns);
        xw_assert(kinds[kind].rejected == 0); // or it would measure less work
        xw_assert(*digest == 0 || kinds[kind].stream.digest == *digest);
        *digest = kinds[kind].stream.digest;
    }
    return round;
}

static void open_batch(struct batch *b, const char *path, int accounts)
{
    if (!engine_stream_open(&b->stream, path)) {
        fprintf(stderr, "bench_risk: %s is no order stream; ../shared/streams/make.sh DIRECTORY makes some\n", path);
        exit(66);
    }
    engine_stream_spread(&b->stream, (uint16_t)accounts);
    uint32_t orders = power_above(b->stream.prefill + b->stream.prefill / 8);
    b->capacity = (struct engine_capacity){.max_orders = orders,
                                           .max_levels = 65536,
                                           .max_trades = 1u << 20,
                                           .max_special = capacity_special(0, orders),
                                           .max_conditional = 1024,
                                           .max_positions = (uint32_t)accounts * b->stream.symbols,
                                           .max_symbols = (uint16_t)b->stream.symbols,
                                           .max_accounts = (uint16_t)accounts,
                                           .max_sessions = (uint16_t)accounts};
    b->size = engine_footprint(&b->capacity);
    b->memory = batch_memory(b->size);
    b->events = batch_memory(BATCH_EVENTS * sizeof *b->events);
    make_engine(b, NONE);
    play_slowly(b, 0, b->stream.count); // learns the chains' quantities
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
    static struct batch kinds[KINDS];
    static double ns[KINDS][ROUNDS_MOST], added[ROUNDS_MOST];
    clock_calibrate();
    for (int kind = 0; kind < KINDS; kind++)
        open_batch(&kinds[kind], argv[1], accounts);
    uint64_t digest = 0;
    for (int i = 0; i < rounds; i++) {
        struct round round = play_round(kinds, &digest);
        added[i] = round.added;
        for (int kind = 0; kind < KINDS; kind++)
            ns[kind][i] = round.ns[kind];
    }
    double all = median(added, (unsigned)rounds), of[KINDS];
    for (int kind = 0; kind < KINDS; kind++)
        of[kind] = median(ns[kind], (unsigned)rounds);
    printf(json ? "{\"added\":%.2f,\"min\":%.2f,\"max\":%.2f,\"none\":%.2f,\"idle\":%.2f,\"all\":%.2f,\"accounts\":%d,"
                  "\"rounds\":%d}\n"
                : "%.2f ns a command for all checks (min %.2f, max %.2f); without risk %.2f, without limits %.2f, with "
                  "all %.2f ns; %d accounts, %d rounds\n",
           all, added[0], added[rounds - 1], of[NONE], of[IDLE], of[ALL], accounts, rounds);
    return 0;
}
