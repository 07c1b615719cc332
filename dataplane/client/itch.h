// SPDX-License-Identifier: Apache-2.0
// ITCH 5.0 messages to a struct.
#ifndef CROSSWIRE_CLIENT_ITCH_H
#define CROSSWIRE_CLIENT_ITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Fields that a type does not have are 0. Prices are 1/10,000.
struct xw_itch {
    char type;
    char code;      // S: event; H: trading state; Q: cross; R: market category; Y: short-sale state; W: level
    char side;      // A, F, P: B or S
    char printable; // C: Y or N
    uint16_t locate;
    uint16_t tracking;
    uint32_t round_lot;    // R
    uint32_t price;        // J: the reference
    uint32_t upper, lower; // J
    uint64_t time_ns;      // since midnight
    uint64_t ref;          // U: the order replaced
    uint64_t new_ref;      // U
    uint64_t shares;
    uint64_t match;
    const uint8_t *message; // all of it, for fields that are not above
    uint64_t levels[3];     // V: index values, 8 decimals
    char symbol[9];         // NUL-terminated, trailing spaces cut
    char attribution[5];    // F
    char reason[5];         // H, the same way
};

// Reads one message; false for an unknown type or a wrong size. L K h I N O are checked and given their header and
// symbol; S R H Y J V W A F E C X D U P Q B are read whole.
bool xw_itch_decode(const uint8_t *message, size_t size, struct xw_itch *out);

#endif
