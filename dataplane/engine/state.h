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

// A resting order.
struct order {
    uint64_t key; // order_key(): session, channel, UserRefNum; 0 for a free slot
    uint64_t ref;
    uint32_t next, prev; // in the queue of its level
    uint32_t level;
    uint32_t quantity; // open
    uint32_t price;
    uint32_t executed; // by the whole chain of replaces
    uint32_t bucket;   // of the live-order table
    uint16_t locate;
    uint16_t group_id;
    char side; // B S T E
    char capacity;
    char display;
    uint8_t flags;
    uint8_t way; // its place in the bucket
    uint8_t unused[7];
};
_Static_assert(sizeof(struct order) == 64, "an order is one cache line");

struct session_link { // orders of one session, oldest first
    uint32_t next, prev;
};

// One bucket of the live-order table: a line. A tag of 0 is an empty place.
#define BUCKET_WAYS 10
struct bucket {
    uint16_t tags[BUCKET_WAYS];
    uint16_t away; // orders that belong here first but stand in their second bucket
    uint16_t used;
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
struct directory_entry {
    uint32_t number;
    uint32_t page; // 0: empty
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
    uint64_t unused[2];
};
_Static_assert(sizeof(struct book) == 64, "a book's head is one cache line");

struct session {
    uint8_t open; // CMD_OPEN_SESSION seen
    uint8_t up;
    uint8_t disabled; // order entry, by OUCH D
    uint8_t cancel_on_disconnect;
    uint16_t account;
    uint16_t unused;
    uint32_t oldest, newest; // its resting orders, in the order of entry or last replace
};

struct account {
    char name[16];
    char firm[4];
    uint8_t open;
    uint8_t unused[3];
};

// An order on its way into the book. Stands in the engine, because a sweep may need more steps than one.
struct incoming {
    uint64_t key;
    uint64_t ref;
    uint32_t limit; // price, or LIMIT_MARKET_BUY, LIMIT_MARKET_SELL
    uint32_t price; // as it will rest, and as echoed
    uint32_t tick_index;
    uint32_t quantity; // not yet executed
    uint32_t executed; // by the chain
    uint16_t locate;
    uint16_t group_id;
    char side;
    char capacity;
    char display;
    uint8_t flags;
    uint8_t rests; // false: IOC or market, the rest is canceled
    uint8_t unused[7];
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

enum day_state { DAY_NONE, DAY_OPENING, DAY_OPEN, DAY_ENDED };

struct engine {
    // Read or written by nearly every command.
    uint64_t sequence;
    uint64_t time_ns;
    uint64_t hash;
    struct order *orders; // 1..max_orders
    struct bucket *buckets;
    struct level *levels;
    struct page *pages; // 1..max_levels
    struct book *books; // by locate
    struct directory_entry *directory;
    struct session *sessions;
    struct session_link *links; // by slot
    uint32_t *last_ref;         // by session * 256 + channel: last UserRefNum used
    uint32_t *free_slots;       // stack, 1..free_count
    struct echo *echoes;        // by slot
    uint64_t key0, key1;        // of the live-order table
    uint64_t next_ref, next_match;
    uint32_t bucket_mask;
    uint32_t free_count; // on the stack
    uint32_t fresh_slot; // slots above have never been used
    uint32_t live;
    uint32_t levels_used;
    uint32_t free_page; // list through next
    uint32_t fresh_page;
    enum day_state day;
    enum engine_outcome outcome;
    struct unfinished left;
    struct incoming in;
    struct echo in_echo; // of in, when it has ORDER_HAS_ECHO

    struct account *accounts;
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

static inline unsigned side_of(char side)
{
    return side == 'B' ? BUY : SELL;
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
