// SPDX-License-Identifier: Apache-2.0
// Symbol and matching core to stock locate. Filled at start from the configuration, read only afterwards.
#ifndef CROSSWIRE_CORES_SYMBOL_TABLE_H
#define CROSSWIRE_CORES_SYMBOL_TABLE_H

#include <stdint.h>
#include <string.h>

#include "contract/command.h"

struct symbol_slot {
    char name[8]; // as on the wire; all zero: free
    uint32_t matcher;
    uint32_t locate;
};

struct symbol_table {
    struct symbol_slot *slots;
    uint32_t mask;
};

static inline uint32_t symbol_slots(uint32_t symbols)
{
    uint32_t slots = 16;
    while (slots < symbols * 2)
        slots *= 2;
    return slots;
}

static inline uint32_t symbol_home(const struct symbol_table *table, uint64_t name, uint32_t matcher)
{
    return (uint32_t)(((name + matcher) * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & table->mask;
}

// The locate on that core, LOCATE_NONE when the core has no such symbol. A probe ends at the first free slot, whose
// name is zero: a wire name of zero bytes finds that, and LOCATE_NONE with it.
static inline uint16_t symbol_locate(const struct symbol_table *table, const char name[8], uint32_t matcher)
{
    uint64_t want, here;
    memcpy(&want, name, 8);
    for (uint32_t at = symbol_home(table, want, matcher);; at = (at + 1) & table->mask) {
        const struct symbol_slot *slot = &table->slots[at];
        memcpy(&here, slot->name, 8);
        if (here == 0)
            return LOCATE_NONE;
        if (here == want && slot->matcher == matcher)
            return (uint16_t)slot->locate;
    }
}

static inline void symbol_add(struct symbol_table *table, const char name[8], uint32_t matcher, uint16_t locate)
{
    uint64_t want;
    memcpy(&want, name, 8);
    uint32_t at = symbol_home(table, want, matcher);
    while (table->slots[at].locate != LOCATE_NONE)
        at = (at + 1) & table->mask;
    memcpy(table->slots[at].name, name, 8);
    table->slots[at].matcher = matcher;
    table->slots[at].locate = locate;
}

#endif
