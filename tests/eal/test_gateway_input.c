// SPDX-License-Identifier: Apache-2.0
// What gateways do with bad input: every reason for a discard reached, neighbours handled, the books balanced.
#include "tests/eal/cores_clients.h"

static struct rig rig;
static struct rig_client client;
static const struct rig_options plain = {.gateways = 1, .matchers = 1};

static int up(void **state)
{
    (void)state;
    rig_open(&rig, &plain);
    client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    rig_forget(&rig);
    return 0;
}

static int down(void **state)
{
    (void)state;
    return rig_close(&rig);
}

static uint64_t received(void)
{
    return rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_received);
}

static uint64_t forwarded(void)
{
    return rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_forwarded);
}

static size_t order(uint8_t *datagram, size_t at, uint32_t user_ref)
{
    return rig_enter_block(datagram, at, user_ref, 'B', 100, rig.symbols[0].wire_name, 100000);
}

// Sends a datagram and checks that it made so many orders and so many discards for one reason, and nothing else.
static void expect(const uint8_t *datagram, size_t size, unsigned orders, unsigned discards, enum discard reason)
{
    uint64_t before[3] = {received(), forwarded(), rig_discards(&rig, 0, reason)};
    rig_send(&rig, &client, datagram, size);
    rig_rounds(&rig, 3);
    assert_int_equal(forwarded(), before[1] + orders);
    assert_int_equal(rig_discards(&rig, 0, reason), before[2] + discards);
    assert_int_equal(received(), before[0] + orders + discards);
    rig_check_identity(&rig);
}

static void orders_of_one_datagram_are_answered_in_one_packet(void **state)
{
    (void)state;
    uint8_t datagram[1472];
    size_t size = 0;
    for (uint32_t i = 1; i <= 20; i++)
        size = order(datagram, size, i);
    expect(datagram, size, 20, 0, DISCARD_UFO_BLOCK);
    assert_int_equal(rig_packets(&rig, &client, 'S'), 1);
    assert_int_equal(rig_messages(&rig, &client), 20);
}

static void answers_that_do_not_fit_one_packet_take_more(void **state)
{
    (void)state;
    uint8_t datagram[1472];
    for (uint32_t d = 0; d < 4; d++) {
        size_t size = 0;
        for (uint32_t i = 1; i <= 29; i++)
            size = order(datagram, size, d * 29 + i);
        rig_send(&rig, &client, datagram, size);
    }
    rig_rounds(&rig, 3);
    assert_int_equal(rig_messages(&rig, &client), 116);
    assert_int_equal(rig_packets(&rig, &client, 'S'), 6); // 22 of 66 bytes each
}

static void a_bad_block_in_any_position_leaves_those_before_it(void **state)
{
    (void)state;
    static const uint8_t bad[][3] = {{0, 0, 'U'}, {0xFF, 0xFF, 'U'}, {0, 2, 'U'}};
    uint32_t next = 1;
    for (unsigned kind = 0; kind < 3; kind++) {
        for (unsigned before = 0; before < 4; before++) {
            uint8_t datagram[512];
            size_t size = 0;
            for (unsigned i = 0; i < before; i++)
                size = order(datagram, size, next++);
            memcpy(datagram + size, bad[kind], 3);
            size += 3;
            if (kind == 0) // what follows can not be told apart
                size = order(datagram, size, next);
            expect(datagram, size, before, 1, DISCARD_UFO_BLOCK);
        }
    }
}

static void every_truncation_of_a_chain_is_one_discard_at_most(void **state)
{
    (void)state;
    uint8_t datagram[512];
    size_t size = 0;
    uint32_t next = 1;
    size = order(datagram, size, 1);
    size_t whole = size;
    size = order(datagram, size, 2);
    for (size_t cut = 1; cut < size; cut++) {
        uint64_t orders = forwarded(), discards = rig_discards(&rig, 0, DISCARD_UFO_BLOCK);
        order(datagram, 0, next++);
        order(datagram, whole, next++);
        rig_send(&rig, &client, datagram, cut);
        rig_rounds(&rig, 2);
        assert_int_equal(forwarded(), orders + (cut >= whole));
        assert_int_equal(rig_discards(&rig, 0, DISCARD_UFO_BLOCK), discards + (cut != whole));
    }
}

