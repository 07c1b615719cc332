// SPDX-License-Identifier: Apache-2.0
// The engine's memory: one block, sized by struct engine_capacity alone, laid out once by engine_new. Private to the
// engine.
//
//   command --> bucket (live-order table, 1 line) --> order slot (1 line) --> neighbours in its level's queue
//                                                          |
//                                                          +--> level (16 B), 16 neighbouring prices to a page
//
// Links are 32-bit indexes, 0 meaning none. Order 0 is nobody's: what is written to a neighbour that is not there lands
// in it and is never read. What matching does not need stands beside the slots: session links (8 B)
// and echo fields (16 B, touched only for orders that carry options).
#ifndef CROSSWIRE_ENGINE_STATE_H
#define CROSSWIRE_ENGINE_STATE_H

#include "contract/reject.h"
#include "engine/engine.h"

// Options that a later Replaced must echo. A replace without a tag keeps what the original had.
struct echo {
    uint32_t options;
    char firm[4];
    char price_type;
    char post_only;
    char trade_now;
    char handle_inst;
    char aiq_strategy;
    char aiq_group[2];
    char unused;
};
_Static_assert(sizeof(struct echo) == 16, "four to a line");

enum { ORDER_HAS_ECHO = 1 << 0, ORDER_AWAY = 1 << 1 /* stands in its second bucket */ };

#define ORDER_FREE UINT64_MAX // key of a slot that holds no order; no command has it

// A resting order.
struct order {
    uint64_t key; // order_key(): session, channel, UserRefNum; ORDER_FREE for a free slot
    uint64_t ref;
    uint32_t next, prev; // in the queue of its level
    uint32_t level;
    uint32_t executed; // by the whole chain of replaces
    uint32_t quantity; // open
    uint32_t price;
    union {
        uint64_t terms;
        struct {
            uint16_t locate;
            char side;
            char tif;
            char display;
            char capacity;
            char iso;
            char cross;
        };
    };
    uint32_t bucket; // of the live-order table
    uint16_t group_id;
    uint8_t flags;
    uint8_t way; // its place in the bucket
    uint8_t unused[8];
};
_Static_assert(sizeof(struct order) == 64, "an order is one cache line");
_Static_assert(offsetof(struct order, price) == offsetof(struct order, quantity) + 4, "one word, as in a command");

// Orders of one session, oldest first: a ring through the session's own link, which stands behind those of the slots.
struct session_link {
    uint32_t next, prev;
};

// One bucket of the live-order table: a line. A tag of 0 is an empty place.
#define BUCKET_WAYS 10
struct bucket {
    uint16_t tags[BUCKET_WAYS];
    uint16_t away;  // orders that belong here first but stand in their second bucket
    uint16_t taken; // bit i: place i
    uint32_t slots[BUCKET_WAYS];
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is one cache line");

// One price: its queue in time order. Sixteen neighbouring prices are a page; level = page * 16 + tick % 16.
#define PAGE_SHIFT 4
#define PAGE_LEVELS (1u << PAGE_SHIFT)
struct level {
    uint32_t head, tail;
    uint64_t quantity;
};

// Where a page stands among the pages of its side: in a list by price, and in an AA tree that finds the place in the
// list.
struct page {
    uint32_t number; // tick >> PAGE_SHIFT
    uint32_t left, right;
    uint32_t prev, next; // by price; also the free list, through next
    uint16_t occupied;   // bit i: level i has orders
    uint16_t locate;
    uint8_t rank; // of the AA tree; 0 for a free page
    uint8_t side; // 0 buy, 1 sell
    uint8_t unused[6];
};
_Static_assert(sizeof(struct page) == 32, "two to a line");

// Direct-mapped way to a page, DIRECTORY entries a side: 1,024 ticks without a conflict, the tree for the rest.
#define DIRECTORY 64u
#define NO_PAGE UINT32_MAX
struct directory_entry {
    uint32_t number; // NO_PAGE: empty
    uint32_t page;
};

enum { BUY, SELL };
#define NO_BID 0u
#define NO_ASK UINT32_MAX

struct book {
    uint32_t best[2];       // price: NO_BID, NO_ASK
    uint32_t best_level[2]; // valid when there is a best
    uint64_t reciprocal;    // of tick: price to tick index without a division
    uint32_t tick;          // 0: locate not opened
    uint32_t round_lot;
    uint32_t roots[2]; // AA trees of pages
    char name[8];
    uint8_t special; // not 0: orders of this book do not go the plain way
    uint8_t unused[15];
};
_Static_assert(sizeof(struct book) == 64, "a book's head is one cache line");

struct session {
    uint8_t open; // CMD_OPEN_SESSION seen
    uint8_t up;
    uint8_t disabled; // order entry, by OUCH D
    uint8_t cancel_on_disconnect;
    uint16_t account;
    uint16_t unused;
};

// An account with what it has at risk: its open orders, by side.
struct account {
    char name[16];
    char firm[4];
    uint8_t open;
    uint8_t unused[11];
    uint64_t open_quantity[2];
    uint64_t open_notional[2]; // quantity times price
};
_Static_assert(sizeof(struct account) == 64, "an account is one cache line");

// An order on its way into the book. Stands in the engine, because a sweep may need more steps than one.
struct incoming {
    uint64_t key;
    uint64_t ref;
    uint32_t limit; // price, or LIMIT_MARKET_BUY, LIMIT_MARKET_SELL
    uint32_t tick_index;
    uint32_t quantity; // not yet executed
    uint32_t price;    // as it will rest, and as echoed
    union {            // as in struct order
        uint64_t terms;
        struct {
            uint16_t locate;
            char side;
            char tif;
            char display;
            char capacity;
            char iso;
            char cross;
        };
    };
    uint32_t executed; // by the chain
    uint16_t group_id;
    uint8_t flags;
    uint8_t rests; // false: IOC or market, the rest is canceled
};

enum work { WORK_NONE, WORK_MATCH, WORK_SESSION, WORK_START, WORK_END };

// What is left of the last command. WORK_SESSION and WORK_END walk the orders of one session, or of all in turn.
struct unfinished {
    enum work work;
    uint16_t session;
    uint16_t locate; // filters of a mass cancel: 0 any
    uint32_t cursor; // next slot, or next locate
    uint32_t cursor_stage;
    char side;   // 0 any
    char reason; // of the cancels
    bool by_group;
    uint16_t group_id;
};

// A trade of the day, for busts and adjustments when its orders are long gone. Its place in the table is its match
// number.
struct trade {
    uint64_t taker, maker; // order_key()
    uint64_t taker_ref, maker_ref;
    uint32_t quantity, price;
    uint16_t locate;
    char taker_side, maker_side;
    uint32_t unused;
};
_Static_assert(sizeof(struct trade) == 48, "four to three lines");

enum day_state { DAY_NONE, DAY_OPENING, DAY_OPEN, DAY_ENDED };

struct engine {
    // Read or written by nearly every command.
    uint64_t sequence;
    uint64_t time_ns;
    uint64_t hash;
    uint64_t next_ref;
    uint64_t key0, key1; // of the live-order table
    struct bucket *buckets;
    uint32_t bucket_mask;
    uint32_t trading_sessions; // sessions below may trade while they are up: 0 unless the day is open

