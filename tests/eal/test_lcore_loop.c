// SPDX-License-Identifier: Apache-2.0
// The lcore's loop with roles made for the test. EAL is not started: the loop runs on this thread and a role ends it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cores/lcore_loop.h"

#define LETTERS 64

// What was called, in order: lower case poll, upper case flush.
static char calls[LETTERS + 1];
static unsigned called;
static _Atomic bool quit;
static unsigned housekeepings_wanted;

struct toy {
    char letter;
    unsigned work;
    unsigned housekept;
    bool drained;
    unsigned spin; // rounds of waiting in a poll, so that it costs cycles
    volatile unsigned waste;
    unsigned takes; // bytes from the heap in each poll
};

// Stands in for jemalloc's: the counter of what this thread has allocated.
static uint64_t allocated;

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    uint64_t *counter = &allocated;
    (void)new;
    (void)new_size;
    assert_string_equal(name, "thread.allocatedp");
    assert_int_equal(*old_size, sizeof counter);
    memcpy(old, &counter, sizeof counter);
    return 0;
}

static unsigned note(struct toy *toy, char letter)
{
    if (called < LETTERS)
        calls[called++] = letter;
    for (unsigned i = 0; i < toy->spin; i++)
        toy->waste++;
    allocated += toy->takes;
    return toy->work;
}

static unsigned toy_poll(void *instance, uint64_t now)
{
    struct toy *toy = instance;
    assert_true(now > 0);
    return note(toy, toy->letter);
}

static unsigned toy_flush(void *instance, uint64_t now)
{
    struct toy *toy = instance;
    assert_true(now > 0);
    return note(toy, (char)(toy->letter - 'a' + 'A'));
}

static void toy_housekeep(void *instance, uint64_t now)
{
    struct toy *toy = instance;
    assert_true(now > 0);
    if (++toy->housekept >= housekeepings_wanted)
        quit = true;
}

static bool toy_drained(const void *instance)
{
    return ((const struct toy *)instance)->drained;
}

static const struct role_descriptor toy_gateway = {.name = "gateway",
                                                   .role = ROLE_GATEWAY,
                                                   .poll = toy_poll,
                                                   .flush = toy_flush,
                                                   .housekeep = toy_housekeep,
                                                   .drained = toy_drained};
static const struct role_descriptor toy_matcher = {
    .name = "matcher", .role = ROLE_MATCHER, .poll = toy_poll, .housekeep = toy_housekeep, .drained = toy_drained};
static const struct role_descriptor toy_publisher = {
    .name = "publisher", .role = ROLE_PUBLISHER, .poll = toy_poll, .housekeep = toy_housekeep, .drained = toy_drained};

// Stands in for the C library's: how often the loop has given its core away.
static unsigned yields;

int sched_yield(void);

int sched_yield(void)
{
    yields++;
    return 0;
}

static struct region_header header;
static struct core_block blocks[8];
static struct lcore_loop loop;

static int fresh(void **state)
{
    (void)state;
    memset(calls, 0, sizeof calls);
    memset(blocks, 0, sizeof blocks);
    memset(&header, 0, sizeof header);
    called = 0;
    yields = 0;
    quit = false;
    housekeepings_wanted = 1;
    loop = (struct lcore_loop){.lcore = 3, .tsc_hz = 2000000000, .header = &header, .quit = &quit};
    return 0;
}

static void a_round_answers_before_it_publishes(void **state)
{
    (void)state;
    struct toy p = {.letter = 'p'}, m = {.letter = 'm'}, n = {.letter = 'n'}, g = {.letter = 'g'}, h = {.letter = 'h'};
    lcore_loop_add(&loop, &toy_publisher, &p, &blocks[0]); // whatever order they are added in
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[1]);
    lcore_loop_add(&loop, &toy_gateway, &g, &blocks[2]);
    lcore_loop_add(&loop, &toy_matcher, &n, &blocks[3]);
    lcore_loop_add(&loop, &toy_gateway, &h, &blocks[4]);
    housekeepings_wanted = 20;
    assert_int_equal(lcore_loop_run(&loop), 0);
    assert_memory_equal(calls, "ghmnGHpghmnGHp", 14);
}

static void a_role_without_a_second_half_is_only_polled(void **state)
{
    (void)state;
    struct toy m = {.letter = 'm'};
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[0]);
    housekeepings_wanted = 20;
    lcore_loop_run(&loop);
    assert_memory_equal(calls, "mm", 2);
}

static void busy_and_idle_cycles_are_told_apart(void **state)
{
    (void)state;
    struct toy busy = {.letter = 'g', .work = 1, .spin = 1000}, idle = {.letter = 'm', .spin = 1000};
    lcore_loop_add(&loop, &toy_gateway, &busy, &blocks[0]);
    lcore_loop_add(&loop, &toy_matcher, &idle, &blocks[1]);
    housekeepings_wanted = 5;
    lcore_loop_run(&loop);
    assert_true(blocks[0].busy_cycles > 0);
    assert_int_equal(blocks[0].idle_cycles, 0);
    assert_true(blocks[1].idle_cycles > 0);
    assert_int_equal(blocks[1].busy_cycles, 0);
}

