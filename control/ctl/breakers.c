// SPDX-License-Identifier: Apache-2.0
// xwctl breakers and xwctl breaker: what `trips:` says, which of it has tripped, and which modes are on.
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/breaker.h"
#include "contract/log.h"
#include "control/ctl/ask.h"
#include "control/ctl/breakers.h"
#include "control/ctl/ctl.h"

// ---- the board ------------------------------------------------------------------------------------------------------

struct board {
    uint64_t count;
    struct entry {
        char name[17];
        enum breaker_state state;
        unsigned level;
        uint32_t of;
        uint64_t value;
    } entries[BOARD_ENTRIES];
};

static void read_entry(const struct board_entry *from, struct entry *to)
{
    uint64_t name[2] = {atomic_load_explicit(&from->name[0], memory_order_relaxed),
                        atomic_load_explicit(&from->name[1], memory_order_relaxed)};
    uint64_t state = atomic_load_explicit(&from->state, memory_order_relaxed);
    memcpy(to->name, name, sizeof name);
    to->name[sizeof name] = '\0';
    to->state = (enum breaker_state)(state & 0xFF);
    to->level = state >> 8 & 0xFF;
    to->of = (uint32_t)(state >> 32);
    to->value = atomic_load_explicit(&from->value, memory_order_relaxed);
}

// A whole state of the board; a bounded number of tries, because a control that was killed while it wrote leaves it
// odd.
static void read_board(const struct region *region, struct board *board)
{
    const struct breaker_board *from = region_find(region, OBJECT_BOARD, 0, 0);
    board->count = 0;
    for (unsigned attempt = 0; from && attempt < 1000; attempt++) {
        uint64_t turn = atomic_load_explicit(&from->turn, memory_order_acquire);
        board->count = atomic_load_explicit(&from->count, memory_order_relaxed);
        for (uint64_t i = 0; i < board->count && i < BOARD_ENTRIES; i++)
            read_entry(&from->entries[i], &board->entries[i]);
        atomic_thread_fence(memory_order_acquire); // what was read, before the turn is looked at again
        if (turn % 2 == 0 && atomic_load_explicit(&from->turn, memory_order_relaxed) == turn)
            return;
    }
}

// ---- as JSON --------------------------------------------------------------------------------------------------------

static const char *name_of(const struct config_trip *trip)
{
    return trip->name[0] ? trip->name : trip->condition;
}

// Whom the n-th breaker of a trip is about.
static json_t *subject(const struct config *config, const struct config_trip *trip, uint32_t of)
{
    static const char *const names[] = {"host", "gateway", "matcher", "publisher"};
    const enum trip_each each = config_trip_info(trip->is)->each;
    char text[32];
    if (each == EACH_SESSION)
        return json_string(of < config_streams(config) ? config_stream(config, of).user : "?");
    if (each == EACH_ACCOUNT)
        return json_string(of < config->accounts_count ? config->accounts[of].name : "?");
    if (each == EACH_HOST)
        return json_string("host");
    snprintf(text, sizeof text, "%s %u", names[each], of);
    return json_string(text);
}

// The control_lost trip has no breaker of control's: its matching cores say whether it is in force.
static json_t *lost_json(const struct region *region, unsigned matchers)
{
    json_t *open = json_array();
    for (unsigned core = 0; core < matchers; core++) {
        const struct matcher_port *port = region_find(region, OBJECT_MATCHER, 0, core);
        char text[32];
        snprintf(text, sizeof text, "matcher %u", core);
        if (port && atomic_load_explicit(&port->modes, memory_order_relaxed) >> MODE_CONTROL_LOST & 1)
            json_array_append_new(open, json_pack("{s:s, s:s}", "of", text, "state", "open"));
    }
    return open;
}

static json_t *open_json(const struct region *region, const struct config *config, const struct config_trip *trip,
                         const struct board *board)
{
    if (trip->is == TRIP_CONTROL_LOST)
        return lost_json(region, config->matchers_count);
    json_t *open = json_array();
    for (uint64_t i = 0; i < board->count && i < BOARD_ENTRIES; i++) {
        const struct entry *entry = &board->entries[i];
        if (strcmp(entry->name, name_of(trip)) == 0)
            json_array_append_new(open, json_pack("{s:o, s:s, s:i, s:I}", "of", subject(config, trip, entry->of),
                                                  "state", breaker_state_name(entry->state), "level", (int)entry->level,
                                                  "value", (json_int_t)entry->value));
    }
    return open;
}

json_t *ctl_modes_json(const struct region *region, const struct config *config)
{
    json_t *modes = json_array();
    for (unsigned core = 0; core < config->matchers_count; core++) {
        const struct matcher_port *port = region_find(region, OBJECT_MATCHER, 0, core);
        uint64_t on = port ? atomic_load_explicit(&port->modes, memory_order_relaxed) : 0;
        for (uint32_t mode = 0; mode < 64; mode++) {
            const char *name = mode == MODE_CONTROL_LOST    ? "control_lost"
                               : mode < config->modes_count ? config->modes[mode].name
                                                            : "?";
            if (on >> mode & 1)
                json_array_append_new(modes, json_pack("{s:i, s:s}", "core", (int)core, "mode", name));
        }
    }
    return modes;
}

