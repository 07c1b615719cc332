// SPDX-License-Identifier: Apache-2.0
// A venue of two matching cores for tests of limits: two firms of two accounts each. NORTH and firm NRTH have sessions
// on both cores, EAST and SOUTH on one, WEST has none.
#ifndef CROSSWIRE_TESTS_UNIT_LIMITS_VENUE_H
#define CROSSWIRE_TESTS_UNIT_LIMITS_VENUE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/config.h"

// Writes `text` to a new file, whose name is in `path` (32 bytes).
static inline void write_new(char path[32], const char *text)
{
    strcpy(path, "/tmp/crosswire-XXXXXX");
    int fd = mkstemp(path);
    xw_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

#define LIMITS_VENUE                                                                                              \
    "run_directory: /tmp\njournal_directory: /tmp\ncontrol: {password_file: somewhere}\nports:\n"                 \
    "  - {name: wire, profile: vhost, mac: \"02:00:00:00:00:01\", address: 10.0.0.1}\n"                           \
    "gateways:\n  - {lcore: 0, port: wire, udp_port: 4000}\nmatchers:\n  - {lcore: 0}\n  - {lcore: 0}\n"          \
    "publishers:\n  - {lcore: 0, port: wire, group: 233.54.12.1, udp_port: 5000}\n"                               \
    "  - {lcore: 0, port: wire, group: 233.54.12.2, udp_port: 5000}\n"                                            \
    "symbols:\n  - {name: XWIRE, matcher: 0}\n  - {name: ALPHA, matcher: 1}\n  - {name: BRAVO, matcher: 0}\n"     \
    "accounts:\n  - {name: NORTH, firm: NRTH}\n  - {name: SOUTH, firm: SOTH}\n  - {name: EAST, firm: NRTH}\n"     \
    "  - {name: WEST, firm: SOTH}\n"                                                                              \
    "sessions:\n  - {user: TRADE1, account: NORTH, matcher: 0}\n  - {user: TRADE2, account: NORTH, matcher: 1}\n" \
    "  - {user: TRADE3, account: SOUTH, matcher: 1}\n  - {user: TRADE4, account: EAST, matcher: 0}\n"

// Loads it with `extra` lines; config_free it.
static inline struct config *load_venue(const char *extra)
{
    char path[32], text[4096], error[512] = "";
    snprintf(text, sizeof text, "%s%s", extra, LIMITS_VENUE);
    write_new(path, text);
    struct config *config = config_load(path, error, sizeof error);
    unlink(path);
    if (!config)
        fprintf(stderr, "%s\n", error);
    xw_assert(config != NULL);
    return config;
}

#endif
