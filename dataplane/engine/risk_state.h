// SPDX-License-Identifier: Apache-2.0
// What pre-trade risk keeps (risk.md). Only days with positions (CMD_OPEN_DAY's max_positions) have any of it.
//
//   order --position--> struct position (account x symbol)     parties: accounts | firms | sessions
//   session, symbol --> struct order_limits: the tightest of all scopes, worked out when a limit changes
#ifndef CROSSWIRE_ENGINE_RISK_STATE_H
#define CROSSWIRE_ENGINE_RISK_STATE_H

#include "contract/command.h"

// What is added up for a session, an account and a firm, and limited.
enum use { USE_GROSS, USE_NET, USE_DAY_QUANTITY, USE_DAY_VALUE, USE_ORDERS, USES };

// An account, a firm or a session. Money is 1/10,000.
struct party {
    struct {
        uint64_t quantity; // open in live orders (rules.md section 20)
        uint64_t notional; // times price
    } side[2];
    uint64_t day_quantity, day_value; // executed today
    uint64_t gross;                   // sum of |cost| over its positions; not of a session
    int64_t net;                      // costs at the start, bought less sold
    // Second line: a use above `watch` is looked at closely: its limit, or the next alert level if that is lower.
    uint64_t watch[USES];
    uint64_t most[2]; // BUY: long position of a symbol, SELL: short
    uint32_t orders;  // live
    uint32_t told;    // stages that are told (R1b)
};
_Static_assert(sizeof(struct party) == 128, "what changes, and what it is compared with: a line each");

// An account's position in a symbol. Never taken away during a day; numbered in the order of their coming.
struct position {
    uint16_t account, locate;
    uint32_t day;         // executed today
    int64_t quantity;     // negative: short
    int64_t cost;         // at average cost, with the sign of quantity
    int64_t cash;         // sold less bought, less the cost at the start: cash + cost is the realised result
    uint32_t working[2];  // open in live orders
    uint64_t notional[2]; // of these
    uint32_t bounded;     // its back has limits
    uint32_t unused;
};
_Static_assert(sizeof(struct position) == 64, "one line");

// What of a position is rare.
struct position_back {
    uint64_t most[2]; // its own limits, by side as in struct party; LIMIT_UNSET none
};

// Limits of a single order. Of a session: the tightest of venue, firm, account and session.
struct order_limits {
    uint64_t notional;
    uint32_t quantity;
    uint32_t fat_ppm, fat_ticks;
    uint32_t forbidden; // enum permission
};

struct session_line {
    struct order_limits limits;
    uint32_t account, firm, own; // parties
};

struct account_line {
    uint64_t share;   // POSITION_SHARE of CAPITAL as money
    uint64_t adv_ppm; // LIMIT_UNSET none
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

struct risk {
    uint32_t positions_limit; // 0: a day without risk
    uint32_t positions_count;
    struct position *positions; // 1..positions_count; 0 is nobody's
    struct position_back *backs;
    uint64_t *index; // open addressing: key << 32 | position
    uint32_t index_mask;
    uint32_t refused;             // enum limit that refused the last order that was checked, LIMITS none
    uint64_t checked;             // its command's sequence
    struct session_line *lines;   // by session
    struct order_limits *symbols; // by locate
    struct account_line *accounts;
    uint16_t *firms;            // by account: the firm's first account
    uint64_t (*limits)[LIMITS]; // as set: venue, firms, accounts, sessions, symbols
};

#endif
