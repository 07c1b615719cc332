// SPDX-License-Identifier: Apache-2.0
// An Ethernet port as the roles see it: bursts of frames in, bursts of frames out. The same for physical and virtual
// devices; what differs stands in the device's NIC profile. No DPDK type shows here.
#ifndef CROSSWIRE_IO_PORT_H
#define CROSSWIRE_IO_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

#define FRAME_MAX 1518
#define PORT_BURST_MAX 64

// A frame in a buffer of the port's pool. Received: data is readable. To send: data is writable up to FRAME_MAX.
struct frame {
    uint8_t *data;
    uint32_t length;
    uint8_t ip_checksum;  // enum checksum: what the port found (received)
    uint8_t udp_checksum; // enum checksum
    void *handle;         // the port's own
};

enum checksum { CHECKSUM_UNKNOWN, CHECKSUM_GOOD, CHECKSUM_BAD };

struct port_queue; // one receive and one transmit queue of a port, used by one lcore only

// Sets up every port of the configuration from its profile, with as many queues as roles use; with several, a datagram
// comes to the queue of the role whose UDP port it names (io/steering.h), and anything else to any of them. Warns by
// log of roles that poll a port of another NUMA node. Call after eal_start, before any lcore is launched. Returns 0, or
// a sysexits code with one line in `error` that names the port, what is wrong and what mends it. Nothing is left half
// open.
int ports_open(const struct config *config, char *error, size_t error_size);

// Stops and closes every port; removes a socket file that the device made.
void ports_close(void);

// The queue of a port, by the port's index in the configuration. NULL when there is no such queue.
struct port_queue *port_queue(uint32_t port, uint32_t queue);

// The number of the device behind the queue, as EAL counts it: for floors and tests that talk to EAL themselves.
uint16_t port_device(const struct port_queue *queue);

// The port's MAC address.
const uint8_t *port_mac(const struct port_queue *queue);

// Takes up to `most` (at most PORT_BURST_MAX) received frames; fewer than there are after a look that found few, so
// that a look at an idle port is short: call until it returns 0 to have all. Never blocks.
unsigned port_receive(struct port_queue *queue, struct frame *frames, unsigned most);

// Gives received frames back to their pool, at most PORT_BURST_MAX at once.
void port_release(struct port_queue *queue, struct frame *frames, unsigned count);

// Takes an empty frame to fill; false when the pool is empty. length is 0 and data writable for FRAME_MAX bytes.
bool port_new_frame(struct port_queue *queue, struct frame *frame);

// Sends `count` frames, whose ownership passes to the port in any case. Returns how many the device took; the rest are
// freed: the caller counts them as dropped.
unsigned port_send(struct port_queue *queue, struct frame *frames, unsigned count);

#endif
