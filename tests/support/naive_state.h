// SPDX-License-Identifier: Apache-2.0
// Inside of the plain venue: its state, and what its parts do for each other. The rules are those of the engine's rule
// page, read once more and written down without any cleverness.
#ifndef CROSSWIRE_TESTS_NAIVE_STATE_H
#define CROSSWIRE_TESTS_NAIVE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/naive_venue.h"

// A live order: in the book, waiting for a price or a trigger, or just taking.
struct resting {
    uint64_t ref;
    uint64_t since;   // when it came to rest where it is
    uint64_t entered; // when it was accepted or last replaced
    uint64_t expires; // TIF 6: ns
    uint32_t price;   // where it stands; as entered when it stands nowhere
    uint32_t open;    // all that is left
    uint32_t shown;   // in the book: what can trade at once, all but the reserve
    uint32_t min;
    uint32_t user_ref, asked, executed;
    uint16_t session, locate, group;
    uint8_t channel;
    char side, capacity, tif, display, strategy, type;
    bool in_book, waits; // waits: for its trigger
    bool market, plain, conditional, post, displayed, discretion;
    bool triggered;
    char trigger; // S, T, 0: none, or used up
    bool extreme_known;
    uint32_t extreme;     // of a trailing stop: highest or lowest trade
    uint32_t edge;        // of a collar: a market order takes no farther, 0 none
    uint32_t floor;       // MaxFloor, 0 when it asks for nothing
    struct command terms; // option values as first sent, overlaid by replaces
};

struct symbol {
    bool open, traded;
    bool touched; // an order of it has been spoken of: only then can pegs and stops have something to do
    char name[8];
    uint32_t tick, last;
    uint32_t close; // of the day before
    uint64_t adv;
    struct naive_market *market;
    unsigned pegs_and_stops;
};

struct client {
    bool open, up, disabled, cancel_when_lost, cancel_when_off, post_only_cancels;
    char strategy;
    uint16_t account;
    uint32_t last[256];
};

struct account {
    bool open;
    char firm[4], organisation[16];
};

struct deal { // a trade of the day
    bool broken;
    struct event event;
};

struct naive_block { // orders of this scope and side are not taken
    uint8_t scope;
    uint16_t index;
    bool buys;
    unsigned source;
};

struct naive_request { // a kill by a limit
    uint8_t scope;
    uint16_t index;
    unsigned limit;
    uint64_t before, after;
};

struct naive_venue {
    struct resting **orders; // live, in the order of entry or last replace
    size_t live, room, expiring;
    struct resting *spare[64];
    unsigned spares;
    struct symbol symbols[65536];
    uint32_t last_locate;
    struct client *clients[65536];
    uint32_t last_session;
    struct account accounts[65536];
    int day; // 0 none, 1 opening, 2 open, 3 ended
    char phase;
    struct command open;
    uint64_t next_ref, next_match, first_match, now, moments, generator;
    struct deal *deals;
    size_t deals_count, deals_room;
    struct naive_block blocks[4096];
    size_t blocks_count;
    struct naive_risk *risk;  // NULL: a day without
    uint64_t market_wide_end; // 0: no such halt
    uint8_t market_wide_level, breached;
    uint64_t declared[3];
    uint64_t ten_seconds; // the last of which there was a tick, 1 added
    struct naive_request requests[64];
    size_t requests_count;
    const struct command *command;
    struct event *events;
    size_t count, events_room;
    enum naive_outcome outcome;
};

static inline bool naive_has(const struct command *c, int tag)
{
    return c->options >> tag & 1;
}

static inline bool naive_buys(const struct resting *o)
{
    return o->side == 'B';
}

// ---- events (naive_events.c): each adds one to the answer to the command at hand

struct event *naive_event_add(struct naive_venue *v, enum event_type type, unsigned lines);
struct event *naive_event_of(struct naive_venue *v, enum event_type type, unsigned lines, const struct resting *o);
void naive_say_canceled(struct naive_venue *v, const struct resting *o, uint32_t quantity, char reason, int flag);
void naive_say_rejected(struct naive_venue *v, int code);
struct event *naive_say_live(struct naive_venue *v, enum event_type type, const struct resting *o);
void naive_say_shown(struct naive_venue *v, enum event_type type, const struct resting *o);
void naive_say_system(struct naive_venue *v, char code, bool market_data);
void naive_say_day(struct naive_venue *v, enum event_type type);

