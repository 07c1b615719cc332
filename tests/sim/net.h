// SPDX-License-Identifier: Apache-2.0
// The network between simulated clients and the data plane's ports: io/port.h and io/eal.h as the simulator has them,
// and a wire that loses, doubles, delays, reorders and corrupts.
#ifndef CROSSWIRE_TESTS_SIM_NET_H
#define CROSSWIRE_TESTS_SIM_NET_H

#include "io/packet.h"
#include "tests/sim/sim.h"

struct net {
    // of a million frames, either way
    uint32_t lost, doubled, corrupted, late;
    uint64_t least_ns, spread_ns, late_ns; // delay; of late frames
    unsigned buffers;                      // of the data plane's pool
    bool cut;                              // nothing passes
    uint64_t delivered[64];                // messages given to the gateway of a UDP port 4000 + i, by port_receive
};
extern struct net net;

void net_open(void);

// A frame of a client's, on its way to port `port`.
void net_to_port(unsigned port, const uint8_t *bytes, size_t size);

// The data plane is gone: its frames with it.
void net_drop_dataplane(void);

// Frames under way to or in the ports.
unsigned net_on_its_way(void);

// Messages that the data plane has received since it started.
uint64_t net_received(void);

// When a frame was last lost, late or damaged.
uint64_t net_trouble_ns(void);

// When the data plane last took a frame from `ip`.
uint64_t net_heard_ns(uint32_t ip);

// What the simulator does with a frame that leaves the box: checks it (at once), and gives it to its receiver.
void world_frame_sent(unsigned port, const uint8_t *bytes, size_t size);
void world_frame_arrives(unsigned port, const uint8_t *bytes, size_t size);

#endif
