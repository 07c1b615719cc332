// SPDX-License-Identifier: Apache-2.0
// All checks of risk.md for a plain order at a glance. Each is at least as strict as the one in risk_check.c and has no
// effect before all have passed; an order that one of them stops is looked at by that one, which decides. So what
// stands here changes no answer.
#ifndef CROSSWIRE_ENGINE_RISK_PLAIN_H
#define CROSSWIRE_ENGINE_RISK_PLAIN_H

#include "engine/collar.h"
#include "engine/risk.h"
#include "engine/terms.h"

// Works out what a symbol keeps ready of the tightest limits: its mark, or one of them, has changed.
void risk_symbol_refresh(struct engine *e, uint16_t locate);

// A plain order that is about to be taken, at `price`; of a Replace, `open` and `open_price` are the original's.
struct risk_plain {
    uint64_t terms;
    uint16_t session;
    unsigned side;
    uint32_t quantity, price;
    uint32_t counted;  // price that it counts at (risk.md section 4)
    uint32_t position; // number; 0: none yet
    uint32_t open, open_price;
    int orders; // 1: an Enter, 0: a Replace
};

// What any plain order may ask for.
#define PLAIN_ASKS                                                                                                \
    (LOOK_CLOSELY | FORBID_ALL | FORBID_WITHOUT_STOP_LOSS | FORBID_IOC | FORBID_PRE_MARKET | FORBID_POST_MARKET | \
     FORBID_SHORT | FORBID_SHORT_EXEMPT | FORBID_SHORT_UNLOCATED)

// The permissions that a plain order needs.
static inline uint32_t plain_asks(const struct engine *e, uint64_t terms)
{
    char side = terms_side(terms);
    uint32_t asks = FORBID_ALL | FORBID_WITHOUT_STOP_LOSS;
    asks |= (terms & TERM(tif, UINT8_MAX)) == TERM(tif, '3') ? FORBID_IOC : 0;
    asks |= e->phase == PHASE_PRE ? FORBID_PRE_MARKET : e->phase == PHASE_AFTER ? FORBID_POST_MARKET : 0;
    asks |= side == 'T' ? FORBID_SHORT | FORBID_SHORT_UNLOCATED : 0;
    return asks | (side == 'E' ? FORBID_SHORT_EXEMPT | FORBID_SHORT_UNLOCATED : 0);
}

#define OR_CLOSELY(condition)                 \
    do {                                      \
        if (__builtin_expect((condition), 0)) \
            return false;                     \
    } while (0)

// How an order is looked at: at a glance, without a call, where all that is kept ready says that it fits, or with what
// its session, symbol and parties have.
enum look { AT_A_GLANCE, ONCE_MORE };

// The order alone within its session's and symbol's fat finger; what of both is tighter than the symbol keeps ready.
static __attribute__((noinline)) bool fat_finger_fits(const struct engine *e, const struct session_line *line,
                                                      uint16_t locate, int64_t beyond)
{
    const struct fat_finger *session = &line->fat, *symbol = &e->symbol_paces[locate].fat;
    const uint32_t mark = risk_mark(e, locate);
    const uint32_t ppm = session->ppm < symbol->ppm ? session->ppm : symbol->ppm;
    const uint32_t ticks = session->ticks < symbol->ticks ? session->ticks : symbol->ticks;
    return beyond * 1000000 <= (int64_t)((uint64_t)mark * ppm) &&
           beyond <= (int64_t)((uint64_t)ticks * e->books[locate].tick);
}

// Whether a price goes through the best of the other side by no more than anybody's collar.
static inline bool collar_near(const struct engine *e, const struct book *book, unsigned side, uint32_t price)
{
    const uint32_t best = book->best[side ^ 1];
    const int64_t beyond = side_turn(side, (int64_t)price - best);
    return collar_price(best) && beyond * 1000000 <= (int64_t)((uint64_t)best * e->risk.tightest.collar_ppm);
}

