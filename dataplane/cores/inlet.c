// SPDX-License-Identifier: Apache-2.0
#include "cores/inlet.h"

#include <stdio.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/fault.h"

struct inlet_role {
    struct gateway *gateway; // or
    struct publisher *publisher;
    uint16_t udp_port; // 0: none, it only sends here
};

struct inlet {
    struct port_queue *queue;
    struct endpoint us;
    uint32_t port, number, lcore;
    uint32_t users;    // roles that have joined; 0: free
    const void *owner; // the role that receives
    bool owner_is_gateway;
    uint32_t roles_count;
    struct inlet_role roles[INLET_ROLES_MAX];
};

// Made and taken away on the main thread before and after polling; each is used by one lcore in between.
static struct inlet inlets[64];

struct inlet *inlet_join(const struct config *config, uint32_t port, uint32_t queue, uint32_t lcore, char *error,
                         size_t error_size)
{
    struct inlet *inlet = NULL;
    for (unsigned i = 0; i < sizeof inlets / sizeof *inlets; i++) {
        struct inlet *at = &inlets[i];
        if (at->users && at->port == port && at->number == queue) {
            inlet = at;
            break;
        }
        if (!at->users && !inlet)
            inlet = at;
    }
    if (!inlet || !port_queue(port, queue)) {
        snprintf(error, error_size, "port %s has no queue %u: check the roles' queue", config->ports[port].name, queue);
        return NULL;
    }
    if (inlet->users && inlet->lcore != lcore) {
        snprintf(error, error_size, "queue %u of port %s is used by lcores %u and %u: give each its own queue", queue,
                 config->ports[port].name, inlet->lcore, lcore);
        return NULL;
    }
    if (!inlet->users++) {
        const struct config_port *at = &config->ports[port];
        inlet->queue = port_queue(port, queue);
        inlet->us = (struct endpoint){.ip = at->ip, .vlan = (uint16_t)at->vlan};
        memcpy(inlet->us.mac, at->has_mac ? at->mac_bytes : port_mac(inlet->queue), sizeof inlet->us.mac);
        inlet->port = port;
        inlet->number = queue;
        inlet->lcore = lcore;
        inlet->roles_count = 0;
        inlet->owner = NULL;
        inlet->owner_is_gateway = false;
    }
    return inlet;
}

void inlet_leave(struct inlet *inlet)
{
    xw_assert(inlet->users > 0);
    inlet->users--;
}

static bool add(struct inlet *inlet, struct inlet_role role, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < inlet->roles_count && role.udp_port; i++) {
        if (inlet->roles[i].udp_port == role.udp_port) {
            snprintf(error, error_size, "UDP port %u is given to two roles at one queue: change one", role.udp_port);
            return false;
        }
    }
    if (inlet->roles_count == INLET_ROLES_MAX) {
        snprintf(error, error_size, "more than %u roles at one queue: use more queues", INLET_ROLES_MAX);
        return false;
    }
    inlet->roles[inlet->roles_count++] = role;
    if (!inlet->owner || (role.gateway && !inlet->owner_is_gateway)) {
        inlet->owner = role.gateway ? (const void *)role.gateway : (const void *)role.publisher;
        inlet->owner_is_gateway = role.gateway != NULL;
    }
    return true;
}

bool inlet_add_gateway(struct inlet *inlet, struct gateway *gateway, uint16_t udp_port, char *error, size_t error_size)
{
    return add(inlet, (struct inlet_role){.gateway = gateway, .udp_port = udp_port}, error, error_size);
}

bool inlet_add_publisher(struct inlet *inlet, struct publisher *publisher, uint16_t udp_port, char *error,
                         size_t error_size)
{
    return add(inlet, (struct inlet_role){.publisher = publisher, .udp_port = udp_port}, error, error_size);
}

struct port_queue *inlet_queue(const struct inlet *inlet)
{
    return inlet->queue;
}

const struct endpoint *inlet_endpoint(const struct inlet *inlet)
{
    return &inlet->us;
}

static const struct inlet_role *role_of(const struct inlet *inlet, const struct packet *packet)
{
    for (uint32_t i = 0; i < inlet->roles_count; i++) {
        if (inlet->roles[i].udp_port == packet->to_port)
            return &inlet->roles[i];
    }
    return NULL;
}

// Checks all frames first, so that the tables of one are on their way while the next is looked at.
unsigned inlet_poll(struct inlet *inlet, const void *role, unsigned most, uint64_t now, struct sender *sender,
                    struct inlet_tally *tally)
{
    struct frame frames[PORT_BURST_MAX];
    struct packet packets[PORT_BURST_MAX];
    const struct inlet_role *roles[PORT_BURST_MAX];
    unsigned count = inlet->owner == role ? port_receive(inlet->queue, frames, most) : 0, kept = 0;
    if (count == 0)
        return 0;
    tally->frames += count;
    for (unsigned i = 0; i < count; i++) {
        tally->bytes += frames[i].length;
        packet_parse(&inlet->us, &frames[i], &packets[i]);
        roles[i] = NULL;
        if (__builtin_expect(packets[i].kind == PACKET_UDP, 1)) {
            roles[i] = packets[i].to_port ? role_of(inlet, &packets[i]) : NULL;
            if (__builtin_expect(roles[i] && roles[i]->gateway, 1))
                gateway_prepare(roles[i]->gateway, &packets[i]);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (__builtin_expect(packets[i].kind == PACKET_UDP, 1)) {
            if (__builtin_expect(roles[i] && roles[i]->gateway, 1))
                gateway_datagram(roles[i]->gateway, &packets[i], now);
            else if (roles[i])
                publisher_request(roles[i]->publisher, &packets[i]);
            else
                tally->discards[DISCARD_UNKNOWN_PORT]++;
        } else if (packets[i].kind == PACKET_REPLY) {
            tally->replies++;
            sender_return(sender, &frames[i]);
            continue; // not ours to release any more
        } else {
            tally->discards[packets[i].reason]++;
            if (FAULT(frame_kept))
                continue;
        }
        frames[kept++] = frames[i];
    }
    port_release(inlet->queue, frames, kept);
    return count;
}
