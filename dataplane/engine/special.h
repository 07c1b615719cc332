// SPDX-License-Identifier: Apache-2.0
// Orders that are not plain, and what the plain way hands over: Enter and Replace with all the checks of rules.md
// section 2, and everything that happens to a live order by its owner.
#ifndef CROSSWIRE_ENGINE_SPECIAL_H
#define CROSSWIRE_ENGINE_SPECIAL_H

#include "engine/emit.h"
#include "engine/state.h"

// An Enter whose number has been taken; a Replace of the live order `slot` whose number has not.
void special_enter(struct engine *e, const struct command *c, struct out *out);
void special_replace(struct engine *e, const struct command *c, uint32_t slot, struct out *out);

// Cancel and Modify of the order `slot`, which is not plain.
void special_cancel(struct engine *e, const struct command *c, uint32_t slot, struct out *out);
void special_modify(struct engine *e, const struct command *c, uint32_t slot, struct out *out);

// Cancels any live order as a whole: Canceled with `reason` to its session, a delete where it is displayed; it is gone.
void order_cancel_whole(struct engine *e, struct out *out, uint32_t slot, char reason);

// The side whose levels the order stands in: BUY, SELL, or these with HIDDEN.
static inline unsigned order_side(const struct order *order)
{
    return side_of(order->side) | (order->display == 'N' ? HIDDEN : 0u);
}

// Puts an order that is live but without a level at the end of the queue of its price, or takes it out of it; all
// sides, with the uncommon mark.
void special_join(struct engine *e, uint32_t slot);
void special_leave(struct engine *e, uint32_t slot);

// Takes an order that is not plain out of everything.
void special_drop(struct engine *e, uint32_t slot);

// Puts the new order e->in with the instructions of e->specials[0] into every table but the book's: slot, live-order
// table, session's list, pool unless it is plain, expiries. There is room. Returns its slot; then special_join.
uint32_t special_place(struct engine *e);

// Draws the displayed part of a reserve order that has nothing displayed but all in reserve; then special_join.
void reserve_draw(struct engine *e, uint32_t slot);

// Takes `quantity` off an order that is not plain and keeps something: from its reserve, then from its displayed part.
// Returns what was displayed of it.
uint32_t special_shrink(struct engine *e, uint32_t slot, uint32_t quantity);

// WORK_ENTRY: goes on with an Enter or a Replace that has stopped on its way.
void special_resume(struct engine *e, struct out *out);

// NULL, or what is wrong with the pool or with orders outside the book; `*waiting` is how many of these there are.
const char *special_check(const struct engine *e, uint32_t *waiting);

// An entry of the pool for `slot`, a copy of entry 0; there is room. And back.
uint32_t special_take(struct engine *e, uint32_t slot);
void special_release(struct engine *e, uint32_t special);

#endif
