// SPDX-License-Identifier: Apache-2.0
// {"ask":"kill"}, "reset", "kills": the kill switch (control/risk/kills.h). A kill is answered when every matching core
// of its scope has counted that nothing rests and that is durable; it goes on whatever becomes of who asked. A reset is
// answered when every core has taken it, and by nothing repeated.
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/limits/names.h"
#include "control/limits/table.h"
#include "control/operator/operator.h"
#include "control/risk/kills.h"

#define CONFIRM_NS (10000 * DESK_MS)

enum { LISTED_MOST = 1000 };
enum stage { STAGE_BEGIN, STAGE_WAIT };

struct kill_request {
    struct kill_entry what;
    uint64_t id, begun_ns;
    char wrong[NAMES_TEXT];
};

static bool is_kill(const struct request *request)
{
    return request->subject == &switch_kill;
}

// ---- what is asked --------------------------------------------------------------------------------------------------

// Sets index and core of the scope by its name; false when there is none such.
static bool find_scope(const struct config *config, struct kill_entry *kill, const char *name)
{
    const enum scope scope = (enum scope)kill->scope;
    kill->index = kill->core = 0;
    if (scope == SCOPE_VENUE)
        return true;
    const int64_t at = names_find(config, scope, name);
    if (at < 0)
        return false;
    kill->index = scope == SCOPE_SYMBOL ? config->symbols[at].locate : (uint16_t)at;
    if (scope == SCOPE_SESSION)
        kill->core = (uint16_t)config->sessions[at].matcher;
    else if (scope == SCOPE_SYMBOL)
        kill->core = (uint16_t)config->symbols[at].matcher;
    return true;
}

static const char *read_scope(struct request *request, const json_t *root)
{
    struct kill_request *ask = request->state;
    struct kill_entry *kill = &ask->what;
    const char *word = json_string_value(json_object_get(root, "scope"));
    const char *name = json_string_value(json_object_get(root, "name"));
    const char *side = json_string_value(json_object_get(root, "side"));
    const char *why = json_string_value(json_object_get(root, "why"));
    kill->scope = SCOPE_VENUE;
    while (kill->scope < SCOPE_POSITION && (!word || strcmp(word, alerts_scope_word((enum scope)kill->scope)) != 0))
        kill->scope++;
    if (kill->scope == SCOPE_POSITION)
        return "the scope is none of venue, firm, account, session, symbol";
    if (kill->scope != SCOPE_VENUE && (!name || !*name))
        return "whom it is about is not said: give the name of the firm, account, session or symbol";
    if (!find_scope(request->context->config, kill, name))
        return names_unknown(request->context->config, (enum scope)kill->scope, name, ask->wrong);
    if (side && strcasecmp(side, "B") != 0 && strcasecmp(side, "S") != 0)
        return "the side is none of B (buys), S (sales)";
    kill->side = side ? (char)toupper((unsigned char)side[0]) : 0;
    if (!desk_by(root, kill->by))
        return DESK_BY_MISSING;
    if (!why || !*why)
        return "why is not said: give --why TEXT, 1 to 40 characters";
    if (strlen(why) > 40)
        return "--why is longer than the 40 characters that are kept: say it shorter";
    snprintf(kill->why, sizeof kill->why, "%s", why);
    return NULL;
}

static const char *read_kill(struct request *request, const json_t *root)
{
    struct kill_request *ask = request->state;
    json_int_t actions;
    if (!desk_number(root, "actions", KILL_BLOCK | KILL_CANCEL, &actions))
        return "the actions are none: 1 block, 2 cancel, 3 both";
    ask->what.actions = (uint8_t)actions;
    return read_scope(request, root);
}

static const char *read_nothing(struct request *request, const json_t *root)
{
    (void)request, (void)root;
    return NULL;
}

// ---- answers --------------------------------------------------------------------------------------------------------

static json_t *cores_json(uint32_t cores)
{
    json_t *list = json_array();
    for (; cores; cores &= cores - 1)
        json_array_append_new(list, json_integer(__builtin_ctz(cores)));
    return list;
}

