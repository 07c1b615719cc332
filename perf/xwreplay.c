// SPDX-License-Identifier: Apache-2.0
// xwreplay: plays orders into the venue over UFO and OUCH 5.0, checks every answer, measures. xwreplay --help.
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "perf/capture_symbols.h"
#include "perf/client_bench.h"
#include "perf/clock.h"
#include "perf/options.h"
#include "perf/player.h"
#include "perf/report.h"

static int verify(const struct options *options)
{
    struct record_findings findings;
    char error[512];
    if (record_verify(options->verify, options->verify_count, &findings, stderr, error, sizeof error) != 0)
        fail_with(EX_DATAERR, "%s", error);
    printf("%" PRIu64 " streams, %" PRIu64 " messages, %" PRIu64 " received again with the same bytes, %" PRIu64
           " with other bytes, %" PRIu64 " never received\n",
           findings.streams, findings.messages, findings.repeated, findings.differing, findings.missing);
    return findings.differing == 0 && findings.missing == 0 ? 0 : 1;
}

static void count_symbols(const struct flow *flow, struct symbol_counts *counts)
{
    if (capture_symbols_count(counts, flow) != 0)
        fail_with(EX_OSERR, "no memory for the symbols of %" PRIu64 " messages", flow->count);
}

static int list_symbols(const struct options *options)
{
    struct flow flow;
    struct symbol_counts counts;
    char error[512];
    if (flow_is_stream(options->input))
        fail_with(EX_USAGE, "%s is a stream file, its symbols have numbers: --list-symbols is for captures",
                  options->input);
    if (flow_read_capture(&flow, options->input, options->server_port, UINT8_MAX, error, sizeof error) != 0)
        fail_with(access(options->input, R_OK) == 0 ? EX_DATAERR : EX_NOINPUT, "%s", error);
    count_symbols(&flow, &counts);
    capture_symbols_print(&counts, stdout);
    capture_symbols_free(&counts);
    flow_free(&flow);
    return EX_OK;
}

static void tell_unknown_symbols(const struct options *options, const struct flow *flow)
{
    struct symbol_counts counts;
    count_symbols(flow, &counts);
    capture_symbols_unknown(&counts, options->symbols, options->symbols_count, stdout);
    capture_symbols_free(&counts);
}

static void make_flow(const struct options *options, struct flow *flow)
{
    char error[512];
    if (!options->input) {
        struct flow_plan plan = {.seed = options->seed,
                                 .orders = options->orders,
                                 .sessions = options->sessions_count,
                                 .symbols = options->symbols_count,
                                 .resting = options->resting,
                                 .all_types = !options->plain};
        for (unsigned i = 0; i < options->sessions_count; i++)
            plan.reach[i] = options->sessions[i].symbols;
        if (flow_generate(flow, &plan) != 0)
            fail_with(EX_OSERR, "no memory for a day of %" PRIu64 " orders: give fewer (--orders)", options->orders);
        return;
    }
    int result = flow_is_stream(options->input) ? flow_read_stream(flow, options->input, error, sizeof error)
                                                : flow_read_capture(flow, options->input, options->server_port,
                                                                    options->sessions_count, error, sizeof error);
    if (result != 0)
        fail_with(access(options->input, R_OK) == 0 ? EX_DATAERR : EX_NOINPUT, "%s", error);
    if (flow->raw)
        tell_unknown_symbols(options, flow);
    if (flow->symbols > options->symbols_count)
        fail_with(EX_USAGE, "%s has %u symbols: name as many with --symbols", options->input, flow->symbols);
}

static void write_hdr(const struct report *report, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file || histogram_write_hdr(&report->latency, file) != 0 || fclose(file) != 0)
        fail_with(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

static void write_results(const struct options *options, const struct report *report)
{
    if (options->json && report_write_json(report, options->json) != 0)
        fail_with(EX_CANTCREAT, "%s: %s", options->json, strerror(errno));
    if (options->trades && trades_write(&report->trades, options->trades) != 0)
        fail_with(EX_CANTCREAT, "%s: %s", options->trades, strerror(errno));
    if (options->hdr)
        write_hdr(report, options->hdr);
}

static void on_signal(int signal)
{
    (void)signal;
    player_stop();
}

static int play(const struct options *options)
{
    static struct player player;
    static struct report report;
    struct flow flow;
    char error[512];
    make_flow(options, &flow);
    int result = player_open(&player, options, &flow, error, sizeof error);
    if (result != 0)
        fail_with(result, "%s", error);
    bool all = player_run(&player);
    if (!all)
        fprintf(stderr, "xwreplay: ended before everything was answered%s\n",
                player.began_ns ? "" : ": the venue accepted no login");
    if (report_make(&report, &player) != 0)
        fail_with(EX_OSERR, "no memory for the report");
    report_print(&report, &player, stdout);
    write_results(options, &report);
    bool good = all && report_good(&report);
    if (options->reread && !player_reread(&player)) {
        fprintf(stderr, "xwreplay: the streams could not be fetched again\n");
        good = false;
    }
    free(report.trades.trades);
    if (player_close(&player) != 0)
        fail_with(EX_IOERR, "the record or the capture could not be written");
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct options options;
    char error[512];
    log_open("xwreplay", "");
    options_read(&options, argc, argv);
    if (options.verify_count)
        return verify(&options);
    if (options.list_symbols)
        return list_symbols(&options);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    options.progress = options.progress || isatty(2);
    if (!options.udp && transport_virtio_start("xwreplay", options.core, error, sizeof error) != 0)
        fail_with(EX_OSERR, "%s", error);
    clock_calibrate();
    return options.bench ? bench_run(&options) : play(&options);
}
