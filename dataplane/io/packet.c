// SPDX-License-Identifier: Apache-2.0
// Rules: IEEE 802.3 and 802.1Q framing, RFC 791 (IPv4), RFC 768 (UDP), RFC 826 (ARP), RFC 792 (ICMP echo), RFC 1071
// (checksum), RFC 6864 (identification 0 with don't-fragment).
#include "io/packet.h"

#include <immintrin.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/wire.h"

enum {
    ETHER = 14,
    TAG = 4,
    IPV4 = 20,
    UDP = 8,
    ARP = 28,
    FRAME_MIN = 60, // without the frame check sequence
};

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_VLAN = 0x8100 };
enum { PROTOCOL_ICMP = 1, PROTOCOL_UDP = 17 };

static uint32_t load32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint16_t load16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// One's complement sums are taken over 16-bit words as they lie in memory (RFC 1071: byte order does not matter as long
// as the result is stored the same way), four bytes at a time, each four in a lane of eight that keeps the carries, and
// folded at the end.
static inline __m256i add_bytes(__m256i lanes, __m128i sixteen)
{
    return _mm256_add_epi64(lanes, _mm256_cvtepu32_epi64(sixteen));
}

static inline uint64_t sum_bytes(const uint8_t *at, size_t size)
{
    // From 16 - n on: what moves the last n bytes of sixteen to the front, zeros behind them.
    static const uint8_t moves[32] = {0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
                                      11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    uint64_t sum = 0;
    if (__builtin_expect(size < 16, 0)) {
        for (size_t i = 0; i < size; i++)
            sum += (uint64_t)at[i] << (8 * (i & 1));
        return sum;
    }
    __m256i lanes = _mm256_setzero_si256();
    for (const uint8_t *end = at + (size & ~(size_t)15); at < end; at += 16)
        lanes = add_bytes(lanes, _mm_loadu_si128((const __m128i *)at));
    size %= 16; // these are had from the last sixteen, of which the others have been taken
    lanes = add_bytes(lanes, _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(at + size - 16)),
                                              _mm_loadu_si128((const __m128i *)(moves + 16 - size))));
    __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    return (uint64_t)_mm_extract_epi64(pair, 0) + (uint64_t)_mm_extract_epi64(pair, 1);
}

static uint16_t fold(uint64_t sum)
{
    uint32_t high = (uint32_t)(sum >> 32), word = (uint32_t)sum + high;
    word += word < high;
    // Both halves, added to each other: the upper half of this holds their sum and its carry.
    return (uint16_t)((word + (word << 16 | word >> 16)) >> 16);
}

static uint64_t sum_ipv4_plain(const uint8_t *ip)
{
    return (uint64_t)load32(ip) + load32(ip + 4) + load32(ip + 8) + load32(ip + 12) + load32(ip + 16);
}

// The pseudo header (addresses, protocol, UDP length) and all of the datagram.
static uint64_t sum_udp(const uint8_t *ip, const uint8_t *udp, size_t length)
{
    uint64_t sum = (uint64_t)load32(ip + 12) + load32(ip + 16) + ((uint64_t)PROTOCOL_UDP << 8) + load16(udp + 4);
    return sum + sum_bytes(udp, length);
}

static bool same_mac(const uint8_t *a, const uint8_t *b)
{
    return load32(a) == load32(b) && load16(a + 4) == load16(b + 4);
}

static void discard(struct packet *packet, enum discard reason)
{
    packet->kind = PACKET_DISCARD;
    packet->reason = reason;
}

static bool is_group_ip(uint32_t ip) // multicast, reserved and limited broadcast: never a host
{
    return ip >= 0xE0000000u;
}

static void swap_mac(const struct endpoint *us, uint8_t *frame)
{
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, us->mac, 6);
}

// Whether the frame is one that can go back as it is. A longer one stands in several buffers, of which we see the
// first.
static bool returns(const struct frame *frame, struct packet *packet)
{
    if (frame->length <= FRAME_MAX)
        return true;
    discard(packet, DISCARD_FRAME_SHORT);
    return false;
}

