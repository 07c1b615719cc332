// SPDX-License-Identifier: Apache-2.0
// Enter, Replace and Cancel of plain orders. Each goes straight: every test that a plain order passes, nothing touched
// before the last of them; whatever fails one takes the long way with all the checks in their order.
#include "engine/orders.h"

#include "contract/fault.h"
#include "engine/afterwork.h"
#include "engine/market.h"
#include "engine/numbers.h"
#include "engine/options.h"
#include "engine/place.h"
#include "engine/risk_plain.h"
#include "engine/special.h"
#include "engine/terms.h"

#define UNLIKELY(condition) __builtin_expect((condition), 0)

// Tags that neither ask for anything nor are echoed with a value.
#define TAGS_PLAIN (OPTION(TAG_USER_REF_IDX) | OPTION(TAG_LOCATE_BROKER))

// An order on the plain way.
struct plain {
    struct book *book;
    uint64_t key;
    uint64_t terms;
    uint32_t tick_index;
    unsigned side;
    struct bucket_place place;
};

// BUY or SELL of a side that there is; all others are larger.
static inline unsigned side_known(char side)
{
    static const uint8_t sides[UINT8_MAX + 1] = {['B'] = BUY + 1, ['S'] = SELL + 1, ['T'] = SELL + 1, ['E'] = SELL + 1};
    return sides[(uint8_t)side] - 1u;
}

// Whether the session takes plain orders.
static inline bool session_plain(const struct engine *e, const struct command *c)
{
    return c->session < e->trading_sessions && e->sessions[c->session].gate == SESSION_PLAIN;
}

// Something about the contra side is uncommon: the plain way may still be right when that is the market's state alone.
static __attribute__((noinline)) bool uncommon_fits(const struct engine *e, uint8_t uncommon, uint64_t terms,
                                                    uint32_t price)
{
    return uncommon == UNCOMMON_MARKET && market_plain(e, terms_locate(terms), terms_side(terms), price);
}

// Whether the command has nothing to refuse or echo, and there is room for the order wherever it may rest. Of a market
// order the price is none. Sets tick_index and place, which is the one of
// `lookup`.
static inline __attribute__((always_inline)) bool plain_fits(const struct engine *e, const struct command *c,
                                                             struct lookup_place lookup, struct plain *plain)
{
    if (UNLIKELY(c->options & ~TAGS_PLAIN) || UNLIKELY(c->quantity - 1 >= QUANTITY_MAX) ||
        UNLIKELY(c->price - 1 >= PRICE_MAX))
        return false;
    plain->tick_index = book_tick_below(plain->book, c->price);
    if (UNLIKELY(plain->tick_index * plain->book->tick != c->price) ||
        (UNLIKELY(plain->book->uncommon[plain->side ^ 1]) &&
         !uncommon_fits(e, plain->book->uncommon[plain->side ^ 1], plain->terms, c->price)) ||
        UNLIKELY(e->levels_used >= e->levels_limit))
        return false;
    plain->place = bucket_place(e, lookup);
    return plain->place.way < BUCKET_PLENTY;
}

// The second line of an Accepted or Replaced without options to echo.
static inline __attribute__((always_inline)) struct line order_words(const struct command *c, uint64_t symbol,
                                                                     uint64_t old_ref, uint64_t terms)
{
    return (struct line){{symbol, old_ref, word_at(c->cl_ord_id), word_at(c->cl_ord_id + 8), terms >> TERM_SHIFT(tif)}};
}

static inline __attribute__((always_inline)) void emit_accepted(struct out *out, const struct command *c,
                                                                uint64_t terms, uint64_t ref, uint8_t flags)
{
    emit_two(out,
             (struct head){.type = EV_ACCEPTED,
                           .lines = 2,
                           .flags = flags,
                           .terms = terms,
                           .key = command_key(c),
                           .ref = ref,
                           .quantity = c->quantity,
                           .price = c->price},
             order_words(c, word_at(c->symbol), 0, terms));
}

// An Enter of any kind from a session that may trade: every check in its order.
unsigned order_enter_any(struct engine *e, const struct command *c, struct event *events)
{
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_NO_EFFECT;
    if (!session_may_trade(e, c))
        return 0;
    e->outcome = OUTCOME_DUPLICATE;
    if (!number_take(e, c) && !FAULT(duplicate_accepted))
        return 0;
    special_enter(e, c, &out);
    return step_close(e, &out);
}

