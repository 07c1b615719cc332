// SPDX-License-Identifier: Apache-2.0
// Takes a snapshot's stream. What names memory is checked before it is used: a stream that is no snapshot of an engine
// like this one is refused, and never a wild write.
#include "engine/snapshot.h"

#include <string.h>

#include "engine/conditional.h"
#include "engine/day.h"
#include "engine/kill.h"
#include "engine/market_snapshot.h"
#include "engine/phases.h"
#include "engine/place.h"
#include "engine/risk_snapshot.h"
#include "engine/settle_snapshot.h"
#include "engine/special.h"

static bool refuse(struct restore *restore, const char *why)
{
    restore->refused = why;
    return false;
}

void restore_begin(struct restore *restore, struct engine *e)
{
    *restore = (struct restore){.engine = e, .digest = SNAPSHOT_DIGEST_SEED};
}

// ---- the day --------------------------------------------------------------------------------------------------------

// Opening commands are taken as of old, and what they say goes nowhere: it was said when the day was opened.
static struct out no_output(const struct engine *e, struct event *events)
{
    return out_open(e, events);
}

static bool take_day(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    struct event events[4];
    struct out out = no_output(e, events);
    struct command open = {.type = CMD_OPEN_DAY, .session = SESSION_NONE};
    open.day.trading_date = c->restore_day.trading_date;
    open.day.engine_version = CROSSWIRE_ENGINE_VERSION;
    open.day.max_orders = c->restore_day.max_orders;
    open.day.max_levels = c->restore_day.max_levels;
    open.day.max_symbols = c->restore_day.max_symbols;
    open.day.max_accounts = c->restore_day.max_accounts;
    open.day.max_sessions = c->restore_day.max_sessions;
    open.day.core = c->restore_day.core;
    open.day.max_trades = c->restore_day.max_trades;
    open.day.max_special = c->restore_day.max_special;
    open.day.max_conditional = c->restore_day.max_conditional;
    open.day.max_positions = c->restore_day.max_positions;
    open.day.seed = c->restore_day.generator;
    day_open(e, &open, &out);
    if (e->day != DAY_OPENING || c->restore_day.slots > e->limit.max_orders || phase_rank(c->restore_day.phase) < 0 ||
        c->restore_day.next_ref < e->next_ref || c->restore_day.next_match < e->next_match)
        return refuse(restore, "its day does not fit this engine's memory");
    e->key0 = c->restore_day.key0;
    e->key1 = c->restore_day.key1;
    e->next_ref = c->restore_day.next_ref;
    e->next_match = c->restore_day.next_match;
    e->fresh_slot = c->restore_day.slots;
    phase_set(e, c->restore_day.phase);
    restore->date = e->date;
    restore->ended = c->restore_day.ended != 0;
    return true;
}

static bool take_symbol(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    struct event events[4];
    struct out out = no_output(e, events);
    struct command open = {.type = CMD_OPEN_SYMBOL, .session = SESSION_NONE};
    memcpy(open.open_symbol.name, c->restore_symbol.name, sizeof open.open_symbol.name);
    open.open_symbol.tick = c->restore_symbol.tick;
    open.open_symbol.round_lot = c->restore_symbol.round_lot;
    open.open_symbol.locate = c->restore_symbol.locate;
    day_open_symbol(e, &open, &out);
    if (out.count != 1)
        return refuse(restore, "it has a symbol that can not be opened");
    struct book_back *back = &e->backs[c->restore_symbol.locate];
    e->books[c->restore_symbol.locate].last_trade = c->restore_symbol.last_trade;
    back->looked[BUY] = c->restore_symbol.looked[BUY];
    back->looked[SELL] = c->restore_symbol.looked[SELL];
    back->low = c->restore_symbol.low;
    back->high = c->restore_symbol.high;
    back->fall = c->restore_symbol.fall;
    back->rise = c->restore_symbol.rise;
    back->buy_from = c->restore_symbol.buy_from;
    back->sell_from = c->restore_symbol.sell_from;
    back->fall_from = c->restore_symbol.fall_from;
    back->rise_from = c->restore_symbol.rise_from;
    return true;
}

