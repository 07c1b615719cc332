// SPDX-License-Identifier: Apache-2.0
// `trips:` and `modes:` of the configuration: what is read, and that each refusal points at its line and column.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/config.h"

static const char base[] =
    "run_directory: run\n"
    "journal_directory: journal\n"
    "trading_date: 2024-02-29\n"
    "ports: [{name: a, profile: vhost, address: 10.0.0.1}]\n"
    "gateways: [{lcore: 0, port: a, udp_port: 4000}]\n"
    "matchers: [{lcore: 0}]\n"
    "publishers: [{lcore: 0, port: a, group: 233.54.12.1, udp_port: 5000}]\n"
    "symbols: [{name: ABC}]\n"
    "accounts: [{name: north, firm: NRTH}]\n"
    "sessions: [{user: A, account: north, password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}]\n";

static char path[64];
static char error[512];

static int make_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/crosswire-trips-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    return fd < 0;
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

// The base with `more` behind it, from line 11 on.
static struct config *load(const char *more)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s%s", base, more);
    assert_int_equal(fclose(file), 0);
    return config_load(path, error, sizeof error);
}

static struct config *accepted(const char *more)
{
    struct config *config = load(more);
    if (!config)
        fail_msg("refused: %s", error);
    return config;
}

static void refused(const char *more, const char *position, const char *says)
{
    char head[128];
    if (load(more))
        fail_msg("taken: %s", more);
    snprintf(head, sizeof head, "%s:%s: ", path, position);
    if (strncmp(error, head, strlen(head)) != 0 || !strstr(error, says) || strchr(error, '\n'))
        fail_msg("`%s`\n  gave  %s\n  not   %s ... %s", more, error, head, says);
}

static void what_trips_what_is_read_and_each_mistake_is_pointed_at(void **state)
{
    (void)state;
    struct config *config = accepted("engine: {max_positions: 100}\nmodes: [{name: slow, rate: 10}]\n"
                                     "trips: [{condition: latency, threshold: 500, action: throttle,"
                                     " mode: slow, recovery: aggressive}]\n");
    assert_int_equal(config->trips[0].is, TRIP_LATENCY);
    assert_int_equal(config->trips[0].does, TRIP_THROTTLE);
    assert_int_equal(config->trips[0].recovers, TRIP_AGGRESSIVE);
    assert_int_equal(config->trips[0].mode_index, 0);
    assert_int_equal(config->trips[0].window_ms, 1000);
    config_free(config);
    config = accepted("");
    assert_int_equal(config->trips_count + config->modes_count, 0);
    config_free(config);
    static const struct {
        const char *trip, *position, *says;
    } wrong[] = {
        {"{threshold: 1}", "11:9", "`condition` is missing"},
        {"{condition: latency}", "11:9", "`threshold` is missing"},
        {"{condition: sunspots, threshold: 1}", "11:21", "`condition` is `sunspots`"},
        {"{condition: latency, threshold: 0}", "11:41", "out of bounds"},
        {"{condition: backlog, threshold: 101}", "11:41", "give 1 to 100"},
        {"{condition: reject_ratio, threshold: 101}", "11:46", "give 1 to 100"},
        {"{condition: bad_logins, threshold: 256}", "11:44", "give 1 to 255"},
        {"{condition: backlog, threshold: 9, action: shout}", "11:52", "write alert, throttle"},
        {"{condition: backlog, threshold: 9, recovery: soon}", "11:54", "write manual, standard or aggressive"},
        {"{condition: backlog, threshold: 9, action: throttle}", "11:9", "not under `modes:`"},
        {"{condition: backlog, threshold: 9, mode: slow}", "11:50", "leave it out"},
        {"{condition: backlog, threshold: 9, action: halt}", "11:9", "write manual"},
        {"{condition: bad_logins, threshold: 9, action: halt}", "11:55", "closes the port"},
        {"{condition: control_lost, threshold: 50, action: throttle}", "11:58", "without control knows"},
        {"{condition: control_lost, threshold: 49}", "11:46", "every 10 ms and may be late with some: give 50 or more"},
        {"{condition: backlog, threshold: 9}, {condition: backlog, threshold: 8}", "11:57", "a `name` of its own"},
        {"{condition: latency, threshold: 9}, {name: b, condition: latency, threshold: 8}", "11:66", "keep one"},
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "trips: [%s]\n", wrong[i].trip);
        refused(text, wrong[i].position, wrong[i].says);
    }
    refused(
        "modes: [{name: slow, rate: 10}]\ntrips: [{condition: backlog, threshold: 9, action: throttle, mode: slow}]\n"
        "",
        "12:52", "name `limits` under `risk:`");
    refused("modes: [{name: idle}]\n", "11:16", "changes nothing");
    refused("modes: [{name: a, rate: 1}, {name: a, rate: 2}]\n", "11:36", "another name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_trips_what_is_read_and_each_mistake_is_pointed_at, make_file, drop_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
