// SPDX-License-Identifier: Apache-2.0
// The SPSC ring between the two cores: round trip over the cache-line floor, and one-way rates beside DPDK's rte_ring.
//
//   bench_ring [--json] [rounds]
//
// Everything is measured in turn within each round, so that a disturbed machine disturbs floor and subject alike; the
// value is the median over the rounds.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <x86intrin.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "contract/ring.h"
#include "perf/line.h"

enum { TRIPS = 200000, DEPTH = 4096, WORDS = 16, ROUNDS_MAX = 100, MESSAGES = 2000000, BURST = 32 };

static uint32_t samples[TRIPS];

static struct ring *make_ring(uint32_t cell_size)
{
    size_t size = ring_footprint(DEPTH, cell_size);
    void *memory = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    if (!memory)
        exit(EX_OSERR);
    memset(memory, 0, size);
    return ring_new(memory, DEPTH, cell_size, 0);
}

// ---- round trip -----------------------------------------------------------------------------------------------------

struct trip {
    struct ring *there, *back;
};

// One 64-byte message: 56 bytes beside the sequence word.
static void send_message(struct ring *ring, uint64_t number)
{
    while (ring_room(ring, 1) == 0)
        spin_pause();
    uint64_t *cell = ring_slot(ring, 0);
    for (int word = 1; word < 8; word++)
        cell[word] = number + (uint64_t)word;
    ring_publish(ring, 1);
}

static uint64_t take_message(struct ring *ring)
{
    uint64_t *cell, sum = 0;
    while ((cell = ring_peek(ring, 0)) == NULL)
        spin_pause();
    for (int word = 1; word < 8; word++)
        sum += cell[word];
    ring_release(ring, 1);
    return sum;
}

static void trip_near(void *argument)
{
    struct trip *trip = argument;
    uint64_t last = __rdtsc();
    for (uint32_t i = 0; i < TRIPS; i++) {
        send_message(trip->there, i);
        xw_assert(take_message(trip->back) == 7 * (7 * (uint64_t)i + 28) + 28);
        uint64_t now = __rdtsc();
        samples[i] = (uint32_t)(now - last);
        last = now;
    }
}

static void trip_far(void *argument)
{
    struct trip *trip = argument;
    for (uint32_t i = 0; i < TRIPS; i++)
        send_message(trip->back, take_message(trip->there));
}

// ---- one way --------------------------------------------------------------------------------------------------------

// 128-byte messages: each side touches every word, so that nothing is saved by not looking.
struct flow {
    struct ring *ring;
    struct rte_ring *rte;
    uint32_t burst;
    uint64_t ns;
};

static void check_sum(uint64_t sum, unsigned words)
{
    const uint64_t n = MESSAGES;
    xw_assert(sum == words * (n * (n - 1) / 2) + n * (words * (words + 1) / 2));
}

static void ours_near(void *argument)
{
    struct flow *flow = argument;
    for (uint32_t sent = 0; sent < MESSAGES;) {
        uint32_t room = ring_room(flow->ring, flow->burst);
        uint32_t burst = room < flow->burst ? room : flow->burst;
        if (burst > MESSAGES - sent)
            burst = MESSAGES - sent;
        if (burst == 0) {
            spin_pause();
            continue;
        }
        for (uint32_t i = 0; i < burst; i++) {
            uint64_t *cell = ring_slot(flow->ring, i);
            for (unsigned word = 1; word < WORDS; word++)
                cell[word] = sent + i + word;
        }
        ring_publish(flow->ring, burst);
        sent += burst;
    }
}

static void ours_far(void *argument)
{
    struct flow *flow = argument;
    uint64_t sum = 0, start = 0;
    for (uint32_t taken = 0; taken < MESSAGES;) {
        uint32_t burst = ring_ready(flow->ring, 0, flow->burst);
        if (burst == 0) {
            spin_pause();
            continue;
        }
        if (taken == 0)
            start = __rdtsc();
        for (uint32_t i = 0; i < burst; i++) {
            const uint64_t *cell = ring_at(flow->ring, i);
            for (unsigned word = 1; word < WORDS; word++)
                sum += cell[word];
        }
        ring_release(flow->ring, burst);
        taken += burst;
    }
    flow->ns = (uint64_t)((double)(__rdtsc() - start) * tsc_ns());
    check_sum(sum, WORDS - 1);
}

static void rte_near(void *argument)
{
    struct flow *flow = argument;
    uint64_t cells[BURST][WORDS];
    for (uint32_t sent = 0; sent < MESSAGES;) {
        uint32_t burst = flow->burst < MESSAGES - sent ? flow->burst : MESSAGES - sent;
        for (uint32_t i = 0; i < burst; i++)
            for (unsigned word = 0; word < WORDS; word++)
                cells[i][word] = sent + i + word + 1;
        uint32_t done = 0;
        while (done < burst) {
            unsigned put = rte_ring_sp_enqueue_burst_elem(flow->rte, cells[done], sizeof cells[0], burst - done, NULL);
            if (put == 0)
                spin_pause();
            done += put;
        }
        sent += burst;
    }
}

static void rte_far(void *argument)
{
    struct flow *flow = argument;
    uint64_t cells[BURST][WORDS], sum = 0, start = 0;
    for (uint32_t taken = 0; taken < MESSAGES;) {
        unsigned burst = rte_ring_sc_dequeue_burst_elem(flow->rte, cells, sizeof cells[0], flow->burst, NULL);
        if (burst == 0) {
            spin_pause();
            continue;
        }
        if (taken == 0)
            start = __rdtsc();
        for (uint32_t i = 0; i < burst; i++)
            for (unsigned word = 0; word < WORDS; word++)
                sum += cells[i][word];
        taken += burst;
    }
    flow->ns = (uint64_t)((double)(__rdtsc() - start) * tsc_ns());
    check_sum(sum, WORDS);
}

