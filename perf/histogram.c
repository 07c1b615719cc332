// SPDX-License-Identifier: Apache-2.0
#include "perf/histogram.h"

#include <math.h>

static unsigned bucket_of(uint64_t value)
{
    if (value < 2 * HISTOGRAM_HALF)
        return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - 10u;
    unsigned bucket = shift * HISTOGRAM_HALF + (unsigned)(value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

// The highest value that falls into the bucket.
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_HALF)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_HALF - 1;
    return (((uint64_t)(bucket % HISTOGRAM_HALF) + HISTOGRAM_HALF + 1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->total++;
    histogram->sum += (double)value;
    histogram->sum_of_squares += (double)value * (double)value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->buckets[bucket_of(value)]++;
}

void histogram_add(struct histogram *histogram, const struct histogram *from)
{
    histogram->total += from->total;
    histogram->sum += from->sum;
    histogram->sum_of_squares += from->sum_of_squares;
    if (from->max > histogram->max)
        histogram->max = from->max;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += from->buckets[i];
}

static uint64_t capped(const struct histogram *histogram, unsigned bucket)
{
    uint64_t top = bucket_top(bucket);
    return top < histogram->max && bucket != HISTOGRAM_BUCKETS - 1 ? top : histogram->max;
}

// The first bucket at which at least `percentile` of the values are covered; *covered receives how many are.
static unsigned bucket_at(const struct histogram *histogram, double percentile, uint64_t *covered)
{
    double want = ceil(percentile / 100.0 * (double)histogram->total - 1e-9);
    uint64_t need = want < 1.0 ? 1 : (uint64_t)want;
    uint64_t count = 0;
    unsigned bucket = 0;
    for (; bucket < HISTOGRAM_BUCKETS; bucket++) {
        count += histogram->buckets[bucket];
        if (count >= need)
            break;
    }
    *covered = count;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percentile)
{
    uint64_t covered;
    if (histogram->total == 0)
        return 0;
    return capped(histogram, bucket_at(histogram, percentile, &covered));
}

int histogram_write_hdr(const struct histogram *histogram, FILE *out)
{
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    uint64_t total = histogram->total;
    for (double percentile = 0.0; total;) {
        uint64_t covered;
        unsigned bucket = bucket_at(histogram, percentile, &covered);
        if (covered >= total)
            break;
        fprintf(out, "%12.3f %2.12f %10llu %14.2f\n", (double)capped(histogram, bucket), percentile / 100.0,
                (unsigned long long)covered, 100.0 / (100.0 - percentile));
        double halvings = floor(log2(100.0 / (100.0 - percentile))) + 1.0;
        percentile += 100.0 / (5.0 * pow(2.0, halvings));
    }
    if (total)
        fprintf(out, "%12.3f %2.12f %10llu\n", (double)histogram->max, 1.0, (unsigned long long)total);
    double mean = total ? histogram->sum / (double)total : 0.0;
    double variance = total ? histogram->sum_of_squares / (double)total - mean * mean : 0.0;
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean, variance > 0.0 ? sqrt(variance) : 0.0);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)histogram->max, (unsigned long long)total);
    fprintf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", HISTOGRAM_BITS - 10u, 2 * HISTOGRAM_HALF);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
