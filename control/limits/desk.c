// SPDX-License-Identifier: Apache-2.0
#include "control/limits/desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/fault.h"
#include "contract/log.h"
#include "control/limits/desk_state.h"
#include "control/limits/table.h"

enum { LOOK_BUDGET = 4096 }; // rules a call

struct limits_desk *limits_desk_new(const struct config *config, const char *path, char *error, size_t error_size)
{
    struct limits_desk *desk = calloc(1, sizeof *desk);
    if (!desk || !limits_venue_init(&desk->venue, config)) {
        snprintf(error, error_size, "no memory for limits");
        limits_desk_free(desk);
        return NULL;
    }
    desk->config = config;
    desk->file = limits_file_read(path, &desk->venue, error, error_size);
    if (desk->file)
        return desk;
    limits_desk_free(desk);
    return NULL;
}

void limits_desk_free(struct limits_desk *desk)
{
    if (!desk)
        return;
    limits_desk_begin(desk);
    for (unsigned i = 0; i < LIMITS_PENDING; i++)
        limits_clear(&desk->pending[i].wants);
    limits_file_free(desk->file);
    limits_venue_free(&desk->venue);
    free(desk);
}

// ---- what cores have been told --------------------------------------------------------------------------------------

void limits_desk_begin(struct limits_desk *desk)
{
    for (unsigned core = 0; core < LIMITS_CORES; core++)
        limits_desk_forget(desk, core);
    limits_clear(&desk->target);
    desk->stage = STAGE_UNKNOWN;
}

void limits_desk_forget(struct limits_desk *desk, unsigned core)
{
    limits_clear(&desk->told[core]);
    desk->started[core] = desk->ended[core] = false;
}

void limits_desk_restored(struct limits_desk *desk, unsigned core, bool ended)
{
    desk->started[core] = true;
    desk->ended[core] = ended;
}

void limits_desk_hear(struct limits_desk *desk, limits_heard *heard, void *context)
{
    desk->heard = heard;
    desk->heard_context = context;
}

void limits_desk_note(struct limits_desk *desk, unsigned core, const struct command *command)
{
    struct command original;
    if (command->type == CMD_RESTORE_ADMIN) {
        original = *command;
        original.type = command->refuse;
        command = &original;
    }
    if (desk->heard && command->type == CMD_REFERENCE)
        desk->heard(desk->heard_context, core, command);
    desk->started[core] |= command->type == CMD_START;
    desk->ended[core] |= command->type == CMD_END_DAY;
    if (!limits_note(&desk->told[core], &desk->venue, core, command))
        return;
    if (command->type == CMD_LIMIT && command->limit.change > desk->change)
        desk->change = command->limit.change;
}

static bool any_started(const struct limits_desk *desk)
{
    for (unsigned core = 0; core < desk->config->matchers_count; core++)
        if (desk->started[core])
            return true;
    return false;
}

static bool all_ended(const struct limits_desk *desk)
{
    for (unsigned core = 0; core < desk->config->matchers_count; core++)
        if (!desk->ended[core])
            return false;
    return true;
}

bool limits_desk_told(const struct limits_desk *desk, uint64_t key, struct limits_rule *rule)
{
    const uint32_t cores = limits_cores(&desk->venue, key);
    bool found = false;
    for (unsigned core = 0; core < desk->config->matchers_count; core++) {
        const struct limits_rule *part = cores & 1u << core ? limits_find(&desk->told[core], key) : NULL;
        if (!part || (found && part->change <= rule->change))
            continue;
        *rule = *part;
        found = true;
    }
    if (found && limits_kind(key) == RULE_LIMIT && rule->change > 0)
        rule->value = rule->whole;
    return found;
}

