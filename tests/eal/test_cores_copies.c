// SPDX-License-Identifier: Apache-2.0
// Drop copies: what their sessions are told and nothing else, in an order that no restart changes, and read-only.
#include "client/drop_copy.h"
#include "client/ouch.h"
#include "tests/eal/cores_clients.h"

enum { CLIENTS = 8, DROP_FIRM = RIG_SESSIONS, DROP_ACCOUNT = RIG_SESSIONS + 1 };

static struct rig rig;
static const struct rig_options two_by_two = {.gateways = 2, .matchers = 2, .copies = true};
static const struct rig_options one = {.gateways = 1, .matchers = 1, .copies = true};
static struct rig_client clients[CLIENTS], drops[RIG_COPIES];

// The day is open and everybody is logged in.
static void start(const struct rig_options *options)
{
    rig_open(&rig, options);
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = rig_client(&rig, i);
    for (unsigned i = 0; i < RIG_COPIES; i++)
        drops[i] = rig_client(&rig, RIG_SESSIONS + i);
}

static void log_in(void)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        rig_login(&rig, &clients[i], "SECRET");
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        rig_login(&rig, &drops[i], "SECRET");
        assert_non_null(rig_last(&rig, &drops[i], 'A'));
        assert_int_equal(get_be32(rig_last(&rig, &drops[i], 'A')->bytes + 11),
                         rig.expected[drops[i].session].count + 1);
    }
}

static int down(void **state)
{
    (void)state;
    return rig_close(&rig);
}

// Reads the stream with the client library: every message is the very one that its session was told, none is missing.
static void check_copied(unsigned stream)
{
    uint32_t next[RIG_SESSIONS] = {0};
    const unsigned account = stream - RIG_SESSIONS;
    for (size_t i = 0; i < rig.expected[stream].count; i++) {
        const struct rig_message *got = &rig.expected[stream].list[i];
        struct xw_drop_copy copy;
        struct xw_ouch ouch;
        assert_true(xw_drop_copy_decode(got->bytes, got->size, &copy));
        unsigned session = 0;
        while (session < RIG_SESSIONS && strncmp(rig.sessions[session].wire_user, copy.user, strlen(copy.user)) != 0)
            session++;
        assert_true(session < RIG_SESSIONS);
        assert_int_equal(rig.sessions[session].account_index, account);
        assert_string_equal(copy.account, rig.accounts[account].name);
        assert_int_equal(copy.sequence, ++next[session]);
        const struct rig_message *told = &rig.expected[session].list[copy.sequence - 1];
        assert_int_equal(copy.size, told->size);
        assert_memory_equal(copy.message, told->bytes, told->size);
        assert_true(xw_ouch_decode(copy.message, copy.size, &ouch));
        if (ouch.type == 'E')
            assert_true(ouch.match && ouch.price && ouch.quantity && strchr("ARJ", ouch.liquidity));
    }
    for (unsigned session = 0; session < RIG_SESSIONS; session++) {
        const struct config_session *of = &rig.sessions[session];
        if (of->matcher == 0 && of->account_index == account)
            assert_int_equal(next[session], rig.expected[session].count);
        else
            assert_int_equal(next[session], 0);
    }
}

// Both are at the second gateway; the firm's sessions are at the first. Other matching cores' sessions are not theirs.
static void a_drop_copy_is_told_what_its_sessions_are_and_nothing_else(void **state)
{
    (void)state;
    start(&two_by_two);
    log_in();
    size_t before[RIG_COPIES];
    for (unsigned i = 0; i < RIG_COPIES; i++)
        before[i] = rig.expected[drops[i].session].count;
    rig_forget(&rig);
    rig_flow(&rig, clients, CLIENTS, 1, 60, 21);
    assert_true(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_executions) > 20);
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        assert_int_equal(rig_messages(&rig, &drops[i]), rig.expected[drops[i].session].count - before[i]);
        assert_true(rig.expected[drops[i].session].count > before[i] + 100);
    }
    for (unsigned i = 0; i < RIG_COPIES; i++) { // asking forgets what came by itself
        rig_check_window(&rig, &drops[i]);
        check_copied(drops[i].session);
    }
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 1, COUNT_GATEWAY_copies_lost), 0);
}

