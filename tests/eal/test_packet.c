// SPDX-License-Identifier: Apache-2.0
// Packet headers. Linked with the io folder, but EAL is never started here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/wire.h"
#include "io/packet.h"

static const struct endpoint us = {{2, 0, 0, 0, 0, 1}, 0x0A000001, 0};
static const struct endpoint tagged_us = {{2, 0, 0, 0, 0, 1}, 0x0A000001, 77};
static const struct endpoint them = {{2, 0, 0, 0, 0, 2}, 0x0A000002, 0};
static const struct endpoint tagged_them = {{2, 0, 0, 0, 0, 2}, 0x0A000002, 77};

// A frame in memory of its exact size, so that a read outside of it is seen by the sanitizer.
static struct frame exact(const uint8_t *data, size_t length)
{
    struct frame frame = {.data = malloc(length ? length : 1), .length = (uint32_t)length};
    assert_non_null(frame.data);
    memcpy(frame.data, data, length);
    return frame;
}

// The payload is gone with the frame: for tests of the verdict.
static struct packet parse_as(const struct endpoint *who, const uint8_t *data, size_t length)
{
    struct packet packet = {.kind = PACKET_UDP};
    struct frame frame = exact(data, length);
    packet_parse(who, &frame, &packet);
    free(frame.data);
    return packet;
}

static void expect_discard(const uint8_t *data, size_t length, enum discard reason)
{
    struct packet packet = parse_as(&us, data, length);
    assert_int_equal(packet.kind, PACKET_DISCARD);
    assert_int_equal(packet.reason, reason);
}

static uint8_t buffer[FRAME_MAX + 64];

// A datagram from them to us whose payload counts up, in `buffer`. Returns the frame's length.
static size_t datagram(const struct endpoint *from, const struct endpoint *to, size_t size)
{
    struct frame frame = {.data = buffer};
    struct peer peer = {.port = 4000, .ip = to->ip};
    memcpy(peer.mac, to->mac, 6);
    memset(buffer, 0xEE, sizeof buffer);
    uint8_t *payload = packet_udp_payload(from, &frame);
    for (size_t i = 0; i < size; i++)
        payload[i] = (uint8_t)(i * 7 + size);
    packet_finish_udp(from, &peer, 5555, size, &frame);
    return frame.length;
}

// RFC 1071, the slow and obvious way: big-endian words, one at a time.
static uint16_t slow_sum(uint32_t sum, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static void fix_ip_sum(uint8_t *ip)
{
    put_be16(ip + 10, 0);
    put_be16(ip + 10, (uint16_t)~slow_sum(0, ip, (ip[0] & 15u) * 4));
}

static void a_datagram_of_every_size_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 1472; size++) {
        size_t length = datagram(&them, &us, size);
        assert_int_equal(length, size + 42 < 60 ? 60 : size + 42);
        assert_int_equal(slow_sum(0, buffer + 14, 20), 0xFFFF);
        uint32_t pseudo = (uint32_t)slow_sum(0, buffer + 26, 8) + 17 + (uint32_t)size + 8;
        assert_int_equal(slow_sum(pseudo, buffer + 34, size + 8), 0xFFFF);
        struct frame frame = exact(buffer, length);
        struct packet packet;
        packet_parse(&us, &frame, &packet);
        assert_int_equal(packet.kind, PACKET_UDP);
        assert_int_equal(packet.size, size);
        assert_int_equal(packet.to_port, 4000);
        assert_int_equal(packet.from.port, 5555);
        assert_int_equal(packet.from.ip, them.ip);
        assert_memory_equal(packet.from.mac, them.mac, 6);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(packet.payload[i], (uint8_t)(i * 7 + size));
        free(frame.data);
    }
}

static void padding_of_a_short_frame_is_zero_and_not_payload(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 3);
    assert_int_equal(length, 60);
    for (size_t i = 45; i < 60; i++)
        assert_int_equal(buffer[i], 0);
    memset(buffer + 45, 0xAB, 15); // whatever a switch pads with
    struct packet packet = parse_as(&us, buffer, 60);
    assert_int_equal(packet.kind, PACKET_UDP);
    assert_int_equal(packet.size, 3);
}

