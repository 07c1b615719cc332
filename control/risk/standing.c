// SPDX-License-Identifier: Apache-2.0
#include "control/risk/standing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_MOST = 3 };      // of each, to the service manager
enum { LIMITS_ROOM = 8192 }; // a power of two; of more nothing is shown, the log and the audit have them

struct symbol_state {
    char state;
    uint64_t sequence, since_ns;
};

struct standing {
    const struct config *config;
    struct retell *retell;
    struct symbol_state *symbols; // by number in the configuration
    uint32_t *places[JOURNAL_CORES];
    uint32_t locates[JOURNAL_CORES]; // the highest
    uint8_t level[JOURNAL_CORES];
    bool unknown[JOURNAL_CORES];
    uint32_t limits_count; // places that are taken, whether anything of them stands or not
    struct standing_limit limits[LIMITS_ROOM];
};

// ---- symbols --------------------------------------------------------------------------------------------------------

static bool make_places(struct standing *standing)
{
    const struct config *config = standing->config;
    for (uint32_t i = 0; i < config->symbols_count; i++) {
        const struct config_symbol *symbol = &config->symbols[i];
        if (symbol->locate > standing->locates[symbol->matcher])
            standing->locates[symbol->matcher] = symbol->locate;
    }
    for (unsigned core = 0; core < config->matchers_count; core++) {
        standing->places[core] = calloc(standing->locates[core] + 1, sizeof *standing->places[core]);
        if (!standing->places[core])
            return false;
    }
    for (uint32_t i = 0; i < config->symbols_count; i++) {
        standing->places[config->symbols[i].matcher][config->symbols[i].locate] = i;
        standing->symbols[i].state = STATE_TRADING;
    }
    return true;
}

static void set_symbol(struct symbol_state *symbol, const struct alert *alert)
{
    if (alert->cmd_seq < symbol->sequence)
        return;
    if (symbol->state != (char)alert->after)
        symbol->since_ns = alert->time_ns;
    symbol->state = (char)alert->after;
    symbol->sequence = alert->cmd_seq;
}

static void take_symbol(struct standing *standing, unsigned core, const struct alert *alert)
{
    if (alert->locate && alert->locate <= standing->locates[core])
        set_symbol(&standing->symbols[standing->places[core][alert->locate]], alert);
}

// All symbols of a core at once: which of them have states of their own is told again.
static void take_venue(struct standing *standing, unsigned core, const struct alert *alert, bool again)
{
    const bool breached = alert->reason == 'W';
    if (breached)
        standing->level[core] = (uint8_t)alert->after;
    if (again)
        return; // each symbol is told of
    struct alert each = *alert;
    if (breached)
        each.after = STATE_HALTED;
    for (uint32_t i = 0; i < standing->config->symbols_count && (breached || alert->before == 0); i++)
        if (standing->config->symbols[i].matcher == core)
            set_symbol(&standing->symbols[i], &each);
    retell_core(standing->retell, core);
}

// ---- limits ---------------------------------------------------------------------------------------------------------

// What is told once and eases later: stages and rates (engine/rates.md). Others are told each time that an order comes
// near, and nothing of them lasts.
static bool lasts(enum limit limit)
{
    static const enum limit all[] = {LIMIT_GROSS_NOTIONAL, LIMIT_NET_NOTIONAL, LIMIT_DAY_QUANTITY, LIMIT_DAY_VALUE,
                                     LIMIT_WORKING_ORDERS, LIMIT_LOSS,         LIMIT_DRAWDOWN,     LIMIT_ORDER_RATE,
                                     LIMIT_MESSAGE_RATE,   LIMIT_SYMBOL_RATE};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] == limit)
            return true;
    return false;
}

static uint64_t key_of(unsigned core, const struct alert *alert)
{
    return UINT64_C(1) << 63 | (uint64_t)core << 48 | (uint64_t)alert->scope << 44 | (uint64_t)alert->limit << 36 |
           (uint64_t)alert->locate << 16 | alert->index;
}

