// SPDX-License-Identifier: Apache-2.0
// Orders in one hash table by reference (linear probing, at most half full), levels in one sorted array a side, best
// last, so that the busy end moves little.
#include "client/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"

struct side {
    struct xw_level *levels; // best last
    uint32_t count, room;
};

struct stock {
    char symbol[9];
    char trading_state, short_sale;
    char halt_reason[5];
    struct xw_bands bands;
    uint32_t last_price;
    uint64_t volume;
    struct side bids, asks;
};

struct xw_book {
    struct xw_book_order *orders; // `slots` of them, ref 0 is free
    uint64_t slots, used;
    struct stock *stocks; // by locate
    uint32_t stocks_room;
    uint16_t highest_locate;
    char breached;
};

static void *take(void *old, size_t size)
{
    void *memory = realloc(old, size);
    if (memory == NULL) {
        fputs("crosswire client: no memory for the book\n", stderr);
        abort();
    }
    return memory;
}

struct xw_book *xw_book_open(void)
{
    struct xw_book *book = calloc(1, sizeof *book);
    if (book == NULL)
        return NULL;
    book->slots = 1024;
    book->orders = calloc(book->slots, sizeof *book->orders);
    if (book->orders == NULL) {
        free(book);
        return NULL;
    }
    return book;
}

void xw_book_close(struct xw_book *book)
{
    if (book == NULL)
        return;
    for (uint32_t i = 0; i < book->stocks_room; i++) {
        free(book->stocks[i].bids.levels);
        free(book->stocks[i].asks.levels);
    }
    free(book->stocks);
    free(book->orders);
    free(book);
}

// ---- orders by reference ----