// Why a plain order is not taken, or REJECT_NONE and its position: a word, as it is handed over in one.
typedef uint64_t admission;

static inline admission admitted_of(uint8_t reason, uint32_t position)
{
    return reason | (uint64_t)position << 32;
}

static inline uint8_t admitted_reason(admission admitted)
{
    return (uint8_t)admitted;
}

static inline uint32_t admitted_position(admission admitted)
{
    return (uint32_t)(admitted >> 32);
}

// What risk asks of a plain order that cannot be passed at a glance. With `rests` it is counted.
static __attribute__((noinline)) admission admit_closely(struct engine *e, const struct command *c, uint64_t terms,
                                                         uint32_t original, uint32_t quantity, bool rests)
{
    struct risk_order order = {.command = c,
                               .original = original,
                               .session = c->session,
                               .account = e->sessions[c->session].account,
                               .locate = terms_locate(terms),
                               .side = side_of(terms_side(terms)),
                               .side_name = terms_side(terms),
                               .quantity = quantity,
                               .price = c->price,
                               .reach = c->price,
                               .asks = plain_asks(e, terms)};
    uint8_t reason = risk_check(e, &order);
    if (reason == REJECT_NONE && rests) {
        if (original)
            order_risk_take(e, &e->orders[original], 1);
        risk_add(e, c->session, order.side, quantity, c->price, order.position, 1, true);
    }
    return admitted_of(reason, order.position);
}

// The order as it is looked at. Its position is one at a glance only where each has a place of its own.
static inline __attribute__((always_inline)) struct risk_plain plain_order(const struct engine *e,
                                                                           const struct command *c, uint64_t terms,
                                                                           unsigned side, uint32_t original,
                                                                           uint32_t quantity, bool rests)
{
    const struct order *from = &e->orders[original];
    struct risk_plain order = {.terms = terms,
                               .session = c->session,
                               .side = side,
                               .quantity = quantity,
                               .price = c->price,
                               .counted = c->price,
                               .orders = original == 0};
    if (original) {
        order.position = from->position;
        order.open = from->quantity;
        order.open_price = from->price;
    } else {
        order.position = position_own(&e->risk, e->sessions[c->session].account, terms_locate(terms));
    }
    const struct book *book = &e->books[terms_locate(terms)];
    if (!rests && side == SELL && order.counted < book->best[BUY])
        order.counted = book->best[BUY];
    return order;
}

// The same with what its session, symbol and parties have, and closely when that does not do.
static __attribute__((noinline)) admission admit_again(struct engine *e, const struct command *c, uint64_t terms,
                                                       uint32_t original, uint32_t quantity, bool rests)
{
    struct risk_plain order = plain_order(e, c, terms, side_of(terms_side(terms)), original, quantity, rests);
    if (original == 0 && e->risk.row == 0)
        order.position = position_find(e, e->sessions[c->session].account, terms_locate(terms));
    if (rests ? risk_pass(e, order, true, ONCE_MORE) : risk_pass(e, order, false, ONCE_MORE))
        return admitted_of(REJECT_NONE, order.position);
    return admit_closely(e, c, terms, original, quantity, rests);
}

// `original` is the slot of the order that this one replaces, 0 for an Enter. With `rests` it is counted: position and
// parties have it, and its original no more. Without a call but the last, so that registers do.
static inline __attribute__((always_inline)) admission admit(struct engine *e, const struct command *c, uint64_t terms,
                                                             unsigned side, uint32_t original, uint32_t quantity,
                                                             bool rests)
{
    const struct risk_plain order = plain_order(e, c, terms, side, original, quantity, rests);
    if (__builtin_expect(original == 0 && e->risk.row == 0, 0) ||
        __builtin_expect(!risk_pass(e, order, rests, AT_A_GLANCE), 0))
        return admit_again(e, c, terms, original, quantity, rests);
    return admitted_of(REJECT_NONE, order.position);
}

// Functions of their own, because registers are few.
static __attribute__((noinline)) admission admit_enter(struct engine *e, const struct command *c, uint64_t terms,
                                                       unsigned side)
{
    return admit(e, c, terms, side, 0, c->quantity, true);
}

