// SPDX-License-Identifier: Apache-2.0
// xwctl account NAME: what an account had traded and had at risk, at the end of the journal or at any moment before.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/walk.h"

// Of one symbol; adjusted trades as adjusted, broken ones left out.
struct position {
    char symbol[9];
    uint64_t bought, sold;             // shares
    uint64_t bought_value, sold_value; // shares times price in 1/10,000
};

struct ledger {
    struct ctl_walk *walk;
    const char *name;
    struct position *positions;
    unsigned count, room;
    uint64_t trades, broken;
};

static bool is_ours(const struct ledger *ledger, uint16_t session)
{
    const struct ctl_day *day = &ledger->walk->day;
    return session != SESSION_NONE && day->users[session][0] &&
           strcasecmp(day->accounts[day->accounts_of[session]], ledger->name) == 0;
}

static struct position *position_of(struct ledger *ledger, const char symbol[8])
{
    char name[9] = {0};
    for (unsigned i = 0; i < 8 && symbol[i] != ' '; i++)
        name[i] = symbol[i];
    for (unsigned i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->positions[i].symbol, name) == 0)
            return &ledger->positions[i];
    }
    if (ledger->count == ledger->room) {
        ledger->room = ledger->room ? 2 * ledger->room : 16;
        ledger->positions = realloc(ledger->positions, ledger->room * sizeof *ledger->positions);
        if (!ledger->positions)
            fail_with(EX_OSERR, "no memory");
    }
    struct position *position = &ledger->positions[ledger->count++];
    *position = (struct position){0};
    memcpy(position->symbol, name, sizeof name);
    return position;
}

// One side of a trade; `sign` is 1 for a trade and -1 (wrapping) for one that is taken back.
static void book(struct ledger *ledger, const struct event *event, char side, uint64_t sign)
{
    struct position *position = position_of(ledger, event->trade_symbol);
    uint64_t value = (uint64_t)event->quantity * event->price;
    if (side == 'B') {
        position->bought += sign * event->quantity;
        position->bought_value += sign * value;
    } else {
        position->sold += sign * event->quantity;
        position->sold_value += sign * value;
    }
}

static void note_event(void *context, unsigned core, const struct event *event)
{
    struct ledger *ledger = context;
    (void)core;
    if (event->type != EV_TRADE && event->type != EV_BROKEN)
        return;
    bool broken = event->type == EV_BROKEN;
    if (is_ours(ledger, event->session)) {
        book(ledger, event, event->side, broken ? UINT64_MAX : 1);
        ledger->broken += broken;
        ledger->trades += !broken;
    }
    if (!broken && is_ours(ledger, event->other_session)) {
        book(ledger, event, event->maker_side, 1);
        ledger->trades++;
    }
}

struct open_orders {
    struct engine_exposure buy, sell;
};

static struct open_orders open_orders(const struct ctl_walk *walk, uint16_t account)
{
    struct open_orders sum = {0};
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (!walk->replicas[core])
            continue;
        struct engine_exposure buy = engine_exposure(replica_engine(walk->replicas[core]), account, 'B');
        struct engine_exposure sell = engine_exposure(replica_engine(walk->replicas[core]), account, 'S');
        sum.buy.quantity += buy.quantity;
        sum.buy.notional += buy.notional;
        sum.sell.quantity += sell.quantity;
        sum.sell.notional += sell.notional;
    }
    return sum;
}

static void print_value(uint64_t value)
{
    printf("%" PRIu64 ".%04u", value / 10000, (unsigned)(value % 10000));
}

static void print_text(const struct ledger *ledger, const struct open_orders *open)
{
    printf("%s: %" PRIu64 " executions", ledger->name, ledger->trades);
    if (ledger->broken)
        printf(", %" PRIu64 " of them broken or adjusted", ledger->broken);
    printf("\nopen orders: %" PRIu64 " shares to buy for ", open->buy.quantity);
    print_value(open->buy.notional);
    printf(", %" PRIu64 " to sell for ", open->sell.quantity);
    print_value(open->sell.notional);
    printf("\n%-8s %12s %20s %12s %20s %13s\n", "symbol", "bought", "for", "sold", "for", "position");
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct position *p = &ledger->positions[i];
        printf("%-8s %12" PRIu64 " %15" PRIu64 ".%04u %12" PRIu64 " %15" PRIu64 ".%04u %13" PRId64 "\n", p->symbol,
               p->bought, p->bought_value / 10000, (unsigned)(p->bought_value % 10000), p->sold, p->sold_value / 10000,
               (unsigned)(p->sold_value % 10000), (int64_t)(p->bought - p->sold));
    }
}

// Values are integers in 1/10,000 of the currency unit.
static void print_json(const struct ledger *ledger, const struct open_orders *open)
{
    json_t *positions = json_array();
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct position *p = &ledger->positions[i];
        json_array_append_new(positions, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "symbol", p->symbol, "bought",
                                                   (json_int_t)p->bought, "bought_value", (json_int_t)p->bought_value,
                                                   "sold", (json_int_t)p->sold, "sold_value", (json_int_t)p->sold_value,
                                                   "position", (json_int_t)(p->bought - p->sold)));
    }
    json_t *root =
        json_pack("{s:s, s:I, s:I, s:{s:I, s:I}, s:{s:I, s:I}, s:o}", "account", ledger->name, "executions",
                  (json_int_t)ledger->trades, "broken", (json_int_t)ledger->broken, "open_buy", "quantity",
                  (json_int_t)open->buy.quantity, "value", (json_int_t)open->buy.notional, "open_sell", "quantity",
                  (json_int_t)open->sell.quantity, "value", (json_int_t)open->sell.notional, "positions", positions);
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

int ctl_account(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    if (argc < 1 || argc > 2)
        fail_with(EX_USAGE, "usage: xwctl [-c CONFIG] account NAME [JOURNALDIR/YYYYMMDD] [--at TIME]");
    ctl_find_journal(ctl, argc == 2 ? argv[1] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    struct ledger ledger = {.walk = &walk, .name = argv[0]};
    walk.on_event = note_event;
    walk.context = &ledger;
    ctl_walk(&walk);
    unsigned account = 0;
    while (account <= UINT16_MAX && strcasecmp(walk.day.accounts[account], argv[0]) != 0)
        account++;
    if (account > UINT16_MAX)
        fail_with(EX_NOINPUT, "no account %s in the journal of %u", argv[0], identity.date);
    ledger.name = walk.day.accounts[account];
    struct open_orders open = open_orders(&walk, (uint16_t)account);
    (ctl->json ? print_json : print_text)(&ledger, &open);
    free(ledger.positions);
    ctl_walk_free(&walk);
    return EX_OK;
}
