// SPDX-License-Identifier: Apache-2.0
#include "engine/match_general.h"

void general_begin(struct engine *e)
{
    e->walk = (struct walk){.stage = WALK_TAKE};
}

bool match_general(struct engine *e, struct out *out)
{
    (void)e, (void)out;
    return true;
}

void general_retake(struct engine *e, uint32_t slot, uint32_t limit, uint32_t price, bool rests)
{
    (void)e, (void)slot, (void)limit, (void)price, (void)rests;
}