static void housekeeping_goes_round_all_roles(void **state)
{
    (void)state;
    struct toy g = {.letter = 'g'}, m = {.letter = 'm'}, p = {.letter = 'p'};
    lcore_loop_add(&loop, &toy_gateway, &g, &blocks[0]);
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[1]);
    lcore_loop_add(&loop, &toy_publisher, &p, &blocks[2]);
    housekeepings_wanted = 10;
    lcore_loop_run(&loop);
    assert_int_equal(g.housekept, 10);
    assert_int_equal(m.housekept, 9);
    assert_int_equal(p.housekept, 9);
    assert_int_equal(blocks[0].heartbeat, 10);
    assert_int_equal(blocks[1].heartbeat, 9);
    assert_int_equal(blocks[2].lcore, 3);
    assert_int_equal(blocks[2].tsc_hz, 2000000000);
    assert_int_equal(blocks[2].heap_bytes, 0);
}

static void what_is_taken_from_the_heap_while_polling_is_told(void **state)
{
    (void)state;
    struct toy good = {.letter = 'g'}, bad = {.letter = 'm', .takes = 48};
    allocated = 1000000; // before the loop: does not count
    lcore_loop_add(&loop, &toy_gateway, &good, &blocks[0]);
    housekeepings_wanted = 3;
    lcore_loop_run(&loop);
    assert_int_equal(blocks[0].heap_bytes, 0);
    quit = false;
    good.housekept = 0;
    lcore_loop_add(&loop, &toy_matcher, &bad, &blocks[1]);
    lcore_loop_run(&loop);
    assert_true(blocks[0].heap_bytes > 0 && blocks[0].heap_bytes % 48 == 0);
}

static void a_role_halts_only_when_asked_and_drained(void **state)
{
    (void)state;
    struct toy g = {.letter = 'g', .drained = true}, m = {.letter = 'm', .drained = false};
    lcore_loop_add(&loop, &toy_gateway, &g, &blocks[0]);
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[1]);
    blocks[0].state = blocks[1].state = CORE_RUN;
    housekeepings_wanted = 3;
    lcore_loop_run(&loop);
    assert_int_equal(blocks[0].state, CORE_RUN);
    header.stop = 1;
    quit = false;
    housekeepings_wanted = 6;
    lcore_loop_run(&loop);
    assert_int_equal(blocks[0].state, CORE_HALT);
    assert_int_equal(blocks[1].state, CORE_RUN);
}

static void a_failed_role_stays_failed(void **state)
{
    (void)state;
    struct toy m = {.letter = 'm', .drained = true};
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[0]);
    blocks[0].state = CORE_FAIL;
    header.stop = 1;
    lcore_loop_run(&loop);
    assert_int_equal(blocks[0].state, CORE_FAIL);
}

static void a_core_gives_way_only_after_a_round_without_work(void **state)
{
    (void)state;
    struct toy g = {.letter = 'g', .work = 1}, m = {.letter = 'm'};
    loop.idle = IDLE_YIELD;
    lcore_loop_add(&loop, &toy_gateway, &g, &blocks[0]);
    lcore_loop_add(&loop, &toy_matcher, &m, &blocks[1]);
    housekeepings_wanted = 5;
    lcore_loop_run(&loop);
    assert_int_equal(yields, 0);
    g.work = 0;
    g.housekept = 0;
    quit = false;
    lcore_loop_run(&loop);
    assert_true(yields > 0);
}

static void time_given_away_is_idle_time(void **state)
{
    (void)state;
    static const enum idle_policy policies[] = {IDLE_PAUSE, IDLE_UMWAIT, IDLE_YIELD};
    for (unsigned i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (!lcore_loop_can_idle(policies[i]))
            continue;
        fresh(state);
        struct toy g = {.letter = 'g'};
        loop.idle = policies[i];
        lcore_loop_add(&loop, &toy_gateway, &g, &blocks[0]);
        housekeepings_wanted = 5;
        lcore_loop_run(&loop);
        assert_true(blocks[0].idle_cycles > 0);
        assert_int_equal(blocks[0].busy_cycles, 0);
        assert_int_equal(blocks[0].heartbeat, 5);
    }
    assert_true(lcore_loop_can_idle(IDLE_SPIN) && lcore_loop_can_idle(IDLE_PAUSE) && lcore_loop_can_idle(IDLE_YIELD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_round_answers_before_it_publishes, fresh),
        cmocka_unit_test_setup(a_role_without_a_second_half_is_only_polled, fresh),
        cmocka_unit_test_setup(busy_and_idle_cycles_are_told_apart, fresh),
        cmocka_unit_test_setup(housekeeping_goes_round_all_roles, fresh),
        cmocka_unit_test_setup(what_is_taken_from_the_heap_while_polling_is_told, fresh),
        cmocka_unit_test_setup(a_role_halts_only_when_asked_and_drained, fresh),
        cmocka_unit_test_setup(a_failed_role_stays_failed, fresh),
        cmocka_unit_test_setup(a_core_gives_way_only_after_a_round_without_work, fresh),
        cmocka_unit_test_setup(time_given_away_is_idle_time, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
