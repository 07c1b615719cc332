// SPDX-License-Identifier: Apache-2.0
// What matching cores tell of kills and resets, as it comes and told again. Where a core has taken a kill last says
// which of both is news.
#include <inttypes.h>
#include <stdio.h>

#include "contract/log.h"
#include "control/limits/table.h"
#include "control/risk/kills_state.h"

// ---- kills by a limit -----------------------------------------------------------------------------------------------

static void begin_limit_kill(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry entry = kill_of_limit(alert->scope, alert->index, core, alert->time_ns);
    entry.asked_ns = 1;
    entry.sequence[core] = alert->cmd_seq;
    entry.limit = alert->limit;
    entry.before = alert->before;
    entry.after = alert->after;
    char most[LIMIT_TEXT], used[LIMIT_TEXT];
    limit_format(LIMIT_LOSS, alert->before, most); // loss, or the money that a drawdown came to
    limit_format(LIMIT_LOSS, alert->after, used);
    snprintf(entry.why, sizeof entry.why, "%s: %.18s, limit %.18s", limit_info((enum limit)alert->limit).key, used,
             most);
    kills_add(kills, &entry);
    audit_note(kills->audit, &(struct audit_entry){.what = NOTE_KILL_BY_LIMIT,
                                                   .scope = (enum scope)alert->scope,
                                                   .index = alert->index,
                                                   .number = core,
                                                   .before = alert->before,
                                                   .after = alert->after,
                                                   .by = limit_info((enum limit)alert->limit).key,
                                                   .why = entry.why});
}

// The one that an alert is about: taken there; or, `again`, known by its note alone, which does not say where.
static struct kill_entry *find_limit_kill(const struct kills *kills, unsigned core, const struct alert *alert,
                                          bool again)
{
    struct kill_entry *noted = NULL;
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        if (entry->source != KILL_BY_LIMIT || entry->scope != alert->scope || entry->index != alert->index ||
            entry->cores != 1u << core || entry->limit != alert->limit)
            continue;
        if (entry->sequence[core] == alert->cmd_seq)
            return entry;
        if (again && !noted && entry->sequence[core] == 0 && entry->before == alert->before &&
            entry->after == alert->after)
            noted = entry;
    }
    return noted;
}

static void take_limit_kill(struct kills *kills, unsigned core, const struct alert *alert, bool again)
{
    struct kill_entry *entry = find_limit_kill(kills, core, alert, again);
    if (!entry) {
        begin_limit_kill(kills, core, alert);
        return;
    }
    entry->sequence[core] = alert->cmd_seq;
    entry->time_ns = alert->time_ns; // of its note: a little later
}

// ---- kills by a command ---------------------------------------------------------------------------------------------

void kills_given_by_breaker(struct kills *kills, unsigned core, const struct command *kill)
{
    for (unsigned i = 0; i < KILLS_BY_BREAKERS; i++) {
        struct breaker_kill *known = &kills->by_breakers[i];
        if (known->cores && known->command.kill.id == kill->kill.id) {
            known->cores |= 1u << core;
            return;
        }
    }
    kills->by_breakers[kills->by_breakers_next++ % KILLS_BY_BREAKERS] = (struct breaker_kill){*kill, 1u << core};
}

static const struct breaker_kill *find_by_breaker(const struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; i < KILLS_BY_BREAKERS; i++)
        if (kills->by_breakers[i].cores && kills->by_breakers[i].command.kill.id == id)
            return &kills->by_breakers[i];
    return NULL;
}

