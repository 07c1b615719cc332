// SPDX-License-Identifier: Apache-2.0
// Enter and Replace of everything that is not plain, and of plain orders that ask for it in an uncommon way: the checks
// in their order, the answer, and the way into the book, into waiting or into matching.
#include "engine/collar.h"
#include "engine/conditional.h"
#include "engine/kill.h"
#include "engine/market.h"
#include "engine/match_general.h"
#include "engine/numbers.h"
#include "engine/options.h"
#include "engine/orders.h"
#include "engine/pegs.h"
#include "engine/place.h"
#include "engine/special.h"
#include "engine/triggers.h"
#include "engine/wish.h"

static void put_options(struct event *event, const struct engine *e, const struct command *c)
{
    const struct echo *echo = &e->in_echo;
    const struct special *s = &e->specials[0];
    uint32_t sent = event->type == EV_ACCEPTED ? c->options & TAGS_ON_ACCEPTED : 0;
    event->options = echo->options | sent;
    memcpy(event->firm, echo->firm, sizeof event->firm);
    event->price_type = echo->price_type;
    event->post_only = echo->post_only;
    event->trade_now = echo->trade_now;
    event->handle_inst = echo->handle_inst;
    event->aiq_strategy = echo->aiq_strategy;
    memcpy(event->aiq_group, echo->aiq_group, sizeof event->aiq_group);
#define WITH(tag, field, value) event->field = event->options & OPTION(tag) ? (value) : 0
    WITH(TAG_MIN_QTY, min_qty, s->min_qty);
    WITH(TAG_MAX_FLOOR, max_floor, s->max_floor);
    WITH(TAG_EXPIRE_TIME, expire_s, s->expire_s);
    if (event->options & (OPTION(TAG_STOP_PRICE) | OPTION(TAG_TRAIL_AMOUNT))) {
        event->trigger = s->trigger;
        event->trigger_type = s->trigger_type;
    }
    WITH(TAG_CUSTOMER_TYPE, customer_type, c->customer_type);
    WITH(TAG_PEG_OFFSET, peg_offset, (uint32_t)c->peg_offset);
    WITH(TAG_DISCRETION_PRICE, discretion_price, c->discretion_price);
    WITH(TAG_DISCRETION_PRICE_TYPE, discretion_price_type, c->discretion_price_type);
    WITH(TAG_DISCRETION_PEG_OFFSET, discretion_peg_offset, (uint32_t)c->discretion_peg_offset);
    WITH(TAG_RANDOM_RESERVES, random_reserves, c->random_reserves);
    WITH(TAG_GROUP_ID, group_id, c->group_id);
    WITH(TAG_SHARES_LOCATED, shares_located, c->shares_located);
#undef WITH
    if (event->options & EVENT_THIRD_LINE_TAGS)
        event->lines = 3;
}

// Accepted or Replaced for e->in; `old_ref` is the original's.
static void emit_answer(struct engine *e, struct out *out, const struct wish *wish, uint64_t old_ref, uint8_t flags)
{
    const struct command *c = wish->command;
    const struct incoming *in = &e->in;
    struct event event = {.type = wish->original ? EV_REPLACED : EV_ACCEPTED,
                          .lines = 2,
                          .flags = flags,
                          .session = c->session,
                          .locate = in->locate,
                          .user_ref = c->user_ref,
                          .other_user_ref = wish->original ? c->orig_user_ref : 0,
                          .ref = in->ref,
                          .quantity = in->quantity,
                          .price = in->price,
                          .user_ref_idx = c->user_ref_idx,
                          .side = in->side};
    memcpy(event.symbol, e->books[in->locate].name, sizeof event.symbol);
    event.old_ref = old_ref;
    memcpy(event.cl_ord_id, c->cl_ord_id, sizeof event.cl_ord_id);
    event.tif = c->tif;
    event.display = in->display;
    event.capacity = in->capacity;
    event.iso = c->iso;
    event.cross = wish->original ? 'N' : c->cross;
    put_options(&event, e, c);
    emit_event(out, &event);
}

