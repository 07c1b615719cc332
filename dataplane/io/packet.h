// SPDX-License-Identifier: Apache-2.0
// Ethernet, VLAN, ARP, IPv4, ICMP echo and UDP headers: checked on the way in, written on the way out. Plain bytes; no
// DPDK.
#ifndef CROSSWIRE_IO_PACKET_H
#define CROSSWIRE_IO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/counters.h"
#include "io/port.h"

// Who we are on a port: what a frame must be addressed to.
struct endpoint {
    uint8_t mac[6];
    uint32_t ip;   // host order
    uint16_t vlan; // 0: untagged
};

// The other side of a UDP exchange, as seen in what it sent.
struct peer {
    uint8_t mac[6];
    uint16_t port; // host order
    uint32_t ip;   // host order
};

enum packet_kind {
    PACKET_UDP,     // a datagram for us: payload, size, source and destination port are set
    PACKET_REPLY,   // ARP request or ICMP echo request for us, turned in place into its answer: send the frame back
    PACKET_DISCARD, // reason says why
};

struct packet {
    enum packet_kind kind;
    enum discard reason;
    struct peer from;
    uint16_t to_port;
    const uint8_t *payload;
    size_t size;
};

// Parses one received frame. Lengths are checked against the frame; checksums by the port where it did so, else here (a
// UDP checksum of zero means none, as RFC 768 has it). Never reads outside the frame.
void packet_parse(const struct endpoint *us, struct frame *frame, struct packet *packet);

#define UDP_PAYLOAD_OFFSET(vlan) ((vlan) ? 46u : 42u)

// Where the payload of a UDP frame from this endpoint begins: write up to 1472 bytes there, then packet_finish_udp.
uint8_t *packet_udp_payload(const struct endpoint *us, struct frame *frame);

// Writes all headers around a payload of `size` bytes, IPv4 checksum included and UDP checksum computed, and sets the
// frame's length (at least 60).
void packet_finish_udp(const struct endpoint *us, const struct peer *to, uint16_t from_port, size_t size,
                       struct frame *frame);

#endif
