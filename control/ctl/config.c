// SPDX-License-Identifier: Apache-2.0
// xwctl config check FILE | config diff [FILE] | config fits [FILE] | config describe
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/ask.h"

// What runs, by path; each value that the file has is taken away when it is alike.
struct comparison {
    bool json;
    json_t *running;
    json_t *rows;
};

static void compare(void *context, const char *path, const char *value, bool live)
{
    struct comparison *comparison = context;
    const char *running = json_string_value(json_object_get(comparison->running, path));
    const bool secret = strstr(path, "password_hash") != NULL; // control does not tell
    if (!secret && (!running || strcmp(running, value) != 0)) {
        json_array_append_new(comparison->rows, json_pack("{s:s, s:s, s:s, s:b}", "key", path, "running",
                                                          running ? running : "", "file", value, "reload", live));
        if (!comparison->json)
            printf("%s: running %s, file %s (%s)\n", path, running ? running : "has none", value,
                   live ? "reload" : "restart both");
    }
    json_object_del(comparison->running, path);
}

// What control runs with, against the file: 1 when they differ.
static int diff(const struct ctl *ctl)
{
    struct comparison comparison = {.json = ctl->json, .rows = json_array()};
    struct config *config = ctl_load_config(ctl);
    json_t *answer = ctl_ask(ctl, "control", json_pack("{s:s}", "ask", "config_show"));
    const char *path;
    json_t *value;
    comparison.running = json_object_get(answer, "values");
    config_list(config, compare, &comparison);
    json_object_foreach(comparison.running, path, value)
    {
        json_array_append_new(comparison.rows, json_pack("{s:s, s:s, s:b}", "key", path, "running",
                                                         json_string_value(value), "reload", 0));
        if (!ctl->json)
            printf("%s: running %s, the file has none (restart both)\n", path, json_string_value(value));
    }
    const int result = json_array_size(comparison.rows) != 0;
    if (ctl->json) {
        json_dumpf(comparison.rows, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (!result) {
        puts("configuration: what runs is what the file says");
    }
    json_decref(comparison.rows);
    json_decref(answer);
    config_free(config);
    return result;
}

// Whether the data plane that runs goes on with the file, as after a reload; ends with 78 when not. Needs no control,
// and nobody's leave: both processes have put a hash of what may not change into the region.
static int fits(const struct ctl *ctl)
{
    struct config *config = ctl_load_config(ctl);
    struct region region;
    ctl_join(&region, config);
    const bool alive = region_alive(&region), same = region.header->config_hash == config->hash;
    region_leave(&region);
    if (!alive)
        fail_with(EX_UNAVAILABLE, "the data plane of instance %s does not run: start crosswire-dataplane",
                  config->instance);
    if (!same)
        fail_with(EX_CONFIG,
                  "%s: instance %s runs with other values of what can not change while it runs: put them back, or "
                  "restart both (xwctl config diff names them, as does the log, XW1010)",
                  ctl->config_path, config->instance);
    printf("%s: instance %s goes on with it\n", ctl->config_path, config->instance);
    config_free(config);
    return EX_OK;
}

int ctl_config(const struct ctl *ctl, int argc, char **argv)
{
    struct ctl with_file = *ctl;
    if (argc == 1 && strcmp(argv[0], "describe") == 0) {
        config_describe();
        return EX_OK;
    }
    const bool differ = argc > 0 && strcmp(argv[0], "diff") == 0;
    const bool running = argc > 0 && strcmp(argv[0], "fits") == 0;
    if (argc < 1 || argc > 2 || (!differ && !running && strcmp(argv[0], "check") != 0))
        fail_with(EX_USAGE,
                  "usage: xwctl config check FILE | xwctl -c CONFIG config diff|fits | xwctl config describe");
    if (argc == 2)
        with_file.config_path = argv[1];
    if (running)
        return fits(&with_file);
    if (differ) {
        const int keys = diff(&with_file);
        return ctl_limits_diff(&with_file, NULL) || keys;
    }
    struct config *config = ctl_load_config(&with_file);
    printf("%s: right. instance %s, trading date %u, ack %s, %u gateways, %u matching cores, %u symbols, %u accounts, "
           "%u sessions\n",
           with_file.config_path, config->instance, config->date, config->ack, config->gateways_count,
           config->matchers_count, config->symbols_count, config->accounts_count, config->sessions_count);
    const bool limits = config->risk.limits[0] != '\0';
    config_free(config);
    return limits ? ctl_limits_check(&with_file, NULL) : EX_OK;
}
