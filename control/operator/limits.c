// SPDX-License-Identifier: Apache-2.0
// {"ask":"limits_.."} and {"ask":"reload"}: limits change, by one person or by two. What is changed is answered once
// every matching core has it, durably.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "control/operator/operator.h"

#define CONFIRM_NS (10000 * DESK_MS)
#define LIMITS_DAY_OVER "no limit of it changes any more; the next date begins with those of the file risk.limits"

enum stage { STAGE_ASK, STAGE_TOLD };

struct limits_request {
    char by[17];
    char scope[16], name[32], limit[40], value[192];
    uint32_t id;
    struct limits_answer result; // that goes out once the cores have it
};

static bool read_text(const json_t *root, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text || strlen(text) >= size)
        return false;
    strcpy(out, text);
    return true;
}

static const char *read_set(struct request *request, const json_t *root)
{
    struct limits_request *ask = request->state;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (read_text(root, "scope", ask->scope, sizeof ask->scope) &&
        read_text(root, "name", ask->name, sizeof ask->name) &&
        read_text(root, "limit", ask->limit, sizeof ask->limit) &&
        read_text(root, "value", ask->value, sizeof ask->value))
        return NULL;
    return "which limit is not said: give SCOPE, NAME, LIMIT and VALUE";
}

static const char *read_decision(struct request *request, const json_t *root)
{
    struct limits_request *ask = request->state;
    json_int_t id;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (!desk_number(root, "request", UINT32_MAX, &id))
        return "the request's number is none: see xwctl limits pending";
    ask->id = (uint32_t)id;
    return NULL;
}

static const char *read_reload(struct request *request, const json_t *root)
{
    struct limits_request *ask = request->state;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    return strcmp(ask->by, LIMITS_FILE) == 0 ? "--by " LIMITS_FILE " is nobody: give a name" : NULL;
}

static const char *read_nothing(struct request *request, const json_t *root)
{
    (void)request;
    (void)root;
    return NULL;
}

static void answer(struct request *request, const struct limits_answer *result)
{
    desk_answer(request,
                json_pack("{s:b, s:b, s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "ok", 1, "changed", result->changed,
                          "pending", (int)result->pending, "whom", result->whom, "before", result->before, "after",
                          result->after, "first", result->first, "limits", (int)result->limits, "text", result->text));
}

// Once the cores have what was changed, the answer goes out.
static void confirm(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_request *ask = request->state;
    if (!recovery || now_ns > request->deadline_ns)
        desk_refuse(request, EX_TEMPFAIL,
                    "it is not known yet whether every matching core has it: see xwctl limits show");
    else if (limits_desk_idle(request->context->limits))
        answer(request, &ask->result);
}

static void settle(struct request *request, const struct limits_answer *result, uint64_t now_ns)
{
    struct limits_request *ask = request->state;
    if (result->exit != EX_OK) {
        desk_refuse(request, result->exit, "%s", result->text);
    } else if (result->changed) {
        ask->result = *result;
        request->stage = STAGE_TOLD;
        request->deadline_ns = now_ns + CONFIRM_NS;
    } else {
        answer(request, result);
    }
}

static void set(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_request *ask = request->state;
    if (request->stage == STAGE_TOLD) {
        confirm(request, recovery, now_ns);
        return;
    }
    if (!recovery) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    if (desk_day_over(request, recovery, desk_all_cores(request->context->config), LIMITS_DAY_OVER))
        return;
    const struct limits_answer result =
        limits_desk_set(request->context->limits, ask->scope, ask->name, ask->limit, ask->value, ask->by, now_ns);
    settle(request, &result, now_ns);
}

static void approve(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_request *ask = request->state;
    if (request->stage == STAGE_TOLD) {
        confirm(request, recovery, now_ns);
        return;
    }
    if (!recovery) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    if (desk_day_over(request, recovery, desk_all_cores(request->context->config), LIMITS_DAY_OVER))
        return;
    const struct limits_answer result = limits_desk_approve(request->context->limits, ask->id, ask->by);
    settle(request, &result, now_ns);
}

static void reject(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_request *ask = request->state;
    (void)recovery;
    const struct limits_answer result = limits_desk_reject(request->context->limits, ask->id, ask->by);
    settle(request, &result, now_ns);
}

static void list(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_desk *limits = request->context->limits;
    json_t *rows = json_array();
    (void)recovery;
    for (unsigned i = 0; i < LIMITS_PENDING; i++) {
        const struct limits_pending *pending = limits_desk_pending(limits, i);
        char first[200];
        if (!pending->id)
            continue;
        limits_desk_tell(limits, pending, first, sizeof first);
        json_array_append_new(
            rows,
            json_pack("{s:i, s:s, s:b, s:i, s:s, s:i}", "request", (int)pending->id, "by", pending->by, "file",
                      pending->file, "limits", (int)pending->wants.count, "first", first, "expires_s",
                      (int)((pending->expires_ns - (now_ns < pending->expires_ns ? now_ns : pending->expires_ns)) /
                            (1000 * DESK_MS))));
    }
    desk_answer(request, json_pack("{s:b, s:o}", "ok", 1, "requests", rows));
}

static void reload(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct desk_context *context = request->context;
    const struct limits_request *ask = request->state;
    struct limits_answer result = {.changed = recovery != NULL};
    if (request->stage == STAGE_TOLD) {
        confirm(request, recovery, now_ns);
        return;
    }
    if (!context->reload(context->service, ask->by, result.text, sizeof result.text)) {
        desk_refuse(request, EX_CONFIG, "%s", result.text);
        return;
    }
    const size_t used = strlen(result.text);
    if (recovery && desk_all_ended(request, recovery, desk_all_cores(context->config)))
        snprintf(result.text + used, sizeof result.text - used,
                 "; the day has ended: the next date begins with the limits of the file");
    settle(request, &result, now_ns);
}

// Passwords stay here.
static void show_value(void *context, const char *path, const char *value, bool live)
{
    (void)live;
    if (!strstr(path, "password_hash"))
        json_object_set_new(context, path, json_string(value));
}

static void show_config(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    json_t *values = json_object();
    (void)recovery;
    (void)now_ns;
    config_list(request->context->config, show_value, values);
    desk_answer(request, json_pack("{s:b, s:o}", "ok", 1, "values", values));
}

const struct desk_subject config_show = {
    .ask = "config_show", .size = sizeof(struct limits_request), .read = read_nothing, .go_on = show_config};
const struct desk_subject limits_set = {
    .ask = "limits_set", .size = sizeof(struct limits_request), .read = read_set, .go_on = set};
const struct desk_subject limits_pending = {
    .ask = "limits_pending", .size = sizeof(struct limits_request), .read = read_nothing, .go_on = list};
const struct desk_subject limits_approve = {
    .ask = "limits_approve", .size = sizeof(struct limits_request), .read = read_decision, .go_on = approve};
const struct desk_subject limits_reject = {
    .ask = "limits_reject", .size = sizeof(struct limits_request), .read = read_decision, .go_on = reject};
const struct desk_subject limits_reload = {
    .ask = "reload", .size = sizeof(struct limits_request), .read = read_reload, .go_on = reload};