// Checks 3 and 6: permissions, and the order alone.
static inline __attribute__((always_inline)) bool plain_alone(struct engine *e, struct risk_plain o,
                                                              const struct session_line *line,
                                                              struct symbol_pace *symbol, uint64_t notional, bool rests,
                                                              enum look look)
{
    const uint16_t locate = terms_locate(o.terms);
    const struct book *book = &e->books[locate];
    const uint32_t forbidden = line->limits.forbidden | symbol->limits.forbidden;
    OR_CLOSELY(forbidden & PLAIN_ASKS && forbidden & (plain_asks(e, o.terms) | LOOK_CLOSELY));
    if (rests) // does not reach the best price of the other side
        OR_CLOSELY(forbidden & LOOK_COLLAR && !collar_price(book->best[o.side ^ 1]));
    else
        OR_CLOSELY(forbidden & LOOK_COLLAR && !collar_inside(book, o.side, o.price) &&
                   (look == AT_A_GLANCE || !collar_near(e, book, o.side, o.price)));
    OR_CLOSELY(o.quantity > line->limits.quantity);
    OR_CLOSELY(o.quantity > symbol->limits.quantity);
    OR_CLOSELY(notional > line->limits.notional);
    OR_CLOSELY(notional > symbol->limits.notional);
    const uint32_t mark = risk_mark(e, locate);
    if (look == ONCE_MORE)
        risk_symbol_refresh(e, locate);
    OR_CLOSELY(mark - symbol->mark_from > symbol->mark_span);
    const int32_t sells = -(int32_t)o.side, beyond = ((int32_t)(o.price - mark) ^ sells) - sells;
    OR_CLOSELY(beyond > (int32_t)symbol->reach && (look == AT_A_GLANCE || !fat_finger_fits(e, line, locate, beyond)));
    return true;
}

// Check 7.7: of the position, then of all that the firm has today, whatever the symbol.
static inline __attribute__((always_inline)) bool plain_volume(const struct symbol_pace *symbol,
                                                               const struct session_line *line,
                                                               const struct position *position, int64_t quantity,
                                                               enum look look)
{
    uint64_t used = (uint64_t)quantity;
    if (line->limits.forbidden & LOOK_FIRM_VOLUME)
        used += line->firm_quantity;
    else
        used += position->day + (uint64_t)position->working[BUY] + position->working[SELL];
    if (__builtin_expect(used <= symbol->volume, 1))
        return true;
    return look == ONCE_MORE && (line->adv_ppm == LIMIT_UNSET32 || used * 1000000 <= symbol->adv * line->adv_ppm);
}

// Check 7, but for the parties: `quantity` and `notional` are what the order adds.
static inline __attribute__((always_inline)) bool plain_held(struct risk_plain o, const struct session_line *line,
                                                             const struct symbol_pace *symbol,
                                                             const struct position *position, int64_t quantity,
                                                             int64_t notional, enum look look)
{
    unsigned side = o.side;
    OR_CLOSELY(position->state != POSITION_BEGUN);
    OR_CLOSELY(side_turn(side, position->quantity) + position->working[side] + quantity > line->most[side]);
    OR_CLOSELY(!plain_volume(symbol, line, position, quantity, look));
    int64_t cost = side_turn(side, position->cost);
    uint64_t value = positive(cost) + position->notional[side] + (uint64_t)notional;
    OR_CLOSELY(value > line->share);
    return true;
}

// Check 4: no bucket is nearly empty. Both of the session at once: `*due` is what they have with one token less.
static inline __attribute__((always_inline)) bool plain_paced(const struct engine *e, const struct tokens_pair *paced,
                                                              const struct tokens *symbol, __m128i *due)
{
    const __m128i now = _mm_set1_epi64x((long long)e->time_ns);
    const __m128i full = _mm_load_si128((const __m128i *)paced->due);
    const __m128i late = _mm_cmpgt_epi64(full - now, _mm_load_si128((const __m128i *)paced->watch));
    OR_CLOSELY(!_mm_testz_si128(late, late));
    OR_CLOSELY(tokens_ahead(symbol, e->time_ns) > symbol->watch);
    *due = _mm_blendv_epi8(now, full, _mm_cmpgt_epi64(full, now)) +
           _mm_cvtepu32_epi64(_mm_loadl_epi64((const __m128i *)paced->step));
    return true;
}

// Check 5: an order that passes counts in this place of its kind, or has none yet and counts as the first.
struct unlike {
    struct alike_kind kind;
    uint32_t count; // with it; 0: nobody counts
};

