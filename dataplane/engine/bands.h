// SPDX-License-Identifier: Apache-2.0
// Price bands and velocity: what trades come to, and what follows for the next ones (market.md sections 3 and 4).
#ifndef CROSSWIRE_ENGINE_BANDS_H
#define CROSSWIRE_ENGINE_BANDS_H

#include "engine/book.h"
#include "engine/emit.h"

// Whether the bands of the symbol are in force: it has some, a reference, and these are regular hours.
static inline bool bands_in_force(const struct engine *e, const struct market *market)
{
    return market->percent != 0 && market->reference != 0 && e->phase == PHASE_REGULAR;
}

// The nearest price on the tick, halves upward, at least a tick and at most the highest.
uint32_t bands_on_tick(const struct book *book, uint32_t price);

// Sets lower and upper from the reference and from whether they are wide. True when they are others than before.
bool bands_set(struct engine *e, uint16_t locate);

// A new reference; the trades before it count no longer.
void bands_refer(struct engine *e, uint16_t locate, uint32_t price);

// The ten seconds are over: the mean of the trades becomes the reference when it is 1% away from it, and that has been
// one for 30 s.
void bands_follow(struct engine *e, uint16_t locate);

// Trades from before count no longer for the velocity.
void velocity_forget(struct market *market);

// Cancels what rests at the wrong side of the bands; pegs leave their level, to be looked at when the symbol trades.
// False: `out` is full.
bool bands_enforce(struct engine *e, uint16_t locate, struct out *out);

// The side whose best displayed price stands at its band: B, S, or 0.
char bands_limit_side(const struct engine *e, uint16_t locate);

#endif