static bool take_account(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    uint16_t index = c->restore_account.account;
    struct command open = {.type = CMD_OPEN_ACCOUNT, .session = SESSION_NONE};
    memcpy(open.open_account.name, c->restore_account.name, sizeof open.open_account.name);
    memcpy(open.open_account.firm, c->restore_account.firm, sizeof open.open_account.firm);
    memcpy(open.open_account.organisation, c->restore_account.organisation, sizeof open.open_account.organisation);
    open.open_account.account = index;
    if (index >= e->limit.max_accounts || e->accounts[index].open)
        return refuse(restore, "it has an account that can not be opened");
    day_open_account(e, &open);
    return true;
}

static bool take_session(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    struct command open = {.type = CMD_OPEN_SESSION, .session = c->session};
    open.open_session.account = c->restore_session.account;
    open.open_session.cancel_on_disconnect = c->restore_session.cancel_on_disconnect;
    open.open_session.post_only_cancels = c->restore_session.post_only_cancels;
    open.open_session.aiq_default = c->restore_session.aiq_default;
    if (c->session >= e->limit.max_sessions || e->sessions[c->session].open)
        return refuse(restore, "it has a session that can not be opened");
    day_open_session(e, &open);
    struct session *session = &e->sessions[c->session];
    session->up = c->restore_session.up;
    session->disabled = c->restore_session.disabled & DISABLED_BY_USER;
    return session->open ? true : refuse(restore, "it has a session of no account");
}

static bool take_kill(struct restore *restore, const struct command *c)
{
    bool taken = kill_restore_blocks(restore->engine, (enum scope)c->restore_kill.scope, c->restore_kill.index,
                                     c->restore_kill.blocks);
    return taken ? true : refuse(restore, "it has a kill of what it does not have");
}

static bool take_numbers(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    if (c->session >= e->limit.max_sessions || c->restore_numbers.count > sizeof c->restore_numbers.channels)
        return refuse(restore, "it has numbers of no session");
    for (unsigned i = 0; i < c->restore_numbers.count; i++)
        e->last_ref[(uint32_t)c->session * 256 + c->restore_numbers.channels[i]] = c->restore_numbers.last[i];
    return true;
}

// ---- orders ---------------------------------------------------------------------------------------------------------

static bool members_fit(const struct engine *e, const struct command *c)
{
    uint32_t block = c->restore_order.member >> MEMBER_SHIFT;
    uint32_t most = member_blocks_most(e->limit.max_orders, e->limit.max_sessions);
    return block - 1 < most && c->restore_order.member % MEMBER_WAYS != 0 && c->restore_order.behind <= most &&
           c->restore_order.behind != block;
}

static bool order_fits(const struct engine *e, const struct command *c)
{
    uint32_t slot = c->restore_order.slot, price = c->restore_order.price;
    uint16_t session = key_session(c->restore_order.key), locate = terms_locate(c->restore_order.terms);
    char side = terms_side(c->restore_order.terms);
    bool rests = (c->restore_order.flags & RESTORE_WAITS) == 0;
    return slot - 1 < e->fresh_slot && e->orders[slot].key == 0 && members_fit(e, c) && c->restore_order.key != 0 &&
           session < e->limit.max_sessions && e->sessions[session].open && locate != LOCATE_NONE &&
           locate <= e->limit.max_symbols && e->books[locate].tick != 0 &&
           (side == 'B' || side == 'S' || side == 'T' || side == 'E') &&
           (!rests || (price <= PRICE_MAX && c->restore_order.quantity - 1 < QUANTITY_MAX));
}

