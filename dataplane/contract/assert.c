// SPDX-License-Identifier: Apache-2.0
#include "contract/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void xw_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}
