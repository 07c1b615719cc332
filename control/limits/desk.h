// SPDX-License-Identifier: Apache-2.0
// The limits of the whole venue as they should be, as the matching cores have been told, and the way from one to the
// other.
//
//   limits file --+                      +--> core 0: told so far (journal, snapshot) <--+
//                 +--> target (venue) ---+--> core 1: ..                                 | noted as it is given
//   operators  ---+    by rule           +--> parts of sums, so that all come to the whole
//
//   IDLE --> LOWER: what gives less room --> SETTLE: until that is durable --> RAISE: the rest --> CONFIRM --> IDLE
//
// A change that is cut in the middle leaves the tighter of both, and parts that never come to more than the whole. The
// journal is the only memory: after a start what has been told is noted again, and what is missing is given. A core
// whose day has ended is told nothing more, whatever the file says: that counts from the next date on.
//
// Whose word counts: a day begins with the file. An operator's change stays until the next change of the same limit, or
// until the file is read again by a reload, which makes everything what the file says; a start with another file than
// there was then is as good as a reload. Where risk.second_person is set,
// what gives more room waits for a second person, once the day has started.
//
// By one thread. Times are of a monotonic clock.
#ifndef CROSSWIRE_CONTROL_LIMITS_DESK_H
#define CROSSWIRE_CONTROL_LIMITS_DESK_H

#include "control/limits/file.h"

struct limits_desk;

// A desk for `config`, which outlives it, with the rules of the limits file `path`, empty for none. NULL with one line
// in `error`.
struct limits_desk *limits_desk_new(const struct config *config, const char *path, char *error, size_t error_size);
void limits_desk_free(struct limits_desk *desk);

// What a new target came to, in rules.
struct limits_counts {
    size_t changed; // that are being told
    size_t waiting; // for a second person
};

// ---- reload ---------------------------------------------------------------------------------------------------------

// Reads the limits file of `next`, which config_fits. NULL with one line in `error`; nothing has changed.
struct limits_file *limits_desk_read(const struct limits_desk *desk, const struct config *next, char *error,
                                     size_t error_size);

// Takes over what limits_desk_read() gave, and owns it.
struct limits_counts limits_desk_take(struct limits_desk *desk, struct limits_file *file, const char *by,
                                      uint64_t now_ns);

// ---- matching cores -------------------------------------------------------------------------------------------------

// Nothing is known of what any core has been told.
void limits_desk_begin(struct limits_desk *desk);

// Of core `core`: all is forgotten; it stands on a snapshot of a day that has started, and perhaps `ended`.
void limits_desk_forget(struct limits_desk *desk, unsigned core);
void limits_desk_restored(struct limits_desk *desk, unsigned core, bool ended);

// Takes note of a command of a core, from the journal or as it is given; a snapshot's CMD_RESTORE_ADMIN too.
void limits_desk_note(struct limits_desk *desk, unsigned core, const struct command *command);

// All history has been noted: decides what is missing. Logs what was never right.
struct limits_counts limits_desk_reconcile(struct limits_desk *desk, uint64_t now_ns);

// Every rule that the file has or a core was told, in order; free() it. NULL: no memory.
uint64_t *limits_desk_keys(const struct limits_desk *desk, size_t *count);

// What was told last, of the whole venue; false: nothing.
bool limits_desk_told(const struct limits_desk *desk, uint64_t key, struct limits_rule *rule);

const struct limits_file *limits_desk_file(const struct limits_desk *desk);
const struct limits_venue *limits_desk_venue(const struct limits_desk *desk);

// The next command for core `core`; false when there is none now. Note it to go on.
bool limits_desk_next(struct limits_desk *desk, unsigned core, struct command *command);

// Whether the day of core `core` must not start yet.
bool limits_desk_holds_start(const struct limits_desk *desk, unsigned core);

// What it waits for: a number that changes with each wait until all that was given is durable, 0 for nothing.
uint64_t limits_desk_waits(const struct limits_desk *desk);

// Goes on to the next stage where that is possible; `durable`: that what it waits for has come. Forgets requests that
// have expired.
void limits_desk_poll(struct limits_desk *desk, bool durable, uint64_t now_ns);

// Whether every core has been told everything, durably.
bool limits_desk_idle(const struct limits_desk *desk);

// ---- operators ------------------------------------------------------------------------------------------------------

struct limits_answer {
    int exit; // sysexits; EX_OK: done, or waiting for a second person
    char text[512];
    uint32_t pending; // number of the request that waits, 0 for none
    bool changed;     // something is being told
    char whom[LIMITS_WHOM], before[LIMITS_TEXT], after[LIMITS_TEXT];
    char first[200]; // of a request that was decided: its first limit, as limits_desk_tell has it
    size_t limits;   // and how many it has
};

// Sets one limit: `scope` as scope_by_name, `name` as names_find (a position's ACCOUNT:SYMBOL), `limit` its key,
// `value` as limit_parse_word.
struct limits_answer limits_desk_set(struct limits_desk *desk, const char *scope, const char *name, const char *limit,
                                     const char *value, const char *by, uint64_t now_ns);

// A second person agrees with request `id`, or anyone takes it back. Of what the file raises without that anybody is
// known to have asked for it (a signal, a start), the first one only comes to stand for it: it takes two all the same.
struct limits_answer limits_desk_approve(struct limits_desk *desk, uint32_t id, const char *by);
struct limits_answer limits_desk_reject(struct limits_desk *desk, uint32_t id, const char *by);

// Requests that wait.
enum { LIMITS_PENDING = 8 };
struct limits_pending {
    uint32_t id; // 0: none
    uint64_t expires_ns;
    char by[17];     // who asked, LIMITS_FILE: not known
    bool file;       // a reload's, or a start's
    uint32_t digest; // .. of that file
    struct limits_set wants;
};
const struct limits_pending *limits_desk_pending(const struct limits_desk *desk, unsigned index);

// What becomes of a request that gives more room, for the audit.
enum limits_step {
    LIMITS_ASKED,      // waits for a second person
    LIMITS_AGREED,     // by the second person
    LIMITS_TAKEN_BACK, // rejected, or by who had asked
    LIMITS_LAPSED,     // nobody agreed in time
    LIMITS_SUPERSEDED, // the same was set otherwise since
    LIMITS_STOOD_FOR,  // by whom it is from now on
};

// `by` is who did it, "" for time and supersession. `present` is what holds of the first rule wanted now.
typedef void limits_stepped(void *context, enum limits_step step, const struct limits_pending *pending, const char *by,
                            uint64_t present);
void limits_desk_watch(struct limits_desk *desk, limits_stepped *stepped, void *context);

// Who is told of each CMD_REFERENCE that a core is given, or was.
typedef void limits_heard(void *context, unsigned core, const struct command *command);
void limits_desk_hear(struct limits_desk *desk, limits_heard *heard, void *context);

// Who asked for what the file of this digest raises, as far as the journal says so; by is "" for nobody. Where it is
// announced that this comes, nobody may agree with what the file raises before it has.
void limits_desk_await_author(struct limits_desk *desk);
void limits_desk_author(struct limits_desk *desk, uint32_t digest, const char *by);

// "account NORTH max_quantity 100 -> 200", of the first rule that a request wants.
void limits_desk_tell(const struct limits_desk *desk, const struct limits_pending *pending, char *out, size_t size);

#endif