json_t *kill_json(const struct config *config, const struct kill_entry *entry)
{
    char side[2] = {entry->side, '\0'};
    // Of a kill of both sides, the one that a reset has left.
    const char *left = entry->side || entry->blocks == 3 ? ""
                       : entry->blocks == 1              ? "B"
                       : entry->blocks == 2              ? "S"
                                                         : "";
    const char *source = entry->source == KILL_BY_CORE && entry->scope == SCOPE_VENUE ? "control_lost"
                         : entry->source == KILL_BY_LIMIT                             ? "limit"
                         : entry->source == KILL_BY_BREAKER                           ? "breaker"
                                                                                      : "operator";
    json_t *root = json_pack(
        "{s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:b, s:I, s:I, s:s, s:o, s:o, s:o}", "id", (json_int_t)entry->id,
        "scope", alerts_scope_word((enum scope)entry->scope), "name",
        alerts_scope_name(config, entry->core, (enum scope)entry->scope, entry->index), "side", side, "blocks",
        (entry->actions & KILL_BLOCK) != 0, "cancels", (entry->actions & KILL_CANCEL) != 0, "active",
        entry->blocks != 0, "left", left, "confirmed", entry->confirmed, "canceled", (json_int_t)entry->canceled,
        "time_ns", (json_int_t)entry->time_ns, "source", source, "by", desk_text(entry->by, strlen(entry->by)), "why",
        desk_text(entry->why, strlen(entry->why)), "missed", cores_json(entry->missed));
    if (entry->limit < LIMITS && entry->source == KILL_BY_LIMIT)
        json_object_update_new(root, json_pack("{s:s, s:I, s:I}", "limit", limit_info((enum limit)entry->limit).key,
                                               "before", (json_int_t)entry->before, "after", (json_int_t)entry->after));
    return root;
}

static void log_ask(const struct request *request, const struct kill_entry *kill)
{
    char scope[64], side[2] = {kill->side, '\0'};
    alerts_scope_text(request->context->config, kill->core, (enum scope)kill->scope, kill->index, scope, sizeof scope);
    log_event(LOG_XW2036, "\"what\":\"%s\",\"scope\":%s,\"side\":%s,\"actions\":%u,\"by\":%s,\"why\":%s",
              request->subject->ask, log_quote(scope), log_quote(side), kill->actions, log_quote(kill->by),
              log_quote(kill->why));
}

// What is missing, by core: "matching core 1 has not answered".
static void missing(const struct request *request, const struct kill_entry *entry, uint32_t said, char *text,
                    size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned core = 0; core < request->context->config->matchers_count && used + 80 < size; core++) {
        if ((entry->cores >> core & 1) == 0)
            continue;
        const char *state = entry->late >> core & 1     ? "ended its day before it took it, so that nothing rests there"
                            : entry->missed >> core & 1 ? "died before it took it"
                            : entry->doubtful >> core & 1 ? "has died, perhaps before it took it"
                            : !(entry->given >> core & 1) ? "has not been given it"
                            : !(said >> core & 1)         ? "has it to come, and has not answered"
                                                          : "has answered, which is not durable yet";
        used += (size_t)snprintf(text + used, size - used, "%smatching core %u %s", used ? ", " : "", core, state);
    }
}

// The command that asks for it once more.
static const char *once_more(const struct request *request, char *text, size_t size)
{
    const struct kill_entry *what = &((const struct kill_request *)request->state)->what;
    const char *name = alerts_scope_name(request->context->config, what->core, (enum scope)what->scope, what->index);
    snprintf(text, size, "xwctl %s %s%s%s%s%s --by %s --why '%s'", request->subject->ask,
             alerts_scope_word((enum scope)what->scope), *name ? " " : "", name,
             what->side == 'B'   ? " --side B"
             : what->side == 'S' ? " --side S"
                                 : "",
             what->actions == KILL_CANCEL  ? " --cancel-only"
             : what->actions == KILL_BLOCK ? " --block-only"
                                           : "",
             what->by, what->why);
    return text;
}

// ---- kill -----------------------------------------------------------------------------------------------------------

static void begin(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    struct kill_request *ask = request->state;
    struct kills *kills = request->context->kills;
    if (!recovery || !kills) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs%s: start crosswire-dataplane, then ask again",
                    is_kill(request) ? ", so nothing trades, and nothing can be killed" : "");
        return;
    }
    if (desk_day_over(request, recovery, kills_cores(kills, &ask->what),
                      is_kill(request) ? "no order rests and none is taken, so that there is nothing to kill; what "
                                         "shall be blocked on the next date, block then"
                                       : "no order is taken, and no block goes beyond it: nothing is left to reset"))
        return;
    ask->id = is_kill(request) ? kills_give(kills, &ask->what, now_ns) : kills_reset(kills, &ask->what);
    if (ask->id == 0) {
        desk_refuse(request, EX_TEMPFAIL, "too many %ss are under way: see xwctl kills, then ask again",
                    request->subject->ask);
        return;
    }
    log_ask(request, &ask->what);
    ask->begun_ns = now_ns;
    request->stage = STAGE_WAIT;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

static uint32_t said(const struct kill_entry *entry)
{
    return entry->actions & KILL_CANCEL ? entry->zero : entry->told;
}

// The cores that have not answered will not, because their day has ended.
static bool is_late(const struct kill_entry *entry)
{
    return entry->late && (said(entry) | entry->late) == entry->cores;
}