// A kill that is not known: a breaker has given it, or an earlier control, whose journal has not been read as far. Of a
// breaker's the other cores are the breaker's to give.
static struct kill_entry *take_foreign(struct kills *kills, unsigned core, const struct alert *alert)
{
    const struct breaker_kill *known = find_by_breaker(kills, alert->before);
    struct kill_entry entry = {.id = alert->before,
                               .scope = alert->scope,
                               .side = alert->reason,
                               .actions = (uint8_t)alert->after,
                               .source = (uint8_t)(alert->after >> 8),
                               .limit = LIMITS,
                               .index = alert->index,
                               .core = (uint16_t)core,
                               .time_ns = alert->time_ns,
                               .foreign = true,
                               .asked_ns = 1,
                               .by = "breaker"};
    entry.cores = known                             ? known->cores
                  : entry.source == KILL_BY_BREAKER ? 1u << core
                                                    : kill_cores(kills, (enum scope)entry.scope, entry.core);
    entry.given = entry.cores;
    kill_block(&entry, entry.cores);
    if (known)
        snprintf(entry.why, sizeof entry.why, "%.*s", (int)sizeof known->command.kill.why, known->command.kill.why);
    return kills_add(kills, &entry);
}

// A core that a breaker's kill has come to later than to others.
static void take_late(struct kill_entry *entry, unsigned core)
{
    const uint32_t bit = 1u << core;
    if (entry->source != KILL_BY_BREAKER || entry->cores & bit)
        return;
    entry->cores |= bit;
    entry->given |= bit;
    entry->confirmed = false;
}

static struct kill_entry *take_core_kill(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry entry = kill_of_core((uint8_t)alert->after, core, alert->time_ns);
    return alert->after >> 8 == KILL_BY_CORE && alert->scope == SCOPE_VENUE ? kills_add(kills, &entry) : NULL;
}

static void note_killed(struct kill_entry *entry, unsigned core, const struct alert *alert)
{
    take_late(entry, core);
    entry->told |= 1u << core;
    entry->sequence[core] = alert->cmd_seq;
    kill_block(entry, 1u << core);
    if (entry->time_ns == 0)
        entry->time_ns = alert->time_ns;
}

static void note_zero(struct kill_entry *entry, unsigned core, const struct alert *alert)
{
    if (entry->zero >> core & 1)
        return; // told already
    entry->canceled += alert->after;
    entry->zero |= 1u << core;
    entry->sequence[core] = alert->cmd_seq;
}

static void take_killed(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry *entry = kills_by_id(kills, alert->before);
    if (entry && entry->foreign && entry->confirmed && entry->cores >> core & 1 &&
        !find_by_breaker(kills, alert->before))
        entry = NULL; // an earlier one: the breakers of another control have counted from the same number
    if (!entry)
        entry = alert->before ? take_foreign(kills, core, alert) : take_core_kill(kills, core, alert);
    if (entry)
        note_killed(entry, core, alert);
}

// ---- resets ---------------------------------------------------------------------------------------------------------

static struct kill_entry *find_reset(struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; id && i < KILLS_RESETS; i++)
        if (kills->resets[i].id == id)
            return &kills->resets[i];
    return NULL;
}

// What a reset has lifted says whose blocks it was about, where we have not given it.
static uint8_t sources_of(uint64_t lifted)
{
    uint8_t source = 0;
    for (unsigned bit = 0; bit < 3; bit++)
        source |= (uint8_t)((lifted >> 2 * bit & 3) != 0) << bit;
    return source;
}

static void take_reset(struct kills *kills, unsigned core, const struct alert *alert, bool again)
{
    struct kill_entry *reset = find_reset(kills, alert->before);
    const uint8_t source = reset ? reset->source : sources_of(alert->after);
    if (reset && !(reset->told >> core & 1)) {
        reset->told |= 1u << core;
        reset->sequence[core] = alert->cmd_seq;
        reset->lifted |= (uint8_t)((alert->after | alert->after >> 2 | alert->after >> 4) & 3);
    }
    if (!reset && !source)
        return;
    kills_lift(kills, &(struct kill_lift){.scope = alert->scope,
                                          .source = source,
                                          .side = alert->reason,
                                          .index = alert->index,
                                          .core = core,
                                          .sequence = alert->cmd_seq,
                                          .turn = reset ? reset->turn : 0,
                                          .by_order = again ? KILL_LIFT_AGAIN : KILL_LIFT_LIVE});
}

// ---- as it comes ----------------------------------------------------------------------------------------------------

