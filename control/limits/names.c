// SPDX-License-Identifier: Apache-2.0
#include "control/limits/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "contract/config_source.h"
#include "control/limits/table.h"

enum { NAMES_MOST = 8 };

static uint32_t count_of(const struct config *config, enum scope scope)
{
    return scope == SCOPE_SESSION  ? config->sessions_count
           : scope == SCOPE_SYMBOL ? config->symbols_count
                                   : config->accounts_count;
}

static const char *name_at(const struct config *config, enum scope scope, uint32_t i)
{
    switch (scope) {
    case SCOPE_FIRM:
        return config->accounts[i].firm;
    case SCOPE_SESSION:
        return config->sessions[i].user;
    case SCOPE_SYMBOL:
        return config->symbols[i].name;
    default:
        return config->accounts[i].name;
    }
}

int64_t names_find(const struct config *config, enum scope scope, const char *name)
{
    int64_t found = -1;
    for (uint32_t i = 0; i < count_of(config, scope); i++)
        if (strcmp(name_at(config, scope, i), name) == 0)
            return i;
    for (uint32_t i = 0; i < count_of(config, scope); i++) {
        const char *known = name_at(config, scope, i);
        if (strcasecmp(known, name) != 0 || (found >= 0 && strcmp(known, name_at(config, scope, (uint32_t)found)) == 0))
            continue;
        if (found >= 0)
            return -1; // two that differ in case alone
        found = i;
    }
    return found;
}

// Of a firm's accounts the first names it.
static bool is_first(const struct config *config, enum scope scope, uint32_t i)
{
    for (uint32_t before = 0; scope == SCOPE_FIRM && before < i; before++)
        if (strcmp(config->accounts[before].firm, config->accounts[i].firm) == 0)
            return false;
    return true;
}

const char *names_unknown(const struct config *config, enum scope scope, const char *name, char text[NAMES_TEXT])
{
    const size_t size = NAMES_TEXT;
    size_t used = (size_t)snprintf(text, size, "the configuration has no %s `%s`: it has ", scope_name(scope),
                                   config_shown(name, strlen(name)));
    uint32_t said = 0, more = 0;
    for (uint32_t i = 0; i < count_of(config, scope); i++) {
        if (!is_first(config, scope, i))
            continue;
        if (said == NAMES_MOST) {
            more++;
            continue;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", said++ ? ", " : "", name_at(config, scope, i));
    }
    if (more)
        snprintf(text + used, size - used, " and %u more", more);
    return text;
}