// Rule 3's test: the order rests, and nothing in the contra book could have to do with it.
static bool only_rests(const struct engine *e, const struct wish *wish)
{
    const struct book *book = &e->books[wish->locate];
    unsigned contra = wish->side ^ 1;
    uint32_t hidden = book->best[contra | HIDDEN], limit = price_rank(wish->side, wish->limit);
    return e->in.rests && limit < price_rank(wish->side, book->best[contra]) &&
           limit < price_rank(wish->side, hidden) && e->backs[wish->locate].discretion[contra] == 0;
}

// The permissions that an order needs.
static uint32_t asks(const struct engine *e, const struct wish *wish)
{
    const struct command *c = wish->command;
    const struct special *s = &e->specials[0];
    bool located = c->options & OPTION(TAG_SHARES_LOCATED) && c->shares_located == 'Y';
    uint32_t bits = FORBID_ALL | (s->trigger_type ? FORBID_STOP : FORBID_WITHOUT_STOP_LOSS);
    bits |= wish->market && !wish->peg ? FORBID_MARKET : 0;
    bits |= c->iso == 'Y' ? FORBID_ISO : 0;
    bits |= e->phase == PHASE_PRE ? FORBID_PRE_MARKET : e->phase == PHASE_AFTER ? FORBID_POST_MARKET : 0;
    bits |= wish->peg ? FORBID_PEG : wish->display == 'N' ? FORBID_HIDDEN : 0;
    bits |= s->max_floor ? FORBID_RESERVE : 0;
    bits |= c->tif == '3' ? FORBID_IOC : 0;
    bits |= wish->side_name == 'T' ? FORBID_SHORT : wish->side_name == 'E' ? FORBID_SHORT_EXEMPT : 0;
    return bits | (wish->side_name != 'B' && wish->side_name != 'S' && !located ? FORBID_SHORT_UNLOCATED : 0);
}

// What risk asks of the order, which nothing else refuses but full tables. A collar may bound how far it takes.
static uint8_t check_risk(struct engine *e, struct wish *wish, uint32_t *position)
{
    const struct special *s = &e->specials[0];
    const struct market_order market = {.locate = wish->locate,
                                        .side = wish->side_name,
                                        .price_type = s->price_type,
                                        .market = wish->market,
                                        .waits = s->trigger_type != 0,
                                        .discretion = (wish->kinds & KIND_DISCRETION) != 0,
                                        .price = wish->price,
                                        .peg_offset = s->peg_offset};
    bool farther = wish->side == BUY && s->discretion_price > wish->price;
    struct risk_order order = {.command = wish->command,
                               .original = wish->original,
                               .session = wish->command->session,
                               .account = wish->session->account,
                               .locate = wish->locate,
                               .side = wish->side,
                               .side_name = wish->side_name,
                               .quantity = wish->quantity,
                               .price = wish->price,
                               .reach = farther ? s->discretion_price : wish->price,
                               .stop = s->trigger_type == 'S' ? s->trigger : 0,
                               .waits = s->trigger_type != 0,
                               .asks = asks(e, wish),
                               .market = &market};
    *position = 0;
    if (wish->session->risk == 0)
        return market_check(e, &market);
    uint8_t reason = risk_check(e, &order);
    if (wish->market && !wish->peg && !order.waits)
        wish->limit = collar_limit(e, &order, wish->limit);
    *position = order.position;
    return reason;
}

static void fill_incoming(struct engine *e, const struct wish *wish, uint16_t group_id, char capacity, bool echo,
                          uint32_t position)
{
    const struct command *c = wish->command;
    e->in = (struct incoming){.key = command_key(c),
                              .ref = e->next_ref++,
                              .limit = wish->limit,
                              .price = wish->price,
                              .quantity = wish->quantity,
                              .executed = c->quantity - wish->quantity,
                              .locate = wish->locate,
                              .group_id = group_id,
                              .side = wish->side_name,
                              .capacity = capacity,
                              .display = wish->display,
                              .flags = echo ? ORDER_HAS_ECHO : 0,
                              .iso = c->iso,
                              .cross = 'N',
                              .rests = c->tif != '3' && (!wish->market || wish->peg),
                              .tif = c->tif,
                              .unplain = !wish->plain,
                              .position = position};
}

