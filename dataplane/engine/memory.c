// SPDX-License-Identifier: Apache-2.0
// The engine's block of memory: one walk over its parts both measures it and lays it out.
#include <string.h>

#include "engine/book.h"
#include "engine/positions.h"
#include "engine/slots.h"

#define MEMORY_ALIGN 4096u
#define LINE 64u
#define PAIR 128u

// Takes `count` times `size` bytes at `*offset`. With no base only measures. Parts begin at lines of their own within
// 4 KiB, some lines apart: the first entries of most are touched by every command, and lines that far apart from each
// other compete for the same places of a first-level cache, and are mistaken for each other by its store buffer.
static void *part(char *base, size_t *offset, size_t count, size_t size)
{
    size_t at = *offset;
    size_t line = at % MEMORY_ALIGN + 3 * LINE; // three lines behind where the last one began
    size_t end = (at + count * size + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    *offset = end + line % MEMORY_ALIGN;
    return base ? base + at : NULL;
}

static void lay_out_risk(struct engine *e, const struct engine_capacity *capacity, char *base, size_t *offset)
{
    struct risk *risk = &e->risk;
    size_t positions = capacity->max_positions, symbols = (size_t)capacity->max_symbols + 1;
    size_t accounts = capacity->max_accounts, sessions = capacity->max_sessions;
    size_t parties = 2 * accounts + sessions;
    *offset = (*offset + PAIR - 1) / PAIR * PAIR; // both lines of one are fetched as a pair
    risk->positions = part(base, offset, positions + 1, sizeof(struct position));
    if (positions == 0)
        return;
    *offset = (*offset + PAIR - 1) / PAIR * PAIR;
    e->parties = part(base, offset, parties, sizeof(struct party));
    risk->backs = part(base, offset, positions + 1, sizeof(struct position_back));
    risk->begun = part(base, offset, positions + 1, sizeof(uint32_t));
    risk->index = part(base, offset, positions_index(capacity->max_positions), sizeof(uint64_t));
    risk->lines = part(base, offset, sessions, sizeof(struct session_line));
    risk->holders = part(base, offset, accounts, sizeof(struct lease_holder));
    risk->siblings = part(base, offset, sessions, sizeof(uint32_t));
    risk->firms = part(base, offset, accounts, sizeof(uint16_t));
    risk->limits = part(base, offset, 1 + parties + symbols, sizeof *risk->limits);
    e->paces = part(base, offset, sessions, sizeof(struct pace));
    e->alikes = part(base, offset, sessions, sizeof(struct alike));
    e->singles = part(base, offset, sessions, sizeof(struct single));
    e->symbol_paces = part(base, offset, symbols, sizeof(struct symbol_pace));
    e->standings = part(base, offset, 2 * accounts, sizeof(struct standing));
    e->groups = part(base, offset, accounts * GROUPS_ROW, sizeof(uint64_t));
    e->told = part(base, offset, parties, sizeof(uint32_t));
    e->settling.waiting = part(base, offset, parties / 64 + 1, sizeof(uint64_t));
}

static size_t lay_out(struct engine *e, const struct engine_capacity *capacity, char *base)
{
    size_t offset = 0;
    size_t orders = (size_t)capacity->max_orders + 1;
    size_t pages = (size_t)capacity->max_levels + KEPT_PAGES + 1;
    size_t symbols = (size_t)capacity->max_symbols + 1;
    size_t blocks = (size_t)member_blocks_most(capacity->max_orders, capacity->max_sessions) + 1;
    part(base, &offset, 1, sizeof(struct engine));
    e->orders = part(base, &offset, orders, sizeof(struct order));
    e->buckets = part(base, &offset, bucket_count(capacity->max_orders), sizeof(struct bucket));
    e->levels = part(base, &offset, pages * PAGE_LEVELS, sizeof(struct level));
    e->pages = part(base, &offset, pages, sizeof(struct page));
    e->books = part(base, &offset, symbols, sizeof(struct book));
    e->directory = part(base, &offset, symbols * 2 * DIRECTORY, sizeof(struct directory_entry));
    e->sessions = part(base, &offset, capacity->max_sessions, sizeof(struct session));
    e->members_live = part(base, &offset, blocks, sizeof(uint64_t));
    e->members = part(base, &offset, blocks * MEMBER_WAYS, sizeof(uint32_t));
    e->member_blocks = part(base, &offset, blocks, sizeof(struct member_block));
    e->last_ref = part(base, &offset, (size_t)capacity->max_sessions * 256, sizeof(uint32_t));
    e->free_slots = part(base, &offset, orders, sizeof(uint32_t));
    e->echoes = part(base, &offset, orders, sizeof(struct echo));
    e->trades = part(base, &offset, capacity->max_trades, sizeof(struct trade));
    e->specials = part(base, &offset, (size_t)capacity->max_special + 1, sizeof(struct special));
    e->heap = part(base, &offset, (size_t)capacity->max_special + 1, sizeof(uint32_t));
    e->backs = part(base, &offset, symbols, sizeof(struct book_back));
    e->dirty = part(base, &offset, dirty_words(capacity->max_symbols), sizeof(uint64_t));
    lay_out_risk(e, capacity, base, &offset);
    e->markets = part(base, &offset, symbols, sizeof(struct market));
    e->accounts = part(base, &offset, capacity->max_accounts, sizeof(struct account));
    e->session_blocks = 1 + 2 * (uint32_t)capacity->max_accounts;
    e->symbol_blocks = e->session_blocks + capacity->max_sessions;
    e->blocks = part(base, &offset, e->symbol_blocks + symbols, sizeof(uint8_t));
    e->kill_causes = part(base, &offset, 2 * (size_t)capacity->max_accounts, sizeof(struct kill_cause));
    return offset;
}

size_t engine_footprint(const struct engine_capacity *capacity)
{
    struct engine measure;
    return lay_out(&measure, capacity, NULL);
}

struct engine *engine_new(void *memory, const struct engine_capacity *capacity)
{
    xw_assert((uintptr_t)memory % MEMORY_ALIGN == 0);
    xw_assert(capacity->max_orders > 0 && capacity->max_levels > 0 &&
              capacity->max_levels < (UINT32_MAX >> PAGE_SHIFT) - KEPT_PAGES);
    struct engine *e = memory;
    lay_out(e, capacity, memory);
    e->memory = *capacity;
    e->lanes = event_lanes(EVENT_HASH_SEED);
    return e;
}
