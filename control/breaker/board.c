// SPDX-License-Identifier: Apache-2.0
// The board in the region: the breakers that are not closed, for tools, and for a control that follows one that was
// killed. What stands there twice, in breakers and on the board, is read once only: when there are no breakers yet.
#include <string.h>

#include "control/breaker/state.h"

static void write_entry(struct board_entry *entry, const struct row *row, uint32_t index,
                        const struct breaker_view *view)
{
    uint64_t name[2] = {0};
    memcpy(name, row->name, strnlen(row->name, sizeof name));
    atomic_store_explicit(&entry->name[0], name[0], memory_order_relaxed);
    atomic_store_explicit(&entry->name[1], name[1], memory_order_relaxed);
    atomic_store_explicit(&entry->state, view->state | (uint64_t)view->level << 8 | (uint64_t)index << 32,
                          memory_order_relaxed);
    atomic_store_explicit(&entry->value, row->parts[index].value, memory_order_relaxed);
}

void board_write(struct breakers *breakers, const struct senses *senses)
{
    struct breaker_board *board = region_find(&senses->generation->region, OBJECT_BOARD, 0, 0);
    uint64_t count = 0;
    if (!board)
        return;
    uint64_t turn = atomic_load_explicit(&board->turn, memory_order_relaxed) | 1;
    atomic_store_explicit(&board->turn, turn, memory_order_relaxed);
    atomic_thread_fence(memory_order_release); // readers see an odd turn before anything that is new
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        for (uint32_t part = 0; part < breakers->rows[i].count; part++) {
            struct breaker_view view;
            breaker_look(&breakers->rows[i].parts[part].breaker, &view);
            if (view.state == BREAKER_CLOSED)
                continue;
            if (count < BOARD_ENTRIES)
                write_entry(&board->entries[count], &breakers->rows[i], part, &view);
            count++;
        }
    }
    atomic_store_explicit(&board->count, count, memory_order_relaxed);
    atomic_store_explicit(&board->turn, turn + 1, memory_order_release);
}

// The breaker of an entry opens again: it has done what it does, and goes on from there.
static void adopt_entry(struct breakers *breakers, const struct board_entry *entry, uint64_t now_ns)
{
    uint64_t name[2] = {atomic_load_explicit(&entry->name[0], memory_order_relaxed),
                        atomic_load_explicit(&entry->name[1], memory_order_relaxed)};
    uint32_t index = (uint32_t)(atomic_load_explicit(&entry->state, memory_order_relaxed) >> 32);
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (strncmp(row->name, (const char *)name, sizeof name) == 0 && index < row->count)
            breaker_trip(&row->parts[index].breaker, now_ns);
    }
}

// A mode that is on in the engine was asked for by one of its breakers; which one is not known, so all of them.
static void adopt_mode(struct breakers *breakers, uint32_t mode, unsigned core, uint64_t now_ns)
{
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (row->trip.does != TRIP_THROTTLE || row->trip.mode_index != mode)
            continue;
        if (config_trip_info(row->trip.is)->each == EACH_MATCHER)
            breaker_trip(&row->parts[core].breaker, now_ns);
        else if (row->count && mode_wanted(breakers, mode, core).on == false)
            breaker_trip(&row->parts[0].breaker, now_ns);
    }
}

void board_adopt(struct breakers *breakers, const struct senses *senses)
{
    const struct generation *generation = senses->generation;
    const struct breaker_board *board = region_find(&generation->region, OBJECT_BOARD, 0, 0);
    const bool first = !breakers->adopted;
    breakers->adopted = true;
    breakers->generation = generation->region.header->generation;
    uint64_t count = board && first ? atomic_load_explicit(&board->count, memory_order_acquire) : 0;
    for (uint64_t i = 0; i < count && i < BOARD_ENTRIES; i++)
        adopt_entry(breakers, &board->entries[i], senses->now_ns);
    for (unsigned core = 0; core < generation->cores; core++) {
        uint64_t on = atomic_load_explicit(&generation->ports[core]->modes, memory_order_relaxed);
        for (uint32_t mode = 0; mode < CONFIG_MODES_MAX; mode++) {
            if (on >> mode & 1 && first)
                adopt_mode(breakers, mode, core, senses->now_ns);
            // How far it is on is not known: to be told again.
            breakers->told[core][mode] =
                (struct mode){.on = on >> mode & 1, .percent = on >> mode & 1 ? UINT32_MAX : 0};
        }
    }
}
