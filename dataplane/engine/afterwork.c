// SPDX-License-Identifier: Apache-2.0
#include "engine/afterwork.h"

#include "engine/book.h"
#include "engine/conditional.h"
#include "engine/kill.h"
#include "engine/market.h"
#include "engine/match_general.h"
#include "engine/pegs.h"
#include "engine/place.h"
#include "engine/settle.h"
#include "engine/special.h"
#include "engine/triggers.h"

// Books, pegs and stops that a step looks at before it pauses.
#define LOOKS_MAX 2048u

enum { STAGE_LOOK, STAGE_ROUND, STAGE_STOPS };

// The live order that general_retake has prepared takes what it can. False: more to come in a later step.
static bool take(struct engine *e, struct out *out)
{
    e->after.taking = true;
    if (!match_general(e, out))
        return false;
    e->after.taking = false;
    return true;
}

static bool follow(struct engine *e, uint32_t peg, struct out *out)
{
    const struct special *s = &e->specials[peg];
    struct order *order = &e->orders[s->slot];
    uint32_t now = order->level ? order->price : 0;
    uint32_t price = peg_price(e, order->locate, side_of(order->side), s->price_type, s->peg_offset, peg_cap(s));
    if (price == now)
        return true;
    if (price == 0) {
        special_leave(e, s->slot);
        order_risk_take(e, order, 0);
        order->price = s->asked;
        order_risk_add(e, order, 0);
        risk_look(e, key_session(order->key));
        return true;
    }
    general_retake(e, s->slot, price, price, true);
    return take(e, out);
}

static bool follow_all(struct engine *e, uint16_t locate, struct out *out, unsigned *looks)
{
    struct after *after = &e->after;
    const struct book *book = &e->books[locate];
    while (after->cursor && !market_stands_still(e, book, locate)) {
        if (*looks == 0 || (e->kills_pending | e->unsettled))
            return false;
        --*looks;
        uint32_t peg = after->cursor;
        after->cursor = e->specials[peg].next; // conditional_remove moves it on
        if (!follow(e, peg, out))
            return false;
    }
    return true;
}

static void emit_priority(struct out *out, const struct order *order)
{
    struct event event = {.type = EV_PRIORITY,
                          .lines = 2,
                          .session = key_session(order->key),
                          .locate = order->locate,
                          .user_ref = key_user_ref(order->key),
                          .ref = order->ref,
                          .quantity = order->quantity,
                          .price = order->price,
                          .user_ref_idx = key_channel(order->key),
                          .side = order->side};
    event.display = order->display;
    emit_event(out, &event);
}

static bool release(struct engine *e, uint32_t stop, struct out *out)
{
    struct special *s = &e->specials[stop];
    struct order *order = &e->orders[s->slot];
    order->ref = e->next_ref++;
    emit_priority(out, order);
    conditional_remove(e, stop);
    s->trigger_type = 0;
    bool market = order->price > PRICE_MAX;
    general_retake(e, s->slot, s->limit, order->price, !market && order->tif != '3');
    return take(e, out);
}

static bool pegs_wait(const struct engine *e, uint16_t locate)
{
    const struct book_back *back = &e->backs[locate];
    const struct book *book = &e->books[locate];
    return back->pegs != 0 && (back->looked[BUY] != book->best[BUY] || back->looked[SELL] != book->best[SELL]);
}

// Rounds of pegs until the best prices stand still, then a stop, and again. False: more to come in a later step or
// when what waits has been settled and kills that are pending have been carried out.
static bool follow_book(struct engine *e, uint16_t locate, struct out *out, unsigned *looks)
{
    struct after *after = &e->after;
    struct book_back *back = &e->backs[locate];
    const struct book *book = &e->books[locate];
    while (!market_stands_still(e, book, locate)) {
        if (e->kills_pending | e->unsettled)
            return false;
        if (after->stage == STAGE_LOOK) {
            after->stage = pegs_wait(e, locate) ? STAGE_ROUND : STAGE_STOPS;
            if (after->stage == STAGE_ROUND) {
                back->looked[BUY] = book->best[BUY];
                back->looked[SELL] = book->best[SELL];
                after->cursor = back->pegs;
            }
        }
        if (after->stage == STAGE_ROUND) {
            if (!follow_all(e, locate, out, looks))
                return false;
            after->stage = STAGE_LOOK;
            continue;
        }
        if ((book->watch & WATCH_STOPS) == 0)
            return true;
        if (*looks == 0)
            return false;
        uint32_t stop = triggers_first(e, locate, looks);
        if (stop == 0)
            return true;
        after->stage = STAGE_LOOK;
        if (!release(e, stop, out))
            return false;
    }
    after->cursor = 0;
    return true;
}

// Pegs and stops, then the market; it may have moved the bands, and then pegs come again.
static bool look_after(struct engine *e, uint16_t locate, struct out *out, unsigned *looks)
{
    const struct book *book = &e->books[locate];
    for (;;) {
        if (!follow_book(e, locate, out, looks) || !market_after(e, locate, out))
            return false;
        e->after.stage = STAGE_LOOK;
        if (!pegs_wait(e, locate) || market_stands_still(e, book, locate))
            return true;
    }
}

// The first dirty book; there is one.
static uint32_t next_dirty(const struct engine *e)
{
    uint32_t word = 0;
    while (e->dirty[word] == 0)
        word++;
    return word * 64 + (uint32_t)__builtin_ctzll(e->dirty[word]);
}

// Goes on until `out` is full, a limit wants something killed, or all is done. Returns true when nothing is to be
// settled and no book is dirty any more.
static bool afterwork(struct engine *e, struct out *out)
{
    struct after *after = &e->after;
    unsigned looks = LOOKS_MAX;
    if (after->taking && !take(e, out))
        return false;
    for (;;) {
        if ((e->unsettled && !settle_run(e, out, &looks)) || e->kills_pending)
            return false;
        if (e->dirty_books == 0)
            break;
        if (after->locate == LOCATE_NONE) // one at work stays dirty until it is done, whatever settling makes dirty
            *after = (struct after){.locate = next_dirty(e), .stage = STAGE_LOOK};
        uint32_t locate = after->locate;
        if (looks == 0)
            return false;
        if (!look_after(e, (uint16_t)locate, out, &looks)) {
            if (after->taking || !e->unsettled)
                return false;
            continue;
        }
        if (looks)
            looks--;
        e->dirty[locate / 64] &= ~(UINT64_C(1) << locate % 64);
        e->dirty_books--;
        after->locate = LOCATE_NONE;
    }
    *after = (struct after){0};
    return true;
}

unsigned afterwork_begin(struct engine *e, struct event *events, unsigned count)
{
    if (e->left.work != WORK_NONE)
        return count;
    struct out out = out_open(e, events);
    out.count = count;
    do {
        xw_assert(!e->kills_pending || !e->after.taking); // nothing takes while a kill waits
        if (e->kills_pending && !e->unsettled)
            kill_pending(e, &out);
        else if ((out_full(&out) || !afterwork(e, &out)) && (!e->kills_pending || e->unsettled))
            e->left.work = WORK_AFTER;
    } while (e->left.work == WORK_NONE && e->pending);
    return out_close(e, &out);
}
