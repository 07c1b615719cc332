// SPDX-License-Identifier: Apache-2.0
// The roles together: recovery to the same bytes, divergence refused, two gateways with two matching cores,
// backpressure, and the market data stream with its requests.
#include "engine/snapshot.h"
#include "tests/eal/cores_clients.h"

static struct rig rig;
static const struct rig_options plain = {.gateways = 1, .matchers = 1};

static void start(const struct rig_options *options)
{
    rig_open(&rig, options);
}

static int down(void **state)
{
    (void)state;
    return rig_close(&rig);
}

// The whole market data stream as sent, checked for order and bytes; what was asked for again is not looked at.
static void check_market_data(unsigned m, uint64_t from)
{
    char name[10];
    uint64_t next = from;
    session_name(RIG_DATE, m, name);
    for (size_t i = 0; i < rig.inbox_count; i++) {
        const struct rig_packet *packet = &rig.inbox[i];
        if (packet->to_ip != RIG_GROUP + m)
            continue;
        assert_int_equal(packet->to_port, 6000 + m);
        assert_memory_equal(packet->bytes, name, 10);
        unsigned count = get_be16(packet->bytes + 18);
        assert_int_equal(get_be64(packet->bytes + 10), next);
        size_t at = MOLD_HEADER;
        for (unsigned n = 0; n < count && count != MOLD_END_OF_SESSION; n++, next++) {
            const struct rig_message *message = &rig.market_data[m].list[next - 1];
            assert_int_equal(get_be16(packet->bytes + at), message->size);
            assert_memory_equal(packet->bytes + at + 2, message->bytes, message->size);
            at += 2u + message->size;
        }
        assert_int_equal(at, packet->size);
    }
    assert_int_equal(next, rig.market_data[m].count + 1);
}

// More orders after what the feed had `told` before: it goes on there, and the core is where the engine of the test is.
static void goes_on(struct rig_client clients[2], size_t told)
{
    rig_forget(&rig);
    rig_flow(&rig, clients, 2, 1000, 50, 12);
    check_market_data(0, told + 1);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->event_hash), engine_event_hash(rig.engine[0]));
}

static void a_day_opens_with_its_first_messages(void **state)
{
    (void)state;
    start(&plain);
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_RUN);
    assert_int_equal(rig_state(&rig, ROLE_MATCHER, 0), CORE_RUN);
    assert_int_equal(rig_state(&rig, ROLE_PUBLISHER, 0), CORE_RUN);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->day_open), RIG_DATE);
    assert_int_equal(rig.history[0][0].type, CMD_CLOCK);
    assert_int_equal(rig.history[0][0].time_ns / 1000000000, 9 * 3600 + 1); // the offset is applied to it already
    check_market_data(0, 1);
    assert_int_equal(rig.expected[0].list[0].bytes[0], 'S');
}

static void ticks_carry_time_and_hash(void **state)
{
    (void)state;
    start(&plain);
    rig_pass_ms(&rig, 5000);
    size_t ticks = 0;
    uint64_t previous = 0;
    for (size_t i = 0; i < rig.history_count[0]; i++) {
        const struct command *command = &rig.history[0][i];
        assert_true(command->time_ns >= previous);
        previous = command->time_ns;
        ticks += command->type == CMD_TICK;
    }
    assert_true(ticks >= 4 && ticks <= 5);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_ticks), ticks);
}

static void the_market_data_stream_is_contiguous_and_right(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client clients[3];
    for (unsigned i = 0; i < 3; i++) {
        clients[i] = rig_client(&rig, i);
        rig_login(&rig, &clients[i], "SECRET");
    }
    rig_flow(&rig, clients, 3, 1, 200, 7);
    rig_pass_ms(&rig, 2500); // heartbeats carry the next number
    assert_true(rig.market_data[0].count > 300);
    check_market_data(0, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig_messages(&rig, &clients[i]), rig.expected[i].count - 1);
}

static void ask(const struct rig_client *client, unsigned m, const char name[10], uint64_t first, uint16_t count)
{
    uint8_t request[MOLD_HEADER];
    mold_header(request, name, first, count);
    rig_send_frame(&rig, client->port, rig_frame(&rig, client, (uint16_t)(6100 + m), request, sizeof request));
    rig_rounds(&rig, 2);
}

