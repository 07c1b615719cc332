// SPDX-License-Identifier: Apache-2.0
#include "perf/options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "contract/version.h"

static const char help[] =
    "usage: xwreplay (--virtio SOCKET | --udp) --server IP:PORT --session USER:PASSWORD [...] --symbols A,B,.. "
    "[OPTIONS]\n"
    "       xwreplay --verify FILE...\n"
    "       xwreplay --input CAPTURE --list-symbols [--server IP:PORT]\n"
    "       xwreplay --version | --help\n"
    "Plays orders into the venue, checks every answer, measures.\n"
    "\n"
    "where to\n"
    "  --virtio SOCKET        the appliance's vhost socket; again for a second device\n"
    "  --udp                  ordinary sockets\n"
    "  --server IP:PORT       the gateway [10.0.0.1:4000]\n"
    "  --address IP           ours [10.0.0.2; with --udp the kernel's choice]\n"
    "  --local-port PORT      of the first session, the next ones follow [40000; with --udp the kernel's choice]\n"
    "  --session USER:PASSWORD[@IP:PORT][/DEVICE][=SYMBOL+SYMBOL..]   again for more\n"
    "  --symbols A,B,..       symbols by their number in the input\n"
    "what\n"
    "  --input FILE           a stream file or a capture of orders; without it a day is made up\n"
    "  --types all|plain      one order in five of a made-up day is hidden, pegged, a stop, .. [all]\n"
    "  --orders N             messages of the day [300000]    --seed N [1]    --resting N  orders in the books "
    "[20000]\n"
    "how fast\n"
    "  --window N             at most this many outstanding [64; open-loop 65536]\n"
    "  --rate R               open-loop, messages a second; latency counts from the intended time\n"
    "  --timing SCALE         the capture's own timing, SCALE times faster\n"
    "  --pack N               messages a datagram [1]\n"
    "  --part FILE            no more of the day than the percentage in FILE, which may be raised meanwhile\n"
    "  --yield | --no-yield   idle by sched_yield | by spinning [where there are at most two cores: by short sleeps]\n"
    "  --core N               pin to a core\n"
    "  --grace S              wait this long for a sign of progress [10]\n"
    "  --timeout S            log in again after this silence [3]\n"
    "what comes out\n"
    "  --progress             a line a second [on a terminal]\n"
    "  --json FILE   --trades FILE   --hdr FILE   --pcap FILE\n"
    "  --record FILE          append every message received; --reread: at the end fetch the whole stream again\n"
    "  --compare FILE         the stream's expected trades\n"
    "  --journal DIR          what is written in it goes into the JSON\n"
    "other modes\n"
    "  --bench                round trips (window 1), then streaming (window 256 or --window); verified after the run\n"
    "  --phase trips|stream   with --bench: only this one\n"
    "  --reflect              with --bench: against floor_reflector, a frame that comes back is the answer\n"
    "  --list-symbols         the capture's symbols, the busiest first, with their orders, as --symbols may name them\n"
    "  --verify FILE...       compare records: the same sequence always had the same bytes\n";

