// SPDX-License-Identifier: Apache-2.0
// Enter and Replace: the checks in their order of precedence, the answer, and the way into the book.
#include "engine/orders.h"

#include "contract/fault.h"

#include "engine/afterwork.h"
#include "engine/numbers.h"
#include "engine/options.h"
#include "engine/place.h"
#include "engine/special.h"
#include "engine/terms.h"

// Whether the command asks for nothing but a plain order that this phase and this session take.
static inline __attribute__((always_inline)) bool plain_terms(const struct engine *e, const struct command *c,
                                                              enum command_type type)
{
    uint64_t asked = terms_asked(c, type);
    return ((c->options & ~TAGS_HARMLESS) | e->sessions[c->session].unplain) == 0 &&
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

// Whether the order comes to rest without any contra order that it could have to do with.
static bool rests_alone(const struct engine *e, uint16_t locate, unsigned side, const struct terms *terms)
{
    const struct book *book = &e->books[locate];
    bool rests = terms->rests & !book_crosses(book, side, terms->limit);
    if (__builtin_expect(rests & book->uncommon[side ^ 1], 0))
        return price_rank(side, terms->limit) < price_rank(side, book->best[(side ^ 1) | HIDDEN]) &&
               e->backs[locate].discretion[side ^ 1] == 0;
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
                             .terms = terms_word(c),
                             .rests = terms->rests};
}

// Whether a resting order at this price needs a level that the table has no more room for. `freed`
// is a level that goes before, 0 for none.
static inline bool levels_full(struct engine *e, uint16_t locate, unsigned side, uint32_t tick_index, uint32_t freed)
{
    if (__builtin_expect(e->levels_used - (freed != 0) < e->levels_limit, 1))
        return false;
    uint32_t level = book_level(e, locate, side, tick_index);
    return level == 0 || level == freed || e->levels[level].head == 0;
}

static uint8_t check_enter(struct engine *e, const struct session *session, const struct command *c,
                           struct terms *terms, uint32_t bucket)
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
        __builtin_expect(!slot_room(e) || levels_full(e, c->locate, side, terms->tick_index, 0) || bucket == UINT32_MAX,
                         0))
        return REJECT_PROCESSING;
    return REJECT_NONE;
}

// The second line of an Accepted or Replaced without options to echo but UserRefIdx. Of `terms` this takes all behind
// the side.
static inline __attribute__((always_inline)) struct line order_words(const struct command *c, uint64_t symbol,
                                                                     uint64_t old_ref, uint64_t terms)
{
    uint64_t options = c->user_ref_idx ? OPTION(TAG_USER_REF_IDX) : 0;
    uint64_t tif_display = terms >> TERM_SHIFT(tif) << 48;
    return (struct line){{symbol, old_ref, word_at(c->cl_ord_id),
                          (word_at(c->cl_ord_id + 8) & UINT64_C(0xFFFFFFFFFFFF)) | tif_display,
                          terms >> TERM_SHIFT(capacity) | (uint64_t)'L' << 24 | options << 32}};
}

static inline __attribute__((always_inline)) struct head accepted_head(const struct command *c, uint64_t terms,
                                                                       uint64_t ref, uint8_t flags)
{
    return (struct head){.type = EV_ACCEPTED,
                         .lines = 2,
                         .flags = flags,
                         .session = c->session,
                         .locate = terms_locate(terms),
                         .user_ref = c->user_ref,
                         .ref = ref,
                         .quantity = c->quantity,
                         .price = c->price,
                         .channel = c->user_ref_idx,
                         .side = terms_side(terms)};
}

static void emit_accepted(struct out *out, const struct engine *e, const struct command *c, uint64_t ref, uint8_t flags)
{
    struct head head = accepted_head(c, terms_word(c), ref, flags);
    struct line second = order_words(c, word_at(c->symbol), 0, terms_word(c));
    if (__builtin_expect((c->options & TAGS_ON_ACCEPTED) == 0, 1))
        emit_two(out, head, second);
    else
        emit_with_options(out, head, second, c, &e->in_echo);
}

