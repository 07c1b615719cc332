// SPDX-License-Identifier: Apache-2.0
// The kill switch through the roles: ahead of whatever is queued, and told to control alone.
#include "tests/eal/cores_rig.h"

#include "tests/eal/cores_clients.h"

static struct rig rig;

static const struct rig_options plain = {.gateways = 1, .matchers = 1};

static int down(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static void start(const struct rig_options *options)
{
    rig_new(&rig, options);
    rig_boot(&rig);
}

static void give_kill(uint8_t type, uint64_t id)
{
    struct command kill = {.type = type, .session = SESSION_NONE};
    kill.kill.scope = SCOPE_VENUE;
    kill.kill.actions = KILL_BLOCK | KILL_CANCEL;
    kill.kill.id = id;
    rig_command(&rig, 0, &kill);
}

static uint64_t matcher_count(unsigned counter)
{
    return rig_count(&rig, ROLE_MATCHER, 0, counter);
}

static void a_kill_goes_ahead_of_orders_that_are_queued(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    for (uint32_t i = 1; i <= 10; i++)
        rig_enter(&rig, &client, i, 'B', 100, 90000);
    rig_rounds(&rig, 3);
    assert_int_equal(matcher_count(COUNT_MATCHER_live_orders), 10);
    uint64_t accepted = matcher_count(COUNT_MATCHER_accepted);
    // More than several batches take, all of them in the gateway's ring before the kill is given.
    rig.still = true;
    for (uint32_t i = 11; i <= 210; i++) {
        rig_enter(&rig, &client, i, 'B', 100, 90000);
        if (i % 16 == 0)
            rig_round(&rig);
    }
    rig_rounds(&rig, 3);
    rig.still = false;
    give_kill(CMD_KILL, 1);
    rig_rounds(&rig, 10);
    assert_int_equal(matcher_count(COUNT_MATCHER_live_orders), 0);
    assert_int_equal(matcher_count(COUNT_MATCHER_accepted), accepted);
    assert_int_equal(matcher_count(COUNT_MATCHER_rejected), 200);
    give_kill(CMD_RESET, 2);
    rig_enter(&rig, &client, 1000, 'B', 100, 90000);
    rig_rounds(&rig, 3);
    assert_int_equal(matcher_count(COUNT_MATCHER_accepted), accepted + 1);
}

// In the middle of a backlog: what the core has taken before it sees the kill stands, and not one order more.
static void a_kill_stops_a_backlog_before_the_next_batch(void **state)
{
    (void)state;
    start(&plain);
    struct rig_client client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    const uint64_t before = matcher_count(COUNT_MATCHER_accepted);
    rig.still = true;
    for (uint32_t i = 1; i <= 200; i++) {
        rig_enter(&rig, &client, i, 'B', 100, 90000);
        if (i % 16 == 0)
            rig_round(&rig);
    }
    rig_rounds(&rig, 3);
    rig.still = false;
    rig_round(&rig); // a batch
    const uint64_t taken = matcher_count(COUNT_MATCHER_messages) - before;
    assert_in_range(taken, 1, 199);
    give_kill(CMD_KILL, 1);
    rig_rounds(&rig, 10);
    assert_int_equal(matcher_count(COUNT_MATCHER_accepted) - before, taken);
    assert_int_equal(matcher_count(COUNT_MATCHER_rejected), 200 - taken);
    assert_int_equal(matcher_count(COUNT_MATCHER_live_orders), 0);
}

static void alerts_go_to_control_alone_and_are_counted_when_it_does_not_read(void **state)
{
    (void)state;
    start(&plain);
    struct ring *ring = region_find(&rig.region, OBJECT_ALERTS, 0, 0);
    struct rig_client client = rig_client(&rig, 0);
    rig_login(&rig, &client, "SECRET");
    rig_enter(&rig, &client, 1, 'B', 100, 90000);
    rig_rounds(&rig, 3);
    uint64_t sent = rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sent_messages);
    uint64_t messages = rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_messages);
    give_kill(CMD_KILL, 7);
    rig_rounds(&rig, 3);
    const struct alert *killed = ring_peek(ring, 0), *zero = ring_peek(ring, 1);
    assert_non_null(killed);
    assert_non_null(zero);
    assert_int_equal(killed->kind, ALERT_KILLED);
    assert_int_equal(killed->before, 7);
    assert_int_equal(zero->kind, ALERT_ZERO);
    assert_int_equal(zero->after, 1);
    assert_int_equal(zero->scope, SCOPE_VENUE);
    assert_int_equal(zero->cmd_seq, killed->cmd_seq);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_sent_messages), sent + 1);
    assert_int_equal(rig_count(&rig, ROLE_PUBLISHER, 0, COUNT_PUBLISHER_messages), messages + 1);
    for (unsigned i = 0; i < RIG_ALERTS; i++)
        give_kill(CMD_RESET, i);
    rig_rounds(&rig, 3);
    assert_int_equal(matcher_count(COUNT_MATCHER_alerts), RIG_ALERTS);
    assert_int_equal(matcher_count(COUNT_MATCHER_alerts_dropped), 2);
    ring_release(ring, RIG_ALERTS);
    give_kill(CMD_RESET, 99);
    rig_rounds(&rig, 3);
    const struct alert *next = ring_peek(ring, 0);
    assert_non_null(next);
    assert_int_equal(next->before, 99);
    assert_int_equal(next->dropped, 2);
}

#define AFTER(test) cmocka_unit_test_setup_teardown(test, NULL, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AFTER(a_kill_goes_ahead_of_orders_that_are_queued),
        AFTER(a_kill_stops_a_backlog_before_the_next_batch),
        AFTER(alerts_go_to_control_alone_and_are_counted_when_it_does_not_read),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
