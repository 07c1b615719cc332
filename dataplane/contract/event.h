// SPDX-License-Identifier: Apache-2.0
// An event: the only thing that the engine ever writes. A pure function of the commands before it.
//
// One event serves everybody: gateways turn it into OUCH for the sessions it names, publishers into ITCH when it
// carries an MD flag, control into audit and replay. A cell is three cache lines apart but only `lines` of them are
// written and hashed.
#ifndef CROSSWIRE_CONTRACT_EVENT_H
#define CROSSWIRE_CONTRACT_EVENT_H

#include <nmmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum event_type {
    EV_NONE = 0,
    // OUCH to one session.
    EV_ACCEPTED = 1,        // A; 2 lines, 3 with a tag of the third line
    EV_REPLACED = 2,        // U; likewise
    EV_CANCELED = 3,        // C; 1 line
    EV_TRADE = 4,           // E to the taker's and to the maker's session; 2 lines
    EV_REJECTED = 5,        // J; 2 lines
    EV_MODIFIED = 6,        // M
    EV_RESTATED = 7,        // R
    EV_PRIORITY = 8,        // T
    EV_AIQ_CANCELED = 9,    // D
    EV_BROKEN = 10,         // B
    EV_CANCEL_PENDING = 11, // P
    EV_CANCEL_REJECT = 12,  // I
    EV_MASS_CANCEL = 13,    // X
    EV_DISABLED = 14,       // G
    EV_ENABLED = 15,        // K
    EV_QUERY = 16,          // Q
    // OUCH S to every session of the core; also ITCH S with `reason` as the ITCH code when MD_SYSTEM is set.
    EV_SYSTEM = 17,
    // Market data only.
    EV_BOOK_ADD = 32,       // A: what rests of an order that traded on entry
    EV_SYMBOL = 33,         // R: stock directory
    EV_TRADING_ACTION = 34, // H
    EV_BAND = 35,           // LULD auction collar J
    EV_MARKET_WIDE = 36,    // MWCB decline levels V (reason 0), status W (reason: the level breached)
    EV_REG_SHO = 37,        // Y
    EV_ALERT = 38,          // to control alone: struct alert's fields, by ALERT_AT
    // For gateways and publishers themselves: the day opens (trading date in quantity), ends.
    EV_DAY_OPEN = 48,
    EV_DAY_END = 49,
    // The same, while a matching core is restored from a snapshot: never from the engine.
    EV_RESTORE_STREAM = 50,   // `ref` is the sequence of the next message of `session`, or of the feed
    EV_RESTORE_MESSAGES = 51, // second and third line are CMD_RESTORE_MESSAGES's blocks, EVENT_BLOCKS_AT
    EV_RESTORE_NOTHING = 52,  // what this core has told is void: as at the start
};

// event.flags: what market data the event makes. At most one of the MD bits is set.
enum {
    EV_MD_ADD = 1 << 0,     // ACCEPTED, BOOK_ADD, RESTATED: order rests and is displayed: A (or F)
    EV_MD_REPLACE = 1 << 1, // REPLACED: in place: U old_ref -> ref
    EV_MD_DELETE = 1 << 2,  // CANCELED, AIQ_CANCELED: D ref; REPLACED of an order that is added again: D old_ref
    EV_MD_REDUCE = 1 << 3,  // CANCELED, AIQ_CANCELED: X ref, quantity
    EV_MD_EXECUTE = 1 << 4, // TRADE: E ref, quantity, match
    EV_MD_OTHER = 1 << 5, // SYMBOL, TRADING_ACTION, SYSTEM, DAY_OPEN, DAY_END; TRADE with a hidden maker: P; BROKEN: B
    EV_REPLAYED = 1 << 7, // set by the matching core outside the hash: rebuild state, send nothing
};
#define EV_MD_ANY (EV_MD_ADD | EV_MD_REPLACE | EV_MD_DELETE | EV_MD_REDUCE | EV_MD_EXECUTE | EV_MD_OTHER)