static void an_empty_datagram_is_a_bad_chain(void **state)
{
    (void)state;
    struct rig_client stranger = client;
    expect((const uint8_t *)"", 0, 0, 1, DISCARD_UFO_BLOCK);
    stranger.udp_port = 9;
    rig_send(&rig, &stranger, "", 0);
    rig_rounds(&rig, 2);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_UFO_BLOCK), 2);
}

static void an_unknown_block_leaves_its_neighbours(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } unknown[] = {{"Z", 1},  {"u", 1},      {"S1234", 5},    {"U", 1},      {"R2", 2},
                   {"O2", 2}, {"T12345", 6}, {"T1234567", 8}, {"L12345", 6}, {"\0", 1}};
    uint32_t next = 1;
    for (unsigned i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        uint8_t datagram[512];
        size_t size = order(datagram, 0, next++);
        size = rig_block(datagram, size, unknown[i].bytes, unknown[i].size);
        size = order(datagram, size, next++);
        expect(datagram, size, 2, 1, DISCARD_UFO_TYPE);
    }
    assert_int_equal(rig_messages(&rig, &client), 20);
}

static void a_bad_order_leaves_its_neighbours(void **state)
{
    (void)state;
    uint8_t datagram[512];
    size_t size = order(datagram, 0, 1);
    size = rig_block(datagram, size, "Uz123", 5);
    size = order(datagram, size, 2);
    expect(datagram, size, 2, 1, DISCARD_OUCH_TYPE);
    size = order(datagram, 0, 3);
    size = rig_block(datagram, size, "UO123", 5);
    size = order(datagram, size, 4);
    expect(datagram, size, 2, 1, DISCARD_OUCH_LENGTH);
    assert_int_equal(rig_messages(&rig, &client), 4);
}

static void what_the_gateway_refuses_is_numbered_by_the_engine(void **state)
{
    (void)state;
    uint8_t datagram[512];
    size_t size = order(datagram, 0, 1);
    size = rig_enter_block(datagram, size, 2, 'Q', 100, rig.symbols[0].wire_name, 100000);
    size = rig_enter_block(datagram, size, 3, 'B', 100, "NOTHERE ", 100000);
    size = order(datagram, size, 4);
    expect(datagram, size, 4, 0, DISCARD_OUCH_TYPE);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_refused), 1);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_rejected), 2);
    assert_int_equal(rig_messages(&rig, &client), 4);
    assert_int_equal(rig.expected[0].list[2].bytes[0], 'J');
    assert_int_equal(rig.expected[0].list[3].bytes[0], 'J');
}

static void from_elsewhere_each_block_is_not_logged_in(void **state)
{
    (void)state;
    struct rig_client stranger = client;
    uint8_t datagram[512];
    size_t size = order(datagram, 0, 1);
    size = rig_block(datagram, size, "R", 1);
    size = rig_block(datagram, size, "O", 1);
    size = rig_retransmit_block(datagram, size, 1, 1);
    size = rig_block(datagram, size, "Z", 1);
    stranger.ip++;
    rig_send(&rig, &stranger, datagram, size);
    rig_rounds(&rig, 2);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_LOGGED_IN), 5);
    assert_int_equal(rig.inbox_count ? rig_packets(&rig, &stranger, 0) : 0, 0);
    assert_true(engine_session_up(rig.engine[0], 0));
}

static void a_login_and_orders_in_one_datagram_count_from_the_login_on(void **state)
{
    (void)state;
    struct rig_client moved = client;
    uint8_t datagram[512];
    size_t size = order(datagram, 0, 1);
    size = rig_login_block(datagram, size, "user0 ", "SECRET", "");
    size = order(datagram, size, 2);
    moved.udp_port = 7777;
    rig_send(&rig, &moved, datagram, size);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_LOGGED_IN), 1);
    assert_int_equal(rig_packets(&rig, &moved, 'A'), 1);
    assert_int_equal(rig_messages(&rig, &moved), 1);
}

