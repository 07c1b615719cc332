// SPDX-License-Identifier: Apache-2.0
// The walk that gives the stream: stage after stage, one record a call.
#include "engine/snapshot.h"

#include <string.h>

#include "contract/fault.h"
#include "engine/kill.h"
#include "engine/market_snapshot.h"
#include "engine/place.h"
#include "engine/risk_snapshot.h"
#include "engine/settle_snapshot.h"
#include "engine/special.h"

enum stage {
    STAGE_DAY,
    STAGE_SYMBOLS,
    STAGE_ACCOUNTS,
    STAGE_SESSIONS,
    STAGE_KILLS,
    STAGE_NUMBERS,
    STAGE_LIMITS_SET,
    STAGE_EXECUTED,
    STAGE_POSITIONS,
    STAGE_BOOK,    // of symbol `at`: side by side, page by page
    STAGE_WAITING, // of symbol `at`: what stands in its lists only
    STAGE_LISTS,
    STAGE_RATES,
    STAGE_TRADES,
    STAGE_MARKET, // of symbol `at`, part `list`; 0 is the venue
    STAGE_END,
    STAGE_OVER,
};

#define LISTS 6u

bool snapshot_possible(const struct engine *e)
{
    return e->left.work == WORK_NONE && (e->day == DAY_OPEN || e->day == DAY_ENDED);
}

static void enter_stage(struct snapshot_walk *walk, enum stage stage, uint32_t at)
{
    walk->stage = stage;
    walk->at = at;
    walk->side = walk->list = walk->page = walk->offset = walk->slot = 0;
}

void snapshot_begin(struct snapshot_walk *walk, const struct engine *e)
{
    xw_assert(snapshot_possible(e));
    *walk = (struct snapshot_walk){.engine = e, .digest = SNAPSHOT_DIGEST_SEED};
}

static bool put_day(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    const struct engine_capacity *limit = &e->limit;
    c->type = CMD_RESTORE_DAY;
    c->restore_day.key0 = e->key0;
    c->restore_day.key1 = e->key1;
    c->restore_day.next_ref = e->next_ref;
    c->restore_day.next_match = e->next_match;
    c->restore_day.generator = e->generator;
    c->restore_day.trading_date = e->date;
    c->restore_day.max_orders = limit->max_orders;
    c->restore_day.max_levels = limit->max_levels;
    c->restore_day.max_trades = limit->max_trades;
    c->restore_day.max_special = limit->max_special;
    c->restore_day.max_conditional = limit->max_conditional;
    c->restore_day.max_positions = limit->max_positions;
    c->restore_day.max_symbols = limit->max_symbols;
    c->restore_day.max_accounts = limit->max_accounts;
    c->restore_day.max_sessions = limit->max_sessions;
    c->restore_day.core = limit->core;
    c->restore_day.phase = e->phase;
    c->restore_day.slots = e->fresh_slot;
    c->restore_day.ended = e->day == DAY_ENDED;
    enter_stage(walk, STAGE_SYMBOLS, 1);
    return true;
}

static bool put_symbol(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    while (walk->at <= e->limit.max_symbols && e->books[walk->at].tick == 0)
        walk->at++;
    if (walk->at > e->limit.max_symbols) {
        enter_stage(walk, STAGE_ACCOUNTS, 0);
        return false;
    }
    const struct book *book = &e->books[walk->at];
    const struct book_back *back = &e->backs[walk->at];
    c->type = CMD_RESTORE_SYMBOL;
    memcpy(c->restore_symbol.name, book->name, sizeof c->restore_symbol.name);
    c->restore_symbol.tick = book->tick;
    c->restore_symbol.round_lot = back->round_lot;
    c->restore_symbol.last_trade = book->last_trade;
    c->restore_symbol.looked[BUY] = back->looked[BUY];
    c->restore_symbol.looked[SELL] = back->looked[SELL];
    c->restore_symbol.low = back->low;
    c->restore_symbol.high = back->high;
    c->restore_symbol.fall = back->fall;
    c->restore_symbol.rise = back->rise;
    c->restore_symbol.buy_from = back->buy_from;
    c->restore_symbol.sell_from = back->sell_from;
    c->restore_symbol.fall_from = back->fall_from;
    c->restore_symbol.rise_from = back->rise_from;
    c->restore_symbol.locate = (uint16_t)walk->at++;
    return true;
}

