// SPDX-License-Identifier: Apache-2.0
#include "engine/phases.h"

#include "engine/day.h"
#include "engine/market.h"
#include "engine/slots.h"
#include "engine/special.h"
#include "engine/terms.h"

#define WALK_MAX 2048u // orders that a step looks at before it pauses

void phase_set(struct engine *e, char phase)
{
    e->phase = phase ? phase : PHASE_REGULAR;
    // A word that no command's terms can be: nothing is plain then, and the long way finds the reason.
    e->plain_day = e->phase == PHASE_REGULAR ? terms_plain('0') : TERMS_NEVER;
    e->plain_ioc = e->phase == PHASE_CLOSED ? TERMS_NEVER : terms_plain('3');
}

int phase_rank(char phase)
{
    switch (phase) {
    case PHASE_PRE:
        return 0;
    case PHASE_REGULAR:
        return 1;
    case PHASE_AFTER:
        return 2;
    case PHASE_CLOSED:
        return 3;
    default:
        return -1;
    }
}

void phase_change(struct engine *e, const struct command *c, struct out *out)
{
    char phase = c->phase.phase;
    if (e->day != DAY_OPEN || phase_rank(phase) <= phase_rank(e->phase))
        return;
    char before = e->phase;
    phase_set(e, phase);
    // In side stands the phase before. Only regular hours and the whole day leave something to cancel.
    e->left = (struct unfinished){.work = WORK_PHASE, .side = before};
    bool cancels = phase == PHASE_CLOSED || before == PHASE_REGULAR;
    e->left.cursor_stage = cancels ? 0 : e->limit.max_sessions;
    phase_continue(e, out);
}

// Cancels what does not live in the new phase, session by session. False: the rest is for later steps.
static bool cancel_over(struct engine *e, struct out *out)
{
    struct unfinished *left = &e->left;
    for (unsigned looked = 0;; looked++) {
        if (left->cursor == 0) { // cursor_stage: the next session
            if (left->cursor_stage >= e->limit.max_sessions)
                return true;
            left->cursor = session_oldest(e, left->cursor_stage++);
            continue;
        }
        if (looked >= WALK_MAX || out_full(out))
            return false;
        uint32_t slot = left->cursor;
        left->cursor = session_next(e, slot);
        if (e->phase == PHASE_CLOSED || e->orders[slot].tif == '0')
            order_cancel_whole(e, out, slot, 'E');
    }
}

#define PHASE_EVENTS 2

void phase_continue(struct engine *e, struct out *out)
{
    if (!cancel_over(e, out) || out->count + PHASE_EVENTS > ENGINE_EVENTS_MAX)
        return;
    if (e->left.side == PHASE_REGULAR)
        emit_system(out, 'M', EV_MD_OTHER);
    if (e->phase == PHASE_REGULAR)
        emit_system(out, 'Q', EV_MD_OTHER);
    if (e->phase == PHASE_CLOSED)
        emit_system(out, 'E', EV_MD_OTHER);
    e->left.work = WORK_NONE;
    market_phase(e, out);
}

// ---- orders that live to a time: a binary heap by expiry, then entry -----------------------------------------------

static bool sooner(const struct engine *e, uint32_t a, uint32_t b)
{
    const struct special *x = &e->specials[a], *y = &e->specials[b];
    return x->expire_ns != y->expire_ns ? x->expire_ns < y->expire_ns : x->entered < y->entered;
}

static void put(struct engine *e, uint32_t place, uint32_t special)
{
    e->heap[place] = special;
    e->specials[special].heap = place;
}

static void rise(struct engine *e, uint32_t place, uint32_t special)
{
    for (; place > 1 && sooner(e, special, e->heap[place / 2]); place /= 2)
        put(e, place, e->heap[place / 2]);
    put(e, place, special);
}

static void sink(struct engine *e, uint32_t place, uint32_t special)
{
    for (uint32_t child; (child = place * 2) <= e->heap_count; place = child) {
        if (child < e->heap_count && sooner(e, e->heap[child + 1], e->heap[child]))
            child++;
        if (!sooner(e, e->heap[child], special))
            break;
        put(e, place, e->heap[child]);
    }
    put(e, place, special);
}

void expiry_add(struct engine *e, uint32_t special)
{
    xw_assert(e->heap_count < e->limit.max_special && e->specials[special].heap == 0);
    rise(e, ++e->heap_count, special);
}

void expiry_remove(struct engine *e, uint32_t special)
{
    uint32_t place = e->specials[special].heap;
    if (place == 0)
        return;
    uint32_t last = e->heap[e->heap_count--];
    e->specials[special].heap = 0;
    if (last == special)
        return;
    if (place > 1 && sooner(e, last, e->heap[place / 2]))
        rise(e, place, last);
    else
        sink(e, place, last);
}

void expiry_run(struct engine *e, struct out *out)
{
    while (e->heap_count && e->specials[e->heap[1]].expire_ns <= e->time_ns) {
        if (out_full(out)) {
            e->left.work = WORK_EXPIRY;
            return;
        }
        order_cancel_whole(e, out, e->specials[e->heap[1]].slot, 'T');
    }
    e->left.work = WORK_NONE;
}
