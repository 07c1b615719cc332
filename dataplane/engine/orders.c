// SPDX-License-Identifier: Apache-2.0
// Enter and Replace: the checks in their order of precedence, the answer, and the way into the book.
#include "engine/orders.h"

#include "engine/numbers.h"
#include "engine/options.h"
#include "engine/place.h"
#include "engine/special.h"
#include "engine/terms.h"

// Whether the session's order entry is disabled, or its orders have an AIQ strategy by default.
static inline uint16_t session_uncommon(const struct session *session)
{
    uint16_t both;
    memcpy(&both, &session->disabled, sizeof both);
    return both;
}

// Whether the command asks for nothing but a plain order that this phase and this session take.
static inline __attribute__((always_inline)) bool plain_terms(const struct engine *e, const struct command *c,
                                                              const struct session *session, enum command_type type)
{
    uint64_t asked = terms_asked(c, type);
    return ((c->options & ~TAGS_HARMLESS) | session_uncommon(session)) == 0 &&
           (asked == e->plain_terms[0] || asked == e->plain_terms[1]);
}

// What an accepted price and TIF mean.
struct terms {
    uint32_t limit; // price, or LIMIT_MARKET_BUY, LIMIT_MARKET_SELL
    uint32_t tick_index;
    bool rests;
};

static inline __attribute__((always_inline)) uint8_t check_price(const struct book *book, const struct command *c,
                                                                 unsigned side, struct terms *terms)
{
    if (__builtin_expect(c->price <= PRICE_MAX, 1)) {
        *terms = (struct terms){c->price, book_tick_index(book, c->price), c->tif == '0'};
        return terms->tick_index ? REJECT_NONE : REJECT_PRICE;
    }
    *terms = (struct terms){side == BUY ? LIMIT_MARKET_BUY : LIMIT_MARKET_SELL, 0, false};
    return c->price == PRICE_MARKET || c->price == PRICE_MARKET_CROSS ? REJECT_NONE : REJECT_PRICE;
}

// The same with hidden or discretionary contra interest.
static __attribute__((noinline)) bool rests_unseen(const struct engine *e, uint16_t locate, unsigned side,
                                                   uint32_t limit)
{
    uint32_t hidden = e->books[locate].best[(side ^ 1) | HIDDEN];
    return price_rank(side, limit) < price_rank(side, hidden) && e->backs[locate].discretion[side ^ 1] == 0;
}

// Whether the order comes to rest without any contra order that it could have to do with.
static inline __attribute__((always_inline)) bool rests_alone(const struct engine *e, uint16_t locate, unsigned side,
                                                              const struct terms *terms)
{
    const struct book *book = &e->books[locate];
    bool rests = terms->rests & !book_crosses(book, side, terms->limit);
    if (__builtin_expect(book->uncommon[side ^ 1], 0))
        return rests && rests_unseen(e, locate, side, terms->limit);
    return rests;
}

// What an Enter's and a Replace's order have in common; the rest is the caller's.
static inline __attribute__((always_inline)) struct incoming
incoming_of(const struct command *c, const struct terms *terms, uint64_t key, uint64_t ref)
{
    return (struct incoming){.key = key,
                             .ref = ref,
                             .limit = terms->limit,
                             .price = c->price,
                             .tick_index = terms->tick_index,
                             .display = c->display,
                             .rests = terms->rests};
}

// Whether a resting order at this price needs a level that the table has no more room for. `freed`
// is a level that goes before, 0 for none.
static inline bool levels_full(struct engine *e, uint16_t locate, unsigned side, uint32_t tick_index, uint32_t freed)
{
    if (__builtin_expect(e->levels_used - (freed != 0) < e->limit.max_levels, 1))
        return false;
    uint32_t level = book_level(e, locate, side, tick_index);
    return level == 0 || level == freed || e->levels[level].head == 0;
}

