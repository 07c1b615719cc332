// SPDX-License-Identifier: Apache-2.0
// A MoldUDP64 receiver without a transport: packets in, messages in order and request packets out.
#ifndef CROSSWIRE_CLIENT_MOLD_H
#define CROSSWIRE_CLIENT_MOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XW_MOLD_REQUEST 20

enum xw_mold_state {
    XW_MOLD_WAITING,       // no packet yet
    XW_MOLD_RUNNING,       //
    XW_MOLD_ENDED,         // end of session, everything received
    XW_MOLD_OTHER_SESSION, // the stream changed its session name: stopped, as MoldUDP64 demands
};

struct xw_mold_config {
    const char *session;    // 10 characters; NULL or "": that of the first packet
    uint64_t next_sequence; // first message wanted; 0: that of the first packet
    uint64_t retransmit_ns; // repeats an unanswered request [250 ms]
    void *context;
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t size);
};

struct xw_mold_stats {
    uint64_t packets, malformed, messages, duplicates, gaps, requests, early_dropped;
    uint64_t lost; // given up by xw_mold_skip
};

struct xw_mold;

struct xw_mold *xw_mold_open(const struct xw_mold_config *config); // NULL: no memory. The caller closes it.
void xw_mold_close(struct xw_mold *mold);

void xw_mold_receive(struct xw_mold *mold, uint64_t now_ns, const uint8_t *packet, size_t size);

// The next request packet for the request server, into `out` (XW_MOLD_REQUEST bytes): its size, 0 when nothing is due.
size_t xw_mold_poll(struct xw_mold *mold, uint64_t now_ns, uint8_t *out);

// Gives up what is missing before the next message at hand (no request server, or it does not answer). Returns how many
// messages are lost; a book built from the stream is wrong from here.
uint64_t xw_mold_skip(struct xw_mold *mold);

enum xw_mold_state xw_mold_state(const struct xw_mold *mold);
uint64_t xw_mold_next_sequence(const struct xw_mold *mold);
uint64_t xw_mold_missing(const struct xw_mold *mold);
const char *xw_mold_name(const struct xw_mold *mold);
const struct xw_mold_stats *xw_mold_stats(const struct xw_mold *mold);

#endif
