// SPDX-License-Identifier: Apache-2.0
// Hints only: nothing here changes a result, whatever the command holds. Each stage is kept to a few instructions, and
// an engine whose tables stand in the cache anyway is spared them.
#include "engine/book.h"
#include "engine/lookup.h"

// Up to this many buckets all tables together are smaller than a second-level cache: some 8,000 orders.
#define RESIDENT_BUCKETS 2048u

static inline bool resident(const struct engine *e)
{
    return e->bucket_mask < RESIDENT_BUCKETS;
}

static inline bool is_order(const struct command *c)
{
    return (uint8_t)(c->type - CMD_ENTER) <= CMD_MODIFY - CMD_ENTER;
}

// The order that a command is about: the one to come of an Enter.
static inline struct lookup_place target(const struct engine *e, const struct command *c)
{
    uint32_t number = c->type == CMD_REPLACE ? c->orig_user_ref : c->user_ref;
    return lookup_place(e, order_key(c->session, c->user_ref_idx, number));
}

void engine_prefetch(const struct engine *e, const struct command *c)
{
    if (!resident(e) && is_order(c))
        __builtin_prefetch(&e->buckets[lookup_first(e, target(e, c))], 1);
}

// The end of the queue that a new order will join, when its page is in the directory.
static inline void prefetch_queue(const struct engine *e, const struct command *c)
{
    if (c->locate > e->limit.max_symbols)
        return;
    uint32_t tick_index = book_tick_index(&e->books[c->locate], c->price);
    const struct directory_entry *entry = book_directory(e, c->locate, side_of(c->side), tick_index >> PAGE_SHIFT);
    const struct level *level = &e->levels[entry->page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1))];
    __builtin_prefetch(&e->orders[level->tail], 1);
}

uint32_t engine_prefetch_order(const struct engine *e, const struct command *c)
{
    if (resident(e) || !is_order(c))
        return 0;
    if (c->type == CMD_ENTER) {
        prefetch_queue(e, c);
        return 0;
    }
    struct lookup_place place = target(e, c);
    const struct bucket *bucket = &e->buckets[lookup_first(e, place)];
    uint32_t match = bucket_match(bucket, lookup_tag(place));
    uint32_t slot = match ? bucket->slots[__builtin_ctz(match) / 2] : 0;
    __builtin_prefetch(&e->orders[slot], 1);
    __builtin_prefetch(&e->links[slot], 1);
    return slot;
}

void engine_prefetch_neighbours(const struct engine *e, const struct command *c)
{
    engine_prefetch_links(e, engine_prefetch_order(e, c));
}

void engine_prefetch_links(const struct engine *e, uint32_t hint)
{
    if (hint == 0 || hint > e->limit.max_orders)
        return;
    const struct order *order = &e->orders[hint];
    __builtin_prefetch(&e->orders[order->next], 1);
    __builtin_prefetch(&e->orders[order->prev], 1);
    __builtin_prefetch(&e->levels[order->level], 1);
    __builtin_prefetch(&e->links[e->links[hint].next], 1);
    __builtin_prefetch(&e->links[e->links[hint].prev], 1);
}
