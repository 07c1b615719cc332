// SPDX-License-Identifier: Apache-2.0
// Looking ahead (engine_look_ahead): what only a day with risk has to look at.
#ifndef CROSSWIRE_ENGINE_PREFETCH_H
#define CROSSWIRE_ENGINE_PREFETCH_H

#include "engine/state.h"

// A function that holds nothing but hints has no effect in a compiler's eyes: it takes the calls away, unless it has
// inlined them, or can not see it, before it comes to know.
#define LOOK inline __attribute__((always_inline))

// `far` and `near` as engine_look_ahead has them, `slot` of the order that the command half way to `near` is about.
void look_at_risk(const struct engine *e, const struct command *far, const struct command *near, uint32_t slot);

#endif
