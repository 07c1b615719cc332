// SPDX-License-Identifier: Apache-2.0
// What doctor makes of the figures of a disk.
#ifndef CROSSWIRE_CONTROL_DOCTOR_DISK_H
#define CROSSWIRE_CONTROL_DOCTOR_DISK_H

#include <stdint.h>

#include "control/doctor/doctor.h"

// Above these a synced write of 4 KiB is slow: with `ack: durable` every answer waits for one.
#define DOCTOR_DISK_P50_NS 500000u
#define DOCTOR_DISK_P99_NS 5000000u

// WARN above either, else PASS.
enum doctor_result doctor_disk_verdict(uint64_t p50_ns, uint64_t p99_ns);

// Bytes: FAIL below `least`, WARN below `day`, else PASS.
enum doctor_result doctor_space_verdict(uint64_t unused, uint64_t least, uint64_t day);

#endif
