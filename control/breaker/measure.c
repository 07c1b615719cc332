// SPDX-License-Identifier: Apache-2.0
// Whether what a row of `trips:` is about has reached its threshold.
#include "control/breaker/state.h"

#define MS_NS UINT64_C(1000000)

// Two counters that only grow: how many, and of how many.
struct sums {
    uint64_t bad, all;
};

static uint64_t read_counter(const struct generation *generation, enum role role, uint32_t index, unsigned counter)
{
    const struct core_block *block = region_find(&generation->region, OBJECT_CORE, role, index);
    return block ? atomic_load_explicit(&block->counters[counter], memory_order_relaxed) : 0;
}

// The tally of a session, whichever gateway it belongs to: the others' are zero.
static struct sums read_tally(const struct generation *generation, uint32_t session, bool malformed)
{
    struct sums sums = {0};
    for (unsigned gateway = 0;; gateway++) {
        const struct session_tally *tallies = region_find(&generation->region, OBJECT_TALLIES, 0, gateway);
        if (!tallies)
            return sums;
        const struct session_tally *tally = &tallies[session];
        sums.all += atomic_load_explicit(&tally->messages, memory_order_relaxed);
        sums.bad += atomic_load_explicit(malformed ? &tally->malformed : &tally->rejected, memory_order_relaxed);
    }
}

static struct sums read_sums(const struct row *row, uint32_t index, const struct generation *generation)
{
    switch (row->trip.is) {
    case TRIP_REJECT_RATIO:
        return read_tally(generation, index, false);
    case TRIP_MALFORMED_RATIO:
        return read_tally(generation, index, true);
    case TRIP_LATENCY:
        return (struct sums){read_counter(generation, ROLE_GATEWAY, index, COUNT_GATEWAY_late),
                             read_counter(generation, ROLE_GATEWAY, index, COUNT_GATEWAY_events)};
    default: // FEED_GAP
        return (struct sums){read_counter(generation, ROLE_PUBLISHER, index, COUNT_PUBLISHER_tx_dropped), 0};
    }
}

// ---- levels ---------------------------------------------------------------------------------------------------------

// Per cent of the fullest ring of orders towards matching core `index`.
static uint64_t backlog(const struct generation *generation, uint32_t index)
{
    uint64_t most = 0;
    for (unsigned gateway = 0;; gateway++) {
        const struct ring *orders = region_find(&generation->region, OBJECT_ORDERS, gateway, index);
        if (!orders)
            return most;
        uint64_t consumed = atomic_load_explicit(&orders->consumed, memory_order_acquire);
        uint64_t produced = atomic_load_explicit(&orders->produced, memory_order_acquire);
        uint64_t percent = produced > consumed ? (produced - consumed) * 100 / orders->depth : 0;
        most = percent > most ? percent : most;
    }
}

// How long what stood in the journal's ring at `from_ns` has been there: a mark follows the consumer.
static uint64_t journal_lag(struct part *part, const struct senses *senses, uint32_t index)
{
    const struct ring *journal = region_find(&senses->generation->region, OBJECT_JOURNAL, 0, index);
    uint64_t consumed = journal ? atomic_load_explicit(&journal->consumed, memory_order_acquire) : 0;
    uint64_t produced = journal ? atomic_load_explicit(&journal->produced, memory_order_acquire) : 0;
    if (!part->begun || consumed >= part->base) {
        part->begun = true;
        part->base = produced;
        part->base_of = senses->now_ns;
    }
    return consumed >= produced ? 0 : (senses->now_ns - part->base_of) / MS_NS;
}

// Seconds since that symbol of matching core `index` which was longest without one was given a reference. A symbol that
// never was counts from when the market is first seen to trade.
static uint64_t oldest_reference(const struct breakers *breakers, uint32_t index, uint64_t now_ns)
{
    const struct config *config = breakers->config;
    uint64_t oldest = 0;
    for (uint32_t i = 0; i < config->symbols_count; i++) {
        if (config->symbols[i].matcher != index)
            continue;
        if (breakers->fresh_ns[i] == 0)
            breakers->fresh_ns[i] = now_ns;
        uint64_t age = now_ns - breakers->fresh_ns[i];
        oldest = age > oldest ? age : oldest;
    }
    return oldest / (1000 * MS_NS);
}

// False when it can not be told now.
static bool read_level(const struct breakers *breakers, const struct row *row, uint32_t index, struct part *part,
                       const struct senses *senses)
{
    switch (row->trip.is) {
    case TRIP_BACKLOG:
        part->value = senses->generation ? backlog(senses->generation, index) : 0;
        return senses->generation != NULL;
    case TRIP_JOURNAL_LAG:
        part->value = senses->generation ? journal_lag(part, senses, index) : 0;
        return senses->generation != NULL;
    case TRIP_CLOCK_ERROR:
        part->value = senses->clock_error_us;
        return senses->clock_known;
    case TRIP_RISK_DATA_STALE:
        part->value = senses->trading >> index & 1 ? oldest_reference(breakers, index, senses->now_ns) : 0;
        return senses->trading >> index & 1;
    default: // DISK_SPACE
        part->value = senses->disk_free_mb;
        return senses->disk_known;
    }
}

