// SPDX-License-Identifier: Apache-2.0
// Trades as a client of both sides sees them: two Executed messages of one match number.
#ifndef CROSSWIRE_PERF_TRADES_H
#define CROSSWIRE_PERF_TRADES_H

#include <stddef.h>
#include <stdint.h>

#include "perf/orders.h"

struct trade {
    uint64_t match;
    uint32_t maker, taker; // the input's order ids
    uint32_t quantity;
    uint32_t price; // 1/10,000
};

struct trades {
    struct fill *fills;
    size_t count, room;
    size_t dropped; // found no memory
};

struct trade_list {
    struct trade *trades; // in match order
    size_t count;
    size_t halves;    // fills whose other side was none of ours
    size_t differing; // pairs whose sides disagree
};

// Notes one side. Signature of a fill hook; context is the struct trades.
void trades_note(void *trades, const struct fill *fill);

// Pairs what was noted. The caller frees list->trades. Returns 0, or -1 when memory ran out.
int trades_pair(struct trades *trades, struct trade_list *list);

// Writes "maker,taker,quantity,price" with a header line. Returns 0, or -1 with errno.
int trades_write(const struct trade_list *list, const char *path);

// Compares with a stream's file of expected trades, whose prices are in ticks of 0.0100. Returns 0 when equal, 1 with a
// sentence in `text` on the first difference, -1 with a sentence when the file can not be read.
int trades_compare(const struct trade_list *list, const char *path, char *text, size_t text_size);

void trades_free(struct trades *trades);

#endif
