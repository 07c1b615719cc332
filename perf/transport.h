// SPDX-License-Identifier: Apache-2.0
// How the client's datagrams travel: a DPDK virtio_user port to the appliance's vhost socket, or ordinary UDP sockets.
// A channel is one local address and port talking to one remote address and port; every session has its own.
#ifndef CROSSWIRE_PERF_TRANSPORT_H
#define CROSSWIRE_PERF_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/capture.h"

#define CHANNELS_MAX 64
#define TRANSPORT_BURST 32

struct channel_address {
    uint32_t local_ip, remote_ip; // host order
    uint16_t local_port, remote_port;
};

// A datagram received; payload stays readable until transport_done.
struct datagram {
    const uint8_t *payload;
    uint32_t size;
    uint32_t channel;
};

struct transport;

struct transport_operations {
    // Queues a copy of the payload (at most 1472 bytes). False: no room or no link, try again later.
    bool (*send)(struct transport *transport, unsigned channel, const void *payload, size_t size);
    // Sends what is queued.
    void (*flush)(struct transport *transport);
    // Takes what has arrived, `most` (at most TRANSPORT_BURST) datagrams. Answers ARP on the way. Never blocks.
    unsigned (*receive)(struct transport *transport, struct datagram *datagrams, unsigned most);
    // Done with what the last receive returned.
    void (*done)(struct transport *transport);
    // Housekeeping at a low rate: resolves addresses, finds a lost peer, connects again. True while datagrams can
    // travel.
    bool (*tend)(struct transport *transport, uint64_t now_ns);
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_operations *operations;
    struct capture *capture; // NULL: none
    uint64_t sent, received; // datagrams
    uint64_t send_refused;   // times that the device took nothing
};

// Starts EAL for the virtio transports of this process: once, before the first transport_virtio_open. The calling
// thread becomes EAL's main thread, pinned to `core` (negative: left where it is). Returns 0, or -1 with one line in
// error.
int transport_virtio_start(const char *program, int core, char *error, size_t error_size);

// A virtio_user port on the vhost socket `path`. The socket may appear later: tend connects, and again after the peer
// died.
struct transport *transport_virtio_open(const char *path, const struct channel_address *channels, unsigned count,
                                        struct capture *capture, char *error, size_t error_size);

// Takes the peers' MAC addresses as given instead of asking: against the reflector, which answers no ARP.
void transport_virtio_assume(struct transport *transport);

// Ordinary UDP sockets, one a channel. A local port 0 lets the kernel choose.
struct transport *transport_udp_open(const struct channel_address *channels, unsigned count, struct capture *capture,
                                     char *error, size_t error_size);

#endif
