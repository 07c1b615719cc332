// SPDX-License-Identifier: Apache-2.0
// Drop copy: what sessions are told, told once more to whoever watches over them. A stream of its own, read-only, over
// UFO like a session's: numbered from 1, sent again on request, ended by the day's end. Each message is an envelope:
//
//   offset  size
//        0     1  'c', which is no OUCH message's type
//        1     6  user of the session, padded with blanks
//        7    16  its account, likewise
//       23     4  sequence of the message in that session's own stream, big-endian
//       27     .  the OUCH message, byte for byte as the session is told
//
// A drop copy belongs to one matching core, as a session does, and follows that core's events: of a trade the taker's
// message stands before the maker's, what all sessions are told stands once for each of them, in the order of the
// configuration. So it is a function of journal and configuration alone, and every session's copied sequences are
// 1, 2, 3, .. without a hole.
#ifndef CROSSWIRE_CONTRACT_DROP_COPY_H
#define CROSSWIRE_CONTRACT_DROP_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "contract/config.h"
#include "contract/ouch_out.h"
#include "contract/wire.h"

#define DROP_COPY_TYPE 'c'
enum {
    DROP_COPY_NAMES_AT = 1,
    DROP_COPY_USER = 6,
    DROP_COPY_ACCOUNT = 16,
    DROP_COPY_NAMES = DROP_COPY_USER + DROP_COPY_ACCOUNT,
    DROP_COPY_SEQUENCE_AT = DROP_COPY_NAMES_AT + DROP_COPY_NAMES,
    DROP_COPY_HEADER = DROP_COPY_SEQUENCE_AT + 4,
    STREAM_MESSAGE_MAX = DROP_COPY_HEADER + OUCH_OUT_MAX, // no message over UFO is longer
};

// Writes user and account of session `session`, as they stand in the envelope.
void drop_copy_names(const struct config *config, uint32_t session, char names[DROP_COPY_NAMES]);

// Writes the envelope's first DROP_COPY_HEADER bytes; the message goes behind them.
static inline void drop_copy_head(uint8_t *out, const char names[DROP_COPY_NAMES], uint32_t sequence)
{
    out[0] = DROP_COPY_TYPE;
    memcpy(out + DROP_COPY_NAMES_AT, names, DROP_COPY_NAMES);
    put_be32(out + DROP_COPY_SEQUENCE_AT, sequence);
}

// Whether drop copy `copy` carries what session `session` is told.
bool drop_copy_carries(const struct config *config, uint32_t copy, uint32_t session);

// Which drop copies carry a session.
struct copy_map {
    uint32_t *first;   // by session and one behind: where its streams begin; NULL: there are no drop copies
    uint16_t *streams; // sessions_count + index of the drop copy, ascending for each session
};

#define COPY_MAP_ALL UINT32_MAX

// Bytes that a map takes, 0 without drop copies. Only those of gateway `gateway` stand in it, or all (COPY_MAP_ALL).
size_t copy_map_footprint(const struct config *config, uint32_t gateway);

// Makes it in `memory` (copy_map_footprint bytes, aligned to 4), which stays the caller's.
void copy_map_new(struct copy_map *map, void *memory, const struct config *config, uint32_t gateway);

#endif
