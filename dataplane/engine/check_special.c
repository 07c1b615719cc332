// SPDX-License-Identifier: Apache-2.0
// Invariants of the pool of special orders and of the orders that have no place in the book.
#include "engine/special.h"

static const char *check_free(const struct engine *e)
{
    uint32_t count = 0;
    for (uint32_t at = e->free_special; at; at = e->specials[at].slot)
        if (at > e->fresh_special || ++count > e->fresh_special)
            return "the list of free special orders leads astray";
    return count + e->special_live == e->fresh_special ? NULL : "special orders are miscounted";
}

static bool may_wait(const struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    if (e->left.work != WORK_NONE && e->in.slot == slot)
        return true;
    return order->special && e->specials[order->special].kinds & (KIND_STOP | KIND_PEG);
}

static const char *check_one(const struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    if (((order->flags & ORDER_SPECIAL) != 0) != (order->special != 0))
        return "an order's flags do not say whether it is special";
    if (order->special == 0)
        return order->level && order->display == 'Y' ? NULL : "a plain order is not displayed in the book";
    const struct special *s = &e->specials[order->special];
    if (order->special > e->fresh_special || s->slot != slot)
        return "an order and its special part do not name each other";
    if (s->reserve && (!s->refreshes || order->display == 'N' || order->level == 0))
        return "a reserve without a displayed part";
    if (s->min_qty && order->display != 'N')
        return "a displayed order has a minimum";
    if ((order->tif == '6') != (s->heap != 0))
        return "an order that expires is not in the heap, or another is";
    if (order->display == 'N' && s->max_floor)
        return "a hidden order has a displayed part";
    return NULL;
}

const char *special_check(const struct engine *e, uint32_t *waiting)
{
    uint32_t special = 0;
    *waiting = 0;
    for (uint32_t slot = 1; slot <= e->fresh_slot; slot++) {
        const struct order *order = &e->orders[slot];
        if (order->key == ORDER_FREE)
            continue;
        const char *broken = check_one(e, slot);
        if (broken)
            return broken;
        special += order->special != 0;
        if (order->level == 0 && !may_wait(e, slot))
            return "an order is outside the book that neither waits nor takes";
        *waiting += order->level == 0;
    }
    return special == e->special_live ? check_free(e) : "special orders are miscounted";
}