// An Enter of any kind: every check in its order. What is not plain goes on in special_enter.
static __attribute__((noinline)) unsigned enter_any(struct engine *e, const struct command *c, struct event *events)
{
    struct session *session = &e->sessions[c->session];
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_NONE;
    if (!number_take(e, c) && !FAULT(duplicate_accepted)) {
        e->outcome = OUTCOME_DUPLICATE;
        return 0;
    }
    if (!plain_terms(e, c, CMD_ENTER)) {
        special_enter(e, c, &out);
        return step_close(e, &out);
    }
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    uint32_t bucket = lookup_room(e, place);
    struct terms terms;
    uint8_t reason = check_enter(e, session, c, &terms, bucket);
    if (__builtin_expect(reason != REJECT_NONE, 0)) {
        emit_rejected(&out, c, reason);
        e->outcome = OUTCOME_REJECTED;
        return step_close(e, &out);
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
    emit_accepted(&out, e, c, ref, only_rests ? EV_MD_ADD : 0);
    e->in = incoming_of(c, &terms, key, ref);
    e->in.quantity = c->quantity;
    e->in.group_id = c->options & OPTION(TAG_GROUP_ID) ? c->group_id : 0;
    e->in.flags = flags;
    if (only_rests) {
        uint32_t slot = slot_take(e);
        order_place(e, &e->in, place, bucket, slot);
        order_keep_echo(e, e->in.flags, slot);
        session_append(e, c->session, slot);
    } else {
        order_match(e, &out);
    }
    return step_close(e, &out);
}

// Sides as bits from 'B' on.
#define SIDE_BIT(side) (1u << ((side) - 'B'))
#define SIDES (SIDE_BIT('B') | SIDE_BIT('E') | SIDE_BIT('S') | SIDE_BIT('T'))

static inline bool side_known(char side)
{
    unsigned bit = (unsigned char)side - 'B';
    return bit < 32 && SIDES >> bit & 1;
}

// Tags that neither ask for anything nor are echoed with a value.
#define TAGS_PLAIN (OPTION(TAG_USER_REF_IDX) | OPTION(TAG_LOCATE_BROKER))

// Whether the command is a displayed day order with nothing to refuse or echo, in a phase that takes such, and nothing
// hidden or discretionary rests on the contra side. `asks` is what its terms ask for, `plain` what they may.
static inline __attribute__((always_inline)) bool plain(const struct command *c, uint64_t asks, uint64_t plain,
                                                        const struct book *book, unsigned side, uint32_t tick_index)
{
    return (asks == plain) & ((c->options & ~TAGS_PLAIN) == 0) & ((c->refuse | book->uncommon[side ^ 1]) == 0) &
           (c->price <= PRICE_MAX) & (tick_index != 0) & (c->quantity - 1 < QUANTITY_MAX);
}

// The plain way of an order that is going to rest; whatever else it may be goes through enter_any, with nothing
// touched.
unsigned order_enter(struct engine *e, const struct command *c, struct event *events)
{
    uint64_t terms = terms_word(c);
    uint16_t locate = terms_locate(terms);
    unsigned side = side_of(terms_side(terms));
    if (__builtin_expect(locate > e->symbols_limit, 0))
        return enter_any(e, c, events);
    const struct book *book = &e->books[locate];
    uint32_t tick_index = book_tick_index(book, c->price);
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    if (__builtin_expect(
            !plain(c, terms & (TERMS_READ | TERM(cross, UINT8_MAX)), e->plain_enter, book, side, tick_index), 0) ||
        __builtin_expect(!side_known(terms_side(terms)) || word_at(book->name) != word_at(c->symbol), 0) ||
        __builtin_expect(book_crosses(book, side, c->price), 0) ||
        __builtin_expect(e->sessions[c->session].unplain || !number_fresh(e, c), 0) ||
        __builtin_expect(!slot_room(e) || e->levels_used >= e->levels_limit || !lookup_room_plenty(e, place), 0))
        return enter_any(e, c, events);
    *number_last(e, c) = c->user_ref;
    uint64_t ref = e->next_ref++;
    e->outcome = OUTCOME_ACCEPTED;
    struct out out = out_open(e, events);
    emit_two(&out, accepted_head(c, terms, ref, EV_MD_ADD), order_words(c, word_at(c->symbol), 0, terms));
    struct incoming in = {
        .key = key, .ref = ref, .tick_index = tick_index, .quantity = c->quantity, .price = c->price, .terms = terms};
    uint32_t slot = slot_take(e);
    order_place(e, &in, place, lookup_first(e, place), slot);
    session_append(e, c->session, slot);
    return step_close(e, &out);
}

static uint8_t check_replace(struct engine *e, const struct order *order, const struct command *c, char side_name,
                             struct terms *terms, uint32_t bucket)
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

static inline __attribute__((always_inline)) struct head replaced_head(const struct command *c,
                                                                       const struct incoming *in, uint8_t flags)
{
    return (struct head){.type = EV_REPLACED,
                         .lines = 2,
                         .flags = flags,
                         .session = c->session,
                         .locate = terms_locate(in->terms),
                         .user_ref = c->user_ref,
                         .other_user_ref = c->orig_user_ref,
                         .ref = in->ref,
                         .quantity = in->quantity,
                         .price = in->price,
                         .channel = c->user_ref_idx,
                         .side = terms_side(in->terms)};
}

static void emit_replaced(struct out *out, const struct engine *e, const struct command *c,
                          const struct order *original, const struct incoming *in, uint8_t flags)
{
    struct head head = replaced_head(c, in, flags);
    struct line second = order_words(c, word_at(e->books[in->locate].name), original->ref, in->terms);
    if (__builtin_expect((in->flags & ORDER_HAS_ECHO) == 0, 1))
        emit_two(out, head, second);
    else
        emit_with_options(out, head, second, c, &e->in_echo);
}

// What a replacement asks for: of the command Display, TIF and ISO, of the original the rest. There is no CrossType.
static inline uint64_t replace_terms(const struct command *c, uint64_t original)
{
    uint64_t own = TERM(tif, UINT8_MAX) | TERM(display, UINT8_MAX) | TERM(iso, UINT8_MAX);
    uint64_t none = TERM(cross, UINT8_MAX);
    return (terms_word(c) & own) | (original & ~(own | none)) | TERM(cross, 'N');
}

// Outcome (b): the original goes, the new number stays free.
static void cancel_original(struct engine *e, uint32_t slot, struct out *out)
{
    const struct order *order = &e->orders[slot];
    emit_canceled(out, order, key_session(order->key), order->quantity, 'U', EV_MD_DELETE);
    order_drop(e, slot);
    e->outcome = OUTCOME_REJECTED;
}

// Puts the replacement `in` of the order in `slot` in its place, at the end of its queue.
static inline __attribute__((always_inline)) void
replace_place(struct engine *e, const struct incoming *in, struct lookup_place place, uint32_t bucket, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    uint16_t session = key_session(in->key);
    risk_take(e, session, side_of(order->side), order->quantity, order->price);
    lookup_remove(e, slot);
    book_remove(e, slot, order->price == in->price);
    session_unlink(e, slot);
    order_place(e, in, place, bucket, slot);
    session_append(e, session, slot);
}

// A Replace of any kind, of the live order in `slot`: every check in its order. What is not plain goes on in
// special_replace.
static __attribute__((noinline)) unsigned replace_any(struct engine *e, const struct command *c, uint32_t slot,
                                                      struct event *events)
{
    struct session *session = &e->sessions[c->session];
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_NONE;
    if (__builtin_expect(session->disabled, 0)) { // outcome (c)
        number_take(e, c);
        emit_rejected(&out, c, REJECT_FIRM);
        e->outcome = OUTCOME_REJECTED;
        return step_close(e, &out);
    }
    struct order *order = &e->orders[slot];
    if (order->special || !plain_terms(e, c, CMD_REPLACE)) {
        special_replace(e, c, slot, &out);
        return step_close(e, &out);
    }
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    uint32_t bucket = lookup_room(e, place);
    struct terms terms;
    char side = c->options & OPTION(TAG_SIDE) ? order_side_change(order->side, c->side) : order->side;
    if (__builtin_expect(check_replace(e, order, c, side, &terms, bucket) != REJECT_NONE, 0)) {
        cancel_original(e, slot, &out);
        return step_close(e, &out);
    }
    number_take(e, c);
    struct incoming in = incoming_of(c, &terms, key, e->next_ref++);
    in.terms = replace_terms(c, order->terms);
    in.side = side;
    in.quantity = c->quantity - order->executed;
    in.executed = order->executed;
    in.group_id = order->group_id;
    in.flags = order->flags & ORDER_HAS_ECHO;
    if (__builtin_expect((order->flags & ORDER_HAS_ECHO) || c->options & TAGS_ON_REPLACED, 0)) {
        e->in_echo = order->flags & ORDER_HAS_ECHO ? e->echoes[slot] : (struct echo){0};
        echo_overlay(&e->in_echo, c);
        in.flags |= ORDER_HAS_ECHO;
    }
    e->outcome = OUTCOME_ACCEPTED;
    bool only_rests = rests_alone(e, in.locate, side_of(side), &terms);
    emit_replaced(&out, e, c, order, &in, only_rests ? EV_MD_REPLACE : EV_MD_DELETE);
    if (only_rests) {
        replace_place(e, &in, place, bucket, slot);
        order_keep_echo(e, in.flags, slot);
    } else {
        e->in = in;
        order_drop(e, slot);
        order_match(e, &out);
    }
    return step_close(e, &out);
}

// The plain way of a replacement that is going to rest, or replace_any with nothing touched.
unsigned order_replace(struct engine *e, const struct command *c, uint32_t hint, struct event *events)
{
    if (!number_fresh(e, c)) {
        e->outcome = OUTCOME_DUPLICATE;
        return 0;
    }
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->orig_user_ref), hint);
    if (slot == 0) {
        e->outcome = OUTCOME_NO_EFFECT;
        return 0;
    }
    const struct order *order = &e->orders[slot];
    uint64_t original = order->terms;
    unsigned side = side_of(terms_side(original));
    const struct book *book = &e->books[terms_locate(original)];
    uint32_t tick_index = book_tick_index(book, c->price);
    uint64_t key = order_key(c->session, c->user_ref_idx, c->user_ref);
    struct lookup_place place = lookup_place(e, key);
    if (__builtin_expect(!plain(c, terms_word(c) & TERMS_READ, e->plain_replace, book, side, tick_index), 0) ||
        __builtin_expect((order->flags & ~ORDER_AWAY) != 0 || c->quantity <= order->executed, 0) ||
        __builtin_expect(book_crosses(book, side, c->price), 0) ||
        __builtin_expect(e->sessions[c->session].unplain, 0) ||
        __builtin_expect(e->levels_used >= e->levels_limit || !lookup_room_plenty(e, place), 0))
        return replace_any(e, c, slot, events);
    *number_last(e, c) = c->user_ref;
    struct incoming in = {.key = key,
                          .ref = e->next_ref++,
                          .tick_index = tick_index,
                          .quantity = c->quantity - order->executed,
                          .price = c->price,
                          .terms = replace_terms(c, original),
                          .executed = order->executed,
                          .group_id = order->group_id};
    e->outcome = OUTCOME_ACCEPTED;
    struct out out = out_open(e, events);
    emit_two(&out, replaced_head(c, &in, EV_MD_REPLACE), order_words(c, word_at(book->name), order->ref, in.terms));
    replace_place(e, &in, place, lookup_first(e, place), slot);
    return step_close(e, &out);
}