// Goes on with the accepted order: e->in and e->specials[0] are whole, an original is gone.
static void go_on(struct engine *e, const struct wish *wish, struct out *out)
{
    struct incoming *in = &e->in;
    struct special *s = &e->specials[0];
    if (wish->cancels) {
        incoming_cancel(e, out, 'G');
        return;
    }
    if (s->trigger_type && !trigger_begin(e, s, in->locate, wish->side)) {
        s->kinds = wish->kinds;
        incoming_wait(e);
        return;
    }
    s->trigger_type = 0;
    s->kinds = wish->kinds & (uint8_t)~KIND_STOP;
    if (wish->peg) {
        pegs_look(e, in->locate);
        uint32_t price = peg_price(e, in->locate, wish->side, s->price_type, s->peg_offset, peg_cap(s));
        if (price == 0) {
            if (in->rests)
                incoming_wait(e);
            else
                incoming_cancel(e, out, 'I');
            return;
        }
        in->limit = in->price = price;
    } else if (s->kinds & KIND_DISCRETION) {
        in->limit = discretion_price(e, s, in->locate, wish->side, in->price);
    }
    general_begin(e);
    e->left.work = match_general(e, out) ? WORK_NONE : WORK_GENERAL;
}

// Looks for a post-only order's price; true when the step has to end before it is found.
static bool must_pause(struct engine *e, struct wish *wish)
{
    if (wish_slide(e, wish)) {
        e->left.work = WORK_NONE;
        return false;
    }
    e->entry = *wish->command;
    e->left.work = WORK_ENTRY;
    return true;
}

// Checks 1 and 2 of risk.md: a mode or a kill, the symbol's trading state.
static uint8_t check_stopped(const struct engine *e, const struct wish *wish)
{
    bool risk = wish->session->risk != 0;
    if ((risk && mode_blocks(e)) || kill_blocks(e, wish->command->session, wish->locate, wish->side))
        return REJECT_OTHER;
    return market_check_halted(e, wish->locate);
}

static void reject(struct engine *e, const struct command *c, struct out *out, uint8_t reason)
{
    emit_rejected(out, c, reason);
    e->outcome = OUTCOME_REJECTED;
}

static uint8_t check_enter_head(const struct engine *e, const struct command *c)
{
    const struct session *session = &e->sessions[c->session];
    if (c->refuse != REJECT_NONE)
        return c->refuse;
    if (session->disabled & DISABLED_BY_USER || (c->options & OPTION(TAG_FIRM) && !firm_permitted(e, session, c->firm)))
        return REJECT_FIRM;
    if (!symbol_known(e, c))
        return REJECT_SYMBOL;
    if (c->side != 'B' && c->side != 'S' && c->side != 'T' && c->side != 'E')
        return REJECT_SIDE;
    return c->quantity - 1 >= QUANTITY_MAX ? REJECT_QUANTITY : REJECT_NONE;
}

void special_enter(struct engine *e, const struct command *c, struct out *out)
{
    struct wish wish;
    uint32_t position = 0;
    uint8_t reason = check_enter_head(e, c);
    if (reason == REJECT_NONE) {
        wish_fill(e, &wish, c, 0, c->side);
        reason = wish_check(e, &wish);
    }
    if (reason == REJECT_NONE)
        reason = check_stopped(e, &wish);
    if (reason == REJECT_NONE) {
        if (must_pause(e, &wish))
            return;
        reason = check_risk(e, &wish, &position);
    }
    if (reason == REJECT_NONE && wish_full(e, &wish))
        reason = REJECT_PROCESSING;
    if (reason != REJECT_NONE) {
        reject(e, c, out, reason);
        return;
    }
    e->outcome = OUTCOME_ACCEPTED;
    e->in_echo = (struct echo){0};
    echo_overlay(&e->in_echo, c);
    fill_incoming(e, &wish, c->options & OPTION(TAG_GROUP_ID) ? c->group_id : 0, c->capacity, e->in_echo.options != 0,
                  position);
    e->in.added = wish.plain && only_rests(e, &wish);
    emit_answer(e, out, &wish, 0, e->in.added ? EV_MD_ADD : 0);
    go_on(e, &wish, out);
}