static void its_orders_are_discarded_and_counted(void **state)
{
    (void)state;
    start(&one);
    log_in();
    size_t commands = rig.history_count[0];
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        rig_enter(&rig, &drops[i], 1, 'B', 100, 100000);
        uint8_t datagram[32] = {0, 10, 'U', 'X', 0, 0, 0, 1}; // cancel
        rig_send(&rig, &drops[i], datagram, 12);
    }
    rig_rounds(&rig, 4);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_READ_ONLY), 2 * RIG_COPIES);
    assert_int_equal(rig.history_count[0], commands);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_OPEN), 0);
    // Not even in the same datagram as the login.
    uint8_t datagram[256];
    size_t size = rig_login_block(datagram, 0, rig.copies[0].wire_user, "SECRET", "");
    size = rig_enter_block(datagram, size, 2, 'B', 100, rig.symbols[0].wire_name, 100000);
    rig_send(&rig, &drops[0], datagram, size);
    rig_rounds(&rig, 4);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_READ_ONLY), 2 * RIG_COPIES + 1);
    assert_int_equal(rig.history_count[0], commands);
}

static void it_logs_in_as_a_session_does_and_nothing_of_it_is_sequenced(void **state)
{
    (void)state;
    start(&one);
    size_t commands = rig.history_count[0];
    rig_login(&rig, &drops[0], "WRONG");
    assert_non_null(rig_last(&rig, &drops[0], 'J'));
    assert_null(rig_last(&rig, &drops[0], 'A'));
    rig_login(&rig, &drops[0], "SECRET");
    assert_non_null(rig_last(&rig, &drops[0], 'A'));
    struct rig_client elsewhere = drops[0];
    elsewhere.ip++; // takes it over
    rig_login(&rig, &elsewhere, "SECRET");
    assert_non_null(rig_last(&rig, &elsewhere, 'A'));
    rig_forget(&rig);
    rig_send(&rig, &drops[0], (const uint8_t[]){0, 1, 'R'}, 3);
    rig_pass_ms(&rig, 1100);
    assert_int_equal(rig_discards(&rig, 0, DISCARD_NOT_LOGGED_IN), 1);
    assert_int_equal(rig_packets(&rig, &drops[0], 0), 0);
    const struct rig_packet *heartbeat = rig_last(&rig, &elsewhere, 'S');
    assert_non_null(heartbeat);
    assert_int_equal(get_be32(heartbeat->bytes + 1), rig.expected[DROP_FIRM].count + 1);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 1);
    rig_pass_ms(&rig, 10500); // silence
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sessions_up), 0);
    for (size_t i = commands; i < rig.history_count[0]; i++)
        assert_int_equal(rig.history[0][i].type, CMD_TICK);
}

static void nothing_is_copied_before_it_is_durable(void **state)
{
    (void)state;
    start(&one);
    log_in();
    rig_forget(&rig);
    rig.hold_durable = true;
    size_t before = rig.expected[DROP_FIRM].count;
    rig_enter(&rig, &clients[0], 1, 'B', 100, 100000);
    rig_rounds(&rig, 4);
    assert_true(rig.expected[DROP_FIRM].count > before);
    assert_int_equal(rig_packets(&rig, &drops[0], 'S'), 0);
    rig_pass_ms(&rig, 1100);
    assert_int_equal(get_be32(rig_last(&rig, &drops[0], 'S')->bytes + 1), before + 1);
    rig.hold_durable = false;
    rig_rounds(&rig, 3);
    assert_int_equal(rig_messages(&rig, &drops[0]), rig.expected[DROP_FIRM].count - before);
}

// After whatever start: the same bytes since 1, and the next numbers go on.
static void goes_on(const size_t before[RIG_COPIES], uint32_t first)
{
    rig_forget(&rig);
    log_in();
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        assert_true(rig.expected[drops[i].session].count >= before[i]);
        rig_check_window(&rig, &drops[i]);
    }
    rig_flow(&rig, clients, CLIENTS, first, 20, 5);
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        assert_true(rig.expected[drops[i].session].count > before[i] + 20);
        rig_check_window(&rig, &drops[i]);
        check_copied(drops[i].session);
    }
}

