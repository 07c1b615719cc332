// SPDX-License-Identifier: Apache-2.0
#include "engine/pegs.h"

uint32_t peg_price(const struct engine *e, uint16_t locate, unsigned side, char type, int32_t offset, uint32_t cap)
{
    (void)e, (void)locate, (void)side, (void)type, (void)offset, (void)cap;
    return 0;
}

uint32_t discretion_price(const struct engine *e, const struct special *special, uint16_t locate, unsigned side,
                          uint32_t price)
{
    (void)e, (void)special, (void)locate, (void)side;
    return price;
}

uint32_t discretion_next(const struct engine *e, uint16_t locate, unsigned side, uint32_t limit, uint32_t after)
{
    (void)e, (void)locate, (void)side, (void)limit, (void)after;
    return 0;
}

void pegs_look(struct engine *e, uint16_t locate)
{
    (void)e, (void)locate;
}
