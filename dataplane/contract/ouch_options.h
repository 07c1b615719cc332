// SPDX-License-Identifier: Apache-2.0
// Names for the columns of ouch_options.def.
#ifndef CROSSWIRE_CONTRACT_OUCH_OPTIONS_H
#define CROSSWIRE_CONTRACT_OUCH_OPTIONS_H

#include <stdint.h>

#include "contract/command.h"

enum ouch_option_kind { KIND_NONE, KIND_CHAR, KIND_ALPHA, KIND_U8, KIND_U16, KIND_U32, KIND_U64, KIND_PRICE };

#define OUCH_TAG_MAX 30 // highest tag assigned

// The row of ouch_options.def for a tag as a message carries it; 0 (no row) for what no message can. Two rows are of
// tags that are private to Crosswire and have other numbers on the wire.
static inline unsigned ouch_tag_of_wire(uint8_t wire)
{
    if (__builtin_expect(wire > OUCH_TAG_MAX, 0))
        return wire == WIRE_TAG_STOP_PRICE ? TAG_STOP_PRICE : wire == WIRE_TAG_TRAIL_AMOUNT ? TAG_TRAIL_AMOUNT : 0;
    return wire == TAG_STOP_PRICE || wire == TAG_TRAIL_AMOUNT ? 0 : wire;
}

static inline uint8_t ouch_tag_to_wire(unsigned tag)
{
    return tag == TAG_STOP_PRICE ? WIRE_TAG_STOP_PRICE : tag == TAG_TRAIL_AMOUNT ? WIRE_TAG_TRAIL_AMOUNT : (uint8_t)tag;
}

// Inbound messages by type; EN is the inbound E (enable order entry).
enum {
    IN_O = 1 << 0,
    IN_U = 1 << 1,
    IN_X = 1 << 2,
    IN_M = 1 << 3,
    IN_C = 1 << 4,
    IN_D = 1 << 5,
    IN_EN = 1 << 6,
    IN_Q = 1 << 7,
    IN_ANY = 0xFF,
};

// Outbound messages that can carry more than UserRefIdx.
enum { OUT_A = 1 << 0, OUT_U = 1 << 1, OUT_M = 1 << 2, OUT_R = 1 << 3, OUT_X = 1 << 4, OUT_ANY = 0xFF };

#endif
