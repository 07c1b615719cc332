// SPDX-License-Identifier: Apache-2.0
// The allocator's figures in the log (XW2010).
#ifndef CROSSWIRE_CONTROL_MEMORY_REPORT_H
#define CROSSWIRE_CONTROL_MEMORY_REPORT_H

// What control may have allocated before it warns. Replicas and region mappings are mappings of their own, not heap.
#define MEMORY_CAP_BYTES (UINT64_C(1) << 30)

// Logs allocated, active, resident and mapped bytes as jemalloc counts them; `when` says why they are logged now.
// Programs that are linked without jemalloc log what the C library knows.
void memory_report(const char *when);

#endif
