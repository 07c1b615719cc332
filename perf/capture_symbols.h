// SPDX-License-Identifier: Apache-2.0
// Which symbols a flow's captured orders name, and how often: a venue that lists others rejects them.
#ifndef CROSSWIRE_PERF_CAPTURE_SYMBOLS_H
#define CROSSWIRE_PERF_CAPTURE_SYMBOLS_H

#include <stdint.h>
#include <stdio.h>

#include "perf/flow.h"

struct symbol_count {
    char name[9]; // without the wire's trailing blanks
    uint64_t orders;
};

struct symbol_counts {
    struct symbol_count *list; // most orders first, then by name
    uint32_t count;
};

// Counts the symbols of the Enter Order messages of a flow that was read from a capture. Takes memory that
// capture_symbols_free gives back. Returns 0, or -1 when memory ran out.
int capture_symbols_count(struct symbol_counts *counts, const struct flow *flow);
void capture_symbols_free(struct symbol_counts *counts);

// Writes NAME ORDERS, one a line; names that no configuration can hold (characters beyond letters, digits and .-_) are
// left out, and said on standard error.
void capture_symbols_print(const struct symbol_counts *counts, FILE *out);

// Says on `out` in one line which symbols are not among the `known` ones, and how many orders that costs; nothing when
// all are. Returns that number.
uint64_t capture_symbols_unknown(const struct symbol_counts *counts, const char (*known)[9], unsigned known_count,
                                 FILE *out);

#endif
