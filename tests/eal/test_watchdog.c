// SPDX-License-Identifier: Apache-2.0
// The watchdog is fed only while every core moves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/watchdog.h"

static struct core_block cores[3];
static struct watchdog watchdog;

static int fresh(void **state)
{
    (void)state;
    memset(cores, 0, sizeof cores);
    watchdog_open(&watchdog, 4000);
    for (unsigned i = 0; i < 3; i++)
        watchdog_add(&watchdog, &cores[i]);
    return 0;
}

static void beat(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        cores[i].heartbeat++;
}

static void it_is_fed_four_times_an_interval(void **state)
{
    (void)state;
    unsigned fed = 0;
    for (uint64_t now = 10000; now < 14000; now += 100) {
        beat(0, 3);
        fed += watchdog_due(&watchdog, now);
    }
    assert_int_equal(fed, 4);
}

static void one_core_that_stands_still_starves_it(void **state)
{
    (void)state;
    beat(0, 3);
    assert_true(watchdog_due(&watchdog, 10000));
    for (uint64_t now = 11000; now < 50000; now += 100) {
        beat(0, 1);
        beat(2, 1);
        assert_false(watchdog_due(&watchdog, now));
    }
    beat(1, 1); // it was only late
    assert_true(watchdog_due(&watchdog, 50000));
}

static void every_core_has_to_move_again_after_it_was_fed(void **state)
{
    (void)state;
    beat(0, 3);
    assert_true(watchdog_due(&watchdog, 10000));
    beat(0, 3);
    assert_true(watchdog_due(&watchdog, 11000));
    beat(0, 2);
    assert_false(watchdog_due(&watchdog, 12000));
}

static void nobody_that_waits_is_told_nothing(void **state)
{
    (void)state;
    watchdog_open(&watchdog, 0);
    watchdog_add(&watchdog, &cores[0]);
    beat(0, 1);
    assert_false(watchdog_due(&watchdog, 10000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_fed_four_times_an_interval, fresh),
        cmocka_unit_test_setup(one_core_that_stands_still_starves_it, fresh),
        cmocka_unit_test_setup(every_core_has_to_move_again_after_it_was_fed, fresh),
        cmocka_unit_test_setup(nobody_that_waits_is_told_nothing, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