// Sums of parts against the greatest whole that any core knows: more would be room that nobody gave.
static void check_parts(const struct limits_desk *desk, uint64_t key)
{
    const uint32_t cores = limits_cores(&desk->venue, key);
    unsigned __int128 sum = 0;
    uint64_t whole = 0;
    char whom[LIMITS_WHOM];
    if (limits_kind(key) != RULE_LIMIT || !limit_info(limits_limit(key)).apportioned)
        return;
    for (unsigned core = 0; core < desk->config->matchers_count; core++) {
        const struct limits_rule *part = cores & 1u << core ? limits_find(&desk->told[core], key) : NULL;
        if (!part || part->value == LIMIT_UNSET || part->change == 0)
            return; // not told everywhere, or not by this desk
        sum += part->value;
        whole = part->whole > whole ? part->whole : whole;
    }
    if (sum <= whole)
        return;
    limits_whom(&desk->venue, key, whom);
    log_event(LOG_XW2044, "\"whom\":%s,\"limit\":\"%s\",\"whole\":%" PRIu64 ",\"parts\":%" PRIu64, log_quote(whom),
              limit_info(limits_limit(key)).key, whole, (uint64_t)sum);
}

// ---- the target -----------------------------------------------------------------------------------------------------

static int by_number(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

uint64_t *limits_desk_keys(const struct limits_desk *desk, size_t *count)
{
    size_t room = desk->file->rules.count + 1, used = 0, kept = 0;
    for (unsigned core = 0; core < LIMITS_CORES; core++)
        room += desk->told[core].count;
    uint64_t *keys = calloc(room, sizeof *keys);
    if (!keys)
        return NULL;
    for (size_t i = 0; i < desk->file->rules.count; i++)
        keys[used++] = desk->file->rules.list[i].key;
    for (unsigned core = 0; core < LIMITS_CORES; core++)
        for (size_t i = 0; i < desk->told[core].count; i++)
            keys[used++] = desk->told[core].list[i].key;
    qsort(keys, used, sizeof *keys, by_number);
    for (size_t i = 0; i < used; i++)
        if (kept == 0 || keys[kept - 1] != keys[i])
            keys[kept++] = keys[i];
    *count = kept;
    return keys;
}

static bool by_operator(const struct limits_rule *rule)
{
    return rule->by[0] != '\0' && strcmp(rule->by, LIMITS_FILE) != 0;
}

bool limits_desk_loosens(const struct limits_desk *desk, const struct limits_rule *told,
                         const struct limits_rule *wanted)
{
    struct limits_rule from = told ? *told : (struct limits_rule){.key = wanted->key, .value = LIMIT_UNSET};
    struct limits_rule to = *wanted, rate;
    const uint64_t key = wanted->key;
    if (limits_kind(key) != RULE_LIMIT)
        return limits_loosens(told, wanted);
    // A burst that is not given is the rate.
    if (limits_limit(key) == LIMIT_ORDER_BURST &&
        limits_desk_told(desk, limits_key(RULE_LIMIT, limits_scope(key), limits_index(key), 0, LIMIT_ORDER_RATE),
                         &rate)) {
        from.value = from.value == LIMIT_UNSET ? rate.value : from.value;
        to.value = to.value == LIMIT_UNSET ? rate.value : to.value;
    }
    return limits_loosens(&from, &to);
}

// What the rule should be, with what was told (or NULL) and what the file says (or NULL); false: nothing is to be said.
static bool wanted_rule(const struct limits_desk *desk, uint64_t key, const struct limits_rule *told,
                        const struct limits_rule *given, bool reload, struct limits_rule *wanted)
{
    const enum rule_kind kind = limits_kind(key);
    *wanted = (struct limits_rule){.key = key, .value = LIMIT_UNSET, .by = LIMITS_FILE};
    const bool another_file = kind == RULE_LIMIT && told && told->file != desk->file->digest;
    if (told && by_operator(told) && !reload && !another_file) {
        *wanted = *told;
        return true;
    }
    if (given)
        *wanted = *given;
    else if (kind == RULE_GROUP)
        wanted->value = 0;
    else if (kind != RULE_LIMIT)
        return false; // what is known of a symbol stays known
    return kind != RULE_POSITION || !any_started(desk);
}

struct build {
    struct limits_set target, waiting;
    struct limits_counts counts;
    uint32_t change;
    bool good;
};

static void build_rule(struct limits_desk *desk, struct build *build, uint64_t key, bool reload)
{
    struct limits_rule told, wanted;
    const bool was = limits_desk_told(desk, key, &told);
    if (!wanted_rule(desk, key, was ? &told : NULL, limits_find(&desk->file->rules, key), reload, &wanted))
        return;
    if (all_ended(desk)) {
        build->good &= !was || limits_put(&build->target, &told);
        return;
    }
    if (was && limits_same(&told, &wanted)) {
        build->good &= limits_put(&build->target, &told);
        return;
    }
    wanted.change = build->change;
    wanted.file = desk->file->digest;
    if (desk->config->risk.second_person && any_started(desk) &&
        limits_desk_loosens(desk, was ? &told : NULL, &wanted)) {
        build->counts.waiting++;
        build->good &= limits_put(&build->waiting, &wanted);
        build->good &= !was || limits_put(&build->target, &told);
        return;
    }
    build->counts.changed++;
    build->good &= limits_put(&build->target, &wanted);
}

// Makes the target anew from the file and what was told.
static struct limits_counts rebuild(struct limits_desk *desk, bool reload, const char *by, uint64_t now_ns)
{
    size_t count;
    uint64_t *keys = limits_desk_keys(desk, &count);
    struct build build = {.change = desk->change + 1, .good = keys != NULL};
    for (size_t i = 0; keys && i < count; i++) {
        if (!reload)
            check_parts(desk, keys[i]);
        build_rule(desk, &build, keys[i], reload);
    }
    free(keys);
    if (!build.good) { // as it was: a later reload may find more
        limits_clear(&build.target);
        limits_clear(&build.waiting);
        log_event(LOG_XW2022, "\"reason\":%s", log_quote("no memory for limits"));
        return (struct limits_counts){0};
    }
    limits_clear(&desk->target);
    desk->target = build.target;
    if (build.counts.changed || build.counts.waiting)
        desk->change = build.change;
    limits_desk_await_file(desk, &build.waiting, by, now_ns);
    limits_desk_tell_cores(desk);
    return build.counts;
}

struct limits_counts limits_desk_reconcile(struct limits_desk *desk, uint64_t now_ns)
{
    bool fresh = true;
    for (unsigned core = 0; core < LIMITS_CORES; core++)
        fresh &= desk->told[core].count == 0;
    const struct limits_counts counts = rebuild(desk, false, LIMITS_FILE, now_ns);
    desk->fresh = fresh && !any_started(desk);
    return counts;
}

// ---- reload ---------------------------------------------------------------------------------------------------------

// Positions are those that the day began with.
static const struct limits_rule *moved_position(const struct limits_desk *desk, const struct limits_file *file)
{
    for (size_t i = 0; any_started(desk) && desk->stage != STAGE_UNKNOWN && i < file->rules.count; i++) {
        const struct limits_rule *rule = &file->rules.list[i];
        struct limits_rule told;
        if (limits_kind(rule->key) == RULE_POSITION &&
            (!limits_desk_told(desk, rule->key, &told) || !limits_same(&told, rule)))
            return rule;
    }
    return NULL;
}

struct limits_file *limits_desk_read(const struct limits_desk *desk, const struct config *next, char *error,
                                     size_t error_size)
{
    char whom[LIMITS_WHOM];
    struct limits_file *file = limits_file_read(next->risk.limits, &desk->venue, error, error_size);
    const struct limits_rule *moved = file ? moved_position(desk, file) : NULL;
    if (!moved)
        return file;
    limits_whom(&desk->venue, moved->key, whom);
    snprintf(error, error_size,
             "%s: `quantity` and `cost` of %s are not those that the day began with: put them back until it has ended",
             next->risk.limits, whom);
    limits_file_free(file);
    return NULL;
}

struct limits_counts limits_desk_take(struct limits_desk *desk, struct limits_file *file, const char *by,
                                      uint64_t now_ns)
{
    limits_file_free(desk->file);
    desk->file = file;
    if (desk->stage == STAGE_UNKNOWN)
        return (struct limits_counts){0}; // no core is there yet: with the next one
    return rebuild(desk, true, by, now_ns);
}

const struct limits_file *limits_desk_file(const struct limits_desk *desk)
{
    return desk->file;
}

const struct limits_venue *limits_desk_venue(const struct limits_desk *desk)
{
    return &desk->venue;
}

// ---- telling --------------------------------------------------------------------------------------------------------

void limits_desk_tell_cores(struct limits_desk *desk)
{
    memset(desk->at, 0, sizeof desk->at);
    desk->raises = 0;
    desk->given = false;
    desk->fresh = false;
    desk->stage = STAGE_LOWER;
}

bool limits_desk_next(struct limits_desk *desk, unsigned core, struct command *command)
{
    if (desk->stage != STAGE_LOWER && desk->stage != STAGE_RAISE)
        return false;
    if (desk->ended[core])
        desk->at[core] = desk->target.count;
    const size_t until = desk->at[core] + LOOK_BUDGET;
    for (; desk->at[core] < desk->target.count && desk->at[core] < until; desk->at[core]++) {
        const struct limits_rule *rule = &desk->target.list[desk->at[core]];
        if (!(limits_cores(&desk->venue, rule->key) & 1u << core) ||
            (FAULT(firm_limits_untold) && limits_scope(rule->key) == SCOPE_FIRM))
            continue;
        const struct limits_rule part =
            limits_part(&desk->venue, rule, limits_file_shares(desk->file, rule->key), core);
        const struct limits_rule *told = limits_find(&desk->told[core], rule->key);
        const bool is_limit = limits_kind(rule->key) == RULE_LIMIT;
        if (told ? limits_same(told, &part) : is_limit && part.value == LIMIT_UNSET)
            continue;
        if (desk->stage == STAGE_LOWER && !desk->fresh && is_limit && limits_loosens(told, &part)) {
            desk->raises++;
            continue;
        }
        desk->given = true;
        *command = limits_command(&desk->venue, &part);
        return true;
    }
    return false;
}

static bool all_told(const struct limits_desk *desk)
{
    for (unsigned core = 0; core < desk->config->matchers_count; core++)
        if (desk->at[core] < desk->target.count)
            return false;
    return true;
}

bool limits_desk_holds_start(const struct limits_desk *desk, unsigned core)
{
    if (desk->fresh)
        return desk->stage == STAGE_LOWER && desk->at[core] < desk->target.count;
    return desk->stage != STAGE_IDLE;
}

uint64_t limits_desk_waits(const struct limits_desk *desk)
{
    return desk->stage == STAGE_SETTLE || desk->stage == STAGE_CONFIRM ? desk->wait : 0;
}

static void await(struct limits_desk *desk, enum limits_stage stage)
{
    desk->stage = stage;
    desk->wait++;
}

void limits_desk_poll(struct limits_desk *desk, bool durable, uint64_t now_ns)
{
    limits_desk_expire(desk, now_ns);
    switch (desk->stage) {
    case STAGE_LOWER:
        if (!all_told(desk))
            break;
        if (desk->raises)
            await(desk, STAGE_SETTLE);
        else if (desk->given)
            await(desk, STAGE_CONFIRM);
        else
            desk->stage = STAGE_IDLE;
        break;
    case STAGE_SETTLE:
        if (!durable)
            break;
        memset(desk->at, 0, sizeof desk->at);
        desk->stage = STAGE_RAISE;
        break;
    case STAGE_RAISE:
        if (all_told(desk))
            await(desk, STAGE_CONFIRM);
        break;
    case STAGE_CONFIRM:
        if (!durable)
            break;
        log_event(LOG_XW2043, "\"change\":%u,\"rules\":%zu", desk->change, desk->target.count);
        desk->stage = STAGE_IDLE;
        break;
    case STAGE_UNKNOWN:
    case STAGE_IDLE:
        break;
    }
}

bool limits_desk_idle(const struct limits_desk *desk)
{
    return desk->stage == STAGE_IDLE;
}