// Where the live-order table had it, place and all: which places are free decides where later orders go.
static bool enter_bucket(struct engine *e, struct order *order, uint32_t slot, bool away)
{
    struct lookup_place place = lookup_place(e, order->key);
    uint32_t first = lookup_first(e, place), at = away ? lookup_second(e, place) : first;
    struct bucket *bucket = &e->buckets[at];
    if (order->way >= BUCKET_WAYS || bucket->taken >> order->way & 1)
        return false;
    bucket->tags[order->way] = lookup_tag(place);
    bucket->slots[order->way] = slot;
    bucket->taken = (uint16_t)(bucket->taken | 1u << order->way);
    if (away) {
        order->flags |= ORDER_AWAY;
        e->buckets[first].away++;
    }
    return true;
}

// Where its session had it: blocks and all.
static bool enter_session(struct engine *e, uint32_t slot, const struct command *c)
{
    struct session_orders *own = &e->sessions[key_session(c->restore_order.key)].orders;
    uint32_t block = c->restore_order.member >> MEMBER_SHIFT, behind = c->restore_order.behind;
    uint64_t bit = UINT64_C(1) << c->restore_order.member % MEMBER_WAYS;
    uint64_t live = e->members_live[block];
    if (live & bit || (live && e->member_blocks[block].prev != behind))
        return false;
    e->members_live[block] = live | bit;
    e->members[c->restore_order.member] = slot;
    if (live == 0) { // the first of the block says where that stands
        e->member_blocks[block].prev = behind;
        e->member_blocks[behind].next = block;
        if (behind == 0)
            own->oldest = block;
    }
    if (c->restore_order.flags & RESTORE_NEWEST) {
        own->newest = block;
        if (own->next <= c->restore_order.member)
            own->next = c->restore_order.member + 1;
    }
    e->fresh_member_block = block > e->fresh_member_block ? block : e->fresh_member_block;
    return true;
}

// Whether the order goes behind the one that was taken last: most do, and need not look for their level.
static bool same_level(const struct order *last, const struct order *order)
{
    return last->level != 0 && last->price == order->price && last->locate == order->locate &&
           order_side(last) == order_side(order);
}

static bool enter_book(struct restore *restore, struct order *order, uint32_t slot)
{
    struct engine *e = restore->engine;
    struct order *last = &e->orders[restore->slot];
    if (restore->slot && same_level(last, order)) {
        struct level *level = &e->levels[last->level];
        order->level = last->level;
        order->prev = restore->slot;
        last->next = slot;
        level->tail = slot;
        level->quantity += order->quantity;
        return true;
    }
    uint32_t step = book_step(&e->books[order->locate], order_side(order));
    if (order->price < step || order->price % step != 0 ||
        e->levels_used - e->conditional_live >=
            e->levels_limit) // conditional orders keep a place and may have a level too
        return false;
    uint32_t levels = e->levels_used;
    special_join(e, slot);
    return e->levels_used == levels + 1; // the orders of a level stand together
}

static bool take_order(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    uint32_t slot = c->restore_order.slot;
    uint8_t flags = c->restore_order.flags;
    if (!order_fits(e, c))
        return refuse(restore, "it has an order that no engine holds");
    struct order *order = &e->orders[slot];
    *order = (struct order){.key = c->restore_order.key,
                            .ref = c->restore_order.ref,
                            .executed = c->restore_order.executed,
                            .quantity = c->restore_order.quantity,
                            .price = c->restore_order.price,
                            .terms = c->restore_order.terms,
                            .group_id = c->restore_order.group_id,
                            .flags = flags & RESTORE_ECHO ? ORDER_HAS_ECHO : 0,
                            .way = c->restore_order.way};
    if (flags & RESTORE_ECHO) {
        struct echo *echo = &e->echoes[slot];
        *echo = (struct echo){.options = c->restore_order.echo.options,
                              .price_type = c->restore_order.echo.price_type,
                              .post_only = c->restore_order.echo.post_only,
                              .trade_now = c->restore_order.echo.trade_now,
                              .handle_inst = c->restore_order.echo.handle_inst,
                              .aiq_strategy = c->restore_order.echo.aiq_strategy};
        memcpy(echo->firm, c->restore_order.echo.firm, sizeof echo->firm);
        memcpy(echo->aiq_group, c->restore_order.echo.aiq_group, sizeof echo->aiq_group);
    }
    order->position = risk_order_position(e, order);
    if (e->risk.positions_limit && order->position == 0)
        return refuse(restore, "it has an order of no position");
    if (!enter_bucket(e, order, slot, (flags & RESTORE_AWAY) != 0))
        return refuse(restore, "it has two orders in one place of the live-order table");
    order->member = c->restore_order.member;
    if (!enter_session(e, slot, c))
        return refuse(restore, "it has two orders in one place of their session");
    if ((flags & RESTORE_WAITS) == 0 && !enter_book(restore, order, slot))
        return refuse(restore, "it has an order whose level it can not stand in");
    restore->slot = slot;
    restore->orders++;
    restore->special = (flags & RESTORE_SPECIAL) != 0;
    if (!restore->special)
        order_risk_add(e, order, 1);
    return true;
}

