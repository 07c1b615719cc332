// SPDX-License-Identifier: Apache-2.0
// Addresses and frames between the clients and the data plane's ports.
#include <string.h>

#include "contract/ufo.h"
#include "contract/wire.h"
#include "tests/sim/client.h"
#include "tests/sim/copies.h"
#include "tests/sim/market.h"
#include "tests/sim/net.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { HEADERS = 42, ETHER_IP_TO = 30, ETHER_IP_FROM = 26, UDP_FROM = 34, UDP_TO = 36 };

static const struct config *config;

void world_wire_open(const struct config *of)
{
    config = of;
}

struct endpoint world_endpoint(unsigned port)
{
    return (struct endpoint){.mac = {2, 0, 0, 0, 0, (uint8_t)(1 + port)}, .ip = 0x0A000001u + port};
}

static struct endpoint client_endpoint(uint32_t ip)
{
    return (struct endpoint){.mac = {6, 0, (uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip},
                             .ip = ip};
}

bool world_receiver(const uint8_t *bytes, size_t size, struct endpoint *to)
{
    uint32_t ip = size >= HEADERS ? get_be32(bytes + ETHER_IP_TO) : 0xE0000000u;
    *to = client_endpoint(ip);
    return ip >> 28 != 0xE;
}

uint64_t world_count_blocks(const uint8_t *payload, size_t size)
{
    struct ufo_chain chain = {payload, payload + size};
    const uint8_t *message;
    size_t length;
    uint64_t count = 0;
    if (size == 0)
        return 1;
    enum ufo_next next;
    while ((next = ufo_chain_next(&chain, &message, &length)) == UFO_NEXT_BLOCK)
        count++;
    return count + (next == UFO_NEXT_MALFORMED);
}

void world_send(unsigned port, uint32_t from_ip, uint16_t from_port, uint16_t to_port, const uint8_t *payload,
                size_t size)
{
    static uint8_t bytes[FRAME_MAX + 64];
    struct endpoint us = client_endpoint(from_ip), them = world_endpoint(port);
    struct peer to = {.ip = them.ip, .port = to_port};
    struct frame frame = {.data = bytes};
    memcpy(to.mac, them.mac, sizeof to.mac);
    memcpy(packet_udp_payload(&us, &frame), payload, size);
    packet_finish_udp(&us, &to, from_port, size, &frame);
    net_to_port(port, bytes, frame.length);
}

void world_send_noise(void)
{
    uint8_t bytes[256];
    size_t size = (size_t)random_between(&sim.net, 1, sizeof bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(&sim.net);
    unsigned gateway = (unsigned)random_below(&sim.net, config->gateways_count);
    uint16_t to_port = (uint16_t)config->gateways[gateway].udp_port;
    switch (random_below(&sim.net, 4)) {
    case 0: // any frame
        net_to_port(config->gateways[gateway].port_index, bytes, size);
        break;
    case 1: // any datagram, from nobody
        world_send(config->gateways[gateway].port_index, 0x0A030001u, 1, to_port, bytes, size);
        break;
    case 2: // a chain that breaks off, from a client's address
        put_be16(bytes, 1);
        bytes[2] = 'R';
        world_send(config->gateways[gateway].port_index, WORLD_CLIENTS, 20000, to_port, bytes, size < 3 ? 3 : size);
        break;
    default: // a request for market data of another day
        world_send(config->publishers[0].port_index, 0x0A030001u, 1, (uint16_t)config->publishers[0].request_port,
                   bytes, 20);
        break;
    }
}

// ---- what leaves the box --------------------------------------------------------------------------------------------

static bool is_udp(const uint8_t *bytes, size_t size)
{
    return size >= HEADERS && get_be16(bytes + 12) == 0x0800 && bytes[23] == 17;
}

static size_t payload_size(const uint8_t *bytes)
{
    return (size_t)get_be16(bytes + 38) - 8;
}

static void check_ufo(unsigned stream, const uint8_t *payload, size_t size)
{
    switch (payload[0]) {
    case 'S':
        oracle_told(stream, get_be32(payload + 1), get_be16(payload + 5), payload + UFO_SEQUENCED_HEADER,
                    size - UFO_SEQUENCED_HEADER);
        break;
    case 'A':
        oracle_told_next(stream, get_be32(payload + 11), "a login answer");
        break;
    case 'E':
        oracle_told_next(stream, (uint64_t)get_be32(payload + 1) + 1, "an end of session");
        break;
    default:
        break;
    }
}

static unsigned market_core(uint16_t from_port)
{
    for (unsigned core = 0; core < config->publishers_count; core++) {
        if (config->publishers[core].request_port == from_port)
            return core;
    }
    return ORACLE_CORES;
}

void world_frame_sent(unsigned port, const uint8_t *bytes, size_t size)
{
    (void)port;
    if (!is_udp(bytes, size))
        return;
    const uint8_t *payload = bytes + HEADERS;
    uint16_t from_port = get_be16(bytes + UDP_FROM);
    uint32_t to_ip = get_be32(bytes + ETHER_IP_TO);
    oracle_observe(); // what the data plane has done in this step counts already
    unsigned core = market_core(from_port);
    if (core < ORACLE_CORES)
        oracle_told_market(core, get_be64(payload + 10), get_be16(payload + 18), payload + 20,
                           payload_size(bytes) - 20);
    else if (to_ip - WORLD_CLIENTS < config_streams(config))
        check_ufo(to_ip - WORLD_CLIENTS, payload, payload_size(bytes));
}

// Market data to the group comes as it was sent or not at all; what was asked for is checked as any datagram.
static bool read_packet(const uint8_t *bytes, size_t size, struct packet *packet)
{
    static uint8_t copy[FRAME_MAX + 64];
    struct frame frame = {.data = copy, .length = (uint32_t)size};
    uint32_t to_ip = get_be32(bytes + ETHER_IP_TO);
    struct endpoint us = client_endpoint(to_ip);
    if (to_ip >> 28 == 0xE) {
        *packet = (struct packet){.payload = bytes + HEADERS, .size = payload_size(bytes)};
        return true;
    }
    memcpy(copy, bytes, size);
    packet_parse(&us, &frame, packet);
    return packet->kind == PACKET_UDP;
}

void world_frame_arrives(unsigned port, const uint8_t *bytes, size_t size)
{
    struct packet packet;
    (void)port;
    if (!is_udp(bytes, size) || !read_packet(bytes, size, &packet))
        return;
    uint32_t to_ip = get_be32(bytes + ETHER_IP_TO);
    unsigned core = market_core(get_be16(bytes + UDP_FROM));
    if (core < ORACLE_CORES)
        market_receive(core, packet.payload, packet.size);
    else if (to_ip - WORLD_CLIENTS < config->sessions_count)
        client_receive(to_ip - WORLD_CLIENTS, packet.to_port, packet.payload, packet.size);
    else if (to_ip - WORLD_CLIENTS < config_streams(config))
        copy_receive(to_ip - WORLD_CLIENTS - config->sessions_count, packet.to_port, packet.payload, packet.size);
}
