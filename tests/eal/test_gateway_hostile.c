// SPDX-License-Identifier: Apache-2.0
// Gateways and publishers under hostile timing: control away, take-overs while a verdict is out, rings at their last
// cell, shared queues, and storms of random datagrams.
#include "tests/eal/cores_clients.h"

static struct rig rig;
static const struct rig_options plain = {.gateways = 1, .matchers = 1};

static int up(void **state)
{
    (void)state;
    rig_open(&rig, &plain);
    return 0;
}

static int down(void **state)
{
    (void)state;
    return rig_close(&rig);
}

static uint32_t requests_waiting(unsigned gateway)
{
    struct ring *requests = region_find(&rig.region, OBJECT_REQUESTS, 0, gateway);
    return ring_ready(requests, 0, 256);
}

static void requests_do_not_pile_up_while_control_is_away(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), other = rig_client(&rig, 1);
    uint8_t datagram[64];
    rig_login(&rig, &other, "SECRET");
    for (uint32_t i = 1; i <= 1100; i++) { // more than the window holds
        rig_enter(&rig, &other, i, 'B', 100, 100000);
        if (i % 16 == 0)
            rig_round(&rig);
    }
    rig_rounds(&rig, 4);
    rig.control_away = true;
    for (unsigned i = 0; i < 40; i++) {
        rig_login(&rig, &client, "SECRET");
        rig_send(&rig, &other, datagram, rig_retransmit_block(datagram, 0, 1, 5));
        rig_pass_ms(&rig, 1000);
    }
    assert_int_equal(requests_waiting(0), 2); // else control would have to verify them all when it is back
    rig_forget(&rig);
    rig.control_away = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig.logins_asked, 2);
    assert_int_equal(rig_packets(&rig, &client, 'A'), 1);
    assert_int_equal(rig_messages(&rig, &other), 5);
}

static void the_last_to_ask_with_the_same_password_gets_the_verdict(void **state)
{
    (void)state;
    struct rig_client old = rig_client(&rig, 0), new = old, stranger = old;
    new.udp_port = 5001;
    stranger.udp_port = 6666;
    rig.control_away = true;
    rig_login(&rig, &old, "SECRET");
    rig_login(&rig, &new, "secret"); // crashed, and back on another port
    rig_login(&rig, &stranger, "WRONG");
    rig.control_away = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &old, 0), 0);
    assert_int_equal(rig_packets(&rig, &stranger, 0), 0);
    assert_int_equal(rig_packets(&rig, &new, 'A'), 1);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
}

// An address moves from one session to another that is up elsewhere: DOWN, DOWN and UP, with room for just two.
static void a_double_take_over_with_little_room_ends_with_one_session_up(void **state)
{
    (void)state;
    struct rig_client first = rig_client(&rig, 0), second = rig_client(&rig, 1), moved = first;
    uint8_t datagram[64];
    struct ring *ring = region_find(&rig.region, OBJECT_ORDERS, 0, 0);
    moved.session = 1;
    rig_login(&rig, &first, "SECRET");
    rig_login(&rig, &second, "SECRET");
    rig.still = true;
    for (uint32_t i = 1; ring_room(ring, ring->depth) > 2; i++) {
        rig_send(&rig, &second, datagram, rig_enter_block(datagram, 0, i, 'Q', 100, rig.symbols[0].wire_name, 100000));
        rig_round(&rig);
    }
    rig_forget(&rig);
    rig_login(&rig, &moved, "SECRET");
    bool said = rig_packets(&rig, &moved, 'A') > 0;
    rig.still = false;
    rig_rounds(&rig, 40);
    if (!said)
        rig_login(&rig, &moved, "SECRET");
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &moved, 'A'), 1);
    assert_true(engine_session_up(rig.engine[0], 1));
    assert_int_equal(engine_session_up(rig.engine[0], 0),
                     rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up) == 2);
    rig_forget(&rig);
    rig_send(&rig, &moved, datagram, rig_enter_block(datagram, 0, 5000, 'B', 100, rig.symbols[0].wire_name, 100000));
    rig_rounds(&rig, 3);
    assert_int_equal(rig_messages(&rig, &moved), 1);
}

