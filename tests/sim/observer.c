// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/observer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contract/risk.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { ORDERS = 1 << 16, SYMBOLS = 8 };

struct order {
    uint32_t open, price;
    uint8_t sells, symbol;
};

struct holding { // of an account in a symbol
    int64_t quantity, cost;
    uint64_t open[2]; // buys, sells
};

struct account {
    struct holding holdings[SYMBOLS];
    uint64_t open_notional[2];
    uint64_t open_quantity, live;
    uint64_t done_quantity, done_value;
    int64_t net; // bought less sold
};

static const struct config *config;
static struct account accounts[WORLD_ACCOUNTS]; // each has a firm of its own
static uint64_t live[ORACLE_STREAMS];           // orders of a session
static struct order *orders[ORACLE_STREAMS];    // of a session, by UserRefNum

void observer_open(const struct config *of)
{
    config = of;
    const bool risk = config_has_risk(config);
    for (unsigned i = 0; !risk && i < WORLD_ACCOUNTS * LIMITS; i++)
        world_limits[i / LIMITS].most[i % LIMITS] = world_firm_limits[i / LIMITS].most[i % LIMITS] = LIMIT_UNSET;
    for (unsigned i = 0; !risk && i < WORLD_SESSIONS * LIMITS; i++)
        world_session_limits[i / LIMITS].most[i % LIMITS] = LIMIT_UNSET;
    if (!risk)
        world_position_most = LIMIT_UNSET;
    for (unsigned i = 0; config->drop_copies_count && i < config->sessions_count; i++) {
        orders[i] = calloc(ORDERS, sizeof *orders[i]);
        if (!orders[i])
            sim_fail("no memory");
    }
}

static uint8_t symbol_of(const char *name)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (strcmp(config->symbols[i].name, name) == 0)
            return (uint8_t)i;
    }
    sim_fail("an order is accepted in %s, which is no symbol", name);
}

// The order's open quantity becomes `open`.
static void resize(unsigned session, struct order *order, uint32_t open)
{
    struct account *account = &accounts[config->sessions[session].account_index];
    struct holding *holding = &account->holdings[order->symbol];
    holding->open[order->sells] += (uint64_t)open - order->open;
    account->open_quantity += (uint64_t)open - order->open;
    account->open_notional[order->sells] += ((uint64_t)open - order->open) * order->price;
    account->live += (uint64_t)(open > 0) - (order->open > 0);
    live[session] += (uint64_t)(open > 0) - (order->open > 0);
    order->open = open;
}

static void reduce(unsigned session, struct order *order, uint32_t by)
{
    if (by > order->open)
        sim_fail("the observer sees %u of %u open shares gone", by, order->open);
    resize(session, order, order->open - by);
}

// A position as risk.md section 3 has it: what is closed takes the average price with it.
static void trade(struct account *account, struct holding *holding, bool sells, uint32_t quantity, uint64_t price)
{
    int64_t left = sells ? -(int64_t)quantity : quantity, value = (int64_t)(quantity * price);
    account->done_quantity += quantity;
    account->done_value += (uint64_t)value;
    account->net += sells ? -value : value;
    if (holding->quantity && (holding->quantity < 0) != (left < 0)) {
        int64_t held = llabs(holding->quantity), closed = held < quantity ? held : quantity;
        int64_t out = closed == held ? llabs(holding->cost) : llabs(holding->cost) / held * closed;
        holding->cost += holding->cost < 0 ? out : -out;
        holding->quantity += left < 0 ? -closed : closed;
        left += left < 0 ? closed : -closed;
    }
    holding->quantity += left;
    holding->cost += left * (int64_t)price;
}

static void require(unsigned account, const char *whose, const char *what, uint64_t is, uint64_t most)
{
    if (is > most)
        sim_fail("account %u: outside, %s comes to %" PRIu64 " at worst, and the limit of %s is %" PRIu64, account,
                 what, is, whose, most);
}

static uint64_t above_zero(int64_t value)
{
    return value > 0 ? (uint64_t)value : 0;
}

// Sums of an account, which are its firm's as well.
static void check_sums(unsigned number, const char *whose, uint64_t gross, const struct world_limits *limits)
{
    const struct account *account = &accounts[number];
    require(number, whose, "the gross notional", gross, limits->most[LIMIT_GROSS_NOTIONAL]);
    require(number, whose, "the net notional of buys", above_zero(account->net + (int64_t)account->open_notional[0]),
            limits->most[LIMIT_NET_NOTIONAL]);
    require(number, whose, "the net notional of sells", above_zero((int64_t)account->open_notional[1] - account->net),
            limits->most[LIMIT_NET_NOTIONAL]);
    require(number, whose, "the day's quantity", account->done_quantity + account->open_quantity,
            limits->most[LIMIT_DAY_QUANTITY]);
    require(number, whose, "the day's value",
            account->done_value + account->open_notional[0] + account->open_notional[1], limits->most[LIMIT_DAY_VALUE]);
    require(number, whose, "what works", account->live, limits->most[LIMIT_WORKING_ORDERS]);
}

static void check(unsigned number)
{
    const struct account *account = &accounts[number];
    const struct world_limits *limits = &world_limits[number];
    uint64_t gross = account->open_notional[0] + account->open_notional[1];
    for (unsigned i = 0; i < config->symbols_count; i++) {
        const struct holding *holding = &account->holdings[i];
        const uint64_t bought = above_zero(holding->quantity + (int64_t)holding->open[0]);
        gross += (uint64_t)llabs(holding->cost);
        require(number, "the account", "a long position", bought, limits->most[LIMIT_LONG_POSITION]);
        require(number, "the account", "a short position", above_zero((int64_t)holding->open[1] - holding->quantity),
                limits->most[LIMIT_SHORT_POSITION]);
        if (number == 0 && i == 0)
            require(number, "the position", "it", bought, world_position_most);
    }
    check_sums(number, "the account", gross, limits);
    check_sums(number, "the firm", gross, &world_firm_limits[number]);
}

// An order as it is accepted.
static void check_order(unsigned session, const struct xw_ouch *message)
{
    const unsigned number = config->sessions[session].account_index;
    const uint64_t notional = message->quantity * (uint64_t)message->price;
    require(number, "the account", "an order", message->quantity, world_limits[number].most[LIMIT_MAX_QUANTITY]);
    require(number, "the firm", "an order", message->quantity, world_firm_limits[number].most[LIMIT_MAX_QUANTITY]);
    require(number, "the session", "an order's value", notional,
            world_session_limits[session].most[LIMIT_MAX_NOTIONAL]);
}

void observer_take(unsigned session, const struct xw_ouch *message)
{
    unsigned number = config->sessions[session].account_index;
    struct account *account = &accounts[number];
    struct order *order = &orders[session][message->user_ref % ORDERS];
    switch (message->type) {
    case 'U':
        resize(session, &orders[session][message->orig_user_ref % ORDERS], 0);
        // fall through
    case 'A':
        check_order(session, message);
        *order = (struct order){0, (uint32_t)message->price, message->side != 'B', symbol_of(message->symbol)};
        resize(session, order, message->state == 'L' ? message->quantity : 0);
        break;
    case 'E':
        reduce(session, order, message->quantity);
        trade(account, &account->holdings[order->symbol], order->sells, message->quantity, message->price);
        break;
    case 'C':
        reduce(session, order, message->quantity);
        break;
    case 'M':
        resize(session, order, message->quantity);
        break;
    default:
        return;
    }
    check(number);
    require(number, "the session", "what works", live[session],
            world_session_limits[session].most[LIMIT_WORKING_ORDERS]);
}