static void a_gap_in_market_data_is_filled_on_request(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client client = rig_client(&rig, 0), receiver = {.ip = 0x0A0000C8, .udp_port = 6000};
    char name[10];
    session_name(RIG_DATE, 0, name);
    rig_login(&rig, &client, "SECRET");
    rig_flow(&rig, &client, 1, 1, 100, 3);
    rig_forget(&rig);
    uint64_t next = 1;
    while (next <= rig.market_data[0].count) {
        ask(&receiver, 0, name, next, 60000);
        const struct rig_packet *packet = &rig.inbox[rig.inbox_count - 1];
        assert_int_equal(packet->to_ip, receiver.ip);
        assert_int_equal(get_be64(packet->bytes + 10), next);
        unsigned count = get_be16(packet->bytes + 18);
        size_t at = MOLD_HEADER;
        assert_true(count > 0);
        for (unsigned i = 0; i < count; i++, next++) {
            const struct rig_message *message = &rig.market_data[0].list[next - 1];
            assert_memory_equal(packet->bytes + at + 2, message->bytes, message->size);
            at += 2u + message->size;
        }
    }
    rig_forget(&rig);
    uint64_t answered = rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests);
    ask(&receiver, 0, name, next, 1);      // not there yet
    ask(&receiver, 0, name, 0, 1);         // no such number
    ask(&receiver, 0, name, 1, 0);         // nothing
    ask(&receiver, 0, "OTHERNAME0", 1, 1); // another session
    assert_int_equal(rig.inbox_count, 0);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_requests), answered);
}

static void after_a_restart_windows_and_streams_hold_the_same_bytes(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client clients[2] = {rig_client(&rig, 0), rig_client(&rig, 1)};
    rig_login(&rig, &clients[0], "SECRET");
    rig_login(&rig, &clients[1], "SECRET");
    rig_flow(&rig, clients, 2, 1, 150, 11);
    size_t before = rig.market_data[0].count, commands = rig.history_count[0];
    rig_reboot(&rig, &plain);
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_RUN);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_replayed), commands);
    assert_int_equal(rig.market_data[0].count, before);
    assert_int_equal(rig_packets(&rig, &clients[0], 0), 0); // nothing of history is sent
    rig_forget(&rig);
    for (unsigned i = 0; i < 2; i++) {
        rig_login(&rig, &clients[i], "SECRET");
        assert_int_equal(get_be32(rig_last(&rig, &clients[i], 'A')->bytes + 11), rig.expected[i].count + 1);
        rig_check_window(&rig, &clients[i]);
    }
    goes_on(clients, before);
}

static void a_history_that_gives_other_events_stops_the_core(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    rig_flow(&rig, &client, 1, 1, 20, 5);
    size_t count = rig.history_count[0], spoilt = count - 5;
    rig_down(&rig);
    struct rig old = rig;
    rig_new(&rig, &plain);
    for (size_t i = 0; i < count; i++) {
        struct command command = old.history[0][i];
        if (i == spoilt)
            command.quantity += 1; // not what was journaled: its events differ, and the next hash tells
        rig_command(&rig, 0, &command);
        rig_rounds(&rig, 1);
    }
    atomic_store(&rig_port(&rig, 0)->durable_seq, count);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_state(&rig, ROLE_MATCHER, 0), CORE_FAIL);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->diverged_seq), spoilt + 2);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->diverged_want), old.history[0][spoilt + 1].prev_hash);
    assert_int_not_equal(atomic_load(&rig_port(&rig, 0)->diverged_got), atomic_load(&rig_port(&rig, 0)->diverged_want));
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_BOOT);
    free(old.history[0]);
    free(old.engine_memory[0]);
    free(old.market_data[0].list);
    for (unsigned i = 0; i < RIG_SESSIONS; i++)
        free(old.expected[i].list);
    free(old.inbox);
}

// Streams, the feed's last `messages`, the engine.
static void give_snapshot(size_t messages, uint64_t without)
{
    for (unsigned i = 0; i < rig.config.sessions_count; i++)
        rig_give_stream(&rig, (uint16_t)i, rig.expected[i].count + 1);
    rig_give_stream(&rig, SESSION_NONE, rig.market_data[0].count - messages + 1);
    for (size_t i = rig.market_data[0].count - messages; i < rig.market_data[0].count; i++) {
        struct command record = {.type = CMD_RESTORE_MESSAGES, .session = SESSION_NONE};
        const struct rig_message *message = &rig.market_data[0].list[i];
        put_be16(record.restore_messages.blocks, message->size);
        memcpy(record.restore_messages.blocks + 2, message->bytes, message->size);
        rig_give_command(&rig, &record);
    }
    rig_give_engine(&rig, without);
}