static void every_flipped_bit_of_a_datagram_is_noticed(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    for (size_t bit = 12 * 8; bit < length * 8; bit++) {
        if (bit / 8 == 40 || bit / 8 == 41)
            continue; // the checksum itself is looked at below
        buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct packet packet = parse_as(&us, buffer, length);
        assert_int_not_equal(packet.kind, PACKET_UDP);
        buffer[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_truncation_is_discarded(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    for (size_t cut = 0; cut < length; cut++)
        expect_discard(buffer, cut, DISCARD_FRAME_SHORT);
    length = datagram(&tagged_them, &tagged_us, 66);
    for (size_t cut = 0; cut < length; cut++) {
        struct packet packet = parse_as(&tagged_us, buffer, cut);
        assert_int_equal(packet.kind, PACKET_DISCARD);
        assert_int_equal(packet.reason, DISCARD_FRAME_SHORT);
    }
}

static void a_udp_checksum_of_zero_means_none(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    put_be16(buffer + 40, 0);
    assert_int_equal(parse_as(&us, buffer, length).kind, PACKET_UDP);
    put_be16(buffer + 40, 1);
    expect_discard(buffer, length, DISCARD_UDP_CHECKSUM);
}

static void a_computed_checksum_of_zero_is_sent_as_all_ones(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 2);
    // Choose the payload so that everything else sums to 0xFFFF.
    put_be16(buffer + 42, 0);
    put_be16(buffer + 40, 0);
    uint32_t pseudo = (uint32_t)slow_sum(0, buffer + 26, 8) + 17 + 10;
    uint16_t rest = slow_sum(pseudo, buffer + 34, 10);
    struct frame frame = {.data = buffer};
    struct peer peer = {.mac = {2, 0, 0, 0, 0, 1}, .port = 4000, .ip = us.ip};
    put_be16(buffer + 42, (uint16_t)~rest);
    packet_finish_udp(&them, &peer, 5555, 2, &frame);
    assert_int_equal(get_be16(buffer + 40), 0xFFFF);
    assert_int_equal(parse_as(&us, buffer, length).kind, PACKET_UDP);
}

static void what_the_port_has_checked_is_believed(void **state)
{
    (void)state;
    struct packet packet;
    size_t length = datagram(&them, &us, 66);
    struct frame frame = {.data = buffer, .length = (uint32_t)length, .udp_checksum = CHECKSUM_BAD};
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_DISCARD);
    assert_int_equal(packet.reason, DISCARD_UDP_CHECKSUM);
    frame.ip_checksum = CHECKSUM_BAD;
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.reason, DISCARD_IP_CHECKSUM);
    buffer[50] ^= 1;
    buffer[24] ^= 1;
    frame.ip_checksum = frame.udp_checksum = CHECKSUM_GOOD;
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_UDP);
}

static void ipv4_options_are_stepped_over(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    memmove(buffer + 14 + 28, buffer + 14 + 20, length - 34);
    memset(buffer + 34, 1, 8); // no-operation options
    buffer[14] = 0x47;
    put_be16(buffer + 16, (uint16_t)(get_be16(buffer + 16) + 8));
    fix_ip_sum(buffer + 14);
    struct frame frame = {.data = buffer, .length = (uint32_t)length + 8};
    struct packet packet;
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_UDP);
    assert_int_equal(packet.size, 66);
    assert_int_equal(packet.payload[5], (uint8_t)(5 * 7 + 66));
    buffer[14] = 0x44; // shorter than itself
    fix_ip_sum(buffer + 14);
    expect_discard(buffer, length + 8, DISCARD_IP_HEADER);
}

static void fragments_are_refused(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0x2000, 0x0001, 0x1FFF, 0x3FFF};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        size_t length = datagram(&them, &us, 66);
        put_be16(buffer + 20, fields[i]);
        fix_ip_sum(buffer + 14);
        expect_discard(buffer, length, DISCARD_IP_HEADER);
    }
}

static void lengths_that_disagree_are_refused(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    for (int change = -66; change <= 66; change += 11) {
        if (change == 0)
            continue;
        datagram(&them, &us, 66);
        put_be16(buffer + 38, (uint16_t)(74 + change));
        put_be16(buffer + 40, 0);
        expect_discard(buffer, length, DISCARD_UDP_LENGTH);
    }
    datagram(&them, &us, 66);
    put_be16(buffer + 16, 27); // no room for a UDP header
    fix_ip_sum(buffer + 14);
    expect_discard(buffer, length, DISCARD_UDP_LENGTH);
    put_be16(buffer + 16, 19);
    fix_ip_sum(buffer + 14);
    expect_discard(buffer, length, DISCARD_IP_HEADER);
    put_be16(buffer + 16, (uint16_t)(length - 14 + 1));
    fix_ip_sum(buffer + 14);
    expect_discard(buffer, length, DISCARD_FRAME_SHORT);
}

