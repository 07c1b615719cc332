// SPDX-License-Identifier: Apache-2.0
// The audit: what control decides without a command that would say so goes into the journal's chain as CMD_NOTE, with
// who, why, before and after. Everything else is in the journal anyway (xwctl audit lists both).
#ifndef CROSSWIRE_CONTROL_RISK_AUDIT_H
#define CROSSWIRE_CONTROL_RISK_AUDIT_H

#include <stdint.h>

#include "contract/risk.h"
#include "control/recovery/recovery.h"

enum note {
#define NOTE(name, number, text) NOTE_##name = (number),
#include "control/risk/audit.def"
#undef NOTE
};

// What a note says, NULL for a number that stands for none.
const char *note_text(unsigned what);

struct audit;

struct audit *audit_new(void); // NULL: no memory
void audit_free(struct audit *audit);

// A note. `number`: of a request that waits for a second person; of a kill by a limit: the matching core.
struct audit_entry {
    enum note what;
    enum scope scope;
    uint8_t core;   // of a symbol, whose locate is that core's; 0 otherwise. The note goes to it
    uint16_t index; // by scope
    uint32_t number;
    uint64_t before, after;
    const char *by, *why; // cut to 16 and 56 bytes; NULL: nothing
};

// Puts a note in line. Where many wait, because no data plane runs, the oldest are logged instead (XW2035) and
// forgotten.
void audit_note(struct audit *audit, const struct audit_entry *entry);

// How many more notes may wait before the oldest is forgotten.
unsigned audit_room(const struct audit *audit);

// Gives what waits to the matching cores, in order. `recovery`: NULL, or done. Returns how many.
unsigned audit_poll(struct audit *audit, struct recovery *recovery);

#endif