enum option_code {
    OPT_VIRTIO = 256,
    OPT_UDP,
    OPT_SERVER,
    OPT_ADDRESS,
    OPT_LOCAL_PORT,
    OPT_SESSION,
    OPT_SYMBOLS,
    OPT_INPUT,
    OPT_ORDERS,
    OPT_SEED,
    OPT_TYPES,
    OPT_RESTING,
    OPT_WINDOW,
    OPT_RATE,
    OPT_TIMING,
    OPT_PACK,
    OPT_PART,
    OPT_YIELD,
    OPT_NO_YIELD,
    OPT_CORE,
    OPT_GRACE,
    OPT_TIMEOUT,
    OPT_PROGRESS,
    OPT_JSON,
    OPT_TRADES,
    OPT_HDR,
    OPT_PCAP,
    OPT_RECORD,
    OPT_REREAD,
    OPT_COMPARE,
    OPT_JOURNAL,
    OPT_BENCH,
    OPT_REFLECT,
    OPT_PHASE,
    OPT_VERIFY,
    OPT_LIST_SYMBOLS,
    OPT_VERSION,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"virtio", required_argument, NULL, OPT_VIRTIO},
    {"udp", no_argument, NULL, OPT_UDP},
    {"server", required_argument, NULL, OPT_SERVER},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"local-port", required_argument, NULL, OPT_LOCAL_PORT},
    {"session", required_argument, NULL, OPT_SESSION},
    {"symbols", required_argument, NULL, OPT_SYMBOLS},
    {"input", required_argument, NULL, OPT_INPUT},
    {"orders", required_argument, NULL, OPT_ORDERS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"types", required_argument, NULL, OPT_TYPES},
    {"resting", required_argument, NULL, OPT_RESTING},
    {"window", required_argument, NULL, OPT_WINDOW},
    {"rate", required_argument, NULL, OPT_RATE},
    {"timing", required_argument, NULL, OPT_TIMING},
    {"pack", required_argument, NULL, OPT_PACK},
    {"part", required_argument, NULL, OPT_PART},
    {"yield", no_argument, NULL, OPT_YIELD},
    {"no-yield", no_argument, NULL, OPT_NO_YIELD},
    {"core", required_argument, NULL, OPT_CORE},
    {"grace", required_argument, NULL, OPT_GRACE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"progress", no_argument, NULL, OPT_PROGRESS},
    {"json", required_argument, NULL, OPT_JSON},
    {"trades", required_argument, NULL, OPT_TRADES},
    {"hdr", required_argument, NULL, OPT_HDR},
    {"pcap", required_argument, NULL, OPT_PCAP},
    {"record", required_argument, NULL, OPT_RECORD},
    {"reread", no_argument, NULL, OPT_REREAD},
    {"compare", required_argument, NULL, OPT_COMPARE},
    {"journal", required_argument, NULL, OPT_JOURNAL},
    {"bench", no_argument, NULL, OPT_BENCH},
    {"reflect", no_argument, NULL, OPT_REFLECT},
    {"phase", required_argument, NULL, OPT_PHASE},
    {"verify", no_argument, NULL, OPT_VERIFY},
    {"list-symbols", no_argument, NULL, OPT_LIST_SYMBOLS},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static double number(const char *text, const char *what, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(value >= least) || !(value <= most))
        fail_with(EX_USAGE, "--%s %s: give a number from %.15g to %.15g", what, text, least, most);
    return value;
}

static uint32_t address(const char *text)
{
    struct in_addr ip;
    if (inet_pton(AF_INET, text, &ip) != 1)
        fail_with(EX_USAGE, "%s: give an IPv4 address such as 10.0.0.1", text);
    return ntohl(ip.s_addr);
}

static void address_and_port(const char *text, uint32_t *ip, uint16_t *port)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    char *colon = strchr(copy, ':');
    if (!colon)
        fail_with(EX_USAGE, "%s: give IP:PORT such as 10.0.0.1:4000", text);
    *colon = '\0';
    *ip = address(copy);
    *port = (uint16_t)number(colon + 1, "server", 1, 65535);
}

static void read_symbols(struct options *options, const char *text)
{
    char copy[1024], *rest = copy;
    snprintf(copy, sizeof copy, "%s", text);
    for (const char *name; (name = strsep(&rest, ",+"));) {
        if (*name == '\0' || strlen(name) > 8 || options->symbols_count == SYMBOLS_MAX)
            fail_with(EX_USAGE, "--symbols %s: give at most %d names of 1 to 8 characters", text, SYMBOLS_MAX);
        snprintf(options->symbols[options->symbols_count++], 9, "%s", name);
    }
}

static uint64_t symbol_bits(const struct options *options, char *text)
{
    uint64_t bits = 0;
    for (const char *name; (name = strsep(&text, "+"));) {
        unsigned i = 0;
        while (i < options->symbols_count && strcmp(options->symbols[i], name) != 0)
            i++;
        if (i == options->symbols_count)
            fail_with(EX_USAGE, "--session ..=%s: not among --symbols", name);
        bits |= UINT64_C(1) << i;
    }
    return bits;
}

