// SPDX-License-Identifier: Apache-2.0
// Hints only: nothing here changes a result, whatever the command holds.
#include "engine/book.h"
#include "engine/lookup.h"

static inline bool is_order(const struct engine *e, const struct command *c)
{
    return c->type >= CMD_ENTER && c->type <= CMD_MODIFY && c->session < e->limit.max_sessions;
}

static inline uint64_t target_key(const struct command *c)
{
    return order_key(c->session, c->user_ref_idx, c->type == CMD_REPLACE ? c->orig_user_ref : c->user_ref);
}

// The order's level when its page is in the directory, else 0.
static inline uint32_t likely_level(const struct engine *e, uint16_t locate, char side, uint32_t price)
{
    uint32_t tick_index = book_tick_index(&e->books[locate], price);
    uint32_t number = tick_index >> PAGE_SHIFT;
    const struct directory_entry *entry = book_directory(e, locate, side_of(side), number);
    return entry->number == number ? entry->page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1)) : 0;
}

void engine_prefetch(const struct engine *e, const struct command *c)
{
    if (!is_order(e, c))
        return;
    __builtin_prefetch(&e->buckets[lookup_place(e, target_key(c)).first], 1);
    if (c->type == CMD_REPLACE)
        __builtin_prefetch(&e->buckets[lookup_place(e, order_key(c->session, c->user_ref_idx, c->user_ref)).first], 1);
    if (c->type == CMD_ENTER && c->locate <= e->limit.max_symbols) {
        uint32_t tick_index = book_tick_index(&e->books[c->locate], c->price);
        __builtin_prefetch(book_directory(e, c->locate, side_of(c->side), tick_index >> PAGE_SHIFT));
    }
}

void engine_prefetch_order(const struct engine *e, const struct command *c)
{
    if (!is_order(e, c))
        return;
    if (c->type == CMD_ENTER) {
        if (c->locate <= e->limit.max_symbols)
            __builtin_prefetch(&e->levels[likely_level(e, c->locate, c->side, c->price)], 1);
        return;
    }
    struct lookup_place place = lookup_place(e, target_key(c));
    uint32_t match = bucket_match(&e->buckets[place.first], place.tag);
    uint32_t slot = match ? e->buckets[place.first].slots[__builtin_ctz(match) / 2] : 0;
    __builtin_prefetch(&e->orders[slot], 1);
    __builtin_prefetch(&e->links[slot], 1);
}

void engine_prefetch_neighbours(const struct engine *e, const struct command *c)
{
    if (!is_order(e, c))
        return;
    if (c->type == CMD_ENTER) {
        if (c->locate <= e->limit.max_symbols)
            __builtin_prefetch(&e->orders[e->levels[likely_level(e, c->locate, c->side, c->price)].tail], 1);
        return;
    }
    struct lookup_place place = lookup_place(e, target_key(c));
    uint32_t match = bucket_match(&e->buckets[place.first], place.tag);
    if (match == 0)
        return;
    uint32_t slot = e->buckets[place.first].slots[__builtin_ctz(match) / 2];
    const struct order *order = &e->orders[slot];
    __builtin_prefetch(&e->orders[order->next], 1);
    __builtin_prefetch(&e->orders[order->prev], 1);
    __builtin_prefetch(&e->levels[order->level], 1);
    __builtin_prefetch(&e->links[e->links[slot].next], 1);
    __builtin_prefetch(&e->links[e->links[slot].prev], 1);
    if (c->type == CMD_REPLACE) {
        uint32_t level = likely_level(e, order->locate, order->side, c->price);
        __builtin_prefetch(&e->orders[e->levels[level].tail], 1);
    }
}
