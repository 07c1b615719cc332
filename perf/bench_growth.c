// SPDX-License-Identifier: Apache-2.0
// How the engine grows: bench_growth ORDERS SYMBOLS [rounds] [--json]
//
// A book of that many resting orders, over that many symbols of 2,000 prices, is turned over: cancels of any order
// there is, as likely the oldest as the newest, as many new ones, and replaces. Nothing trades, so that the book stays
// as large as it is. The flow is the worst there is for a cache: nothing is likelier to be touched again than all the
// rest.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "engine/capacity.h"
#include "perf/clock.h"
#include "perf/engine_batch.h"
#include "perf/engine_stream.h"

#define ROUND_COMMANDS 200000u
#define MID 10000u   // ticks
#define DEPTH 1000u  // prices a side
#define STRIDE 37u   // between UserRefNums
#define REPLACES 100 // of 1000 commands
#define STEPS 256    // commands at a time

struct resting {
    uint32_t user_ref;
    uint16_t locate;
    char side;
};

struct growth {
    struct engine *engine;
    uint64_t random; // splitmix64
    uint32_t orders, symbols;
    struct resting *live;
    uint32_t count;    // of them
    uint32_t user_ref; // the last one used
    _Alignas(64) struct command commands[STEPS];
    struct batch_burst burst;
    struct event events[2 * STEPS];
};

static uint32_t draw(struct growth *g, uint32_t below)
{
    uint64_t z = g->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z >> 32) * below >> 32);
}

// An order at a random price of its symbol and side.
static void fill_order(struct growth *g, struct command *c, struct resting *order)
{
    c->user_ref = order->user_ref = g->user_ref += STRIDE;
    uint32_t away = 1 + draw(g, DEPTH);
    c->price = (order->side == 'B' ? MID - away : MID + away) * STREAM_TICK;
    c->quantity = 1 + draw(g, 1000);
    c->tif = '0';
    c->display = 'Y';
    c->iso = 'N';
    memset(c->cl_ord_id, ' ', sizeof c->cl_ord_id);
}

static void make_enter(struct growth *g, struct command *c)
{
    struct resting *order = &g->live[g->count++];
    order->locate = (uint16_t)(1 + draw(g, g->symbols));
    order->side = draw(g, 2) ? 'B' : 'S';
    c->type = CMD_ENTER;
    c->side = order->side;
    c->locate = order->locate;
    c->capacity = 'P';
    c->cross = 'N';
    engine_stream_symbol(order->locate - 1u, c->symbol);
    fill_order(g, c, order);
}

static void make_cancel(struct growth *g, struct command *c)
{
    uint32_t at = draw(g, g->count);
    c->type = CMD_CANCEL;
    c->user_ref = g->live[at].user_ref;
    g->live[at] = g->live[--g->count];
}

static void make_replace(struct growth *g, struct command *c)
{
    struct resting *order = &g->live[draw(g, g->count)];
    c->type = CMD_REPLACE;
    c->orig_user_ref = order->user_ref;
    fill_order(g, c, order);
}

static void make_batch(struct growth *g, bool fills)
{
    memset(g->commands, 0, sizeof g->commands);
    for (unsigned i = 0; i < STEPS; i++) {
        struct command *c = &g->commands[i];
        if (fills || g->count < g->orders - g->orders / 16)
            make_enter(g, c);
        else if (draw(g, 1000) < REPLACES)
            make_replace(g, c);
        else if (g->count < g->orders && draw(g, 2))
            make_enter(g, c);
        else
            make_cancel(g, c);
        c->seq = c->time_ns = engine_sequence(g->engine) + 1 + i;
    }
    batch_point(&g->burst, g->commands, STEPS);
}

// Steps the batch and returns what it took, in counts of the time-stamp counter. Every command has its one event.
static uint64_t run_batch(struct growth *g)
{
    uint64_t start = __rdtsc();
    unsigned events = batch_run(g->engine, &g->burst, STEPS, g->events);
    uint64_t taken = __rdtsc() - start;
    xw_assert(events == STEPS && engine_live_orders(g->engine) == g->count);
    return taken;
}

static struct engine_capacity capacity_of(const struct growth *g)
{
    uint64_t prices = (uint64_t)g->symbols * 2 * DEPTH;
    return (struct engine_capacity){.max_orders = g->orders + STEPS,
                                    .max_levels = (uint32_t)(prices < g->orders ? prices : g->orders) + STEPS,
                                    .max_trades = 1,
                                    .max_special = capacity_special(0, g->orders),
                                    .max_conditional = 1,
                                    .max_symbols = (uint16_t)g->symbols,
                                    .max_accounts = 1,
                                    .max_sessions = 1};
}

static void open_engine(struct growth *g, const struct engine_capacity *capacity, size_t size)
{
    void *memory = batch_memory(size);
    memset(memory, 0, size);
    g->engine = engine_new(memory, capacity);
    struct engine_stream stream = {.symbols = g->symbols};
    struct command c;
    for (uint32_t i = 0; engine_stream_opening(&stream, capacity, i, &c); i++) {
        c.seq = engine_sequence(g->engine) + 1;
        engine_step(g->engine, &c, g->events);
        while (engine_unfinished(g->engine))
            engine_continue(g->engine, g->events);
    }
}

static uint32_t number_of(const char *text, uint32_t most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *text == '\0' || *end != '\0' || value > most ? 0 : (uint32_t)value;
}

int main(int argc, char **argv)
{
    const uint32_t most[3] = {50000000, 9999, 1000};
    uint32_t numbers[3] = {0, 0, 5}, given = 0;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (given < 3) {
            numbers[given] = number_of(argv[i], most[given]);
            given++;
        } else {
            numbers[0] = 0;
        }
    }
    if (numbers[0] < STEPS || numbers[1] == 0 || numbers[2] == 0) {
        fprintf(stderr,
                "usage: bench_growth ORDERS SYMBOLS [rounds] [--json]; %d to 50000000 orders, 1 to 9999 symbols\n",
                STEPS);
        return 64;
    }
    static struct growth g;
    g.orders = numbers[0];
    g.symbols = numbers[1];
    struct engine_capacity capacity = capacity_of(&g);
    size_t size = engine_footprint(&capacity);
    g.live = calloc(g.orders + STEPS, sizeof *g.live);
    double *times = calloc(numbers[2], sizeof *times);
    xw_assert(g.live && times);
    clock_calibrate();
    open_engine(&g, &capacity, size);
    while (g.count + STEPS <= g.orders) {
        make_batch(&g, true);
        run_batch(&g);
    }
    for (uint32_t round = 0; round < numbers[2]; round++) {
        uint64_t taken = 0;
        for (uint32_t done = 0; done < ROUND_COMMANDS; done += STEPS) {
            make_batch(&g, false);
            taken += run_batch(&g);
        }
        uint32_t commands = (ROUND_COMMANDS + STEPS - 1) / STEPS * STEPS;
        times[round] = (double)taken * (double)clock_scale / 4294967296.0 / commands;
    }
    qsort(times, numbers[2], sizeof *times, compare_double);
    printf(json ? "{\"orders\":%u,\"symbols\":%u,\"ns\":%.2f,\"min\":%.2f,\"max\":%.2f,\"bytes\":%zu}\n"
                : "%u orders, %u symbols: %.1f ns a command (%.1f to %.1f), %zu bytes\n",
           g.orders, g.symbols, times[numbers[2] / 2], times[0], times[numbers[2] - 1], size);
    return 0;
}
