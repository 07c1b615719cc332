// SPDX-License-Identifier: Apache-2.0
// What control tells a matching core at the head of a day and after every recovery, and how far a control that was
// killed had got with it: the journal is the only memory.
//
//   new day:         CLOCK, OPEN_DAY, OPEN_SYMBOL.., OPEN_ACCOUNT.., OPEN_SESSION.., (limits, limits/desk.h), START
//   recovered day:   CLOCK, what is missing of the above, then SESSION_DOWN(RESTART) of every session
//   then, and later: PHASE for each phase of the schedule whose time has come, in their order, none twice
//
// Where the schedule has a pre-market, START waits for its time.
//
// opening_note() is shown every command of the core that the journal holds, in order; opening_next() then gives what is
// missing, one command at a time. Both walk the same list, made from the configuration, so giving a command twice or
// leaving one out can not happen: the n-th opening command of a day is always the same one.
#ifndef CROSSWIRE_CONTROL_RECOVERY_OPENING_H
#define CROSSWIRE_CONTROL_RECOVERY_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/config.h"

// What the wall clock has said.
struct opening_clock {
    uint64_t now_ns;            // since midnight of the trading date
    uint64_t looked_ns;         // .. and when, by a monotonic clock; 0: not yet
    uint64_t from_ns, until_ns; // phases behind from_ns and not behind until_ns are held
};

struct opening {
    unsigned core;
    struct command *list;        // OPEN_DAY .. START, then the session-downs
    unsigned count;              // of the opening proper
    unsigned downs;              // session-downs behind it
    unsigned given;              // opening commands that the journal holds
    unsigned downs_given;        // since the last CLOCK
    bool clocked;                // a CLOCK was seen, and nothing asked for another one since
    bool want_downs;             // this start owes the session-downs
    bool ended;                  // END_DAY was seen
    bool holds_start;            // the core has not been told all that it must know before
    char start_by[17];           // the operator who gave START that the clock's jump held, empty: nobody
    char phase;                  // enum session_phase, of START or PHASE since, PHASE_DAY_END; 0 before START
    const struct config *config; // its phases may change with a reload
    struct opening_clock clock;  // as opening_time() said
    struct opening_clock *kept;  // where that outlives the opening, NULL: nowhere
    const char *mismatch;        // what the journal's opening has other than the configuration, NULL: nothing
    int mismatch_exit;           // sysexits code for it
};

// Makes the list of core `core`; draws the day's lookup key. false: no memory or no randomness.
bool opening_init(struct opening *opening, const struct config *config, unsigned core);

void opening_free(struct opening *opening);

// From now on `clock`, which outlives the opening and may have been an earlier one's, knows what opening_time() was
// told: another data plane does not make right a wall clock that was set ahead.
void opening_keep_clock(struct opening *opening, struct opening_clock *clock);

// Takes note of a command of this core, from the journal or as it is given.
void opening_note(struct opening *opening, const struct command *command);

// The same from a snapshot of a day that has started: all that came before it has been noted.
void opening_restored(struct opening *opening, char phase, bool ended, unsigned downs);

// What the opening commands come to, but for what is drawn: equal when two configurations open the same day.
uint64_t opening_digest(const struct opening *opening);

// The history is complete and the core is about to run again: a CLOCK is due, and the session-downs when the day had
// begun.
void opening_restart(struct opening *opening);

// A control takes over a running core: carries on with session-downs that its predecessor had begun to give, if any.
void opening_resume(struct opening *opening);

// What time it is at Unix time unix_ns: START and phases wait for theirs. A wall clock that goes ahead by more than a
// minute of a monotonic one was set, and phases can not be taken back: those that it has jumped over, START among them,
// are held for an operator (xwctl phase), or until it is set back. Returns whether it has jumped over any now.
bool opening_time(struct opening *opening, const struct config *config, uint64_t unix_ns, uint64_t monotonic_ns);

// Whether START is held, because the clock has jumped over pre-market; and gives it then, on behalf of `by`.
bool opening_start_held(const struct opening *opening);
void opening_start_by(struct opening *opening, const char *by);

// Whether the schedule of `next` may follow that of `running` at Unix time unix_ns in phase `phase`: a phase with
// another time than before that is past would come at once. false with one line in `text`.
bool opening_may_follow(const struct config *running, const struct config *next, char phase, uint64_t unix_ns,
                        char *text, size_t size);

// The next command that is missing, with `offset_ns` in a CLOCK; false when there is none. Note it to go on.
bool opening_next(const struct opening *opening, int64_t offset_ns, struct command *command);

// How many opening_next() would give in all.
unsigned opening_left(const struct opening *opening);

// The rank of a phase, 0 for none; and its word: "none", "pre", "regular", "after", "closed", "ended".
unsigned opening_phase_rank(char phase);
const char *opening_phase_word(char phase);

// Whether the day has begun: every opening command stands in the journal or is given.
static inline bool opening_started(const struct opening *opening)
{
    return opening->given == opening->count;
}

// What to add to the monotonic clock `monotonic_ns` for ns since midnight UTC of `date` (yyyymmdd), at Unix time
// unix_ns.
int64_t opening_clock_offset(uint32_t date, uint64_t unix_ns, uint64_t monotonic_ns);

#endif
