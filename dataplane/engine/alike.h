// SPDX-License-Identifier: Apache-2.0
// Orders alike of one session: same symbol, side, price and quantity (risk.md section 5). The last ALIKE_PLACES kinds
// of order that a session has sent have a place, whatever it sends; one line of tags finds it.
#ifndef CROSSWIRE_ENGINE_ALIKE_H
#define CROSSWIRE_ENGINE_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define ALIKE_PLACES 32u

struct alike_place {
    uint64_t began;      // of its window, ns
    uint64_t amount;     // quantity, price << 32
    uint32_t instrument; // locate, side << 16; 0 an empty place
    uint32_t count;      // in the window
    uint64_t unused;
};
_Static_assert(sizeof(struct alike_place) == 32, "two to a line");

// Of one session. What finds a place stands where an order looks anyway: in struct session_line.
struct alike {
    struct alike_place places[ALIKE_PLACES];
};
struct alike_tags {
    uint16_t tags[ALIKE_PLACES];
};

// Of one session: `most` in `window_ns`.
#define ALIKE_ANY UINT32_MAX // most: no limit
struct alike_limit {
    uint64_t window_ns;
    uint32_t most;
    uint32_t next; // place that is given away next
};

static inline uint64_t alike_amount(uint32_t quantity, uint32_t price)
{
    return quantity | (uint64_t)price << 32;
}

// A kind of order, and where it stands.
struct alike_kind {
    uint64_t amount;
    uint32_t instrument;
    uint16_t tag;
    struct alike_place *place; // NULL: it has none
};

static inline uint16_t alike_tag_of(uint32_t instrument, uint64_t amount)
{
    return (uint16_t)((amount ^ (uint64_t)instrument << 24) * UINT64_C(0x9E3779B97F4A7C15) >> 48);
}

// Bit i is set when place i has the tag.
static inline uint32_t alike_tagged(const struct alike_tags *alike, uint16_t tag)
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

// Whether some place has the tag. Hardly ever.
static inline bool alike_any(const struct alike_tags *alike, uint16_t tag)
{
#ifdef __AVX2__
    const __m256i wanted = _mm256_set1_epi16((short)tag);
    const __m256i low = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)alike->tags), wanted);
    const __m256i high = _mm256_cmpeq_epi16(_mm256_loadu_si256((const __m256i *)(alike->tags + 16)), wanted);
    const __m256i some = _mm256_or_si256(low, high);
    return !_mm256_testz_si256(some, some);
#else
    return alike_tagged(alike, tag) != 0;
#endif
}

static inline struct alike_kind alike_find(const struct alike_tags *tags, struct alike *alike, uint32_t instrument,
                                           uint64_t amount)
{
    struct alike_kind kind = {amount, instrument, alike_tag_of(instrument, amount), NULL};
    if (__builtin_expect(!alike_any(tags, kind.tag), 1))
        return kind;
    for (uint32_t left = alike_tagged(tags, kind.tag); __builtin_expect(left != 0, 0); left &= left - 1) {
        struct alike_place *place = &alike->places[__builtin_ctz(left)];
        if (place->instrument == instrument && place->amount == amount) {
            kind.place = place;
            break;
        }
    }
    return kind;
}

// How many there are in the window.
static inline uint32_t alike_count(const struct alike_kind *kind, const struct alike_limit *limit, uint64_t now)
{
    return kind->place && now - kind->place->began < limit->window_ns ? kind->place->count : 0;
}

// The first of its kind in a window: in its place, or in the next one.
static inline void alike_begin(struct alike_tags *tags, struct alike *alike, struct alike_limit *limit,
                               const struct alike_kind *kind, uint64_t now)
{
    struct alike_place *place = kind->place;
    if (!place) {
        place = &alike->places[limit->next];
        tags->tags[limit->next] = kind->tag;
        limit->next = (limit->next + 1) % ALIKE_PLACES;
    }
    place->began = now;
    place->amount = kind->amount;
    place->instrument = kind->instrument;
    place->count = 1;
}

// Counts an order at the place of its kind, or gives the kind the next place. Returns how many orders alike there are
// since the first of them, at most window_ns long; 0, and it is not counted: there are `most` already.
uint32_t alike_take(struct alike_tags *tags, struct alike *alike, struct alike_limit *limit, uint32_t instrument,
                    uint32_t quantity, uint32_t price, uint64_t now);

// The place's tag, which is made of what it holds.
uint16_t alike_tag(const struct alike_place *place);

#endif