static void what_is_for_others_is_not_ours(void **state)
{
    (void)state;
    struct endpoint other_mac = us, other_ip = us, group = us;
    other_mac.mac[5] = 9;
    other_ip.ip++;
    group.ip = 0xE9360C01;
    memcpy(group.mac, (const uint8_t[]){1, 0, 0x5E, 0x36, 12, 1}, 6);
    size_t length = datagram(&them, &other_mac, 66);
    expect_discard(buffer, length, DISCARD_OTHER_MAC);
    length = datagram(&them, &other_ip, 66);
    expect_discard(buffer, length, DISCARD_OTHER_IP);
    length = datagram(&them, &group, 66);
    expect_discard(buffer, length, DISCARD_OTHER_MAC);
    memcpy(group.mac, us.mac, 6); // a group's address in a frame to us
    length = datagram(&them, &group, 66);
    expect_discard(buffer, length, DISCARD_OTHER_IP);
    length = datagram(&them, &us, 66);
    memset(buffer, 0xFF, 6); // our address in a broadcast frame
    expect_discard(buffer, length, DISCARD_OTHER_MAC);
}

static void a_sender_that_cannot_be_answered_is_refused(void **state)
{
    (void)state;
    struct endpoint group_ip = them, group_mac = them;
    group_ip.ip = 0xFFFFFFFF;
    group_mac.mac[0] |= 1;
    size_t length = datagram(&group_ip, &us, 66);
    expect_discard(buffer, length, DISCARD_IP_HEADER);
    length = datagram(&group_mac, &us, 66);
    expect_discard(buffer, length, DISCARD_OTHER_MAC);
}

static void other_protocols_are_counted_as_such(void **state)
{
    (void)state;
    size_t length = datagram(&them, &us, 66);
    buffer[23] = 6;
    fix_ip_sum(buffer + 14);
    expect_discard(buffer, length, DISCARD_IP_PROTOCOL);
    put_be16(buffer + 12, 0x86DD);
    expect_discard(buffer, length, DISCARD_ETHERTYPE);
}

static void a_vlan_is_kept_apart(void **state)
{
    (void)state;
    size_t length = datagram(&tagged_them, &tagged_us, 66);
    assert_int_equal(length, 66 + 46);
    struct packet packet = parse_as(&tagged_us, buffer, length);
    assert_int_equal(packet.kind, PACKET_UDP);
    assert_int_equal(packet.size, 66);
    expect_discard(buffer, length, DISCARD_ETHERTYPE); // us: untagged
    put_be16(buffer + 14, 0xE000);                     // priority tag of no VLAN
    assert_int_equal(parse_as(&us, buffer, length).kind, PACKET_UDP);
    length = datagram(&them, &us, 66);
    packet = parse_as(&tagged_us, buffer, length);
    assert_int_equal(packet.kind, PACKET_DISCARD);
    assert_int_equal(packet.reason, DISCARD_ETHERTYPE);
}

static size_t arp_request(uint32_t target)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
    memset(buffer, 0, 60);
    memset(buffer, 0xFF, 6);
    memcpy(buffer + 6, them.mac, 6);
    put_be16(buffer + 12, 0x0806);
    memcpy(buffer + 14, head, sizeof head);
    memcpy(buffer + 22, them.mac, 6);
    put_be32(buffer + 28, them.ip);
    put_be32(buffer + 38, target);
    return 60;
}

// It would be sent back as it stands.
static void a_request_in_several_buffers_is_not_answered(void **state)
{
    (void)state;
    struct packet packet;
    struct frame frame = {.data = buffer, .length = FRAME_MAX + 1};
    arp_request(us.ip);
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_DISCARD);
    assert_int_equal(packet.reason, DISCARD_FRAME_SHORT);
    assert_memory_equal(buffer + 6, them.mac, 6); // and is as it was
    frame.length = FRAME_MAX;
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_REPLY);
}

