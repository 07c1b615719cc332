// SPDX-License-Identifier: Apache-2.0
#include "io/steering.h"

#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/wire.h"

static void add_rule(struct steering *steering, uint32_t udp_port, uint32_t queue)
{
    xw_assert(steering->rules_count < STEERING_RULES_MOST);
    steering->rules[steering->rules_count++] = (struct steering_rule){(uint16_t)udp_port, (uint16_t)queue};
}

void steering_plan(struct steering *steering, const struct config *config, uint32_t port, uint16_t queues)
{
    xw_assert(queues <= STEERING_QUEUES_MOST);
    *steering = (struct steering){.queues = queues};
    for (uint32_t i = 0; i < config->gateways_count; i++) {
        if (config->gateways[i].port_index == port)
            add_rule(steering, config->gateways[i].udp_port, config->gateways[i].queue);
    }
    for (uint32_t i = 0; i < config->publishers_count; i++) {
        if (config->publishers[i].port_index == port && config->publishers[i].request_port)
            add_rule(steering, config->publishers[i].request_port, config->publishers[i].queue);
    }
}

// ---- in the device --------------------------------------------------------------------------------------------------

// Installs one rule. `to_address`: only datagrams to the port's own IPv4 address, which some devices need to be told
// and others can not take.
static struct rte_flow *install(uint16_t id, const struct config_port *port, struct steering_rule rule, bool to_address,
                                struct rte_flow_error *error)
{
    const struct rte_flow_attr attr = {.ingress = 1};
    const struct rte_flow_item_vlan vlan = {.tci = rte_cpu_to_be_16((uint16_t)port->vlan)};
    const struct rte_flow_item_vlan vlan_mask = {.tci = rte_cpu_to_be_16(0x0FFF)};
    const struct rte_flow_item_ipv4 ipv4 = {.hdr.dst_addr = rte_cpu_to_be_32(port->ip)};
    const struct rte_flow_item_ipv4 ipv4_mask = {.hdr.dst_addr = UINT32_MAX};
    const struct rte_flow_item_udp udp = {.hdr.dst_port = rte_cpu_to_be_16(rule.udp_port)};
    const struct rte_flow_item_udp udp_mask = {.hdr.dst_port = UINT16_MAX};
    const struct rte_flow_action_queue queue = {.index = rule.queue};
    const struct rte_flow_action actions[] = {{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
                                              {.type = RTE_FLOW_ACTION_TYPE_END}};
    struct rte_flow_item pattern[5] = {{.type = RTE_FLOW_ITEM_TYPE_ETH}};
    unsigned used = 1;
    if (port->vlan)
        pattern[used++] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_VLAN, .spec = &vlan, .mask = &vlan_mask};
    pattern[used++] = (struct rte_flow_item){
        .type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = to_address ? &ipv4 : NULL, .mask = to_address ? &ipv4_mask : NULL};
    pattern[used++] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask};
    pattern[used] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_END};
    return rte_flow_create(id, &attr, pattern, actions, error);
}

static void remove_rules(struct steering *steering)
{
    struct rte_flow_error error;
    while (steering->flows_count > 0)
        rte_flow_destroy(steering->id, steering->flows[--steering->flows_count], &error);
}

// Queue 0 gets what no rule names, and bnxt takes no rule for it (drivers/net/bnxt/bnxt_flow.c: "Invalid queue ID").
static bool install_all(struct steering *steering, const struct config_port *port, bool to_address,
                        struct rte_flow_error *error)
{
    for (unsigned i = 0; i < steering->rules_count; i++) {
        if (steering->rules[i].queue == 0)
            continue;
        struct rte_flow *flow = install(steering->id, port, steering->rules[i], to_address, error);
        if (!flow)
            return false;
        steering->flows[steering->flows_count++] = flow;
    }
    return true;
}

bool steering_in_device(struct steering *steering, uint16_t id, const struct config_port *port, char *reason,
                        size_t size)
{
    steering->id = id;
    for (int to_address = 1; to_address >= 0; to_address--) {
        struct rte_flow_error error = {0};
        if (install_all(steering, port, to_address, &error))
            return true;
        remove_rules(steering);
        snprintf(reason, size, "%s", error.message ? error.message : rte_strerror(rte_errno));
    }
    return false;
}

// ---- in software ----------------------------------------------------------------------------------------------------

// The queue that a frame is for; `otherwise` when it is no UDP datagram to a port of ours, or not whole enough to tell.
static unsigned queue_of(const struct steering *steering, const struct rte_mbuf *frame, unsigned otherwise)
{
    const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
    size_t at = get_be16(data + 12) == RTE_ETHER_TYPE_VLAN ? 18 : 14;
    if (frame->data_len < at + 28 || get_be16(data + at - 2) != RTE_ETHER_TYPE_IPV4 || data[at + 9] != IPPROTO_UDP ||
        (get_be16(data + at + 6) & 0x1FFF) != 0) // of a fragment only the first has ports
        return otherwise;
    size_t header = (data[at] & 15u) * 4;
    if (header < 20 || frame->data_len < at + header + 4)
        return otherwise;
    uint16_t udp_port = get_be16(data + at + header + 2);
    for (unsigned i = 0; i < steering->rules_count; i++) {
        if (steering->rules[i].udp_port == udp_port)
            return steering->rules[i].queue;
    }
    return otherwise;
}

// Called by rte_eth_rx_burst of a queue, also when the device had nothing.
static uint16_t hand_over(uint16_t id, uint16_t queue, struct rte_mbuf *frames[], uint16_t count, uint16_t most,
                          void *argument)
{
    struct steering_queue *own = argument;
    struct steering *steering = own->steering;
    unsigned kept = 0;
    (void)id;
    for (unsigned i = 0; i < count; i++) {
        unsigned to = queue_of(steering, frames[i], queue);
        if (to == queue || rte_ring_mp_enqueue(steering->per_queue[to].ring, frames[i]) != 0)
            frames[kept++] = frames[i];
    }
    return (uint16_t)(kept + rte_ring_sc_dequeue_burst(own->ring, (void **)frames + kept, most - kept, NULL));
}

bool steering_in_software(struct steering *steering, uint16_t id, unsigned depth)
{
    steering->id = id;
    for (uint16_t queue = 0; queue < steering->queues; queue++) {
        struct steering_queue *own = &steering->per_queue[queue];
        char name[RTE_RING_NAMESIZE];
        snprintf(name, sizeof name, "steering%u.%u", id, queue);
        own->steering = steering;
        own->ring = rte_ring_create(name, depth, rte_eth_dev_socket_id(id), RING_F_SC_DEQ | RING_F_EXACT_SZ);
        if (!own->ring) {
            steering_down(steering);
            return false;
        }
    }
    for (uint16_t queue = 0; queue < steering->queues; queue++) {
        struct steering_queue *own = &steering->per_queue[queue];
        own->callback = rte_eth_add_rx_callback(id, queue, hand_over, own);
        if (!own->callback) {
            steering_down(steering);
            return false;
        }
    }
    return true;
}

void steering_down(struct steering *steering)
{
    remove_rules(steering);
    for (uint16_t queue = 0; queue < steering->queues; queue++) {
        struct steering_queue *own = &steering->per_queue[queue];
        struct rte_mbuf *frame;
        if (own->callback)
            rte_eth_remove_rx_callback(steering->id, queue, own->callback);
        while (own->ring && rte_ring_sc_dequeue(own->ring, (void **)&frame) == 0)
            rte_pktmbuf_free(frame);
        rte_ring_free(own->ring);
        *own = (struct steering_queue){0};
    }
}
