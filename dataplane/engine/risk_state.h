// SPDX-License-Identifier: Apache-2.0
// What pre-trade risk keeps (risk.md). Only days with positions (CMD_OPEN_DAY's max_positions) have any of it.
//
//   order --position--> struct position (account x symbol)     parties: accounts | firms | sessions
//   session, symbol --> struct order_limits: the tightest of all scopes, worked out when a limit changes
#ifndef CROSSWIRE_ENGINE_RISK_STATE_H
#define CROSSWIRE_ENGINE_RISK_STATE_H

#include "contract/command.h"
#include "engine/alike.h"
#include "engine/tokens.h"

// What is added up for a session, an account and a firm, and limited.
enum use { USE_GROSS, USE_NET, USE_DAY_QUANTITY, USE_DAY_VALUE, USE_ORDERS, USES };

// The same and what it is made of, kept ready as they are compared: money is 1/10,000.
enum figure {
    FIGURE_GROSS,        // not of a session: sum of |cost| over positions, and working notional of both sides
    FIGURE_DAY_VALUE,    // executed today, and working notional
    FIGURE_DAY_QUANTITY, // executed today, and working
    FIGURE_ORDERS,       // live
    FIGURE_NET_BUY,      // not of a session: costs at the start, bought less sold, and working notional of buys
    FIGURE_NET_SELL,     // the opposite, and working notional of sells
    FIGURE_QUANTITY,     // executed today
    FIGURE_VALUE,
    FIGURES
};

typedef uint64_t risk_lanes __attribute__((vector_size(32)));

// An account, a firm or a session. A figure above `watch` is looked at closely: its limit, or the next alert level if
// that is lower. Kept is how far it is below: `room` is watch - figure, two's complement. While its firm is leased,
// less what its sessions have in their own lines (lease.h).
struct party {
    union {
        uint64_t room[FIGURES];
        risk_lanes lanes[FIGURES / 4];
    };
    int64_t watch[FIGURES]; // at most WATCH_NEVER
};
_Static_assert(sizeof(struct party) == 128, "what changes, and what it is made of: a line each");

#define WATCH_NEVER (INT64_MAX / 2) // so that the room of a figure below 0 does not overflow

static inline int64_t party_figure(const struct party *party, enum figure figure)
{
    return (int64_t)((uint64_t)party->watch[figure] - party->room[figure]);
}

static inline void party_add(struct party *party, enum figure figure, int64_t by)
{
    party->room[figure] -= (uint64_t)by;
}

// What a position has besides, for executions. Windows begin with their first execution.
struct holding {
    uint64_t repeated_began;
    uint64_t quiet_from; // while its position waits: the last execution
    uint64_t mmp_began, mmp_quantity;
    uint32_t mmp_fills;
    uint32_t repeated;
    uint64_t unused[3];
};
_Static_assert(sizeof(struct holding) == 64, "one line");

// An account's position in a symbol. Never taken away during a day. Orders touch the first line; the second comes with
// it as its pair.
struct position {
    uint16_t account, locate;
    uint32_t day;         // executed today
    int64_t quantity;     // negative: short
    int64_t cost;         // at average cost, with the sign of quantity
    int64_t cash;         // sold less bought, less the cost at the start: cash + cost is the realised result
    uint32_t working[2];  // open in live orders
    uint64_t notional[2]; // of these
    uint32_t state;       // bits below: POSITION_BEGUN alone where its orders are plain to risk
    uint32_t marked;      // price that it has been counted at in the account's result, 0: it counts nothing
    struct holding holding;
};
_Static_assert(sizeof(struct position) == 128 && offsetof(struct position, holding) == 64, "two lines");

enum {
    POSITION_BEGUN = 1 << 0,
    POSITION_BOUNDED = 1 << 1, // its back has limits
    POSITION_WAITS = 1 << 2,   // for a quiet time: repeated executions
    POSITION_GROUPED = 1 << 3, // its account's groups are kept, and its symbol is in one (losses.h)
};

// What of a position is rare.
struct position_back {
    uint64_t most[2]; // its own limits, by side as in struct session_line; LIMIT_UNSET none
};

// What single orders are watched by: one that is above is looked at closely (single.h). Of a session: of the tightest
// of venue, firm, account and session.
struct order_limits {
    uint64_t notional;
    uint32_t quantity;
    uint32_t forbidden; // enum permission; | LOOK_CLOSELY | LOOK_FIRM_VOLUME | LOOK_COLLAR
};
struct fat_finger {
    uint32_t ppm, ticks; // LIMIT_UNSET32 none
};

#define LOOK_CLOSELY (1u << 31)     // no order of the session is plain to risk
#define LOOK_FIRM_VOLUME (1u << 30) // its firm has an ADV limit
#define LOOK_COLLAR (1u << 29)      // a collar applies

