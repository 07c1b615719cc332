// SPDX-License-Identifier: Apache-2.0
// A phase that an operator asks for before the day has started, of two matching cores that take what they are given.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/operator/operator.h"
#include "control/recovery/opening.h"
#include "tests/unit/limits_venue.h"

static struct config *config;
static char phases[2], started_by[17];
static bool start_held;
static unsigned notes; // of refusals

// In the place of recovery.c's.
bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    notes += command->type == CMD_NOTE;
    if (command->type == CMD_PHASE)
        phases[core] = command->phase.phase;
    return true;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return false;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return true;
}

char recovery_phase(const struct recovery *recovery, unsigned core)
{
    (void)recovery;
    return phases[core];
}

bool recovery_start_by(struct recovery *recovery, const char *by)
{
    (void)recovery;
    if (start_held)
        snprintf(started_by, sizeof started_by, "%s", by);
    return start_held;
}

// Whether the operator is told that the venue is in `phase`.
static bool moved(const char *phase)
{
    struct audit *audit = audit_new();
    struct recovery *recovery = (struct recovery *)&config;
    const struct desk_context context = {.config = config, .audit = audit};
    struct request request = {.subject = &phase_move, .context = &context, .by = "ALICE"};
    json_t *root = json_pack("{s:s, s:s}", "phase", phase, "by", "ALICE");
    request.state = calloc(1, phase_move.size);
    memset(phases, 0, sizeof phases);
    started_by[0] = '\0';
    notes = 0;
    assert_null(phase_move.read(&request, root));
    json_decref(root);
    for (unsigned i = 0; i < 10 && request.subject; i++) {
        if (i >= 2 && phases[i & 1] == 0 && started_by[0]) // each core in its own time
            phases[i & 1] = PHASE_PRE;
        phase_move.go_on(&request, recovery, 1000);
    }
    assert_null(request.subject); // answered
    audit_poll(audit, recovery);
    audit_free(audit);
    return notes == 0;
}

static void a_phase_before_the_day_has_started_is_refused(void **state)
{
    (void)state;
    start_held = false;
    assert_false(moved("P"));
    assert_false(moved("R"));
    assert_string_equal(started_by, "");
}

static void a_phase_starts_a_day_whose_start_is_held(void **state)
{
    (void)state;
    start_held = true;
    assert_true(moved("P"));
    assert_string_equal(started_by, "ALICE");
    assert_memory_equal(phases, "PP", 2);
    assert_true(moved("R"));
    assert_string_equal(started_by, "ALICE");
    assert_memory_equal(phases, "RR", 2);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return 1;
    config = load_venue("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_before_the_day_has_started_is_refused),
        cmocka_unit_test(a_phase_starts_a_day_whose_start_is_held),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config_free(config);
    return failed;
}
