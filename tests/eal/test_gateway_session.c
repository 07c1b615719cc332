// SPDX-License-Identifier: Apache-2.0
// Sessions on the whole data plane: login, take-over, time-out, the durability gate, retransmission, the stop.
#include "cores/gateway.h"
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

static void a_right_login_is_accepted_with_the_session_and_the_next_sequence(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    char name[10];
    rig_login(&rig, &client, "secret");
    const struct rig_packet *answer = rig_last(&rig, &client, 'A');
    assert_non_null(answer);
    session_name(RIG_DATE, 0, name);
    assert_int_equal(answer->size, UFO_LOGIN_ACCEPT_SIZE);
    assert_memory_equal(answer->bytes + 1, name, 10);
    assert_int_equal(get_be32(answer->bytes + 11), 2); // 1 is the day's S
    assert_int_equal(rig.expected[0].count, 1);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
}

static void a_wrong_password_and_an_unknown_user_are_rejected(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    uint8_t datagram[64];
    rig_login(&rig, &client, "guess");
    assert_non_null(rig_last(&rig, &client, 'J'));
    assert_int_equal(rig_last(&rig, &client, 'J')->bytes[1], 'A');
    rig_forget(&rig);
    rig_send(&rig, &client, datagram, rig_login_block(datagram, 0, "NOBODY", "secret", ""));
    rig_rounds(&rig, 3);
    assert_int_equal(rig_last(&rig, &client, 'J')->bytes[1], 'A');
    assert_int_equal(rig.logins_asked, 1); // nobody's password is not asked about
    assert_null(rig_last(&rig, &client, 'A'));
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_logins_rejected), 2);
}

static void a_flood_of_unknown_users_is_answered_64_times_a_second(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), known = rig_client(&rig, 0);
    uint8_t datagram[64];
    known.udp_port++;
    for (unsigned second = 1; second <= 2; second++) {
        for (unsigned i = 0; i < 100; i++) {
            rig_send(&rig, &client, datagram, rig_login_block(datagram, 0, "NOBODY", "secret", ""));
            rig_rounds(&rig, 1);
        }
        assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_logins_rejected), 64 * second);
        assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_discard_first + DISCARD_LOGIN_RATE),
                         36 * second);
        if (second == 1)
            rig.now += RIG_HZ;
    }
    rig_login(&rig, &known, "SECRET");
    assert_non_null(rig_last(&rig, &known, 'A'));
    // Control is told of all of them, once a second.
    rig_pass_ms(&rig, 1100);
    assert_int_equal(rig.refused[LOGIN_WHY_USER], 200);
    assert_in_range(rig.reports, 2, 4);
    assert_int_equal(rig.refused_last.session, SESSION_NONE);
    assert_memory_equal(rig.refused_last.user, "NOBODY", 6);
    assert_int_equal(rig.refused_last.source_port, client.udp_port);
}

static void control_that_is_away_is_told_of_refused_logins_later_and_has_room_for_others(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), known = rig_client(&rig, 0);
    uint8_t datagram[64];
    known.udp_port++;
    rig.control_away = true;
    for (unsigned i = 0; i < 300; i++) { // more seconds than the ring has cells
        rig_send(&rig, &client, datagram, rig_login_block(datagram, 0, "NOBODY", "secret", ""));
        rig_pass_ms(&rig, 1010);
    }
    rig_login(&rig, &known, "SECRET");
    rig.control_away = false;
    rig_pass_ms(&rig, 1100);
    assert_non_null(rig_last(&rig, &known, 'A'));
    assert_int_equal(rig.refused[LOGIN_WHY_USER], 300);
}