// A good frame with one byte changed, and what becomes of it.
static void damaged(size_t at, uint8_t change, int shorter, enum discard reason)
{
    uint8_t datagram[64];
    size_t size = order(datagram, 0, 1);
    uint64_t before = rig_discards(&rig, 0, reason), all = received();
    struct rte_mbuf *buffer = rig_frame(&rig, &client, 4000, datagram, size);
    rte_pktmbuf_mtod(buffer, uint8_t *)[at] ^= change;
    buffer->data_len = (uint16_t)(buffer->data_len - shorter);
    buffer->pkt_len = buffer->data_len;
    rig_send_frame(&rig, client.port, buffer);
    rig_rounds(&rig, 2);
    assert_int_equal(rig_discards(&rig, 0, reason), before + 1);
    assert_int_equal(received(), all + 1);
    rig_check_identity(&rig);
}

// Changes a byte of the IPv4 header and mends its checksum.
static void damaged_ip(size_t at, uint8_t change, enum discard reason)
{
    uint8_t datagram[64];
    size_t size = order(datagram, 0, 1);
    uint64_t before = rig_discards(&rig, 0, reason);
    struct rte_mbuf *buffer = rig_frame(&rig, &client, 4000, datagram, size);
    uint8_t *ip = rte_pktmbuf_mtod(buffer, uint8_t *) + 14;
    uint32_t sum = 0;
    ip[at] ^= change;
    put_be16(ip + 10, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += get_be16(ip + i);
    put_be16(ip + 10, (uint16_t) ~(sum % 0xFFFF));
    rig_send_frame(&rig, client.port, buffer);
    rig_rounds(&rig, 2);
    assert_int_equal(rig_discards(&rig, 0, reason), before + 1);
}

static void every_damage_to_a_frame_has_its_reason(void **state)
{
    (void)state;
    uint8_t datagram[64];
    damaged(0, 0, 60, DISCARD_FRAME_SHORT);
    damaged(12, 0x80, 0, DISCARD_ETHERTYPE);
    damaged(5, 0x40, 0, DISCARD_OTHER_MAC);
    damaged(14, 0x10, 0, DISCARD_IP_HEADER);
    damaged(24, 0x01, 0, DISCARD_IP_CHECKSUM);
    damaged(60, 0x01, 0, DISCARD_UDP_CHECKSUM);
    damaged(39, 0x01, 0, DISCARD_UDP_LENGTH);
    damaged_ip(19, 0x40, DISCARD_OTHER_IP);
    damaged_ip(9, 0x20, DISCARD_IP_PROTOCOL);
    size_t size = order(datagram, 0, 1);
    rig_send_frame(&rig, client.port, rig_frame(&rig, &client, 4999, datagram, size));
    rig_rounds(&rig, 2);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_UNKNOWN_PORT), 1);
    assert_int_equal(forwarded(), 0);
}

static void a_full_ring_loses_only_a_suffix_of_a_session(void **state)
{
    (void)state;
    struct rig_client other = rig_client(&rig, 1);
    uint8_t datagram[1472];
    rig_login(&rig, &other, "SECRET");
    rig_forget(&rig);
    rig.still = true; // the matching core stands
    uint32_t next = 1;
    for (unsigned d = 0; d < 60; d++) {
        size_t size = 0;
        for (unsigned i = 0; i < 20; i++)
            size = order(datagram, size, next++);
        rig_send(&rig, &client, datagram, size);
        rig_round(&rig);
    }
    struct ring *ring = region_find(&rig.region, OBJECT_ORDERS, 0, 0);
    uint64_t taken = forwarded();
    assert_int_equal(taken, 1024 - 64); // all but the reserve
    assert_int_equal(rig_discards(&rig, 0, DISCARD_RING_FULL), 1200 - taken);
    // A refusal of a session that has lost nothing yet may use the reserve; one that has lost may not.
    size_t size = rig_enter_block(datagram, 0, 1, 'Q', 100, rig.symbols[0].wire_name, 100000);
    rig_send(&rig, &other, datagram, size);
    rig_send(&rig, &client, datagram, size);
    rig_round(&rig);
    assert_int_equal(forwarded(), taken + 1);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_RING_FULL), 1200 - taken + 1);
    // Above low water the session's orders are still lost, although there is room.
    rig.still = false;
    while (ring_room(ring, ring->depth) < 400) {
        rig.still = false;
        matcher_role.poll(rig.matcher[0], rig.now);
    }
    rig.still = true;
    if (ring_room(ring, ring->depth) < 512) {
        size = order(datagram, 0, next);
        rig_send(&rig, &client, datagram, size);
        rig_round(&rig);
        assert_int_equal(forwarded(), taken + 1);
    }
    rig.still = false;
    rig_rounds(&rig, 30);
    size = order(datagram, 0, (uint32_t)taken + 1); // the client resends from what was not answered
    rig_send(&rig, &client, datagram, size);
    rig_rounds(&rig, 3);
    assert_int_equal(forwarded(), taken + 2);
    assert_int_equal(rig_messages(&rig, &client), taken + 1);
    assert_int_equal(rig_messages(&rig, &other), 1);
}