static double rate(struct flow *flow, bool ours, uint32_t burst)
{
    flow->burst = burst;
    if (ours)
        pair_run(ours_near, ours_far, flow);
    else
        pair_run(rte_near, rte_far, flow);
    return MESSAGES * 1e3 / (double)flow->ns;
}

// rte_ring in memory of our own: it needs no EAL for that.
static struct rte_ring *make_rte_ring(void)
{
    ssize_t size = rte_ring_get_memsize_elem(WORDS * 8, DEPTH);
    struct rte_ring *ring = size > 0 ? aligned_alloc(4096, ((size_t)size + 4095) / 4096 * 4096) : NULL;
    if (!ring)
        exit(EX_OSERR);
    memset(ring, 0, (size_t)size);
    if (rte_ring_init(ring, "bench", DEPTH, RING_F_SP_ENQ | RING_F_SC_DEQ))
        exit(EX_SOFTWARE);
    return ring;
}

// ---- report ---------------------------------------------------------------------------------------------------------

enum value {
    RTT_OVER_LINE,
    RTT_P99_OVER_LINE,
    BURST1,
    BURST32,
    RTE_BURST1,
    RTE_BURST32,
    BURST1_OVER_RTE,
    BURST32_OVER_RTE,
    RTT_NS,
    LINE_NS,
    VALUES
};

static const struct {
    const char *name, *unit;
    enum value floor; // VALUES: none
} values[VALUES] = {
    [RTT_OVER_LINE] = {"ring.rtt_over_line", "ratio", LINE_NS},
    [RTT_P99_OVER_LINE] = {"ring.rtt_p99_over_line", "ratio", VALUES},
    [BURST1] = {"ring.128.burst1_mps", "M/s", RTE_BURST1},
    [BURST32] = {"ring.128.burst32_mps", "M/s", RTE_BURST32},
    [RTE_BURST1] = {"rte_ring.128.burst1_mps", "M/s", VALUES},
    [RTE_BURST32] = {"rte_ring.128.burst32_mps", "M/s", VALUES},
    [BURST1_OVER_RTE] = {"ring.128.burst1_over_rte_ring", "ratio", RTE_BURST1},
    [BURST32_OVER_RTE] = {"ring.128.burst32_over_rte_ring", "ratio", RTE_BURST32},
    [RTT_NS] = {"ring.rtt_p50", "ns", LINE_NS},
    [LINE_NS] = {"line.rtt_p50", "ns", VALUES},
};

static void measure(struct trip *trip, struct flow *flow, double round[VALUES])
{
    line_round_trips(samples, TRIPS);
    round[LINE_NS] = sample_at(samples, TRIPS, 0.50) * tsc_ns();
    const double line_p99 = sample_at(samples, TRIPS, 0.99) * tsc_ns();
    pair_run(trip_near, trip_far, trip);
    round[RTT_NS] = sample_at(samples, TRIPS, 0.50) * tsc_ns();
    round[RTT_P99_OVER_LINE] = sample_at(samples, TRIPS, 0.99) * tsc_ns() / line_p99;
    round[RTT_OVER_LINE] = round[RTT_NS] / round[LINE_NS];
    round[BURST1] = rate(flow, true, 1);
    round[RTE_BURST1] = rate(flow, false, 1);
    round[BURST32] = rate(flow, true, BURST);
    round[RTE_BURST32] = rate(flow, false, BURST);
    round[BURST1_OVER_RTE] = round[BURST1] / round[RTE_BURST1];
    round[BURST32_OVER_RTE] = round[BURST32] / round[RTE_BURST32];
}

static void report(double all[VALUES][ROUNDS_MAX], unsigned rounds, bool json)
{
    double middle[VALUES];
    for (int i = 0; i < VALUES; i++)
        middle[i] = median(all[i], rounds);
    for (int i = 0; i < VALUES; i++) {
        char floor[32] = "null";
        if (values[i].floor != VALUES)
            snprintf(floor, sizeof floor, "%.3f", middle[values[i].floor]);
        if (json)
            printf("%s{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"floor\":%s,\"min\":%.3f,\"max\":%.3f,"
                   "\"rounds\":%u}%s",
                   i ? " " : "[", values[i].name, middle[i], values[i].unit, floor, all[i][0], all[i][rounds - 1],
                   rounds, i + 1 < VALUES ? ",\n" : "]\n");
        else
            printf("%-32s %10.3f %-6s (%.3f to %.3f)\n", values[i].name, middle[i], values[i].unit, all[i][0],
                   all[i][rounds - 1]);
    }
}

int main(int count, char **arguments)
{
    static double all[VALUES][ROUNDS_MAX];
    bool json = count > 1 && strcmp(arguments[1], "--json") == 0;
    int rounds = count > 1 + json ? atoi(arguments[1 + json]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: %s [--json] [rounds, 1 to %d]\n", arguments[0], ROUNDS_MAX);
        return EX_USAGE;
    }
    struct trip trip = {make_ring(64), make_ring(64)};
    struct flow flow = {.ring = make_ring(WORDS * 8), .rte = make_rte_ring()};
    double warm[VALUES];
    measure(&trip, &flow, warm);
    for (int i = 0; i < rounds; i++) {
        double round[VALUES];
        measure(&trip, &flow, round);
        for (int j = 0; j < VALUES; j++)
            all[j][i] = round[j];
    }
    report(all, (unsigned)rounds, json);
    return 0;
}
