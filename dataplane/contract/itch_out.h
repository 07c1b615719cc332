// SPDX-License-Identifier: Apache-2.0
// ITCH 5.0: event to bytes, and the MoldUDP64 packet header.
#ifndef CROSSWIRE_CONTRACT_ITCH_OUT_H
#define CROSSWIRE_CONTRACT_ITCH_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "contract/event.h"
#include "contract/wire.h"

#define ITCH_OUT_MAX 50
#define MOLD_HEADER 20
#define MOLD_PACKET_MAX 1472
#define MOLD_END_OF_SESSION 0xFFFF

// Writes the ITCH message that `event` makes to `out` (room for ITCH_OUT_MAX) and returns its length, 0 when it makes
// none.
size_t itch_out_encode(const struct event *event, uint8_t *out);

static inline void mold_header(uint8_t *out, const char session[10], uint64_t sequence, uint16_t count)
{
    memcpy(out, session, 10);
    put_be64(out + 10, sequence);
    put_be16(out + 18, count);
}

#endif