static uint64_t home(const struct xw_book *book, uint64_t ref)
{
    return (ref * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (book->slots - 1);
}

// Where `ref` stands, or the free slot where it would.
static struct xw_book_order *slot_of(const struct xw_book *book, uint64_t ref)
{
    uint64_t at = home(book, ref);
    while (book->orders[at].ref != 0 && book->orders[at].ref != ref)
        at = (at + 1) & (book->slots - 1);
    return &book->orders[at];
}

static void grow_orders(struct xw_book *book)
{
    struct xw_book_order *old = book->orders;
    uint64_t old_slots = book->slots;
    book->slots *= 2;
    book->orders = take(NULL, book->slots * sizeof *book->orders);
    memset(book->orders, 0, book->slots * sizeof *book->orders);
    for (uint64_t i = 0; i < old_slots; i++)
        if (old[i].ref != 0)
            *slot_of(book, old[i].ref) = old[i];
    free(old);
}

// Frees a slot and moves back what had to step over it.
static void remove_slot(struct xw_book *book, struct xw_book_order *order)
{
    uint64_t mask = book->slots - 1;
    uint64_t hole = (uint64_t)(order - book->orders);
    for (uint64_t at = (hole + 1) & mask; book->orders[at].ref != 0; at = (at + 1) & mask) {
        uint64_t distance = (at - home(book, book->orders[at].ref)) & mask;
        if (distance < ((at - hole) & mask))
            continue; // it stands between its home and itself, behind the hole
        book->orders[hole] = book->orders[at];
        hole = at;
    }
    book->orders[hole].ref = 0;
    book->used--;
}

// ---- levels ----

static struct stock *stock_of(struct xw_book *book, uint16_t locate)
{
    if (locate >= book->stocks_room) {
        uint32_t room = book->stocks_room == 0 ? 64 : book->stocks_room;
        while (room <= locate)
            room *= 2;
        book->stocks = take(book->stocks, room * sizeof *book->stocks);
        memset(book->stocks + book->stocks_room, 0, (room - book->stocks_room) * sizeof *book->stocks);
        book->stocks_room = room;
    }
    if (locate > book->highest_locate)
        book->highest_locate = locate;
    return &book->stocks[locate];
}

static bool is_worse(char side, uint32_t price, uint32_t than)
{
    return side == 'B' ? price < than : price > than;
}

static struct side *side_of(struct stock *stock, char side)
{
    return side == 'B' ? &stock->bids : &stock->asks;
}

// Index of the level at `price`, or of where it belongs: all before it are worse.
static uint32_t level_index(const struct side *levels, char side, uint32_t price)
{
    uint32_t low = 0, high = levels->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_worse(side, levels->levels[middle].price, price))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct xw_level *level_make(struct side *levels, char side, uint32_t price)
{
    uint32_t at = level_index(levels, side, price);
    if (at < levels->count && levels->levels[at].price == price)
        return &levels->levels[at];
    if (levels->count == levels->room) {
        levels->room = levels->room == 0 ? 32 : levels->room * 2;
        levels->levels = take(levels->levels, levels->room * sizeof *levels->levels);
    }
    struct xw_level *level = &levels->levels[at];
    memmove(level + 1, level, (levels->count - at) * sizeof *level);
    levels->count++;
    *level = (struct xw_level){.price = price};
    return level;
}

// Takes shares, and with `orders` 1 the order itself, off a level; an empty level goes.
static void level_take(struct stock *stock, const struct xw_book_order *order, uint32_t shares, uint32_t orders)
{
    struct side *levels = side_of(stock, order->side);
    uint32_t at = level_index(levels, order->side, order->price);
    struct xw_level *level = &levels->levels[at];
    xw_assert(at < levels->count && level->price == order->price && level->shares >= shares);
    level->shares -= shares;
    level->orders -= orders;
    if (level->orders > 0)
        return;
    memmove(level, level + 1, (levels->count - at - 1) * sizeof *level);
    levels->count--;
}

// ---- messages ----

static bool add(struct xw_book *book, const struct xw_book_order *order)
{
    if (order->ref == 0 || order->shares == 0 || (order->side != 'B' && order->side != 'S'))
        return false;
    if ((book->used + 1) * 2 > book->slots)
        grow_orders(book);
    struct xw_book_order *slot = slot_of(book, order->ref);
    if (slot->ref != 0)
        return false;
    *slot = *order;
    book->used++;
    struct xw_level *level = level_make(side_of(stock_of(book, order->locate), order->side), order->side, order->price);
    level->shares += order->shares;
    level->orders++;
    return true;
}

static bool add_message(struct xw_book *book, const struct xw_itch *m)
{
    struct xw_book_order order = {m->ref, (uint32_t)m->shares, m->price, m->locate, m->side};
    struct stock *stock = stock_of(book, m->locate);
    if (stock->symbol[0] == '\0')
        memcpy(stock->symbol, m->symbol, sizeof stock->symbol);
    return add(book, &order);
}

// Takes `shares` off an order; all of them remove it.
static bool reduce(struct xw_book *book, uint64_t ref, uint64_t shares)
{
    struct xw_book_order *order = slot_of(book, ref);
    if (ref == 0 || order->ref == 0)
        return false;
    bool enough = shares <= order->shares;
    uint32_t off = enough ? (uint32_t)shares : order->shares;
    bool gone = off == order->shares;
    level_take(stock_of(book, order->locate), order, off, gone);
    order->shares -= off;
    if (gone)
        remove_slot(book, order);
    return enough;
}

static bool execute(struct xw_book *book, const struct xw_itch *m)
{
    struct xw_book_order order = xw_book_find(book, m->ref);
    if (order.ref == 0)
        return false;
    struct stock *stock = stock_of(book, order.locate);
    if (m->type == 'E' || m->printable == 'Y') {
        stock->volume += m->shares;
        stock->last_price = m->type == 'C' ? m->price : order.price;
    }
    return reduce(book, m->ref, m->shares);
}

static bool replace(struct xw_book *book, const struct xw_itch *m)
{
    struct xw_book_order order = xw_book_find(book, m->ref);
    if (order.ref == 0 || m->new_ref == 0 || m->shares == 0 ||
        (m->new_ref != m->ref && slot_of(book, m->new_ref)->ref != 0))
        return false;
    reduce(book, m->ref, order.shares);
    order.ref = m->new_ref;
    order.shares = (uint32_t)m->shares;
    order.price = m->price;
    return add(book, &order);
}

// A print that touches no order: P and Q.
static bool print(struct xw_book *book, const struct xw_itch *m)
{
    struct stock *stock = stock_of(book, m->locate);
    stock->volume += m->shares;
    stock->last_price = m->price;
    return true;
}

static bool name_stock(struct xw_book *book, const struct xw_itch *m)
{
    struct stock *stock = stock_of(book, m->locate);
    memcpy(stock->symbol, m->symbol, sizeof stock->symbol);
    if (m->type == 'H') {
        stock->trading_state = m->code;
        memcpy(stock->halt_reason, m->reason, sizeof stock->halt_reason);
    }
    if (m->type == 'Y')
        stock->short_sale = m->code;
    if (m->type == 'J')
        stock->bands = (struct xw_bands){m->price, m->lower, m->upper};
    return true;
}

bool xw_book_apply(struct xw_book *book, const struct xw_itch *message)
{
    switch (message->type) {
    case 'A':
    case 'F':
        return add_message(book, message);
    case 'E':
    case 'C':
        return execute(book, message);
    case 'X':
        return reduce(book, message->ref, message->shares);
    case 'D':
        return reduce(book, message->ref, xw_book_find(book, message->ref).shares);
    case 'U':
        return replace(book, message);
    case 'P':
    case 'Q':
        return print(book, message);
    case 'R':
    case 'H':
    case 'Y':
    case 'J':
        return name_stock(book, message);
    case 'W':
        book->breached = message->code;
        return true;
    default:
        return true; // says nothing about books
    }
}

// ---- questions ----

static const struct stock *known_stock(const struct xw_book *book, uint16_t locate)
{
    static const struct stock none;
    return locate < book->stocks_room ? &book->stocks[locate] : &none;
}

unsigned xw_book_levels(const struct xw_book *book, uint16_t locate, char side, struct xw_level *levels, unsigned depth)
{
    const struct stock *stock = known_stock(book, locate);
    const struct side *from = side == 'B' ? &stock->bids : &stock->asks;
    unsigned count = from->count < depth ? from->count : depth;
    for (unsigned i = 0; i < count; i++)
        levels[i] = from->levels[from->count - 1 - i];
    return count;
}

struct xw_book_order xw_book_find(const struct xw_book *book, uint64_t ref)
{
    static const struct xw_book_order none;
    return ref == 0 ? none : *slot_of(book, ref);
}

uint16_t xw_book_locate(const struct xw_book *book, const char *symbol)
{
    for (uint32_t i = 1; i < book->stocks_room; i++)
        if (book->stocks[i].symbol[0] != '\0' && strcmp(book->stocks[i].symbol, symbol) == 0)
            return (uint16_t)i;
    return 0;
}

const char *xw_book_symbol(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->symbol;
}

char xw_book_trading_state(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->trading_state;
}

const char *xw_book_halt_reason(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->halt_reason;
}

char xw_book_short_sale(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->short_sale;
}

struct xw_bands xw_book_bands(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->bands;
}

char xw_book_breached(const struct xw_book *book)
{
    return book->breached;
}

uint64_t xw_book_volume(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->volume;
}

uint32_t xw_book_last_price(const struct xw_book *book, uint16_t locate)
{
    return known_stock(book, locate)->last_price;
}

uint64_t xw_book_orders(const struct xw_book *book)
{
    return book->used;
}

uint16_t xw_book_highest_locate(const struct xw_book *book)
{
    return book->highest_locate;
}

bool xw_book_crossed(const struct xw_book *book, uint16_t locate)
{
    struct xw_level bid, ask;
    return xw_book_levels(book, locate, 'B', &bid, 1) == 1 && xw_book_levels(book, locate, 'S', &ask, 1) == 1 &&
           bid.price >= ask.price;
}
