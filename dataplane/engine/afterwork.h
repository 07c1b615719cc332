// SPDX-License-Identifier: Apache-2.0
// What a command sets in motion once its own work is over: pegs that follow the best prices, stops that trades have
// triggered (rules.md sections 8 and 10), symbol by symbol in the order of locates.
//
//   engine_step --> own work --(e->dirty_books)--> WORK_AFTER: afterwork() until true
#ifndef CROSSWIRE_ENGINE_AFTERWORK_H
#define CROSSWIRE_ENGINE_AFTERWORK_H

#include "engine/emit.h"
#include "engine/state.h"

// Goes on until `out` is full or all is done. Returns true when no book is dirty any more.
bool afterwork(struct engine *e, struct out *out);

#endif