static inline __attribute__((always_inline)) uint8_t check_enter(struct engine *e, const struct session *session,
                                                                 const struct command *c, struct terms *terms,
                                                                 uint32_t bucket)
{
    if (__builtin_expect(c->refuse != REJECT_NONE, 0))
        return c->refuse;
    if (__builtin_expect((c->options & OPTION(TAG_FIRM)) && !firm_permitted(e, session, c->firm), 0))
        return REJECT_FIRM;
    if (__builtin_expect(!symbol_known(e, c), 0))
        return REJECT_SYMBOL;
    if (__builtin_expect(c->side != 'B' && c->side != 'S' && c->side != 'T' && c->side != 'E', 0))
        return REJECT_SIDE;
    if (__builtin_expect(c->quantity - 1 >= QUANTITY_MAX, 0))
        return REJECT_QUANTITY;
    unsigned side = side_of(c->side);
    uint8_t reason = check_price(&e->books[c->locate], c, side, terms);
    if (__builtin_expect(reason != REJECT_NONE, 0))
        return reason;
    if (terms->rests &&
        __builtin_expect(e->live >= e->limit.max_orders || levels_full(e, c->locate, side, terms->tick_index, 0) ||
                             bucket == UINT32_MAX,
                         0))
        return REJECT_PROCESSING;
    return REJECT_NONE;
}

// The second line of an Accepted or Replaced without options to echo but UserRefIdx. `capacity` holds capacity, ISO and
// cross type, a byte each.
static inline __attribute__((always_inline)) struct line order_words(const struct command *c, uint64_t symbol,
                                                                     uint64_t old_ref, uint64_t capacity)
{
    uint64_t options = c->user_ref_idx ? OPTION(TAG_USER_REF_IDX) : 0;
    uint64_t tif_display = terms_word(c) >> TERM_SHIFT(tif) << 48;
    return (struct line){{symbol, old_ref, word_at(c->cl_ord_id),
                          (word_at(c->cl_ord_id + 8) & UINT64_C(0xFFFFFFFFFFFF)) | tif_display,
                          capacity | (uint64_t)'L' << 24 | options << 32}};
}

static inline __attribute__((always_inline)) void emit_accepted(struct out *out, const struct engine *e,
                                                                const struct command *c, uint64_t ref, uint8_t flags)
{
    struct head head = {.type = EV_ACCEPTED,
                        .lines = 2,
                        .flags = flags,
                        .session = c->session,
                        .locate = c->locate,
                        .user_ref = c->user_ref,
                        .ref = ref,
                        .quantity = c->quantity,
                        .price = c->price,
                        .channel = c->user_ref_idx,
                        .side = c->side};
    struct line second = order_words(c, word_at(c->symbol), 0, terms_word(c) >> TERM_SHIFT(capacity));
    if (__builtin_expect((c->options & TAGS_ON_ACCEPTED) == 0, 1))
        emit_two(out, head, second);
    else
        emit_with_options(out, head, second, c, &e->in_echo);
}

void order_enter(struct engine *e, const struct command *c, struct out *out)
{
    struct session *session = &e->sessions[c->session];
    if (!number_take(e, c)) {
        e->outcome = OUTCOME_DUPLICATE;
        return;
    }
    if (__builtin_expect(!plain_terms(e, c, session, CMD_ENTER), 0)) {
        special_enter(e, c, out);
        return;
    }
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    uint32_t bucket = lookup_room(e, place);
    struct terms terms;
    uint8_t reason = check_enter(e, session, c, &terms, bucket);
    if (__builtin_expect(reason != REJECT_NONE, 0)) {
        emit_rejected(out, c, reason);
        e->outcome = OUTCOME_REJECTED;
        return;
    }
    uint8_t flags = 0;
    if (__builtin_expect(c->options & TAGS_ON_ACCEPTED, 0)) {
        e->in_echo = (struct echo){0};
        echo_overlay(&e->in_echo, c);
        flags = e->in_echo.options ? ORDER_HAS_ECHO : 0;
    }
    uint64_t ref = e->next_ref++;
    e->outcome = OUTCOME_ACCEPTED;
    bool only_rests = rests_alone(e, c->locate, side_of(c->side), &terms);
    emit_accepted(out, e, c, ref, only_rests ? EV_MD_ADD : 0);
    struct incoming in = incoming_of(c, &terms, key, ref);
    in.locate = c->locate;
    in.quantity = c->quantity;
    in.side = c->side;
    in.capacity = c->capacity;
    in.tif = c->tif;
    in.group_id = c->options & OPTION(TAG_GROUP_ID) ? c->group_id : 0;
    in.flags = flags;
    if (__builtin_expect(!only_rests, 0)) {
        e->in = in;
        order_match(e, out);
        return;
    }
    uint32_t slot = slot_take(e);
    order_place(e, &in, place, bucket, slot);
    session_append(e, session, slot);
}

