// SPDX-License-Identifier: Apache-2.0
// The price-time book of one symbol: levels in pages of sixteen prices, found by a directory near the touch and by a
// tree elsewhere; both give the same level, so nothing depends on where the touch is.
#ifndef CROSSWIRE_ENGINE_BOOK_H
#define CROSSWIRE_ENGINE_BOOK_H

#include "contract/assert.h"
#include "engine/state.h"

// Ticks that go into `price`. Exact for all 32-bit prices.
static inline uint32_t book_tick_below(const struct book *book, uint32_t price)
{
    return (uint32_t)(((unsigned __int128)book->reciprocal * ((uint64_t)price << 1)) >> 64);
}

// Tick index of `price`, or 0 when it is not a multiple of the tick.
static inline uint32_t book_tick_index(const struct book *book, uint32_t price)
{
    uint32_t index = book_tick_below(book, price);
    return index * book->tick == price ? index : 0;
}

void market_best(struct engine *e, uint16_t locate); // market.h

// The best displayed price of a book with WATCH_BEST is another one.
static inline void book_best_moved(struct engine *e, const struct book *book, uint16_t locate)
{
    if (book->watch & WATCH_PEGS)
        book_dirty(e, locate);
    if (book->watch & WATCH_MARKET)
        market_best(e, locate);
}

// Limits of market orders: they cross any price, but not "no price".
#define LIMIT_MARKET_BUY (NO_ASK - 1)
#define LIMIT_MARKET_SELL (NO_BID + 1)

// Turns prices of the sell side round, so that on either side the better price is the larger number. Sides come in no
// order that a processor could foresee: this costs no branch.
static inline uint32_t price_rank(unsigned side, uint32_t price)
{
    return price ^ (0u - side);
}

static inline bool book_crosses(const struct book *book, unsigned side, uint32_t limit)
{
    return price_rank(side, limit) >= price_rank(side, book->best[side ^ 1]);
}

// The price step of a side: a hidden one's is half a tick where the tick is even.
static inline uint32_t book_step(const struct book *book, unsigned side)
{
    return book->tick >> (side >> 1 & ~book->tick & 1);
}

// Displayed sides only.
static inline struct directory_entry *book_directory(const struct engine *e, uint16_t locate, unsigned side,
                                                     uint32_t number)
{
    return &e->directory[((uint32_t)locate * 2 + side) * DIRECTORY + (number & (DIRECTORY - 1))];
}

// The page of that number, 0 when there is none. By the tree; book_level uses the directory first.
uint32_t page_find(const struct engine *e, uint16_t locate, unsigned side, uint32_t number);

// Makes the page of that number, which must not exist, and enters it in the directory. Never fails: there are as many
// pages as levels may be in use and empty ones be kept.
uint32_t page_make(struct engine *e, uint16_t locate, unsigned side, uint32_t number);

// Keeps the page, whose levels are all empty, for a while: it may have orders again. The one that was kept longest goes
// when it is empty still.
void page_keep(struct engine *e, uint32_t page);

// The next worse level of the side that holds orders, 0 for none.
uint32_t book_level_after(const struct engine *e, uint32_t page, unsigned offset);

static inline uint32_t book_level_price(const struct engine *e, const struct book *book, uint32_t level)
{
    const struct page *page = &e->pages[level >> PAGE_SHIFT];
    return (page->number << PAGE_SHIFT | (level & (PAGE_LEVELS - 1))) * book_step(book, page->side);
}

// After the best level of a side ran empty: finds the next one.
void book_next_best(struct engine *e, struct book *book, uint32_t page, unsigned offset);

// The level of a tick index, or 0 when its page does not exist.
static inline uint32_t book_level(struct engine *e, uint16_t locate, unsigned side, uint32_t tick_index)
{
    uint32_t number = tick_index >> PAGE_SHIFT;
    struct directory_entry *entry = book_directory(e, locate, side, number);
    uint32_t page = entry->page;
    if (__builtin_expect(entry->number != number, 0)) {
        page = page_find(e, locate, side, number);
        if (page == 0)
            return 0;
        *entry = (struct directory_entry){number, page};
    }
    return page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1));
}

// The level of a tick index, whose page is made when there is none.
static inline uint32_t book_level_make(struct engine *e, uint16_t locate, unsigned side, uint32_t tick_index)
{
    uint32_t id = book_level(e, locate, side, tick_index);
    if (__builtin_expect(id == 0, 0))
        id = page_make(e, locate, side, tick_index >> PAGE_SHIFT) << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1));
    return id;
}

// A level gets its first order: bitmap and best price follow.
static inline void book_level_begin(struct engine *e, uint16_t locate, unsigned side, uint32_t price, uint32_t id)
{
    e->pages[id >> PAGE_SHIFT].occupied |= (uint16_t)(1u << (id & (PAGE_LEVELS - 1)));
    e->levels_used++;
    struct book *book = &e->books[locate];
    if (price_rank(side, price) > price_rank(side, book->best[side])) {
        book->best[side] = price;
        book->best_level[side] = id;
        if (__builtin_expect(book->watch & WATCH_BEST, 0))
            book_best_moved(e, book, locate);
    }
}

// Puts the order at the end of its level's queue. Returns the one before it.
static inline uint32_t book_join(struct engine *e, uint16_t locate, unsigned side, uint32_t price, uint32_t quantity,
                                 uint32_t id, uint32_t slot)
{
    struct level *level = &e->levels[id];
    uint32_t tail = level->tail;
    level->tail = slot;
    level->quantity += quantity;
    if (__builtin_expect(tail != 0, 1)) {
        e->orders[tail].next = slot;
        return tail;
    }
    level->head = slot;
    book_level_begin(e, locate, side, price, id);
    return 0;
}

// A level ran empty: best price and bitmap follow, and the page is kept if it was its last.
static inline void book_level_empty(struct engine *e, uint32_t id, uint16_t locate, unsigned side)
{
    uint32_t number = id >> PAGE_SHIFT;
    unsigned offset = id & (PAGE_LEVELS - 1);
    struct page *page = &e->pages[number];
    struct book *book = &e->books[locate];
    page->occupied &= (uint16_t) ~(1u << offset);
    e->levels_used--;
    if (book->best_level[side] == id)
        book_next_best(e, book, number, offset);
    if (page->occupied == 0 && !page->kept)
        page_keep(e, number);
}

// `*at` becomes `value` when there is no `neighbour`. Compilers may take a conditional expression for a branch.
static inline void inherit(uint32_t *at, uint32_t neighbour, uint32_t value)
{
    *at ^= (*at ^ value) & (0u - (neighbour < 1));
}

// Takes an order out of its price's queue. Returns whether its level is empty now, for book_level_empty.
static inline bool book_leave(struct engine *e, const struct order *order)
{
    struct level *level = &e->levels[order->level];
    uint32_t next = order->next, prev = order->prev;
    level->quantity -= order->quantity;
    // Without branches, which could not be foreseen: order 0 takes what has no neighbour.
    e->orders[prev].next = next;
    e->orders[next].prev = prev;
    inherit(&level->head, prev, next);
    inherit(&level->tail, next, prev);
    return (next | prev) == 0;
}

#endif
