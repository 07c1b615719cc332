// SPDX-License-Identifier: Apache-2.0
// Hints only: nothing here changes a result, whatever the command holds. All commands are looked at alike, because the
// next one's type is a guess and a wrong one costs more than what it would save: what a command has not got stands in
// entry 0 of each table, which is nobody's.
#include "engine/prefetch.h"

#include "engine/book.h"
#include "engine/lookup.h"

// Up to this many buckets what is in use of all tables is about a second-level cache: some 16,000 orders.
#define RESIDENT_BUCKETS 4096u
#define RESIDENT_POSITIONS 8192u // the same, of a day with risk

bool engine_looks_ahead(const struct engine *e)
{
    return e->bucket_mask >= RESIDENT_BUCKETS || e->limit.max_positions > RESIDENT_POSITIONS;
}

// The level of that price, when its page is in the directory; else another one.
static LOOK uint32_t level_near(const struct engine *e, uint16_t locate, unsigned side, uint32_t price)
{
    uint32_t tick_index = book_tick_below(&e->books[locate], price);
    const struct directory_entry *entry = book_directory(e, locate, side, tick_index >> PAGE_SHIFT);
    return entry->page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1));
}

static LOOK void look_at_place(const struct engine *e, struct lookup_place place)
{
    __builtin_prefetch(&e->buckets[lookup_first(e, place)], 1);
}

// Twenty-four commands ahead: the bucket of the order that the command is about, and the level that an Enter names.
static LOOK void look_at_bucket(const struct engine *e, const struct command *c, struct engine_aim *aim)
{
    uint64_t key = command_key(c);
    aim->price = 0;
    if (c->type == CMD_REPLACE) {
        look_at_place(e, lookup_place(e, key));
        key = original_key(c);
        aim->price = c->price;
    }
    uint64_t salted = lookup_salted(e, key);
    struct lookup_place place = lookup_place_salted(e, salted);
    uint32_t locate = c->locate & -(uint32_t)(c->locate <= e->limit.max_symbols);
    uint32_t level = level_near(e, (uint16_t)locate, side_of(c->side), c->price);
    aim->salted = salted;
    aim->hash = place.hash;
    aim->level = level;
    look_at_place(e, place);
    __builtin_prefetch(&e->levels[level], 1);
}

// Sixteen ahead: the order, and the end of the queue that a new one will join.
static LOOK void look_at_order(const struct engine *e, struct engine_aim *aim)
{
    struct lookup_place place = {aim->hash};
    const struct bucket *bucket = &e->buckets[lookup_first(e, place)];
    // Without a match, of an Enter mostly, what the last place holds: it is hardly ever taken.
    uint32_t match = bucket_match(bucket, lookup_tag(place)) | 1u << (BUCKET_WAYS - 1);
    uint32_t slot = bucket->slots[__builtin_ctz(match)];
    aim->slot = slot;
    __builtin_prefetch(&e->orders[slot], 1);
    __builtin_prefetch(&e->orders[e->levels[aim->level].tail], 1);
}

// Eight ahead: what the order stands among, and where its replacement goes.
static LOOK void look_at_neighbours(const struct engine *e, const struct engine_aim *aim)
{
    const struct order *order = &e->orders[aim->slot];
    __builtin_prefetch(&e->orders[order->next], 1);
    __builtin_prefetch(&e->orders[order->prev], 1);
    __builtin_prefetch(&e->levels[order->level], 1);
    __builtin_prefetch(&e->members_live[order->member >> MEMBER_SHIFT], 1);
    if (aim->price)
        __builtin_prefetch(&e->levels[level_near(e, order->locate, side_of(order->side), aim->price)], 1);
}

// Of the step `at` those that are `distance` later: groups do not go over the end of the ring.
static LOOK struct engine_aim *aims_at(struct engine_ahead *ahead, unsigned at, unsigned distance)
{
    return &ahead->aims[(at + distance) % ENGINE_AHEAD_AIMS];
}

void engine_look_ahead(const struct engine *e, struct engine_ahead *ahead, unsigned at,
                       const struct command *const *burst)
{
    const struct command *const *near_commands = burst + (at + ENGINE_AHEAD_FAR);
    const struct command *const *far_commands = near_commands + ENGINE_AHEAD_BEFORE;
    struct engine_aim *far = aims_at(ahead, at, ENGINE_AHEAD_FAR), *near = aims_at(ahead, at, ENGINE_AHEAD_NEAR),
                      *close = aims_at(ahead, at, ENGINE_AHEAD_CLOSE);
    for (unsigned i = 0; i < ENGINE_AHEAD_AT_ONCE; i++) {
        if (far_commands[i])
            look_at_bucket(e, far_commands[i], &far[i]);
        else
            far[i] = (struct engine_aim){0};
    }
    for (unsigned i = 0; i < ENGINE_AHEAD_AT_ONCE; i++)
        look_at_order(e, &near[i]);
    for (unsigned i = 0; i < ENGINE_AHEAD_AT_ONCE; i++)
        look_at_neighbours(e, &close[i]);
    if (__builtin_expect(e->risk.positions_limit != 0, 0))
        for (unsigned i = 0; i < ENGINE_AHEAD_AT_ONCE; i++)
            look_at_risk(e, far_commands[i], near_commands[i], close[i].slot);
}