struct event {
    uint64_t word;    // ring sequence word; zero when hashed
    uint64_t cmd_seq; // sequence of the command that caused it: durability gates on it
    uint64_t time_ns; // the command's time
    uint8_t type;     // enum event_type
    uint8_t lines;    // cache lines in use, 1..3
    uint8_t flags;
    char reason;     // cancel reason, system event code, restate reason, ITCH trading state; J: enum reject
    uint16_t locate; // stock locate
    char side;       // of the order that user_ref names (of the taker in TRADE)
    char unused0;
    uint32_t user_ref;    // the taker's in TRADE; QUERY: next usable; with the next two the order's key
    uint16_t session;     // SESSION_NONE: none; the taker's in TRADE
    uint8_t user_ref_idx; // channel of user_ref
    uint8_t unused1;
    uint32_t other_user_ref;    // REPLACED: OrigUserRefNum; TRADE: the maker's
    uint16_t other_session;     // TRADE: the maker's session
    uint8_t other_user_ref_idx; // TRADE: the maker's channel
    uint8_t unused2;
    uint64_t ref; // order reference; the maker's in TRADE
    uint32_t
        quantity; // ACCEPTED, REPLACED: exposed; CANCELED, TRADE: incremental; MODIFIED: outstanding; BOOK_ADD: resting
    uint32_t price;

    union {      // second line
        struct { // ACCEPTED, REPLACED, REJECTED (cl_ord_id only), BOOK_ADD (symbol), SYMBOL, MASS_CANCEL (symbol,
                 // firm), ..
            char symbol[8];
            uint64_t old_ref; // REPLACED: reference of the order replaced
            char cl_ord_id[14];
            uint16_t group_id;
            char tif;
            char display;
            char capacity;
            char iso;
            char cross;
            char price_type;
            char post_only;
            char customer_type;
            uint32_t options; // OPTION(tag) to echo; UserRefIdx is echoed when it is not 0
            char firm[4];
            uint32_t min_qty;
            uint32_t max_floor;
            char handle_inst;
            char trade_now;
            char shares_located;
            char bbo_weight;
            char aiq_strategy;
            char aiq_group[2];
            char unused3;
        };
        struct { // TRADE, BROKEN
            uint64_t match;
            char trade_symbol[8];
            char taker_liquidity;
            char maker_liquidity;
            char maker_side;
            uint8_t off_price; // TRADE: not the price that the maker is displayed at
            char unused4[4];
            char broken_cl_ord_id[14];
        };
        struct { // TRADING_ACTION (reason: state), BAND (price: reference), REG_SHO (reason: enum reg_sho)
            char market_symbol[8];
            char action_reason[4]; // TRADING_ACTION: ITCH's code, zero: blank
            uint32_t upper, lower; // BAND
            uint32_t extensions;   // BAND
        };
        uint64_t levels[3]; // MARKET_WIDE: index values, 8 decimals
        struct {            // ALERT; reason: enum alert_kind, quantity: enum limit, price: the index of its scope
            uint64_t alert_before, alert_after;
            uint8_t alert_scope; // enum scope
            char alert_reason;
            char unused7[6];
        };
    };

    // third line
    uint32_t peg_offset; // two's complement, as on the wire
    uint32_t discretion_price;
    uint32_t discretion_peg_offset;
    uint32_t random_reserves;
    uint32_t expire_s;
    uint32_t display_quantity; // RESTATED
    uint32_t display_price;    // RESTATED
    uint32_t prevented_qty;    // AIQ_CANCELED
    char route[4];
    char discretion_price_type;
    uint8_t tick_lot_class; // SYMBOL: reserved
    char unused5[2];
    uint64_t secondary_ref;
    uint32_t round_lot;    // SYMBOL
    char locate_broker[4]; // MODIFIED
    uint32_t trigger;      // ACCEPTED, REPLACED: stop price or trail amount
    char trigger_type;     // S, T
    char unused6[3];
};

