// SPDX-License-Identifier: Apache-2.0
// {"ask":"kill"}, "reset", "kills": the kill switch (control/risk/kills.h). A kill is answered when every matching core
// of its scope has counted that nothing rests and that is durable; it goes on whatever becomes of who asked.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/operator/operator.h"
#include "control/risk/kills.h"

#define CONFIRM_NS (10000 * DESK_MS)

enum { LISTED_MOST = 1000, BLOCKED_MOST = 50 };
enum stage { STAGE_BEGIN, STAGE_WAIT };

struct kill_request {
    struct kill_entry kill;
    struct reset_entry reset;
    uint64_t id, begun_ns;
};

// ---- what is asked --------------------------------------------------------------------------------------------------

static bool same_name(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

// Sets index and core of the scope by its name; false when there is none such.
static bool find_scope(const struct config *config, struct kill_entry *kill, const char *name)
{
    kill->index = kill->core = 0;
    switch ((enum scope)kill->scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
    case SCOPE_ACCOUNT:
        for (uint32_t i = 0; i < config->accounts_count; i++, kill->index++)
            if (same_name(kill->scope == SCOPE_FIRM ? config->accounts[i].firm : config->accounts[i].name, name))
                return true;
        return false;
    case SCOPE_SESSION:
        for (uint32_t i = 0; i < config->sessions_count; i++, kill->index++) {
            kill->core = (uint16_t)config->sessions[i].matcher;
            if (same_name(config->sessions[i].user, name))
                return true;
        }
        return false;
    default:
        for (uint32_t i = 0; i < config->symbols_count; i++) {
            kill->core = (uint16_t)config->symbols[i].matcher;
            kill->index = config->symbols[i].locate;
            if (same_name(config->symbols[i].name, name))
                return true;
        }
        return false;
    }
}

static const char *read_scope(struct request *request, const json_t *root)
{
    struct kill_entry *kill = &((struct kill_request *)request->state)->kill;
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
        return "the configuration has no firm, account, session or symbol of that name: see xwctl status";
    if (side && strcmp(side, "B") != 0 && strcmp(side, "S") != 0)
        return "the side is none of B, S";
    kill->side = side ? side[0] : 0;
    if (!desk_by(root, kill->by))
        return DESK_BY_MISSING;
    if (!why || !*why || strlen(why) > 40)
        return "why is not said: give --why TEXT, 1 to 40 characters";
    snprintf(kill->why, sizeof kill->why, "%s", why);
    return NULL;
}

static const char *read_kill(struct request *request, const json_t *root)
{
    struct kill_request *ask = request->state;
    json_int_t actions;
    if (!desk_number(root, "actions", KILL_BLOCK | KILL_CANCEL, &actions))
        return "the actions are none: 1 block, 2 cancel, 3 both";
    ask->kill.actions = (uint8_t)actions;
    return read_scope(request, root);
}

static const char *read_nothing(struct request *request, const json_t *root)
{
    (void)request, (void)root;
    return NULL;
}

// ---- answers --------------------------------------------------------------------------------------------------------

static json_t *entry_json(const struct request *request, const struct kill_entry *entry)
{
    char side[2] = {entry->side, '\0'};
    const char *source = entry->source == KILL_BY_CORE && entry->scope == SCOPE_VENUE ? "control_lost"
                         : entry->source == KILL_BY_LIMIT                             ? "limit"
                         : entry->source == KILL_BY_BREAKER                           ? "breaker"
                                                                                      : "operator";
    return json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:I, s:I, s:s, s:o, s:o}", "id", (json_int_t)entry->id,
                     "scope", alerts_scope_word((enum scope)entry->scope), "name",
                     alerts_scope_name(request->context->config, entry->core, (enum scope)entry->scope, entry->index),
                     "side", side, "blocks", (entry->actions & KILL_BLOCK) != 0, "cancels",
                     (entry->actions & KILL_CANCEL) != 0, "active", entry->blocks != 0, "confirmed", entry->confirmed,
                     "canceled", (json_int_t)entry->canceled, "time_ns", (json_int_t)entry->time_ns, "source", source,
                     "by", desk_text(entry->by, strlen(entry->by)), "why", desk_text(entry->why, strlen(entry->why)));
}

