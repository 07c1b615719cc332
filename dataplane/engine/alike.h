// SPDX-License-Identifier: Apache-2.0
// Orders alike of one session: same symbol, side, price and quantity (risk.md section 5). The last ALIKE_PLACES kinds
// of order that a session has sent have a place, whatever it sends; one line of tags finds it.
#ifndef CROSSWIRE_ENGINE_ALIKE_H
#define CROSSWIRE_ENGINE_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALIKE_PLACES 32u

struct alike_place {
    uint64_t began;      // of its window, ns
    uint64_t amount;     // quantity, price << 32
    uint32_t instrument; // locate, side << 16; 0 an empty place
    uint32_t count;      // in the window
    uint64_t unused;
};
_Static_assert(sizeof(struct alike_place) == 32, "two to a line");

struct alike {
    uint16_t tags[ALIKE_PLACES];
    struct alike_place places[ALIKE_PLACES];
};

// Of one session: `most` in `window_ns`; UINT64_MAX: no limit.
struct alike_limit {
    uint64_t most, window_ns;
    uint32_t next; // place that is given away next
    uint32_t unused;
};

// Counts an order at the place of its kind, or gives the kind the next place. False: `most` alike have been counted
// since the first of them, which is less than window_ns ago; this one is not counted.
bool alike_take(struct alike *alike, struct alike_limit *limit, uint32_t instrument, uint32_t quantity, uint32_t price,
                uint64_t now);

#endif
