// SPDX-License-Identifier: Apache-2.0
#include "control/limits/defaults.h"

#include <stdio.h>
#include <string.h>

#include "control/limits/table.h"

static uint64_t value_at(const struct limits_known *known, enum scope scope, uint16_t index, enum limit limit)
{
    return known->value(known->context, limits_key(RULE_LIMIT, scope, index, 0, limit));
}

static bool is_set(const struct limits_known *known, enum scope scope, uint16_t index, enum limit limit)
{
    return value_at(known, scope, index, limit) != LIMIT_UNSET;
}

// Whether what the default stands on is there.
static bool holds(const struct limits_known *known, uint64_t key)
{
    const enum scope scope = limits_scope(key);
    const uint16_t index = limits_index(key);
    switch (limits_limit(key)) {
    case LIMIT_DRAWDOWN:
        return is_set(known, scope, index, LIMIT_CAPITAL);
    case LIMIT_POSITION_SHARE:
        return is_set(known, scope, index, LIMIT_CAPITAL) || is_set(known, SCOPE_FIRM, known->firm, LIMIT_CAPITAL);
    case LIMIT_CORRELATION:
        return is_set(known, scope, index, LIMIT_GROSS_NOTIONAL) && known->grouped;
    case LIMIT_ALERT:
        return scope == SCOPE_VENUE || (!is_set(known, SCOPE_VENUE, 0, LIMIT_ALERT) &&
                                        (scope == SCOPE_FIRM || !is_set(known, SCOPE_FIRM, known->firm, LIMIT_ALERT)));
    default:
        return false;
    }
}

uint64_t limits_default(const struct limits_known *known, uint64_t key)
{
    if (limits_limit(key) == LIMIT_ORDER_BURST)
        return value_at(known, SCOPE_SESSION, limits_index(key), LIMIT_ORDER_RATE);
    return holds(known, key) ? limit_info(limits_limit(key)).unset : LIMIT_UNSET;
}

// ---- among rules ----------------------------------------------------------------------------------------------------

static uint64_t value_among(const void *context, uint64_t key)
{
    const struct limits_rule *rule = limits_find(context, key);
    return rule ? rule->value : LIMIT_UNSET;
}

static bool grouped_among(const struct limits_set *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (limits_kind(rules->list[i].key) == RULE_GROUP && rules->list[i].value != 0)
            return true;
    return false;
}

uint64_t limits_default_among(const struct limits_set *rules, const struct limits_venue *venue, uint64_t key)
{
    struct limits_known known = {.value = value_among, .context = rules};
    if (limits_kind(key) != RULE_LIMIT)
        return LIMIT_UNSET;
    if (limits_scope(key) == SCOPE_ACCOUNT)
        known.firm = venue->firm_of[limits_index(key)];
    if (limits_limit(key) == LIMIT_CORRELATION)
        known.grouped = grouped_among(rules);
    return limits_default(&known, key);
}

void limits_text_among(const struct limits_set *rules, const struct limits_venue *venue, uint64_t key,
                       const struct limits_rule *rule, char out[LIMITS_TEXT])
{
    const bool set = rule && (limits_kind(key) != RULE_LIMIT || rule->value != LIMIT_UNSET);
    const uint64_t unset = set ? LIMIT_UNSET : limits_default_among(rules, venue, key);
    if (set) {
        limits_text(rule, out);
    } else if (unset == LIMIT_UNSET) {
        strcpy(out, "none");
    } else {
        char text[LIMIT_TEXT];
        limit_format(limits_limit(key), unset, text);
        snprintf(out, LIMITS_TEXT, "%.32s by default", text);
    }
}
