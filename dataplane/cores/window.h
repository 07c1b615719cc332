// SPDX-License-Identifier: Apache-2.0
// The recent messages of a numbered stream, laid out as the packet body wants them: {2 length, message} one behind the
// other, so that any run of them goes into a packet by one copy. Old ones make place for new ones.
//
//   bytes:  [ msg 7 | msg 8 | free ..... | msg 3 | msg 4 | msg 5 | msg 6 | gap ]
//                           ^head        ^first                          ^ no message is split: the rest is left out
#ifndef CROSSWIRE_CORES_WINDOW_H
#define CROSSWIRE_CORES_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/wire.h"

#define WINDOW_MESSAGE_MAX 224 // a message and its length; what is reserved before it is written
#define WINDOW_AHEAD 512       // bytes between the message written and the line that is fetched
#define WINDOW_MESSAGE_MEAN 72 // bytes of the ring for each message that it is to hold

struct window {
    uint8_t *bytes;
    uint32_t *offsets; // of message n at n & mask
    uint32_t size;
    uint32_t mask;
    uint32_t head;  // offset of the next message
    uint32_t limit; // bytes from head to here are free
    uint64_t first; // oldest sequence kept; == next when there is none
    uint64_t next;  // sequence of the next message, 1 at first
};

// A contiguous run of messages.
struct window_run {
    const uint8_t *at;
    uint32_t bytes;
    uint32_t count;
};

// Bytes of memory for a window of `messages` messages of mean size (a full one holds a few fewer at times, as old ones
// are dropped several at once).
size_t window_footprint(uint32_t messages);

// Makes an empty window in `memory` (window_footprint bytes, aligned to 64).
void window_new(struct window *window, void *memory, uint32_t messages);

// Forgets all messages; the next one has sequence `next`.
void window_restart(struct window *window, uint64_t next);

// The slow half of window_reserve: drops old messages, goes round.
void window_make_room(struct window *window);

// As many of the messages first .. first+count-1 as are kept, contiguous, and fit `room` bytes. count 0: none.
struct window_run window_find(const struct window *window, uint64_t first, uint64_t count, uint32_t room);

// Where to write the next message, length first: WINDOW_MESSAGE_MAX bytes.
static inline uint8_t *window_reserve(struct window *window)
{
    if (__builtin_expect(
            window->head + WINDOW_MESSAGE_MAX > window->limit || window->next - window->first > window->mask, 0))
        window_make_room(window);
    return window->bytes + window->head;
}

// The reserved message has been written and takes `bytes`, its length field included.
static inline void window_commit(struct window *window, uint32_t bytes)
{
    window->offsets[window->next & window->mask] = window->head;
    window->head += bytes;
    window->next++;
    // A window is far larger than the caches and walked round and round: what is written soon is fetched now. A hint,
    // also where it lies behind the end.
    __builtin_prefetch(window->bytes + window->head + WINDOW_AHEAD, 1);
}

#endif
