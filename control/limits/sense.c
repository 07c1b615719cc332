// SPDX-License-Identifier: Apache-2.0
#include "control/limits/sense.h"

#include <stdio.h>

#include "control/limits/table.h"

// `limit` says nothing without `needs`, or `or_needs`. The other way round, `both`, it would only wait for the first.
static const struct {
    enum limit limit, needs, or_needs;
    bool both;
} pairs[] = {
    {LIMIT_ORDER_BURST, LIMIT_ORDER_RATE, LIMITS, false},
    {LIMIT_DUPLICATES, LIMIT_DUPLICATE_MS, LIMITS, false},
    {LIMIT_DUPLICATE_MS, LIMIT_DUPLICATES, LIMITS, true},
    {LIMIT_REPEATED_EXECUTIONS, LIMIT_REPEATED_MS, LIMITS, false},
    {LIMIT_REPEATED_MS, LIMIT_REPEATED_EXECUTIONS, LIMITS, true},
    {LIMIT_MMP_FILLS, LIMIT_MMP_MS, LIMITS, false},
    {LIMIT_MMP_QUANTITY, LIMIT_MMP_MS, LIMITS, false},
    {LIMIT_MMP_MS, LIMIT_MMP_FILLS, LIMIT_MMP_QUANTITY, true},
    {LIMIT_POSITION_SHARE, LIMIT_CAPITAL, LIMITS, false},
    {LIMIT_DRAWDOWN, LIMIT_CAPITAL, LIMITS, false},
    {LIMIT_CORRELATION, LIMIT_GROSS_NOTIONAL, LIMITS, false},
    {LIMIT_SLOW, LIMIT_SLOW_RATE, LIMITS, false},
    {LIMIT_SLOW_RATE, LIMIT_SLOW, LIMITS, true},
};

bool limits_sensible(const uint64_t values[LIMITS], bool whole, enum limit *about, char *why, size_t why_size)
{
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const bool alone = values[pairs[i].needs] == LIMIT_UNSET &&
                           (pairs[i].or_needs == LIMITS || values[pairs[i].or_needs] == LIMIT_UNSET);
        if (values[pairs[i].limit] == LIMIT_UNSET || !alone || (pairs[i].both && !whole))
            continue;
        *about = pairs[i].limit;
        snprintf(why, why_size, "says nothing without `%s`%s%s%s; give both, or neither",
                 limit_info(pairs[i].needs).key, pairs[i].or_needs == LIMITS ? "" : " or `",
                 pairs[i].or_needs == LIMITS ? "" : limit_info(pairs[i].or_needs).key,
                 pairs[i].or_needs == LIMITS ? "" : "`");
        return false;
    }
    if (values[LIMIT_SLOW] != LIMIT_UNSET && values[LIMIT_ALERT] != LIMIT_UNSET &&
        values[LIMIT_SLOW] <= values[LIMIT_ALERT]) {
        *about = LIMIT_SLOW;
        snprintf(why, why_size, "is not above `%s`; an alert comes before orders are slowed",
                 limit_info(LIMIT_ALERT).key);
        return false;
    }
    return true;
}
