// SPDX-License-Identifier: Apache-2.0
// Order streams with known trades, as files: a header and its records, all little endian as is every machine that
// Crosswire runs on; expected trades in a file of their own. A tick is 0.0100.
#ifndef CROSSWIRE_PERF_STREAM_FILE_H
#define CROSSWIRE_PERF_STREAM_FILE_H

#include <stdint.h>

#define STREAM_MAGIC UINT64_C(0x31304d525453424f) // "OBSTRM01"
#define STREAM_TICK 100u                          // in 1/10,000

struct stream_header {
    uint64_t magic;
    uint32_t version;
    uint32_t record_size;
    uint64_t records;
    uint64_t prefill;
    uint32_t symbols;
    uint32_t price_min, price_max;
    uint32_t quantity_max;
    uint64_t max_id;
    uint64_t unused[9];
};
_Static_assert(sizeof(struct stream_header) == 128, "as the format has it");

enum { STREAM_ADD, STREAM_CANCEL, STREAM_REPLACE, STREAM_CROSS, STREAM_IOC };

struct stream_record {
    uint8_t type;
    uint8_t side; // 0 buy, 1 sell
    uint16_t symbol;
    uint32_t quantity; // a replace's is fresh, not the whole chain's
    uint32_t price;    // in ticks
    uint32_t flags;
    uint64_t id;
    uint64_t new_id;
};
_Static_assert(sizeof(struct stream_record) == 32, "as the format has it");

struct stream_trade {
    uint64_t maker, taker;
    uint32_t quantity, price;
    uint64_t record; // that caused it
};
_Static_assert(sizeof(struct stream_trade) == 32, "as the format has it");

#endif
