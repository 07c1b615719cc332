// SPDX-License-Identifier: Apache-2.0
#include "tests/support/naive_state.h"
bool naive_halted(const struct naive_venue *v, uint16_t locate)
{
    (void)v;
    (void)locate;
    return false;
}
int naive_market_check(struct naive_venue *v, const struct resting *o)
{
    (void)v;
    (void)o;
    return 0;
}
void naive_market_command(struct naive_venue *v, const struct command *c)
{
    if ((v->day == 1 || v->day == 2) && c->type == CMD_REFERENCE) {
        struct symbol *s = &v->symbols[c->reference.locate];
        if (!s->open || c->reference.reference > PRICE_MAX)
            return;
        if (c->reference.reference)
            s->close = c->reference.reference;
        if (c->reference.adv)
            s->adv = c->reference.adv;
    }
}
