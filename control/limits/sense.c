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
    return true;
}

static uint64_t value_of(const struct limits_set *set, const struct limits_rule *with, uint64_t key)
{
    const struct limits_rule *rule = with && with->key == key ? with : limits_find(set, key);
    return rule ? rule->value : LIMIT_UNSET;
}

static bool has(const struct limits_set *set, const struct limits_rule *with, enum scope scope, uint16_t index,
                enum limit limit)
{
    return value_of(set, with, limits_key(RULE_LIMIT, scope, index, 0, limit)) != LIMIT_UNSET;
}

bool limits_share_is_of_something(const struct limits_set *set, const struct limits_rule *with,
                                  const struct limits_venue *venue, uint16_t account)
{
    return !has(set, with, SCOPE_ACCOUNT, account, LIMIT_POSITION_SHARE) ||
           has(set, with, SCOPE_ACCOUNT, account, LIMIT_CAPITAL) ||
           has(set, with, SCOPE_FIRM, venue->firm_of[account], LIMIT_CAPITAL);
}

uint64_t limits_slow_before_alert(const struct limits_set *set, const struct limits_rule *with,
                                  const struct limits_venue *venue, uint16_t account)
{
    const struct {
        enum scope scope;
        uint16_t index;
    } above[] = {{SCOPE_VENUE, 0}, {SCOPE_FIRM, venue->firm_of[account]}, {SCOPE_ACCOUNT, account}};
    uint64_t slow = LIMIT_UNSET, alert = LIMIT_UNSET, whose = 0;
    for (unsigned i = 0; i < sizeof above / sizeof above[0]; i++) {
        const uint64_t key = limits_key(RULE_LIMIT, above[i].scope, above[i].index, 0, LIMIT_SLOW);
        const uint64_t slowed = value_of(set, with, key);
        const uint64_t told =
            value_of(set, with, limits_key(RULE_LIMIT, above[i].scope, above[i].index, 0, LIMIT_ALERT));
        alert = told < alert ? told : alert;
        if (slowed < slow) {
            slow = slowed;
            whose = key;
        }
        const uint64_t level = alert == LIMIT_UNSET ? limit_info(LIMIT_ALERT).unset : alert;
        if (i > 0 && slow != LIMIT_UNSET && slow <= level) // the venue has no limits that come in stages
            return whose;
    }
    return 0;
}