// The limit's place; when there is none it is made, or NULL: no room, or not to be made.
static struct standing_limit *place_of(struct standing *standing, unsigned core, const struct alert *alert, bool make)
{
    const uint64_t key = key_of(core, alert);
    uint32_t at = (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % LIMITS_ROOM;
    while (standing->limits[at].key && standing->limits[at].key != key)
        at = (at + 1) % LIMITS_ROOM;
    struct standing_limit *limit = &standing->limits[at];
    if (limit->key)
        return limit;
    if (!make || standing->limits_count == LIMITS_ROOM / 2)
        return NULL;
    standing->limits_count++;
    *limit = (struct standing_limit){.key = key,
                                     .index = alert->index,
                                     .locate = alert->locate,
                                     .core = (uint8_t)core,
                                     .scope = alert->scope,
                                     .limit = alert->limit};
    return limit;
}

static void take_stage(struct standing *standing, unsigned core, const struct alert *alert)
{
    const bool eased = alert->kind == ALERT_EASED;
    const bool slowed = eased ? alert->reason == ALERT_SLOWED : alert->kind == ALERT_SLOWED;
    struct standing_limit *limit =
        alert->limit < LIMITS && lasts((enum limit)alert->limit) ? place_of(standing, core, alert, true) : NULL;
    if (!limit || alert->cmd_seq < limit->sequence[slowed])
        return;
    limit->sequence[slowed] = alert->cmd_seq;
    if (slowed)
        limit->slowed = !eased;
    else
        limit->alert = !eased;
    if (eased)
        return;
    limit->before = alert->before;
    limit->after = alert->after;
    limit->time_ns = alert->time_ns;
}

// A limit that is taken away takes what was told of it; drawdown, its capital.
static void take_change(struct standing *standing, unsigned core, const struct alert *alert)
{
    struct alert about = *alert;
    if (alert->after != LIMIT_UNSET || alert->limit >= LIMITS)
        return;
    if (alert->limit == LIMIT_CAPITAL)
        about.limit = LIMIT_DRAWDOWN;
    if (alert->scope == SCOPE_SYMBOL)
        about.locate = alert->index;
    struct standing_limit *limit = place_of(standing, core, &about, false);
    for (unsigned stage = 0; limit && stage < 2; stage++) {
        if (alert->cmd_seq < limit->sequence[stage])
            continue;
        limit->sequence[stage] = alert->cmd_seq;
        if (stage)
            limit->slowed = false;
        else
            limit->alert = false;
    }
}

// ---- alerts ---------------------------------------------------------------------------------------------------------

static void take(struct standing *standing, unsigned core, const struct alert *alert, bool again)
{
    switch ((enum alert_kind)alert->kind) {
    case ALERT_STATE:
        if (alert->scope == SCOPE_SYMBOL)
            take_symbol(standing, core, alert);
        else
            take_venue(standing, core, alert, again);
        break;
    case ALERT_LEVEL:
    case ALERT_SLOWED:
    case ALERT_EASED:
        take_stage(standing, core, alert);
        break;
    case ALERT_CHANGED:
        take_change(standing, core, alert);
        break;
    default:
        break;
    }
}

static void hear(void *context, unsigned core, const struct alert *alert)
{
    take(context, core, alert, false);
}

static void hear_again(void *context, unsigned core, const struct alert *alert)
{
    take(context, core, alert, true);
}

static void hear_end(void *context, unsigned core, bool known, uint64_t now_ns)
{
    struct standing *standing = context;
    (void)now_ns;
    standing->unknown[core] = !known;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

struct standing *standing_new(const struct config *config, struct retell *retell, struct alerts *alerts)
{
    struct standing *standing = calloc(1, sizeof *standing);
    if (!standing)
        return NULL;
    standing->config = config;
    standing->retell = retell;
    standing->symbols = calloc(config->symbols_count + 1, sizeof *standing->symbols);
    if (!standing->symbols || !make_places(standing)) {
        standing_free(standing);
        return NULL;
    }
    alerts_register(alerts, hear, standing);
    retell_register(retell, hear_again, hear_end, standing);
    return standing;
}

void standing_free(struct standing *standing)
{
    if (!standing)
        return;
    for (unsigned core = 0; core < JOURNAL_CORES; core++)
        free(standing->places[core]);
    free(standing->symbols);
    free(standing);
}

// ---- questions ------------------------------------------------------------------------------------------------------

static void say(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Behind what is there, cut to what there is room for.
static void say(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + used, size - used, format, list);
    va_end(list);
}

static unsigned say_blocked(const struct standing *standing, const struct kills *kills, char *text, size_t size)
{
    const struct kill_entry *entry;
    unsigned count = 0;
    char scope[64];
    for (uint32_t i = 0; (entry = kills_at(kills, i)) != NULL; i++) {
        if (!entry->blocks || ++count > SAID_MOST)
            continue;
        alerts_scope_text(standing->config, entry->core, (enum scope)entry->scope, entry->index, scope, sizeof scope);
        say(text, size, "%s%s%s", count == 1 ? "BLOCKED: " : ", ", scope,
            entry->blocks == 3   ? ""
            : entry->blocks == 1 ? " side B"
                                 : " side S");
    }
    if (count > SAID_MOST)
        say(text, size, " and %u more", count - SAID_MOST);
    return count;
}

const char *standing_text(const struct standing *standing, const struct kills *kills, char *text, size_t size)
{
    text[0] = '\0';
    const unsigned blocked = say_blocked(standing, kills, text, size);
    unsigned count = 0;
    for (uint32_t i = 0; i < standing->config->symbols_count; i++)
        if (standing->symbols[i].state != STATE_TRADING && ++count <= SAID_MOST)
            say(text, size, "%s%s",
                count > 1 ? ", "
                : blocked ? "; halted: "
                          : "halted: ",
                standing->config->symbols[i].name);
    if (count > SAID_MOST)
        say(text, size, " and %u more", count - SAID_MOST);
    return text;
}

bool standing_known(const struct standing *standing)
{
    bool known = retell_complete(standing->retell);
    for (unsigned core = 0; core < standing->config->matchers_count; core++)
        known &= !standing->unknown[core];
    return known;
}

enum trading_state standing_symbol(const struct standing *standing, uint32_t symbol, uint64_t *since_ns)
{
    *since_ns = standing->symbols[symbol].since_ns;
    return (enum trading_state)standing->symbols[symbol].state;
}

uint32_t standing_stopped(const struct standing *standing)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < standing->config->symbols_count; i++)
        count += standing->symbols[i].state != STATE_TRADING;
    return count;
}

unsigned standing_level(const struct standing *standing)
{
    unsigned level = 0;
    for (unsigned core = 0; core < standing->config->matchers_count; core++)
        level = standing->level[core] > level ? standing->level[core] : level;
    return level;
}

const struct standing_limit *standing_next(const struct standing *standing, uint32_t *at)
{
    while (*at < LIMITS_ROOM) {
        const struct standing_limit *limit = &standing->limits[(*at)++];
        if (limit->key && (limit->alert || limit->slowed))
            return limit;
    }
    return NULL;
}
