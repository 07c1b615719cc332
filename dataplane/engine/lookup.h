// SPDX-License-Identifier: Apache-2.0
// The table of live orders: (session, channel, UserRefNum) -> slot. Two lines a look-up at the most, whatever numbers a
// client chooses: every key has two buckets, drawn with the day's secret; no rehash, and when both are full the order
// is refused. An order goes to its first bucket while that has room to spare, so that the second is seldom read.
#ifndef CROSSWIRE_ENGINE_LOOKUP_H
#define CROSSWIRE_ENGINE_LOOKUP_H

#include "contract/assert.h"
#include "engine/state.h"

#ifdef __AVX2__
// What immintrin.h names __m256i; that header is long, and half of the engine's sources would read it for this file.
typedef int16_t bucket_lanes __attribute__((vector_size(32), may_alias));
typedef char bucket_bytes __attribute__((vector_size(32)));
#endif

// Where an order of that number belongs. The second bucket is seldom asked for.
struct lookup_place {
    uint64_t hash;
};

static inline struct lookup_place lookup_place(const struct engine *e, uint64_t key)
{
    // The second product is against numbers in even steps, which one alone leaves in step.
    return (struct lookup_place){event_mix(event_mix(key ^ e->key0, e->key1), UINT64_C(0x9E3779B97F4A7C15))};
}

static inline uint32_t lookup_first(const struct engine *e, struct lookup_place place)
{
    return (uint32_t)place.hash & e->bucket_mask;
}

static inline uint32_t lookup_second(const struct engine *e, struct lookup_place place)
{
    uint32_t second = (uint32_t)(place.hash >> 32) & e->bucket_mask;
    return second == lookup_first(e, place) ? second ^ 1 : second;
}

// Never 0.
static inline uint16_t lookup_tag(struct lookup_place place)
{
    return (uint16_t)(place.hash >> 48 | 1);
}

// Bit 2i is set when place i of the bucket holds `tag`.
static inline uint32_t bucket_match(const struct bucket *bucket, uint16_t tag)
{
#ifdef __AVX2__
    bucket_lanes equal = *(const bucket_lanes *)bucket == (int16_t)tag;
    return (uint32_t)__builtin_ia32_pmovmskb256((bucket_bytes)equal) & 0x55555u;
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

// The slot of a live order, 0 when there is none such. `hint` is a slot where it may stand.
static inline uint32_t lookup_find(const struct engine *e, uint64_t key, uint32_t hint)
{
    if (e->orders[hint].key == key)
        return hint;
    struct lookup_place place = lookup_place(e, key);
    const struct bucket *first = &e->buckets[lookup_first(e, place)];
    uint32_t slot = bucket_find(e, first, lookup_tag(place), key);
    if (__builtin_expect(slot == 0 && first->away, 0))
        slot = bucket_find(e, &e->buckets[lookup_second(e, place)], lookup_tag(place), key);
    return slot;
}

// A bucket and the place in it where an order may go; BUCKET_WAYS: it is full.
struct bucket_place {
    uint32_t bucket;
    unsigned way;
    uint16_t tag;
};

// An order goes to its first bucket while one of that many places is free there.
#define BUCKET_PLENTY 8u

static inline unsigned bucket_way(const struct bucket *bucket)
{
    return (unsigned)__builtin_ctz(~(uint32_t)bucket->taken);
}

// In the first bucket of `key`.
static inline struct bucket_place bucket_place(const struct engine *e, uint64_t key)
{
    struct lookup_place place = lookup_place(e, key);
    uint32_t first = lookup_first(e, place);
    return (struct bucket_place){first, bucket_way(&e->buckets[first]), lookup_tag(place)};
}

// Where an order of that key goes; way is BUCKET_WAYS when there is no room in either bucket.
static inline struct bucket_place lookup_room(const struct engine *e, uint64_t key)
{
    struct bucket_place place = bucket_place(e, key);
    uint32_t second = lookup_second(e, lookup_place(e, key));
    if (__builtin_expect(place.way >= BUCKET_PLENTY, 0) &&
        __builtin_popcount(e->buckets[second].taken) < __builtin_popcount(e->buckets[place.bucket].taken))
        return (struct bucket_place){second, bucket_way(&e->buckets[second]), place.tag};
    return place;
}

static inline void bucket_insert(struct engine *e, struct bucket_place place, uint32_t slot)
{
    struct bucket *bucket = &e->buckets[place.bucket];
    uint32_t taken = bucket->taken;
    bucket->tags[place.way] = place.tag;
    bucket->slots[place.way] = slot;
    bucket->taken = (uint16_t)(taken | (taken + 1));
}

// Enters the order of `key` where lookup_room has found a place. Returns ORDER_AWAY when that is not in the first
// bucket, else 0.
static inline uint8_t lookup_insert(struct engine *e, struct bucket_place place, uint64_t key, uint32_t slot)
{
    bucket_insert(e, place, slot);
    uint32_t first = lookup_first(e, lookup_place(e, key));
    if (__builtin_expect(place.bucket == first, 1))
        return 0;
    e->buckets[first].away++;
    return ORDER_AWAY;
}

static inline void lookup_remove(struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    struct bucket *bucket = &e->buckets[order->bucket];
    xw_assert(bucket->slots[order->way] == slot);
    bucket->tags[order->way] = 0;
    bucket->taken = (uint16_t)(bucket->taken & ~(1u << order->way));
    if (__builtin_expect(order->flags & ORDER_AWAY, 0))
        e->buckets[lookup_first(e, lookup_place(e, order->key))].away--;
}

#endif