static void log_ask(const struct request *request, const struct kill_entry *kill, const char *what)
{
    char scope[64], side[2] = {kill->side, '\0'};
    alerts_scope_text(request->context->config, kill->core, (enum scope)kill->scope, kill->index, scope, sizeof scope);
    log_event(LOG_XW2036, "\"what\":\"%s\",\"scope\":%s,\"side\":%s,\"actions\":%u,\"by\":%s,\"why\":%s", what,
              log_quote(scope), log_quote(side), kill->actions, log_quote(kill->by), log_quote(kill->why));
}

// What is missing, by core: "core 1 has not counted yet".
static void missing(const struct request *request, uint32_t cores, uint32_t given, uint32_t said, char *text,
                    size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned core = 0; core < request->context->config->matchers_count && used + 64 < size; core++) {
        if ((cores >> core & 1) == 0)
            continue;
        const char *state = !(given >> core & 1)  ? "has not been given it"
                            : !(said >> core & 1) ? "has not answered"
                                                  : "has answered, which is not durable yet";
        used += (size_t)snprintf(text + used, size - used, "%smatching core %u %s", used ? ", " : "", core, state);
    }
}

// ---- kill -----------------------------------------------------------------------------------------------------------

static void begin_kill(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    struct kill_request *ask = request->state;
    struct kills *kills = request->context->kills;
    if (!recovery || !kills) {
        desk_refuse(request, EX_UNAVAILABLE,
                    "no data plane runs, so nothing trades, and nothing can be killed: start crosswire-dataplane, then "
                    "ask again");
        return;
    }
    ask->id = kills_give(kills, &ask->kill, now_ns);
    if (ask->id == 0) {
        desk_refuse(request, EX_TEMPFAIL, "too many kills are not confirmed: see xwctl kills");
        return;
    }
    log_ask(request, &ask->kill, "kill");
    ask->begun_ns = now_ns;
    request->stage = STAGE_WAIT;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

static void await_kill(struct request *request, uint64_t now_ns)
{
    const struct kill_request *ask = request->state;
    const struct kill_entry *entry = kills_find(request->context->kills, ask->id);
    if (entry && entry->confirmed) {
        json_t *root = entry_json(request, entry);
        json_object_set_new(root, "ok", json_true());
        json_object_set_new(root, "cores", json_integer(__builtin_popcount(entry->cores)));
        json_object_set_new(root, "ms", json_real((double)(now_ns - ask->begun_ns) / 1e6));
        desk_answer(request, root);
    } else if (!entry || now_ns > request->deadline_ns) {
        char text[300] = "";
        if (entry)
            missing(request, entry->cores, entry->given, entry->actions & KILL_CANCEL ? entry->zero : entry->told, text,
                    sizeof text);
        audit_note(request->context->audit, &(struct audit_entry){.what = NOTE_KILL_LATE,
                                                                  .scope = (enum scope)ask->kill.scope,
                                                                  .index = ask->kill.index,
                                                                  .before = ask->id,
                                                                  .by = ask->kill.by,
                                                                  .why = ask->kill.why});
        desk_refuse(request, EX_TEMPFAIL, "kill %" PRIu64 " is NOT confirmed: %s; it goes on: see xwctl kills", ask->id,
                    text);
    }
}

static void go_on_kill(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    if (request->stage == STAGE_BEGIN)
        begin_kill(request, recovery, now_ns);
    else
        await_kill(request, now_ns);
}

// ---- reset ----------------------------------------------------------------------------------------------------------

static void begin_reset(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    struct kill_request *ask = request->state;
    const struct kill_entry *what = &ask->kill;
    if (!recovery || !request->context->kills) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    ask->reset =
        (struct reset_entry){.scope = what->scope, .side = what->side, .index = what->index, .core = what->core};
    memcpy(ask->reset.by, what->by, sizeof ask->reset.by);
    snprintf(ask->reset.why, sizeof ask->reset.why, "%s", what->why);
    ask->id = kills_reset(request->context->kills, &ask->reset);
    if (ask->id == 0) {
        desk_refuse(request, EX_TEMPFAIL, "too many resets are under way: ask again");
        return;
    }
    log_ask(request, what, "reset");
    request->stage = STAGE_WAIT;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

static bool concerns(const struct request *request, const struct reset_entry *reset, uint32_t session)
{
    const struct config *config = request->context->config;
    uint16_t account = config->sessions[session].account_index;
    switch ((enum scope)reset->scope) {
    case SCOPE_FIRM:
        return memcmp(config->accounts[account].wire_firm, config->accounts[reset->index].wire_firm, 4) == 0;
    case SCOPE_ACCOUNT:
        return account == reset->index;
    case SCOPE_SESSION:
        return session == reset->index;
    default:
        return reset->scope == SCOPE_VENUE;
    }
}

// Sessions of the scope that other kills still block, and how many may enter orders again.
static json_t *still_blocked(const struct request *request, const struct reset_entry *reset, unsigned *free_sessions)
{
    const struct config *config = request->context->config;
    json_t *list = json_array();
    char text[64];
    *free_sessions = 0;
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        const struct kill_entry *by = NULL;
        if (!concerns(request, reset, i))
            continue;
        unsigned sides = kills_session_sides(request->context->kills, i, &by);
        *free_sessions += sides == 0;
        if (sides && json_array_size(list) < BLOCKED_MOST)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "session", config->sessions[i].user, "side",
                                                  sides == 3   ? ""
                                                  : sides == 1 ? "B"
                                                               : "S",
                                                  "by",
                                                  alerts_scope_text(config, by->core, (enum scope)by->scope, by->index,
                                                                    text, sizeof text)));
    }
    return list;
}

