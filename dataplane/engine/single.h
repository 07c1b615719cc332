// SPDX-License-Identifier: Apache-2.0
// Limits of a single order (risk.md section 6), beyond their first look. What a session and a symbol are watched by is
// the alert level less one, so that an order that is nowhere near costs no more than one comparison with the limit.
#ifndef CROSSWIRE_ENGINE_SINGLE_H
#define CROSSWIRE_ENGINE_SINGLE_H

#include "engine/emit.h"
#include "engine/risk_hooks.h"

// Above which value of an order it is looked at closely, with the limit's alert level at `ppm`; LIMIT_UNSET never.
uint64_t single_watch(uint64_t limit, uint64_t ppm);

// The order uses `used` of the limit: refused with `reason`; or REJECT_NONE, and an alert where a level is reached.
uint8_t single_reached(struct engine *e, const struct risk_order *o, enum limit limit, uint64_t used, uint8_t reason);

// The tightest of all that apply to the order, LIMIT_UNSET none.
uint64_t single_most(const struct engine *e, const struct risk_order *o, enum limit limit);

// The session's order, or an execution of it, uses so much of a limit: an alert where its level is reached.
void single_near(struct engine *e, uint16_t session, uint16_t locate, enum limit limit, uint64_t most, uint64_t used);

// The session's alert, at its settling.
void single_say(struct engine *e, struct out *out, uint16_t session);

#endif
