// SPDX-License-Identifier: Apache-2.0
// Which limits of one scope go together.
#ifndef CROSSWIRE_CONTROL_LIMITS_SENSE_H
#define CROSSWIRE_CONTROL_LIMITS_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/risk.h"

// Whether one scope's values, LIMIT_UNSET where not given, make sense together; otherwise `about` is the limit that
// does not, and `why` says what mends it. `whole`: nothing is to follow, so that half of a pair is refused from either
// side.
bool limits_sensible(const uint64_t values[LIMITS], bool whole, enum limit *about, char *why, size_t why_size);

#endif