// RFC 826: a request for our address is turned into its reply where it stands.
static void answer_arp(const struct endpoint *us, const struct frame *frame, uint8_t *arp, size_t size,
                       struct packet *packet)
{
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1}; // Ethernet, IPv4, lengths, request
    if (!returns(frame, packet))
        return;
    if (size < ARP) {
        discard(packet, DISCARD_FRAME_SHORT);
        return;
    }
    if (memcmp(arp, request, sizeof request) != 0 || get_be32(arp + 24) != us->ip || (arp[8] & 1)) {
        discard(packet, DISCARD_OTHER_IP);
        return;
    }
    put_be16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10); // the asker is the target
    memcpy(arp + 8, us->mac, 6);
    put_be32(arp + 14, us->ip);
    swap_mac(us, frame->data);
    packet->kind = PACKET_REPLY;
}

// RFC 792: an echo request is turned into its reply where it stands. With IPv4 options it is not one of ours to answer.
static void answer_echo(const struct endpoint *us, const struct frame *frame, uint8_t *ip, size_t header, size_t size,
                        struct packet *packet)
{
    uint8_t *icmp = ip + header;
    if (!returns(frame, packet))
        return;
    if (size < 8 || header != IPV4 || icmp[0] != 8 || icmp[1] != 0 || fold(sum_bytes(icmp, size)) != UINT16_MAX) {
        discard(packet, DISCARD_IP_PROTOCOL);
        return;
    }
    icmp[0] = 0;
    memset(icmp + 2, 0, 2);
    uint16_t sum = (uint16_t)~fold(sum_bytes(icmp, size));
    memcpy(icmp + 2, &sum, 2);
    memcpy(ip + 16, ip + 12, 4);
    put_be32(ip + 12, us->ip);
    ip[8] = 64;
    memset(ip + 10, 0, 2);
    sum = (uint16_t)~fold(sum_ipv4_plain(ip));
    memcpy(ip + 10, &sum, 2);
    swap_mac(us, frame->data);
    packet->kind = PACKET_REPLY;
}

static void parse_udp(const struct frame *frame, const uint8_t *ip, const uint8_t *udp, size_t size,
                      struct packet *packet)
{
    if (__builtin_expect(size < UDP || get_be16(udp + 4) != size, 0)) {
        discard(packet, DISCARD_UDP_LENGTH);
        return;
    }
    if (frame->udp_checksum != CHECKSUM_GOOD && load16(udp + 6) != 0 &&
        (frame->udp_checksum == CHECKSUM_BAD || fold(sum_udp(ip, udp, size)) != UINT16_MAX)) {
        discard(packet, DISCARD_UDP_CHECKSUM);
        return;
    }
    packet->kind = PACKET_UDP;
    memcpy(packet->from.mac, frame->data + 6, 6);
    packet->from.ip = get_be32(ip + 12);
    packet->from.port = get_be16(udp);
    packet->to_port = get_be16(udp + 2);
    packet->payload = udp + UDP;
    packet->size = size - UDP;
}

// `size` is what the frame holds from the IPv4 header on, padding included.
static void parse_ipv4(const struct endpoint *us, struct frame *frame, uint8_t *ip, size_t size, struct packet *packet)
{
    if (__builtin_expect(size < IPV4, 0)) {
        discard(packet, DISCARD_FRAME_SHORT);
        return;
    }
    size_t header = (ip[0] & 15u) * 4, total = get_be16(ip + 2);
    if (__builtin_expect(ip[0] >> 4 != 4 || header < IPV4 || total < header || (get_be16(ip + 6) & 0x3FFF), 0)) {
        discard(packet, DISCARD_IP_HEADER); // also fragments: an order fits one frame
        return;
    }
    if (__builtin_expect(total > size, 0)) {
        discard(packet, DISCARD_FRAME_SHORT);
        return;
    }
    if (frame->ip_checksum != CHECKSUM_GOOD) {
        uint64_t sum = header == IPV4 ? sum_ipv4_plain(ip) : sum_bytes(ip, header);
        if (__builtin_expect(frame->ip_checksum == CHECKSUM_BAD || fold(sum) != UINT16_MAX, 0)) {
            discard(packet, DISCARD_IP_CHECKSUM);
            return;
        }
    }
    if (__builtin_expect(get_be32(ip + 16) != us->ip, 0)) {
        discard(packet, DISCARD_OTHER_IP);
        return;
    }
    if (__builtin_expect(is_group_ip(get_be32(ip + 12)), 0)) {
        discard(packet, DISCARD_IP_HEADER); // nobody is there to be answered
        return;
    }
    if (__builtin_expect(ip[9] == PROTOCOL_UDP, 1))
        parse_udp(frame, ip, ip + header, total - header, packet);
    else if (ip[9] == PROTOCOL_ICMP)
        answer_echo(us, frame, ip, header, total - header, packet);
    else
        discard(packet, DISCARD_IP_PROTOCOL);
}