json_t *ctl_open_breakers_json(const struct region *region, const struct config *config)
{
    static struct board board;
    json_t *list = json_array(), *at;
    size_t n;
    read_board(region, &board);
    for (uint32_t i = 0; i < config->trips_count; i++) {
        const struct config_trip *trip = &config->trips[i];
        json_t *open = open_json(region, config, trip, &board);
        json_array_foreach(open, n, at)
        {
            json_object_set_new(at, "name", json_string(name_of(trip)));
            json_object_set_new(at, "action", json_string(config_action_name(trip->does)));
            json_array_append(list, at);
        }
        json_decref(open);
    }
    return list;
}

static json_t *breakers_json(const struct region *region, const struct config *config)
{
    static struct board board;
    json_t *trips = json_array();
    read_board(region, &board);
    for (uint32_t i = 0; i < config->trips_count; i++) {
        const struct config_trip *trip = &config->trips[i];
        json_array_append_new(trips,
                              json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:o}", "name", name_of(trip), "condition",
                                        trip->condition, "threshold", (json_int_t)trip->threshold, "unit",
                                        config_trip_info(trip->is)->unit, "action", config_action_name(trip->does),
                                        "mode", trip->mode, "recovery", config_recovery_name(trip->recovers), "open",
                                        open_json(region, config, trip, &board)));
    }
    return json_pack("{s:o, s:I, s:o}", "modes", ctl_modes_json(region, config), "not_closed", (json_int_t)board.count,
                     "trips", trips);
}

// ---- as text --------------------------------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

void ctl_print_modes(const json_t *modes)
{
    size_t i;
    json_t *mode;
    if (json_array_size(modes) == 0)
        puts("modes: normal");
    json_array_foreach(modes, i, mode)
    {
        printf("DEGRADED: mode %s on matching core %" JSON_INTEGER_FORMAT "\n", text_of(mode, "mode"),
               json_integer_value(json_object_get(mode, "core")));
    }
}

void ctl_print_open_breakers(const json_t *breakers)
{
    size_t i;
    json_t *at;
    json_array_foreach(breakers, i, at)
    {
        printf("BREAKER: %s of %s is %s: %s\n", text_of(at, "name"), text_of(at, "of"), text_of(at, "state"),
               text_of(at, "action"));
    }
}

static void print_trip(const json_t *trip)
{
    size_t i;
    json_t *open;
    const json_t *list = json_object_get(trip, "open");
    char threshold[48];
    snprintf(threshold, sizeof threshold, "%" JSON_INTEGER_FORMAT " %s",
             json_integer_value(json_object_get(trip, "threshold")), text_of(trip, "unit"));
    printf("%-16s %-16s %16s  %-14s %-16s %-10s %s\n", text_of(trip, "name"), text_of(trip, "condition"), threshold,
           text_of(trip, "action"), text_of(trip, "mode"), text_of(trip, "recovery"),
           json_array_size(list) ? "" : "closed");
    json_array_foreach(list, i, open)
    {
        const json_t *value = json_object_get(open, "value");
        printf("    %s %s", text_of(open, "of"), text_of(open, "state"));
        if (json_integer_value(value) < 0) // the clock says nothing
            printf(", not synchronised");
        else if (value)
            printf(", measured %" JSON_INTEGER_FORMAT, json_integer_value(value));
        putchar('\n');
    }
}

int ctl_breakers(const struct ctl *ctl, int argc, char **argv)
{
    size_t i;
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG breakers [--json]");
    struct config *config = ctl_load_config(ctl);
    struct region region;
    ctl_join(&region, config);
    json_t *root = breakers_json(&region, config);
    if (ctl->json) {
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        ctl_print_modes(json_object_get(root, "modes"));
        printf("\n%-16s %-16s %16s  %-14s %-16s %-10s\n", "trip", "condition", "threshold", "action", "mode",
               "recovery");
        const json_t *trips = json_object_get(root, "trips");
        for (i = 0; i < json_array_size(trips); i++)
            print_trip(json_array_get(trips, i));
    }
    json_decref(root);
    region_leave(&region);
    config_free(config);
    return EX_OK;
}

int ctl_breaker(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[0], "reset") != 0 || !ctl->by)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG breaker reset TRIP --by NAME");
    json_t *answer =
        ctl_ask(ctl, "control", json_pack("{s:s, s:s, s:s}", "ask", "breaker_reset", "trip", argv[1], "by", ctl->by));
    if (ctl->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        printf("%s: %" JSON_INTEGER_FORMAT " reset\n", argv[1], json_integer_value(json_object_get(answer, "reset")));
    }
    json_decref(answer);
    return EX_OK;
}
