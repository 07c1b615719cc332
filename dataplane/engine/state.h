// SPDX-License-Identifier: Apache-2.0
// The engine's memory: one block, sized by struct engine_capacity alone, laid out once by engine_new. Private to the
// engine.
//
//   command --> bucket (live-order table, 1 line) --> order slot (1 line) --> neighbours in its level's queue
//                                                          |
//                                                          +--> level (16 B), 16 neighbouring prices to a page
//
// Links are 32-bit indexes, 0 meaning none. Order 0 is nobody's: what is written to a neighbour that is not there lands
// in it and is never read. What matching does not need stands beside the slots: echo fields (16 B, touched only for
// orders that carry options). What only an order that is not plain has
// (rules.md section 1) stands in a pool of struct special; what only books with such orders have stands in struct
// book_back.
#ifndef CROSSWIRE_ENGINE_STATE_H
#define CROSSWIRE_ENGINE_STATE_H

#include <string.h>

#include "contract/reject.h"
#include "engine/engine.h"
#include "engine/risk_state.h"
#include "engine/settle_state.h"

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

enum {
    ORDER_HAS_ECHO = 1 << 0,
    ORDER_AWAY = 1 << 1,    // stands in its second bucket
    ORDER_SPECIAL = 1 << 2, // order.special is not 0
};

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
    uint32_t member; // its place among the orders of its session
    uint16_t group_id;
    uint8_t flags;
    uint8_t way;       // its place in its bucket of the live-order table
    uint32_t special;  // index in the pool, 0 for a plain order
    uint32_t position; // of its account in its symbol, 0 on a day without risk
};
_Static_assert(sizeof(struct order) == 64, "an order is one cache line");
_Static_assert(offsetof(struct order, price) == offsetof(struct order, quantity) + 4, "one word, as in a command");

enum { // special.kinds: what makes it conditional
    KIND_PEG = 1 << 0,
    KIND_DISCRETION = 1 << 1,
    KIND_STOP = 1 << 2, // waits for its trigger
};

// What an order that is not plain has besides. Entry 0 is the incoming order's until it rests (all zero for a plain
// one), so that special == 0 still means plain for those that rest. An order without a level (order.level == 0) waits
// outside the book. Of a reserve order, order.quantity and its level's sum hold the displayed part only.
struct special {
    uint32_t slot;    // its order; the free list, through it
    uint32_t min_qty; // 0 none
    uint32_t max_floor;
    uint32_t random_reserves;
    uint32_t reserve;   // open and not displayed
    uint32_t limit;     // a peg's cap or a stop's limit: price as entered, or LIMIT_MARKET_BUY, LIMIT_MARKET_SELL
    int32_t peg_offset; // 1/10,000
    uint32_t discretion_price; // 0 none
    int32_t discretion_peg_offset;
    uint32_t trigger;     // stop price, trail amount
    uint32_t stop;        // what triggers it now; 0 none
    uint32_t extreme;     // the best trade price that a trailing stop has seen, 0 none
    uint64_t entered;     // sequence of the command that entered or replaced it: ties between conditional orders
    uint64_t expire_ns;   // TIF 6
    uint32_t expire_s;    // as asked, for the echo
    uint32_t heap;        // its place in the expiry heap, 0 none
    uint32_t next, prev;  // in the list of its conditional kind, by pool index
    char price_type;      // L P M R m
    char discretion_type; // L P M R
    char trigger_type;    // S T, 0 none
    char post_only;       // P, N
    char aiq_strategy;    // after the session's default; N none
    char aiq_group[2];
    uint8_t kinds;
    uint8_t triggered; // KIND_STOP: waits for its release
    uint8_t refreshes; // a reserve order: max_floor is below its quantity
    uint8_t unused1[2];
    uint32_t asked; // price as entered: what a peg has while it waits
    uint8_t unused[32];
};
_Static_assert(sizeof(struct special) == 128, "two cache lines");

