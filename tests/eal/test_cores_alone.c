// SPDX-License-Identifier: Apache-2.0
// What the data plane's roles do by what control has left in the region: a matching core without control, tallies of
// sessions, late answers.
#include "tests/eal/cores_clients.h"

static struct rig rig;
static const struct rig_options plain = {.gateways = 1, .matchers = 1};
static struct rig_client client;

static void begin(uint64_t control_lost)
{
    rig_open(&rig, &plain);
    client = rig_client(&rig, 0);
    rig_login(&rig, &client, "secret");
    rig_rounds(&rig, 6);
    rig_enter(&rig, &client, 1, 'B', 100, 90000);
    rig_rounds(&rig, 6);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_live_orders), 1);
    rig.region.header->control_lost = control_lost;
}

static int down(void **state)
{
    (void)state;
    return rig_close(&rig);
}

static void pass_with_control(unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 10) {
        rig.region.header->control_heartbeat++;
        rig_pass_ms(&rig, 10);
    }
}

static bool lost_is_on(void)
{
    return rig_port(&rig, 0)->modes >> MODE_CONTROL_LOST & 1;
}

// Commands of one type in the journal.
static unsigned journaled(enum command_type type)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig.history_count[0]; i++)
        count += rig.history[0][i].type == type;
    return count;
}

static void without_control_a_core_cancels_what_rests_and_takes_it_back(void **state)
{
    (void)state;
    begin(CONTROL_LOST(500, TRIP_CANCEL, false, 300));
    pass_with_control(2000);
    rig_pass_ms(&rig, 480);
    assert_false(lost_is_on());
    assert_int_equal(journaled(CMD_KILL), 0);
    rig_pass_ms(&rig, 40);
    assert_true(lost_is_on());
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_live_orders), 0);
    rig_pass_ms(&rig, 3000); // once
    assert_int_equal(journaled(CMD_KILL), 1);
    rig_enter(&rig, &client, 2, 'B', 100, 90000);
    rig_rounds(&rig, 6);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_live_orders), 0);
    pass_with_control(250);
    assert_true(lost_is_on());
    pass_with_control(100);
    assert_false(lost_is_on());
    assert_int_equal(journaled(CMD_RESET), 1);
    rig_enter(&rig, &client, 3, 'B', 100, 90000);
    rig_rounds(&rig, 6);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_live_orders), 1);
    rig_pass_ms(&rig, 600); // and again
    assert_true(lost_is_on());
    assert_int_equal(journaled(CMD_KILL), 2);
}

static void a_control_that_comes_and_goes_is_not_back(void **state)
{
    (void)state;
    begin(CONTROL_LOST(500, TRIP_BLOCK, false, 300));
    pass_with_control(1000);
    rig_pass_ms(&rig, 600);
    for (unsigned i = 0; i < 4; i++) {
        pass_with_control(200);
        assert_true(lost_is_on());
        rig_pass_ms(&rig, 600);
    }
    assert_int_equal(journaled(CMD_KILL), 1);
    assert_int_equal(journaled(CMD_RESET), 0);
    assert_int_equal(rig_count(&rig, ROLE_MATCHER, 0, COUNT_MATCHER_live_orders), 1);
}

static void a_halt_waits_for_an_operator(void **state)
{
    (void)state;
    begin(CONTROL_LOST(100, TRIP_HALT, true, 100));
    pass_with_control(500);
    rig_pass_ms(&rig, 200);
    assert_true(lost_is_on());
    assert_int_equal(journaled(CMD_HALT), 1);
    pass_with_control(1000);
    assert_true(lost_is_on());
    assert_int_equal(journaled(CMD_HALT), 1);
}

static void alert_alone_changes_nothing(void **state)
{
    (void)state;
    begin(CONTROL_LOST(100, TRIP_ALERT, false, 100));
    pass_with_control(500);
    rig_pass_ms(&rig, 3000);
    assert_false(lost_is_on());
    assert_int_equal(journaled(CMD_KILL), 0);
}

static void a_data_plane_that_follows_goes_on_without_control(void **state)
{
    (void)state;
    begin(CONTROL_LOST(200, TRIP_BLOCK, false, 300));
    pass_with_control(500);
    rig_pass_ms(&rig, 300);
    assert_true(lost_is_on());
    rig_reboot(&rig, &plain);
    assert_true(lost_is_on());
    rig.region.header->control_lost = CONTROL_LOST(200, TRIP_BLOCK, false, 300);
    pass_with_control(600);
    assert_false(lost_is_on());
}

static void a_session_is_tallied(void **state)
{
    (void)state;
    uint8_t datagram[64];
    begin(0);
    const struct session_tally *tally = region_find(&rig.region, OBJECT_TALLIES, 0, 0);
    rig_enter(&rig, &client, 2, 'B', 0, 90000); // no quantity
    datagram[0] = 0;
    datagram[1] = 3;
    memcpy(datagram + 2, "Uz1", 3); // no message of OUCH
    rig_send(&rig, &client, datagram, 5);
    rig_pass_ms(&rig, 200);
    assert_int_equal(tally[0].messages, 3);
    assert_int_equal(tally[0].rejected, 1);
    assert_int_equal(tally[0].malformed, 1);
    assert_int_equal(tally[1].messages, 0);
}

static void answers_that_wait_too_long_are_counted_as_late(void **state)
{
    (void)state;
    begin(0);
    rig.region.header->answer_limit_ns = 50 * 1000000;
    rig_pass_ms(&rig, 20);
    rig_enter(&rig, &client, 2, 'B', 100, 90000);
    rig_pass_ms(&rig, 20);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_late), 0);
    rig.hold_durable = true;
    rig_enter(&rig, &client, 3, 'B', 100, 90000);
    rig_pass_ms(&rig, 100);
    rig.hold_durable = false;
    rig_pass_ms(&rig, 20);
    assert_int_equal(rig_count(&rig, ROLE_GATEWAY, 0, COUNT_GATEWAY_late), 1);
}

#define AFTER(test) cmocka_unit_test_setup_teardown(test, NULL, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AFTER(without_control_a_core_cancels_what_rests_and_takes_it_back),
        AFTER(a_control_that_comes_and_goes_is_not_back),
        AFTER(a_halt_waits_for_an_operator),
        AFTER(alert_alone_changes_nothing),
        AFTER(a_data_plane_that_follows_goes_on_without_control),
        AFTER(a_session_is_tallied),
        AFTER(answers_that_wait_too_long_are_counted_as_late),
    };
    return cmocka_run_group_tests(tests, rig_start_eal, NULL);
}
