// SPDX-License-Identifier: Apache-2.0
// How a datagram finds the queue of the role that it is for, where roles of one port poll several queues.
//
//   flow: the device does it, one rte_flow rule a UDP port. What no rule names (ARP, ICMP) comes to queue 0, which
//   therefore needs none.
//
//   software: whoever receives a frame looks at its UDP port, and hands it over by a ring:
//
//        device queue 0 --> callback of queue 0 --+--> its role
//                                                 +--> ring 1 --> callback of queue 1 --> its role
//
// The callbacks are DPDK's, called by rte_eth_rx_burst; without them a port's fast path is the same. A frame whose ring
// is full stays with its receiver, who discards and counts it as of an unknown port. ARP and ICMP are answered by
// whoever receives them. A device may spread frames over its queues as it likes: each queue hands over to each.
#ifndef CROSSWIRE_IO_STEERING_H
#define CROSSWIRE_IO_STEERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

#define STEERING_QUEUES_MOST 64
#define STEERING_RULES_MOST 32

struct steering_rule {
    uint16_t udp_port, queue;
};

struct steering {
    uint16_t id; // of the DPDK port
    uint16_t queues;
    unsigned rules_count;
    struct steering_rule rules[STEERING_RULES_MOST];
    struct rte_flow *flows[STEERING_RULES_MOST];
    unsigned flows_count; // installed in the device
    struct steering_queue {
        struct steering *steering;
        struct rte_ring *ring;                        // frames for this queue that another one received
        const struct rte_eth_rxtx_callback *callback; // NULL: the device steers
    } per_queue[STEERING_QUEUES_MOST];
};

// Which UDP port of `port` belongs to which queue, as the configuration's roles have it.
void steering_plan(struct steering *steering, const struct config *config, uint32_t port, uint16_t queues);

// Installs the rules in a started device, all or none. False with the device's reason.
bool steering_in_device(struct steering *steering, uint16_t id, const struct config_port *port, char *reason,
                        size_t size);

// Has the queues hand over to each other. `depth` frames, a power of two, may wait for a queue; the pools must have
// room for them. Before anything polls. False when there is no memory.
bool steering_in_software(struct steering *steering, uint16_t id, unsigned depth);

// Undoes either, before the port is closed.
void steering_down(struct steering *steering);

#endif
