// SPDX-License-Identifier: Apache-2.0
#include "engine/trades.h"

void trade_break(struct engine *e, const struct command *c, struct out *out)
{
    (void)e, (void)c, (void)out;
}

void trade_adjust(struct engine *e, const struct command *c, struct out *out)
{
    (void)e, (void)c, (void)out;
}
