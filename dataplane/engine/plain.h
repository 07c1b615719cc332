// SPDX-License-Identifier: Apache-2.0
// Enter, Replace and Cancel of plain orders, inlined into what steps one command and what steps many. Each goes
// straight: every test that a plain order passes, nothing touched before the last of them; whatever fails one takes the
// long way with all the checks in their order.
#ifndef CROSSWIRE_ENGINE_PLAIN_H
#define CROSSWIRE_ENGINE_PLAIN_H

#include "engine/afterwork.h"
#include "engine/numbers.h"
#include "engine/orders.h"
#include "engine/place.h"
#include "engine/terms.h"

#define UNLIKELY(condition) __builtin_expect((condition), 0)

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

// ---- orders.c: where the straight way ends. As functions of their own, because registers are few.
bool plain_uncommon_fits(const struct engine *e, uint8_t uncommon, uint64_t terms, uint32_t price);
admission plain_admit_enter(struct engine *e, const struct command *c, uint64_t terms, unsigned side);
admission plain_admit_replace(struct engine *e, const struct command *c, uint64_t terms, unsigned side,
                              uint32_t original, uint32_t quantity);
unsigned plain_refuse(struct engine *e, const struct command *c, uint8_t reason, struct event *events);
unsigned plain_enter_taking(struct engine *e, const struct command *c, uint32_t tick_index, struct event *events);
unsigned plain_replace_any(struct engine *e, const struct command *c, uint32_t slot, struct event *events);
unsigned plain_replace_taking(struct engine *e, const struct command *c, uint32_t slot, uint32_t tick_index,
                              struct event *events);
unsigned plain_cancel_any(struct engine *e, const struct command *c, uint32_t slot, struct event *events);
unsigned plain_cancel_nothing(struct engine *e, struct event *events);
unsigned plain_cancel_emptied(struct engine *e, uint32_t slot, uint16_t session, struct emptied emptied,
                              struct event *events);

// step_close of a command that came straight to its end: then it is accepted, has one event, and nothing is left of it.
static inline __attribute__((always_inline)) unsigned plain_close(struct engine *e, const struct out *out,
                                                                  bool *straight)
{
    out_close(e, out);
    if (UNLIKELY(e->pending != 0))
        return afterwork_begin(e, out->events, 1);
    *straight = true;
    return 1;
}

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
         !plain_uncommon_fits(e, plain->book->uncommon[plain->side ^ 1], plain->terms, c->price)) ||
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

static inline __attribute__((always_inline)) unsigned plain_enter(struct engine *e, const struct command *c,
                                                                  const struct engine_aim *aim, struct event *events,
                                                                  bool risk, bool *straight)
{
    struct plain plain = {.key = command_key(c), .terms = terms_word(c)};
    uint64_t asks = plain.terms & TERMS_READ;
    uint32_t locate = terms_locate(plain.terms);
    plain.side = side_known(terms_side(plain.terms));
    struct session *session = &e->sessions[c->session];
    if (UNLIKELY(locate > e->symbols_limit) || UNLIKELY(plain.side > SELL) ||
        UNLIKELY(c->session >= e->trading_sessions) || UNLIKELY(session->gate != SESSION_PLAIN))
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
        return plain_enter_taking(e, c, plain.tick_index, events);
    }
    *last = user_ref;
    admission admitted = 0;
    if (risk) {
        admitted = plain_admit_enter(e, c, plain.terms, plain.side);
        if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
            return plain_refuse(e, c, admitted_reason(admitted), events);
    } else {
        exposure_add(&session->exposure, plain.side, c->quantity, c->price);
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
    order_place(e, &in, plain.side, &session->orders, plain.place, 0, slot);
    struct out out = out_open(e, events);
    emit_accepted(&out, c, terms_word(c), in.ref, EV_MD_ADD);
    e->outcome = OUTCOME_ACCEPTED;
    return plain_close(e, &out, straight);
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

static inline __attribute__((always_inline)) unsigned plain_replace(struct engine *e, const struct command *c,
                                                                    const struct engine_aim *aim, struct event *events,
                                                                    bool risk, bool *straight)
{
    e->outcome = OUTCOME_NO_EFFECT;
    if (UNLIKELY(!session_may_trade(e, c)))
        return 0;
    struct session *session = &e->sessions[c->session];
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
    if ((!day && UNLIKELY((plain.terms & TERMS_READ) != e->plain_ioc)) || UNLIKELY(session->gate != SESSION_PLAIN) ||
        UNLIKELY(c->refuse) || UNLIKELY(!plain_fits(e, c, lookup_place(e, plain.key), &plain)) ||
        UNLIKELY(order->flags & ~ORDER_AWAY) || UNLIKELY(c->quantity <= order->executed))
        return plain_replace_any(e, c, slot, events);
    *last = c->user_ref;
    if (!day || UNLIKELY(book_crosses(plain.book, plain.side, c->price)))
        return plain_replace_taking(e, c, slot, plain.tick_index, events);
    struct incoming in = {.key = plain.key,
                          .tick_index = plain.tick_index,
                          .quantity = c->quantity - order->executed,
                          .price = c->price,
                          .terms = plain.terms,
                          .executed = order->executed,
                          .group_id = order->group_id};
    if (risk) {
        const admission admitted = plain_admit_replace(e, c, plain.terms, plain.side, slot, in.quantity);
        if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
            return plain_refuse(e, c, admitted_reason(admitted), events);
        in.position = admitted_position(admitted);
    } else {
        exposure_take(&session->exposure, plain.side, order->quantity, order->price);
        exposure_add(&session->exposure, plain.side, in.quantity, in.price);
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
        order_emptied(e, order, &session->orders, emptied);
    order_place(e, &in, plain.side, &session->orders, plain.place, 0, slot);
    return plain_close(e, &out, straight);
}

static inline __attribute__((always_inline)) unsigned plain_cancel(struct engine *e, const struct command *c,
                                                                   const struct engine_aim *aim, struct event *events,
                                                                   bool risk, bool *straight)
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
        return risk ? plain_cancel_nothing(e, events) : 0;
    }
    const struct order *order = &e->orders[slot];
    if (UNLIKELY(order->special != 0) || UNLIKELY(c->quantity > order->executed))
        return plain_cancel_any(e, c, slot, events);
    struct emptied emptied = order_leave(e, slot, place);
    risk_take(e, c->session, side_of(order->side), order->quantity, order->price, order->position, 1, risk);
    struct out out = out_open(e, events);
    emit_canceled(&out, order, order->quantity, 'U', EV_MD_DELETE);
    e->outcome = OUTCOME_ACCEPTED;
    slot_release(e, slot);
    if (UNLIKELY(emptied.block | emptied.level)) {
        out_close(e, &out);
        return plain_cancel_emptied(e, slot, c->session, emptied, events);
    }
    return plain_close(e, &out, straight);
}

#endif
