// SPDX-License-Identifier: Apache-2.0
// Arbitrary frames through packet_parse. The first byte chooses the endpoint, what the port claims about checksums, and
// whether the frame is first made ours (addresses and checksums), so that the deeper checks are reached.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/wire.h"
#include "io/packet.h"

static const struct endpoint endpoints[2] = {{{2, 0, 0, 0, 0, 1}, 0x0A000001, 0}, {{2, 0, 0, 0, 0, 1}, 0x0A000001, 77}};

static void make_ours(const struct endpoint *us, uint8_t *data, size_t size)
{
    size_t at = us->vlan ? 18 : 14;
    if (size < at + 20)
        return;
    memcpy(data, us->mac, 6);
    data[6] &= 0xFE;
    if (us->vlan) {
        put_be16(data + 12, 0x8100);
        put_be16(data + 14, us->vlan);
    }
    put_be16(data + at - 2, 0x0800);
    uint8_t *ip = data + at;
    ip[0] = (uint8_t)(0x40 | (ip[0] & 15));
    put_be16(ip + 6, 0);
    put_be32(ip + 16, us->ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2048)
        return 0;
    uint8_t choice = data[0];
    const struct endpoint *us = &endpoints[choice & 1];
    struct frame frame = {.data = malloc(size), .length = (uint32_t)(size - 1)};
    memcpy(frame.data, data + 1, size - 1);
    frame.data = realloc(frame.data, size - 1 ? size - 1 : 1); // a read past the end is past the allocation
    xw_assert(frame.data);
    frame.ip_checksum = choice >> 1 & 1 ? CHECKSUM_GOOD : CHECKSUM_UNKNOWN;
    frame.udp_checksum = choice >> 2 & 1 ? CHECKSUM_GOOD : CHECKSUM_UNKNOWN;
    if (choice >> 3 & 1)
        make_ours(us, frame.data, frame.length);
    struct packet packet = {.kind = PACKET_DISCARD};
    packet_parse(us, &frame, &packet);
    switch (packet.kind) {
    case PACKET_UDP:
        xw_assert(packet.payload >= frame.data + 42 && packet.size <= frame.length);
        xw_assert(packet.payload + packet.size <= frame.data + frame.length);
        xw_assert((packet.from.mac[0] & 1) == 0 && packet.from.ip < 0xE0000000u);
        break;
    case PACKET_REPLY:
        xw_assert(memcmp(frame.data + 6, us->mac, 6) == 0 && (frame.data[0] & 1) == 0);
        break;
    default:
        xw_assert(packet.reason < DISCARD_COUNT);
    }
    free(frame.data);
    return 0;
}