static bool put_account(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    while (walk->at < e->limit.max_accounts && !e->accounts[walk->at].open)
        walk->at++;
    if (walk->at >= e->limit.max_accounts) {
        enter_stage(walk, STAGE_SESSIONS, 0);
        return false;
    }
    const struct account *account = &e->accounts[walk->at];
    c->type = CMD_RESTORE_ACCOUNT;
    memcpy(c->restore_account.name, account->name, sizeof c->restore_account.name);
    memcpy(c->restore_account.firm, account->firm, sizeof c->restore_account.firm);
    memcpy(c->restore_account.organisation, account->organisation, sizeof c->restore_account.organisation);
    c->restore_account.account = (uint16_t)walk->at++;
    return true;
}

static bool put_session(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    while (walk->at < e->limit.max_sessions && !e->sessions[walk->at].open)
        walk->at++;
    if (walk->at >= e->limit.max_sessions) {
        enter_stage(walk, STAGE_KILLS, 0);
        return false;
    }
    const struct session *session = &e->sessions[walk->at];
    c->type = CMD_RESTORE_SESSION;
    c->session = (uint16_t)walk->at++;
    c->restore_session.account = session->account;
    c->restore_session.up = session->up;
    c->restore_session.disabled = session->disabled & DISABLED_BY_USER;
    c->restore_session.cancel_on_disconnect = session->cancel_on_disconnect;
    c->restore_session.post_only_cancels = session->post_only_cancels;
    c->restore_session.aiq_default = session->aiq_default;
    return true;
}

static bool put_kill(struct snapshot_walk *walk, struct command *c)
{
    enum scope scope;
    if (FAULT(blocks_not_in_snapshot) ||
        !kill_next_blocks(walk->engine, &walk->at, &scope, &c->restore_kill.index, &c->restore_kill.blocks)) {
        enter_stage(walk, STAGE_NUMBERS, 0);
        return false;
    }
    c->type = CMD_RESTORE_KILL;
    c->restore_kill.scope = (uint8_t)scope;
    return true;
}

// `offset`: the next channel of session `at`.
static bool put_numbers(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    if (walk->at >= e->limit.max_sessions) {
        enter_stage(walk, STAGE_LIMITS_SET, 0);
        return false;
    }
    const uint32_t *last = &e->last_ref[walk->at * 256];
    uint8_t count = 0;
    for (; walk->offset < 256 && count < sizeof c->restore_numbers.channels; walk->offset++) {
        if (last[walk->offset] == 0)
            continue;
        c->restore_numbers.channels[count] = (uint8_t)walk->offset;
        c->restore_numbers.last[count++] = last[walk->offset];
    }
    if (count) {
        c->type = CMD_RESTORE_NUMBERS;
        c->session = (uint16_t)walk->at;
        c->restore_numbers.count = count;
    }
    if (walk->offset == 256) {
        walk->offset = 0;
        walk->at++;
    }
    return count != 0;
}

// ---- risk -----------------------------------------------------------------------------------------------------------

static bool put_risk(struct snapshot_walk *walk, struct command *c)
{
    switch ((enum stage)walk->stage) {
    case STAGE_LIMITS_SET:
        if (risk_put_limits(walk->engine, &walk->at, &walk->offset, c))
            return true;
        enter_stage(walk, STAGE_EXECUTED, 0);
        return false;
    case STAGE_EXECUTED:
        if (risk_put_executed(walk->engine, &walk->at, c))
            return true;
        enter_stage(walk, STAGE_POSITIONS, 1);
        return false;
    default:
        if (risk_put_positions(walk->engine, &walk->at, &walk->offset, c))
            return true;
        enter_stage(walk, STAGE_BOOK, 1);
        return false;
    }
}

