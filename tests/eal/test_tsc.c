// SPDX-License-Identifier: Apache-2.0
// The rate of the TSC: the day's time is made of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/tsc.h"

static void a_rate_that_is_no_multiple_of_10_mhz_is_found(void **state)
{
    (void)state;
    const struct tsc_reading from = {7000, 5000}, to = {7000 + 1247070000, 5000 + 500000000};
    assert_int_equal(tsc_rate(from, to, 2490000000), 2494140000);
}

static void long_uptimes_do_not_overflow(void **state)
{
    (void)state;
    const uint64_t day = UINT64_C(86400) * 365 * 20;
    const struct tsc_reading from = {0}, to = {day * 4000000000u, day * 1000000000u};
    assert_int_equal(tsc_rate(from, to, 1), 4000000000u);
}

static void two_readings_too_near_each_other_say_nothing(void **state)
{
    (void)state;
    const struct tsc_reading from = {100, 100}, near = {1000000, 99 + TSC_MEASURE_NS}, back = {50, 50};
    assert_int_equal(tsc_rate(from, near, 77), 77);
    assert_int_equal(tsc_rate(from, from, 77), 77);
    assert_int_equal(tsc_rate(from, back, 77), 77);
}

static void readings_go_forward(void **state)
{
    (void)state;
    struct tsc_reading from = tsc_read(), to = tsc_read();
    assert_true(to.cycles > from.cycles);
    assert_true(to.ns > from.ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_that_is_no_multiple_of_10_mhz_is_found),
        cmocka_unit_test(long_uptimes_do_not_overflow),
        cmocka_unit_test(two_readings_too_near_each_other_say_nothing),
        cmocka_unit_test(readings_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
