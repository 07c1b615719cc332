// SPDX-License-Identifier: Apache-2.0
// Writes what travelled to a capture file with nanosecond times, both directions.
#ifndef CROSSWIRE_PERF_CAPTURE_H
#define CROSSWIRE_PERF_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct capture;

// Opens `path`; "-" is standard output. NULL with one line in error.
struct capture *capture_open(const char *path, char *error, size_t error_size);

// Writes one Ethernet frame, stamped now.
void capture_frame(struct capture *capture, const void *frame, size_t size);

// Writes a datagram that an ordinary socket carried, with headers made for it. Addresses in host order.
void capture_datagram(struct capture *capture, uint32_t from_ip, uint16_t from_port, uint32_t to_ip, uint16_t to_port,
                      const void *payload, size_t size);

// Returns 0, or -1 when writing failed.
int capture_close(struct capture *capture);

#endif