// ---- orders ---------------------------------------------------------------------------------------------------------

static void put_order(struct snapshot_walk *walk, struct command *c, uint32_t slot)
{
    const struct engine *e = walk->engine;
    const struct order *order = &e->orders[slot];
    uint32_t block = order->member >> MEMBER_SHIFT;
    uint8_t flags = 0;
    c->type = CMD_RESTORE_ORDER;
    c->session = key_session(order->key);
    c->restore_order.key = order->key;
    c->restore_order.ref = order->ref;
    c->restore_order.slot = slot;
    c->restore_order.member = order->member;
    c->restore_order.behind = e->member_blocks[block].prev;
    c->restore_order.quantity = order->quantity;
    c->restore_order.price = order->price;
    c->restore_order.terms = order->terms;
    c->restore_order.executed = order->executed;
    c->restore_order.group_id = order->group_id;
    c->restore_order.way = order->way;
    if (order->flags & ORDER_HAS_ECHO) {
        const struct echo *echo = &e->echoes[slot];
        flags |= RESTORE_ECHO;
        c->restore_order.echo.options = echo->options;
        memcpy(c->restore_order.echo.firm, echo->firm, sizeof c->restore_order.echo.firm);
        c->restore_order.echo.price_type = echo->price_type;
        c->restore_order.echo.post_only = echo->post_only;
        c->restore_order.echo.trade_now = echo->trade_now;
        c->restore_order.echo.handle_inst = echo->handle_inst;
        c->restore_order.echo.aiq_strategy = echo->aiq_strategy;
        memcpy(c->restore_order.echo.aiq_group, echo->aiq_group, sizeof c->restore_order.echo.aiq_group);
    }
    flags |= order->flags & ORDER_AWAY ? RESTORE_AWAY : 0;
    flags |= order->special ? RESTORE_SPECIAL : 0;
    flags |= e->members[member_first(e, e->member_blocks[block].next)] == 0 ? RESTORE_NEWEST : 0;
    flags |= order->level ? 0 : RESTORE_WAITS;
    c->restore_order.flags = flags;
    walk->special = order->special;
}

static bool put_special(struct snapshot_walk *walk, struct command *c)
{
    const struct special *s = &walk->engine->specials[walk->special];
    c->type = CMD_RESTORE_SPECIAL;
    c->restore_special.entered = s->entered;
    c->restore_special.expire_ns = s->expire_ns;
    c->restore_special.slot = s->slot;
    c->restore_special.min_qty = s->min_qty;
    c->restore_special.max_floor = s->max_floor;
    c->restore_special.random_reserves = s->random_reserves;
    c->restore_special.reserve = s->reserve;
    c->restore_special.limit = s->limit;
    c->restore_special.peg_offset = s->peg_offset;
    c->restore_special.discretion_price = s->discretion_price;
    c->restore_special.discretion_peg_offset = s->discretion_peg_offset;
    c->restore_special.trigger = s->trigger;
    c->restore_special.stop = s->stop;
    c->restore_special.extreme = s->extreme;
    c->restore_special.expire_s = s->expire_s;
    c->restore_special.asked = s->asked;
    c->restore_special.price_type = s->price_type;
    c->restore_special.discretion_type = s->discretion_type;
    c->restore_special.trigger_type = s->trigger_type;
    c->restore_special.post_only = s->post_only;
    c->restore_special.aiq_strategy = s->aiq_strategy;
    memcpy(c->restore_special.aiq_group, s->aiq_group, sizeof c->restore_special.aiq_group);
    c->restore_special.kinds = s->kinds;
    c->restore_special.refreshes = s->refreshes;
    walk->special = 0;
    return true;
}

static uint32_t lowest_page(const struct engine *e, uint32_t root)
{
    while (root && e->pages[root].left)
        root = e->pages[root].left;
    return root;
}

