// SPDX-License-Identifier: Apache-2.0
// Leases: what a session may take of the room of its account and its firm without asking them, so that its orders and
// trades count in its own line alone.
//
//   struct session_line: room, what is left of the lease; given, what it was
//   a firm is leased: what its sessions' rooms have lost since they were given is still to be taken from the parties
//   else:             no session of it has a lease, and the parties are exact between two commands
//
// While a firm is leased no room is below 0, and all that was given together fits into each party's own room: so no
// figure is above what is watched, and whatever passes here would pass there. A room that falls below 0 ends all
// leases of the firm, and the parties decide. Answers never depend on who has a lease.
#ifndef CROSSWIRE_ENGINE_LEASE_H
#define CROSSWIRE_ENGINE_LEASE_H

#include <immintrin.h>

#include "engine/state.h"

// Whether some room is below 0.
static inline bool lease_exceeded(risk_lanes lanes)
{
    return _mm256_movemask_pd((__m256d)lanes) != 0;
}

// The session's room has fallen below 0, or it has none: what it has taken is passed on to its parties.
void lease_short(struct engine *e, struct session_line *line);

// What figures change by, as the room of those who have them does.
struct lease_change {
    risk_lanes low, high;
};

// Counts what the session's room changes by.
static inline __attribute__((always_inline)) void lease_add(struct engine *e, struct session_line *line,
                                                            struct lease_change change)
{
    risk_lanes low = line->room[0] + change.low, high = line->room[1] + change.high;
    line->room[0] = low;
    line->room[1] = high;
    if (__builtin_expect(lease_exceeded(low | high), 0))
        lease_short(e, line);
}

// Whether session, account and firm stay within what is watched with a change for which the session's lease has no
// room; a new lease may be given for it. Changes no figure.
bool lease_fits_closely(struct engine *e, struct session_line *line, risk_lanes low, risk_lanes high);

// The same for any change.
static inline bool lease_fits(struct engine *e, struct session_line *line, struct lease_change change)
{
    bool exceeded = lease_exceeded((line->room[0] + change.low) | (line->room[1] + change.high));
    return !__builtin_expect(exceeded, 0) || lease_fits_closely(e, line, change.low, change.high);
}

// Whether the firm of the session is leased: then none of its parties is above what is watched.
static inline bool lease_holds(const struct engine *e, const struct session_line *line)
{
    return e->risk.holders[line->firm - e->limit.max_accounts].leased;
}

// From here on the account's, firm's or session's figures, and those of its whole firm, are exact.
void lease_end_party(struct engine *e, uint32_t party);

// A figure of an account, a firm or a session, leased or not.
int64_t lease_figure(const struct engine *e, uint32_t party, enum figure figure);

// A session of the firm is opened, without a lease.
void lease_open(struct engine *e, uint16_t session);

// NULL, or what is wrong.
const char *lease_check(const struct engine *e);

#endif
