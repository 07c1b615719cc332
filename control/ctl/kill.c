// SPDX-License-Identifier: Apache-2.0
// xwctl kill, reset, kills: the kill switch, through its own socket. See control/operator/operator.h.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "contract/risk.h"
#include "control/ctl/ask.h"
#include "control/ctl/standing.h"

#define USAGE "venue | firm NAME | account NAME | session USER | symbol NAME | side B|S"

static const char *need(const char *value, const char *option)
{
    if (!value)
        fail_with(EX_USAGE, "%s is missing", option);
    return value;
}

// What kill and reset have in common: the scope, its name, the side, who and why.
static json_t *scope_request(const struct ctl *ctl, const char *ask, int argc, char **argv)
{
    static const char *const scopes[] = {"venue", "firm", "account", "session", "symbol"};
    const char *scope = argc > 0 ? argv[0] : "", *name = argc > 1 ? argv[1] : "", *side = ctl->side;
    if (strcmp(scope, "side") == 0 && argc == 2) { // a side of the venue
        scope = "venue";
        side = name;
        name = "";
    } else {
        unsigned i = 0;
        while (i < 5 && strcmp(scope, scopes[i]) != 0)
            i++;
        if (i == 5 || argc != (i == 0 ? 1 : 2))
            fail_with(EX_USAGE, "usage: xwctl -c CONFIG %s " USAGE " [--side B|S] --by NAME --why TEXT", ask);
    }
    json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:s}", "ask", ask, "scope", scope, "name", name, "by",
                                need(ctl->by, "--by NAME"), "why", need(ctl->why, "--why TEXT"));
    if (side)
        json_object_set_new(request, "side", json_string(side));
    return request;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

static bool print_json(const struct ctl *ctl, const json_t *root)
{
    if (ctl->json) {
        json_dumpf(root, stdout, JSON_COMPACT);
        putchar('\n');
    }
    return ctl->json;
}

int ctl_kill(const struct ctl *ctl, int argc, char **argv)
{
    int actions = ctl->block_only ? KILL_BLOCK : ctl->cancel_only ? KILL_CANCEL : KILL_BLOCK | KILL_CANCEL;
    if (ctl->block_only && ctl->cancel_only)
        fail_with(EX_USAGE, "--block-only and --cancel-only: give one of them, or none for both");
    json_t *request = scope_request(ctl, "kill", argc, argv);
    json_object_set_new(request, "actions", json_integer(actions));
    json_t *answer = ctl_ask(ctl, "kill", request);
    if (!print_json(ctl, answer)) {
        fputs("killed ", stdout);
        ctl_print_scope(answer);
        if (actions & KILL_CANCEL)
            printf(": %" JSON_INTEGER_FORMAT " orders canceled, none rests, counted by %" JSON_INTEGER_FORMAT
                   " matching cores, durable",
                   json_integer_value(json_object_get(answer, "canceled")),
                   json_integer_value(json_object_get(answer, "cores")));
        puts(actions & KILL_BLOCK ? actions & KILL_CANCEL ? "; blocked until reset" : ": blocked until reset, durable"
                                  : "; not blocked");
    }
    json_decref(answer);
    return EX_OK;
}

// The first line: whether orders are taken again, and whose.
static void print_resumed(const json_t *answer)
{
    const bool lifted = json_is_true(json_object_get(answer, "lifted"));
    const size_t blocked = json_array_size(json_object_get(answer, "still_blocked"));
    const json_int_t free_sessions = json_integer_value(json_object_get(answer, "sessions_free"));
    const char *more = blocked == 50 ? " or more" : "";
    if (strcmp(text_of(answer, "scope"), "symbol") != 0)
        printf("%s; %" JSON_INTEGER_FORMAT " sessions of it may enter orders, %zu%s stay blocked\n",
               lifted ? "reset" : "it was not blocked by itself", free_sessions, blocked, more);
    else if (json_array_size(json_object_get(answer, "symbols")))
        printf("%s; symbol %s does not take all orders yet\n", lifted ? "reset" : "it was not blocked by itself",
               text_of(answer, "name"));
    else
        printf("%s; symbol %s takes orders%s, from %" JSON_INTEGER_FORMAT " sessions; %zu%s stay blocked\n",
               lifted ? "reset" : "it was not blocked by itself", text_of(answer, "name"), lifted ? " again" : "",
               free_sessions, blocked, more);
}

static void print_symbol(const json_t *symbol)
{
    const char *name = text_of(symbol, "symbol"), *side = text_of(symbol, "side"), *state = text_of(symbol, "state");
    if (json_is_true(json_object_get(symbol, "killed")))
        printf("  symbol %s%s%s: is killed itself: xwctl reset symbol %s --by NAME --why TEXT\n", name,
               *side ? " side " : "", side, name);
    if (strcmp(state, "trading") != 0)
        printf("  symbol %s: %s: xwctl resume %s --by NAME\n", name, state, name);
}

int ctl_reset(const struct ctl *ctl, int argc, char **argv)
{
    json_t *answer = ctl_ask(ctl, "kill", scope_request(ctl, "reset", argc, argv));
    if (!print_json(ctl, answer)) {
        const char *phase = text_of(answer, "phase");
        const json_t *at;
        size_t i;
        print_resumed(answer);
        json_array_foreach(json_object_get(answer, "still_blocked"), i, at)
        {
            printf("  session %s%s%s: %s is killed\n", text_of(at, "session"), *text_of(at, "side") ? " side " : "",
                   text_of(at, "side"), text_of(at, "by"));
        }
        json_array_foreach(json_object_get(answer, "symbols"), i, at)
        {
            print_symbol(at);
        }
        if (strcmp(phase, "closed") == 0 || strcmp(phase, "none") == 0)
            printf("  the session phase is %s: no order is taken in it\n", phase);
    }
    json_decref(answer);
    return EX_OK;
}

int ctl_kills(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG kills");
    json_t *answer = ctl_ask(ctl, "kill", json_pack("{s:s}", "ask", "kills"));
    if (!print_json(ctl, answer)) {
        const json_t *at;
        size_t i;
        json_array_foreach(json_object_get(answer, "kills"), i, at)
        {
            ctl_print_kill(at);
        }
        if (json_array_size(json_object_get(answer, "kills")) == 0)
            puts("no kills today");
        if (!json_is_true(json_object_get(answer, "complete")))
            puts("(the journal of today is still being read: there may be more)");
    }
    json_decref(answer);
    return EX_OK;
}
