// SPDX-License-Identifier: Apache-2.0
// Degraded modes (CMD_MODE, risk.md section 9): limits in part, orders slowed down, nothing new. Several may be on, the
// tightest of each counts.
#ifndef CROSSWIRE_ENGINE_MODE_H
#define CROSSWIRE_ENGINE_MODE_H

#include "engine/emit.h"
#include "engine/state.h"

// CMD_MODE. What is no mode, or changes nothing, does nothing.
void mode_change(struct engine *e, const struct command *c, struct out *out);

// Works out what the modes that are on come to. At the start of a day none is.
void mode_work_out(struct engine *e);

// The part of `value` that the modes leave of a limit, rounded up.
uint64_t mode_scaled(const struct engine *e, enum limit limit, uint64_t value);

// Orders a second that the modes leave a session; LIMIT_UNSET: they say nothing.
static inline uint64_t mode_rate(const struct engine *e)
{
    return e->mode.rate ? e->mode.rate : LIMIT_UNSET;
}

// Nothing new is taken.
static inline bool mode_blocks(const struct engine *e)
{
    return e->mode.block;
}

#endif
