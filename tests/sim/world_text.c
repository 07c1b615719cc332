// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sim.h"
#include "tests/sim/world.h"

void world_say(struct world_text *text, const char *format, ...)
{
    const size_t room = sizeof text->bytes - text->used;
    va_list list;
    va_start(list, format);
    const int size = vsnprintf(text->bytes + text->used, room, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= room)
        sim_fail("a file of the world has more than %zu bytes", sizeof text->bytes);
    text->used += (size_t)size;
}