static inline uint8_t check_replace(struct engine *e, const struct order *order, const struct command *c,
                                    char side_name, struct terms *terms, uint32_t bucket)
{
    if (__builtin_expect(c->refuse != REJECT_NONE, 0))
        return c->refuse;
    if (__builtin_expect(side_name == 0, 0))
        return REJECT_SIDE;
    if (__builtin_expect(c->quantity - 1 >= QUANTITY_MAX || c->quantity <= order->executed, 0))
        return REJECT_QUANTITY;
    unsigned side = side_of(side_name);
    uint8_t reason = check_price(&e->books[order->locate], c, side, terms);
    if (__builtin_expect(reason != REJECT_NONE || !terms->rests, 0))
        return reason;
    uint32_t freed = (order->next | order->prev) == 0 ? order->level : 0;
    if (__builtin_expect(levels_full(e, order->locate, side, terms->tick_index, freed) || bucket == UINT32_MAX, 0))
        return REJECT_PROCESSING;
    return REJECT_NONE;
}

static inline __attribute__((always_inline)) void emit_replaced(struct out *out, const struct engine *e,
                                                                const struct command *c, const struct order *original,
                                                                const struct incoming *in, uint8_t flags)
{
    struct head head = {.type = EV_REPLACED,
                        .lines = 2,
                        .flags = flags,
                        .session = c->session,
                        .locate = in->locate,
                        .user_ref = c->user_ref,
                        .other_user_ref = c->orig_user_ref,
                        .ref = in->ref,
                        .quantity = in->quantity,
                        .price = in->price,
                        .channel = c->user_ref_idx,
                        .side = in->side};
    uint64_t capacity = (uint8_t)in->capacity | (uint64_t)(uint8_t)c->iso << 8 | (uint64_t)'N' << 16;
    struct line second = order_words(c, word_at(e->books[in->locate].name), original->ref, capacity);
    if (__builtin_expect((in->flags & ORDER_HAS_ECHO) == 0, 1))
        emit_two(out, head, second);
    else
        emit_with_options(out, head, second, c, &e->in_echo);
}

// Outcome (b): the original goes, the new number stays free.
static void cancel_original(struct engine *e, uint32_t slot, struct out *out)
{
    const struct order *order = &e->orders[slot];
    emit_canceled(out, order, key_session(order->key), order->quantity, 'U', EV_MD_DELETE);
    order_drop(e, slot);
    e->outcome = OUTCOME_REJECTED;
}

