// SPDX-License-Identifier: Apache-2.0
// What was so before a decision, as far as the walk over the journal has come: where neither the record nor the engine
// says it.
#ifndef CROSSWIRE_CONTROL_CTL_AUDIT_BEFORE_H
#define CROSSWIRE_CONTROL_CTL_AUDIT_BEFORE_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/event.h"
#include "control/journal/journal.h"

// Of a symbol.
struct audit_symbol {
    uint32_t reference, bands;
    uint64_t adv;
    uint16_t group;
    char reg_sho; // enum reg_sho
    char state;   // enum trading_state, 0: the day has not started
    uint8_t tier;
};

struct audit_before {
    struct audit_symbol *symbols[JOURNAL_CORES]; // by locate
    char phase[JOURNAL_CORES];
    uint8_t level[JOURNAL_CORES];
    uint32_t grouped[JOURNAL_CORES]; // symbols that are in a group
    bool disabled[UINT16_MAX + 1];   // by session: it has disabled its order entry
};

// The symbol's, made when there is none. Ends the process when there is no memory.
struct audit_symbol *audit_symbol(struct audit_before *before, unsigned core, uint16_t locate);

// Takes a record that has been shown, and an event.
void audit_before_record(struct audit_before *before, unsigned core, const struct command *record);
void audit_before_event(struct audit_before *before, unsigned core, const struct event *event);

void audit_before_free(struct audit_before *before);

#endif
