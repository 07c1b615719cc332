// SPDX-License-Identifier: Apache-2.0
// What a run has come to: the table for people, summary.json for machines, the latency distribution.
#ifndef CROSSWIRE_PERF_REPORT_H
#define CROSSWIRE_PERF_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perf/player.h"

struct report {
    struct player_totals totals;
    struct trade_list trades;
    struct histogram latency; // of all answers
    uint64_t unanswered;      // sent, and neither answered nor silent by rule
    uint64_t unsent;
    uint64_t journal_bytes;
    double seconds;
    double rate;  // messages sent a second
    int compared; // -1: nothing to compare with, 0: trades equal, 1: not
    char comparison[256];
};

// Sums up a run that has ended. Returns 0, or -1 when memory ran out; the caller frees report->trades.trades.
int report_make(struct report *report, struct player *player);

// Whether everything is as it should be.
bool report_good(const struct report *report);

void report_print(const struct report *report, const struct player *player, FILE *out);

// Writes the summary to `path`. Returns 0, or -1 with errno.
int report_write_json(const struct report *report, const char *path);

// Bytes written to the files in a journal directory, its dates included, not counting space that was only prepared. 0
// when there is none.
uint64_t report_written_bytes(const char *directory);

#endif
