// SPDX-License-Identifier: Apache-2.0
// Any bytes as a configuration file: refused with one line, or read into something whole.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What every reader relies on.
static void check_whole(const struct config *config)
{
    xw_assert(config->instance && config->run_directory && config->journal_directory && config->dataplane.eal);
    xw_assert(config->date >= 20000101 && config->ack_mode != ACK_REPLICATED);
    xw_assert(config->publishers_count == config->matchers_count && config->matchers_count > 0);
    for (uint32_t i = 0; i < config->ports_count; i++)
        xw_assert(config->ports[i].device && config->ports[i].mac && config->ports[i].ip);
    for (uint32_t i = 0; i < config->gateways_count; i++)
        xw_assert(config->gateways[i].port_index < config->ports_count);
    for (uint32_t i = 0; i < config->symbols_count; i++)
        xw_assert(config->symbols[i].matcher < config->matchers_count && config->symbols[i].tick_price);
    for (uint32_t i = 0; i < config->sessions_count; i++)
        xw_assert(config->sessions[i].account_index < config->accounts_count &&
                  config->sessions[i].gateway < config->gateways_count &&
                  config->sessions[i].matcher < config->matchers_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    char error[512];
    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        xw_assert(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    xw_assert(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct config *config = config_load(path, error, sizeof error);
    if (config) {
        check_whole(config);
        config_free(config);
    } else {
        xw_assert(strncmp(error, path, strlen(path)) == 0 && !strchr(error, '\n'));
    }
    return 0;
}