static void another_session_name_is_rejected_with_S(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    uint8_t datagram[64];
    char name[11] = "";
    rig_send(&rig, &client, datagram, rig_login_block(datagram, 0, "USER0 ", "SECRET", "990101XW00"));
    rig_rounds(&rig, 3);
    assert_int_equal(rig_last(&rig, &client, 'J')->bytes[1], 'S');
    rig_pass_ms(&rig, 1100);
    assert_int_equal(rig.refused[LOGIN_WHY_SESSION], 1);
    assert_int_equal(rig.refused_last.session, 0);
    session_name(RIG_DATE, 0, name);
    rig_send(&rig, &client, datagram, rig_login_block(datagram, 0, "USER0 ", "SECRET", name));
    rig_rounds(&rig, 3);
    assert_non_null(rig_last(&rig, &client, 'A'));
}

static void a_repeated_login_is_answered_again_without_control(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    rig.control_away = true;
    rig_login(&rig, &client, "SECRET");
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(rig_packets(&rig, &client, 'A'), 3);
    assert_int_equal(rig.logins_asked, 1);
    size_t ups = 0;
    for (size_t i = 0; i < rig.history_count[0]; i++)
        ups += rig.history[0][i].type == CMD_SESSION_UP;
    assert_int_equal(ups, 1);
}

static void a_login_that_control_has_not_seen_waits_while_control_is_away(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    rig.control_away = true;
    for (unsigned i = 0; i < 5; i++)
        rig_login(&rig, &client, "SECRET");
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    struct ring *requests = region_find(&rig.region, OBJECT_REQUESTS, 0, 0);
    assert_int_equal(ring_ready(requests, 0, 8), 1); // one outstanding
    rig.control_away = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &client, 'A'), 1);
}

static void a_limited_login_is_counted_as_such(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    rig.verdict = LOGIN_LIMITED;
    rig_login(&rig, &client, "guess");
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_LOGIN_RATE), 1);
    rig_check_identity(&rig);
}

static void a_login_from_a_new_address_takes_the_session_over(void **state)
{
    (void)state;
    struct rig_client old = rig_client(&rig, 0), new = old;
    new.udp_port = 5001;
    rig_login(&rig, &old, "SECRET");
    rig_login(&rig, &new, "SECRET");
    assert_non_null(rig_last(&rig, &new, 'A'));
    rig_forget(&rig);
    rig_enter(&rig, &old, 1, 'B', 100, 100000);
    rig_enter(&rig, &new, 2, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_LOGGED_IN), 1);
    assert_int_equal(rig_packets(&rig, &old, 0), 0);
    assert_int_equal(rig_messages(&rig, &new), 1);
    size_t count = rig.history_count[0], links = 0;
    uint8_t types[8] = {0};
    for (size_t i = 0; i < count; i++) {
        if (rig.history[0][i].type == CMD_SESSION_UP || rig.history[0][i].type == CMD_SESSION_DOWN)
            types[links++ & 7] = rig.history[0][i].type;
    }
    assert_int_equal(links, 3);
    assert_int_equal(types[1], CMD_SESSION_DOWN);
    assert_int_equal(types[2], CMD_SESSION_UP);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
}

static void a_source_that_logs_into_another_session_leaves_the_first(void **state)
{
    (void)state;
    struct rig_client first = rig_client(&rig, 0), second = first;
    rig_login(&rig, &first, "SECRET");
    second.session = 1;
    rig_login(&rig, &second, "SECRET");
    assert_int_equal(rig_packets(&rig, &second, 'A'), 2);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
    assert_false(engine_session_up(rig.engine[0], 0));
    assert_true(engine_session_up(rig.engine[0], 1));
}

static void logoff_ends_the_session_and_cancels_where_it_is_so_configured(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 2);
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(engine_live_orders(rig.engine[0]), 1);
    rig_send(&rig, &client, datagram, rig_block(datagram, 0, "O", 1));
    rig_rounds(&rig, 3);
    assert_int_equal(engine_live_orders(rig.engine[0]), 0);
    rig_forget(&rig);
    rig_enter(&rig, &client, 2, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_LOGGED_IN), 1);
}