// Orders of one session, oldest first: a list of blocks of 64 places each, taken in turn but for the first, which stays
// empty. An order that goes clears its bit and touches no neighbour; a block without orders is free again, but for a
// session's newest. Of the newest, places that no order has had yet hold 0, their bits being set already. Place = block
// * 64 + way. Block 0 is nobody's.
#define MEMBER_SHIFT 6
#define MEMBER_WAYS (1u << MEMBER_SHIFT)
struct member_block {
    uint32_t next, prev; // of the same session, 0 none; the free list, through next
};
struct session_orders {
    uint32_t oldest, newest; // blocks; 0: none yet
    uint32_t next;           // the next order's place in the newest; a multiple of 64: that is used up
};

// One bucket of the live-order table: a line.
#define BUCKET_WAYS 12
struct bucket {
    uint8_t tags[BUCKET_WAYS]; // of the places that are taken
    uint16_t away;             // orders that belong here first but stand in their second bucket
    uint16_t taken;            // bit i: place i
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
    uint8_t side; // 0 buy, 1 sell; | HIDDEN
    uint8_t kept; // one of engine.kept_pages
    uint8_t unused[5];
};
_Static_assert(sizeof(struct page) == 32, "two to a line");

// Pages that ran empty last stay, because a page often has orders again soon.
#define KEPT_PAGES 64u

// Direct-mapped way to a page, DIRECTORY entries a side: 1,024 ticks without a conflict, the tree for the rest.
#define DIRECTORY 64u
#define NO_PAGE UINT32_MAX
struct directory_entry {
    uint32_t number; // NO_PAGE: empty
    uint32_t page;
};

// Non-displayed orders stand in levels of their own: sides BUY | HIDDEN and SELL | HIDDEN, whose levels count half
// ticks where the tick is even.
enum { BUY, SELL, HIDDEN };
#define BOOK_SIDES 4u
#define NO_BID 0u
#define NO_ASK UINT32_MAX

enum { // book.watch: who wants to know
    WATCH_PEGS = 1 << 0,
    WATCH_STOPS = 1 << 1,
    WATCH_MARKET = 1 << 2, // bands or velocity in force (market.h)
};
#define WATCH_TRADES (WATCH_STOPS | WATCH_MARKET)
#define WATCH_BEST (WATCH_PEGS | WATCH_MARKET)

// In book.uncommon of both sides: plain orders look at the symbol's struct market before they are plain.
#define UNCOMMON_MARKET 0x80u

// In book.uncommon of both sides: the symbol is killed, plain orders go the long way.
#define UNCOMMON_KILLED 0x40u

struct book {
    uint32_t best[BOOK_SIDES];       // price: NO_BID, NO_ASK
    uint32_t best_level[BOOK_SIDES]; // valid when there is a best
    uint64_t reciprocal;             // 2^63 / tick rounded up: price to tick index without a division
    uint32_t tick;                   // 0: locate not opened
    uint32_t last_trade;             // price, 0 none today
    char name[8];
    uint8_t uncommon[2]; // by side: hidden or discretionary orders rest, takers of the other side need the general way;
                         // | UNCOMMON_MARKET
    uint8_t watch;
    uint8_t unused[5];
};
_Static_assert(sizeof(struct book) == 64, "a book's head is one cache line");

// The back of a book: what plain orders do not read.
struct book_back {
    uint32_t roots[BOOK_SIDES]; // AA trees of pages
    uint32_t conditional;       // live orders that are pegs, discretionary or waiting stops
    uint32_t pegs, pegs_newest; // list in the order of entry, by pool index
    uint32_t discretion[2];     // lists by side: best price first, then the order of entry
    uint32_t stops[2];          // lists by side, in the order of entry
    uint32_t stops_newest[2];
    uint32_t looked[2]; // best displayed prices when the pegs were last looked at
    uint32_t round_lot;
    // What stops want to know of the trades since they were last settled (triggers.c).
    uint32_t triggered;           // list of stops that are to be released, in the order of entry
    uint32_t low, high;           // prices
    uint32_t fall, rise;          // the deepest below a price before it, the highest above one
    uint32_t buy_from, sell_from; // no stop is triggered unless high, low, fall or rise reaches its figure
    uint32_t fall_from, rise_from;
    uint32_t unused[7];
};
_Static_assert(sizeof(struct book_back) == 128, "two lines");

// What a session has at risk on a day without limits: its open orders, by side (rules.md section 20).
struct exposure {
    uint64_t quantity[2];
    uint64_t notional[2]; // quantity times price
};

