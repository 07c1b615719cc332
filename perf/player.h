// SPDX-License-Identifier: Apache-2.0
// Plays a flow over the lines of all sessions: pace, order, waiting where the flow asks for it, the end.
#ifndef CROSSWIRE_PERF_PLAYER_H
#define CROSSWIRE_PERF_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/client_line.h"
#include "perf/flow.h"
#include "perf/options.h"
#include "perf/trades.h"

struct player {
    const struct options *options;
    struct flow flow;
    struct transport *transports[DEVICES_MAX];
    unsigned transports_count;
    struct capture *capture;
    struct record *record;
    struct line lines[SESSIONS_MAX];
    uint8_t line_of[DEVICES_MAX][SESSIONS_MAX]; // by device and channel
    unsigned lines_count;
    uint32_t *ref_of; // UserRefNum by the input's order id
    uint64_t cursor;  // the next intent
    uint64_t part;    // intents that may be sent so far
    uint64_t began_ns, ended_ns;
    uint64_t moved_ns; // when anything last got on
    uint64_t shown_ns, shown_sent, recorded_ns;
    bool yields;
    struct histogram *latency; // ANSWER_TYPES
    struct trades trades;
};

// What the lines have counted, together.
struct player_totals {
    struct order_counts counts;
    uint64_t outstanding, waiting; // waiting: lost, not yet sent again
    uint64_t resent, recoveries, retransmissions;
    uint64_t gaps; // messages that are missing for good
};

// Opens transports and lines for a flow, which becomes the player's. Returns 0, or a sysexits code with one line in
// error.
int player_open(struct player *player, const struct options *options, struct flow *flow, char *error,
                size_t error_size);

// Plays it. Returns true when all was sent and answered, false when the grace time passed or a signal came (stop).
bool player_run(struct player *player);

// Fetches all of every session's stream again, for the record. False when the grace time passed.
bool player_reread(struct player *player);

// Logs off and closes what was opened, the record included. Returns 0, or -1 when the record or capture was not
// written.
int player_close(struct player *player);

void player_total(const struct player *player, struct player_totals *totals);

// Asks player_run to end; safe in a signal handler.
void player_stop(void);

#endif
