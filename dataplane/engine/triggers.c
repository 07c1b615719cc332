// SPDX-License-Identifier: Apache-2.0
#include "engine/triggers.h"

void triggers_trade(struct engine *e, uint16_t locate, uint32_t price)
{
    (void)e, (void)locate, (void)price;
}

bool trigger_begin(const struct engine *e, struct special *special, uint16_t locate, unsigned side)
{
    (void)e, (void)special, (void)locate, (void)side;
    return false;
}
