// SPDX-License-Identifier: Apache-2.0
// Inside of the plain venue: its state, and what it says.
#ifndef CROSSWIRE_TESTS_NAIVE_STATE_H
#define CROSSWIRE_TESTS_NAIVE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/naive_venue.h"

struct resting {
    uint64_t ref;
    uint32_t user_ref, price, open, executed;
    uint16_t session, locate, group;
    uint8_t channel;
    char side, capacity;
    struct command echo; // option values as first sent, overlaid by replaces
};

struct symbol {
    bool open;
    char name[8];
    uint32_t tick;
};

struct client {
    bool open, up, disabled, cancel_on_disconnect;
    uint16_t account;
    uint32_t last[256];
};

struct naive_venue {
    struct resting *orders;
    size_t live, room;
    struct symbol symbols[65536];
    struct client *clients[65536];
    char firms[65536][4];
    bool accounts[65536];
    int day; // 0 none, 1 opening, 2 open, 3 ended
    struct command open;
    uint64_t next_ref, next_match, now;
    const struct command *command;
    struct event *events;
    size_t count, events_room;
    enum naive_outcome outcome;
};

// Tags that Replaced and Accepted echo, but UserRefIdx.
#define NAIVE_ECHO_U (1u << 2 | 1u << 3 | 1u << 5 | 1u << 6 | 1u << 12 | 1u << 16 | 1u << 17 | 1u << 29 | 1u << 30)
#define NAIVE_ECHO_A (NAIVE_ECHO_U | 1u << 4 | 1u << 7 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 24 | 1u << 25)

// Each adds an event to the answer to the command at hand.
struct event *naive_event_add(struct naive_venue *v, enum event_type type, unsigned lines);
struct event *naive_event_of(struct naive_venue *v, enum event_type type, unsigned lines, const struct resting *o);
void naive_say_canceled(struct naive_venue *v, const struct resting *o, uint32_t quantity, char reason, int flag);
void naive_say_rejected(struct naive_venue *v, int code);
void naive_echo_shared(struct event *event, const struct command *echo, uint32_t tags);
struct event *naive_say_live(struct naive_venue *v, enum event_type type, const struct resting *o);
void naive_say_system(struct naive_venue *v, char code, bool market_data);
void naive_say_day(struct naive_venue *v, enum event_type type);

#endif
