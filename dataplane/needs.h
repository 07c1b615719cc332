// SPDX-License-Identifier: Apache-2.0
// What a configuration needs of its host, known before anything starts: CPUs, huge pages, devices. The same code that
// takes them counts them.
#ifndef CROSSWIRE_NEEDS_H
#define CROSSWIRE_NEEDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "contract/config.h"
#include "cores/role.h"
#include "topology.h"

#define NEEDS_NODES_MAX 64

struct needs {
    // Huge pages of 2 MB by NUMA node: of the roles, and EAL's share of dataplane.memory_mb, which it spreads over the
    // nodes by their lcores.
    struct {
        size_t role_pages;
        size_t eal_pages;
    } nodes[NEEDS_NODES_MAX];
    size_t region_bytes;
    size_t region_page;    // bytes of a page where run_directory is hugetlbfs, else 0
    uint64_t locked_bytes; // all of it
};

// Counts. Whether huge pages are wanted at all is the configuration's own word.
void needs_count(const struct config *config, const struct topology *topology,
                 const struct role_descriptor *const *descriptors, struct needs *needs);

// Prints them for xwctl doctor and hugepage_setup/host, a line each:
//
//   instance NAME | run_directory PATH | main_lcore N | role_lcores LIST | huge_pages yes|no
//   pages NODE KIB COUNT                    huge pages of this size wanted on this node
//   region_bytes N | locked_bytes N
//   device ADDRESS KERNEL-DRIVER PORT       a device that has to be bound; vfio-pci, or the driver that keeps it
void needs_print(const struct config *config, const struct topology *topology, const struct needs *needs, FILE *to);

// Returns 0 when the huge pages are free now and nobody has the ports' devices, or EX_UNAVAILABLE with one line in
// `error`. `root`: "" or what holds a made-up /sys and /dev in a test.
int needs_check(const struct config *config, const struct needs *needs, const char *root, char *error,
                size_t error_size);

#endif
