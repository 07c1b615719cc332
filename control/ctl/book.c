// SPDX-License-Identifier: Apache-2.0
// xwctl book SYMBOL: the best levels, now or at any moment of a day. Replays the date's journal through an engine, so
// it shows what is durable and may be a moment behind the running core.
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/ctl.h"
#include "control/ctl/walk.h"

static const struct ctl_symbol *find_symbol(const struct ctl_walk *walk, const char *name)
{
    for (unsigned i = 0; i < walk->day.symbols_count; i++) {
        if (strcasecmp(walk->day.symbols[i].name, name) == 0)
            return &walk->day.symbols[i];
    }
    fail_with(EX_NOINPUT, "%s is no symbol that the journal of %u had opened by then", name, walk->identity->date);
}

static void print_price(uint32_t price)
{
    printf("%8u.%04u", price / 10000, price % 10000);
}

static void print_text(const struct ctl_symbol *symbol, const struct engine *engine, const struct engine_level *bids,
                       unsigned bid_count, const struct engine_level *asks, unsigned ask_count)
{
    uint64_t s = engine_time_ns(engine) / 1000000000;
    printf("%s, replayed from the journal up to sequence %" PRIu64 " of core %u at %02" PRIu64 ":%02" PRIu64
           ":%02" PRIu64 ".%09" PRIu64 ", %u live orders on the core\n",
           symbol->name, engine_sequence(engine), symbol->core, s / 3600, s / 60 % 60, s % 60,
           engine_time_ns(engine) % 1000000000, engine_live_orders(engine));
    printf("%6s %12s %13s | %-13s %-12s %-6s\n", "orders", "quantity", "bid", "ask", "quantity", "orders");
    for (unsigned i = 0; i < bid_count || i < ask_count; i++) {
        if (i < bid_count) {
            printf("%6u %12" PRIu64 " ", bids[i].orders, bids[i].quantity);
            print_price(bids[i].price);
        } else {
            printf("%33s", "");
        }
        fputs(" | ", stdout);
        if (i < ask_count) {
            print_price(asks[i].price);
            printf(" %-12" PRIu64 " %-6u", asks[i].quantity, asks[i].orders);
        }
        putchar('\n');
    }
}

static json_t *levels_json(const struct engine_level *levels, unsigned count)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "price", (json_int_t)levels[i].price, "quantity",
                                              (json_int_t)levels[i].quantity, "orders", (json_int_t)levels[i].orders));
    return list;
}

static void print_json(const struct ctl_symbol *symbol, const struct engine *engine, const struct engine_level *bids,
                       unsigned bid_count, const struct engine_level *asks, unsigned ask_count)
{
    json_t *root =
        json_pack("{s:s, s:i, s:I, s:I, s:o, s:o}", "symbol", symbol->name, "core", (int)symbol->core, "sequence",
                  (json_int_t)engine_sequence(engine), "time_ns", (json_int_t)engine_time_ns(engine), "bids",
                  levels_json(bids, bid_count), "asks", levels_json(asks, ask_count));
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

int ctl_book(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    if (argc < 1 || argc > 2)
        fail_with(EX_USAGE,
                  "usage: xwctl [-c CONFIG] book SYMBOL [JOURNALDIR/YYYYMMDD] [--depth N] [--at TIME | --until SEQ]");
    ctl_find_journal(ctl, argc == 2 ? argv[1] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    ctl_walk(&walk);
    const struct ctl_symbol *symbol = find_symbol(&walk, argv[0]);
    struct engine_level *levels = calloc(2 * (size_t)ctl->depth, sizeof *levels);
    if (!levels)
        fail_with(EX_OSERR, "no memory");
    const struct engine *engine = replica_engine(walk.replicas[symbol->core]);
    unsigned bids = engine_levels(engine, symbol->locate, 'B', levels, ctl->depth);
    unsigned asks = engine_levels(engine, symbol->locate, 'S', levels + ctl->depth, ctl->depth);
    (ctl->json ? print_json : print_text)(symbol, engine, levels, bids, levels + ctl->depth, asks);
    free(levels);
    ctl_walk_free(&walk);
    return EX_OK;
}
