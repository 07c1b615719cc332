// SPDX-License-Identifier: Apache-2.0
// A flow: the orders that a run will send, in the order in which it means to send them. Made whole before the run
// begins, so that making it is not measured.
#ifndef CROSSWIRE_PERF_FLOW_H
#define CROSSWIRE_PERF_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum intent_kind { INTENT_ENTER, INTENT_REPLACE, INTENT_CANCEL, INTENT_RAW, INTENT_KINDS };

// What kind of order is entered, or takes another's place.
enum intent_type {
    TYPE_PLAIN,
    TYPE_FILL_OR_KILL,
    TYPE_HIDDEN,
    TYPE_MINIMUM, // hidden, with half of its quantity as a minimum
    TYPE_ATTRIBUTED,
    TYPE_RESERVE, // a fifth displayed, or so
    TYPE_POST_ONLY,
    TYPE_TIMED,
    TYPE_DISCRETION,
    TYPE_AIQ,
    TYPE_PRIMARY_PEG, // from here on: not in the book at a price of its own
    TYPE_MIDPOINT_PEG,
    TYPE_STOP,
    TYPE_TRAILING,
    INTENT_TYPES
};

// What a session means to do next. Orders are named by the input's own ids, dense and ascending from 1.
struct intent {
    uint8_t kind;      // enum intent_kind
    uint8_t session;   // index into the run's sessions
    char side;         // B or S; of the target on REPLACE and CANCEL
    char tif;          // ENTER, REPLACE: '0' day, '3' immediate or cancel
    uint16_t symbol;   // index into the run's symbols
    uint16_t raw_size; // RAW: bytes of the OUCH message at raw[raw_offset]
    uint32_t id;       // ENTER, REPLACE: the new order. CANCEL: 0
    uint32_t target;   // REPLACE, CANCEL
    uint32_t quantity; // ENTER: the order's; REPLACE: what the new order shall have left to trade, fresh
    uint32_t price;    // 1/10,000
    uint8_t type;      // enum intent_type
    uint32_t detail;   // STOP, TRAILING: stop price, trail amount; DISCRETION: discretion price; AIQ: strategy
    uint64_t due_ns;   // RAW and a capture's timing: ns since the first one; else 0
    uint64_t raw_offset;
};

struct flow {
    struct intent *intents;
    uint64_t count;
    uint32_t orders;  // the highest id
    uint32_t symbols; // how many symbols the flow names
    uint32_t sessions;
    bool exact;   // quantities of replaces depend on every execution before them: wait for what may have traded
    bool timed;   // due_ns is meaningful
    uint8_t *raw; // bytes of RAW intents
    size_t raw_size;
};

// How a day is made up. Shares are in percent and sum to at most 100; what is left is marketable.
struct flow_plan {
    uint64_t seed;
    uint64_t orders; // messages to make, the opening book included
    uint32_t sessions;
    uint32_t symbols;
    bool all_types;   // one order in five is other than plain
    uint32_t resting; // orders that the book of all symbols together is kept near
    // Symbols that a session may trade: bit s of reach[session]; all zero: all.
    uint64_t reach[64];
};

// Makes a day of realistic statistics: 46% adds at a power-law depth around a fair price that walks, 39% cancels that
// prefer recent orders, 10% replaces, 5% marketable, half of them immediate-or-cancel. The same plan gives the same
// flow on every machine of one C library. Returns 0, or -1 when memory ran out.
int flow_generate(struct flow *flow, const struct flow_plan *plan);

// Reads a stream file (OBSTRM01: header of 128 bytes, records of 32). One session. Returns 0, or -1 with one line in
// error.
int flow_read_stream(struct flow *flow, const char *path, char *error, size_t error_size);

// Reads the client's UFO datagrams out of a capture (pcap or pcapng, Ethernet, Linux cooked or raw IP) and makes one
// RAW intent of each OUCH message, timed as captured; every source address becomes a session in order of appearance, at
// most `sessions` of them. Logins, heartbeats and requests of the capture are left out: the run makes its own.
int flow_read_capture(struct flow *flow, const char *path, uint16_t server_port, uint32_t sessions, char *error,
                      size_t error_size);

// Whether a file begins as a stream file does.
bool flow_is_stream(const char *path);

void flow_free(struct flow *flow);

#endif
