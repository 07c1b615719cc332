// SPDX-License-Identifier: Apache-2.0
// The list of a session's orders: however sparse its blocks become, there is always one for the next order, and what
// is walked comes in the order of entry.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/slots.h"
#include "engine/snapshot.h"
#include "tests/support/engine_rig.h"

#define SESSIONS 3u
#define BLOCK (MEMBER_WAYS - 1) // orders

static uint32_t next_ref[SESSIONS];

static void enter(struct rig *rig, uint16_t session)
{
    struct command c = rig_enter(session, ++next_ref[session], 'B', 100, 1, 10000);
    rig_step(rig, &c);
    assert_int_equal(rig->count, 1);
    assert_int_equal(rig->events[0].type, EV_ACCEPTED);
}

static void cancel(struct rig *rig, uint16_t session, uint32_t user_ref)
{
    struct command c = rig_simple(CMD_CANCEL, session, user_ref, 0);
    rig_step(rig, &c);
    assert_int_equal(rig->count, 1);
}

// A block's worth of orders, of which the first `left` stay.
static void fill(struct rig *rig, uint16_t session, unsigned left)
{
    for (unsigned i = 0; i < BLOCK; i++)
        enter(rig, session);
    for (unsigned i = left; i < BLOCK; i++)
        cancel(rig, session, next_ref[session] - BLOCK + 1 + i);
}

static void open_day(struct rig *rig, struct rig_day *day, uint32_t max_orders)
{
    *day = (struct rig_day){.max_orders = max_orders,
                            .max_levels = 64,
                            .symbols = 1,
                            .sessions = SESSIONS,
                            .ticks = {100, 100, 100, 100},
                            .lookup_key = 5};
    memset(next_ref, 0, sizeof next_ref);
    rig_open(rig, day);
}

// Everything holds, and a mass cancel takes `count` orders of the session, oldest first.
static void goes_in_the_order_of_entry(struct rig *rig, uint16_t session, unsigned count)
{
    assert_null(engine_check(rig->engine));
    struct command c = rig_simple(CMD_MASS_CANCEL, session, ++next_ref[session], 0);
    rig_step(rig, &c);
    unsigned canceled = 0;
    for (size_t i = 0, last = 0; i < rig->count; i++) {
        if (rig->events[i].type != EV_CANCELED)
            continue;
        assert_true(rig->events[i].user_ref > last);
        last = rig->events[i].user_ref;
        canceled++;
    }
    assert_int_equal(canceled, count);
    assert_null(engine_check(rig->engine));
}

static void blocks_with_one_order_each_are_merged_before_they_run_out(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_day day;
    open_day(&rig, &day, 1000);
    unsigned blocks = 2 * member_blocks_most(1000, SESSIONS);
    for (unsigned i = 0; i < blocks; i++)
        fill(&rig, 0, 1);
    assert_true(rig.engine->member_blocks_used <= member_blocks_most(1000, SESSIONS));
    goes_in_the_order_of_entry(&rig, 0, blocks);
    assert_int_equal(rig.engine->member_blocks_used, 1);
    rig_free(&rig);
}

static void a_day_of_few_orders_merges_only_when_no_block_is_left(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_day day;
    open_day(&rig, &day, 80);
    for (unsigned i = 0; i < 16; i++)
        fill(&rig, 1, 1);
    goes_in_the_order_of_entry(&rig, 1, 16);
    rig_free(&rig);
}

static void full_blocks_stay_as_they_are_and_the_search_goes_round_behind_them(void **state)
{
    (void)state;
    struct rig rig;
    struct rig_day day;
    open_day(&rig, &day, 4000);
    unsigned most = member_blocks_most(4000, SESSIONS);
    for (unsigned i = 0; i < 40; i++)
        fill(&rig, 2, BLOCK);
    for (unsigned i = 0; i < 2 * most; i++)
        fill(&rig, (uint16_t)(i % 2), 1);
    goes_in_the_order_of_entry(&rig, 2, 40 * BLOCK);
    goes_in_the_order_of_entry(&rig, 0, most);
    goes_in_the_order_of_entry(&rig, 1, most);
    rig_free(&rig);
}

static void merged_blocks_are_restored_as_they_were(void **state)
{
    (void)state;
    struct rig rig, again;
    struct rig_day day;
    struct rig_snapshot first = {0}, second = {0};
    open_day(&rig, &day, 1000);
    for (unsigned i = 0; i < 200; i++)
        fill(&rig, (uint16_t)(i % SESSIONS), 1 + i % 3);
    rig_snapshot_take(&first, rig.engine);
    rig_restore(&again, &day, &first);
    assert_null(engine_check(again.engine));
    rig_snapshot_take(&second, again.engine);
    assert_int_equal(first.count, second.count);
    assert_memory_equal(first.records, second.records, first.count * sizeof *first.records);
    uint32_t numbers = next_ref[2];
    goes_in_the_order_of_entry(&rig, 2, 66 * 3);
    next_ref[2] = numbers;
    goes_in_the_order_of_entry(&again, 2, 66 * 3);
    free(first.records);
    free(second.records);
    rig_free(&rig);
    rig_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_with_one_order_each_are_merged_before_they_run_out),
        cmocka_unit_test(a_day_of_few_orders_merges_only_when_no_block_is_left),
        cmocka_unit_test(full_blocks_stay_as_they_are_and_the_search_goes_round_behind_them),
        cmocka_unit_test(merged_blocks_are_restored_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
