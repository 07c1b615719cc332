// SPDX-License-Identifier: Apache-2.0
// Reject reasons by name. The numbers are OUCH's, so a reason goes to the wire as it is.
#ifndef CROSSWIRE_CONTRACT_REJECT_H
#define CROSSWIRE_CONTRACT_REJECT_H

#include <stdint.h>

enum reject {
    REJECT_NONE = 0,
#define REJECT(name, code, text) REJECT_##name = (code),
#include "contract/reject.def"
#undef REJECT
};

// The reason in words, for logs and tools; "unknown" for a code that the table does not hold.
static inline const char *reject_text(uint8_t code)
{
    switch (code) {
    case REJECT_NONE:
        return "none";
#define REJECT(name, code, text) \
    case code:                   \
        return text;
#include "contract/reject.def"
#undef REJECT
    default:
        return "unknown";
    }
}

#endif
