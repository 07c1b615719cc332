// SPDX-License-Identifier: Apache-2.0
// Who sends from where: (IPv4 address, UDP port) to a session's number. Open addressing with linear probing, sized at
// start to at most a quarter full; only verified logins enter, so nobody can crowd it.
#ifndef CROSSWIRE_CORES_SOURCE_TABLE_H
#define CROSSWIRE_CORES_SOURCE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define SOURCE_NONE UINT32_MAX

struct source_slot {
    uint64_t key; // 0: free
    uint64_t session;
};

struct source_table {
    struct source_slot *slots;
    uint32_t mask;
};

// Never 0, so that a free slot matches no packet.
static inline uint64_t source_key(uint32_t ip, uint16_t port)
{
    return UINT64_C(1) << 48 | (uint64_t)ip << 16 | port;
}

static inline uint32_t source_slots(uint32_t sessions)
{
    uint32_t slots = 16;
    while (slots < sessions * 4)
        slots *= 2;
    return slots;
}

static inline uint32_t source_home(const struct source_table *table, uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 40) & table->mask;
}

// The session bound to `key`, or SOURCE_NONE.
static inline uint32_t source_find(const struct source_table *table, uint64_t key)
{
    for (uint32_t at = source_home(table, key);; at = (at + 1) & table->mask) {
        if (table->slots[at].key == key)
            return (uint32_t)table->slots[at].session;
        if (table->slots[at].key == 0)
            return SOURCE_NONE;
    }
}

// `key` must not be there.
static inline void source_add(struct source_table *table, uint64_t key, uint32_t session)
{
    uint32_t at = source_home(table, key);
    while (table->slots[at].key != 0)
        at = (at + 1) & table->mask;
    table->slots[at] = (struct source_slot){key, session};
}

// Takes `key` out and closes the gap, so that no search stops short.
static inline void source_remove(struct source_table *table, uint64_t key)
{
    uint32_t at = source_home(table, key);
    while (table->slots[at].key != key) {
        if (table->slots[at].key == 0)
            return;
        at = (at + 1) & table->mask;
    }
    for (uint32_t next = (at + 1) & table->mask; table->slots[next].key != 0; next = (next + 1) & table->mask) {
        uint32_t home = source_home(table, table->slots[next].key);
        if (((next - home) & table->mask) >= ((next - at) & table->mask)) {
            table->slots[at] = table->slots[next];
            at = next;
        }
    }
    table->slots[at].key = 0;
}

#endif