// Reduces the open quantity in place; the order keeps its priority.
static void reduce(struct engine *e, struct order *order, uint32_t by)
{
    risk_take(e, key_session(order->key), side_of(order->side), by, order->price);
    order->quantity -= by;
    e->levels[order->level].quantity -= by;
}

static __attribute__((noinline)) unsigned cancel_special(struct engine *e, const struct command *c, uint32_t slot,
                                                         struct event *events)
{
    struct out out = out_open(e, events);
    special_cancel(e, c, slot, &out);
    return step_close(e, &out);
}

unsigned order_cancel(struct engine *e, const struct command *c, uint32_t hint, struct event *events)
{
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->user_ref), hint);
    if (slot == 0 || __builtin_expect(c->refuse != REJECT_NONE, 0)) {
        e->outcome = OUTCOME_NO_EFFECT;
        return 0;
    }
    struct order *order = &e->orders[slot];
    if (__builtin_expect(order->special != 0, 0))
        return cancel_special(e, c, slot, events);
    uint32_t remaining = order_remaining(order, order->quantity, c->quantity);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_ACCEPTED;
    if (__builtin_expect(remaining == 0, 1)) {
        emit_canceled(&out, order, c->session, order->quantity, 'U', EV_MD_DELETE);
        order_drop(e, slot);
    } else if (remaining < order->quantity) {
        emit_canceled(&out, order, c->session, order->quantity - remaining, 'U', EV_MD_REDUCE);
        reduce(e, order, order->quantity - remaining);
    } else {
        e->outcome = OUTCOME_NO_EFFECT;
    }
    return step_close(e, &out);
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
    uint32_t slot = lookup_find(e, order_key(c->session, c->user_ref_idx, c->user_ref), 0);
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
