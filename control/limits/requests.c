// SPDX-License-Identifier: Apache-2.0
// Operators at the limits desk, and what waits for a second person.
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/config_source.h"
#include "contract/fault.h"
#include "contract/log.h"
#include "control/limits/defaults.h"
#include "control/limits/desk_state.h"
#include "control/limits/names.h"
#include "control/limits/sense.h"
#include "control/limits/table.h"

#define SECOND_NS UINT64_C(1000000000)

// ---- what waits -----------------------------------------------------------------------------------------------------

static void drop(struct limits_pending *pending)
{
    limits_clear(&pending->wants);
    *pending = (struct limits_pending){0};
}

static struct limits_pending *find(struct limits_desk *desk, uint32_t id)
{
    for (unsigned i = 0; id && i < LIMITS_PENDING; i++)
        if (desk->pending[i].id == id)
            return &desk->pending[i];
    return NULL;
}

void limits_desk_watch(struct limits_desk *desk, limits_stepped *stepped, void *context)
{
    desk->stepped = stepped;
    desk->stepped_context = context;
}

static void tell(const struct limits_desk *desk, const struct limits_pending *pending, enum limits_step step,
                 const char *by)
{
    static const char *const words[] = {"asked", "approved", "rejected", "expired", "superseded", "stood for"};
    char text[512];
    limits_desk_tell(desk, pending, text, sizeof text);
    log_event(LOG_XW2042, "\"request\":%u,\"what\":\"%s\",\"by\":%s,\"rules\":%zu,\"first\":%s", pending->id,
              words[step], log_quote(by), pending->wants.count, log_quote(text));
    if (!desk->stepped)
        return;
    const uint64_t key = pending->wants.count ? pending->wants.list[0].key : 0;
    const struct limits_rule *present = limits_find(&desk->target, key);
    const bool set = present && present->value != LIMIT_UNSET;
    desk->stepped(desk->stepped_context, step, pending, by,
                  set ? present->value : limits_default_among(&desk->target, &desk->venue, key));
}

// Drawn, so that who approves what he was told by a control that is gone can not mean another request.
static uint32_t new_id(struct limits_desk *desk)
{
    uint32_t id;
    do {
        randombytes_buf(&id, sizeof id);
        id = 100000 + id % 900000;
    } while (find(desk, id));
    return id;
}

// A place for a request: a free one. NULL: none.
static struct limits_pending *place(struct limits_desk *desk, const char *by, uint64_t now_ns)
{
    for (unsigned i = 0; i < LIMITS_PENDING; i++) {
        struct limits_pending *pending = &desk->pending[i];
        if (pending->id)
            continue;
        pending->id = new_id(desk);
        pending->expires_ns = now_ns + desk->config->risk.approval_seconds * SECOND_NS;
        snprintf(pending->by, sizeof pending->by, "%s", by);
        return pending;
    }
    return NULL;
}

// What other requests want of the same rule was asked for when it had another value.
static void supersede(struct limits_desk *desk, uint64_t key)
{
    for (unsigned i = 0; i < LIMITS_PENDING; i++) {
        struct limits_pending *pending = &desk->pending[i];
        if (!pending->id || !limits_find(&pending->wants, key))
            continue;
        if (pending->wants.count > 1) {
            limits_remove(&pending->wants, key);
            continue;
        }
        tell(desk, pending, LIMITS_SUPERSEDED, "");
        drop(pending);
    }
}

static bool same_wants(const struct limits_set *a, const struct limits_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].key != b->list[i].key || !limits_same(&a->list[i], &b->list[i]))
            return false;
    return true;
}

static bool is_nobodys(const struct limits_pending *pending)
{
    return strcmp(pending->by, LIMITS_FILE) == 0;
}

static void stand_for(const struct limits_desk *desk, struct limits_pending *pending, const char *by)
{
    snprintf(pending->by, sizeof pending->by, "%s", by);
    tell(desk, pending, LIMITS_STOOD_FOR, by);
}

void limits_desk_await_author(struct limits_desk *desk)
{
    desk->awaits_author = true;
}

void limits_desk_author(struct limits_desk *desk, uint32_t digest, const char *by)
{
    desk->awaits_author = false;
    for (unsigned i = 0; by[0] && i < LIMITS_PENDING; i++)
        if (desk->pending[i].id && desk->pending[i].file && desk->pending[i].digest == digest &&
            is_nobodys(&desk->pending[i]))
            stand_for(desk, &desk->pending[i], by);
}

