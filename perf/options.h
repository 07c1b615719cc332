// SPDX-License-Identifier: Apache-2.0
// The command line of xwreplay.
#ifndef CROSSWIRE_PERF_OPTIONS_H
#define CROSSWIRE_PERF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSIONS_MAX 64
#define SYMBOLS_MAX 64
#define DEVICES_MAX 4
#define VERIFY_MAX 32

struct session_option {
    char user[7];
    char password[11];
    uint32_t ip; // of its gateway, host order
    uint16_t port;
    uint16_t device;  // index of the virtio socket
    uint64_t symbols; // bits of options.symbols that it may trade, 0: all
};

enum options_yield { YIELD_AUTO, YIELD_ALWAYS, YIELD_NEVER };

struct options {
    // where to
    const char *virtio[DEVICES_MAX];
    unsigned devices;
    bool udp;
    uint32_t server_ip, local_ip;
    uint16_t server_port, local_port;
    struct session_option sessions[SESSIONS_MAX];
    unsigned sessions_count;
    char symbols[SYMBOLS_MAX][9];
    unsigned symbols_count;
    // what
    const char *input; // NULL: a generated day
    uint64_t orders, seed;
    uint32_t resting;
    bool plain; // --types plain
    // how fast
    uint32_t window;
    double rate;  // open-loop, messages a second; 0: closed-loop
    double scale; // a capture's own timing, this many times faster; 0: not
    uint32_t pack;
    const char *part; // file; NULL: all at once
    enum options_yield yield;
    int core;
    double grace_s, timeout_s;
    // what comes out
    bool progress;
    const char *json, *trades, *pcap, *hdr, *record, *compare, *journal;
    bool reread;
    // other modes
    bool bench, reflect;
    bool trips, streaming; // phases of the bench
    bool list_symbols;
    const char *verify[VERIFY_MAX];
    unsigned verify_count;
};

// Reads the command line. Ends the process with 64 and one line when it makes no sense; --help prints and ends with 0.
void options_read(struct options *options, int argc, char **argv);

#endif
