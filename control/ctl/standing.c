// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/standing.h"

#include <stdio.h>
#include <string.h>

#include "control/ctl/ask.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool truth(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void print_time(const json_t *object)
{
    const json_int_t second = json_integer_value(json_object_get(object, "time_ns")) / 1000000000;
    printf("%02u:%02u:%02u ", (unsigned)(second / 3600), (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

json_t *ctl_standing_json(const struct ctl *ctl)
{
    json_t *root = ctl_ask_if_up(ctl, "kill", json_pack("{s:s}", "ask", "standing"));
    if (root)
        json_object_del(root, "ok");
    return root;
}

// ---- a kill ---------------------------------------------------------------------------------------------------------

void ctl_print_scope(const json_t *kill)
{
    const char *name = text_of(kill, "name"), *side = text_of(kill, "side");
    printf("%s%s%s%s%s", text_of(kill, "scope"), *name ? " " : "", name, *side ? " side " : "", side);
}

static void print_command(const char *what, const json_t *kill, const char *option)
{
    const char *name = text_of(kill, "name"), *side = text_of(kill, "side");
    printf("xwctl %s %s%s%s%s%s%s --by NAME --why TEXT\n", what, text_of(kill, "scope"), *name ? " " : "", name,
           *side ? " --side " : "", side, option);
}

// What an operator can do about a block, and about what was never taken.
static void print_way_out(const json_t *kill)
{
    const char *source = text_of(kill, "source");
    printf("    ");
    if (strcmp(source, "control_lost") == 0) {
        puts("ends by itself once control is back; or xwctl breaker reset control_lost --by NAME");
    } else if (strcmp(source, "breaker") == 0) {
        printf("ends with its breaker's recovery; or xwctl breaker reset %s --by NAME\n",
               *text_of(kill, "why") ? text_of(kill, "why") : "TRIP");
    } else if (strcmp(source, "limit") == 0) {
        printf("give the limit more room, or it kills again; then ");
        print_command("reset", kill, "");
    } else {
        printf("until ");
        print_command("reset", kill, "");
    }
}

void ctl_print_kill(const json_t *kill)
{
    const json_t *missed = json_object_get(kill, "missed");
    print_time(kill);
    ctl_print_scope(kill);
    const char *left = text_of(kill, "left");
    printf(": %s%s%s, %s, %" JSON_INTEGER_FORMAT " canceled, by %s %s: %s\n",
           !truth(kill, "blocks")  ? "cancel only"
           : truth(kill, "active") ? "BLOCKED"
                                   : "reset",
           *left ? " still on side " : "", left,
           truth(kill, "confirmed")  ? "confirmed"
           : json_array_size(missed) ? "NOT carried out"
                                     : "NOT confirmed",
           json_integer_value(json_object_get(kill, "canceled")), text_of(kill, "source"), text_of(kill, "by"),
           text_of(kill, "why"));
    if (json_array_size(missed)) {
        printf("    a data plane died before it took it on %zu matching core%s: ", json_array_size(missed),
               json_array_size(missed) == 1 ? "" : "s");
        print_command("kill", kill, " --cancel-only");
    }
    if (truth(kill, "active"))
        print_way_out(kill);
}

// ---- all ------------------------------------------------------------------------------------------------------------

static void print_more(const json_t *standing, const char *list, const char *count)
{
    const json_int_t all = json_integer_value(json_object_get(standing, count));
    const json_int_t shown = (json_int_t)json_array_size(json_object_get(standing, list));
    if (all > shown)
        printf("(and %" JSON_INTEGER_FORMAT " more %s)\n", all - shown, list);
}

void ctl_print_standing(const json_t *standing)
{
    size_t i;
    json_t *at;
    if (!standing) {
        puts("kills, halts and limits: NOT KNOWN, as control does not say: xwctl audit has what the journal says");
        return;
    }
    const char *phase = text_of(standing, "phase");
    printf("phase: %s%s\n", phase,
           strcmp(phase, "ended") == 0    ? "; no order is taken and nothing changes until the next date"
           : strcmp(phase, "closed") == 0 ? "; no order is taken"
           : strcmp(phase, "none") == 0   ? "; the day has not started"
                                          : "");
    json_array_foreach(json_object_get(standing, "kills"), i, at)
    {
        printf("KILLED: ");
        ctl_print_kill(at);
    }
    print_more(standing, "kills", "kills_count");
    if (json_integer_value(json_object_get(standing, "market_wide_level")))
        printf("MARKET-WIDE: level %" JSON_INTEGER_FORMAT " has been breached today\n",
               json_integer_value(json_object_get(standing, "market_wide_level")));
    json_array_foreach(json_object_get(standing, "symbols"), i, at)
    {
        printf("HALTED: ");
        print_time(at);
        printf("symbol %s: %s\n", text_of(at, "symbol"), text_of(at, "state"));
    }
    print_more(standing, "symbols", "symbols_count");
    json_array_foreach(json_object_get(standing, "limits"), i, at)
    {
        printf("LIMIT: ");
        print_time(at);
        printf("%s %s on matching core %" JSON_INTEGER_FORMAT ": %s, %s of %s used\n", text_of(at, "whom"),
               text_of(at, "limit"), json_integer_value(json_object_get(at, "core")), text_of(at, "stage"),
               text_of(at, "used"), text_of(at, "most"));
    }
    print_more(standing, "limits", "limits_count");
    if (!truth(standing, "known"))
        puts("(the journal of today is still being read, or can not be replayed: there may be more)");
    else if (!json_integer_value(json_object_get(standing, "kills_count")) &&
             !json_integer_value(json_object_get(standing, "symbols_count")))
        puts("nothing is killed, every symbol trades");
}