// What the replacement inherits of the echo: no expiry time with another TIF, no trigger that is none any more.
static void inherit_echo(struct engine *e, const struct command *c, const struct order *original)
{
    e->in_echo = original->flags & ORDER_HAS_ECHO ? e->echoes[original - e->orders] : (struct echo){0};
    uint32_t triggers = OPTION(TAG_STOP_PRICE) | OPTION(TAG_TRAIL_AMOUNT);
    bool waits = original->special && e->specials[original->special].trigger_type;
    if (!waits || c->options & triggers)
        e->in_echo.options &= ~triggers;
    if (c->tif != '6' || original->tif != '6')
        e->in_echo.options &= ~OPTION(TAG_EXPIRE_TIME);
    echo_overlay(&e->in_echo, c);
}

static uint8_t check_replace_head(const struct order *original, const struct command *c, char side)
{
    if (c->refuse != REJECT_NONE)
        return c->refuse;
    if (side == 0)
        return REJECT_SIDE;
    return c->quantity - 1 >= QUANTITY_MAX || c->quantity <= original->executed ? REJECT_QUANTITY : REJECT_NONE;
}

void special_replace(struct engine *e, const struct command *c, uint32_t slot, struct out *out)
{
    const struct order *original = &e->orders[slot];
    char side = c->options & OPTION(TAG_SIDE) ? order_side_change(original->side, c->side) : original->side;
    struct wish wish;
    uint32_t position = 0;
    uint8_t reason = check_replace_head(original, c, side), refused = REJECT_NONE;
    if (reason == REJECT_NONE) {
        wish_fill(e, &wish, c, slot, side);
        reason = wish_check(e, &wish);
    }
    if (reason == REJECT_NONE)
        refused = check_stopped(e, &wish);
    if (reason == REJECT_NONE && refused == REJECT_NONE) {
        if (must_pause(e, &wish))
            return;
        refused = check_risk(e, &wish, &position);
    }
    if (refused != REJECT_NONE) { // as outcome (c): the original stays
        number_take(e, c);
        reject(e, c, out, refused);
        return;
    }
    if (reason == REJECT_NONE && wish_full(e, &wish))
        reason = REJECT_PROCESSING;
    if (reason != REJECT_NONE) {
        order_cancel_whole(e, out, slot, 'U');
        e->outcome = OUTCOME_REJECTED;
        return;
    }
    number_take(e, c);
    e->outcome = OUTCOME_ACCEPTED;
    inherit_echo(e, c, original);
    fill_incoming(e, &wish, original->group_id, original->capacity,
                  (original->flags & ORDER_HAS_ECHO) || e->in_echo.options != 0, position);
    e->in.added = original->special == 0 && wish.plain && only_rests(e, &wish);
    bool shown = original->level && original->display != 'N';
    emit_answer(e, out, &wish, original->ref, e->in.added ? EV_MD_REPLACE : shown ? EV_MD_DELETE : 0);
    if (original->special)
        special_drop(e, slot);
    else
        order_drop(e, slot);
    go_on(e, &wish, out);
}

void special_resume(struct engine *e, struct out *out)
{
    const struct command *c = &e->entry;
    if (c->type == CMD_ENTER)
        special_enter(e, c, out);
    else
        special_replace(e, c, lookup_slot(e, original_key(c)), out);
}