// Moves to the first order of the next level that has some; false behind the symbol's last.
static bool next_level(struct snapshot_walk *walk)
{
    const struct engine *e = walk->engine;
    for (;;) {
        if (walk->page == 0) {
            if (walk->side == BOOK_SIDES)
                return false;
            walk->page = lowest_page(e, e->backs[walk->at].roots[walk->side++]);
            walk->offset = 0;
            continue;
        }
        const struct page *page = &e->pages[walk->page];
        uint32_t left = page->occupied >> walk->offset << walk->offset;
        if (left == 0) {
            walk->page = page->next;
            walk->offset = 0;
            continue;
        }
        unsigned offset = (unsigned)__builtin_ctz(left);
        walk->offset = offset + 1;
        walk->slot = e->levels[walk->page << PAGE_SHIFT | offset].head;
        return true;
    }
}

static bool put_book(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    if (walk->at > e->limit.max_symbols) {
        enter_stage(walk, STAGE_RATES, 0);
        return false;
    }
    if (walk->slot == 0 && (e->books[walk->at].tick == 0 || !next_level(walk))) {
        enter_stage(walk, STAGE_WAITING, walk->at);
        return false;
    }
    uint32_t slot = walk->slot;
    walk->slot = e->orders[slot].next;
    if (walk->slot)
        __builtin_prefetch(&e->orders[walk->slot]);
    put_order(walk, c, slot);
    return true;
}

static uint32_t list_first(const struct engine *e, uint32_t locate, uint32_t list)
{
    const struct book_back *back = &e->backs[locate];
    switch (list) {
    case RESTORE_PEGS:
        return back->pegs;
    case RESTORE_DISCRETION_BUY:
    case RESTORE_DISCRETION_SELL:
        return back->discretion[list - RESTORE_DISCRETION_BUY];
    case RESTORE_TRIGGERED:
        return back->triggered;
    default:
        return back->stops[list - RESTORE_STOPS_BUY];
    }
}

// Moves to the next list of symbol `at`; walk->slot is a pool index here. Behind the last one comes `after`.
static bool next_list(struct snapshot_walk *walk, enum stage after, uint32_t at)
{
    if (walk->list == LISTS) {
        enter_stage(walk, after, at);
        return false;
    }
    walk->slot = list_first(walk->engine, walk->at, walk->list++);
    return false;
}

static bool put_waiting(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    if (walk->slot == 0)
        return next_list(walk, STAGE_LISTS, walk->at);
    const struct special *s = &e->specials[walk->slot];
    walk->slot = s->next;
    if (e->orders[s->slot].level)
        return false;
    put_order(walk, c, s->slot);
    return true;
}

static bool put_list(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    if (walk->slot == 0)
        return next_list(walk, STAGE_BOOK, walk->at + 1);
    uint8_t count = 0;
    while (walk->slot && count < sizeof c->restore_list.slots / sizeof *c->restore_list.slots) {
        c->restore_list.slots[count++] = e->specials[walk->slot].slot;
        walk->slot = e->specials[walk->slot].next;
    }
    c->type = CMD_RESTORE_LIST;
    c->restore_list.locate = (uint16_t)walk->at;
    c->restore_list.list = (uint8_t)(walk->list - 1);
    c->restore_list.count = count;
    return true;
}

// ---- the rest -------------------------------------------------------------------------------------------------------

// `list`: the kind of the record, `offset`: within its entry.
static bool put_rates(struct snapshot_walk *walk, struct command *c)
{
    struct settle_walk at = {walk->list, walk->at, walk->offset};
    bool more = settle_next(walk->engine, &at, c);
    walk->list = at.kind;
    walk->at = at.at;
    walk->offset = at.place;
    if (!more)
        enter_stage(walk, STAGE_TRADES, 0);
    return more && c->type == CMD_RESTORE_RATES;
}

