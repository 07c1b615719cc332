// SPDX-License-Identifier: Apache-2.0
// Cancel and Modify of live orders that are not plain (rules.md sections 6 and 13).
#include "engine/orders.h"
#include "engine/place.h"
#include "engine/special.h"

void special_cancel(struct engine *e, const struct command *c, uint32_t slot, struct out *out)
{
    const struct order *order = &e->orders[slot];
    uint32_t open = order_open(e, order);
    uint32_t remaining = order_remaining(order, open, c->quantity);
    e->outcome = remaining == open ? OUTCOME_NO_EFFECT : OUTCOME_ACCEPTED;
    if (remaining == open)
        return;
    if (remaining == 0) {
        order_cancel_whole(e, out, slot, 'U');
        return;
    }
    uint32_t less = open - remaining, shown = special_shrink(e, slot, less);
    emit_canceled(out, order, less, 'U', shown == less ? EV_MD_REDUCE : 0);
    if (shown && shown != less) // the market has not seen the rest
        emit_less(out, order, shown);
}

void special_modify(struct engine *e, const struct command *c, uint32_t slot, struct out *out)
{
    struct order *order = &e->orders[slot];
    uint32_t open = order_open(e, order);
    uint32_t remaining = order_remaining(order, open, c->quantity);
    char side = order_side_change(order->side, c->side);
    if (side == 0 || (side == order->side && remaining == open))
        return;
    e->outcome = OUTCOME_ACCEPTED;
    if (remaining == 0) {
        order_cancel_whole(e, out, slot, 'U');
        return;
    }
    uint32_t shown = special_shrink(e, slot, open - remaining);
    order->side = side;
    emit_modified(out, order, c, remaining);
    if (shown)
        emit_less(out, order, shown);
}