_Static_assert(sizeof(struct event) == 192, "an event cell is three cache lines");
_Static_assert(offsetof(struct event, symbol) == 64, "second line");
_Static_assert(offsetof(struct event, peg_offset) == 128, "third line");
#define EVENT_BLOCKS_AT 64 // RESTORE_MESSAGES: RESTORE_BLOCKS bytes

// Tags whose values stand in the third line.
#define EVENT_THIRD_LINE_TAGS                                                                                   \
    (1u << 7 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 14 | 1u << 15 | 1u << 1 | 1u << 22 | 1u << 23 | \
     1u << 26 | 1u << 19 | 1u << 20)

// Both halves of a product: keyed hashes are made of it.
static inline uint64_t event_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define EVENT_HASH_SEED UINT64_C(0x43524f5353574952)

// The rolling hash as it is computed: two CRC-32C registers, each word in one of them. An equal word moves both
// registers one to one, so that a difference stays for good; the last step lets `a`, the hash's low half, see what only
// `b` has seen. A divergence detector, not a signature: the journal's chain is the signature.
struct event_lanes {
    uint64_t a, b; // 32 bits each, as the instruction has them
};

static inline struct event_lanes event_lanes(uint64_t hash)
{
    return (struct event_lanes){(uint32_t)hash, hash >> 32};
}

static inline uint64_t event_lanes_hash(struct event_lanes lanes)
{
    return lanes.a | lanes.b << 32;
}

// Folds the first line, without its ring word, in. w[3] must be free of EV_REPLAYED. Here and below, words that most
// events leave zero cost nothing when they are zero constants.
static inline struct event_lanes event_fold_first(struct event_lanes lanes, const uint64_t w[8])
{
    lanes.a = _mm_crc32_u64(_mm_crc32_u64(lanes.a, w[1]), w[3]);
    lanes.b = _mm_crc32_u64(_mm_crc32_u64(lanes.b, w[2]), w[4]);
    lanes.a = _mm_crc32_u64(lanes.a, w[7]);
    lanes.b = _mm_crc32_u64(lanes.b, w[6] ^ (w[5] * UINT64_C(0xD6E8FEB86659FD93)));
    return lanes;
}

// Folds another line in.
static inline struct event_lanes event_fold_next(struct event_lanes lanes, const uint64_t w[8])
{
    lanes.a = _mm_crc32_u64(lanes.a, w[0] ^ (w[5] * UINT64_C(0x9E3779B97F4A7C15)));
    lanes.b = _mm_crc32_u64(lanes.b, w[1] ^ (w[6] * UINT64_C(0xC2B2AE3D27D4EB4F)));
    lanes.a = _mm_crc32_u64(lanes.a, w[2] ^ (w[7] * UINT64_C(0x9FB21C651E98DF25)));
    lanes.b = _mm_crc32_u64(lanes.b, w[3]);
    lanes.a = _mm_crc32_u64(lanes.a, w[4]);
    return lanes;
}

static inline struct event_lanes event_fold_end(struct event_lanes lanes)
{
    lanes.a = _mm_crc32_u64(lanes.a, lanes.b);
    return lanes;
}

// The rolling hash after `event`, given the one before it. Covers every byte in use but the ring word and EV_REPLAYED;
// the same on every compiler and machine.
static inline uint64_t event_hash(uint64_t hash, const struct event *event)
{
    uint64_t w[8];
    memcpy(w, event, sizeof w);
    w[3] &= ~((uint64_t)EV_REPLAYED << 16);
    struct event_lanes lanes = event_fold_first(event_lanes(hash), w);
    for (unsigned line = 1; line < event->lines; line++) {
        memcpy(w, (const char *)event + (size_t)line * 64, sizeof w);
        lanes = event_fold_next(lanes, w);
    }
    return event_lanes_hash(event_fold_end(lanes));
}

#endif
