// SPDX-License-Identifier: Apache-2.0
// What a command sets in motion once its own work is over: pegs that follow the best prices, stops that trades have
// triggered (rules.md sections 8 and 10), symbol by symbol in the order of locates.
//
//   engine_step --> own work --> step_close --(e->pending)--> WORK_AFTER until no book is dirty
//
// What risk has to settle (settle.h), then what a limit wants killed, comes first, and again after each peg's or stop's
// taking.
#ifndef CROSSWIRE_ENGINE_AFTERWORK_H
#define CROSSWIRE_ENGINE_AFTERWORK_H

#include "engine/emit.h"
#include "engine/state.h"

// Looks at dirty books as far as the events have room, behind the `count` ones of a step that is closed; WORK_AFTER
// goes on with it. Returns how many events there are then.
unsigned afterwork_begin(struct engine *e, struct event *events, unsigned count);

// Every step ends with one of these: its events are complete, and books that it has made dirty are looked at.
static inline unsigned step_end(struct engine *e, struct event *events, unsigned count)
{
    return __builtin_expect(e->pending != 0, 0) ? afterwork_begin(e, events, count) : count;
}

static inline unsigned step_close(struct engine *e, const struct out *out)
{
    return step_end(e, out->events, out_close(e, out));
}

#endif
