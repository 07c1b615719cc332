// SPDX-License-Identifier: Apache-2.0
#include "engine/conditional.h"

void conditional_add(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    e->backs[e->orders[s->slot].locate].conditional++;
    e->conditional_live++;
    e->levels_used++;
}

void conditional_remove(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    if (s->kinds == 0)
        return;
    e->backs[e->orders[s->slot].locate].conditional--;
    e->conditional_live--;
    e->levels_used--;
    s->kinds = 0;
}