void limits_desk_await_file(struct limits_desk *desk, struct limits_set *waiting, const char *by, uint64_t now_ns)
{
    for (unsigned i = 0; i < LIMITS_PENDING; i++) {
        if (!desk->pending[i].id || !desk->pending[i].file)
            continue;
        if (same_wants(&desk->pending[i].wants, waiting)) {
            limits_clear(waiting); // it waits already
            if (is_nobodys(&desk->pending[i]) && strcmp(by, LIMITS_FILE) != 0)
                stand_for(desk, &desk->pending[i], by);
            return;
        }
        tell(desk, &desk->pending[i], LIMITS_SUPERSEDED, by);
        drop(&desk->pending[i]);
    }
    if (waiting->count == 0)
        return;
    struct limits_pending *pending = place(desk, by, now_ns);
    for (unsigned i = 0; !pending && i < LIMITS_PENDING; i++) { // the file comes before an operator's oldest request
        tell(desk, &desk->pending[i], LIMITS_SUPERSEDED, by);
        drop(&desk->pending[i]);
        pending = place(desk, by, now_ns);
    }
    pending->file = true;
    pending->digest = desk->file->digest;
    pending->wants = *waiting;
    tell(desk, pending, LIMITS_ASKED, by);
}

void limits_desk_expire(struct limits_desk *desk, uint64_t now_ns)
{
    for (unsigned i = 0; i < LIMITS_PENDING; i++) {
        struct limits_pending *pending = &desk->pending[i];
        if (!pending->id || now_ns < pending->expires_ns)
            continue;
        tell(desk, pending, LIMITS_LAPSED, "");
        drop(pending);
    }
}

const struct limits_pending *limits_desk_pending(const struct limits_desk *desk, unsigned index)
{
    return &desk->pending[index];
}

// ---- operators ------------------------------------------------------------------------------------------------------

__attribute__((format(printf, 3, 4))) static struct limits_answer *refuse(struct limits_answer *answer, int exit_code,
                                                                          const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(answer->text, sizeof answer->text, format, list);
    va_end(list);
    answer->exit = exit_code;
    return answer;
}

void limits_desk_tell(const struct limits_desk *desk, const struct limits_pending *pending, char *out, size_t size)
{
    char whom[LIMITS_WHOM], before[LIMITS_TEXT], after[LIMITS_TEXT];
    out[0] = '\0';
    if (pending->wants.count == 0)
        return;
    const struct limits_rule *wanted = &pending->wants.list[0], *present = limits_find(&desk->target, wanted->key);
    limits_whom(&desk->venue, wanted->key, whom);
    limits_text_among(&desk->target, &desk->venue, wanted->key, present, before);
    limits_text_among(&desk->target, &desk->venue, wanted->key, wanted, after);
    snprintf(out, size, "%s %s %s -> %s", whom, limits_what(wanted->key), before, after);
}

// Whether what an account, its firm and the venue say together makes sense once `rule` holds.
static bool check_together(const struct limits_desk *desk, const struct limits_rule *rule, struct limits_answer *answer)
{
    const enum limit limit = limits_limit(rule->key);
    const char *why = NULL;
    enum limit about = LIMITS;
    uint32_t at = 0;
    for (; !why && at < desk->config->accounts_count; at++) {
        const uint16_t account = (uint16_t)at;
        if (limit == LIMIT_CAPITAL || limit == LIMIT_POSITION_SHARE) {
            about = LIMIT_POSITION_SHARE;
            why = limits_share_is_of_something(&desk->target, rule, &desk->venue, account) ? NULL
                                                                                           : LIMITS_SHARE_OF_NOTHING;
        } else if (limit == LIMIT_ALERT || limit == LIMIT_SLOW) {
            about = LIMIT_SLOW;
            why = limits_slow_before_alert(&desk->target, rule, &desk->venue, account) ? LIMITS_SLOW_FIRST : NULL;
        }
    }
    if (!why)
        return true;
    refuse(answer, EX_DATAERR, "account %s: then `%s` %s", desk->config->accounts[at - 1].name, limit_info(about).key,
           why);
    return false;
}