static __attribute__((noinline)) admission admit_replace(struct engine *e, const struct command *c, uint64_t terms,
                                                         unsigned side, uint32_t original, uint32_t quantity)
{
    return admit(e, c, terms, side, original, quantity, true);
}

static __attribute__((noinline)) admission admit_taking(struct engine *e, const struct command *c, uint64_t terms,
                                                        unsigned side, uint32_t original, uint32_t quantity)
{
    risk_look_at_first(e, &e->books[terms_locate(terms)], side ^ 1);
    risk_look_at_taker(e, c->session,
                       position_own(&e->risk, e->sessions[c->session].account, terms_locate(terms)) &
                           -(uint32_t)(e->risk.row != 0));
    return admit(e, c, terms, side, original, quantity, false);
}

// An order that risk refuses: it has its number, and a replaced one stays.
static __attribute__((noinline, cold)) unsigned plain_refuse(struct engine *e, const struct command *c, uint8_t reason,
                                                             struct event *events)
{
    struct out out = out_open(e, events);
    emit_rejected(&out, c, reason);
    e->outcome = OUTCOME_REJECTED;
    return step_close(e, &out);
}

// A plain order that meets the contra side, or is not to rest.
static __attribute__((noinline)) unsigned enter_taking(struct engine *e, const struct command *c, uint32_t tick_index,
                                                       struct event *events)
{
    uint64_t terms = terms_word(c);
    admission admitted = 0;
    if (risk_on(e))
        admitted = admit_taking(e, c, terms, side_of(terms_side(terms)), 0, c->quantity);
    if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
        return plain_refuse(e, c, admitted_reason(admitted), events);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_ACCEPTED;
    e->in = (struct incoming){.key = command_key(c),
                              .ref = e->next_ref++,
                              .limit = c->price,
                              .tick_index = tick_index,
                              .quantity = c->quantity,
                              .price = c->price,
                              .terms = terms,
                              .rests = c->tif == '0',
                              .position = admitted_position(admitted)};
    emit_accepted(&out, c, terms, e->in.ref, 0);
    order_match(e, &out);
    return step_close(e, &out);
}

static inline __attribute__((always_inline)) unsigned
enter_plain(struct engine *e, const struct command *c, const struct engine_aim *aim, struct event *events, bool risk)
{
    struct plain plain = {.key = command_key(c), .terms = terms_word(c)};
    uint64_t asks = plain.terms & TERMS_READ;
    uint32_t locate = terms_locate(plain.terms);
    plain.side = side_known(terms_side(plain.terms));
    if (UNLIKELY(locate > e->symbols_limit) || UNLIKELY(plain.side > SELL) || UNLIKELY(!session_plain(e, c)))
        return order_enter_any(e, c, events);
    plain.book = &e->books[locate];
    uint32_t *last = number_last(e, c), user_ref = c->user_ref;
    if (UNLIKELY(word_at(plain.book->name) != word_at(c->symbol)) ||
        UNLIKELY(!plain_fits(e, c, lookup_place_aimed(e, plain.key, aim), &plain)) || UNLIKELY(user_ref <= *last) ||
        UNLIKELY(!slot_room(e)))
        return order_enter_any(e, c, events);
    bool day = __builtin_expect(asks == e->plain_day, 1);
    if (!day && UNLIKELY(asks != e->plain_ioc))
        return order_enter_any(e, c, events);
    if (!day || UNLIKELY(book_crosses(plain.book, plain.side, c->price))) {
        *last = user_ref;
        return enter_taking(e, c, plain.tick_index, events);
    }
    *last = user_ref;
    admission admitted = 0;
    if (risk) {
        admitted = admit_enter(e, c, plain.terms, plain.side);
        if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
            return plain_refuse(e, c, admitted_reason(admitted), events);
    } else {
        risk_add(e, c->session, plain.side, c->quantity, c->price, 0, 1, false);
    }
    uint32_t slot = slot_take(e);
    if (aim)
        slot_look_at_next(e);
    struct incoming in = {.key = plain.key,
                          .ref = e->next_ref++,
                          .tick_index = plain.tick_index,
                          .quantity = c->quantity,
                          .price = c->price,
                          .terms = plain.terms,
                          .position = admitted_position(admitted)};
    bucket_insert(e, plain.place, slot);
    order_place(e, &in, plain.side, plain.place, 0, slot);
    struct out out = out_open(e, events);
    emit_accepted(&out, c, terms_word(c), in.ref, EV_MD_ADD);
    e->outcome = OUTCOME_ACCEPTED;
    return step_close(e, &out);
}

