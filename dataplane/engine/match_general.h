// SPDX-License-Identifier: Apache-2.0
// Matching with everything that is not plain: hidden and discretionary makers, minimum quantities, reserves,
// self-match prevention, takers that are live orders (a peg with a new price, a stop that is released).
#ifndef CROSSWIRE_ENGINE_MATCH_GENERAL_H
#define CROSSWIRE_ENGINE_MATCH_GENERAL_H

#include "engine/emit.h"
#include "engine/state.h"

// Before match_general: e->in and, for e->in.special == 0, e->specials[0] are set; the count of rule 5 begins when
// there is a minimum.
void general_begin(struct engine *e);

// Goes on with e->in until it is used up, at rest or canceled, or `out` is full. Returns true when it is over.
bool match_general(struct engine *e, struct out *out);

// Makes the live order `slot`, which is not plain, the taker: it leaves its level, if it has one, and keeps its other
// places. `limit` is how far it takes, `price` where it will rest, `rests` whether it may. general_begin has been
// called then; match_general follows.
void general_retake(struct engine *e, uint32_t slot, uint32_t limit, uint32_t price, bool rests);

// The order has come to rest displayed, and no Accepted or Replaced has said so on the feed.
void emit_added(const struct engine *e, struct out *out, const struct order *order);

// What becomes of e->in without matching: its rest is canceled, and it is gone; or it waits outside the book.
void incoming_cancel(struct engine *e, struct out *out, char reason);
void incoming_wait(struct engine *e);

#endif