// Two gateways at one queue: what the first received for the second is on its way in the same round, not when the
// second's housekeeping comes by.
static void orders_of_a_gateway_that_shares_a_queue_do_not_wait(void **state)
{
    (void)state;
    static const struct rig_options shared = {.gateways = 2, .matchers = 1, .one_queue = true};
    rig_free(&rig);
    rig_new(&rig, &shared);
    rig_boot(&rig);
    for (unsigned session = 0; session < 2; session++) {
        struct rig_client client = rig_client(&rig, session);
        rig_login(&rig, &client, "SECRET");
        uint64_t before = rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages);
        rig_enter(&rig, &client, 1, 'B', 100, 100000);
        for (unsigned i = 0; i < 2; i++)
            gateway_role.poll(rig.gateway[i], rig.now);
        matcher_role.poll(rig.matcher[0], rig.now);
        matcher_role.housekeep(rig.matcher[0], rig.now);
        assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages), before + 1);
    }
}

static void ask_mold(const struct rig_client *client, const char *name, uint64_t first, uint16_t count, size_t size)
{
    uint8_t request[64] = {0};
    memcpy(request, name, 10);
    put_be64(request + 10, first);
    put_be16(request + 18, count);
    rig_send_frame(&rig, client->port, rig_frame(&rig, client, 6100, request, size));
    rig_rounds(&rig, 2);
}

static void a_request_to_the_publisher_that_gets_no_answer_is_counted(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    char name[10];
    session_name(RIG_DATE, 0, name);
    uint64_t next = rig.market_data[0].count + 1;
    rig_forget(&rig);
    ask_mold(&client, name, 1, 10, 19);
    ask_mold(&client, name, 1, 10, 21);
    ask_mold(&client, name, 1, 10, 0);
    ask_mold(&client, "NOTASESSIO", 1, 10, 20);
    ask_mold(&client, name, 0, 10, 20);
    ask_mold(&client, name, 1, 0, 20);
    ask_mold(&client, name, next, 1, 20); // the end
    ask_mold(&client, name, UINT64_MAX, 65535, 20);
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests_unanswered), 8);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests), 0);
    ask_mold(&client, name, 1, 65535, 20);
    ask_mold(&client, name, next - 1, 65535, 20);
    assert_int_equal(rig_packets(&rig, &client, 0), 2);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests), 2);
}

static void what_a_publisher_discards_at_its_own_port_is_counted(void **state)
{
    (void)state;
    static const struct rig_options apart = {.gateways = 1, .matchers = 1, .own_port = true};
    rig_free(&rig);
    rig_new(&rig, &apart);
    rig_boot(&rig);
    struct rig_client client = rig_client(&rig, 0);
    char name[10];
    session_name(RIG_DATE, 0, name);
    client.port = 1;
    rig_forget(&rig);
    ask_mold(&client, name, 1, 1, 20);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests), 1);
    rig_send_frame(&rig, 1, rig_frame(&rig, &client, 6199, "", 0));
    rig_rounds(&rig, 2);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_discard_first + DISCARD_UNKNOWN_PORT), 1);
    assert_string_equal(counter_info(ROLE_PUBLISHER, COUNT_PUBLISHER_discard_first + DISCARD_UNKNOWN_PORT)->name,
                        "discard_UNKNOWN_PORT");
}

// vhost hands over what the other side wrote, also frames longer than any buffer, in several segments.
static void a_question_longer_than_a_frame_is_not_sent_back(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    struct rte_mbuf *buffer = rig_frame(&rig, &client, 4000, "", 0), *more = rte_pktmbuf_alloc(rig_pool);
    assert_non_null(more);
    uint8_t *arp = rte_pktmbuf_mtod(buffer, uint8_t *);
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1};
    put_be16(arp + 12, 0x0806);
    memcpy(arp + 14, request, 8);
    memcpy(arp + 22, arp + 6, 6);
    put_be32(arp + 28, client.ip);
    put_be32(arp + 38, rig.ports[0].ip);
    buffer->data_len = 2000;
    more->data_len = 500;
    buffer->next = more;
    buffer->nb_segs = 2;
    buffer->pkt_len = 2500;
    uint64_t before = rig_discards(&rig, 0, DISCARD_FRAME_SHORT);
    rig_send_frame(&rig, client.port, buffer);
    rig_rounds(&rig, 2);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_arp_echo), 0);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_FRAME_SHORT), before + 1);
}