unsigned order_enter_risk(struct engine *e, const struct command *c, const struct engine_aim *aim, struct event *events)
{
    return enter_plain(e, c, aim, events, true);
}

unsigned order_enter_aimed(struct engine *e, const struct command *c, const struct engine_aim *aim,
                           struct event *events)
{
    return enter_plain(e, c, aim, events, false);
}

unsigned order_enter(struct engine *e, const struct command *c, struct event *events)
{
    return enter_plain(e, c, NULL, events, false);
}

// What a replacement asks for: of the command Display, TIF and ISO, of the original the rest. There is no CrossType.
static inline uint64_t replace_terms(const struct command *c, uint64_t original)
{
    uint64_t own = TERM(tif, UINT8_MAX) | TERM(display, UINT8_MAX) | TERM(iso, UINT8_MAX);
    uint64_t none = TERM(cross, UINT8_MAX);
    return (terms_word(c) & own) | (original & ~(own | none)) | TERM(cross, 'N');
}

static inline __attribute__((always_inline)) void emit_replaced(struct out *out, const struct command *c,
                                                                const struct incoming *in, uint64_t symbol,
                                                                uint64_t old_ref, uint8_t flags)
{
    emit_two(out,
             (struct head){.type = EV_REPLACED,
                           .lines = 2,
                           .flags = flags,
                           .terms = in->terms,
                           .key = in->key,
                           .other = c->orig_user_ref,
                           .ref = in->ref,
                           .quantity = in->quantity,
                           .price = in->price},
             order_words(c, symbol, old_ref, in->terms));
}

// A Replace of any kind whose number is fresh and whose original, in `slot`, is live: every check in its order.
static __attribute__((noinline)) unsigned replace_any(struct engine *e, const struct command *c, uint32_t slot,
                                                      struct event *events)
{
    struct out out = out_open(e, events);
    if (e->sessions[c->session].disabled & DISABLED_BY_USER) { // outcome (c)
        number_take(e, c);
        emit_rejected(&out, c, REJECT_FIRM);
        e->outcome = OUTCOME_REJECTED;
        return step_close(e, &out);
    }
    e->outcome = OUTCOME_NONE;
    special_replace(e, c, slot, &out);
    return step_close(e, &out);
}

// A plain replacement that meets the contra side, or is not to rest.
static __attribute__((noinline)) unsigned replace_taking(struct engine *e, const struct command *c, uint32_t slot,
                                                         uint32_t tick_index, struct event *events)
{
    const struct order *order = &e->orders[slot];
    uint64_t terms = replace_terms(c, order->terms);
    uint32_t quantity = c->quantity - order->executed;
    admission admitted = 0;
    if (risk_on(e))
        admitted = admit_taking(e, c, terms, side_of(terms_side(terms)), slot, quantity);
    if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
        return plain_refuse(e, c, admitted_reason(admitted), events);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_ACCEPTED;
    e->in = (struct incoming){.key = command_key(c),
                              .ref = e->next_ref++,
                              .limit = c->price,
                              .tick_index = tick_index,
                              .quantity = quantity,
                              .price = c->price,
                              .terms = terms,
                              .executed = order->executed,
                              .group_id = order->group_id,
                              .rests = c->tif == '0',
                              .position = admitted_position(admitted)};
    emit_replaced(&out, c, &e->in, word_at(e->books[terms_locate(terms)].name), order->ref, EV_MD_DELETE);
    order_drop(e, slot);
    order_match(e, &out);
    return step_close(e, &out);
}

