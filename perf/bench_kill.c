// SPDX-License-Identifier: Apache-2.0
// The kill switch: bench_kill ORDERS [rounds] [--json]
//
// An account of four sessions has that many orders resting, in 64 symbols of 2,000 prices, and another account as many.
// Timed is the engine from CMD_KILL to ALERT_ZERO, in steps of 64 events as the matching core takes them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "engine/capacity.h"
#include "perf/clock.h"
#include "perf/engine_batch.h"
#include "perf/engine_stream.h"

#define SYMBOLS 64u
#define SESSIONS 4u // of each of two accounts
#define MID 10000u  // ticks
#define DEPTH 1000u // prices a side

struct bench {
    struct engine *engine;
    uint64_t random; // splitmix64
    uint32_t user_ref;
    struct event events[ENGINE_EVENTS_MAX];
    uint32_t zero; // ALERT_ZEROs seen
};

static uint32_t draw(struct bench *b, uint32_t below)
{
    uint64_t z = b->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z >> 32) * below >> 32);
}

static void step(struct bench *b, struct command *c)
{
    c->seq = engine_sequence(b->engine) + 1;
    unsigned count = engine_step(b->engine, c, b->events);
    while (engine_unfinished(b->engine))
        count = engine_continue(b->engine, b->events);
    b->zero += count > 0 && b->events[count - 1].type == EV_ALERT && b->events[count - 1].reason == ALERT_ZERO;
}

static void enter(struct bench *b, uint16_t session)
{
    uint32_t away = 1 + draw(b, DEPTH);
    struct command c = {.type = CMD_ENTER, .session = session, .user_ref = ++b->user_ref};
    c.side = draw(b, 2) ? 'B' : 'S';
    c.locate = (uint16_t)(1 + draw(b, SYMBOLS));
    engine_stream_symbol(c.locate - 1u, c.symbol);
    c.price = (c.side == 'B' ? MID - away : MID + away) * STREAM_TICK;
    c.quantity = 1 + draw(b, 1000);
    c.tif = '0';
    c.display = 'Y';
    c.iso = 'N';
    c.capacity = 'P';
    c.cross = 'N';
    memset(c.cl_ord_id, ' ', sizeof c.cl_ord_id);
    step(b, &c);
}

static void open_day(struct bench *b, const struct engine_capacity *capacity)
{
    struct command day = {.type = CMD_OPEN_DAY, .session = SESSION_NONE};
    day.day.trading_date = 20260101;
    day.day.engine_version = CROSSWIRE_ENGINE_VERSION;
    day.day.lookup_key = 1;
    day.day.max_orders = capacity->max_orders;
    day.day.max_levels = capacity->max_levels;
    day.day.max_trades = capacity->max_trades;
    day.day.max_special = capacity->max_special;
    day.day.max_conditional = capacity->max_conditional;
    day.day.max_symbols = capacity->max_symbols;
    day.day.max_accounts = capacity->max_accounts;
    day.day.max_sessions = capacity->max_sessions;
    step(b, &day);
    for (uint16_t i = 0; i < SYMBOLS; i++) {
        struct command c = {.type = CMD_OPEN_SYMBOL, .session = SESSION_NONE};
        engine_stream_symbol(i, c.open_symbol.name);
        c.open_symbol.tick = STREAM_TICK;
        c.open_symbol.round_lot = 100;
        c.open_symbol.locate = i + 1;
        step(b, &c);
    }
    for (uint16_t i = 0; i < 2; i++) {
        struct command c = {.type = CMD_OPEN_ACCOUNT, .session = SESSION_NONE};
        memcpy(c.open_account.firm, i ? "BETA" : "ALFA", 4);
        c.open_account.account = i;
        step(b, &c);
    }
    for (uint16_t i = 0; i < 2 * SESSIONS; i++) {
        struct command c = {.type = CMD_OPEN_SESSION, .session = i};
        c.open_session.account = i / SESSIONS;
        c.open_session.aiq_default = 'N';
        step(b, &c);
    }
    struct command start = {.type = CMD_START, .session = SESSION_NONE};
    step(b, &start);
    for (uint16_t i = 0; i < 2 * SESSIONS; i++) {
        struct command c = {.type = CMD_SESSION_UP, .session = i};
        step(b, &c);
    }
}

static double kill_us(struct bench *b, uint32_t orders)
{
    struct command c = {.type = CMD_KILL, .session = SESSION_NONE};
    c.kill.scope = SCOPE_ACCOUNT;
    c.kill.actions = KILL_BLOCK | KILL_CANCEL;
    uint32_t live = engine_live_orders(b->engine), zero = b->zero;
    uint64_t start = __rdtsc();
    step(b, &c);
    uint64_t taken = __rdtsc() - start;
    xw_assert(b->zero == zero + 1 && engine_live_orders(b->engine) == live - orders);
    c.type = CMD_RESET;
    step(b, &c);
    return (double)taken * (double)clock_scale / 4294967296.0 / 1000;
}

int main(int argc, char **argv)
{
    const bool json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
    const uint32_t orders = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    const uint32_t rounds = argc - json > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 5;
    if (orders == 0 || orders > 10000000 || rounds == 0 || rounds > 1000) {
        fputs("usage: bench_kill ORDERS [rounds] [--json]; 1 to 10000000 orders\n", stderr);
        return 64;
    }
    static struct bench b;
    const struct engine_capacity capacity = {.max_orders = 2 * orders,
                                             .max_levels = SYMBOLS * 2 * DEPTH,
                                             .max_trades = 1,
                                             .max_special = 1024,
                                             .max_conditional = 1,
                                             .max_symbols = SYMBOLS,
                                             .max_accounts = 2,
                                             .max_sessions = 2 * SESSIONS};
    size_t size = engine_footprint(&capacity);
    void *memory = batch_memory(size);
    double *times = calloc(rounds, sizeof *times);
    xw_assert(times);
    memset(memory, 0, size);
    clock_calibrate();
    b.engine = engine_new(memory, &capacity);
    open_day(&b, &capacity);
    for (uint32_t i = 0; i < orders; i++)
        enter(&b, (uint16_t)(SESSIONS + i % SESSIONS));
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < orders; i++)
            enter(&b, (uint16_t)(i % SESSIONS));
        times[round] = kill_us(&b, orders);
    }
    qsort(times, rounds, sizeof *times, compare_double);
    printf(json ? "{\"orders\":%u,\"us\":%.1f,\"min\":%.1f,\"max\":%.1f}\n"
                : "%u orders: %.1f us to zero (%.1f to %.1f)\n",
           orders, times[rounds / 2], times[0], times[rounds - 1]);
    free(times);
    free(memory);
    return 0;
}
