// SPDX-License-Identifier: Apache-2.0
#include "io/dpdk_version.h"

#include <rte_version.h>
#include <string.h>

#define TEXT_OF(number) #number
#define VERSION(year, month, minor) TEXT_OF(year) "." TEXT_OF(month) "." TEXT_OF(minor)

const char *dpdk_version_built(void)
{
    return VERSION(RTE_VER_YEAR, RTE_VER_MONTH, RTE_VER_MINOR) RTE_VER_SUFFIX;
}

const char *dpdk_version_running(void)
{
    const char *text = rte_version();
    size_t prefix = strlen(RTE_VER_PREFIX " ");
    return strncmp(text, RTE_VER_PREFIX " ", prefix) == 0 ? text + prefix : text;
}