// All that an order of a session is compared with: what it may add (lease.h), and alert levels, less one, where there
// are. A cancel or an execution touches the first line, an order three; its buckets are in struct session, which each
// of them reads.
struct session_line {
    _Alignas(64) risk_lanes room[FIGURES / 4]; // by figure

    struct order_limits limits;
    struct alike_limit alike;
    uint64_t share;         // of its account: POSITION_SHARE of CAPITAL as money
    int64_t most[2];        // of its account: BUY: long position of a symbol, SELL: short; INT64_MAX none
    uint32_t firm_quantity; // its firm's FIGURE_DAY_QUANTITY is no more
    uint32_t account;       // party

    struct alike_tags tags;

    risk_lanes given[FIGURES / 4]; // what room was when it was given

    uint32_t firm;    // party
    uint32_t adv_ppm; // of its account: LIMIT_UNSET32 none
    struct fat_finger fat;
};
_Static_assert(sizeof(struct session_line) == 320, "five lines");
_Static_assert(offsetof(struct session_line, limits) == 64 && offsetof(struct session_line, tags) == 128 &&
                   offsetof(struct session_line, given) == 192,
               "lines by who reads them");

// By account: what it has sessions of; of a firm, by its first account, all its sessions.
struct lease_holder {
    uint64_t again;    // no lease is given before this sequence
    uint32_t first;    // session + 1
    uint32_t sessions; // of the firm
    uint32_t own;      // of the account
    bool leased;       // its sessions have leases
};

#define LIMIT_UNSET32 UINT32_MAX

// Shares executed today and working of one session, account or firm, whatever the limits: so that money never needs
// more than 63 bits. Adjustments and starting positions are held to it too.
#define RISK_QUANTITY_MAX UINT64_C(4000000000)
#define RISK_COST_MAX INT64_C(1000000000000000000) // sum of the costs at the start of an account, a firm
#define RISK_POSITION_MAX INT64_C(1000000000000)   // shares of a position at the start
_Static_assert(RISK_QUANTITY_MAX <= UINT32_MAX, "a position's sums of shares are 32 bits");
_Static_assert((unsigned __int128)RISK_QUANTITY_MAX *PRICE_MAX + RISK_COST_MAX < INT64_MAX,
               "notionals, values, costs and cash are below 2^63");
_Static_assert((uint64_t)QUANTITY_MAX *PRICE_MAX < UINT64_C(1) << 51, "one order's notional");
_Static_assert((unsigned __int128)RISK_QUANTITY_MAX *PRICE_MAX + RISK_COST_MAX + (uint64_t)QUANTITY_MAX * PRICE_MAX <
                   INT64_MAX,
               "and with an order that is about to be refused");
_Static_assert(LIMIT_MOST_MONEY <= RISK_COST_MAX && LIMIT_MOST_QUANTITY <= WATCH_NEVER,
               "what is watched is a limit as it was set");
_Static_assert((unsigned __int128)PRICE_MAX *UINT32_MAX < INT64_MAX,
               "a price in millionths, in ticks: compared with a sign, no limit as well");
_Static_assert((unsigned __int128)LIMIT_MOST_QUANTITY *LIMIT_MOST_PPM < INT64_MAX,
               "an average day's volume in millionths");
_Static_assert((RISK_QUANTITY_MAX + QUANTITY_MAX) * LIMIT_MOST_PPM < INT64_MAX, "shares in millionths");

// What no session's limits are below, as they are watched; LIMIT_UNSET32: none has any. A symbol keeps ready what they
// come to at its mark, and only an order beyond that is held against its own session's.
struct tightest {
    struct fat_finger fat;
    uint32_t adv_ppm;
    uint32_t collar_ppm; // and no symbol's
};

struct risk {
    uint32_t positions_limit; // 0: a day without risk
    uint32_t positions_count;
    struct position *positions; // 0 is nobody's
    uint32_t *begun;            // 1..positions_count: their numbers in the order of their coming
    uint32_t row;               // symbols, where each account has a place for each (positions.h); else 0
    struct position_back *backs;
    uint64_t *index; // where there is no place for all, open addressing: key << 32 | position
    uint32_t index_mask;
    uint32_t refused;           // enum limit that refused the last order that was checked, LIMITS none
    uint64_t checked;           // its command's sequence
    struct session_line *lines; // by session
    struct lease_holder *holders;
    uint32_t *siblings; // by session: the next one of its firm, + 1; 0 none
    uint16_t *firms;    // by account: the firm's first account
    struct tightest tightest;
    uint64_t (*limits)[LIMITS]; // as set: venue, firms, accounts, sessions, symbols
};

#endif