    struct order *orders; // 1..max_orders
    struct level *levels;
    struct book *books; // by locate
    struct directory_entry *directory;
    struct session *sessions;
    struct session_link *links; // by slot, then by session
    uint32_t *last_ref;         // by session * 256 + channel: last UserRefNum used
    uint32_t *free_slots;       // stack, 1..free_count

    uint32_t free_count;  // on the stack
    uint32_t fresh_slot;  // slots above have never been used
    uint32_t fresh_limit; // the last that may be
    uint32_t levels_used;
    uint32_t levels_limit;
    uint32_t symbols_limit;
    uint32_t session_links; // index of session 0's own link
    enum engine_outcome outcome;
    struct account *accounts;
    struct page *pages; // 1..max_levels
    uint64_t next_match;
    struct trade *trades; // by match number, from first_match on

    uint64_t first_match;
    uint32_t trades_limit;
    uint32_t free_page; // list through next
    uint32_t fresh_page;
    enum day_state day;
    struct echo *echoes; // by slot
    struct unfinished left;
    struct incoming in;
    struct echo in_echo; // of in, when it has ORDER_HAS_ECHO

    uint32_t date;
    struct engine_capacity memory; // what engine_new was given
    struct engine_capacity limit;  // what CMD_OPEN_DAY asks for: the answers depend on these alone
};

static inline uint64_t order_key(uint16_t session, uint8_t channel, uint32_t user_ref)
{
    return (uint64_t)channel << 48 | (uint64_t)session << 32 | user_ref;
}

static inline uint16_t key_session(uint64_t key)
{
    return (uint16_t)(key >> 32);
}

static inline uint8_t key_channel(uint64_t key)
{
    return (uint8_t)(key >> 48);
}

static inline uint32_t key_user_ref(uint64_t key)
{
    return (uint32_t)key;
}

static inline uint32_t live_orders(const struct engine *e)
{
    return e->fresh_slot - e->free_count;
}

static inline unsigned side_of(char side)
{
    return side == 'B' ? BUY : SELL;
}

// Parts of a terms word, which is a command's from its locate on.
static inline uint16_t terms_locate(uint64_t terms)
{
    return (uint16_t)terms;
}

static inline char terms_side(uint64_t terms)
{
    return (char)(terms >> 16);
}

// Buckets for `orders` live orders: at most four of ten places are taken on average.
static inline uint32_t bucket_count(uint32_t orders)
{
    uint32_t count = 4;
    while (count < orders / 4)
        count *= 2;
    return count;
}

#endif
