// SPDX-License-Identifier: Apache-2.0
#include "control/risk/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "contract/assert.h"
#include "contract/log.h"

enum { TAKERS = 8, BURST = 256 };

struct alerts {
    const struct config *config;
    struct {
        alerts_take *take;
        void *context;
    } takers[TAKERS];
    unsigned takers_count;
    uint64_t dropped[JOURNAL_CORES]; // as last told
};

struct alerts *alerts_new(const struct config *config)
{
    struct alerts *alerts = calloc(1, sizeof *alerts);
    if (alerts)
        alerts->config = config;
    return alerts;
}

void alerts_free(struct alerts *alerts)
{
    free(alerts);
}

void alerts_register(struct alerts *alerts, alerts_take *take, void *context)
{
    xw_assert(alerts->takers_count < TAKERS);
    alerts->takers[alerts->takers_count].take = take;
    alerts->takers[alerts->takers_count++].context = context;
}

// ---- names ----------------------------------------------------------------------------------------------------------

const char *alerts_scope_word(enum scope scope)
{
    static const char *const words[] = {NULL, "venue", "firm", "account", "session", "symbol", "position"};
    return (unsigned)scope < sizeof words / sizeof words[0] ? words[scope] : NULL;
}

static const char *symbol_name(const struct config *config, unsigned core, uint16_t locate)
{
    for (uint32_t i = 0; i < config->symbols_count; i++)
        if (config->symbols[i].matcher == core && config->symbols[i].locate == locate)
            return config->symbols[i].name;
    return "";
}

const char *alerts_scope_name(const struct config *config, unsigned core, enum scope scope, uint16_t index)
{
    switch (scope) {
    case SCOPE_FIRM:
        return index < config->accounts_count ? config->accounts[index].firm : "";
    case SCOPE_ACCOUNT:
    case SCOPE_POSITION:
        return index < config->accounts_count ? config->accounts[index].name : "";
    case SCOPE_SESSION:
        return index < config->sessions_count ? config->sessions[index].user : "";
    case SCOPE_SYMBOL:
        return symbol_name(config, core, index);
    default:
        return "";
    }
}

const char *alerts_scope_text(const struct config *config, unsigned core, enum scope scope, uint16_t index, char *text,
                              size_t size)
{
    const char *word = alerts_scope_word(scope), *name = alerts_scope_name(config, core, scope, index);
    snprintf(text, size, "%s%s%s", word ? word : "?", *name ? " " : "", name);
    return text;
}

// ---- the log --------------------------------------------------------------------------------------------------------

static const char *limit_key(unsigned limit)
{
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
    };
    return limit < LIMITS ? keys[limit] : "";
}

static enum log_code code_of(const struct alert *alert)
{
    switch ((enum alert_kind)alert->kind) {
    case ALERT_KILLED:
        return LOG_XW2031;
    case ALERT_ZERO:
        return LOG_XW2032;
    case ALERT_RESET:
        return LOG_XW2033;
    default:
        return LOG_XW2030;
    }
}

static void tell(struct alerts *alerts, unsigned core, const struct alert *alert)
{
    char text[64], side[2] = {alert->reason, '\0'};
    if (alert->dropped > alerts->dropped[core])
        log_event(LOG_XW2034, "\"core\":%u,\"dropped\":%" PRIu64, core, alert->dropped - alerts->dropped[core]);
    alerts->dropped[core] = alert->dropped;
    alerts_scope_text(alerts->config, core, (enum scope)alert->scope, alert->index, text, sizeof text);
    log_event(code_of(alert),
              "\"core\":%u,\"sequence\":%" PRIu64 ",\"kind\":\"%c\",\"scope\":%s,\"symbol\":\"%s\",\"limit\":\"%s\","
              "\"reason\":%s,\"before\":%" PRIu64 ",\"after\":%" PRIu64,
              core, alert->cmd_seq, alert->kind, log_quote(text),
              alert->locate ? symbol_name(alerts->config, core, alert->locate) : "", limit_key(alert->limit),
              log_quote(side), alert->before, alert->after);
}

unsigned alerts_poll(struct alerts *alerts, const struct generation *generation)
{
    unsigned done = 0;
    for (unsigned core = 0; core < generation->cores; core++) {
        struct ring *ring = generation->alerts[core];
        const struct alert *alert;
        for (unsigned i = 0; ring && i < BURST && (alert = ring_peek(ring, 0)) != NULL; i++, done++) {
            tell(alerts, core, alert);
            for (unsigned t = 0; t < alerts->takers_count; t++)
                alerts->takers[t].take(alerts->takers[t].context, core, alert);
            ring_release(ring, 1);
        }
    }
    return done;
}