// ---- storms ---------------------------------------------------------------------------------------------------------

static uint64_t seed;

static uint32_t any(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

// One option, now and then a wrong one.
static size_t any_option(uint8_t *at)
{
    static const uint8_t tags[] = {2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 24, 25, 26, 27, 28, 29, 30, 14, 99};
    static const uint8_t sizes[] = {4, 4, 1, 4, 1, 4, 8, 1, 4, 1, 4, 4, 1, 1, 2, 1, 4, 1, 1, 1, 2, 4, 1};
    static const char letters[] = "RNLPMQYBSTEIO";
    uint32_t kind = any(sizeof tags);
    size_t size = any(40) ? sizes[kind] : any(9);
    at[0] = (uint8_t)(size + 1);
    at[1] = tags[kind];
    for (size_t i = 0; i < size; i++)
        at[2 + i] = any(2) ? 0 : (uint8_t)letters[any(sizeof letters - 1)];
    return size + 2;
}

static size_t any_order(uint8_t *datagram, size_t at, uint32_t number, unsigned session)
{
    uint8_t message[256];
    size_t size = 0, head = at;
    const char *symbol = rig.symbols[2 * rig.sessions[session].matcher + any(2)].wire_name;
    switch (any(8)) {
    case 0:
        message[size++] = 'X';
        put_be32(message + size, number - any(30));
        put_be32(message + size + 4, any(2) * 100);
        size += 8;
        break;
    case 1:
        message[size++] = 'Q';
        break;
    case 2:
        message[size++] = 'C';
        put_be32(message + size, number);
        memset(message + size + 4, ' ', 12);
        size += 16;
        put_be16(message + size, 0);
        size += 2;
        break;
    default:
        at = rig_enter_block(datagram, at, number, "BSTEQ"[any(20) ? any(4) : 4], 100 * (1 + any(8)),
                             any(30) ? symbol : "NOTHERE ", 100000 + 100 * any(9));
        while (any(3) == 0 && at < 1200)
            at += any_option(datagram + at);
        put_be16(datagram + head, (uint16_t)(at - head - 2));
        put_be16(datagram + head + 2 + 46, (uint16_t)(at - head - 2 - 48));
        return at;
    }
    memmove(message + 1, message, size);
    message[0] = 'U';
    return rig_block(datagram, at, message, size + 1);
}

static void any_datagram(struct rig_client *clients, unsigned count, uint32_t *number)
{
    uint8_t datagram[1600];
    struct rig_client from = clients[any(count)];
    unsigned session = from.session;
    size_t size = 0;
    if (any(12) == 0)
        from.udp_port = (uint16_t)(5000 + any(3));
    if (any(40) == 0)
        from.ip = clients[any(count)].ip; // two sessions at one address
    for (unsigned blocks = 1 + any(6); blocks; blocks--) {
        uint32_t what = any(64);
        if (what < 2)
            size = rig_login_block(datagram, size, rig.sessions[session].wire_user, any(4) ? "SECRET" : "GUESS",
                                   any(10) ? "" : "261101XW00");
        else if (what < 5)
            size = rig_retransmit_block(datagram, size, any(4) ? 1 + any(3000) : any(3) - 1, (uint16_t)(any(3) - 1));
        else if (what < 6)
            size = rig_block(datagram, size, any(9) ? "R" : "O", 1);
        else if (what < 7)
            size = rig_block(datagram, size, "ZU?", any(4) < 3 ? 1 : 3);
        else
            size = any_order(datagram, size, ++*number, session);
    }
    if (any(12) == 0 && size)
        datagram[any((uint32_t)size)] = (uint8_t)any(256);
    if (any(16) == 0)
        size = any((uint32_t)size + 1);
    rig_send(&rig, &from, datagram, size);
}

// Every sequenced message that anybody got, checked against the engine's own stream, wherever the session was bound.
static unsigned check_all(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig.inbox_count; i++) {
        const struct rig_packet *packet = &rig.inbox[i];
        if (packet->from_port < 4000 || packet->from_port >= 4000 + rig.config.gateways_count ||
            packet->bytes[0] != 'S')
            continue;
        bool known = false; // the packet's numbers and bytes are those of one of the sessions
        uint32_t first = get_be32(packet->bytes + 1), messages = get_be16(packet->bytes + 5);
        for (unsigned s = 0; s < RIG_SESSIONS && !known; s++) {
            const struct rig_stream *stream = &rig.expected[s];
            size_t at = UFO_SEQUENCED_HEADER;
            known = first >= 1 && first + messages <= stream->count + 1;
            for (unsigned k = 0; k < messages && known; k++) {
                const struct rig_message *want = &stream->list[first - 1 + k];
                known = at + 2 + want->size <= packet->size && get_be16(packet->bytes + at) == want->size &&
                        memcmp(packet->bytes + at + 2, want->bytes, want->size) == 0;
                at += 2u + want->size;
            }
            known = known && at == packet->size;
        }
        assert_true(known);
        count += messages;
    }
    return count;
}

