// SPDX-License-Identifier: Apache-2.0
// One session's line to the venue: login, what was missed, sending, and the way back after a crash.
//
//   LOGIN --logged in, nothing missing: account query--> SYNC --answered--> READY
//     ^                                                                       |
//     +------------- silence, link lost, end of session -----------------------+
//
// The first SYNC learns the next UserRefNum. Every later one settles what was outstanding: the venue has either
// answered it, or OUCH is silent on it, or it was lost and is sent again, in order.
#ifndef CROSSWIRE_PERF_CLIENT_LINE_H
#define CROSSWIRE_PERF_CLIENT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/ufo_session.h"
#include "perf/orders.h"
#include "perf/record.h"
#include "perf/transport.h"

enum line_state { LINE_LOGIN, LINE_SYNC, LINE_READY };

struct line_plan {
    const char *user, *password;
    struct transport *transport;
    unsigned channel;
    uint32_t orders;       // the most that the flow will make on this line
    uint32_t outstanding;  // the most at a time
    uint64_t timeout_ns;   // silence after which to log in again
    struct record *record; // may be NULL
    struct histogram *latency;
    bool from_now;    // what the stream held before the login is of no interest
    uint32_t *ref_of; // UserRefNum by the input's order id, kept right when an order is renumbered; may be NULL
    void (*fill)(void *context, const struct fill *fill);
    void *fill_context;
};

struct line {
    struct line_plan plan;
    struct xw_session *session;
    struct orders orders;
    enum line_state state;
    bool started; // READY once: orders are kept
    uint32_t first_ref, next_ref;
    uint32_t queued;      // messages waiting for the next poll
    uint64_t progress_ns; // when a message last came or went
    uint64_t query_ns;    // when the outstanding account query was sent, 0: none
    uint8_t query_index;  // its UserRefIdx, 1 to 255
    bool holding;         // nothing new is sent before the query is answered: what is outstanding may be lost
    bool fenced;          // the last query of the run is sent
    bool rereading;       // fetching all of the stream again: nothing is made of it but the record
    uint64_t reread_end;  // next sequence of the first reading
    uint64_t now_ns;
    uint64_t recoveries; // times READY again after a loss
    uint64_t resent;
    struct request *again; // lost requests, to be sent again in order
    uint32_t again_count, again_next, again_room;
    uint8_t datagram[XW_DATAGRAM_MAX]; // that the transport has not taken yet
    size_t datagram_size;
    char user[7];
};

// Opens the line and starts to log in. Returns 0, or -1 when memory ran out. `line` stays where it is until line_close.
int line_open(struct line *line, const struct line_plan *plan);
void line_close(struct line *line);

// A datagram from the venue.
void line_receive(struct line *line, uint64_t now_ns, const uint8_t *datagram, size_t size);

// Timers, recovery, resending, and what is queued. Call in every round. `linked`: the transport can carry datagrams.
void line_tend(struct line *line, uint64_t now_ns, bool linked);

// Whether a new message may be sent now.
bool line_ready(const struct line *line);

// Queues a request. False: no room, nothing has happened.
bool line_send(struct line *line, const struct request *request, bool again);

// Sends the datagrams that are due. False when the transport took not all of them.
bool line_poll(struct line *line, uint64_t now_ns);

// Sends an account query, unless one is outstanding that is younger than `patience_ns`.
void line_query(struct line *line, uint64_t now_ns, uint64_t patience_ns);

// The same because no answer comes: nothing new is sent behind it before it is answered. Something may have been lost,
// and what is taken behind it leaves a hole.
void line_ask(struct line *line, uint64_t now_ns, uint64_t patience_ns);

// Whether nothing is outstanding or waits to be sent again.
bool line_quiet(const struct line *line);

// Begins to fetch the whole stream again. Returns 0, or -1 when memory ran out.
int line_reread(struct line *line);

// Whether as much has come again as had come before.
bool line_reread_done(const struct line *line);

// Logs off; the line sends nothing after it.
void line_logoff(struct line *line, uint64_t now_ns);

#endif
