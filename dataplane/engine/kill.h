// SPDX-License-Identifier: Apache-2.0
// The kill switch: who may enter no orders, and the cancels of what they have resting (risk.md, "Kill switch").
//
//   CMD_KILL, or kill_request by a limit -> blocked at once, ALERT_KILLED
//     -> WORK_KILL: cancels, then counts, before any further input -> ALERT_ZERO
//   CMD_RESET -> ALERT_RESET
//
// A block is a bit by scope, side and who asked for it: scopes overlap, and a reset lifts only what was set for that
// very scope.
#ifndef CROSSWIRE_ENGINE_KILL_H
#define CROSSWIRE_ENGINE_KILL_H

#include "engine/emit.h"
#include "engine/state.h"

// Bits of struct engine's blocks: who asked for it (enum kill_source, by its bit's number) times side; and by side,
// that no order rests in the scope, because it was canceled since the block began.
#define KILL_SOURCES 3u
#define KILL_EMPTY_SHIFT (2 * KILL_SOURCES)

// The sides (bit 1 << BUY, 1 << SELL) that a scope's blocks keep from entering orders.
static inline unsigned kill_sides(uint8_t blocks)
{
    return (blocks | blocks >> 2 | blocks >> 4) & 3u;
}

// Whether orders of this side (BUY, SELL) in this symbol may not be entered by the session: by any scope's kill.
static inline bool kill_blocks(const struct engine *e, uint16_t session, uint16_t locate, unsigned side)
{
    unsigned sides = e->sessions[session].disabled >> DISABLED_KILL_SHIFT;
    if (e->books[locate].uncommon[BUY] & UNCOMMON_KILLED)
        sides |= kill_sides(e->blocks[e->symbol_blocks + locate]);
    return sides >> side & 1;
}

// CMD_KILL and CMD_RESET while the day is opened or open. Of a scope that is none: nothing.
void kill_command(struct engine *e, const struct command *c, struct out *out);
void kill_reset(struct engine *e, const struct command *c, struct out *out);

// A limit kills an account or a firm: both sides are blocked from now on; what rests is canceled as soon as what is
// under way is over. Nothing when a limit has killed it already. `before` and `after` are what ALERT_KILLED says: the
// limit and what was reached.
void kill_request(struct engine *e, enum scope scope, uint16_t index, enum limit limit, uint64_t before,
                  uint64_t after);

// Takes the next one that kill_request has left, of which there is one (e->kills_pending), as far as events have room;
// WORK_KILL when that is not all.
void kill_pending(struct engine *e, struct out *out);

// WORK_KILL: goes on.
void kill_continue(struct engine *e, struct out *out);

// A session has been opened: what is blocked already concerns it.
void kill_session_opened(struct engine *e, uint16_t session);

// Blocks of a snapshot: those at `*at` or later, which moves behind it; false when there are none. And back; false: no
// such scope.
bool kill_next_blocks(const struct engine *e, uint32_t *at, enum scope *scope, uint16_t *index, uint8_t *blocks);
bool kill_restore_blocks(struct engine *e, enum scope scope, uint16_t index, uint8_t blocks);

// NULL, or what is wrong.
const char *kill_check(const struct engine *e);

#endif