// What blocks goes on until it is carried out; what only cancels does not, once a data plane has died before it took
// it.
static void refuse_kill(struct request *request, const struct kill_entry *entry)
{
    const struct kill_request *ask = request->state;
    char text[300] = "", again[200];
    const bool late = entry && is_late(entry);
    const bool goes_on = entry && (entry->blocks || !(entry->missed | entry->doubtful));
    if (entry)
        missing(request, entry, said(entry), text, sizeof text);
    audit_note(request->context->audit,
               &(struct audit_entry){.what = NOTE_KILL_LATE,
                                     .scope = (enum scope)ask->what.scope,
                                     .core = ask->what.scope == SCOPE_SYMBOL ? (uint8_t)ask->what.core : 0,
                                     .index = ask->what.index,
                                     .before = ask->id,
                                     .by = ask->what.by,
                                     .why = ask->what.why});
    kills_unattended(request->context->kills, ask->id);
    if (late)
        desk_refuse(request, EX_UNAVAILABLE, "kill %" PRIu64 " is NOT confirmed: %s", ask->id, text);
    else if (goes_on)
        desk_refuse(request, EX_TEMPFAIL, "kill %" PRIu64 " is NOT confirmed: %s; it goes on: see xwctl kills", ask->id,
                    text);
    else
        desk_refuse(request, EX_TEMPFAIL,
                    "kill %" PRIu64 " is NOT confirmed: %s; it is not repeated: see xwctl kills, or %s", ask->id, text,
                    once_more(request, again, sizeof again));
}

static void await_kill(struct request *request, uint64_t now_ns)
{
    const struct kill_request *ask = request->state;
    const struct kill_entry *entry = kills_find(request->context->kills, ask->id);
    if (!entry || !entry->confirmed) {
        if (!entry || is_late(entry) || now_ns > request->deadline_ns)
            refuse_kill(request, entry);
        return;
    }
    json_t *root = kill_json(request->context->config, entry);
    json_object_set_new(root, "ok", json_true());
    json_object_set_new(root, "cores", json_integer(__builtin_popcount(entry->cores)));
    json_object_set_new(root, "ms", json_real((double)(now_ns - ask->begun_ns) / 1e6));
    desk_answer(request, root);
}

// ---- reset ----------------------------------------------------------------------------------------------------------

// It is never given again by itself: other orders, and other reasons, may be there by then.
static void refuse_reset(struct request *request, const struct kill_entry *reset)
{
    const struct kill_request *ask = request->state;
    char text[300] = "", again[200];
    if (reset)
        missing(request, reset, reset->told, text, sizeof text);
    kills_reset_over(request->context->kills, ask->id);
    if (reset && reset->late) {
        desk_refuse(request, EX_UNAVAILABLE, "the reset is NOT confirmed: %s; no block goes beyond the day", text);
        return;
    }
    desk_refuse(request, EX_TEMPFAIL,
                "the reset is NOT confirmed: %s; it is not repeated: see xwctl kills for what is blocked, then %s",
                text, once_more(request, again, sizeof again));
}

static void await_reset(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    const struct kill_request *ask = request->state;
    struct kills *kills = request->context->kills;
    const struct kill_entry *reset = kills_find_reset(kills, ask->id);
    if (reset && kills_reset_confirmed(kills, reset)) {
        json_t *root = resumes_json(request->context, recovery, reset);
        kills_reset_over(kills, ask->id);
        desk_answer(request, root);
    } else if (!reset || reset->missed || reset->late || now_ns > request->deadline_ns) {
        refuse_reset(request, reset);
    }
}

static void go_on(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    if (request->stage == STAGE_BEGIN)
        begin(request, recovery, now_ns);
    else if (is_kill(request))
        await_kill(request, now_ns);
    else
        await_reset(request, recovery, now_ns);
}

// ---- kills ----------------------------------------------------------------------------------------------------------

static void go_on_list(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    (void)recovery, (void)now_ns;
    const struct kills *kills = request->context->kills;
    const struct kill_entry *entry;
    uint32_t count = 0;
    while (kills && kills_at(kills, count))
        count++;
    json_t *list = json_array();
    for (uint32_t i = count > LISTED_MOST ? count - LISTED_MOST : 0; kills && (entry = kills_at(kills, i)) != NULL; i++)
        json_array_append_new(list, kill_json(request->context->config, entry));
    desk_answer(request,
                json_pack("{s:b, s:b, s:o}", "ok", 1, "complete", kills && kills_complete(kills), "kills", list));
}

const struct desk_subject switch_kill = {
    .ask = "kill", .size = sizeof(struct kill_request), .read = read_kill, .go_on = go_on};
const struct desk_subject switch_reset = {
    .ask = "reset", .size = sizeof(struct kill_request), .read = read_scope, .go_on = go_on};
const struct desk_subject switch_list = {.ask = "kills", .size = 0, .read = read_nothing, .go_on = go_on_list};