// Everybody goes on where he was: numbers, old messages, the feed.
static void check_goes_on(struct rig_client clients[2], size_t feed)
{
    char name[10];
    assert_int_equal(rig_state(&rig, ROLE_MATCHER, 0), CORE_RUN);
    assert_int_equal(rig_state(&rig, ROLE_GATEWAY, 0), CORE_RUN);
    assert_int_equal(rig_state(&rig, ROLE_PUBLISHER, 0), CORE_RUN);
    session_name(RIG_DATE, 0, name);
    rig_forget(&rig);
    for (unsigned i = 0; i < 2; i++) {
        rig_login(&rig, &clients[i], "SECRET");
        assert_int_equal(get_be32(rig_last(&rig, &clients[i], 'A')->bytes + 11), rig.expected[i].count + 1);
        rig_check_window(&rig, &clients[i]);
    }
    rig_forget(&rig);
    ask(&clients[0], 0, name, feed, 1); // the last message of before
    rig_rounds(&rig, 3);
    const struct rig_message *message = &rig.market_data[0].list[feed - 1];
    bool found = false;
    for (size_t i = 0; i < rig.inbox_count; i++) {
        const struct rig_packet *packet = &rig.inbox[i];
        found |= packet->to_ip != RIG_GROUP && packet->size == MOLD_HEADER + 2u + message->size &&
                 get_be64(packet->bytes + 10) == feed &&
                 memcmp(packet->bytes + MOLD_HEADER + 2, message->bytes, message->size) == 0;
    }
    assert_true(found);
    goes_on(clients, feed);
}

static void a_restored_core_goes_on_and_one_that_was_refused_begins_again(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client clients[2] = {rig_client(&rig, 0), rig_client(&rig, 1)};
    rig_login(&rig, &clients[0], "SECRET");
    rig_login(&rig, &clients[1], "SECRET");
    rig_flow(&rig, clients, 2, 1, 150, 11);
    size_t feed = rig.market_data[0].count;
    uint64_t commands = rig.history_count[0];
    rig_replace(&rig, &plain);
    atomic_store(&rig_port(&rig, 0)->durable_seq, commands);
    give_snapshot(20, 7);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->restore), CORE_REFUSED);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->applied_seq), 0);
    struct command reset = {.type = DIRECTIVE_RESET, .session = SESSION_NONE};
    rig_give_command(&rig, &reset);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->restore), CORE_FRESH);
    give_snapshot(20, UINT64_MAX);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->restore), CORE_RESTORED);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->applied_seq), commands);
    rig_give_restart(&rig);
    check_goes_on(clients, feed);
}

static void a_history_that_is_counted_gives_the_same_numbers(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client clients[2] = {rig_client(&rig, 0), rig_client(&rig, 1)};
    rig_login(&rig, &clients[0], "SECRET");
    rig_login(&rig, &clients[1], "SECRET");
    rig_flow(&rig, clients, 2, 1, 150, 11);
    size_t feed = rig.market_data[0].count, count = rig.history_count[0];
    rig_replace(&rig, &plain);
    atomic_store(&rig_port(&rig, 0)->durable_seq, count);
    struct command counted = {.type = DIRECTIVE_COUNT, .recovered.seq = count - 100};
    rig_give_command(&rig, &counted);
    for (size_t i = 0; i < count; i++)
        rig_give_command(&rig, &rig.history[0][i]);
    rig_give_restart(&rig);
    check_goes_on(clients, feed);
}

static void a_history_with_a_hole_is_refused(void **state)
{
    (void)state;
    rig_new(&rig, &plain);
    struct command recovered = {.type = DIRECTIVE_RECOVERED, .session = SESSION_NONE, .recovered.seq = 5};
    rig_command(&rig, 0, &recovered);
    rig_rounds(&rig, 3);
    assert_int_equal(rig_state(&rig, ROLE_MATCHER, 0), CORE_FAIL);
    assert_int_equal(atomic_load(&rig_port(&rig, 0)->diverged_seq), 1);
}