static inline __attribute__((always_inline)) bool plain_unlike(struct engine *e, struct risk_plain o,
                                                               const struct session_line *line, struct unlike *unlike)
{
    const uint32_t instrument = (uint32_t)o.terms & RATES_INSTRUMENT;
    const uint64_t amount = alike_amount(o.quantity, o.price);
    if (!o.orders || line->alike.most == ALIKE_ANY)
        return true;
    unlike->kind = alike_find(&line->tags, &e->alikes[o.session], instrument, amount);
    unlike->count = alike_count(&unlike->kind, &line->alike, e->time_ns) + 1;
    OR_CLOSELY(unlike->count > line->alike.most);
    OR_CLOSELY(unlike->count != 1 && unlike->count == e->paces[o.session].alike_tell);
    return true;
}

static inline __attribute__((always_inline)) void unlike_take(struct engine *e, uint16_t session,
                                                              struct session_line *line, const struct unlike *unlike)
{
    if (unlike->count == 1)
        alike_begin(&line->tags, &e->alikes[session], &line->alike, &unlike->kind, e->time_ns);
    else if (unlike->count)
        unlike->kind.place->count = unlike->count;
}

// What the session's room is with the order.
static inline __attribute__((always_inline)) void plain_room(const struct session_line *line, struct risk_plain o,
                                                             int64_t more, int64_t money, risk_lanes room[2])
{
    static const risk_lanes nets[] = {{UINT64_MAX, 0, 0, 0}, {0, UINT64_MAX, 0, 0}};
    const __m256i both = _mm256_castsi128_si256(_mm_set_epi64x(money, more));
    const __m256i orders = _mm256_set1_epi64x(o.orders);
    const __m256i low = _mm256_blend_epi32(_mm256_permute4x64_epi64(both, 0x05), orders, 0xC0); // money, money, more
    const __m256i high = _mm256_permute4x64_epi64(both, 0x55);
    room[0] = line->room[0] - (risk_lanes)low;
    room[1] = line->room[1] - ((risk_lanes)high & nets[o.side]);
}

// The session's lease has no room for what the order takes: whether its parties have. With `rests` they have it then.
static __attribute__((noinline)) bool plain_exceeds(struct engine *e, struct session_line *line, unsigned side,
                                                    int64_t more, int64_t money, int64_t orders, bool rests)
{
    const struct lease_change taken = taken_lanes(side, more, money, orders);
    if (!lease_fits_closely(e, line, taken.low, taken.high))
        return false;
    if (rests)
        lease_add(e, line, taken);
    return true;
}

// All of them. True: the order may be taken, rates and duplicates have counted it, and with `rests` so have the
// position and the parties, a Replace's original being theirs no more.
static inline __attribute__((always_inline)) bool risk_pass(struct engine *e, struct risk_plain o, bool rests,
                                                            enum look look)
{
    struct session_line *line = &e->risk.lines[o.session];
    struct tokens_pair *paced = &e->sessions[o.session].paced;
    struct symbol_pace *symbol = &e->symbol_paces[terms_locate(o.terms)];
    struct position *position = &e->risk.positions[o.position];
    const uint64_t notional = (uint64_t)o.quantity * o.counted;
    const int64_t more = (int64_t)o.quantity - o.open;
    const int64_t money = (int64_t)notional - (int64_t)((uint64_t)o.open * o.open_price);
    struct unlike unlike = {.count = 0};
    risk_lanes room[2];
    __m128i due;
    OR_CLOSELY(e->slowing | e->mode.block);
    if (!plain_alone(e, o, line, symbol, notional, rests, look) || !plain_paced(e, paced, &symbol->orders, &due) ||
        !plain_held(o, line, symbol, position, more, money, look) || !plain_unlike(e, o, line, &unlike))
        return false;
    plain_room(line, o, more, money, room);
    if (__builtin_expect(lease_exceeded(room[0] | room[1]), 0)) {
        if (look == AT_A_GLANCE || !plain_exceeds(e, line, o.side, more, money, o.orders, rests))
            return false;
    } else if (rests) {
        line->room[0] = room[0];
        line->room[1] = room[1];
    }
    if (rests) { // plain to risk: in no group that is kept
        position->working[o.side] += (uint32_t)more;
        position->notional[o.side] += (uint64_t)money;
    }
    _mm_store_si128((__m128i *)paced->due, due);
    tokens_take_plainly(&symbol->orders, e->time_ns);
    unlike_take(e, o.session, line, &unlike);
    return true;
}

#endif