static void a_silent_client_gets_heartbeats_until_it_is_timed_out(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 2);
    rig_login(&rig, &client, "SECRET");
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    rig_forget(&rig);
    rig_pass_ms(&rig, 9900);
    unsigned beats = rig_packets(&rig, &client, 'S');
    assert_true(beats >= 8 && beats <= 10);
    assert_int_equal(get_be16(rig_last(&rig, &client, 'S')->bytes + 5), 0);
    assert_int_equal(get_be32(rig_last(&rig, &client, 'S')->bytes + 1), 3);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
    rig_pass_ms(&rig, 300);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 0);
    assert_int_equal(engine_live_orders(rig.engine[0]), 0);
    rig_forget(&rig);
    rig_pass_ms(&rig, 3000);
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
}

static void a_client_that_sends_heartbeats_stays(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    for (unsigned i = 0; i < 15; i++) {
        rig_send(&rig, &client, datagram, rig_block(datagram, 0, "R", 1));
        rig_pass_ms(&rig, 1000);
    }
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
}

static void nothing_leaves_before_it_is_durable(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), other = rig_client(&rig, 1);
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    rig_login(&rig, &other, "SECRET");
    size_t market = rig.market_data[0].count;
    rig_forget(&rig);
    rig.hold_durable = true;
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_enter(&rig, &other, 1, 'S', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(rig.expected[0].count, 3); // A and E are made and journaled
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    // Every number that is told meanwhile is the released one: heartbeat, login answer, retransmission.
    rig_pass_ms(&rig, 1100);
    assert_int_equal(get_be32(rig_last(&rig, &client, 'S')->bytes + 1), 2);
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(get_be32(rig_last(&rig, &client, 'A')->bytes + 11), 2);
    rig_forget(&rig);
    rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, 2, 10));
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_retransmit_unanswered), 1);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_messages), market);
    rig.hold_durable = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig_messages(&rig, &client), 2);
    assert_int_equal(rig_messages(&rig, &other), 2);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_messages), rig.market_data[0].count);
}

// Rounds of crossing orders, so that there is a stream to ask about.
static void trade(struct rig_client *buyer, struct rig_client *seller, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rig_enter(&rig, buyer, first + i, 'B', 100, 100000);
        rig_enter(&rig, seller, first + i, 'S', 100, 100000);
        if (i % 16 == 15)
            rig_round(&rig);
    }
    rig_rounds(&rig, 4);
}

static void what_was_missed_comes_from_the_window(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), other = rig_client(&rig, 1);
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    rig_login(&rig, &other, "SECRET");
    trade(&client, &other, 1, 100);
    assert_int_equal(rig_messages(&rig, &client), 200);
    uint32_t next = 1;
    while (next <= rig.expected[0].count) {
        rig_forget(&rig);
        rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, next, 65535));
        rig_rounds(&rig, 2);
        const struct rig_packet *packet = rig_last(&rig, &client, 'S');
        assert_non_null(packet);
        assert_int_equal(get_be32(packet->bytes + 1), next);
        assert_true(packet->size <= UFO_DATAGRAM_MAX);
        unsigned count = rig_check_packet(&rig, 0, packet);
        assert_true(count > 1 || next + count > rig.expected[0].count);
        next += count;
    }
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_retransmitted), rig.expected[0].count);
}

static void questions_without_an_answer_stay_silent(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    uint8_t datagram[64];
    static const struct {
        uint32_t first;
        uint16_t count;
    } asked[] = {{1, 0}, {0, 1}, {2, 1}, {2, 65535}, {UINT32_MAX, 65535}};
    rig_login(&rig, &client, "SECRET");
    rig_forget(&rig);
    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
        rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, asked[i].first, asked[i].count));
        rig_rounds(&rig, 2);
        assert_int_equal(rig_packets(&rig, &client, 0), 0);
        assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_retransmit_unanswered), i + 1);
    }
}