// USER:PASSWORD[@IP:PORT][/DEVICE][=SYMBOL+SYMBOL..], taken apart from its end.
static void read_session(struct options *options, const char *text)
{
    char copy[512];
    if (options->sessions_count == SESSIONS_MAX)
        fail_with(EX_USAGE, "at most %d sessions", SESSIONS_MAX);
    struct session_option *session = &options->sessions[options->sessions_count++];
    *session = (struct session_option){.ip = options->server_ip, .port = options->server_port};
    snprintf(copy, sizeof copy, "%s", text);
    char *at = strchr(copy, '=');
    if (at) {
        *at = '\0';
        session->symbols = symbol_bits(options, at + 1);
    }
    if ((at = strchr(copy, '/'))) {
        *at = '\0';
        session->device = (uint16_t)number(at + 1, "session DEVICE", 0, DEVICES_MAX - 1);
    }
    if ((at = strchr(copy, '@'))) {
        *at = '\0';
        address_and_port(at + 1, &session->ip, &session->port);
    }
    at = strchr(copy, ':');
    if (!at || at == copy || at - copy > 6 || strlen(at + 1) > 10)
        fail_with(EX_USAGE, "--session %s: give USER:PASSWORD, at most 6 and 10 characters", text);
    *at = '\0';
    snprintf(session->user, sizeof session->user, "%.6s", copy);
    snprintf(session->password, sizeof session->password, "%.10s", at + 1);
}

static void take_device(struct options *options, const char *path)
{
    if (options->devices == DEVICES_MAX)
        fail_with(EX_USAGE, "at most %d virtio sockets", DEVICES_MAX);
    options->virtio[options->devices++] = path;
}

static void take_output(struct options *options, int code, const char *path)
{
    switch (code) {
    case OPT_JSON:
        options->json = path;
        break;
    case OPT_TRADES:
        options->trades = path;
        break;
    case OPT_HDR:
        options->hdr = path;
        break;
    case OPT_PCAP:
        options->pcap = path;
        break;
    case OPT_RECORD:
        options->record = path;
        break;
    case OPT_COMPARE:
        options->compare = path;
        break;
    case OPT_JOURNAL:
        options->journal = path;
        break;
    default:
        fail_with(EX_USAGE, "xwreplay --help shows the options");
    }
}

static void take_pace(struct options *options, int code, const char *value)
{
    switch (code) {
    case OPT_WINDOW:
        options->window = (uint32_t)number(value, "window", 1, 65536);
        break;
    case OPT_RATE:
        options->rate = number(value, "rate", 0.001, 1e9);
        break;
    case OPT_TIMING:
        options->scale = number(value, "timing", 1e-6, 1e9);
        break;
    case OPT_PART:
        options->part = value;
        break;
    case OPT_PACK:
        options->pack = (uint32_t)number(value, "pack", 1, 29);
        break;
    case OPT_YIELD:
        options->yield = YIELD_ALWAYS;
        break;
    case OPT_NO_YIELD:
        options->yield = YIELD_NEVER;
        break;
    case OPT_CORE:
        options->core = (int)number(value, "core", 0, 1023);
        break;
    case OPT_GRACE:
        options->grace_s = number(value, "grace", 0.01, 3600);
        break;
    case OPT_TIMEOUT:
        options->timeout_s = number(value, "timeout", 0.1, 3600);
        break;
    default:
        take_output(options, code, value);
    }
}

// Options that others refer to; true when this was one.
static bool take_first(struct options *options, int code, const char *value)
{
    switch (code) {
    case OPT_SERVER:
        address_and_port(value, &options->server_ip, &options->server_port);
        return true;
    case OPT_SYMBOLS:
        read_symbols(options, value);
        return true;
    default:
        return false;
    }
}