static void an_arp_request_for_us_becomes_its_reply(void **state)
{
    (void)state;
    struct packet packet;
    struct frame frame = {.data = buffer, .length = (uint32_t)arp_request(us.ip)};
    packet_parse(&us, &frame, &packet);
    assert_int_equal(packet.kind, PACKET_REPLY);
    assert_int_equal(frame.length, 60);
    assert_memory_equal(buffer, them.mac, 6);
    assert_memory_equal(buffer + 6, us.mac, 6);
    assert_int_equal(get_be16(buffer + 20), 2);
    assert_memory_equal(buffer + 22, us.mac, 6);
    assert_int_equal(get_be32(buffer + 28), us.ip);
    assert_memory_equal(buffer + 32, them.mac, 6);
    assert_int_equal(get_be32(buffer + 38), them.ip);
}

static void other_arp_is_discarded(void **state)
{
    (void)state;
    expect_discard(buffer, arp_request(us.ip + 1), DISCARD_OTHER_IP);
    size_t length = arp_request(us.ip);
    buffer[21] = 2; // a reply
    expect_discard(buffer, length, DISCARD_OTHER_IP);
    arp_request(us.ip);
    expect_discard(buffer, 41, DISCARD_FRAME_SHORT);
}

static size_t echo_request(size_t size)
{
    size_t length = datagram(&them, &us, size);
    buffer[23] = 1;
    fix_ip_sum(buffer + 14);
    put_be16(buffer + 34, 0x0800);
    put_be16(buffer + 36, 0);
    put_be16(buffer + 36, (uint16_t)~slow_sum(0, buffer + 34, size + 8));
    return length;
}

static void an_echo_request_becomes_its_reply(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 56, 57, 1472};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct packet packet;
        struct frame frame = {.data = buffer, .length = (uint32_t)echo_request(sizes[i])};
        uint8_t before[FRAME_MAX];
        memcpy(before, buffer, sizeof before);
        packet_parse(&us, &frame, &packet);
        assert_int_equal(packet.kind, PACKET_REPLY);
        assert_memory_equal(buffer, them.mac, 6);
        assert_memory_equal(buffer + 6, us.mac, 6);
        assert_int_equal(slow_sum(0, buffer + 14, 20), 0xFFFF);
        assert_int_equal(get_be32(buffer + 26), us.ip);
        assert_int_equal(get_be32(buffer + 30), them.ip);
        assert_int_equal(buffer[34], 0);
        assert_int_equal(slow_sum(0, buffer + 34, sizes[i] + 8), 0xFFFF);
        assert_memory_equal(buffer + 38, before + 38, sizes[i] + 4);
    }
}

static void a_broken_echo_request_is_not_answered(void **state)
{
    (void)state;
    size_t length = echo_request(56);
    buffer[60] ^= 1;
    expect_discard(buffer, length, DISCARD_IP_PROTOCOL);
    length = echo_request(56);
    buffer[34] = 0; // a reply
    expect_discard(buffer, length, DISCARD_IP_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_of_every_size_is_read_as_it_was_written),
        cmocka_unit_test(padding_of_a_short_frame_is_zero_and_not_payload),
        cmocka_unit_test(every_flipped_bit_of_a_datagram_is_noticed),
        cmocka_unit_test(every_truncation_is_discarded),
        cmocka_unit_test(a_udp_checksum_of_zero_means_none),
        cmocka_unit_test(a_computed_checksum_of_zero_is_sent_as_all_ones),
        cmocka_unit_test(what_the_port_has_checked_is_believed),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(fragments_are_refused),
        cmocka_unit_test(lengths_that_disagree_are_refused),
        cmocka_unit_test(what_is_for_others_is_not_ours),
        cmocka_unit_test(a_sender_that_cannot_be_answered_is_refused),
        cmocka_unit_test(other_protocols_are_counted_as_such),
        cmocka_unit_test(a_vlan_is_kept_apart),
        cmocka_unit_test(an_arp_request_for_us_becomes_its_reply),
        cmocka_unit_test(a_request_in_several_buffers_is_not_answered),
        cmocka_unit_test(other_arp_is_discarded),
        cmocka_unit_test(an_echo_request_becomes_its_reply),
        cmocka_unit_test(a_broken_echo_request_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
