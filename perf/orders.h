// SPDX-License-Identifier: Apache-2.0
// What one session knows of its orders and of what it asked for, and the checks: every message answered as OUCH
// demands, quantities conserved, nothing said of an order that can not be.
//
//   sent --> outstanding --+--> answered        A, U, C, J that names it
//                          +--> silent by rule  OUCH answers nothing: its order is gone (cancel, replace)
//                          +--> lost            a later message is answered, this one should have been
//
// The venue takes a port's messages strictly in order, so an answer settles everything before it.
#ifndef CROSSWIRE_PERF_ORDERS_H
#define CROSSWIRE_PERF_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/flow.h"
#include "perf/histogram.h"

enum order_state { ORDER_NONE, ORDER_SENT, ORDER_LIVE, ORDER_DEAD };

struct order {
    uint64_t request;  // position of the request that makes it
    uint32_t id;       // the input's
    uint32_t open;     // SENT: what was asked for; then what can still trade, as the venue told
    uint32_t executed; // of the whole replace chain
    uint32_t price;
    uint16_t symbol;
    uint16_t asked; // cancels and replaces of it that are outstanding
    uint8_t state;  // enum order_state
    char side;
};

enum request_state { REQUEST_OUTSTANDING, REQUEST_ANSWERED, REQUEST_SILENT, REQUEST_LOST };

#define REQUEST_BYTES 160

struct request {
    uint64_t due_ns; // the intended time of sending
    uint32_t ref;    // UserRefNum of the order it makes, 0: none
    uint32_t target; // UserRefNum that it cancels or replaces, 0: none
    uint8_t kind;    // enum intent_kind; RAW: anything that makes, replaces or cancels no order, account queries too
    uint8_t state;   // enum request_state
    char expects;    // RAW: the type of its answer
    uint8_t times;   // sent, at least 1
    uint8_t index;   // account query: its UserRefIdx, which the answer names
    uint16_t size;   // bytes of the message
    uint8_t message[REQUEST_BYTES];
};

enum answer_type { ANSWER_ACCEPTED, ANSWER_REPLACED, ANSWER_CANCELED, ANSWER_REJECTED, ANSWER_OTHER, ANSWER_TYPES };

// What is counted. sent = accepted + rejected + silent + lost + outstanding.
struct order_counts {
    uint64_t sent, accepted, rejected, silent, lost;
    uint64_t violations;    // of OUCH's rules or of conservation
    uint64_t messages[128]; // sequenced messages taken, by OUCH type
};

// One side of a trade, as the session hears of it.
struct fill {
    uint64_t match;
    uint32_t id; // the input's order id
    uint32_t quantity;
    uint32_t price;
    char liquidity;
};

struct orders_hooks {
    void *context;
    void (*fill)(void *context, const struct fill *fill);
    // A request that was not taken by the venue: it should be sent again. Valid during the call.
    void (*lost)(void *context, const struct request *request);
    // An account query of ours is answered: everything before it is settled.
    void (*query)(void *context, uint8_t index);
};

struct orders {
    struct order *table; // by UserRefNum
    uint32_t room;
    uint32_t first_ref; // orders below are of an earlier run of the day: what is said of them is only counted
    uint32_t highest;   // highest UserRefNum that the venue has taken
    struct request *requests;
    uint32_t mask;
    uint64_t settled; // requests before this position are settled, their trades included
    uint64_t next;    // position of the next request
    uint32_t outstanding;
    struct order_counts counts;
    struct histogram *latency; // ANSWER_TYPES of them, or NULL
    struct orders_hooks hooks;
    const char *user; // for messages
};

// Takes memory for UserRefNums below `room` and `outstanding` requests. Returns 0, or -1.
int orders_init(struct orders *orders, uint32_t room, uint32_t outstanding);
void orders_free(struct orders *orders);

// Whether there is room for another request.
bool orders_ready(const struct orders *orders);

// Notes a copy of `request` as outstanding (state is set here). A cancel or replace of an order that is known to be
// dead is settled at once, OUCH promises silence. `again`: it was lost before and is not counted as sent another time.
void orders_sent(struct orders *orders, const struct request *request, bool again);

// Begins an order in the table, before orders_sent of the request that makes it. `quantity` as in the message.
void orders_enter(struct orders *orders, uint32_t ref, uint32_t id, char side, uint16_t symbol, uint32_t price,
                  uint32_t quantity);

// The order behind a UserRefNum, or NULL when there never was one.
struct order *orders_find(struct orders *orders, uint32_t ref);

// Takes one sequenced OUCH message, in order.
void orders_take(struct orders *orders, const uint8_t *message, size_t size, uint64_t now_ns);

// Whether an order may have traded since we last heard: it is outstanding itself, or something on the other side of its
// book at a crossing price is not settled.
bool orders_may_trade(struct orders *orders, uint32_t ref);

// At the end: an order that says it is live but has nothing open, or the reverse, is a violation.
void orders_close(struct orders *orders);

#endif
