// SPDX-License-Identifier: Apache-2.0
// What tests of real ports share: EAL on ordinary pages, a directory of their own, a network namespace of their own.
#ifndef CROSSWIRE_TESTS_EAL_EAL_STAGE_H
#define CROSSWIRE_TESTS_EAL_EAL_STAGE_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/eal.h"

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
