// SPDX-License-Identifier: Apache-2.0
// A latency histogram with three significant digits, 0 to 2^40 ns, in fixed memory. Recording is an increment.
#ifndef CROSSWIRE_PERF_HISTOGRAM_H
#define CROSSWIRE_PERF_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

// Values below 2048 have a bucket each; from there every power of two has 1024, so that a bucket is never wider than
// 1/1024 of its value.
#define HISTOGRAM_HALF 1024u
#define HISTOGRAM_BITS 40u
#define HISTOGRAM_BUCKETS ((HISTOGRAM_BITS - 10u) * HISTOGRAM_HALF + HISTOGRAM_HALF)

struct histogram {
    uint64_t total;
    uint64_t max; // exact
    double sum, sum_of_squares;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

// Counts one value; what is above the range falls into the last bucket, `max` keeps it exactly.
void histogram_record(struct histogram *histogram, uint64_t value);

// Adds all of `from`.
void histogram_add(struct histogram *histogram, const struct histogram *from);

// The value that `percentile` (0..100) of all are not above, as the highest of its bucket and never above `max`; 0 when
// empty.
uint64_t histogram_percentile(const struct histogram *histogram, double percentile);

// Writes HdrHistogram's percentile distribution text (Value, Percentile, TotalCount, 1/(1-Percentile)), five steps to
// each halving of what is left. Returns 0, or -1 when writing failed.
int histogram_write_hdr(const struct histogram *histogram, FILE *out);

#endif
