// SPDX-License-Identifier: Apache-2.0
// Orders by message: each handler takes one order-entry command of a session that is up, writes events and sets the
// outcome.
#ifndef CROSSWIRE_ENGINE_ORDERS_H
#define CROSSWIRE_ENGINE_ORDERS_H

#include "engine/emit.h"
#include "engine/state.h"

static inline bool symbol_known(const struct engine *e, const struct command *c)
{
    return c->locate != LOCATE_NONE && c->locate <= e->limit.max_symbols && e->books[c->locate].tick != 0 &&
           word_at(e->books[c->locate].name) == word_at(c->symbol);
}

// The side of the order after a replace or modify that asks for `asked`: S may become T or E, E may become T. 0: not
// allowed.
static inline char order_side_change(char now, char asked)
{
    if (now == asked || (now == 'S' && (asked == 'T' || asked == 'E')) || (now == 'E' && asked == 'T'))
        return asked;
    return 0;
}

// Open quantity that a total of `quantity` for the chain leaves of the `open` that there is.
static inline uint32_t order_remaining(const struct order *order, uint32_t open, uint32_t quantity)
{
    uint32_t remaining = quantity > order->executed ? quantity - order->executed : 0;
    return remaining < open ? remaining : open;
}

// Modified; `open` is what is left of the order.
void emit_modified(struct out *out, const struct order *order, const struct command *c, uint32_t open);

// The frequent ones are a step of their own: they return how many events they wrote. Those of `_risk` are for days with
// risk, with or without an aim; the others for days without.
unsigned order_enter(struct engine *e, const struct command *c, struct event *events);
unsigned order_enter_any(struct engine *e, const struct command *c, struct event *events); // also refused ones
unsigned order_replace(struct engine *e, const struct command *c, struct event *events);
unsigned order_cancel(struct engine *e, const struct command *c, struct event *events);
unsigned order_enter_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                          struct event *events);
unsigned order_replace_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                            struct event *events);
unsigned order_cancel_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                           struct event *events);
void order_modify(struct engine *e, const struct command *c, struct out *out);

// Matches e->in against the book, then rests or cancels what is left. Sets e->left when `out` is full.
void order_match(struct engine *e, struct out *out);

#endif