static void two_by_two(bool one_queue)
{
    struct rig_options options = {.gateways = 2, .matchers = 2, .one_queue = one_queue};
    start(&options);
    struct rig_client clients[8];
    for (unsigned i = 0; i < 8; i++) {
        clients[i] = rig_client(&rig, i);
        rig_login(&rig, &clients[i], "SECRET");
        assert_int_equal(rig_packets(&rig, &clients[i], 'A'), 1);
    }
    rig_flow(&rig, clients, 8, 1, 60, 21);
    for (unsigned m = 0; m < 2; m++) {
        assert_true(rig_count(&rig, ROLE_MATCHER, m, COUNT_MATCHER_messages) == 240);
        assert_true(rig_count(&rig, ROLE_MATCHER, m, COUNT_MATCHER_executions) > 20);
        check_market_data(m, 1);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(rig_messages(&rig, &clients[i]), rig.expected[i].count - 1);
    // A symbol of the other core is unknown here.
    uint8_t datagram[64];
    rig_send(&rig, &clients[0], datagram,
             rig_enter_block(datagram, 0, 5000, 'B', 100, rig.symbols[2].wire_name, 100000));
    rig_rounds(&rig, 3);
    const struct rig_stream *stream = &rig.expected[0];
    assert_int_equal(stream->list[stream->count - 1].bytes[0], 'J');
}

static void two_gateways_and_two_matching_cores_on_two_ports(void **state)
{
    (void)state;
    two_by_two(false);
}

static void two_gateways_and_two_publishers_share_one_queue(void **state)
{
    (void)state;
    two_by_two(true);
    char name[10];
    struct rig_client receiver = {.ip = 0x0A0000C8, .udp_port = 6001};
    session_name(RIG_DATE, 1, name);
    rig_forget(&rig);
    ask(&receiver, 1, name, 1, 1);
    assert_int_equal(rig.inbox_count, 1);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 1, COUNT_PUBLISHER_requests), 1);
}

static void full_rings_push_back_and_nothing_is_lost(void **state)
{
    (void)state;
    const struct rig_options small = {
        .gateways = 1, .matchers = 1, .order_depth = 256, .event_depth = 256, .journal_depth = 256};
    start(&small);
    struct rig_client clients[2] = {rig_client(&rig, 0), rig_client(&rig, 1)};
    rig_login(&rig, &clients[0], "SECRET");
    rig_login(&rig, &clients[1], "SECRET");
    rig.hold_durable = true; // events stay in their rings until these are full
    rig_flow(&rig, clients, 2, 1, 100, 31);
    assert_true(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_backpressure) > 0);
    assert_true(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages) < 200);
    rig.hold_durable = false;
    rig_rounds(&rig, 60);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages), 200);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rig_messages(&rig, &clients[i]), rig.expected[i].count - 1);
    check_market_data(0, 1);
    // The same with a journal that stands still.
    rig.journal_stuck = true;
    rig_forget(&rig);
    size_t market = rig.market_data[0].count;
    for (uint32_t i = 0; i < 400; i++) {
        rig_enter(&rig, &clients[0], 1000 + i, 'B', 100, 90000);
        if (i % 16 == 15)
            rig_rounds(&rig, 2);
    }
    uint64_t taken = rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages);
    assert_true(taken > 200 + 150 && taken <= 200 + 256); // what is not journaled is not released, and fills the rings
    rig.journal_stuck = false;
    rig_rounds(&rig, 60);
    assert_int_equal(
        rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_messages) - 200 + rig_discards(&rig, 0, DISCARD_RING_FULL), 400);
    check_market_data(0, market + 1);
}

static void a_sweep_longer_than_a_step_is_finished_before_the_next_input(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client maker = rig_client(&rig, 0), taker = rig_client(&rig, 1);
    uint8_t datagram[64];
    rig_login(&rig, &maker, "SECRET");
    rig_login(&rig, &taker, "SECRET");
    for (uint32_t i = 1; i <= 500; i++) {
        rig_enter(&rig, &maker, i, 'S', 100, 100000);
        if (i % 16 == 0)
            rig_round(&rig);
    }
    rig_rounds(&rig, 3);
    rig_send(&rig, &taker, datagram, rig_enter_block(datagram, 0, 1, 'B', 50000, rig.symbols[0].wire_name, 100000));
    rig_enter(&rig, &taker, 2, 'B', 100, 90000);
    rig_rounds(&rig, 12);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_executions), 500);
    assert_int_equal(rig_messages(&rig, &maker), 1000);
    assert_int_equal(rig_messages(&rig, &taker), 502);
    check_market_data(0, 1);
}

#define AFTER(test) cmocka_unit_test_setup_teardown(test, NULL, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AFTER(a_day_opens_with_its_first_messages),
        AFTER(ticks_carry_time_and_hash),
        AFTER(the_market_data_stream_is_contiguous_and_right),
        AFTER(a_gap_in_market_data_is_filled_on_request),
        AFTER(after_a_restart_windows_and_streams_hold_the_same_bytes),
        AFTER(a_history_that_gives_other_events_stops_the_core),
        AFTER(a_restored_core_goes_on_and_one_that_was_refused_begins_again),
        AFTER(a_history_that_is_counted_gives_the_same_numbers),
        AFTER(a_history_with_a_hole_is_refused),
        AFTER(two_gateways_and_two_matching_cores_on_two_ports),
        AFTER(two_gateways_and_two_publishers_share_one_queue),
        AFTER(full_rings_push_back_and_nothing_is_lost),
        AFTER(a_sweep_longer_than_a_step_is_finished_before_the_next_input),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
