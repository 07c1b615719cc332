// SPDX-License-Identifier: Apache-2.0
// The roles' memory. EAL is not started.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/memory.h"

static jmp_buf refused;
static char told[256];

static void keep(const char *text)
{
    snprintf(told, sizeof told, "%s", text);
    longjmp(refused, 1);
}

static void memory_is_zeroed_page_aligned_and_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, 4097, 3 << 20, 100, (2 << 20) - 1, 5};
    uint8_t *taken[sizeof sizes / sizeof sizes[0]];
    memory_open(false, keep);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        taken[i] = memory_take(sizes[i], "test");
        assert_int_equal((uintptr_t)taken[i] % 4096, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(taken[i][k], 0);
        memset(taken[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(taken[i][0], i + 1);
        assert_int_equal(taken[i][sizes[i] - 1], i + 1);
    }
}

static void memory_that_is_not_there_is_refused_before_it_is_touched(void **state)
{
    (void)state;
    memory_open(false, keep);
    told[0] = '\0';
    if (setjmp(refused) == 0)
        memory_take((size_t)1 << 45, "book of the test");
    assert_non_null(strstr(told, "book of the test"));
    assert_non_null(strstr(told, "lower"));
}

static void huge_pages_that_are_not_there_are_refused_with_the_mend(void **state)
{
    (void)state;
    memory_open(true, keep);
    told[0] = '\0';
    if (setjmp(refused) == 0)
        memory_take((size_t)1 << 45, "book of the test");
    assert_non_null(strstr(told, "vm.nr_hugepages"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_page_aligned_and_apart),
        cmocka_unit_test(memory_that_is_not_there_is_refused_before_it_is_touched),
        cmocka_unit_test(huge_pages_that_are_not_there_are_refused_with_the_mend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
