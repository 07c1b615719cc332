// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/audit_line.h"

#include <stdio.h>
#include <string.h>

#include "control/limits/table.h"
#include "control/risk/alerts.h"

const char *audit_limit_key(uint64_t limit)
{
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
    };
    return limit < LIMITS ? keys[limit] : "";
}

const char *audit_symbol_of(const struct audit_view *view, unsigned core, uint16_t locate)
{
    const struct ctl_day *day = &view->walk->day;
    for (unsigned i = 0; i < day->symbols_count; i++)
        if (day->symbols[i].core == core && day->symbols[i].locate == locate)
            return day->symbols[i].name;
    return "";
}

void audit_put_scope(json_t *line, const struct audit_view *view, unsigned core, enum scope scope, uint16_t index)
{
    const struct ctl_day *day = &view->walk->day;
    char text[40];
    const char *word = alerts_scope_word(scope), *name = "";
    if (!word)
        return;
    if (scope == SCOPE_SESSION)
        name = day->users[index];
    else if (scope == SCOPE_SYMBOL)
        name = audit_symbol_of(view, core, index);
    else if (scope != SCOPE_VENUE)
        name = day->accounts[index];
    snprintf(text, sizeof text, "%s%s%s", scope == SCOPE_FIRM ? "firm of" : word, *name ? " " : "", name);
    json_object_set_new(line, "scope", json_string(text));
}

void audit_put_text(json_t *line, const char *key, const char *text, size_t size)
{
    char copy[64];
    size_t length = strnlen(text, size < sizeof copy ? size : sizeof copy);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    if (length)
        json_object_set_new(line, key, json_stringn(copy, length));
}

void audit_put_number(json_t *line, const char *key, uint64_t value)
{
    if (value == LIMIT_UNSET)
        json_object_set_new(line, key, json_string("none"));
    else
        json_object_set_new(line, key, json_integer((json_int_t)value));
}

void audit_put_value(json_t *line, const struct audit_view *view, const char *key, uint64_t limit, uint64_t value)
{
    char text[LIMIT_TEXT];
    if (view->ctl->json || limit >= LIMITS) {
        audit_put_number(line, key, value);
        return;
    }
    limit_format((enum limit)limit, value, text);
    json_object_set_new(line, key, json_string(text));
}

uint64_t audit_read_as(uint64_t limit, bool value)
{
    const bool money = limit == LIMIT_DRAWDOWN || limit == LIMIT_POSITION_SHARE || limit == LIMIT_CORRELATION;
    return money && !value ? LIMIT_LOSS : limit;
}

void audit_put_letters(json_t *line, char before, char after)
{
    audit_put_text(line, "before", &before, before != 0);
    audit_put_text(line, "after", &after, 1);
}

void audit_put_trade(json_t *line, const char *key, uint32_t quantity, uint32_t price)
{
    char text[48];
    snprintf(text, sizeof text, "%u at %u.%04u", quantity, price / 10000, price % 10000);
    json_object_set_new(line, key, json_string(text));
}