static bool take_special(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    uint32_t slot = c->restore_special.slot;
    uint8_t kinds = c->restore_special.kinds;
    if (slot != restore->slot || e->special_live >= e->limit.max_special ||
        (kinds != 0 && kinds != KIND_PEG && kinds != KIND_DISCRETION && kinds != KIND_STOP))
        return refuse(restore, "it has special instructions of no order, or more than there is room for");
    struct special *s = &e->specials[0];
    *s = (struct special){.min_qty = c->restore_special.min_qty,
                          .max_floor = c->restore_special.max_floor,
                          .random_reserves = c->restore_special.random_reserves,
                          .reserve = c->restore_special.reserve,
                          .limit = c->restore_special.limit,
                          .peg_offset = c->restore_special.peg_offset,
                          .discretion_price = c->restore_special.discretion_price,
                          .discretion_peg_offset = c->restore_special.discretion_peg_offset,
                          .trigger = c->restore_special.trigger,
                          .stop = c->restore_special.stop,
                          .extreme = c->restore_special.extreme,
                          .entered = c->restore_special.entered,
                          .expire_ns = c->restore_special.expire_ns,
                          .expire_s = c->restore_special.expire_s,
                          .price_type = c->restore_special.price_type,
                          .discretion_type = c->restore_special.discretion_type,
                          .trigger_type = c->restore_special.trigger_type,
                          .post_only = c->restore_special.post_only,
                          .aiq_strategy = c->restore_special.aiq_strategy,
                          .kinds = kinds,
                          .refreshes = c->restore_special.refreshes,
                          .asked = c->restore_special.asked};
    memcpy(s->aiq_group, c->restore_special.aiq_group, sizeof s->aiq_group);
    uint32_t special = special_take(e, slot);
    *s = (struct special){0};
    order_risk_add(e, &e->orders[slot], 1);
    if (e->orders[slot].tif == '6')
        expiry_add(e, special);
    restore->special = false;
    return true;
}

static void append(struct engine *e, uint32_t *oldest, uint32_t newest, uint32_t special)
{
    e->specials[special].prev = newest;
    if (newest)
        e->specials[newest].next = special;
    else
        *oldest = special;
}

static bool take_list_entry(struct restore *restore, uint16_t locate, uint8_t list, uint32_t slot, uint32_t *newest)
{
    static const uint8_t kinds[] = {KIND_PEG, KIND_DISCRETION, KIND_DISCRETION, KIND_STOP, KIND_STOP, KIND_STOP};
    struct engine *e = restore->engine;
    struct book_back *back = &e->backs[locate];
    uint32_t *oldest[] = {&back->pegs,       &back->discretion[BUY], &back->discretion[SELL],
                          &back->stops[BUY], &back->stops[SELL],     &back->triggered};
    uint32_t special = slot <= e->fresh_slot ? e->orders[slot].special : 0;
    if (special == 0 || e->specials[special].kinds != kinds[list] || e->orders[slot].locate != locate ||
        e->specials[special].prev || *oldest[list] == special)
        return refuse(restore, "it lists an order twice, or one that does not belong there");
    append(e, oldest[list], *newest, special);
    e->specials[special].triggered = list == RESTORE_TRIGGERED;
    *newest = special;
    back->conditional++;
    e->conditional_live++;
    e->levels_used++;
    return true;
}

