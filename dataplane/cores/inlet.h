// SPDX-License-Identifier: Apache-2.0
// The receive side of one queue of a port. Roles of one lcore may share a queue: then the first gateway at it receives
// for all, and hands each datagram to the one whose UDP port it names:
//
//   port queue --> inlet --+--> gateway (its udp_port)
//                          +--> publisher (its request_port)
//                          +--> ARP, ICMP echo: answered; anything else: discarded by reason
#ifndef CROSSWIRE_CORES_INLET_H
#define CROSSWIRE_CORES_INLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"
#include "cores/sender.h"
#include "io/packet.h"

#define INLET_ROLES_MAX 32u

struct gateway;
struct publisher;
struct inlet;

// Joins the inlet of (port, queue), making it for the first to come. False with a line in `error`: no such queue, or
// roles of two lcores would use it. Only while nothing polls.
struct inlet *inlet_join(const struct config *config, uint32_t port, uint32_t queue, uint32_t lcore, char *error,
                         size_t error_size);

// Registers who gets the datagrams to `udp_port`. False with a line in `error` when the port is taken.
bool inlet_add_gateway(struct inlet *inlet, struct gateway *gateway, uint16_t udp_port, char *error, size_t error_size);
bool inlet_add_publisher(struct inlet *inlet, struct publisher *publisher, uint16_t udp_port, char *error,
                         size_t error_size);

// The role's share in the inlet ends; the last one takes it away.
void inlet_leave(struct inlet *inlet);

// The queue and the address that it stands for.
struct port_queue *inlet_queue(const struct inlet *inlet);
const struct endpoint *inlet_endpoint(const struct inlet *inlet);

// What came of one burst and belongs to no session: for the owner's counters.
struct inlet_tally {
    uint64_t frames, bytes, replies;
    uint64_t discards[DISCARD_COUNT]; // frames discarded whole
};

// Receives at most `most` frames and hands them out; answers to ARP and echo go through `sender`. Returns how many; 0
// at once when `role` is not the one that receives here: the first gateway, and where there is none the first
// publisher.
unsigned inlet_poll(struct inlet *inlet, const void *role, unsigned most, uint64_t now, struct sender *sender,
                    struct inlet_tally *tally);

// What the roles do with a datagram of theirs.
void gateway_prepare(struct gateway *gateway, const struct packet *packet);
void gateway_datagram(struct gateway *gateway, const struct packet *packet, uint64_t now);
void publisher_request(struct publisher *publisher, const struct packet *packet);

#endif