static void what_is_older_than_the_window_comes_from_control(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), other = rig_client(&rig, 1);
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    rig_login(&rig, &other, "SECRET");
    trade(&client, &other, 1, 700); // 1,400 messages in a window of 1,024
    assert_int_equal(rig_messages(&rig, &client), 1400);
    uint32_t next = 1;
    while (next <= rig.expected[0].count) {
        rig_forget(&rig);
        rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, next, 65535));
        rig_rounds(&rig, 3);
        const struct rig_packet *packet = rig_last(&rig, &client, 'S');
        assert_non_null(packet);
        assert_int_equal(get_be32(packet->bytes + 1), next);
        next += rig_check_packet(&rig, 0, packet);
    }
    assert_int_equal(next, 1402);
    assert_true(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_retransmit_old) > 5);
    // With control away the request stays unanswered, and is answered when it is back.
    rig.control_away = true;
    rig_forget(&rig);
    for (unsigned i = 0; i < 3; i++) {
        rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, 1, 5));
        rig_rounds(&rig, 2);
    }
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    rig.control_away = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig_packets(&rig, &client, 'S'), 1);
    assert_int_equal(rig_messages(&rig, &client), 5);
}

static void before_the_day_is_open_a_login_is_discarded(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    rig_free(&rig);
    rig_new(&rig, &plain);
    rig_rounds(&rig, 3);
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(rig_packets(&rig, &client, 0), 0);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 1);
    rig_boot(&rig);
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(rig_packets(&rig, &client, 'A'), 1);
}

static void a_session_is_down_for_the_day_long_before_its_numbers_are_used_up(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0);
    struct session *session = ((struct gateway *)rig.gateway[0])->by_index[0];
    rig_login(&rig, &client, "SECRET");
    session->window.first = session->window.next = SESSION_MESSAGES_MOST;
    rig_rounds(&rig, 3);
    assert_true(session->up);
    session->window.first = ++session->window.next;
    rig.now += RIG_HZ;
    rig_rounds(&rig, 3);
    assert_false(session->up);
    assert_true(session->connected);
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 1);
    // A login is answered with the number that the next message would have; it takes no orders.
    rig_forget(&rig);
    rig_login(&rig, &client, "SECRET");
    assert_int_equal(get_be32(rig_last(&rig, &client, 'A')->bytes + 11), SESSION_MESSAGES_MOST + 1);
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 2);
}

static void the_days_end_is_said_and_repeated_and_refuses_orders(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 0), late = rig_client(&rig, 1);
    struct command end = {.type = CMD_END_DAY, .session = SESSION_NONE};
    uint8_t datagram[64];
    rig_login(&rig, &client, "SECRET");
    rig_enter(&rig, &client, 1, 'B', 100, 100000);
    rig_rounds(&rig, 3);
    rig_command(&rig, 0, &end);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_messages(&rig, &client), 3); // A, C, S 'E'
    const struct rig_packet *said = rig_last(&rig, &client, 'E');
    assert_non_null(said);
    assert_int_equal(get_be32(said->bytes + 1), 4);
    rig_forget(&rig);
    rig_enter(&rig, &client, 2, 'B', 100, 100000);
    rig_send(&rig, &client, datagram, rig_retransmit_block(datagram, 0, 1, 10));
    rig_pass_ms(&rig, 3400);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 1);
    assert_int_equal(rig_messages(&rig, &client), 4);
    assert_int_equal(rig_packets(&rig, &client, 'E'), 3);
    assert_int_equal(rig_packets(&rig, &client, 'S'), 1); // no heartbeats beside it
    rig_login(&rig, &late, "SECRET");
    assert_int_equal(rig_last(&rig, &late, 'J')->bytes[1], 'S');
}

