// SPDX-License-Identifier: Apache-2.0
// The count of rules.md section 5: whether a taker with a minimum would get it.
#ifndef CROSSWIRE_ENGINE_MATCH_COUNT_H
#define CROSSWIRE_ENGINE_MATCH_COUNT_H

#include "engine/state.h"

// Goes on with the count for e->in (stage WALK_COUNT of e->walk) for up to `*looks` orders.
// False: it is not over. Otherwise the stage is WALK_TAKE when there is enough, WALK_OVER when not.
bool count_minimum(struct engine *e, unsigned *looks);

#endif
