// SPDX-License-Identifier: Apache-2.0
// Which limits go together.
#ifndef CROSSWIRE_CONTROL_LIMITS_SENSE_H
#define CROSSWIRE_CONTROL_LIMITS_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/limits/rules.h"

// Whether one scope's values, LIMIT_UNSET where not given, make sense together; otherwise `about` is the limit that
// does not, and `why` says what mends it. `whole`: nothing is to follow, so that half of a pair is refused from either
// side.
bool limits_sensible(const uint64_t values[LIMITS], bool whole, enum limit *about, char *why, size_t why_size);

// Whether position_share_percent of account number `account`, if `set` has it, is of some capital: that of the account,
// or, where it has declared none, of its firm (engine/risk.md, section 4). `with`, or NULL, stands in the place of the
// set's rule of its key.
bool limits_share_is_of_something(const struct limits_set *set, const struct limits_rule *with,
                                  const struct limits_venue *venue, uint16_t account);
#define LIMITS_SHARE_OF_NOTHING "says nothing without `capital` of the account or of its firm; give one of them"

// The key of the slow_percent at which orders of the account, or of its firm, would be slowed before an alert has been
// told (the smallest of venue, firm and account counts of both: engine/rates.md, sections 1 and 4); 0: there is none.
// `with` as above.
uint64_t limits_slow_before_alert(const struct limits_set *set, const struct limits_rule *with,
                                  const struct limits_venue *venue, uint16_t account);
#define LIMITS_SLOW_FIRST                                                                                           \
    "is not above `alert_percent`, that of venue, firm and account (70 when none is given); an alert comes before " \
    "orders are slowed"

#endif
