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

// ---- at random ------------------------------------------------------------------------------------------------------

enum { PLAYERS = 5, LIVE_MOST = 520 };

// What a session has live, in the order of entry.
static struct {
    uint32_t refs[LIVE_MOST];
    unsigned count;
} lists[PLAYERS];
static uint32_t used_refs[PLAYERS];
static unsigned live, crowded; // how often few blocks were left
static uint64_t dice;

static unsigned roll(unsigned below)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((dice >> 33) % below);
}

static void list_add(unsigned session, uint32_t ref)
{
    assert_true(lists[session].count < LIVE_MOST);
    lists[session].refs[lists[session].count++] = ref;
    live++;
}

static void list_take(unsigned session, uint32_t ref)
{
    unsigned at = 0;
    while (at < lists[session].count && lists[session].refs[at] != ref)
        at++;
    assert_true(at < lists[session].count);
    lists[session].count--;
    live--;
    memmove(&lists[session].refs[at], &lists[session].refs[at + 1],
            (lists[session].count - at) * sizeof lists[session].refs[0]);
}

// All orders are of 100 shares, so that an execution is the end of both.
static void follow(const struct rig *rig)
{
    for (size_t i = 0; i < rig->count; i++) {
        const struct event *event = &rig->events[i];
        if (event->type == EV_REPLACED)
            list_take(event->session, event->other_user_ref);
        if (event->type == EV_TRADE)
            list_take(event->other_session, event->other_user_ref);
        if (event->type == EV_CANCELED || event->type == EV_TRADE)
            list_take(event->session, event->user_ref);
        if (event->type == EV_ACCEPTED || event->type == EV_REPLACED)
            list_add(event->session, event->user_ref);
    }
}

static void lists_are_walked_in_the_order_of_entry(const struct rig *rig)
{
    for (unsigned session = 0; session < PLAYERS; session++) {
        unsigned at = 0;
        for (uint32_t slot = session_oldest(rig->engine, session); slot; slot = session_next(rig->engine, slot)) {
            assert_true(at < lists[session].count);
            assert_int_equal((uint32_t)rig->engine->orders[slot].key, lists[session].refs[at++]);
        }
        assert_int_equal(at, lists[session].count);
    }
}

// Some orders of a session come, and so many of them go that `stay` are left.
struct wave {
    uint16_t session;
    unsigned come, stay, began; // how many there were
};

static struct wave any_wave(void)
{
    static const unsigned comes[] = {63, 63, 126, 62, 64, 1, 20}, stays[] = {0, 1, 1, 1, 1, 2, 3, 31, 33, 63};
    const uint16_t session = (uint16_t)(roll(3) ? roll(2) : roll(PLAYERS));
    return (struct wave){session, comes[roll(7)], stays[roll(10)], lists[session].count};
}

static struct command next_command(struct wave *wave)
{
    const uint16_t session = wave->session;
    const unsigned count = lists[session].count;
    struct command c;
    if (wave->come) {
        wave->come--;
        c = rig_enter(session, ++used_refs[session], 'B', 100, 1, 10000 + 100 * roll(40));
        c.display = roll(16) ? 'Y' : 'N';
        return c;
    }
    if (count > wave->began + wave->stay) {
        const unsigned at = wave->began + roll(count - wave->began);
        return rig_simple(CMD_CANCEL, session, lists[session].refs[at], 0);
    }
    *wave = any_wave();
    const unsigned what = roll(100);
    if (what < 70 && count)
        return rig_replace(session, lists[session].refs[roll(count)], ++used_refs[session], 100,
                           10000 + 100 * roll(40));
    if (what < 90 && live) {
        c = rig_enter(session, ++used_refs[session], 'S', 100, 1, 100);
        c.tif = '3';
        return c;
    }
    if (what < 92) {
        c = rig_simple(CMD_MASS_CANCEL, session, ++used_refs[session], 0);
        c.options = roll(2) ? OPTION(TAG_SIDE) : 0;
        c.side = roll(4) ? 'B' : 'S';
        return c;
    }
    if (what < 94) {
        c = (struct command){.type = CMD_KILL, .session = SESSION_NONE};
        c.kill.scope = roll(2) ? SCOPE_ACCOUNT : SCOPE_SESSION;
        c.kill.index = (uint16_t)roll(2);
        c.kill.actions = KILL_CANCEL;
        return c;
    }
    c = (struct command){.type = roll(2) ? CMD_SESSION_DOWN : CMD_SESSION_UP, .session = PLAYERS - 1};
    if (c.type == CMD_SESSION_DOWN)
        c.link.down_reason = DOWN_TIMEOUT;
    return c;
}

static void play(struct rig *rig, const struct rig_day *day, unsigned steps)
{
    struct rig other;
    struct rig_snapshot snapshot = {0};
    struct wave wave = any_wave();
    bool both = false;
    for (unsigned i = 0; i < steps; i++) {
        if (i % 500 == 0) { // an engine that is restored goes on beside it, and in its place
            if (both) {
                struct rig gone = *rig;
                *rig = roll(2) ? other : gone;
                rig_free(rig->engine == gone.engine ? &other : &gone);
            }
            rig_snapshot_take(&snapshot, rig->engine);
            rig_restore(&other, day, &snapshot);
            both = true;
        }
        struct command c = next_command(&wave), same;
        c.time_ns = rig->time_ns + 10;
        same = c;
        rig_step(rig, &c);
        rig_step(&other, &same);
        follow(rig);
        assert_true(rig->hash == other.hash);
        const uint32_t most = member_blocks_most(day->max_orders, PLAYERS);
        crowded += rig->engine->member_blocks_used > most - most / 8;
        if (i % 8 == 0) {
            assert_null(engine_check(rig->engine));
            assert_null(engine_check(other.engine));
            lists_are_walked_in_the_order_of_entry(rig);
            lists_are_walked_in_the_order_of_entry(&other);
        }
    }
    rig_free(&other);
    free(snapshot.records);
}

static void whoever_comes_and_goes_is_listed_once_and_in_the_order_of_entry(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const uint32_t sizes[] = {40, 130, 260, 500};
        struct rig_day day = {.max_orders = sizes[seed % 4],
                              .max_levels = 200,
                              .symbols = 1,
                              .sessions = PLAYERS,
                              .ticks = {100, 100, 100, 100},
                              .lookup_key = seed};
        struct rig rig;
        day.max_trades = 1 << 16;
        dice = seed;
        live = 0;
        memset(lists, 0, sizeof lists);
        memset(used_refs, 0, sizeof used_refs);
        rig_open(&rig, &day);
        play(&rig, &day, 10000);
        rig_free(&rig);
    }
    assert_int_not_equal(crowded, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_with_one_order_each_are_merged_before_they_run_out),
        cmocka_unit_test(a_day_of_few_orders_merges_only_when_no_block_is_left),
        cmocka_unit_test(full_blocks_stay_as_they_are_and_the_search_goes_round_behind_them),
        cmocka_unit_test(merged_blocks_are_restored_as_they_were),
        cmocka_unit_test(whoever_comes_and_goes_is_listed_once_and_in_the_order_of_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
