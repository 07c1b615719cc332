// SPDX-License-Identifier: Apache-2.0
#include "engine/afterwork.h"

#include <string.h>

bool afterwork(struct engine *e, struct out *out)
{
    (void)out;
    memset(e->dirty, 0, dirty_words(e->limit.max_symbols) * sizeof *e->dirty);
    e->dirty_books = 0;
    return true;
}
