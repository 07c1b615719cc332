// SPDX-License-Identifier: Apache-2.0
#include "client/mold.h"

#include <stdlib.h>
#include <string.h>

#include "client/stream.h"
#include "contract/assert.h"
#include "contract/wire.h"

#define HEADER 20
#define SESSION 10
#define END_OF_SESSION 0xFFFF
#define REQUEST_MOST 65534 // 65535 would read as an end of session

struct xw_mold {
    struct xw_mold_stats stats;
    enum xw_mold_state state;
    char name[SESSION + 1];
    bool adopt_sequence;
    bool ending; // an end of session was seen
    uint64_t retransmit_ns;
    struct stream stream;
};

struct xw_mold *xw_mold_open(const struct xw_mold_config *config)
{
    xw_assert(config->on_message != NULL);
    struct xw_mold *mold = calloc(1, sizeof *mold);
    if (mold == NULL)
        return NULL;
    if (config->session != NULL && config->session[0] != '\0') {
        xw_assert(strlen(config->session) == SESSION);
        memcpy(mold->name, config->session, SESSION);
    }
    mold->retransmit_ns = config->retransmit_ns != 0 ? config->retransmit_ns : 250000000;
    mold->adopt_sequence = config->next_sequence == 0;
    mold->stream.on_message = config->on_message;
    mold->stream.context = config->context;
    stream_restart(&mold->stream, config->next_sequence);
    return mold;
}

void xw_mold_close(struct xw_mold *mold)
{
    free(mold);
}

static bool take_packet(struct xw_mold *mold, const uint8_t *packet, size_t size)
{
    if (size < HEADER)
        return false;
    uint64_t first = get_be64(packet + 10);
    unsigned count = get_be16(packet + 18);
    unsigned blocks = count == END_OF_SESSION ? 0 : count;
    if (first == 0 || first > UINT64_MAX / 2 || !stream_blocks_fit(packet + HEADER, size - HEADER, blocks))
        return false;
    if (mold->name[0] == '\0')
        memcpy(mold->name, packet, SESSION);
    if (memcmp(mold->name, packet, SESSION) != 0) {
        mold->state = XW_MOLD_OTHER_SESSION;
        return true;
    }
    if (mold->adopt_sequence)
        stream_restart(&mold->stream, first);
    mold->adopt_sequence = false;
    if (mold->state == XW_MOLD_WAITING)
        mold->state = XW_MOLD_RUNNING;
    if (count == END_OF_SESSION)
        mold->ending = true;
    if (blocks == 0)
        stream_know(&mold->stream, first);
    else
        stream_take(&mold->stream, first, count, packet + HEADER, size - HEADER);
    return true;
}

// Brings the stream's counters into the receiver's.
static void count_stream(struct xw_mold *mold)
{
    mold->stats.messages = mold->stream.messages;
    mold->stats.duplicates = mold->stream.duplicates;
    mold->stats.gaps = mold->stream.gaps;
    mold->stats.requests = mold->stream.requests;
    mold->stats.early_dropped = mold->stream.early_dropped;
}

static void finish_when_complete(struct xw_mold *mold)
{
    if (mold->ending && mold->state == XW_MOLD_RUNNING && stream_missing(&mold->stream) == 0)
        mold->state = XW_MOLD_ENDED;
}

void xw_mold_receive(struct xw_mold *mold, uint64_t now_ns, const uint8_t *packet, size_t size)
{
    (void)now_ns;
    mold->stats.packets++;
    if (mold->state == XW_MOLD_OTHER_SESSION)
        return;
    if (!take_packet(mold, packet, size))
        mold->stats.malformed++;
    count_stream(mold);
    finish_when_complete(mold);
}

size_t xw_mold_poll(struct xw_mold *mold, uint64_t now_ns, uint8_t *out)
{
    uint64_t first, count;
    if (mold->state != XW_MOLD_RUNNING ||
        !stream_ask(&mold->stream, now_ns, mold->retransmit_ns, REQUEST_MOST, &first, &count))
        return 0;
    mold->stats.requests = mold->stream.requests;
    memcpy(out, mold->name, SESSION);
    put_be64(out + 10, first);
    put_be16(out + 18, (uint16_t)count);
    return XW_MOLD_REQUEST;
}

uint64_t xw_mold_skip(struct xw_mold *mold)
{
    uint64_t next = stream_at_hand(&mold->stream);
    uint64_t lost = next - mold->stream.expected;
    mold->stats.lost += lost;
    stream_skip_to(&mold->stream, next);
    count_stream(mold);
    finish_when_complete(mold);
    return lost;
}

enum xw_mold_state xw_mold_state(const struct xw_mold *mold)
{
    return mold->state;
}

uint64_t xw_mold_next_sequence(const struct xw_mold *mold)
{
    return mold->stream.expected;
}

uint64_t xw_mold_missing(const struct xw_mold *mold)
{
    return stream_missing(&mold->stream);
}

const char *xw_mold_name(const struct xw_mold *mold)
{
    return mold->name;
}

const struct xw_mold_stats *xw_mold_stats(const struct xw_mold *mold)
{
    return &mold->stats;
}
