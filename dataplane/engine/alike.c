// SPDX-License-Identifier: Apache-2.0
#include "engine/alike.h"

uint16_t alike_tag(const struct alike_place *place)
{
    return alike_tag_of(place->instrument, place->amount);
}

uint32_t alike_take(struct alike_tags *tags, struct alike *alike, struct alike_limit *limit, uint32_t instrument,
                    uint32_t quantity, uint32_t price, uint64_t now)
{
    struct alike_kind kind = alike_find(tags, alike, instrument, alike_amount(quantity, price));
    uint32_t count = alike_count(&kind, limit, now);
    if (count >= limit->most)
        return 0;
    if (count)
        return ++kind.place->count;
    alike_begin(tags, alike, limit, &kind, now);
    return 1;
}