struct session {
    union {
        uint32_t gate; // SESSION_PLAIN: its plain orders go the plain way
        struct {
            uint8_t open; // CMD_OPEN_SESSION seen
            uint8_t up;
            uint8_t disabled; // order entry: DISABLED_BY_USER, | sides that are killed (kill.h)
            char aiq_default; // 0: none, as N
        };
    };
    uint16_t account;
    uint8_t cancel_on_disconnect; // enum cancel_when
    uint8_t post_only_cancels;
    uint32_t risk; // RISK_ON: its orders are checked and counted (risk.md)
    struct session_orders orders;
    union {
        struct tokens_pair paced; // a day with risk
        struct exposure exposure; // without
    };
};
_Static_assert(sizeof(struct session) == 64, "a session is one cache line");
_Static_assert(offsetof(struct session, paced.due) % 16 == 0 && offsetof(struct session, paced.watch) % 16 == 0,
               "both buckets at once");

#define RISK_ON 1u

#define SESSION_PLAIN 0x0101u // open, up and nothing else

#define DISABLED_BY_USER 1u // OUCH D
#define DISABLED_KILL_SHIFT 1

struct account {
    char name[16];
    char firm[4];
    uint8_t open;
    uint8_t unused;
    uint16_t firm_index; // the first account of its firm
    char organisation[16];
};

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
    uint8_t rests;    // false: IOC or market, the rest is canceled
    uint8_t added;    // the Accepted or Replaced has brought it to market data
    uint8_t unplain;  // it takes a pool entry when it rests
    uint32_t slot;    // of an order that is live and takes again; 0 for a new one
    uint32_t special; // of that order's, or 0: entry 0
    uint32_t position;
};

// Where general matching stands (match_general.h), and a post-only order's search for the price that it slides to.
enum walk_stage { WALK_COUNT, WALK_TAKE, WALK_DISCRETION, WALK_OVER };
struct walk {
    enum walk_stage stage;
    bool begun;      // level, slot and hidden have been set
    uint8_t pass;    // in the count, of the displayed level: displayed parts, prevented reserves, other reserves
    uint32_t level;  // in the count: displayed level
    uint32_t slot;   // in the count: next order of that level
    uint32_t hidden; // next hidden order that was not passed over
    uint32_t left;   // in the count: of the taker
    uint32_t traded; // in the count
    uint32_t need;   // in the count: enough
};

enum work {
    WORK_NONE,
    WORK_MATCH,   // order_match
    WORK_GENERAL, // match_general
    WORK_ENTRY,   // special_resume
    WORK_SESSION,
    WORK_START,
    WORK_END,
    WORK_PHASE, // phases.h
    WORK_EXPIRY,
    WORK_AFTER,  // afterwork.h
    WORK_KILL,   // kill.h
    WORK_MARKET, // market.h
    WORK_LIMITS, // risk_limits.h
};

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

// Pegs and stops that a command has set in motion (afterwork.h). Its own, because it goes on below other work.
struct after {
    uint32_t locate; // at work on it, 0 none
    uint32_t cursor; // next peg, by pool index
    uint8_t stage;
    uint8_t taking; // match_general is at work on e->in
};

// A kill that is being carried out (kill.c).
struct kill {
    uint64_t id;
    uint64_t canceled, counted; // orders
    uint32_t session, slot;     // where its walk is
    uint16_t index;
    uint8_t scope;
    uint8_t sides; // bits 1 << BUY, 1 << SELL
    uint8_t stage;
    uint8_t limit; // that asked for it, LIMITS: a command
    char side;     // as the command has it
};

// Why a limit kills the account 2n, the firm 2n + 1.
struct kill_cause {
    uint64_t before, after;
    uint32_t limit;
    uint32_t pending; // not carried out yet
};

// A trade of the day, by match number.
struct trade {
    uint64_t taker, maker; // order keys
    uint32_t quantity, price;
    uint16_t locate;
    char taker_side, maker_side;
    char maker_liquidity;
    uint8_t broken;
    uint8_t unused[2];
};
_Static_assert(sizeof(struct trade) == 32, "two to a line");

