// SPDX-License-Identifier: Apache-2.0
// The kills of the day as control knows them: gives them to the matching cores, waits until each has counted that
// nothing rests and that is durable, remembers what is blocked.
//
//   kills_give -> CMD_KILL to each core of the scope -> ALERT_ZERO of each, durable -> confirmed, a note in the journal
//
// The journal is the only memory: a control that starts reads its kills, resets and notes of the day, has the matching
// cores' alerts told again (retell.h), and gives once more what blocks and was not confirmed, which changes nothing but
// that the cores count again.
//
// A data plane may die before it takes what it was given; the journal says whether it has. A kill that blocks is given
// again until it is carried out. One that only cancels is given again while who asked waits for the answer, and never
// later: other orders rest then. A reset is never given again: who asked is told. Nothing is given to a core whose day
// has ended: nothing rests there, no order is taken, and blocks end with the day.
#ifndef CROSSWIRE_CONTROL_RISK_KILLS_H
#define CROSSWIRE_CONTROL_RISK_KILLS_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/risk.h"
#include "control/journal/journal.h"
#include "control/recovery/recovery.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"
#include "control/risk/history.h"
#include "control/risk/retell.h"

struct kills;

// One kill, or a reset. All of its words of 32 bits are a bit a matching core.
struct kill_entry {
    uint64_t id;
    uint8_t scope;
    char side; // B, S, 0 both
    uint8_t actions;
    uint8_t source; // enum kill_source; of a reset: whose blocks are lifted, 0 all
    uint16_t index;
    uint16_t core;  // of a session or symbol, whose indexes are a core's; 0 otherwise
    uint8_t blocks; // sides (1 B, 2 S) that are still blocked by it
    uint8_t lifted; // of a reset: sides (1 B, 2 S)
    uint8_t limit;  // of a kill by a limit: which (enum limit), its value and what was reached
    uint64_t before, after;
    bool confirmed;
    bool foreign;  // known by its alerts alone: given by a breaker, or by an earlier control
    bool attended; // who asked for it still waits for the answer
    char by[17];
    char why[57];
    uint64_t time_ns;                 // since midnight of the trading date; 0: not taken yet
    uint32_t cores;                   // that it concerns
    uint32_t given;                   // .. and have been given it
    uint32_t told, zero;              // .. and have said KILLED or RESET, ZERO
    uint32_t blocked[2];              // .. and block buys, sells by it
    uint32_t doubtful;                // .. and may have died before they took it
    uint32_t missed;                  // .. and have; it is not given to them again
    uint32_t late;                    // .. and had ended their day before they took it
    uint64_t sequence[JOURNAL_CORES]; // where they have taken it last; 0: not known
    uint64_t canceled;
    uint64_t asked_ns, again_ns; // monotonic
    uint64_t turn;               // kills and resets that operators have asked for, in their order; 0: no operator's
};

// Registers with all three. All of it outlives what is made. NULL: no memory.
struct kills *kills_new(const struct config *config, const struct journal_writer *writer, struct history *history,
                        struct retell *retell, struct alerts *alerts, struct audit *audit);
void kills_free(struct kills *kills);

// Goes on: gives and confirms. `recovery`: NULL, or done. Returns how much it did.
unsigned kills_poll(struct kills *kills, struct recovery *recovery, uint64_t now_ns);

// Begins a kill, or a reset: scope, index, core, side, actions or source, by and why of `what`. A kill is carried out
// whatever becomes of who asked. Returns its id, 0 when too many are under way.
uint64_t kills_give(struct kills *kills, const struct kill_entry *what, uint64_t now_ns);
uint64_t kills_reset(struct kills *kills, const struct kill_entry *what);

// A breaker has given `kill` to a core; it gives it to others itself, or has done so.
void kills_given_by_breaker(struct kills *kills, unsigned core, const struct command *kill);

// The matching cores that a kill or a reset of that scope is for, a bit each.
uint32_t kills_cores(const struct kills *kills, const struct kill_entry *what);

// Nobody waits for the answer to kill `id` any more.
void kills_unattended(struct kills *kills, uint64_t id);

// The data plane has died, and its alerts have been read: what it was given and has not answered is in doubt until its
// journal has been told again.
void kills_doubt(struct kills *kills);

// The kill `id`; NULL when there is none such. The reset, while it is not confirmed by the caller.
const struct kill_entry *kills_find(const struct kills *kills, uint64_t id);
const struct kill_entry *kills_find_reset(const struct kills *kills, uint64_t id);

// Whether all cores of the reset have said so, and that is durable; then it is forgotten by kills_reset_over.
bool kills_reset_confirmed(const struct kills *kills, const struct kill_entry *reset);
void kills_reset_over(struct kills *kills, uint64_t id);

// All of the day, oldest first; `complete` is false while the journal is still being read.
const struct kill_entry *kills_at(const struct kills *kills, uint32_t at); // NULL behind the last
bool kills_complete(const struct kills *kills);

// Whether a kill or a reset is about the session, by a scope that is no symbol.
bool kills_concern(const struct config *config, const struct kill_entry *entry, uint32_t session);

// The sides (1 B, 2 S) that a session may not enter orders on, by any kill; and by which: the first one.
unsigned kills_session_sides(const struct kills *kills, uint32_t session, const struct kill_entry **by);

// The sides on which nobody may enter orders in a symbol, by kills of that symbol.
unsigned kills_symbol_sides(const struct kills *kills, unsigned core, uint16_t locate);

#endif
