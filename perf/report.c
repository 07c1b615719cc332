// SPDX-License-Identifier: Apache-2.0
#include "perf/report.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 4096u

static uint64_t walked_bytes;

// Journals write blocks into space that is zero: what holds anything else has been written.
static int add_bytes(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    static const uint8_t zero[BLOCK];
    uint8_t block[BLOCK];
    (void)status;
    (void)walk;
    FILE *file = type == FTW_F ? fopen(path, "rb") : NULL;
    if (!file)
        return 0;
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        if (memcmp(block, zero, got) != 0)
            walked_bytes += got;
    fclose(file);
    return 0;
}

uint64_t report_written_bytes(const char *directory)
{
    walked_bytes = 0;
    nftw(directory, add_bytes, 16, FTW_PHYS);
    return walked_bytes;
}

int report_make(struct report *report, struct player *player)
{
    const struct options *options = player->options;
    memset(report, 0, sizeof *report);
    for (unsigned i = 0; i < player->lines_count; i++)
        if (player->lines[i].started)
            orders_close(&player->lines[i].orders);
    player_total(player, &report->totals);
    for (unsigned type = 0; type < ANSWER_OTHER; type++)
        histogram_add(&report->latency, &player->latency[type]);
    const struct order_counts *counts = &report->totals.counts;
    uint64_t settled = counts->accepted + counts->rejected + counts->silent;
    report->unanswered = counts->sent > settled ? counts->sent - settled : 0;
    report->unsent = player->flow.count - player->cursor;
    report->seconds = player->began_ns ? (double)(player->ended_ns - player->began_ns) / 1e9 : 0;
    report->rate = report->seconds > 0 ? (double)counts->sent / report->seconds : 0;
    report->journal_bytes = options->journal ? report_written_bytes(options->journal) : 0;
    report->compared = -1;
    if (trades_pair(&player->trades, &report->trades) != 0)
        return -1;
    if (options->compare)
        report->compared =
            trades_compare(&report->trades, options->compare, report->comparison, sizeof report->comparison) == 0 ? 0
                                                                                                                  : 1;
    return 0;
}

bool report_good(const struct report *report)
{
    return report->unanswered == 0 && report->unsent == 0 && report->totals.counts.violations == 0 &&
           report->totals.gaps == 0 && report->trades.differing == 0 && report->compared != 1;
}

static void print_latency(FILE *out, const char *name, uint64_t count, const struct histogram *latency)
{
    fprintf(out, "%-28s %10" PRIu64, name, count);
    static const double percentiles[] = {50, 90, 99, 99.9};
    if (latency && latency->total) {
        for (unsigned i = 0; i < 4; i++)
            fprintf(out, " %9.1f", (double)histogram_percentile(latency, percentiles[i]) / 1e3);
        fprintf(out, " %9.1f", (double)latency->max / 1e3);
    }
    fputc('\n', out);
}

static const struct {
    char type;
    const char *name;
    int latency; // enum answer_type, -1: none
} rows[] = {
    {'A', "Accepted", ANSWER_ACCEPTED},
    {'U', "Replaced", ANSWER_REPLACED},
    {'C', "Canceled", ANSWER_CANCELED},
    {'J', "Rejected", ANSWER_REJECTED},
    {'E', "Executed", -1},
    {'S', "System Event", -1},
    {'Q', "Account Query Response", -1},
    {'M', "Modified", ANSWER_OTHER},
    {'X', "Mass Cancel Response", -1},
    {'G', "Disable Response", -1},
    {'K', "Enable Response", -1},
    {'D', "AIQ Canceled", -1},
    {'R', "Restated", -1},
    {'T', "Priority Update", -1},
    {'B', "Broken Trade", -1},
    {'P', "Cancel Pending", -1},
    {'I', "Cancel Reject", -1},
};