static void storm(const struct rig_options *options, uint64_t from, unsigned rounds)
{
    struct rig_client clients[8];
    uint32_t number = 0;
    unsigned got = 0;
    rig_free(&rig);
    seed = from;
    rig_open(&rig, options);
    for (unsigned i = 0; i < 8; i++) {
        clients[i] = rig_client(&rig, i);
        rig_login(&rig, &clients[i], "SECRET");
    }
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = any(12); k; k--)
            any_datagram(clients, 8, &number);
        if (any(30) == 0)
            rig.control_away = !rig.control_away;
        if (any(30) == 0)
            rig.hold_durable = !rig.hold_durable;
        if (any(50) == 0)
            rig.still = !rig.still;
        if (any(60) == 0)
            rig_pass_ms(&rig, any(3000));
        if (any(200) == 0)
            rig_pass_ms(&rig, 11000);
        if (rig.inbox_count > 4096) {
            got += check_all();
            rig_forget(&rig);
        }
        rig_round(&rig);
        if (i % 300 == 299) {
            rig.still = rig.hold_durable = rig.control_away = false;
            rig_rounds(&rig, 60);
            rig_check_identity(&rig);
            got += check_all();
            rig_forget(&rig);
            if (any(3) == 0)
                rig_reboot(&rig, options);
            for (unsigned c = 0; c < 8; c++)
                rig_login(&rig, &clients[c], "SECRET");
        }
    }
    rig.still = rig.hold_durable = rig.control_away = false;
    rig_rounds(&rig, 60);
    got += check_all();
    assert_true(got > rounds);
}

static void storms_lose_no_number_and_change_no_byte(void **state)
{
    (void)state;
    static const struct rig_options small = {
        .gateways = 1, .matchers = 1, .window_messages = 64, .order_depth = 64, .event_depth = 512};
    static const struct rig_options two = {
        .gateways = 2, .matchers = 2, .window_messages = 64, .order_depth = 128, .event_depth = 1024};
    static const struct rig_options shared = {.gateways = 2, .matchers = 2, .one_queue = true, .window_messages = 128};
    unsigned rounds = getenv("XW_SOAK") ? 60000 : 3000;
    storm(&small, 1, rounds);
    storm(&two, 2, rounds);
    storm(&shared, 3, rounds);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(requests_do_not_pile_up_while_control_is_away),
        RIGGED(the_last_to_ask_with_the_same_password_gets_the_verdict),
        RIGGED(a_double_take_over_with_little_room_ends_with_one_session_up),
        RIGGED(orders_of_a_gateway_that_shares_a_queue_do_not_wait),
        RIGGED(a_request_to_the_publisher_that_gets_no_answer_is_counted),
        RIGGED(what_a_publisher_discards_at_its_own_port_is_counted),
        RIGGED(a_question_longer_than_a_frame_is_not_sent_back),
        RIGGED(storms_lose_no_number_and_change_no_byte),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
