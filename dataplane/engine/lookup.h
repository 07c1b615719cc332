// SPDX-License-Identifier: Apache-2.0
// The table of live orders: (session, channel, UserRefNum) -> slot. Two lines a look-up at the most, whatever numbers a
// client chooses: every key has two buckets, drawn with the day's secret; no rehash, and when both are full the order
// is refused. An order goes to its first bucket while that has room to spare, so that the second is seldom read.
#ifndef CROSSWIRE_ENGINE_LOOKUP_H
#define CROSSWIRE_ENGINE_LOOKUP_H

#include "contract/assert.h"
#include "engine/state.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

struct lookup_place {
    uint32_t first, second;
    uint16_t tag; // never 0
};

static inline struct lookup_place lookup_place(const struct engine *e, uint64_t key)
{
    uint64_t hash = event_mix(key ^ e->key0, e->key1);
    struct lookup_place place = {.first = (uint32_t)hash & e->bucket_mask,
                                 .second = (uint32_t)(hash >> 32) & e->bucket_mask,
                                 .tag = (uint16_t)(hash >> 48 | 1)};
    if (place.second == place.first)
        place.second ^= 1;
    return place;
}

// Bit 2i is set when place i of the bucket holds `tag`.
static inline uint32_t bucket_match(const struct bucket *bucket, uint16_t tag)
{
#ifdef __AVX2__
    __m256i tags = _mm256_load_si256((const __m256i *)bucket);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(tags, _mm256_set1_epi16((short)tag))) & 0x55555u;
#else
    uint32_t mask = 0;
    for (unsigned i = 0; i < BUCKET_WAYS; i++)
        mask |= (uint32_t)(bucket->tags[i] == tag) << 2 * i;
    return mask;
#endif
}

static inline uint32_t bucket_find(const struct engine *e, const struct bucket *bucket, uint16_t tag, uint64_t key)
{
    for (uint32_t match = bucket_match(bucket, tag); match; match &= match - 1) {
        uint32_t slot = bucket->slots[__builtin_ctz(match) / 2];
        if (e->orders[slot].key == key)
            return slot;
    }
    return 0;
}

// The slot of a live order, 0 when there is none such.
static inline uint32_t lookup_find(const struct engine *e, uint64_t key)
{
    struct lookup_place place = lookup_place(e, key);
    const struct bucket *first = &e->buckets[place.first];
    uint32_t slot = bucket_find(e, first, place.tag, key);
    if (__builtin_expect(slot == 0 && first->away, 0))
        slot = bucket_find(e, &e->buckets[place.second], place.tag, key);
    return slot;
}

// The bucket that an order of this place goes to, UINT32_MAX when there is no room in either.
#define BUCKET_SPARE 2
static inline uint32_t lookup_room(const struct engine *e, struct lookup_place place)
{
    unsigned first = e->buckets[place.first].used;
    if (__builtin_expect(first < BUCKET_WAYS - BUCKET_SPARE, 1))
        return place.first;
    unsigned second = e->buckets[place.second].used;
    if (second < first)
        return place.second;
    return first < BUCKET_WAYS ? place.first : UINT32_MAX;
}

// Enters the order in bucket `at`, which lookup_room has found. Returns its place there; ORDER_AWAY is added to
// `*flags` when the bucket is not the first.
static inline uint8_t lookup_insert(struct engine *e, struct lookup_place place, uint32_t at, uint32_t slot,
                                    uint8_t *flags)
{
    struct bucket *bucket = &e->buckets[at];
    uint32_t empty = bucket_match(bucket, 0);
    xw_assert(empty);
    unsigned way = (unsigned)__builtin_ctz(empty) / 2;
    bucket->tags[way] = place.tag;
    bucket->slots[way] = slot;
    bucket->used++;
    if (__builtin_expect(at != place.first, 0)) {
        e->buckets[place.first].away++;
        *flags |= ORDER_AWAY;
    }
    return (uint8_t)way;
}

static inline void lookup_remove(struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    struct bucket *bucket = &e->buckets[order->bucket];
    xw_assert(bucket->slots[order->way] == slot);
    bucket->tags[order->way] = 0;
    bucket->slots[order->way] = 0;
    bucket->used--;
    if (__builtin_expect(order->flags & ORDER_AWAY, 0))
        e->buckets[lookup_place(e, order->key).first].away--;
}

#endif
