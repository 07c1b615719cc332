// SPDX-License-Identifier: Apache-2.0
// What the tests that explore share: an exploration that finds nothing, or what it must.
#ifndef CROSSWIRE_TESTS_MODEL_STAGE_H
#define CROSSWIRE_TESTS_MODEL_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/explorer.h"

// Explores `model`, whose threads share the `size` bytes at `at`. `expected`: the failure that is to be found, NULL
// none.
static inline void explore_in(void *at, size_t size, const char *what, struct model model, const char *expected)
{
    model.shared = at;
    model.size = size;
    struct model_result result = model_explore(&model);
    printf("# %s: %lu states, %lu steps, at most %u deep, %lu ends\n", what, result.states, result.steps, result.depth,
           result.ends);
    if (!expected && result.failure)
        print_error("%s: %s\n", what, result.failure);
    if (expected)
        assert_string_equal(result.failure ? result.failure : "nothing is found", expected);
    else
        assert_null(result.failure);
    assert_true(expected || result.ends > 0);
}

#endif
