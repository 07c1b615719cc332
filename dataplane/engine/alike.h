// SPDX-License-Identifier: Apache-2.0
// Orders alike of one session: same symbol, side, price and quantity (risk.md section 5). The last ALIKE_PLACES kinds
// of order that a session has sent have a place, whatever it sends; one line of tags finds it.
#ifndef CROSSWIRE_ENGINE_ALIKE_H
#define CROSSWIRE_ENGINE_ALIKE_H

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

// Of one session: `most` in `window_ns`.
#define ALIKE_ANY UINT32_MAX // most: no limit
struct alike_limit {
    uint64_t window_ns;
    uint32_t most;
    uint32_t next; // place that is given away next
};

// Counts an order at the place of its kind, or gives the kind the next place. Returns how many orders alike there are
// since the first of them, at most window_ns long; 0, and it is not counted: there are `most` already.
uint32_t alike_take(struct alike *alike, struct alike_limit *limit, uint32_t instrument, uint32_t quantity,
                    uint32_t price, uint64_t now);

// The place's tag, which is made of what it holds.
uint16_t alike_tag(const struct alike_place *place);

#endif