void report_print(const struct report *report, const struct player *player, FILE *out)
{
    const struct order_counts *counts = &report->totals.counts;
    fprintf(out, "\n%-28s %10s %9s %9s %9s %9s %9s\n", "answers", "count", "p50 us", "p90", "p99", "p99.9", "max");
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t count = counts->messages[(uint8_t)rows[i].type];
        if (count)
            print_latency(out, rows[i].name, count, rows[i].latency >= 0 ? &player->latency[rows[i].latency] : NULL);
    }
    print_latency(out, "all direct answers", report->latency.total, &report->latency);
    fprintf(out,
            "\nsent %" PRIu64 " = accepted %" PRIu64 " + rejected %" PRIu64 " + silent by rule %" PRIu64
            " + unanswered %" PRIu64 "; %.0f a second\n",
            counts->sent, counts->accepted, counts->rejected, counts->silent, report->unanswered, report->rate);
    fprintf(out,
            "trades %zu, sequence gaps %" PRIu64 ", requests for retransmission %" PRIu64 ", violations %" PRIu64 "\n",
            report->trades.count + report->trades.halves, report->totals.gaps, report->totals.retransmissions,
            counts->violations + report->trades.differing);
    if (report->totals.recoveries || report->totals.resent)
        fprintf(out, "recovered %" PRIu64 " times, sent again %" PRIu64 "\n", report->totals.recoveries,
                report->totals.resent);
    if (report->unsent)
        fprintf(out, "NOT SENT: %" PRIu64 "\n", report->unsent);
    if (report->compared == 0)
        fprintf(out, "trades equal the expected ones in %s\n", player->options->compare);
    else if (report->compared == 1)
        fprintf(out, "TRADES DIFFER from %s: %s\n", player->options->compare, report->comparison);
}

int report_write_json(const struct report *report, const char *path)
{
    const struct order_counts *counts = &report->totals.counts;
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file,
            "{\n  \"sent\": %" PRIu64 ",\n  \"accepted\": %" PRIu64 ",\n  \"rejected\": %" PRIu64
            ",\n  \"executions\": %zu,\n  \"silent_by_rule\": %" PRIu64 ",\n  \"unanswered\": %" PRIu64
            ",\n  \"sequence_gaps\": %" PRIu64 ",\n  \"journal_bytes\": %" PRIu64 ",\n",
            counts->sent, counts->accepted, counts->rejected, report->trades.count + report->trades.halves,
            counts->silent, report->unanswered, report->totals.gaps, report->journal_bytes);
    fprintf(file,
            "  \"latency_ns\": {\"p50\": %" PRIu64 ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"p999\": %" PRIu64
            ", \"max\": %" PRIu64 "},\n",
            histogram_percentile(&report->latency, 50), histogram_percentile(&report->latency, 90),
            histogram_percentile(&report->latency, 99), histogram_percentile(&report->latency, 99.9),
            report->latency.max);
    fprintf(file,
            "  \"unsent\": %" PRIu64 ",\n  \"violations\": %" PRIu64 ",\n  \"resent\": %" PRIu64
            ",\n  \"recoveries\": %" PRIu64 ",\n  \"retransmission_requests\": %" PRIu64
            ",\n  \"seconds\": %.6f,\n  \"rate\": %.1f,\n  \"trades_equal\": %s,\n  \"messages\": {",
            report->unsent, counts->violations + report->trades.differing, report->totals.resent,
            report->totals.recoveries, report->totals.retransmissions, report->seconds, report->rate,
            report->compared < 0    ? "null"
            : report->compared == 0 ? "true"
                                    : "false");
    const char *separator = "";
    for (unsigned type = 0; type < 128; type++) {
        if (counts->messages[type] == 0)
            continue;
        fprintf(file, "%s\"%c\": %" PRIu64, separator, (char)type, counts->messages[type]);
        separator = ", ";
    }
    fprintf(file, "}\n}\n");
    int failed = ferror(file);
    return fclose(file) == 0 && !failed ? 0 : -1;
}