static void note_counts(size_t before[RIG_COPIES])
{
    for (unsigned i = 0; i < RIG_COPIES; i++)
        before[i] = rig.expected[drops[i].session].count;
}

static void after_a_restart_its_stream_is_the_same(void **state)
{
    (void)state;
    size_t before[RIG_COPIES];
    start(&two_by_two);
    log_in();
    rig_flow(&rig, clients, CLIENTS, 1, 40, 3);
    note_counts(before);
    rig_reboot(&rig, &two_by_two);
    goes_on(before, 1000);
    note_counts(before);
    rig_reboot(&rig, &two_by_two);
    goes_on(before, 2000);
}

static void after_a_snapshot_its_numbers_go_on(void **state)
{
    (void)state;
    size_t before[RIG_COPIES];
    start(&one);
    log_in();
    rig_flow(&rig, clients, CLIENTS, 1, 40, 3);
    note_counts(before);
    rig_replace(&rig, &one);
    atomic_store(&rig_port(&rig, 0)->durable_seq, rig.history_count[0]);
    for (unsigned i = 0; i < RIG_SESSIONS + RIG_COPIES; i++)
        rig_give_stream(&rig, (uint16_t)i, rig.expected[i].count + 1);
    rig_give_stream(&rig, SESSION_NONE, rig.market_data[0].count + 1);
    rig_give_engine(&rig, UINT64_MAX);
    rig_give_restart(&rig);
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_RUN);
    goes_on(before, 1000);
}

static void a_half_snapshot_that_was_given_up_leaves_nothing(void **state)
{
    (void)state;
    size_t before[RIG_COPIES];
    start(&one);
    log_in();
    rig_flow(&rig, clients, CLIENTS, 1, 20, 3);
    note_counts(before);
    rig_replace(&rig, &one);
    for (unsigned i = 0; i < RIG_SESSIONS + RIG_COPIES; i++)
        rig_give_stream(&rig, (uint16_t)i, 5000 + i);
    struct command reset = {.type = DIRECTIVE_RESET, .session = SESSION_NONE};
    rig_give_command(&rig, &reset);
    rig_rounds(&rig, 4);
    rig_boot(&rig);
    goes_on(before, 1000);
}

static void a_history_that_is_counted_gives_the_same_numbers(void **state)
{
    (void)state;
    size_t before[RIG_COPIES];
    start(&one);
    log_in();
    rig_flow(&rig, clients, CLIENTS, 1, 40, 3);
    note_counts(before);
    const size_t count = rig.history_count[0];
    rig_replace(&rig, &one);
    atomic_store(&rig_port(&rig, 0)->durable_seq, count);
    struct command counted = {.type = DIRECTIVE_COUNT, .recovered.seq = count - 50};
    rig_give_command(&rig, &counted);
    for (size_t i = 0; i < count; i++)
        rig_give_command(&rig, &rig.history[0][i]);
    rig_give_restart(&rig);
    goes_on(before, 1000);
}

static void the_end_of_the_day_ends_it(void **state)
{
    (void)state;
    start(&one);
    log_in();
    struct command end = {.type = CMD_END_DAY, .session = SESSION_NONE};
    rig_command(&rig, 0, &end);
    rig_pass_ms(&rig, 100);
    const struct rig_packet *packet = rig_last(&rig, &drops[0], 'E');
    assert_non_null(packet);
    assert_int_equal(get_be32(packet->bytes + 1), rig.expected[DROP_FIRM].count);
    rig_check_window(&rig, &drops[0]);
}

#define AFTER(test) cmocka_unit_test_setup_teardown(test, NULL, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AFTER(a_drop_copy_is_told_what_its_sessions_are_and_nothing_else),
        AFTER(its_orders_are_discarded_and_counted),
        AFTER(it_logs_in_as_a_session_does_and_nothing_of_it_is_sequenced),
        AFTER(nothing_is_copied_before_it_is_durable),
        AFTER(after_a_restart_its_stream_is_the_same),
        AFTER(after_a_snapshot_its_numbers_go_on),
        AFTER(a_half_snapshot_that_was_given_up_leaves_nothing),
        AFTER(a_history_that_is_counted_gives_the_same_numbers),
        AFTER(the_end_of_the_day_ends_it),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