// Prices of trades in an interval of ten seconds, for the mean.
struct interval {
    uint64_t sum; // at most 2^32 prices below 2^31
    uint32_t count;
    uint32_t number; // intervals since midnight
};

// Lowest and highest trade in an eighth of the velocity's time.
struct step {
    uint32_t low, high; // UINT32_MAX and 0: none
    uint32_t number;    // eighths since midnight
};

#define MARKET_INTERVALS_KEPT 30u
#define MARKET_STEPS_KEPT 8u

// The state of the market in one symbol (market.md). The first line is what orders and trades of a watched book read.
struct market {
    uint32_t lower, upper; // no trade outside; 0 and UINT32_MAX: no bands in force
    uint64_t interval_end_ns, step_end_ns;
    uint32_t low, high; // of the velocity's time; UINT32_MAX and 0: no trade
    uint32_t reference; // of the bands, 0 none yet
    uint32_t velocity_percent;
    uint8_t interval, step; // the ones at hand, places in the tables
    char told;              // trading state as the feed has it
    char limit_side;        // side of the limit state, 0 none
    uint8_t tripped;        // velocity: a pause begins when the command is over
    char reg_sho;
    char halt; // the operator's state, STATE_TRADING: none of his
    uint8_t wide;
    uint64_t limit_since_ns;
    uint64_t referenced_ns; // since when the reference has been this one

    uint64_t pause_end_ns; // 0: no pause
    uint64_t wide_until_ns, wide_from_ns;
    uint64_t adv;   // 0 unknown
    uint32_t close; // the price before the day, 0 none
    uint32_t percent, wide_percent, limit_state_ms, pause_ms, velocity_ms;
    char told_reason[4], halt_reason[4], pause_reason[4], resume_reason[4];
    uint8_t tier;
    uint8_t unused[7];
    struct interval intervals[MARKET_INTERVALS_KEPT];
    struct step steps[MARKET_STEPS_KEPT];
};
_Static_assert(offsetof(struct market, pause_end_ns) == 64, "what is read often stands in the first line");

// What all symbols share of it, and where a walk over them stands.
struct market_venue {
    uint64_t due_ns;      // nothing waits for a time before this
    uint64_t sweep_ns;    // when references are worked out next
    uint64_t halt_end_ns; // of the market-wide halt; 0 none, UINT64_MAX with the day
    uint64_t declared[3];
    uint32_t watched; // symbols that have bands or velocity
    uint32_t cursor, last;
    uint8_t breached; // highest level that the day has seen
    uint8_t why;      // enum market_look
    uint8_t sweeping;
};

enum day_state { DAY_NONE, DAY_OPENING, DAY_OPEN, DAY_ENDED };

struct engine {
    struct unfinished left; // first: engine_unfinished() reads its `work`

    // Read or written by nearly every command.
    uint64_t sequence;
    uint64_t time_ns;
    struct event_lanes lanes; // the rolling hash
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
    uint32_t *members;      // slots, by place
    uint64_t *members_live; // by block: the places that hold orders
    uint32_t *last_ref;     // by session * 256 + channel: last UserRefNum used
    uint32_t *free_slots;   // stack, 1..free_count

    uint32_t free_count;  // on the stack
    uint32_t fresh_slot;  // slots above have never been used
    uint32_t fresh_limit; // the last that may be
    uint32_t levels_used; // levels that hold orders, and a place kept for each conditional order
    uint32_t levels_limit;
    uint32_t symbols_limit;
    uint32_t free_member_block; // list through next
    union {
        uint64_t pending; // what waits for the end of a command's own work (afterwork.h): none of the three
        struct {
            uint32_t kills_pending; // kill_causes that are pending
            uint16_t dirty_books;   // bits set in dirty, one a symbol
            bool unsettled;         // for settle.h
            uint8_t unused;
        };
    };
    enum engine_outcome outcome;
    struct party *parties; // accounts, firms, sessions, on a day with risk
    struct page *pages;    // 1..max_levels + KEPT_PAGES
    uint64_t next_match;
    struct trade *trades; // by match number, from first_match on

