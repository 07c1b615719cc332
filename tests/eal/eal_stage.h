// SPDX-License-Identifier: Apache-2.0
// What tests of real ports share: EAL on ordinary pages, a directory of their own, a network namespace of their own.
#ifndef CROSSWIRE_TESTS_EAL_EAL_STAGE_H
#define CROSSWIRE_TESTS_EAL_EAL_STAGE_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io/eal.h"
#include "io/port.h"

// Leaves this machine's network behind for an empty one. NULL, or why that is not possible here.
static inline const char *stage_own_network(void)
{
    if (geteuid() != 0)
        return "it needs root for a network namespace";
    if (unshare(CLONE_NEWNET) != 0)
        return "this machine allows no network namespace";
    if (system("ip link set lo up") != 0)
        return "the ip command is missing: apt-get install iproute2";
    return NULL;
}

// Skips the test when there is a reason why not, as stage_own_network() gives it.
static inline void stage_skip_for(const char *reason)
{
    if (!reason)
        return;
    print_message("skipped because %s\n", reason);
    skip();
}

static inline void stage_run(const char *command)
{
    if (system(command) != 0) {
        print_message("failed: %s\n", command);
        fail();
    }
}

// One request to the interface, a structure of linux/ethtool.h.
static inline void stage_ethtool(const char *interface, void *request_data)
{
    struct ifreq request = {.ifr_data = request_data};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
    close(fd);
}

// The kernel would leave the UDP checksum to a card that is not there.
static inline void stage_checksum_in_software(const char *interface)
{
    struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    stage_ethtool(interface, &off);
}

static inline void stage_open_ports(const struct config *config)
{
    char error[512] = "";
    int result = ports_open(config, error, sizeof error);
    if (result != 0)
        print_message("%s\n", error);
    assert_int_equal(result, 0);
}

// Makes `directory` (a template as of mkdtemp) and starts EAL. 0, or -1 after saying why.
static inline int stage_start(const struct config *config, char *directory)
{
    char error[512] = "";
    if (!mkdtemp(directory))
        return -1;
    if (eal_start(config, error, sizeof error) == 0)
        return 0;
    print_message("%s\n", error);
    return -1;
}

// Stops EAL. 0 when the tests have left nothing in `directory`, which is removed.
static inline int stage_stop(const char *directory)
{
    eal_stop();
    return rmdir(directory);
}

#endif
