// SPDX-License-Identifier: Apache-2.0
// The plain venue's risk: its own reading of the engine's pages of risk. What is working is added up anew each time by
// walking over all live orders.
#ifndef CROSSWIRE_TESTS_NAIVE_RISK_H
#define CROSSWIRE_TESTS_NAIVE_RISK_H

#include "tests/support/naive_state.h"

#define NAIVE_MOST 256 // accounts, sessions, symbols of a day with risk
#define NAIVE_STAGES 7

typedef __int128 wide;

// Limits of one scope, each with 1 added: 0 is LIMIT_UNSET.
struct naive_limits {
    uint64_t more[LIMITS];
};

struct naive_bucket {
    uint64_t due;
    bool told;
    char pending; // a, e: to be told
};

struct naive_position {
    uint16_t account, locate;
    wide quantity, cost, cash, result;
    uint64_t executed;
    struct naive_limits limits;
    bool waits, counts; // repeated executions
    uint64_t last_ns, began_ns, count;
    bool mmp_counts;
    uint64_t mmp_began_ns, mmp_count, mmp_quantity;
};

struct naive_kind { // of order
    bool used;
    uint16_t locate;
    char side;
    uint32_t quantity, price;
    uint64_t began_ns, count;
};

struct naive_party { // account, firm or session
    struct naive_limits limits;
    wide result, peak, net;
    bool told[NAIVE_STAGES][2]; // alert, slow
};

struct naive_trader { // what sessions have besides
    uint64_t quantity;
    wide value;
    struct naive_bucket orders, messages, slow;
    uint64_t slow_rate; // of the last order that was slowed
    struct naive_kind kinds[32];
    unsigned next_kind;
    uint64_t alike, alike_limit; // to be told: count, 0 none
    struct {                     // alert levels of single orders
        bool due;
        uint64_t quiet_until; // nothing is told before
        uint16_t locate;
        enum limit limit;
        uint64_t before, after;
    } single;
    struct {
        bool due;
        uint16_t locate;
        enum limit limit;
        uint64_t before, after;
    } mmp;
};

struct naive_risk {
    struct naive_limits venue, symbols[NAIVE_MOST];
    struct naive_party accounts[NAIVE_MOST], firms[NAIVE_MOST], sessions[NAIVE_MOST];
    struct naive_trader traders[NAIVE_MOST];
    struct naive_bucket symbol_rates[NAIVE_MOST];
    uint16_t groups[NAIVE_MOST];
    struct naive_position *positions;
    size_t positions_count;
    struct {
        bool on, block;
        uint32_t percent, rate;
    } modes[256];
    uint32_t percent; // the smallest of those that are on
    size_t next_mark;
    bool marked; // in this command
};

// What orders and executions come to, of a session, an account, a firm or a position.
struct naive_sums {
    wide quantity[2], notional[2]; // working: sells, buys
    uint64_t orders;
    wide executed, value;
};

uint16_t naive_account(const struct naive_venue *v, uint16_t session);
uint16_t naive_firm(const struct naive_venue *v, uint16_t account); // its first account
// The limit as it applies, modes included; LIMIT_UNSET none.
uint64_t naive_limit(const struct naive_venue *v, enum scope scope, uint16_t index, enum limit limit);
uint64_t naive_scaled(const struct naive_venue *v, enum limit limit, uint64_t value);
uint64_t naive_position_limit(const struct naive_venue *v, const struct naive_position *p, enum limit limit);
bool naive_belongs(const struct naive_venue *v, enum scope scope, uint16_t index, uint16_t session);
struct naive_sums naive_position_sums(const struct naive_venue *v, uint16_t account, uint16_t locate);
struct naive_sums naive_sums(const struct naive_venue *v, enum scope scope, uint16_t index);
wide naive_gross(const struct naive_venue *v, enum scope scope, uint16_t index);
wide naive_net(const struct naive_venue *v, enum scope scope, uint16_t index);
wide naive_cost_price(const struct resting *o); // that it counts with while it is live
uint32_t naive_mark(const struct naive_venue *v, uint16_t locate);
uint64_t naive_alert_percent(const struct naive_venue *v, enum scope scope, uint16_t index);
uint64_t naive_level(uint64_t limit, uint64_t percent);
struct naive_position *naive_position(struct naive_venue *v, uint16_t account, uint16_t locate);
struct naive_position *naive_position_begun(struct naive_venue *v, uint16_t account, uint16_t locate); // NULL: full
void naive_alert(struct naive_venue *v, char kind, enum scope scope, uint16_t index, uint16_t locate, unsigned limit,
                 uint64_t before, uint64_t after, char reason);

// naive_checks.c: tells the session's alert when the use is at the limit's level.
void naive_near(struct naive_venue *v, uint16_t session, uint16_t locate, enum limit limit, uint64_t most, wide used);

// naive_rates.c
int naive_rates_check(struct naive_venue *v, const struct command *c, const struct resting *o);
void naive_rates_renew(struct naive_venue *v);
void naive_rates_tell(struct naive_venue *v, uint16_t session);
void naive_rates_tell_symbols(struct naive_venue *v);
bool naive_mode_blocks(const struct naive_venue *v);
void naive_mode(struct naive_venue *v, const struct command *c);

// naive_losses.c
void naive_mark_position(struct naive_venue *v, struct naive_position *p, uint32_t mark); // 0: it counts nothing
int naive_repeated_check(struct naive_venue *v, const struct naive_position *p);
void naive_position_trades(struct naive_venue *v, uint16_t session, uint16_t locate, wide bought, uint32_t price,
                           int executed);
extern const enum limit naive_stages[NAIVE_STAGES];

#endif
