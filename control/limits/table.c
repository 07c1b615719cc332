// SPDX-License-Identifier: Apache-2.0
#include "control/limits/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract/config_source.h"

static const struct {
    const char *key, *scopes, *help;
    enum limit_unit unit;
} table[LIMITS] = {
#define LIMIT(name, word, letters, kind, reject, text) \
    [LIMIT_##name] = {.key = word, .scopes = letters, .help = text, .unit = UNIT_##kind},
#include "contract/limits.def"
#undef LIMIT
};

static const struct {
    const char *name;
    char letter;
} scopes[] = {
    [SCOPE_VENUE] = {"venue", 'V'},     [SCOPE_FIRM] = {"firm", 'F'},     [SCOPE_ACCOUNT] = {"account", 'A'},
    [SCOPE_SESSION] = {"session", 'S'}, [SCOPE_SYMBOL] = {"symbol", 'Y'}, [SCOPE_POSITION] = {"position", 'P'},
};

enum { SCOPES = sizeof scopes / sizeof scopes[0] };

// By bit of enum permission.
static const char *const permissions[FORBID_BITS] = {
    "market",       "iso", "pre_market",      "post_market",       "hidden", "peg", "stop", "reserve", "ioc", "short",
    "short_exempt", "all", "short_unlocated", "without_stop_loss",
};

static const struct {
    uint64_t least, most;
    const char *form;
} units[] = {
    [UNIT_QUANTITY] = {0, LIMIT_MOST_QUANTITY, "whole shares"},
    [UNIT_MONEY] = {0, LIMIT_MOST_MONEY, "a decimal with at most 4 places"},
    [UNIT_PPM] = {0, LIMIT_MOST_PPM, "per cent, a decimal with at most 4 places"},
    [UNIT_COUNT] = {0, LIMIT_MOST_COUNT, "a whole number"},
    [UNIT_RATE] = {1, LIMIT_MOST_RATE, "a whole number"},
    [UNIT_TICKS] = {0, LIMIT_MOST_TICKS, "whole ticks"},
    [UNIT_MS] = {1, LIMIT_MOST_MS, "milliseconds, or with a unit: 250ms, 2s, 5m"},
    [UNIT_MASK] = {0, (UINT64_C(1) << FORBID_BITS) - 1, "what is forbidden"},
};

static bool is_rate(enum limit limit)
{
    return limit == LIMIT_ORDER_RATE || limit == LIMIT_ORDER_BURST || limit == LIMIT_SYMBOL_RATE ||
           limit == LIMIT_MESSAGE_RATE || limit == LIMIT_SLOW_RATE;
}

static bool is_apportioned(enum limit limit)
{
    return limit == LIMIT_GROSS_NOTIONAL || limit == LIMIT_NET_NOTIONAL || limit == LIMIT_DAY_QUANTITY ||
           limit == LIMIT_DAY_VALUE || limit == LIMIT_WORKING_ORDERS || limit == LIMIT_LOSS || limit == LIMIT_CAPITAL;
}

// What limits.def says of those that hold without being given.
static uint64_t value_unset(enum limit limit)
{
    switch (limit) {
    case LIMIT_POSITION_SHARE:
        return LIMIT_UNSET_SHARE;
    case LIMIT_DRAWDOWN:
        return LIMIT_UNSET_DRAWDOWN;
    case LIMIT_CORRELATION:
        return LIMIT_UNSET_CORRELATION;
    case LIMIT_ALERT:
        return LIMIT_UNSET_ALERT;
    default:
        return LIMIT_UNSET;
    }
}

struct limit_info limit_info(enum limit limit)
{
    const enum limit_unit unit = is_rate(limit) ? UNIT_RATE : table[limit].unit;
    return (struct limit_info){.key = table[limit].key,
                               .scopes = table[limit].scopes,
                               .help = table[limit].help,
                               .unit = unit,
                               .least = units[unit].least,
                               .most = units[unit].most,
                               .unset = value_unset(limit),
                               .apportioned = is_apportioned(limit),
                               .tightens = unit == UNIT_MS};
}

enum limit limit_by_key(const char *key, size_t size)
{
    for (int i = 0; i < LIMITS; i++)
        if (strlen(table[i].key) == size && memcmp(table[i].key, key, size) == 0)
            return (enum limit)i;
    return LIMITS;
}

bool limit_applies(enum limit limit, enum scope scope)
{
    return scope > SCOPE_NONE && (int)scope < SCOPES && strchr(table[limit].scopes, scopes[scope].letter) != NULL;
}

const char *scope_name(enum scope scope)
{
    return (unsigned)scope < SCOPES ? scopes[scope].name : NULL;
}

enum scope scope_by_name(const char *name)
{
    for (unsigned i = 1; i < SCOPES; i++)
        if (strcmp(scopes[i].name, name) == 0)
            return (enum scope)i;
    return SCOPE_NONE;
}

// ---- reading --------------------------------------------------------------------------------------------------------

static bool refuse(char *why, size_t size, const char *text, size_t length, const char *what, const char *mend)
{
    snprintf(why, size, "is `%s`%s; %s", config_shown(text, length), what, mend);
    return false;
}

// Digits without a leading zero; anything beyond `most` is most + 1.
static bool read_digits(const char *text, size_t size, uint64_t most, uint64_t *number)
{
    *number = 0;
    if (size == 0 || (size > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        const uint64_t digit = (uint64_t)(text[i] - '0');
        *number = *number > (most - digit) / 10 ? most + 1 : *number * 10 + digit;
    }
    return true;
}

// In 1/10,000.
static bool read_decimal(const char *text, size_t size, uint64_t most, uint64_t *value)
{
    const char *point = memchr(text, '.', size);
    const size_t before = point ? (size_t)(point - text) : size, places = point ? size - before - 1 : 0;
    uint64_t whole, part = 0;
    if (!read_digits(text, before, most / 10000, &whole) || (point && (places == 0 || places > 4)))
        return false;
    for (size_t i = 0; i < 4; i++) {
        const char digit = i < places ? point[1 + i] : '0';
        if (digit < '0' || digit > '9')
            return false;
        part = part * 10 + (uint64_t)(digit - '0');
    }
    *value = whole > most / 10000 || whole * 10000 + part > most ? most + 1 : whole * 10000 + part;
    return true;
}

static bool read_ms(const char *text, size_t size, uint64_t *value)
{
    static const struct {
        const char *suffix;
        uint64_t ms;
    } forms[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"", 1}};
    for (unsigned i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const size_t length = strlen(forms[i].suffix);
        if (size <= length || memcmp(text + size - length, forms[i].suffix, length) != 0)
            continue;
        if (!read_digits(text, size - length, LIMIT_MOST_MS, value))
            return false;
        *value *= forms[i].ms;
        return true;
    }
    return false;
}

static bool read_permission(const char *text, size_t size, uint64_t *value)
{
    for (unsigned i = 0; i < FORBID_BITS; i++) {
        if (strlen(permissions[i]) != size || memcmp(permissions[i], text, size) != 0)
            continue;
        *value = UINT64_C(1) << i;
        return true;
    }
    return false;
}

bool limit_parse_decimal(const char *text, size_t size, uint64_t most, bool is_signed, int64_t *value, char *why,
                         size_t why_size)
{
    const bool negative = is_signed && size > 0 && text[0] == '-';
    uint64_t number;
    if (!read_decimal(text + negative, size - negative, most, &number))
        return refuse(why, why_size, text, size, "", "write a decimal with at most 4 places, as 250000.00");
    if (number > most)
        return refuse(why, why_size, text, size, ", more than can be", "write a smaller value");
    *value = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

bool limit_parse(enum limit limit, const char *text, size_t size, uint64_t *value, char *why, size_t why_size)
{
    const struct limit_info info = limit_info(limit);
    char mend[2 * LIMIT_TEXT + 80], most[LIMIT_TEXT], least[LIMIT_TEXT];
    bool good;
    limit_format(limit, info.most, most);
    limit_format(limit, info.least, least);
    snprintf(mend, sizeof mend, "give %s to %s (%s)", least, most, units[info.unit].form);
    switch (info.unit) {
    case UNIT_MASK:
        if (read_permission(text, size, value))
            return true;
        return refuse(why, why_size, text, size, ", which is no permission",
                      "write market, iso, pre_market, post_market, hidden, peg, stop, reserve, ioc, short, "
                      "short_exempt, all, short_unlocated or without_stop_loss");
    case UNIT_MONEY:
        good = read_decimal(text, size, info.most, value);
        break;
    case UNIT_PPM: // millionths are per cent in 1/10,000
        good = read_decimal(text, size, info.most, value);
        break;
    case UNIT_MS:
        good = read_ms(text, size, value);
        break;
    default:
        good = read_digits(text, size, info.most, value);
    }
    if (!good)
        return refuse(why, why_size, text, size, size > 1 && text[0] == '-' ? ", negative" : "", mend);
    if (*value < info.least || *value > info.most)
        return refuse(why, why_size, text, size, ", out of bounds", mend);
    return true;
}

bool limit_parse_word(enum limit limit, const char *text, uint64_t *value, char *why, size_t why_size)
{
    if (strcmp(text, "none") == 0) {
        *value = LIMIT_UNSET;
        return true;
    }
    if (limit_info(limit).unit != UNIT_MASK)
        return limit_parse(limit, text, strlen(text), value, why, why_size);
    *value = 0;
    for (const char *at = text;; at++) {
        const size_t size = strcspn(at, ",");
        uint64_t bit;
        if (!limit_parse(limit, at, size, &bit, why, why_size))
            return false;
        *value |= bit;
        at += size;
        if (*at == '\0')
            return true;
    }
}

// ---- writing --------------------------------------------------------------------------------------------------------

void limit_format_decimal(int64_t value, unsigned places, char *out, size_t size)
{
    const uint64_t number = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int used =
        snprintf(out, size, "%s%" PRIu64 ".%04u", value < 0 ? "-" : "", number / 10000, (unsigned)(number % 10000));
    if (used < 0 || (size_t)used >= size)
        return;
    size_t end = (size_t)used;
    for (unsigned left = 4; left > places && out[end - 1] == '0'; left--)
        end--;
    out[out[end - 1] == '.' ? end - 1 : end] = '\0';
}

static void format_mask(uint64_t value, char out[LIMIT_TEXT])
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < FORBID_BITS; i++)
        if (value & UINT64_C(1) << i)
            used += (size_t)snprintf(out + used, LIMIT_TEXT - used, "%s%s", used ? "," : "", permissions[i]);
    if (used == 0)
        strcpy(out, "nothing");
}