static inline __attribute__((always_inline)) unsigned
replace_plain(struct engine *e, const struct command *c, const struct engine_aim *aim, struct event *events, bool risk)
{
    e->outcome = OUTCOME_NO_EFFECT;
    if (UNLIKELY(!session_may_trade(e, c)))
        return 0;
    struct plain plain = {.key = command_key(c)};
    uint32_t *last = number_last(e, c);
    if (UNLIKELY(c->user_ref <= *last)) {
        e->outcome = OUTCOME_DUPLICATE;
        return 0;
    }
    struct lookup_place place = lookup_place_aimed(e, original_key(c), aim);
    uint32_t slot = lookup_find(e, original_key(c), place, aim);
    if (UNLIKELY(slot == 0))
        return 0;
    struct order *order = &e->orders[slot];
    uint64_t original = order->terms;
    plain.side = side_of(terms_side(original));
    plain.book = &e->books[terms_locate(original)];
    plain.terms = replace_terms(c, original);
    bool day = __builtin_expect((plain.terms & TERMS_READ) == e->plain_day, 1);
    if ((!day && UNLIKELY((plain.terms & TERMS_READ) != e->plain_ioc)) ||
        UNLIKELY(e->sessions[c->session].gate != SESSION_PLAIN) || UNLIKELY(c->refuse) ||
        UNLIKELY(!plain_fits(e, c, lookup_place(e, plain.key), &plain)) || UNLIKELY(order->flags & ~ORDER_AWAY) ||
        UNLIKELY(c->quantity <= order->executed))
        return replace_any(e, c, slot, events);
    *last = c->user_ref;
    if (!day || UNLIKELY(book_crosses(plain.book, plain.side, c->price)))
        return replace_taking(e, c, slot, plain.tick_index, events);
    struct incoming in = {.key = plain.key,
                          .tick_index = plain.tick_index,
                          .quantity = c->quantity - order->executed,
                          .price = c->price,
                          .terms = plain.terms,
                          .executed = order->executed,
                          .group_id = order->group_id};
    if (risk) {
        const admission admitted = admit_replace(e, c, plain.terms, plain.side, slot, in.quantity);
        if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
            return plain_refuse(e, c, admitted_reason(admitted), events);
        in.position = admitted_position(admitted);
    } else {
        risk_take(e, c->session, plain.side, order->quantity, order->price, 0, 1, false);
        risk_add(e, c->session, plain.side, in.quantity, in.price, 0, 1, false);
    }
    in.ref = e->next_ref++;
    struct out out = out_open(e, events);
    emit_replaced(&out, c, &in, word_at(plain.book->name), order->ref, EV_MD_REPLACE);
    e->outcome = OUTCOME_ACCEPTED;
    bucket_insert(e, plain.place, slot); // first, as its place has been found while the original stood
    struct emptied emptied = order_leave(e, slot, place);
    if (UNLIKELY(emptied.level) && order->price == in.price) { // book_join counts it again
        emptied.level = false;
        e->levels_used--;
    }
    if (UNLIKELY(emptied.block | emptied.level))
        order_emptied(e, order, &e->sessions[c->session].orders, emptied);
    order_place(e, &in, plain.side, plain.place, 0, slot);
    return step_close(e, &out);
}

unsigned order_replace_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                            struct event *events)
{
    return replace_plain(e, c, aim, events, true);
}

unsigned order_replace_aimed(struct engine *e, const struct command *c, const struct engine_aim *aim,
                             struct event *events)
{
    return replace_plain(e, c, aim, events, false);
}

unsigned order_replace(struct engine *e, const struct command *c, struct event *events)
{
    return replace_plain(e, c, NULL, events, false);
}

// Reduces the open quantity in place; the order keeps its priority.
static void reduce(struct engine *e, struct order *order, uint32_t by)
{
    risk_take(e, key_session(order->key), side_of(order->side), by, order->price, order->position, 0, risk_on(e));
    order->quantity -= by;
    e->levels[order->level].quantity -= by;
}

// A Cancel of an order that is not plain, or that leaves something of it.
static __attribute__((noinline)) unsigned cancel_any(struct engine *e, const struct command *c, uint32_t slot,
                                                     struct event *events)
{
    struct order *order = &e->orders[slot];
    struct out out = out_open(e, events);
    if (order->special) {
        special_cancel(e, c, slot, &out);
        return step_close(e, &out);
    }
    uint32_t less = order->quantity - order_remaining(order, order->quantity, c->quantity);
    e->outcome = less ? OUTCOME_ACCEPTED : OUTCOME_NO_EFFECT;
    if (less) {
        emit_canceled(&out, order, less, 'U', EV_MD_REDUCE);
        reduce(e, order, less);
    }
    return step_close(e, &out);
}

// A Cancel of an order that is not live: all that it may leave is that its session's messages have come to a level.
static __attribute__((noinline)) unsigned cancel_nothing(struct engine *e, struct event *events)
{
    struct out out = out_open(e, events);
    return step_close(e, &out);
}