// At the threshold; once open, within a tenth of it.
static bool level_reached(const struct row *row, uint64_t value, bool open)
{
    const uint64_t threshold = row->trip.threshold;
    if (row->trip.is == TRIP_DISK_SPACE)
        return open ? value <= threshold + threshold / 10 : value <= threshold;
    return open ? value > threshold - (threshold + 9) / 10 : value >= threshold;
}

static bool level_lasts(const struct breakers *breakers, const struct row *row, uint32_t index, struct part *part,
                        const struct senses *senses, bool open)
{
    if (!read_level(breakers, row, index, part, senses) || !level_reached(row, part->value, open)) {
        part->from_ns = 0;
        return false;
    }
    if (part->from_ns == 0)
        part->from_ns = senses->now_ns;
    return open || senses->now_ns - part->from_ns >= row->trip.window_ms * MS_NS;
}

// ---- counts and ratios ----------------------------------------------------------------------------------------------

void part_count(const struct row *row, struct part *part, uint32_t events, uint64_t now_ns)
{
    if (part->events == 0 || now_ns - part->from_ns >= row->trip.window_ms * MS_NS) {
        part->from_ns = now_ns;
        part->events = 0;
    }
    part->events += events;
    part->value = part->events;
}

// Of what was told: it is over when its window is.
static bool told_reached(const struct row *row, struct part *part, uint64_t now_ns)
{
    if (part->events && now_ns - part->from_ns >= row->trip.window_ms * MS_NS)
        part->value = part->events = 0;
    return part->events >= row->trip.threshold;
}

static void begin_window(struct part *part, struct sums sums, uint64_t now_ns)
{
    part->begun = true;
    part->from_ns = now_ns;
    part->base = sums.bad;
    part->base_of = sums.all;
}

// Whether the window that began at from_ns is over, or its counters are those of another data plane.
static bool window_over(const struct row *row, const struct part *part, struct sums sums, uint64_t now_ns)
{
    return !part->begun || sums.bad < part->base || sums.all < part->base_of ||
           now_ns - part->from_ns >= row->trip.window_ms * MS_NS;
}

static bool ratio_reached(const struct row *row, uint32_t index, struct part *part, const struct senses *senses,
                          bool open)
{
    if (!senses->generation) {
        part->begun = false;
        return false;
    }
    struct sums sums = read_sums(row, index, senses->generation);
    const bool over = window_over(row, part, sums, senses->now_ns);
    bool reached = false;
    if (part->begun && sums.bad >= part->base && sums.all >= part->base_of) {
        uint64_t bad = sums.bad - part->base, all = sums.all - part->base_of;
        uint64_t percent = row->trip.is == TRIP_LATENCY ? 1 : row->trip.threshold; // of answers: the 99th percentile
        part->value = all ? bad * 100 / all : 0;
        reached = all >= row->trip.samples && bad * 100 >= all * percent;
        reached |= open && bad && bad * 1000 >= all * percent * 9;
    }
    if (over)
        begin_window(part, sums, senses->now_ns);
    return reached;
}

static bool gap_reached(const struct row *row, uint32_t index, struct part *part, const struct senses *senses)
{
    if (!senses->generation) {
        part->begun = false;
        return false;
    }
    struct sums sums = read_sums(row, index, senses->generation);
    const bool over = window_over(row, part, sums, senses->now_ns);
    part->value = part->begun && sums.bad >= part->base ? sums.bad - part->base : 0;
    if (over)
        begin_window(part, sums, senses->now_ns);
    return part->value >= row->trip.threshold;
}

// How far the wall clock has moved against the monotonic one since the window began.
static bool step_reached(const struct row *row, struct part *part, const struct senses *senses)
{
    int64_t moved = part->begun ? senses->wall_ahead_ns - (int64_t)part->base : 0;
    part->value = (uint64_t)(moved < 0 ? -moved : moved) / MS_NS;
    const bool reached = part->value >= row->trip.threshold;
    if (!part->begun || reached || senses->now_ns - part->from_ns >= row->trip.window_ms * MS_NS)
        begin_window(part, (struct sums){.bad = (uint64_t)senses->wall_ahead_ns}, senses->now_ns);
    return reached;
}

bool part_reached(const struct breakers *breakers, const struct row *row, uint32_t index, struct part *part,
                  const struct senses *senses, bool open)
{
    switch (row->trip.is) {
    case TRIP_LOSS:
    case TRIP_DRAWDOWN:
        return told_reached(row, part, senses->now_ns);
    case TRIP_CLOCK_STEP:
        return step_reached(row, part, senses);
    case TRIP_FEED_GAP:
        return gap_reached(row, index, part, senses);
    case TRIP_REJECT_RATIO:
    case TRIP_MALFORMED_RATIO:
    case TRIP_LATENCY:
        return ratio_reached(row, index, part, senses, open);
    default:
        return level_lasts(breakers, row, index, part, senses, open);
    }
}
