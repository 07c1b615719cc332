// SPDX-License-Identifier: Apache-2.0
// xwctl book SYMBOL: the best levels. Replays the date's journal through an engine, so it shows what is durable and may
// be a moment behind the running core.
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl.h"
#include "control/replica.h"

static const struct config_symbol *find_symbol(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (strcasecmp(config->symbols[i].name, name) == 0)
            return &config->symbols[i];
    }
    fail_with(EX_USAGE, "%s is no symbol of this configuration", name);
}

static void print_price(uint32_t price)
{
    printf("%8u.%04u", price / 10000, price % 10000);
}

static void print_text(const struct config_symbol *symbol, const struct replica *replica,
                       const struct engine_level *bids, unsigned bid_count, const struct engine_level *asks,
                       unsigned ask_count)
{
    printf("%s, replayed from the journal up to sequence %" PRIu64 " of core %u, %u live orders on the core\n",
           symbol->name, engine_sequence(replica_engine(replica)), symbol->matcher,
           engine_live_orders(replica_engine(replica)));
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

static void print_json(const struct config_symbol *symbol, const struct replica *replica,
                       const struct engine_level *bids, unsigned bid_count, const struct engine_level *asks,
                       unsigned ask_count)
{
    json_t *root = json_pack("{s:s, s:i, s:I, s:o, s:o}", "symbol", symbol->name, "core", (int)symbol->matcher,
                             "sequence", (json_int_t)engine_sequence(replica_engine(replica)), "bids",
                             levels_json(bids, bid_count), "asks", levels_json(asks, ask_count));
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

int ctl_book(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 1)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG book SYMBOL [--depth N]");
    struct config *config = ctl_load_config(ctl);
    const struct config_symbol *symbol = find_symbol(config, argv[0]);
    struct journal_identity identity = ctl_identity(config);
    struct replica *replica = replica_new(config, &identity, symbol->matcher);
    if (!replica)
        fail_with(EX_OSERR, "no memory for an engine of this configuration's capacity");
    enum replica_result result;
    do {
        result = replica_advance(replica, NULL, 1u << 20, NULL, NULL);
    } while (result == REPLICA_MORE);
    if (result == REPLICA_FAILED)
        fail_with(EX_DATAERR, "%s", replica_error(replica));
    struct engine_level *levels = calloc(2 * (size_t)ctl->depth, sizeof *levels);
    if (!levels)
        fail_with(EX_OSERR, "no memory");
    const struct engine *engine = replica_engine(replica);
    unsigned bids = engine_levels(engine, symbol->locate, 'B', levels, ctl->depth);
    unsigned asks = engine_levels(engine, symbol->locate, 'S', levels + ctl->depth, ctl->depth);
    (ctl->json ? print_json : print_text)(symbol, replica, levels, bids, levels + ctl->depth, asks);
    free(levels);
    replica_free(replica);
    config_free(config);
    return EX_OK;
}