// The end of a Cancel whose order has left something empty. Behind everything else, so that the common way calls
// nothing.
static __attribute__((noinline)) unsigned cancel_emptied(struct engine *e, uint32_t slot, uint16_t session,
                                                         struct emptied emptied, struct event *events)
{
    order_emptied(e, &e->orders[slot], &e->sessions[session].orders, emptied);
    return step_end(e, events, 1);
}

static inline __attribute__((always_inline)) unsigned
cancel_plain(struct engine *e, const struct command *c, const struct engine_aim *aim, struct event *events, bool risk)
{
    if (UNLIKELY(!session_may_trade(e, c))) {
        e->outcome = OUTCOME_NO_EFFECT;
        return 0;
    }
    if (risk)
        rates_message(e, c);
    struct lookup_place place = lookup_place_aimed(e, command_key(c), aim);
    uint32_t slot = lookup_find(e, command_key(c), place, aim);
    if (UNLIKELY(slot == 0)) {
        e->outcome = OUTCOME_NO_EFFECT;
        return risk ? cancel_nothing(e, events) : 0;
    }
    const struct order *order = &e->orders[slot];
    if (UNLIKELY(order->special != 0) || UNLIKELY(c->quantity > order->executed))
        return cancel_any(e, c, slot, events);
    struct emptied emptied = order_leave(e, slot, place);
    risk_take(e, c->session, side_of(order->side), order->quantity, order->price, order->position, 1, risk);
    struct out out = out_open(e, events);
    emit_canceled(&out, order, order->quantity, 'U', EV_MD_DELETE);
    e->outcome = OUTCOME_ACCEPTED;
    slot_release(e, slot);
    unsigned count = out_close(e, &out);
    if (UNLIKELY(emptied.block | emptied.level))
        return cancel_emptied(e, slot, c->session, emptied, events);
    return step_end(e, events, count);
}

unsigned order_cancel_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                           struct event *events)
{
    return cancel_plain(e, c, aim, events, true);
}

unsigned order_cancel_aimed(struct engine *e, const struct command *c, const struct engine_aim *aim,
                            struct event *events)
{
    return cancel_plain(e, c, aim, events, false);
}

unsigned order_cancel(struct engine *e, const struct command *c, struct event *events)
{
    return cancel_plain(e, c, NULL, events, false);
}

void emit_modified(struct out *out, const struct order *order, const struct command *c, uint32_t open)
{
    struct event event = {.type = EV_MODIFIED,
                          .lines = 2,
                          .session = c->session,
                          .locate = order->locate,
                          .user_ref = c->user_ref,
                          .ref = order->ref,
                          .quantity = open,
                          .price = order->price,
                          .user_ref_idx = c->user_ref_idx,
                          .side = order->side};
    event.options = c->options & (OPTION(TAG_SHARES_LOCATED) | OPTION(TAG_LOCATE_BROKER));
    event.shares_located = c->shares_located;
    if (event.options & OPTION(TAG_LOCATE_BROKER)) {
        event.lines = 3;
        memcpy(event.locate_broker, c->locate_broker, sizeof event.locate_broker);
    }
    emit_event(out, &event);
}

void order_modify(struct engine *e, const struct command *c, struct out *out)
{
    e->outcome = OUTCOME_NO_EFFECT;
    uint32_t slot = lookup_slot(e, command_key(c));
    if (slot == 0 || c->refuse != REJECT_NONE)
        return;
    struct order *order = &e->orders[slot];
    if (order->special) {
        special_modify(e, c, slot, out);
        return;
    }
    char side = order_side_change(order->side, c->side);
    uint32_t remaining = order_remaining(order, order->quantity, c->quantity);
    if (side == 0 || (side == order->side && remaining == order->quantity))
        return;
    e->outcome = OUTCOME_ACCEPTED;
    if (remaining == 0) {
        emit_canceled(out, order, order->quantity, 'U', EV_MD_DELETE);
        order_drop(e, slot);
        return;
    }
    uint32_t less = order->quantity - remaining;
    order->side = side;
    reduce(e, order, less);
    emit_modified(out, order, c, order->quantity);
    if (less) // OUCH says what is left, ITCH what has gone
        emit_less(out, order, less);
}