// One order message; returns whether it was taken.
static bool takes(uint32_t user_ref)
{
    uint8_t datagram[64];
    uint64_t before = forwarded();
    rig_send(&rig, &client, datagram, order(datagram, 0, user_ref));
    rig_rounds(&rig, 2);
    return forwarded() > before;
}

// Orders until the ring is full, more of them, and then a ring that is empty again. Returns the first number lost.
static uint32_t lose_a_suffix(uint32_t next)
{
    uint64_t before = forwarded();
    rig.still = true;
    for (unsigned d = 0; d < 60; d++) {
        uint8_t datagram[1472];
        size_t size = 0;
        for (unsigned i = 0; i < 20; i++)
            size = order(datagram, size, next + d * 20 + i);
        rig_send(&rig, &client, datagram, size);
        rig_round(&rig);
    }
    rig.still = false;
    rig_rounds(&rig, 30);
    assert_int_equal(forwarded(), before + 1024 - 64);
    return next + 1024 - 64;
}

static void a_client_that_sends_on_behind_a_full_ring_loses_a_suffix_and_no_hole(void **state)
{
    (void)state;
    uint32_t lost = lose_a_suffix(1);
    assert_false(takes(1201)); // there is room again, but this would leave a hole
    assert_false(takes(lost + 1));
    uint64_t before = forwarded();
    uint8_t query[] = {0, 2, 'U', 'Q'};
    rig_send(&rig, &client, query, sizeof query);
    rig_rounds(&rig, 3);
    assert_int_equal(forwarded(), before + 1); // the answer says where to go on
    assert_true(takes(lost));
    // Without asking: the first lost number opens the way, and nothing above it.
    lost = lose_a_suffix(lost + 1);
    assert_false(takes(lost + 1));
    assert_true(takes(lost));
    assert_true(takes(lost + 1));
    // A client that never asks and gives up what was lost is not kept out for good.
    lost = lose_a_suffix(lost + 2);
    assert_false(takes(5000));
    rig_pass_ms(&rig, 1001);
    assert_true(takes(5001));
}

// Fills the ring with the orders 1 .. 960.
static void fill(void)
{
    rig.still = true;
    for (unsigned d = 0; d < 48; d++) {
        uint8_t datagram[1472];
        size_t size = 0;
        for (unsigned i = 1; i <= 20; i++)
            size = order(datagram, size, d * 20 + i);
        rig_send(&rig, &client, datagram, size);
        rig_round(&rig);
    }
    assert_int_equal(forwarded(), 1024 - 64);
}

// One message; returns whether it was taken.
static bool takes_block(const uint8_t *message, size_t size)
{
    uint8_t datagram[128];
    uint64_t before = forwarded();
    rig_send(&rig, &client, datagram, rig_block(datagram, 0, message, size));
    rig_rounds(&rig, 2);
    return forwarded() > before;
}

