// SPDX-License-Identifier: Apache-2.0
#include "engine/alike.h"

#include <stdbool.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

static uint16_t tag_of(uint32_t instrument, uint64_t amount)
{
    return (uint16_t)((amount ^ (uint64_t)instrument << 24) * UINT64_C(0x9E3779B97F4A7C15) >> 48);
}

uint16_t alike_tag(const struct alike_place *place)
{
    return tag_of(place->instrument, place->amount);
}

// Bit i is set when place i has the tag.
static uint32_t tagged(const struct alike *alike, uint16_t tag)
{
#ifdef __AVX2__
    const __m256i wanted = _mm256_set1_epi16((short)tag);
    __m256i low = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)alike->tags), wanted);
    __m256i high = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)(alike->tags + 16)), wanted);
    __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8); // back into the order of places
    return (uint32_t)_mm256_movemask_epi8(bytes);
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < ALIKE_PLACES; i++)
        mask |= (uint32_t)(alike->tags[i] == tag) << i;
    return mask;
#endif
}

static struct alike_place *place_of(struct alike *alike, uint16_t tag, uint32_t instrument, uint64_t amount)
{
    for (uint32_t left = tagged(alike, tag); left; left &= left - 1) {
        struct alike_place *place = &alike->places[__builtin_ctz(left)];
        if (place->instrument == instrument && place->amount == amount)
            return place;
    }
    return NULL;
}

uint32_t alike_take(struct alike *alike, struct alike_limit *limit, uint32_t instrument, uint32_t quantity,
                    uint32_t price, uint64_t now)
{
    uint64_t amount = quantity | (uint64_t)price << 32;
    uint16_t tag = tag_of(instrument, amount);
    struct alike_place *place = place_of(alike, tag, instrument, amount);
    if (limit->most == 0)
        return 0;
    if (place && now - place->began < limit->window_ns)
        return place->count < limit->most ? ++place->count : 0;
    if (!place) {
        place = &alike->places[limit->next];
        alike->tags[limit->next] = tag;
        limit->next = (limit->next + 1) % ALIKE_PLACES;
    }
    *place = (struct alike_place){.began = now, .amount = amount, .instrument = instrument, .count = 1};
    return 1;
}