    uint64_t plain_day, plain_ioc; // what the terms of plain orders ask for in this phase (terms.h)
    uint64_t first_match;
    uint32_t trades_limit;
    uint32_t free_page; // list through next
    uint32_t fresh_page;
    uint32_t kept; // as many pages so far, in turn
    uint32_t kept_pages[KEPT_PAGES];
    enum day_state day;
    struct echo *echoes; // by slot
    struct member_block *member_blocks;
    uint32_t fresh_member_block; // blocks above have never been used
    uint32_t member_blocks_used;
    uint32_t member_hand; // the last block that was looked at for merging
    struct incoming in;
    struct echo in_echo; // of in, when it has ORDER_HAS_ECHO

    // For orders that are not plain.
    struct special *specials; // 1..max_special; 0 is the incoming order's
    struct book_back *backs;  // by locate
    uint64_t *dirty;          // bit by locate: books whose pegs or stops are to be looked at
    uint32_t *heap;           // 1..heap_count: pool indexes by expiry, then entry
    uint64_t generator;       // of random reserves: splitmix64
    uint32_t heap_count;
    uint32_t free_special; // list through slot
    uint32_t fresh_special;
    uint32_t special_live;
    uint32_t conditional_live;
    char phase; // enum session_phase
    struct account *accounts;
    struct walk walk;
    struct command entry; // of WORK_ENTRY
    struct after after;
    struct market *markets; // by locate
    struct market_venue market;
    struct kill kill;
    struct kill_cause *kill_causes;
    uint8_t *blocks; // by scope: the venue's, then by account, firm (as account), session, symbol (kill.h)
    uint32_t session_blocks, symbol_blocks; // where these begin
    struct risk risk;

    // Rates, results and modes (settle_state.h). Nothing of it on a day without risk.
    struct pace *paces;     // by session
    struct single *singles; // by session
    struct alike *alikes;
    struct symbol_pace *symbol_paces; // by locate
    struct standing *standings;       // accounts, firms
    uint64_t *groups;                 // by account, group: room for its positions and working orders in it
    uint32_t *told;                   // by party: its levels that are told
    uint32_t slowing;                 // parties that are slowed, and a mode that has a rate
    struct mode mode;                 // what those that are on come to
    struct settling settling;
    struct mode modes[MODES];

    uint32_t date;
    struct engine_capacity memory; // what engine_new was given
    struct engine_capacity limit;  // what CMD_OPEN_DAY asks for: the answers depend on these alone
};

_Static_assert(offsetof(struct engine, left.work) == 0 && WORK_NONE == 0, "engine_unfinished()");

static inline uint64_t order_key(uint16_t session, uint8_t channel, uint32_t user_ref)
{
    return (uint64_t)channel << 48 | (uint64_t)session << 32 | user_ref;
}

static inline uint64_t word_at(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// The order_key of the command's own number, and of the one that a Replace names.
static inline uint64_t command_key(const struct command *c)
{
    return word_at((const char *)c + COMMAND_KEY);
}

static inline uint64_t original_key(const struct command *c)
{
    return (command_key(c) & ~(uint64_t)UINT32_MAX) | c->orig_user_ref;
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

static inline uint64_t dirty_words(uint32_t max_symbols)
{
    return max_symbols / 64 + 1;
}

// The book's pegs or stops want to be looked at when the command is over.
static inline void book_dirty(struct engine *e, uint16_t locate)
{
    uint64_t bit = UINT64_C(1) << locate % 64;
    e->dirty_books += (e->dirty[locate / 64] & bit) == 0;
    e->dirty[locate / 64] |= bit;
}

static inline uint32_t live_orders(const struct engine *e)
{
    return e->fresh_slot - e->free_count;
}

static inline unsigned side_of(char side)
{
    return side == 'B' ? BUY : SELL;
}

// Order entry reaches a handler only from a session that is up, while the day is open.
static inline bool session_may_trade(const struct engine *e, const struct command *c)
{
    return c->session < e->trading_sessions && e->sessions[c->session].up;
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

// Buckets for `orders` live orders: at most four of twelve places are taken on average.
static inline uint32_t bucket_count(uint32_t orders)
{
    uint32_t count = 4;
    while (count < orders / 4)
        count *= 2;
    return count;
}

#endif
