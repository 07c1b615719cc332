// SPDX-License-Identifier: Apache-2.0
// The breakers of control: one for each row of `trips:` and each session, matching core, .. that the row is about.
//
//   sense.c    what the world shows: counters, rings, clocks, the disk    }
//   alerts, logins: told by who sees them                                 }--> measure.c: is a row's threshold reached?
//                                                                                  |
//   breakers.c  CLOSED -> OPEN -> HALF_OPEN (step by step) -> CLOSED  <------------+
//                 |
//   act.c       what that asks for, against what matching cores were told: CMD_MODE, CMD_KILL, CMD_RESET, CMD_HALT
//   board.c     what stands in the region, for everybody to look at
//
// Only breakers have a state. Which modes are on, whether the venue is degraded, what is blocked: all of it is worked
// out from them each time. A journal that fails is no matter of these: that is final, and ends both processes.
#ifndef CROSSWIRE_CONTROL_BREAKER_BREAKERS_H
#define CROSSWIRE_CONTROL_BREAKER_BREAKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/breaker.h"
#include "contract/config.h"
#include "contract/risk.h"
#include "control/recovery/recovery.h"
#include "control/risk/kills.h"

struct breakers;

// Breakers of config->trips, which outlives them. NULL when there is no memory.
struct breakers *breakers_new(const struct config *config);

void breakers_free(struct breakers *breakers);

// config->trips or modes are others now: a breaker whose row has the same name and condition stays what it is. False
// when there is no memory: nothing has changed.
bool breakers_reload(struct breakers *breakers);

// What the world shows, gathered by breakers_sense or by a test.
struct senses {
    uint64_t now_ns;         // monotonic
    int64_t wall_ahead_ns;   // of the monotonic clock
    uint64_t clock_error_us; // UINT64_MAX: not synchronised
    uint64_t disk_free_mb;
    bool clock_known, disk_known;        // could be asked
    uint32_t trading;                    // matching cores whose phase is one that trades, a bit each
    const struct generation *generation; // NULL: no data plane that runs a recovered day
    struct recovery *recovery;           // of that, to give commands; NULL in tests without
    struct kills *kills;                 // that are told what is given; NULL in tests without
};

// Asks the system. What it refuses is not known, and trips nothing.
void breakers_sense(const struct config *config, struct senses *senses);

// Goes on: measures, moves breakers, gives commands as far as there is room. About every 20 ms. Returns whether
// breakers_text may be another now.
bool breakers_poll(struct breakers *breakers, const struct senses *senses);

// An alert of a matching core: those of loss and drawdown count.
void breakers_alert(struct breakers *breakers, const struct alert *alert, uint64_t now_ns);

// A matching core is given a reference price or a volume of a symbol: what its risk is measured by is fresh.
void breakers_reference(struct breakers *breakers, unsigned core, const struct command *command, uint64_t now_ns);

// A login of a session that needs a verification: leave for it, or 0 when the session's port is closed.
// breakers_login_done takes what came of it.
breaker_permit breakers_login(struct breakers *breakers, uint32_t session, uint64_t now_ns);
void breakers_login_done(struct breakers *breakers, uint32_t session, breaker_permit permit, bool right,
                         uint64_t now_ns);

// Closes every breaker of trip `name` that is not closed, on behalf of `by`; how many, or -1 when there is no such
// trip.
int breakers_reset(struct breakers *breakers, const char *name, const char *by, uint64_t now_ns);

// What the journal has of earlier controls, in its order, then its end: breakers that were not closed are open again
// and go on with their recovery; blocks that no breaker stands for any more are lifted.
void breakers_read(struct breakers *breakers, const struct command *record);
void breakers_read_end(struct breakers *breakers, uint64_t now_ns);

// For the service manager: "normal", or the modes that are on and how many breakers are open.
const char *breakers_text(struct breakers *breakers);

#endif
