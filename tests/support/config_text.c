// SPDX-License-Identifier: Apache-2.0
#include "tests/support/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

char config_path[64];
char config_error[512];

const char config_base[] =
    "run_directory: run\n"                                                                       // 1
    "journal_directory: journal\n"                                                               // 2
    "trading_date: 2024-02-29\n"                                                                 // 3
    "ack: matched\n"                                                                             // 4
    "dataplane:\n"                                                                               // 5
    "  main_lcore: 1\n"                                                                          // 6
    "  order_ring_depth: 4096\n"                                                                 // 7
    "  huge_pages: false\n"                                                                      // 8
    "journal:\n"                                                                                 // 9
    "  commit_kb: 64\n"                                                                          // 10
    "ports:\n"                                                                                   // 11
    "  - {name: a, profile: vhost, address: 10.0.0.1, mac: '02:00:00:00:00:0a'}\n"               // 12
    "  - {name: b, profile: vhost, address: 10.0.0.2}\n"                                         // 13
    "gateways:\n"                                                                                // 14
    "  - {lcore: 0, port: a, udp_port: 4000}\n"                                                  // 15
    "  - {lcore: 2, port: b, udp_port: 4000}\n"                                                  // 16
    "matchers:\n"                                                                                // 17
    "  - lcore: 0\n"                                                                             // 18
    "  - lcore: 2\n"                                                                             // 19
    "publishers:\n"                                                                              // 20
    "  - {lcore: 0, port: a, group: 233.54.12.1, udp_port: 5000}\n"                              // 21
    "  - {lcore: 2, port: b, group: 233.54.12.2, udp_port: 5000, request_port: 5001}\n"          // 22
    "symbols:\n"                                                                                 // 23
    "  - {name: ABC, tick: 0.05}\n"                                                              // 24
    "  - {name: XYZ, matcher: 1}\n"                                                              // 25
    "  - {name: abc, tick: 1, round_lot: 10}\n"                                                  // 26
    "accounts:\n"                                                                                // 27
    "  - {name: north, firm: NRTH}\n"                                                            // 28
    "  - {name: south, firm: SO}\n"                                                              // 29
    "sessions:\n"                                                                                // 30
    "  - {user: Trade1, account: north, password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}\n" // 31
    "  - {user: x2, account: south, password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd',\n"     // 32
    "     gateway: 1, matcher: 1, cancel_on_disconnect: true}\n";                                // 33

int config_make(void **state)
{
    (void)state;
    strcpy(config_path, "/tmp/crosswire-config-XXXXXX");
    int fd = mkstemp(config_path);
    close(fd);
    return fd < 0;
}

int config_drop(void **state)
{
    (void)state;
    return unlink(config_path);
}

struct config *config_take(const void *bytes, size_t size)
{
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    memset(config_error, 'x', sizeof config_error - 1);
    return config_load(config_path, config_error, sizeof config_error);
}

// The config_base text with the first `from` replaced.
struct config *config_with(const char *from, const char *to)
{
    static char text[16384];
    const char *at = strstr(config_base, from);
    assert_non_null(at);
    int size = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - config_base), config_base, to, at + strlen(from));
    assert_true(size > 0 && (size_t)size < sizeof text);
    return config_take(text, (size_t)size);
}

void config_refused(const char *from, const char *to, const char *position, const char *says)
{
    char head[128];
    struct config *config = config_with(from, to);
    if (config)
        fail_msg("taken: `%s` for `%s`", to, from);
    snprintf(head, sizeof head, "%s:%s: ", config_path, position);
    if (strncmp(config_error, head, strlen(head)) != 0 || !strstr(config_error, says) || strchr(config_error, '\n'))
        fail_msg("`%s` for `%s`\n  gave  %s\n  not   %s ... %s", to, from, config_error, head, says);
}

struct config *config_accepted(const char *from, const char *to)
{
    struct config *config = config_with(from, to);
    if (!config)
        fail_msg("refused: %s", config_error);
    return config;
}
