// SPDX-License-Identifier: Apache-2.0
// Which DPDK this was compiled against and which one is loaded: a library that was changed below a running system shows
// here before it shows in packets.
#ifndef CROSSWIRE_IO_DPDK_VERSION_H
#define CROSSWIRE_IO_DPDK_VERSION_H

// "22.11.9", of the headers.
const char *dpdk_version_built(void);

// The same of the library that this process has loaded.
const char *dpdk_version_running(void);

#endif
