// SPDX-License-Identifier: Apache-2.0
// contract/limits.def as data, and the values of limits as people write them: money and per cent as decimals, times
// with or without a unit, permissions as words.
#ifndef CROSSWIRE_CONTROL_LIMITS_TABLE_H
#define CROSSWIRE_CONTROL_LIMITS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/risk.h"

enum limit_unit { UNIT_QUANTITY, UNIT_MONEY, UNIT_PPM, UNIT_COUNT, UNIT_RATE, UNIT_TICKS, UNIT_MS, UNIT_MASK };

struct limit_info {
    const char *key;
    const char *scopes; // letters, as in limits.def
    const char *help;
    enum limit_unit unit;
    uint64_t least, most;
    uint64_t unset;   // what holds when it is not given; LIMIT_UNSET: nothing
    bool apportioned; // a sum over symbols, so that each matching core gets a part of it
    bool tightens;    // a greater value is the tighter one
};

struct limit_info limit_info(enum limit limit);

// The limit of that key; LIMITS for none.
enum limit limit_by_key(const char *key, size_t size);

// Whether a scope has the limit.
bool limit_applies(enum limit limit, enum scope scope);

// "venue", "firm", ..; NULL for no scope.
const char *scope_name(enum scope scope);

// The scope of that name; SCOPE_NONE for none.
enum scope scope_by_name(const char *name);

// Reads a value as the limits file has it; of several permissions one. false with what is wrong, and what mends it, in
// `why`.
bool limit_parse(enum limit limit, const char *text, size_t size, uint64_t *value, char *why, size_t why_size);

// As limit_parse, a comma-separated list of permissions too, and `none` for LIMIT_UNSET: as operators write it.
bool limit_parse_word(enum limit limit, const char *text, uint64_t *value, char *why, size_t why_size);

// A decimal with up to 4 places in 1/10,000, at most `most`; with a sign where `is_signed`. false as limit_parse.
bool limit_parse_decimal(const char *text, size_t size, uint64_t most, bool is_signed, int64_t *value, char *why,
                         size_t why_size);

// As limit_parse_word reads it.
#define LIMIT_TEXT 160
void limit_format(enum limit limit, uint64_t value, char out[LIMIT_TEXT]);

// A count in 1/10,000 as a decimal without more places than it needs, at least `places`.
void limit_format_decimal(int64_t value, unsigned places, char *out, size_t size);

// Whether going from one value to another gives more room. Values that are not set are what holds then.
bool limit_raises(enum limit limit, uint64_t from, uint64_t to);

#endif
