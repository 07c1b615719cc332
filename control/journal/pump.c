// SPDX-License-Identifier: Apache-2.0
#include "control/journal/pump.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "contract/fault.h"
#include "control/journal/writer.h"

enum { NAP_NS = 1000 * 1000 };

struct pump_lane {
    struct journal_lane lane;
    uint32_t taken; // cells read ahead of the ring's cursor
    uint64_t end;   // cells from this position on are left alone
};

struct journal_pump {
    struct journal_writer *writer;
    struct pump_lane *lanes;
    unsigned count;
    unsigned turn; // lane to begin with, so that a lane that fills whole commits does not keep the others out
    bool durable;  // publish durable_seq
    bool full;     // the last turn found no room for all that stood there
};

unsigned journal_lanes(const struct region *region, struct journal_lane *lanes, unsigned most)
{
    unsigned count = 0;
    for (unsigned core = 0; core < JOURNAL_CORES && count < most; core++) {
        struct ring *ring = region_find(region, OBJECT_JOURNAL, 0, core);
        if (ring)
            lanes[count++] = (struct journal_lane){core, ring, region_find(region, OBJECT_MATCHER, 0, core)};
    }
    return count;
}

struct journal_pump *journal_pump_new(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count,
                                      bool durable)
{
    struct journal_pump *pump = calloc(1, sizeof *pump);
    xw_assert(pump && count <= JOURNAL_CORES);
    *pump = (struct journal_pump){.writer = writer, .count = count, .durable = durable};
    pump->lanes = calloc(count + 1, sizeof *pump->lanes);
    xw_assert(pump->lanes);
    for (unsigned i = 0; i < count; i++)
        pump->lanes[i] = (struct pump_lane){.lane = lanes[i], .end = UINT64_MAX};
    return pump;
}

void journal_pump_free(struct journal_pump *pump)
{
    free(pump->lanes);
    free(pump);
}

// The sequence in a cell's word follows the last one that was taken, or the journal has it already.
static bool take_cell(struct journal_pump *pump, struct pump_lane *lane, const struct command *cell)
{
    unsigned core = lane->lane.core;
    uint64_t last = journal_taken(pump->writer, core);
    if (cell->seq <= last && !FAULT(cell_taken_twice)) {
        journal_count_duplicate(pump->writer);
        return true;
    }
    if (cell->seq != last + 1) {
        journal_fail(pump->writer, JOURNAL_GAP,
                     "journal: the ring of core %u goes from sequence %llu to %llu: commands are "
                     "lost, restore the journal or start a new trading date",
                     core, (unsigned long long)last, (unsigned long long)cell->seq);
        return false;
    }
    return journal_append(pump->writer, core, cell);
}

void journal_pump_end_here(struct journal_pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++)
        pump->lanes[i].end = atomic_load_explicit(&pump->lanes[i].lane.ring->produced, memory_order_acquire);
}

// Appends what stands in the rings, as far as there is room. Returns cells taken.
static unsigned pump_take(struct journal_pump *pump)
{
    unsigned taken = 0;
    pump->full = false;
    for (unsigned i = 0; i < pump->count && !pump->full; i++) {
        struct pump_lane *lane = &pump->lanes[(pump->turn + i) % pump->count];
        const struct command *cell;
        uint64_t consumed = atomic_load_explicit(&lane->lane.ring->consumed, memory_order_relaxed);
        uint64_t left = lane->end > consumed ? lane->end - consumed : 0;
        uint32_t most = left < lane->lane.ring->depth ? (uint32_t)left : lane->lane.ring->depth;
        while (lane->taken < most && (cell = ring_peek(lane->lane.ring, lane->taken))) {
            pump->full = !take_cell(pump, lane, cell);
            if (pump->full)
                break;
            lane->taken++;
            taken++;
        }
    }
    pump->turn++;
    return taken;
}

// First tells, and only then gives the cells back: a control that is killed between the two finds the cells again, and
// knows from the journal that it has them.
void journal_pump_publish(struct journal_pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++) {
        struct pump_lane *lane = &pump->lanes[i];
        uint64_t durable = journal_writer_durable(pump->writer, lane->lane.core);
        struct matcher_port *port = lane->lane.port;
        // Release pairs with the acquire in gateways and publishers. Never backwards.
        if (pump->durable && port && durable > atomic_load_explicit(&port->durable_seq, memory_order_relaxed))
            atomic_store_explicit(&port->durable_seq, durable, memory_order_release);
        if (!lane->taken)
            continue;
        uint64_t consumed = atomic_load_explicit(&lane->lane.ring->consumed, memory_order_relaxed);
        uint64_t done = durable > consumed ? durable - consumed : 0;
        if (FAULT(cells_given_back_early))
            done = lane->taken;
        uint32_t count = done < lane->taken ? (uint32_t)done : lane->taken;
        lane->taken -= count;
        if (count)
            ring_release(lane->lane.ring, count);
    }
}

bool journal_pump_turn(struct journal_pump *pump, bool wait)
{
    bool reaped = journal_reap(pump->writer, wait);
    unsigned taken = pump_take(pump);
    bool submitted = journal_pending(pump->writer) && !journal_outstanding(pump->writer);
    journal_submit(pump->writer);
    if (reaped || taken)
        journal_pump_publish(pump);
    return reaped || taken || submitted;
}

bool journal_pump_settled(const struct journal_pump *pump)
{
    return !journal_pending(pump->writer) && !journal_outstanding(pump->writer);
}

bool journal_pump_full(const struct journal_pump *pump)
{
    return pump->full;
}

bool journal_pump_ended(const struct journal_pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++)
        if (atomic_load_explicit(&pump->lanes[i].lane.ring->consumed, memory_order_relaxed) < pump->lanes[i].end)
            return false;
    return true;
}

// ---- to the end -----------------------------------------------------------------------------------------------------

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static enum journal_result drain(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count,
                                 bool live)
{
    if (journal_attach(writer))
        return journal_writer_result(writer);
    struct journal_pump *pump = journal_pump_new(writer, lanes, count, false);
    if (live)
        journal_pump_end_here(pump);
    while (!journal_writer_result(writer)) {
        bool moved = journal_pump_turn(pump, true);
        if (!moved && !pump->full && journal_pump_settled(pump))
            break;
        if (!moved)
            nap(); // the next segment is not there yet
    }
    journal_detach(writer);
    journal_pump_free(pump);
    return journal_writer_result(writer);
}

enum journal_result journal_drain(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count)
{
    return drain(writer, lanes, count, false);
}

enum journal_result journal_catch_up(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count)
{
    return drain(writer, lanes, count, true);
}
