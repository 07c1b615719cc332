// SPDX-License-Identifier: Apache-2.0
// A numbered stream put in order: what UFO's and MoldUDP64's receivers have in common. Private to the library.
#ifndef CROSSWIRE_CLIENT_STREAM_H
#define CROSSWIRE_CLIENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/ufo_session.h"

// A packet that came before its turn: `size` bytes of {2 length, message} blocks.
struct stream_packet {
    uint64_t first;
    uint16_t count; // 0: the place is free
    uint16_t size;
    uint8_t blocks[XW_DATAGRAM_MAX];
};

struct stream {
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t size);
    void *context;
    uint64_t expected;    // next to deliver
    uint64_t end;         // one past the highest sequence known to exist
    uint64_t asked_first; // of the last request, 0 when it no longer counts
    uint64_t asked_ns;
    uint64_t messages, duplicates, gaps, requests, early_dropped;
    unsigned early_count;
    struct stream_packet early[XW_EARLY_PACKETS];
};

// Forgets all but the counters and starts at `expected`.
void stream_restart(struct stream *stream, uint64_t expected);

// True when `blocks` hold exactly `count` messages.
bool stream_blocks_fit(const uint8_t *blocks, size_t size, unsigned count);

// Takes a packet of `count` > 0 messages that fit: delivers what is due, keeps what is early, drops what is old.
void stream_take(struct stream *stream, uint64_t first, unsigned count, const uint8_t *blocks, size_t size);

// Learns that every message before `next` exists.
void stream_know(struct stream *stream, uint64_t next);

// Messages known to exist and not delivered.
static inline uint64_t stream_missing(const struct stream *stream)
{
    return stream->end > stream->expected ? stream->end - stream->expected : 0;
}

// True when a request for `*count` (at most `most`) messages from `*first` is to be sent now: something is missing and
// was not asked for within `repeat_ns`, or the answer left a rest. The caller sends it.
bool stream_ask(struct stream *stream, uint64_t now_ns, uint64_t repeat_ns, uint64_t most, uint64_t *first,
                uint64_t *count);

// When stream_ask will be true if nothing comes, UINT64_MAX for never.
uint64_t stream_ask_at(const struct stream *stream, uint64_t repeat_ns);

// First message that is at hand, `end` when there is none.
uint64_t stream_at_hand(const struct stream *stream);

// Goes on at `next`, without what lies before it.
void stream_skip_to(struct stream *stream, uint64_t next);

#endif