static bool put_trades(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    uint64_t made = e->next_match - e->first_match;
    uint32_t kept = made < e->trades_limit ? (uint32_t)made : e->trades_limit, count = 0;
    if (walk->at >= kept) {
        enter_stage(walk, STAGE_MARKET, 0);
        return false;
    }
    c->type = CMD_RESTORE_TRADES;
    c->restore_trades.first = walk->at;
    for (; count < RESTORE_TRADES && walk->at < kept; count++, walk->at++) {
        const struct trade *trade = &e->trades[walk->at];
        c->restore_trades.trades[count].taker = trade->taker;
        c->restore_trades.trades[count].maker = trade->maker;
        c->restore_trades.trades[count].quantity = trade->quantity;
        c->restore_trades.trades[count].price = trade->price;
        c->restore_trades.trades[count].locate = trade->locate;
        c->restore_trades.trades[count].taker_side = trade->taker_side;
        c->restore_trades.trades[count].maker_side = trade->maker_side;
        c->restore_trades.trades[count].maker_liquidity = trade->maker_liquidity;
        c->restore_trades.trades[count].broken = trade->broken;
    }
    c->restore_trades.count = count;
    return true;
}

// Behind the books, which have left orders beyond no bands.
static bool put_market(struct snapshot_walk *walk, struct command *c)
{
    if (market_save(walk->engine, &walk->at, &walk->list, c))
        return true;
    enter_stage(walk, STAGE_END, 0);
    return false;
}

static bool put_end(struct snapshot_walk *walk, struct command *c)
{
    const struct engine *e = walk->engine;
    c->type = CMD_RESTORE_END;
    c->restore_end.sequence = e->sequence;
    c->restore_end.event_hash = event_lanes_hash(e->lanes);
    c->restore_end.records = walk->records;
    c->restore_end.digest = walk->digest;
    c->restore_end.orders = live_orders(e);
    c->restore_end.levels = e->levels_used;
    c->restore_end.specials = e->special_live;
    c->restore_end.conditionals = e->conditional_live;
    enter_stage(walk, STAGE_OVER, 0);
    return true;
}

static bool put_next(struct snapshot_walk *walk, struct command *c)
{
    switch ((enum stage)walk->stage) {
    case STAGE_DAY:
        return put_day(walk, c);
    case STAGE_SYMBOLS:
        return put_symbol(walk, c);
    case STAGE_ACCOUNTS:
        return put_account(walk, c);
    case STAGE_SESSIONS:
        return put_session(walk, c);
    case STAGE_KILLS:
        return put_kill(walk, c);
    case STAGE_NUMBERS:
        return put_numbers(walk, c);
    case STAGE_LIMITS_SET:
    case STAGE_EXECUTED:
    case STAGE_POSITIONS:
        return put_risk(walk, c);
    case STAGE_BOOK:
        return put_book(walk, c);
    case STAGE_WAITING:
        return put_waiting(walk, c);
    case STAGE_LISTS:
        return put_list(walk, c);
    case STAGE_RATES:
        return put_rates(walk, c);
    case STAGE_TRADES:
        return put_trades(walk, c);
    case STAGE_MARKET:
        return put_market(walk, c);
    case STAGE_END:
        return put_end(walk, c);
    case STAGE_OVER:
        break;
    }
    return false;
}

bool snapshot_next(struct snapshot_walk *walk, struct command *c)
{
    memset(c, 0, sizeof *c);
    c->session = SESSION_NONE;
    c->time_ns = walk->engine->time_ns;
    bool done = false;
    while (walk->stage != STAGE_OVER && !done)
        done = walk->special ? put_special(walk, c) : put_next(walk, c);
    if (!done)
        return false;
    walk->digest = snapshot_digest_add(walk->digest, c);
    walk->records++;
    return true;
}

uint64_t snapshot_digest(const struct engine *e)
{
    struct snapshot_walk walk;
    struct command command;
    snapshot_begin(&walk, e);
    while (snapshot_next(&walk, &command)) {
    }
    return walk.digest;
}
