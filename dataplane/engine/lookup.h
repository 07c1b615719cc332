// SPDX-License-Identifier: Apache-2.0
// The table of live orders: (session, channel, UserRefNum) -> slot. Two lines a look-up at the most, whatever numbers a
// client chooses: every key has two buckets, drawn with the day's secret; no rehash, and when both are full the order
// is refused. An order goes to its first bucket while that has room to spare, so that the second is seldom read.
#ifndef CROSSWIRE_ENGINE_LOOKUP_H
#define CROSSWIRE_ENGINE_LOOKUP_H

#include "contract/assert.h"
#include "engine/state.h"

// What emmintrin.h names __m128i: tags, and behind them what is not one.
typedef char bucket_head __attribute__((vector_size(16), may_alias));

// Where an order of that number belongs. The second bucket is seldom asked for.
struct lookup_place {
    uint64_t hash;
};

static inline uint64_t lookup_salted(const struct engine *e, uint64_t key)
{
    return key ^ e->key0;
}

static inline struct lookup_place lookup_place_salted(const struct engine *e, uint64_t salted)
{
    // The second product is against numbers in even steps, which one alone leaves in step.
    return (struct lookup_place){event_mix(event_mix(salted, e->key1), UINT64_C(0x9E3779B97F4A7C15))};
}

static inline struct lookup_place lookup_place(const struct engine *e, uint64_t key)
{
    return lookup_place_salted(e, lookup_salted(e, key));
}

// The same when an aim may know it; NULL: there is none. Whatever day an aim is of, and if it is of none, its hash is
// that of its key: 0 has the hash 0.
static inline struct lookup_place lookup_place_aimed(const struct engine *e, uint64_t key, const struct engine_aim *aim)
{
    uint64_t salted = lookup_salted(e, key);
    if (aim && __builtin_expect(aim->salted == salted, 1))
        return (struct lookup_place){aim->hash};
    return lookup_place_salted(e, salted);
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

static inline uint8_t lookup_tag(struct lookup_place place)
{
    return (uint8_t)(place.hash >> 56);
}

// Bit i is set when place i of the bucket holds an order of `tag`: one of 256, so that few look-ups look at two orders.
static inline uint32_t bucket_match(const struct bucket *bucket, uint8_t tag)
{
    bucket_head equal = (bucket_head)(*(const bucket_head *)bucket == (char)tag);
    return (uint32_t)__builtin_ia32_pmovmskb128(equal) & bucket->taken;
}

static inline uint32_t bucket_find(const struct engine *e, const struct bucket *bucket, uint8_t tag, uint64_t key)
{
    for (uint32_t match = bucket_match(bucket, tag); match; match &= match - 1) {
        uint32_t slot = bucket->slots[(unsigned)__builtin_ctz(match)];
        if (e->orders[slot].key == key) {
            xw_known(slot != 0); // order 0 is nobody's
            return slot;
        }
    }
    return 0;
}

// The slot of a live order, 0 when there is none such. `place` is that of its key, `aim` may know it.
static inline uint32_t lookup_find(const struct engine *e, uint64_t key, struct lookup_place place,
                                   const struct engine_aim *aim)
{
    if (aim && e->orders[aim->slot].key == key)
        return aim->slot;
    const struct bucket *first = &e->buckets[lookup_first(e, place)];
    uint32_t slot = bucket_find(e, first, lookup_tag(place), key);
    if (__builtin_expect(slot == 0 && first->away, 0))
        slot = bucket_find(e, &e->buckets[lookup_second(e, place)], lookup_tag(place), key);
    return slot;
}

// The same when nothing has been found of it ahead.
static inline uint32_t lookup_slot(const struct engine *e, uint64_t key)
{
    return lookup_find(e, key, lookup_place(e, key), NULL);
}

// A bucket and the place in it where an order may go; BUCKET_WAYS: it is full.
struct bucket_place {
    uint32_t bucket;
    unsigned way;
    uint8_t tag;
};

// An order goes to its first bucket while one of that many places is free there.
#define BUCKET_PLENTY 10u

static inline unsigned bucket_way(const struct bucket *bucket)
{
    return (unsigned)__builtin_ctz(~(uint32_t)bucket->taken);
}

// In the first bucket.
static inline struct bucket_place bucket_place(const struct engine *e, struct lookup_place place)
{
    uint32_t first = lookup_first(e, place);
    return (struct bucket_place){first, bucket_way(&e->buckets[first]), lookup_tag(place)};
}

// Where an order of that key goes; way is BUCKET_WAYS when there is no room in either bucket.
static inline struct bucket_place lookup_room(const struct engine *e, uint64_t key)
{
    struct lookup_place lookup = lookup_place(e, key);
    struct bucket_place place = bucket_place(e, lookup);
    uint32_t second = lookup_second(e, lookup);
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

// `place` is that of the order's key.
static inline void lookup_remove(struct engine *e, uint32_t slot, struct lookup_place place)
{
    const struct order *order = &e->orders[slot];
    struct bucket *bucket = &e->buckets[lookup_first(e, place)];
    if (__builtin_expect(order->flags & ORDER_AWAY, 0)) {
        bucket->away--;
        bucket = &e->buckets[lookup_second(e, place)];
    }
    xw_assert(bucket->slots[order->way] == slot);
    bucket->taken = (uint16_t)(bucket->taken & ~(1u << order->way));
}

#endif
