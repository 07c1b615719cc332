// SPDX-License-Identifier: Apache-2.0
// What the engine does not do yet, and OUCH's code for each refusal. One table; an entry goes when its feature comes.
#ifndef CROSSWIRE_ENGINE_UNSUPPORTED_H
#define CROSSWIRE_ENGINE_UNSUPPORTED_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"

struct unsupported {
    const char *name; // for people: the OUCH field or tag and the values
    uint8_t reason;   // enum reject
    uint8_t tag;      // option tag that must be present, 0 for a fixed field
    bool (*asked)(const struct command *command);
};

// The table, ended by an entry without name.
extern const struct unsupported unsupported_table[];

// The reason of the first entry that the Enter Order or Replace asks for, 0 for none.
uint8_t unsupported_reason(const struct command *command);

#endif
