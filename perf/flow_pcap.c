// SPDX-License-Identifier: Apache-2.0
// Captures of orders. What stands in the file came from outside, so every length is checked.
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/ufo.h"
#include "contract/wire.h"
#include "perf/flow.h"
#include "perf/orders.h"

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

struct source {
    uint32_t ip;
    uint16_t port;
};

struct reader {
    struct flow *flow;
    struct source sources[UINT8_MAX];
    unsigned source_count, most;
    uint16_t server_port;
    uint64_t first_ns;
    size_t intents_room, raw_room;
    uint64_t skipped; // of sources beyond the most
};

// Bytes before the IPv4 header, -1 when the packet is not IPv4.
static int link_header(int type, const uint8_t *packet, size_t size)
{
    switch (type) {
    case DLT_EN10MB:
        if (size < 14)
            return -1;
        if (get_be16(packet + 12) == 0x8100)
            return size >= 18 && get_be16(packet + 16) == 0x0800 ? 18 : -1;
        return get_be16(packet + 12) == 0x0800 ? 14 : -1;
    case DLT_LINUX_SLL:
        return size >= 16 && get_be16(packet + 14) == 0x0800 ? 16 : -1;
    case DLT_LINUX_SLL2:
        return size >= 20 && get_be16(packet) == 0x0800 ? 20 : -1;
    case DLT_RAW:
    case DLT_IPV4:
        return 0;
    default:
        return -1;
    }
}

static int session_of(struct reader *reader, uint32_t ip, uint16_t port)
{
    for (unsigned i = 0; i < reader->source_count; i++)
        if (reader->sources[i].ip == ip && reader->sources[i].port == port)
            return (int)i;
    if (reader->source_count == reader->most)
        return -1;
    reader->sources[reader->source_count] = (struct source){ip, port};
    return (int)reader->source_count++;
}

static void note_refs(struct flow *flow, const uint8_t *ouch, size_t size)
{
    uint32_t ref = 0;
    if (ouch[0] == 'O' && size >= 47)
        ref = get_be32(ouch + 1);
    else if (ouch[0] == 'U' && size >= 40)
        ref = get_be32(ouch + 5);
    // A table as large as the highest number: beyond this the orders go out, but are not followed.
    if (ref > flow->orders && ref < 1u << 26)
        flow->orders = ref;
}

static int add_message(struct reader *reader, unsigned session, uint64_t at_ns, const uint8_t *ouch, size_t size)
{
    struct flow *flow = reader->flow;
    if (size > REQUEST_BYTES)
        return 0;
    if (flow->count == reader->intents_room) {
        size_t room = reader->intents_room ? 2 * reader->intents_room : 4096;
        struct intent *bigger = realloc(flow->intents, room * sizeof *bigger);
        if (!bigger)
            return -1;
        flow->intents = bigger;
        reader->intents_room = room;
    }
    if (flow->raw_size + size > reader->raw_room) {
        size_t room = reader->raw_room ? 2 * reader->raw_room : 1 << 20;
        uint8_t *bigger = realloc(flow->raw, room);
        if (!bigger)
            return -1;
        flow->raw = bigger;
        reader->raw_room = room;
    }
    if (flow->count == 0)
        reader->first_ns = at_ns;
    memcpy(flow->raw + flow->raw_size, ouch, size);
    flow->intents[flow->count++] = (struct intent){.kind = INTENT_RAW,
                                                   .session = (uint8_t)session,
                                                   .raw_size = (uint16_t)size,
                                                   .raw_offset = flow->raw_size,
                                                   .due_ns = at_ns > reader->first_ns ? at_ns - reader->first_ns : 0};
    flow->raw_size += size;
    note_refs(flow, ouch, size);
    return 0;
}

static int read_datagram(struct reader *reader, uint32_t ip, uint16_t port, uint64_t at_ns, const uint8_t *payload,
                         size_t size)
{
    struct ufo_chain chain = {payload, payload + size};
    const uint8_t *message;
    size_t length;
    while (ufo_chain_next(&chain, &message, &length) == UFO_NEXT_BLOCK) {
        if (message[0] != 'U' || length < 2)
            continue;
        int session = session_of(reader, ip, port);
        if (session < 0)
            reader->skipped++;
        else if (add_message(reader, (unsigned)session, at_ns, message + 1, length - 1) != 0)
            return -1;
    }
    return 0;
}

static int read_packet(struct reader *reader, int link, const struct pcap_pkthdr *header, const uint8_t *packet)
{
    size_t size = header->caplen;
    int at = link_header(link, packet, size);
    if (at < 0)
        return 0;
    const uint8_t *ip = packet + at;
    size -= (size_t)at;
    if (size < 20 || ip[0] >> 4 != 4 || ip[9] != 17 || (get_be16(ip + 6) & 0x3fff) != 0)
        return 0;
    size_t ip_header = (size_t)(ip[0] & 15) * 4;
    if (ip_header < 20 || size < ip_header + 8)
        return 0;
    const uint8_t *udp = ip + ip_header;
    size_t length = get_be16(udp + 4);
    if (length < 8 || length > size - ip_header || get_be16(udp + 2) != reader->server_port)
        return 0;
    uint64_t at_ns = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;
    return read_datagram(reader, get_be32(ip + 12), get_be16(udp), at_ns, udp + 8, length - 8);
}

int flow_read_capture(struct flow *flow, const char *path, uint16_t server_port, uint32_t sessions, char *error,
                      size_t error_size)
{
    char text[PCAP_ERRBUF_SIZE];
    struct reader reader = {.flow = flow, .server_port = server_port, .most = sessions};
    struct pcap_pkthdr *header;
    const uint8_t *packet;
    memset(flow, 0, sizeof *flow);
    pcap_t *capture = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!capture) {
        snprintf(error, error_size, "%s: %s", path, text);
        return -1;
    }
    int link = pcap_datalink(capture), next, result = 0;
    while (result == 0 && (next = pcap_next_ex(capture, &header, &packet)) == 1)
        result = read_packet(&reader, link, header, packet);
    pcap_close(capture);
    if (result != 0) {
        snprintf(error, error_size, "%s: no memory", path);
    } else if (flow->count == 0) {
        snprintf(error, error_size, "%s: no orders to UDP port %u in it: name the captured gateway with --server", path,
                 server_port);
        result = -1;
    }
    if (result != 0) {
        flow_free(flow);
        return -1;
    }
    if (reader.skipped)
        fprintf(stderr, "xwreplay: %llu messages of more clients than the %u sessions given are left out\n",
                (unsigned long long)reader.skipped, sessions);
    flow->sessions = reader.source_count;
    flow->timed = true;
    return 0;
}