static void a_lost_mass_cancel_is_the_first_that_opens_the_way_again(void **state)
{
    (void)state;
    uint8_t mass_cancel[20] = {'U', 'C', 0, 0, 961 >> 8, 961 & 255};
    memset(mass_cancel + 6, ' ', 12);
    fill();
    assert_false(takes_block(mass_cancel, sizeof mass_cancel));
    assert_false(takes(962));
    rig.still = false;
    rig_rounds(&rig, 30);
    assert_false(takes(962)); // under way: behind it the mass cancel could not be sent again
    assert_true(takes_block(mass_cancel, sizeof mass_cancel));
    assert_true(takes(962));
}

static void a_number_of_another_channel_does_not_open_the_way_again(void **state)
{
    (void)state;
    uint8_t datagram[128], message[51] = {'U'};
    order(datagram, 0, 5000);
    memcpy(message + 1, datagram + 3, 47);
    static const uint8_t channel[] = {0, 3, 2, 28, 5};
    memcpy(message + 1 + 45, channel, sizeof channel);
    fill();
    assert_false(takes_block(message, sizeof message));
    assert_false(takes(961));
    assert_false(takes(962));
    rig.still = false;
    rig_rounds(&rig, 30);
    assert_false(takes(963)); // below 5000, and would leave 961 and 962 out
    assert_true(takes_block(message, sizeof message));
    assert_true(takes(961));
}

static void a_login_from_the_same_address_opens_the_way_again(void **state)
{
    (void)state;
    uint32_t lost = lose_a_suffix(1);
    assert_false(takes(lost + 1));
    rig_login(&rig, &client, "SECRET");
    assert_true(takes(lost + 1));
}

static void a_session_goes_down_also_when_its_ring_was_full(void **state)
{
    (void)state;
    uint8_t datagram[1472];
    struct ring *ring = region_find(&rig.region, OBJECT_ORDERS, 0, 0);
    rig.still = true;
    for (uint32_t i = 1; i <= 1100; i++) { // refusals: they fill the reserve too
        size_t size = rig_enter_block(datagram, 0, i, 'Q', 100, rig.symbols[0].wire_name, 100000);
        rig_send(&rig, &client, datagram, size);
        if (i % 16 == 0)
            rig_round(&rig);
    }
    rig_round(&rig);
    assert_int_equal(ring_room(ring, ring->depth), 0);
    rig_send(&rig, &client, datagram, rig_block(datagram, 0, "O", 1));
    rig_login(&rig, &client, "SECRET");
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &client, 'A'), 0); // no room for what a login needs
    rig.still = false;
    rig_rounds(&rig, 40);
    rig_pass_ms(&rig, 200);
    assert_false(engine_session_up(rig.engine[0], 0));
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(rig_packets(&rig, &client, 'A'), 1);
    assert_true(engine_session_up(rig.engine[0], 0));
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(orders_of_one_datagram_are_answered_in_one_packet),
        RIGGED(answers_that_do_not_fit_one_packet_take_more),
        RIGGED(a_bad_block_in_any_position_leaves_those_before_it),
        RIGGED(every_truncation_of_a_chain_is_one_discard_at_most),
        RIGGED(an_empty_datagram_is_a_bad_chain),
        RIGGED(an_unknown_block_leaves_its_neighbours),
        RIGGED(a_bad_order_leaves_its_neighbours),
        RIGGED(what_the_gateway_refuses_is_numbered_by_the_engine),
        RIGGED(from_elsewhere_each_block_is_not_logged_in),
        RIGGED(a_login_and_orders_in_one_datagram_count_from_the_login_on),
        RIGGED(every_damage_to_a_frame_has_its_reason),
        RIGGED(a_full_ring_loses_only_a_suffix_of_a_session),
        RIGGED(a_client_that_sends_on_behind_a_full_ring_loses_a_suffix_and_no_hole),
        RIGGED(a_lost_mass_cancel_is_the_first_that_opens_the_way_again),
        RIGGED(a_number_of_another_channel_does_not_open_the_way_again),
        RIGGED(a_login_from_the_same_address_opens_the_way_again),
        RIGGED(a_session_goes_down_also_when_its_ring_was_full),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