// Whether the scope's limits make sense together once `rule` is one of them.
static bool check_sense(const struct limits_desk *desk, const struct limits_rule *rule, struct limits_answer *answer)
{
    uint64_t values[LIMITS];
    enum limit about;
    char why[256];
    for (int i = 0; i < LIMITS; i++) {
        const uint64_t key = limits_key(RULE_LIMIT, limits_scope(rule->key), limits_index(rule->key),
                                        limits_symbol(rule->key), (enum limit)i);
        const struct limits_rule *other = key == rule->key ? rule : limits_find(&desk->target, key);
        values[i] = other ? other->value : LIMIT_UNSET;
    }
    if (limits_sensible(values, false, &about, why, sizeof why))
        return check_together(desk, rule, answer);
    refuse(answer, EX_DATAERR, "%s: then `%s` %s", answer->whom, limit_info(about).key, why);
    return false;
}

// The places of whom a name of an operator's is about: he need not know how the configuration writes it. Of a position
// both parts. False with the refusal, which says what there is.
static bool find_whom(const struct limits_desk *desk, enum scope scope, const char *name, uint16_t *index,
                      uint16_t *symbol, struct limits_answer *answer)
{
    const char *colon = scope == SCOPE_POSITION ? strrchr(name, ':') : NULL;
    char text[NAMES_TEXT], account[64] = "";
    struct {
        enum scope scope;
        const char *name;
        uint16_t *place;
    } parts[] = {{scope, name, scope == SCOPE_SYMBOL ? symbol : index}, {SCOPE_SYMBOL, colon ? colon + 1 : "", symbol}};
    *index = *symbol = 0;
    if (scope == SCOPE_VENUE)
        return true;
    if (scope == SCOPE_POSITION && !colon) {
        refuse(answer, EX_NOINPUT, "the configuration has no position `%s`: say ACCOUNT:SYMBOL",
               config_shown(name, strlen(name)));
        return false;
    }
    if (colon) {
        snprintf(account, sizeof account, "%.*s", (int)(colon - name), name);
        parts[0].scope = SCOPE_ACCOUNT;
        parts[0].name = account;
    }
    for (unsigned i = 0; i < (colon ? 2 : 1); i++) {
        const int64_t at = names_find(desk->config, parts[i].scope, parts[i].name);
        if (at < 0) {
            refuse(answer, EX_NOINPUT, "%s", names_unknown(desk->config, parts[i].scope, parts[i].name, text));
            return false;
        }
        *parts[i].place = (uint16_t)at;
    }
    return true;
}

// The rule that is asked for.
static bool read_rule(const struct limits_desk *desk, const char *scope_text, const char *name, const char *limit_text,
                      const char *value, struct limits_rule *rule, struct limits_answer *answer)
{
    const enum scope scope = scope_by_name(scope_text);
    const enum limit limit = limit_by_key(limit_text, strlen(limit_text));
    uint16_t index, symbol;
    char why[384];
    if (scope == SCOPE_NONE)
        refuse(answer, EX_USAGE, "`%s` is no scope: say venue, firm, account, session, symbol or position", scope_text);
    else if (limit == LIMITS)
        refuse(answer, EX_USAGE, "`%s` is no limit: see xwctl limits list", limit_text);
    else if (!limit_applies(limit, scope))
        refuse(answer, EX_USAGE, "a %s has no `%s`: see xwctl limits list", scope_text, limit_text);
    else if (!find_whom(desk, scope, name, &index, &symbol, answer))
        return false;
    else if (!limit_parse_word(limit, value, &rule->value, why, sizeof why))
        refuse(answer, EX_DATAERR, "`%s` %s, or none", limit_text, why);
    else {
        rule->key = limits_key(RULE_LIMIT, scope, index, symbol, limit);
        limits_whom(&desk->venue, rule->key, answer->whom);
        if (limits_cores(&desk->venue, rule->key) != 0)
            return true;
        refuse(answer, EX_DATAERR, "%s has no session, so that nobody is limited by it: give it one first",
               answer->whom);
    }
    return false;
}