void order_replace(struct engine *e, const struct command *c, struct out *out)
{
    struct session *session = &e->sessions[c->session];
    if (!number_fresh(e, c)) {
        e->outcome = OUTCOME_DUPLICATE;
        return;
    }
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->orig_user_ref));
    if (slot == 0) {
        e->outcome = OUTCOME_NO_EFFECT;
        return;
    }
    if (__builtin_expect(session->disabled, 0)) { // outcome (c)
        number_take(e, c);
        emit_rejected(out, c, REJECT_FIRM);
        e->outcome = OUTCOME_REJECTED;
        return;
    }
    struct order *order = &e->orders[slot];
    if (__builtin_expect(order->special != 0 || !plain_terms(e, c, session, CMD_REPLACE), 0)) {
        special_replace(e, c, slot, out);
        return;
    }
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    uint32_t bucket = lookup_room(e, place);
    struct terms terms;
    char side = c->options & OPTION(TAG_SIDE) ? order_side_change(order->side, c->side) : order->side;
    if (__builtin_expect(check_replace(e, order, c, side, &terms, bucket) != REJECT_NONE, 0)) {
        cancel_original(e, slot, out);
        return;
    }
    number_take(e, c);
    struct incoming in = incoming_of(c, &terms, key, e->next_ref++);
    in.quantity = c->quantity - order->executed;
    in.executed = order->executed;
    in.locate = order->locate;
    in.group_id = order->group_id;
    in.side = side;
    in.capacity = order->capacity;
    in.tif = c->tif;
    in.flags = order->flags & ORDER_HAS_ECHO;
    if (__builtin_expect((order->flags & ORDER_HAS_ECHO) || c->options & TAGS_ON_REPLACED, 0)) {
        e->in_echo = order->flags & ORDER_HAS_ECHO ? e->echoes[slot] : (struct echo){0};
        echo_overlay(&e->in_echo, c);
        in.flags |= ORDER_HAS_ECHO;
    }
    e->outcome = OUTCOME_ACCEPTED;
    bool only_rests = rests_alone(e, in.locate, side_of(side), &terms);
    emit_replaced(out, e, c, order, &in, only_rests ? EV_MD_REPLACE : EV_MD_DELETE);
    if (__builtin_expect(!only_rests, 0)) {
        e->in = in;
        order_drop(e, slot);
        order_match(e, out);
        return;
    }
    lookup_remove(e, slot);
    book_remove(e, slot, order->price == in.price);
    session_unlink(e, session, slot);
    order_place(e, &in, place, bucket, slot);
    session_append(e, session, slot);
}

// Reduces the open quantity in place; the order keeps its priority.
static void reduce(struct engine *e, struct order *order, uint32_t by)
{
    order->quantity -= by;
    e->levels[order->level].quantity -= by;
}

void order_cancel(struct engine *e, const struct command *c, struct out *out)
{
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->user_ref));
    if (slot == 0 || __builtin_expect(c->refuse != REJECT_NONE, 0)) {
        e->outcome = OUTCOME_NO_EFFECT;
        return;
    }
    struct order *order = &e->orders[slot];
    if (__builtin_expect(order->special != 0, 0)) {
        special_cancel(e, c, slot, out);
        return;
    }
    uint32_t remaining = order_remaining(order, order->quantity, c->quantity);
    e->outcome = OUTCOME_ACCEPTED;
    if (__builtin_expect(remaining == 0, 1)) {
        emit_canceled(out, order, c->session, order->quantity, 'U', EV_MD_DELETE);
        order_drop(e, slot);
    } else if (remaining < order->quantity) {
        emit_canceled(out, order, c->session, order->quantity - remaining, 'U', EV_MD_REDUCE);
        reduce(e, order, order->quantity - remaining);
    } else {
        e->outcome = OUTCOME_NO_EFFECT;
    }
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
    if (c->user_ref_idx)
        event.options |= OPTION(TAG_USER_REF_IDX);
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
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->user_ref));
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
        emit_canceled(out, order, c->session, order->quantity, 'U', EV_MD_DELETE);
        order_drop(e, slot);
        return;
    }
    uint32_t less = order->quantity - remaining;
    order->side = side;
    reduce(e, order, less);
    emit_modified(out, order, c, order->quantity);
    if (less) // OUCH says what is left, ITCH what has gone
        emit_canceled(out, order, SESSION_NONE, less, 'U', EV_MD_REDUCE);
}