static void take(struct options *options, int code, const char *value)
{
    switch (code) {
    case OPT_HELP:
        fputs(help, stdout);
        exit(EX_OK);
    case OPT_VERSION:
        version_print("xwreplay");
        exit(EX_OK);
    case OPT_VIRTIO:
        take_device(options, value);
        break;
    case OPT_UDP:
        options->udp = true;
        break;
    case OPT_ADDRESS:
        options->local_ip = address(value);
        break;
    case OPT_LOCAL_PORT:
        options->local_port = (uint16_t)number(value, "local-port", 1, 65000);
        break;
    case OPT_SESSION:
        read_session(options, value);
        break;
    case OPT_INPUT:
        options->input = value;
        break;
    case OPT_ORDERS:
        options->orders = (uint64_t)number(value, "orders", 1, 1e8);
        break;
    case OPT_SEED:
        options->seed = (uint64_t)number(value, "seed", 0, 1e15);
        break;
    case OPT_TYPES:
        options->plain = strcmp(value, "plain") == 0;
        if (!options->plain && strcmp(value, "all") != 0)
            fail_with(EX_USAGE, "--types %s: say all or plain", value);
        break;
    case OPT_RESTING:
        options->resting = (uint32_t)number(value, "resting", 1, 1e7);
        break;
    case OPT_PROGRESS:
        options->progress = true;
        break;
    case OPT_REREAD:
        options->reread = true;
        break;
    case OPT_BENCH:
        options->bench = true;
        break;
    case OPT_PHASE:
        options->trips = strcmp(optarg, "trips") == 0;
        options->streaming = strcmp(optarg, "stream") == 0;
        if (!options->trips && !options->streaming)
            fail_with(EX_USAGE, "--phase %s: give trips or stream", optarg);
        break;
    case OPT_LIST_SYMBOLS:
        options->list_symbols = true;
        break;
    case OPT_REFLECT:
        options->reflect = true;
        break;
    default:
        take_pace(options, code, value);
    }
}

static void check(const struct options *options)
{
    if (options->list_symbols) {
        if (!options->input)
            fail_with(EX_USAGE, "--list-symbols: name the capture with --input");
        return;
    }
    if (options->udp == (options->devices > 0))
        fail_with(EX_USAGE, "give either --virtio SOCKET or --udp");
    if (options->sessions_count == 0 && !options->reflect)
        fail_with(EX_USAGE, "give at least one --session USER:PASSWORD");
    if (options->symbols_count == 0 && !options->reflect)
        fail_with(EX_USAGE, "give --symbols, the names behind the input's symbol numbers");
    for (unsigned i = 0; i < options->sessions_count; i++)
        if (!options->udp && options->sessions[i].device >= options->devices)
            fail_with(EX_USAGE, "session %s names device %u, but only %u --virtio are given", options->sessions[i].user,
                      options->sessions[i].device, options->devices);
    if (options->rate > 0 && options->scale > 0)
        fail_with(EX_USAGE, "give either --rate or --timing");
    if (options->reflect && (!options->bench || options->udp))
        fail_with(EX_USAGE, "--reflect goes with --bench and --virtio");
}

void options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.orders = 300000,
                                .seed = 1,
                                .resting = 20000,
                                .pack = 1,
                                .core = -1,
                                .grace_s = 10,
                                .timeout_s = 3,
                                .server_ip = UINT32_C(0x0a000001),
                                .server_port = 4000};
    bool verify = false;
    int code;
    // Twice: sessions refer to the server and the symbols, wherever those stand.
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == '?')
            fail_with(EX_USAGE, "xwreplay --help shows the options");
        verify = verify || code == OPT_VERIFY;
        take_first(options, code, optarg);
    }
    for (int i = optind; i < argc; i++) {
        if (!verify || options->verify_count == VERIFY_MAX)
            fail_with(EX_USAGE, "%s: xwreplay --help shows the options", argv[i]);
        options->verify[options->verify_count++] = argv[i];
    }
    optind = 1;
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (code != OPT_SERVER && code != OPT_SYMBOLS && code != OPT_VERIFY)
            take(options, code, optarg);
    if (!options->udp && options->local_ip == 0)
        options->local_ip = UINT32_C(0x0a000002);
    if (!options->udp && options->local_port == 0)
        options->local_port = 40000;
    if (verify && options->verify_count == 0)
        fail_with(EX_USAGE, "--verify: give the record files");
    if (!verify)
        check(options);
    if (options->window == 0)
        options->window = options->bench ? 256 : options->rate > 0 || options->scale > 0 ? 65536 : 64;
}