void packet_parse(const struct endpoint *us, struct frame *frame, struct packet *packet)
{
    uint8_t *data = frame->data;
    size_t at = ETHER;
    if (__builtin_expect(frame->length < ETHER, 0)) {
        discard(packet, DISCARD_FRAME_SHORT);
        return;
    }
    uint16_t type = get_be16(data + 12), vlan = 0;
    if (type == ETHERTYPE_VLAN) {
        if (frame->length < ETHER + TAG) {
            discard(packet, DISCARD_FRAME_SHORT);
            return;
        }
        vlan = get_be16(data + 14) & 0x0FFF;
        type = get_be16(data + 16);
        at = ETHER + TAG;
    }
    bool ours = same_mac(data, us->mac);
    if (__builtin_expect(!ours && !(data[0] & 1), 0)) {
        discard(packet, DISCARD_OTHER_MAC);
    } else if (__builtin_expect(vlan != us->vlan || (type != ETHERTYPE_IPV4 && type != ETHERTYPE_ARP), 0)) {
        discard(packet, ours ? DISCARD_ETHERTYPE : DISCARD_OTHER_MAC); // of another VLAN: not for this endpoint either
    } else if (__builtin_expect(data[6] & 1, 0)) {
        discard(packet, DISCARD_OTHER_MAC); // a group cannot send
    } else if (type == ETHERTYPE_ARP) {
        answer_arp(us, frame, data + at, frame->length - at, packet);
    } else if (__builtin_expect(!ours, 0)) {
        discard(packet, DISCARD_OTHER_MAC); // IPv4 to a group
    } else {
        parse_ipv4(us, frame, data + at, frame->length - at, packet);
    }
}

uint8_t *packet_udp_payload(const struct endpoint *us, struct frame *frame)
{
    return frame->data + UDP_PAYLOAD_OFFSET(us->vlan);
}

void packet_finish_udp(const struct endpoint *us, const struct peer *to, uint16_t from_port, size_t size,
                       struct frame *frame)
{
    uint8_t *data = frame->data;
    uint8_t *ip = data + ETHER + (us->vlan ? TAG : 0);
    uint8_t *udp = ip + IPV4;
    xw_assert(size <= FRAME_MAX - UDP_PAYLOAD_OFFSET(us->vlan));
    memcpy(data, to->mac, 6);
    memcpy(data + 6, us->mac, 6);
    if (us->vlan) {
        put_be16(data + 12, ETHERTYPE_VLAN);
        put_be16(data + 14, us->vlan);
    }
    put_be16(ip - 2, ETHERTYPE_IPV4);
    // Both sums are made of the values, in host order, not of the bytes just stored: reading those back in wider pieces
    // stalls.
    uint32_t length = (uint32_t)(IPV4 + UDP + size);
    uint64_t addresses = (uint64_t)us->ip + to->ip;
    uint16_t ip_sum =
        (uint16_t)~fold(0x45000000u + length + addresses + 0x4000u + (64u << 24 | (uint32_t)PROTOCOL_UDP << 16));
    put_be32(ip, 0x45000000u | length);
    put_be32(ip + 4, 0x4000u); // identification 0, don't fragment
    put_be32(ip + 8, 64u << 24 | (uint32_t)PROTOCOL_UDP << 16 | ip_sum);
    put_be32(ip + 12, us->ip);
    put_be32(ip + 16, to->ip);
    length -= IPV4;
    uint16_t payload = __builtin_bswap16(fold(sum_bytes(udp + UDP, size)));
    uint16_t udp_sum = (uint16_t)~fold(addresses + PROTOCOL_UDP + 2 * length + from_port + to->port + payload);
    if (udp_sum == 0)
        udp_sum = UINT16_MAX; // zero would say that there is none
    put_be32(udp, (uint32_t)from_port << 16 | to->port);
    put_be32(udp + 4, length << 16 | udp_sum);
    frame->length = (uint32_t)(udp - data) + UDP + (uint32_t)size;
    if (frame->length < FRAME_MIN) {
        memset(data + frame->length, 0, FRAME_MIN - frame->length);
        frame->length = FRAME_MIN;
    }
}