void limit_format(enum limit limit, uint64_t value, char out[LIMIT_TEXT])
{
    const enum limit_unit unit = limit_info(limit).unit;
    if (value == LIMIT_UNSET)
        strcpy(out, "none");
    else if (unit == UNIT_MONEY)
        limit_format_decimal((int64_t)value, 2, out, LIMIT_TEXT);
    else if (unit == UNIT_PPM)
        limit_format_decimal((int64_t)value, 0, out, LIMIT_TEXT);
    else if (unit == UNIT_MASK)
        format_mask(value, out);
    else
        snprintf(out, LIMIT_TEXT, "%" PRIu64 "%s", value, unit == UNIT_MS ? "ms" : "");
}

// ---- order ----------------------------------------------------------------------------------------------------------

bool limit_raises(enum limit limit, uint64_t from, uint64_t to)
{
    const struct limit_info info = limit_info(limit);
    if (info.unit == UNIT_MASK)
        return ((from == LIMIT_UNSET ? 0 : from) & ~(to == LIMIT_UNSET ? 0 : to)) != 0;
    if (info.tightens)
        return (to == LIMIT_UNSET ? 0 : to) < (from == LIMIT_UNSET ? 0 : from);
    return (to == LIMIT_UNSET ? info.unset : to) > (from == LIMIT_UNSET ? info.unset : from);
}
