// SPDX-License-Identifier: Apache-2.0
// DPDK's environment as the rest sees it: started from the configuration, lcores launched and joined. No DPDK type
// shows here.
#ifndef CROSSWIRE_IO_EAL_H
#define CROSSWIRE_IO_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

#define EAL_LCORES_MAX 64

// The lcores of a configuration: main_lcore first, then each lcore that a role names, ascending and once. An lcore is
// the CPU of the same number. Returns how many, at most `most`.
unsigned eal_lcores(const struct config *config, uint32_t *lcores, unsigned most);

// Starts EAL for the configuration: its lcores, its memory (huge or ordinary), PCI only if a port's profile is
// physical. Ignores SIGPIPE. A client of a port (perf, tests) passes a configuration that has ports but no role: then
// only main_lcore runs. Block SIGTERM and SIGINT before, so that EAL's threads leave them alone. Once a process.
// Returns 0, or a sysexits code with one line in `error`: what is wrong, and what mends it.
int eal_start(const struct config *config, char *error, size_t error_size);

// Undoes eal_start, after ports_close.
void eal_stop(void);

// Runs `run(argument)` on a pinned lcore other than the main one. Returns false when that lcore does not exist or is
// busy.
bool eal_launch(uint32_t lcore, int (*run)(void *argument), void *argument);

// Waits for what eal_launch started there; returns what it returned.
int eal_join(uint32_t lcore);

// TSC cycles a second, as measured while EAL started.
uint64_t eal_tsc_hz(void);

// Bytes allocated on EAL's heaps now, to show that they do not grow.
uint64_t eal_heap_bytes(void);

#endif