static void await_reset(struct request *request, uint64_t now_ns)
{
    const struct kill_request *ask = request->state;
    struct kills *kills = request->context->kills;
    const struct reset_entry *reset = kills_find_reset(kills, ask->id);
    if (reset && kills_reset_confirmed(kills, reset)) {
        unsigned goes_on;
        json_t *blocked = still_blocked(request, reset, &goes_on);
        json_t *root = json_pack("{s:b, s:b, s:i, s:o}", "ok", 1, "lifted", reset->lifted != 0, "sessions_free",
                                 (int)goes_on, "still_blocked", blocked);
        kills_reset_over(kills, ask->id);
        desk_answer(request, root);
    } else if (!reset || now_ns > request->deadline_ns) {
        char text[300] = "";
        if (reset)
            missing(request, reset->cores, reset->given, reset->told, text, sizeof text);
        kills_reset_over(kills, ask->id);
        desk_refuse(request, EX_TEMPFAIL, "the reset is NOT confirmed: %s: see xwctl kills", text);
    }
}

static void go_on_reset(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    if (request->stage == STAGE_BEGIN)
        begin_reset(request, recovery, now_ns);
    else
        await_reset(request, now_ns);
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
        json_array_append_new(list, entry_json(request, entry));
    desk_answer(request,
                json_pack("{s:b, s:b, s:o}", "ok", 1, "complete", kills && kills_complete(kills), "kills", list));
}

const struct desk_subject switch_kill = {
    .ask = "kill", .size = sizeof(struct kill_request), .read = read_kill, .go_on = go_on_kill};
const struct desk_subject switch_reset = {
    .ask = "reset", .size = sizeof(struct kill_request), .read = read_scope, .go_on = go_on_reset};
const struct desk_subject switch_list = {.ask = "kills", .size = 0, .read = read_nothing, .go_on = go_on_list};