struct limits_answer limits_desk_set(struct limits_desk *desk, const char *scope, const char *name, const char *limit,
                                     const char *value, const char *by, uint64_t now_ns)
{
    struct limits_answer answer = {0};
    struct limits_rule rule = {.value = LIMIT_UNSET};
    snprintf(rule.by, sizeof rule.by, "%s", by);
    rule.file = desk->file->digest;
    if (strcmp(by, LIMITS_FILE) == 0) {
        refuse(&answer, EX_USAGE, "--by %s is what the limits file's own changes are by: give a name", by);
        return answer;
    }
    if (!config_has_risk(desk->config))
        refuse(
            &answer, EX_UNAVAILABLE,
            "no risk is checked on this day: name a file risk.limits, or give engine.max_positions, for the next one");
    else if (desk->stage == STAGE_UNKNOWN)
        refuse(&answer, EX_UNAVAILABLE,
               "no data plane runs a recovered day: start crosswire-dataplane, then ask again");
    if (answer.exit || !read_rule(desk, scope, name, limit, value, &rule, &answer))
        return answer;
    const struct limits_rule *present = limits_find(&desk->target, rule.key);
    limits_text_among(&desk->target, &desk->venue, rule.key, present, answer.before);
    limits_text_among(&desk->target, &desk->venue, rule.key, &rule, answer.after);
    if ((present ? present->value : LIMIT_UNSET) == rule.value || !check_sense(desk, &rule, &answer))
        return answer;
    rule.change = ++desk->change;
    if (desk->config->risk.second_person && limits_desk_loosens(desk, present, &rule)) {
        struct limits_pending *pending = place(desk, by, now_ns);
        if (!pending || !limits_put(&pending->wants, &rule)) {
            refuse(&answer, EX_TEMPFAIL, "%u requests wait for a second person already: approve or reject one",
                   LIMITS_PENDING);
            return answer;
        }
        answer.pending = pending->id;
        tell(desk, pending, LIMITS_ASKED, by);
        return answer;
    }
    supersede(desk, rule.key);
    if (!limits_put(&desk->target, &rule)) {
        refuse(&answer, EX_OSERR, "no memory");
        return answer;
    }
    answer.changed = true;
    log_event(LOG_XW2041, "\"change\":%u,\"by\":%s,\"whom\":%s,\"limit\":\"%s\",\"before\":\"%s\",\"after\":\"%s\"",
              rule.change, log_quote(by), log_quote(answer.whom), limit, answer.before, answer.after);
    limits_desk_tell_cores(desk);
    return answer;
}

// What is decided, as long as the request stands.
static void name_request(const struct limits_desk *desk, const struct limits_pending *pending,
                         struct limits_answer *answer)
{
    limits_desk_tell(desk, pending, answer->first, sizeof answer->first);
    answer->limits = pending->wants.count;
}

struct limits_answer limits_desk_approve(struct limits_desk *desk, uint32_t id, const char *by)
{
    struct limits_answer answer = {0};
    struct limits_pending *pending = find(desk, id);
    if (!pending) {
        refuse(&answer, EX_NOINPUT, "no request %u waits: it was decided, or has expired: see xwctl limits pending",
               id);
        return answer;
    }
    if (strcmp(by, LIMITS_FILE) == 0) {
        refuse(&answer, EX_USAGE, "--by %s is nobody: give a name", by);
        return answer;
    }
    if (is_nobodys(pending) && desk->awaits_author) {
        refuse(&answer, EX_TEMPFAIL, "who asked for request %u is still being read from the journal: ask again", id);
        return answer;
    }
    name_request(desk, pending, &answer);
    if (is_nobodys(pending)) {
        stand_for(desk, pending, by);
        answer.pending = id;
        return answer;
    }
    if (strcasecmp(by, pending->by) == 0 && !FAULT(raise_by_one_person)) {
        refuse(&answer, EX_NOPERM, "request %u is %s's own: a second person has to approve it", id, pending->by);
        return answer;
    }
    tell(desk, pending, LIMITS_AGREED, by);
    struct limits_pending taken = *pending;
    *pending = (struct limits_pending){0};
    desk->change++;
    bool good = true;
    for (size_t i = 0; i < taken.wants.count; i++) {
        struct limits_rule rule = taken.wants.list[i];
        rule.change = desk->change;
        snprintf(rule.second, sizeof rule.second, "%s", by);
        supersede(desk, rule.key);
        good &= limits_put(&desk->target, &rule);
    }
    limits_clear(&taken.wants);
    if (!good)
        refuse(&answer, EX_OSERR, "no memory for all of it: see xwctl limits diff");
    answer.changed = true;
    limits_desk_tell_cores(desk);
    return answer;
}

struct limits_answer limits_desk_reject(struct limits_desk *desk, uint32_t id, const char *by)
{
    struct limits_answer answer = {0};
    struct limits_pending *pending = find(desk, id);
    if (!pending) {
        refuse(&answer, EX_NOINPUT, "no request %u waits: it was decided, or has expired: see xwctl limits pending",
               id);
        return answer;
    }
    tell(desk, pending, LIMITS_TAKEN_BACK, by);
    name_request(desk, pending, &answer);
    drop(pending);
    return answer;
}