static bool take_list(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    uint16_t locate = c->restore_list.locate;
    uint8_t list = c->restore_list.list;
    if (locate == LOCATE_NONE || locate > e->limit.max_symbols || e->books[locate].tick == 0 ||
        list > RESTORE_TRIGGERED || c->restore_list.count > sizeof c->restore_list.slots / sizeof(uint32_t))
        return refuse(restore, "it has a list of no symbol");
    struct book_back *back = &e->backs[locate];
    uint32_t none = 0;
    // A list that takes several records: behind the last one's last.
    if (list == RESTORE_DISCRETION_BUY || list == RESTORE_DISCRETION_SELL)
        none = back->discretion[list - RESTORE_DISCRETION_BUY] ? restore->listed : 0;
    if (list == RESTORE_TRIGGERED)
        none = back->triggered ? restore->listed : 0;
    uint32_t *newest = &none;
    if (list == RESTORE_PEGS)
        newest = &back->pegs_newest;
    else if (list == RESTORE_STOPS_BUY || list == RESTORE_STOPS_SELL)
        newest = &back->stops_newest[list - RESTORE_STOPS_BUY];
    for (unsigned i = 0; i < c->restore_list.count; i++)
        if (!take_list_entry(restore, locate, list, c->restore_list.slots[i], newest))
            return false;
    restore->listed = *newest;
    restore->slot = 0;
    if (list == RESTORE_PEGS)
        e->books[locate].watch |= WATCH_PEGS;
    else if (list >= RESTORE_STOPS_BUY)
        e->books[locate].watch |= WATCH_STOPS;
    else
        book_note_uncommon(e, locate, list - RESTORE_DISCRETION_BUY);
    return true;
}

// ---- the rest -------------------------------------------------------------------------------------------------------

static bool take_trades(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    uint32_t first = c->restore_trades.first, count = c->restore_trades.count;
    if (count > RESTORE_TRADES || first > e->trades_limit || count > e->trades_limit - first)
        return refuse(restore, "it has more trades than the table");
    for (uint32_t i = 0; i < count; i++)
        e->trades[first + i] = (struct trade){.taker = c->restore_trades.trades[i].taker,
                                              .maker = c->restore_trades.trades[i].maker,
                                              .quantity = c->restore_trades.trades[i].quantity,
                                              .price = c->restore_trades.trades[i].price,
                                              .locate = c->restore_trades.trades[i].locate,
                                              .taker_side = c->restore_trades.trades[i].taker_side,
                                              .maker_side = c->restore_trades.trades[i].maker_side,
                                              .maker_liquidity = c->restore_trades.trades[i].maker_liquidity,
                                              .broken = c->restore_trades.trades[i].broken};
    return true;
}

// Slots that no record has named are free: so many that all of them have been found before the table is at its end,
// which nobody then has to read.
static void free_the_rest(struct engine *e, uint32_t orders)
{
    uint32_t left = e->fresh_slot - orders;
    for (uint32_t slot = e->fresh_slot; left; slot--) {
        if (e->orders[slot].key != 0)
            continue;
        slot_release(e, slot);
        left--;
    }
    for (uint32_t block = e->fresh_member_block; block; block--) {
        if (e->members_live[block]) {
            e->member_blocks_used++;
            continue;
        }
        e->member_blocks[block].next = e->free_member_block;
        e->free_member_block = block;
    }
    e->member_blocks[0] = (struct member_block){0};
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        const struct session_orders *own = &e->sessions[session].orders;
        if (own->next % MEMBER_WAYS)
            e->members_live[own->newest] |= UINT64_MAX << own->next % MEMBER_WAYS;
    }
}

