// SPDX-License-Identifier: Apache-2.0
#include "client/stream.h"

#include <string.h>

#include "contract/assert.h"
#include "contract/wire.h"

void stream_restart(struct stream *stream, uint64_t expected)
{
    stream->expected = expected;
    stream->end = expected;
    stream->asked_first = 0;
    stream->early_count = 0;
    for (unsigned i = 0; i < XW_EARLY_PACKETS; i++)
        stream->early[i].count = 0;
}

bool stream_blocks_fit(const uint8_t *blocks, size_t size, unsigned count)
{
    size_t at = 0;
    for (; count > 0; count--) {
        if (size - at < 2)
            return false;
        size_t length = get_be16(blocks + at);
        if (length > size - at - 2)
            return false;
        at += 2 + length;
    }
    return at == size;
}

// Delivers those of the packet's messages that are due.
static void deliver(struct stream *stream, uint64_t first, unsigned count, const uint8_t *at)
{
    for (uint64_t sequence = first; sequence < first + count; sequence++) {
        size_t length = get_be16(at);
        if (sequence == stream->expected) {
            stream->expected++;
            stream->messages++;
            stream->on_message(stream->context, sequence, at + 2, length);
        } else {
            stream->duplicates++;
        }
        at += 2 + length;
    }
}

// A place for an early packet that starts at `first`: a free one, else that of the packet furthest away if this one is
// nearer. NULL: no room, or it is here already.
static struct stream_packet *find_place(struct stream *stream, uint64_t first)
{
    struct stream_packet *best = NULL;
    for (unsigned i = 0; i < XW_EARLY_PACKETS; i++) {
        struct stream_packet *place = &stream->early[i];
        if (place->count != 0 && place->first == first)
            return NULL;
        if (best != NULL && best->count == 0)
            continue;
        if (place->count == 0 || best == NULL || place->first > best->first)
            best = place;
    }
    if (best->count == 0) {
        stream->early_count++;
        return best;
    }
    stream->early_dropped++;
    return best->first > first ? best : NULL;
}

static void keep_early(struct stream *stream, uint64_t first, unsigned count, const uint8_t *blocks, size_t size)
{
    if (size > XW_DATAGRAM_MAX) {
        stream->early_dropped++;
        return;
    }
    struct stream_packet *place = find_place(stream, first);
    if (place == NULL)
        return;
    place->first = first;
    place->count = (uint16_t)count;
    place->size = (uint16_t)size;
    memcpy(place->blocks, blocks, size);
}

// Delivers what has become due of the early packets and frees their places.
static void deliver_early(struct stream *stream)
{
    for (unsigned i = 0; stream->early_count > 0 && i < XW_EARLY_PACKETS;) {
        struct stream_packet *place = &stream->early[i];
        if (place->count == 0 || place->first > stream->expected) {
            i++;
            continue;
        }
        bool useful = place->first + place->count > stream->expected;
        if (useful)
            deliver(stream, place->first, place->count, place->blocks);
        place->count = 0;
        stream->early_count--;
        i = useful ? 0 : i + 1; // an earlier place may be due now
    }
}

void stream_take(struct stream *stream, uint64_t first, unsigned count, const uint8_t *blocks, size_t size)
{
    xw_assert(count > 0);
    if (first > stream->expected)
        keep_early(stream, first, count, blocks, size);
    else
        deliver(stream, first, count, blocks);
    stream_know(stream, first + count);
    deliver_early(stream);
}

void stream_know(struct stream *stream, uint64_t next)
{
    if (next <= stream->end || next <= stream->expected) {
        if (stream->end < stream->expected)
            stream->end = stream->expected;
        return;
    }
    if (stream_missing(stream) == 0)
        stream->gaps++;
    stream->end = next;
}

uint64_t stream_at_hand(const struct stream *stream)
{
    uint64_t lowest = stream->end > stream->expected ? stream->end : stream->expected;
    for (unsigned i = 0; stream->early_count > 0 && i < XW_EARLY_PACKETS; i++)
        if (stream->early[i].count != 0 && stream->early[i].first < lowest)
            lowest = stream->early[i].first;
    return lowest;
}

bool stream_ask(struct stream *stream, uint64_t now_ns, uint64_t repeat_ns, uint64_t most, uint64_t *first,
                uint64_t *count)
{
    if (now_ns < stream_ask_at(stream, repeat_ns))
        return false;
    uint64_t missing = stream_at_hand(stream) - stream->expected;
    *first = stream->expected;
    *count = missing < most ? missing : most;
    stream->asked_first = stream->expected;
    stream->asked_ns = now_ns;
    stream->requests++;
    return true;
}

uint64_t stream_ask_at(const struct stream *stream, uint64_t repeat_ns)
{
    if (stream_missing(stream) == 0)
        return UINT64_MAX;
    return stream->asked_first == stream->expected ? stream->asked_ns + repeat_ns : 0;
}

void stream_skip_to(struct stream *stream, uint64_t next)
{
    xw_assert(next >= stream->expected);
    stream->expected = next;
    deliver_early(stream);
}