void kills_hear(void *context, unsigned core, const struct alert *alert)
{
    struct kills *kills = context;
    if (alert->kind == ALERT_RESET) {
        take_reset(kills, core, alert, false);
    } else if (alert->kind == ALERT_KILLED && alert->limit < LIMITS) {
        take_limit_kill(kills, core, alert, false);
    } else if (alert->kind == ALERT_KILLED) {
        take_killed(kills, core, alert);
    } else if (alert->kind == ALERT_ZERO) {
        struct kill_entry *entry =
            alert->before ? kills_by_id(kills, alert->before) : kills_by_limit(kills, alert->scope, alert->index, core);
        if (entry)
            note_zero(entry, core, alert);
    }
}

// ---- told again -----------------------------------------------------------------------------------------------------

// The kill by a command that the core has taken there; NULL: it is news.
static struct kill_entry *find_taken(const struct kills *kills, unsigned core, const struct alert *alert)
{
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        const bool same = alert->before ? entry->id == alert->before
                                        : entry->source == KILL_BY_LIMIT && entry->scope == alert->scope &&
                                              entry->index == alert->index && entry->cores == 1u << core;
        if (same && entry->sequence[core] == alert->cmd_seq)
            return entry;
    }
    return NULL;
}

static void hear_killed(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry *entry = find_taken(kills, core, alert);
    if (entry) {
        entry->told |= 1u << core;
        return;
    }
    entry = kills_by_id(kills, alert->before);
    if (entry && entry->sequence[core] > alert->cmd_seq)
        return; // the same one, given again since
    if (entry && entry->sequence[core] == 0 && !entry->confirmed)
        note_killed(entry, core, alert);
    else
        take_killed(kills, core, alert);
}

void kills_hear_again(void *context, unsigned core, const struct alert *alert)
{
    struct kills *kills = context;
    if (alert->kind == ALERT_RESET) {
        take_reset(kills, core, alert, true);
    } else if (alert->kind == ALERT_KILLED && alert->limit < LIMITS) {
        take_limit_kill(kills, core, alert, true);
    } else if (alert->kind == ALERT_KILLED) {
        hear_killed(kills, core, alert);
    } else if (alert->kind == ALERT_ZERO) {
        struct kill_entry *entry = find_taken(kills, core, alert);
        if (entry && !entry->confirmed)
            note_zero(entry, core, alert);
    }
}

// ---- what a data plane did not live to take -------------------------------------------------------------------------

static void log_missed(const struct kills *kills, const struct kill_entry *entry, const char *what, unsigned core)
{
    char scope[64];
    alerts_scope_text(kills->config, entry->core, (enum scope)entry->scope, entry->index, scope, sizeof scope);
    log_event(LOG_XW2039, "\"what\":\"%s\",\"id\":%" PRIu64 ",\"core\":%u,\"scope\":%s,\"by\":%s,\"why\":%s", what,
              entry->id, core, log_quote(scope), log_quote(entry->by), log_quote(entry->why));
}

static void settle_kill(const struct kills *kills, struct kill_entry *entry, unsigned core, bool known)
{
    const uint32_t bit = 1u << core;
    if (!(entry->doubtful & bit) || entry->confirmed)
        return;
    entry->doubtful &= ~bit;
    if (kill_said(entry) & bit)
        return;
    if (entry->blocks || entry->attended) {
        entry->given &= ~bit;
    } else if (known && !(entry->actions & KILL_BLOCK)) {
        entry->missed |= bit;
        log_missed(kills, entry, "kill", core);
    }
}

void kills_hear_end(void *context, unsigned core, bool known, uint64_t now_ns)
{
    struct kills *kills = context;
    const uint32_t bit = 1u << core;
    (void)now_ns;
    for (uint32_t i = 0; i < kills->count; i++)
        settle_kill(kills, &kills->entries[i], core, known);
    for (unsigned i = 0; i < KILLS_RESETS; i++) {
        struct kill_entry *reset = &kills->resets[i];
        if (!reset->id || !(reset->doubtful & bit))
            continue;
        reset->doubtful &= ~bit;
        if (reset->told & bit || !known)
            continue;
        reset->missed |= bit;
        log_missed(kills, reset, "reset", core);
    }
}