static bool take_end(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    if (c->restore_end.records != restore->records || c->restore_end.digest != restore->digest)
        return refuse(restore, "its records are not those that it was written with");
    free_the_rest(e, restore->orders);
    if (c->restore_end.orders != live_orders(e) || c->restore_end.levels != e->levels_used ||
        c->restore_end.specials != e->special_live || c->restore_end.conditionals != e->conditional_live)
        return refuse(restore, "the book that it makes is not the one that it was made of");
    e->sequence = c->restore_end.sequence;
    e->lanes = event_lanes(c->restore_end.event_hash);
    e->time_ns = c->time_ns;
    settle_taken(e);
    e->day = restore->ended ? DAY_ENDED : DAY_OPEN;
    e->trading_sessions = e->day == DAY_OPEN ? e->limit.max_sessions : 0;
#ifdef CROSSWIRE_CHECK
    if (engine_check(e))
        return refuse(restore, engine_check(e));
#endif
    return true;
}

static bool take(struct restore *restore, const struct command *c)
{
    struct engine *e = restore->engine;
    if (restore->special != (c->type == CMD_RESTORE_SPECIAL))
        return refuse(restore, "special instructions stand where they do not belong");
    if ((e->day == DAY_NONE) != (c->type == CMD_RESTORE_DAY))
        return refuse(restore, "it does not begin with its day");
    switch (c->type) {
    case CMD_RESTORE_DAY:
        return take_day(restore, c);
    case CMD_RESTORE_SYMBOL:
        return take_symbol(restore, c);
    case CMD_RESTORE_ACCOUNT:
        return take_account(restore, c);
    case CMD_RESTORE_SESSION:
        return take_session(restore, c);
    case CMD_RESTORE_KILL:
        return take_kill(restore, c);
    case CMD_RESTORE_NUMBERS:
        return take_numbers(restore, c);
    case CMD_RESTORE_LIMITS:
        return risk_take_limits(e, c) ? true : refuse(restore, "it has limits that can not be set");
    case CMD_RESTORE_EXECUTED:
        return risk_take_executed(e, c) ? true : refuse(restore, "it has executions of no session");
    case CMD_RESTORE_POSITIONS:
        return risk_take_positions(e, c) ? true : refuse(restore, "it has a position that no engine holds");
    case CMD_RESTORE_ORDER:
        return take_order(restore, c);
    case CMD_RESTORE_SPECIAL:
        return take_special(restore, c);
    case CMD_RESTORE_LIST:
        return take_list(restore, c);
    case CMD_RESTORE_RATES:
        return settle_take(e, c) ? true : refuse(restore, "it has counted something that is not there");
    case CMD_RESTORE_TRADES:
        return take_trades(restore, c);
    case CMD_RESTORE_MARKET:
        return market_restore(restore->engine, c) || refuse(restore, "it has a state of the market that no engine has");
    case CMD_RESTORE_END:
        return take_end(restore, c);
    default:
        return refuse(restore, "it has a record that is none of a snapshot");
    }
}

enum restore_result restore_take(struct restore *restore, const struct command *c)
{
    if (restore->refused || restore->engine->day >= DAY_OPEN)
        return RESTORE_REFUSED;
    if (!take(restore, c))
        return RESTORE_REFUSED;
    if (c->type == CMD_RESTORE_END)
        return RESTORE_DONE;
    restore->digest = snapshot_digest_add(restore->digest, c);
    restore->records++;
    return RESTORE_MORE;
}

void restore_prefetch(const struct restore *restore, const struct command *c)
{
    const struct engine *e = restore->engine;
    uint32_t slot = c->restore_order.slot;
    if (c->type != CMD_RESTORE_ORDER || slot > e->fresh_slot || !members_fit(e, c))
        return;
    __builtin_prefetch(&e->orders[slot], 1);
    __builtin_prefetch(&e->members_live[c->restore_order.member >> MEMBER_SHIFT], 1);
    __builtin_prefetch(&e->members[c->restore_order.member], 1);
    __builtin_prefetch(&e->member_blocks[c->restore_order.member >> MEMBER_SHIFT], 1);
    __builtin_prefetch(&e->buckets[lookup_first(e, lookup_place(e, c->restore_order.key))], 1);
}
