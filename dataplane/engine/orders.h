// SPDX-License-Identifier: Apache-2.0
// Orders by message: each handler takes one order-entry command of a session that is up, writes events and sets the
// outcome.
#ifndef CROSSWIRE_ENGINE_ORDERS_H
#define CROSSWIRE_ENGINE_ORDERS_H

#include "engine/emit.h"
#include "engine/state.h"

// The frequent ones are a step of their own: they return how many events they wrote. `hint` is a slot where the
// command's order may stand, or 0.
unsigned order_enter(struct engine *e, const struct command *c, struct event *events);
unsigned order_replace(struct engine *e, const struct command *c, uint32_t hint, struct event *events);
unsigned order_cancel(struct engine *e, const struct command *c, uint32_t hint, struct event *events);
void order_modify(struct engine *e, const struct command *c, struct out *out);

// Matches e->in against the book, then rests or cancels what is left. Sets e->left when `out` is full.
void order_match(struct engine *e, struct out *out);

#endif