static void a_stop_drains_cancels_says_the_end_three_times_and_halts(void **state)
{
    (void)state;
    struct rig_client client = rig_client(&rig, 2), late = rig_client(&rig, 1);
    rig_login(&rig, &client, "SECRET");
    for (uint32_t i = 1; i <= 20; i++)
        rig_enter(&rig, &client, i, 'B', 100, 100000);
    rig_round(&rig);
    rig.hold_durable = true;
    rig_forget(&rig);
    atomic_store(&rig.region.header->stop, 1);
    rig_pass_ms(&rig, 200);
    rig_enter(&rig, &client, 21, 'B', 100, 100000);
    rig_login(&rig, &late, "SECRET");
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 2);
    assert_int_equal(rig_state(&rig, ROLE_MATCHER, 0), CORE_HALT);
    assert_false(gateway_role.drained(rig.gateway[0])); // what is not durable is waited for
    assert_int_equal(rig_packets(&rig, &client, 'E'), 0);
    rig.hold_durable = false;
    rig_pass_ms(&rig, 500);
    assert_int_equal(engine_live_orders(rig.engine[0]), 0); // it cancels on disconnect
    assert_int_equal(rig_packets(&rig, &client, 'E'), 3);
    assert_int_equal(get_be32(rig_last(&rig, &client, 'E')->bytes + 1), rig.expected[2].count);
    assert_true(gateway_role.drained(rig.gateway[0]));
    assert_true(matcher_role.drained(rig.matcher[0]));
    assert_true(publisher_role.drained(rig.publisher[0]));
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_HALT);
    unsigned ends = 0;
    for (size_t i = 0; i < rig.inbox_count; i++)
        ends += rig.inbox[i].to_port == 6000 && get_be16(rig.inbox[i].bytes + 18) == MOLD_END_OF_SESSION;
    assert_int_equal(ends, 3);
}

static void a_stop_before_recovery_halts_at_once(void **state)
{
    (void)state;
    rig_free(&rig);
    rig_new(&rig, &plain);
    rig_round(&rig);
    atomic_store(&rig.region.header->stop, 1);
    rig_rounds(&rig, 3);
    assert_true(gateway_role.drained(rig.gateway[0]));
    assert_true(matcher_role.drained(rig.matcher[0]));
    assert_true(publisher_role.drained(rig.publisher[0]));
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(a_right_login_is_accepted_with_the_session_and_the_next_sequence),
        RIGGED(a_wrong_password_and_an_unknown_user_are_rejected),
        RIGGED(control_that_is_away_is_told_of_refused_logins_later_and_has_room_for_others),
        RIGGED(a_flood_of_unknown_users_is_answered_64_times_a_second),
        RIGGED(another_session_name_is_rejected_with_S),
        RIGGED(a_repeated_login_is_answered_again_without_control),
        RIGGED(a_login_that_control_has_not_seen_waits_while_control_is_away),
        RIGGED(a_limited_login_is_counted_as_such),
        RIGGED(a_login_from_a_new_address_takes_the_session_over),
        RIGGED(a_source_that_logs_into_another_session_leaves_the_first),
        RIGGED(logoff_ends_the_session_and_cancels_where_it_is_so_configured),
        RIGGED(a_silent_client_gets_heartbeats_until_it_is_timed_out),
        RIGGED(a_client_that_sends_heartbeats_stays),
        RIGGED(nothing_leaves_before_it_is_durable),
        RIGGED(what_was_missed_comes_from_the_window),
        RIGGED(questions_without_an_answer_stay_silent),
        RIGGED(what_is_older_than_the_window_comes_from_control),
        RIGGED(before_the_day_is_open_a_login_is_discarded),
        RIGGED(a_session_is_down_for_the_day_long_before_its_numbers_are_used_up),
        RIGGED(the_days_end_is_said_and_repeated_and_refuses_orders),
        RIGGED(a_stop_drains_cancels_says_the_end_three_times_and_halts),
        RIGGED(a_stop_before_recovery_halts_at_once),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