// ---- live orders (naive_venue.c)

struct resting *naive_find(struct naive_venue *v, uint16_t session, uint8_t channel, uint32_t user_ref);
struct resting *naive_add(struct naive_venue *v, const struct resting *o);
void naive_drop(struct naive_venue *v, struct resting *o);
// Cancels the order whole and drops it.
void naive_cancel_whole(struct naive_venue *v, struct resting *o, char reason);
bool naive_seen(const struct resting *o); // displayed, and in the book

// ---- matching (naive_match.c)

// Whether something of the contra book stands where the order's limit reaches.
bool naive_crosses(struct naive_venue *v, const struct resting *o);
// Takes; then what is left rests (`announced`: the feed knows it already) or is canceled. The order may be gone then.
void naive_take(struct naive_venue *v, struct resting *o, bool rests, bool announced);

// Remembers a trade, while there is room.
void naive_keep(struct naive_venue *v, const struct event *event);

// ---- pegs, discretion, stops (naive_after.c)

// Best displayed price of a side, 0 when there is none.
uint32_t naive_best(struct naive_venue *v, uint16_t locate, bool buys);
// The peg's price now, 0 when it has none.
uint32_t naive_peg_price(struct naive_venue *v, const struct resting *o);
// How far a discretionary order goes now: its discretion price, or its price.
uint32_t naive_discretion(struct naive_venue *v, const struct resting *o);
// A trade has happened: stops look at it.
void naive_stops_see(struct naive_venue *v, uint16_t locate, uint32_t price);
// Whether the last trade triggers the order now; sets the start of a trailing one.
bool naive_stop_begins(struct naive_venue *v, struct resting *o);
// Whether what is left of a stop that has gone on may rest.
bool naive_stop_rests(const struct naive_venue *v, const struct resting *o);
// What a command leaves to pegs and stops.
void naive_after(struct naive_venue *v);

// ---- the kill switch (naive_kill.c)

bool naive_killed(const struct naive_venue *v, const struct resting *o); // an order that is to come
void naive_kill(struct naive_venue *v, const struct command *c);
void naive_reset(struct naive_venue *v, const struct command *c);
// A limit kills an account or a firm, when naive_kills_requested is next called.
void naive_kill_request(struct naive_venue *v, enum scope scope, uint16_t index, unsigned limit, uint64_t before,
                        uint64_t after);
void naive_kills_requested(struct naive_venue *v);

// ---- risk (naive_risk.c, naive_rates.c, naive_losses.c)

void naive_risk_open(struct naive_venue *v);
void naive_risk_free(struct naive_venue *v);
void naive_risk_command(struct naive_venue *v, const struct command *c);
// All of risk's checks of an order that is otherwise valid; 0: it may come. `original`: that it replaces.
int naive_risk_check(struct naive_venue *v, const struct command *c, struct resting *o, const struct resting *original);
void naive_rates_message(struct naive_venue *v, const struct command *c); // any but Enter and Replace
void naive_risk_trade(struct naive_venue *v, const struct event *trade);
void naive_risk_amend(struct naive_venue *v, const struct event *trade, int sign);
bool naive_risk_amends(struct naive_venue *v, const struct event *trade, uint32_t quantity);
void naive_settle(struct naive_venue *v);

// ---- what an order asks for (naive_terms.c)

// Rule 2 from the phase on, but for the tables. `o` has terms, side and symbol.
int naive_terms_code(struct naive_venue *v, const struct command *c, const struct resting *o, bool has_time);
// Fills in what follows from valid terms.
void naive_settle_terms(struct naive_venue *v, struct resting *o, const struct command *c);
// Rule 7. Returns whether the order may live: false, it is to be canceled after it has been accepted.
bool naive_slides(struct naive_venue *v, struct resting *o);

// ---- Cancel and Modify (naive_amend.c)

void naive_cancel(struct naive_venue *v, const struct command *c);
void naive_modify(struct naive_venue *v, const struct command *c);
bool naive_side_may_become(char now, char asked);

// ---- orders (naive_orders.c)

void naive_enter(struct naive_venue *v, const struct command *c);
void naive_replace(struct naive_venue *v, const struct command *c);
bool naive_new_number(struct naive_venue *v);
bool naive_firm_ok(struct naive_venue *v, const struct command *c);

#endif
