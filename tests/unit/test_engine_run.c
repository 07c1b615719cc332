// SPDX-License-Identifier: Apache-2.0
// Many commands in a row: engine_run gives what engine_step gives, however a day is cut into bursts and runs, looked
// ahead at or not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/assert.h"
#include "tests/support/engine_rig.h"
#include "tests/support/risk_flow.h"

#define COMMANDS 4000u
#define BURST 64u

struct drawn {
    struct rig_day day;
    struct command commands[COMMANDS];
    struct event *events; // what engine_step made of them
    size_t count, room;
    size_t end[COMMANDS]; // of each command's events
};

static void step_each(struct drawn *drawn)
{
    struct rig rig;
    rig_open(&rig, &drawn->day);
    for (unsigned i = 0; i < COMMANDS; i++) {
        rig_step(&rig, &drawn->commands[i]);
        if (drawn->count + rig.count > drawn->room) {
            drawn->room = 2 * drawn->room + rig.count;
            drawn->events = realloc(drawn->events, drawn->room * sizeof *drawn->events);
            assert_non_null(drawn->events);
        }
        memcpy(drawn->events + drawn->count, rig.events, rig.count * sizeof *rig.events);
        drawn->end[i] = drawn->count += rig.count;
    }
    rig_free(&rig);
}

struct played {
    const struct drawn *drawn;
    struct engine *engine;
    uint64_t random;
    uint64_t hash; // of the events so far
    size_t count;  // of them
    unsigned stopped_early, unfinished;
};

static unsigned draw(struct played *p, unsigned below)
{
    p->random = p->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)((p->random >> 33) % below);
}

static void see(struct played *p, const struct event *events, unsigned count)
{
    for (unsigned i = 0; i < count; i++, p->count++) {
        assert_true(p->count < p->drawn->count);
        assert_memory_equal(&events[i], &p->drawn->events[p->count], events[i].lines * 64u);
        p->hash = event_hash(p->hash, &events[i]);
    }
}

// One run from command `first` on, step `at` of its burst. Returns how many were taken.
static unsigned run(struct played *p, unsigned first, unsigned most, const struct engine_ahead *ahead, unsigned at)
{
    static struct event events[ENGINE_RUN_EVENTS];
    struct command commands[ENGINE_RUN_MOST], *pointers[ENGINE_RUN_MOST];
    unsigned count;
    for (unsigned i = 0; i < most; i++) {
        commands[i] = p->drawn->commands[first + i];
        commands[i].seq = 0;
        pointers[i] = &commands[i];
    }
    const unsigned taken = engine_run(p->engine, pointers, most, ahead, at, events, &count);
    assert_in_range(taken, 1, most);
    assert_int_equal(engine_sequence(p->engine), p->drawn->commands[first + taken - 1].seq);
    const struct event *next = events;
    for (unsigned i = 0; i < taken; i++) {
        const unsigned left = count - (unsigned)(next - events);
        const unsigned own = i + 1 < taken ? (unsigned)(p->drawn->end[first + i] - p->count) : left;
        assert_int_equal(commands[i].prev_hash, (uint32_t)p->hash);
        assert_true(own <= left);
        see(p, next, own);
        next += own;
    }
    if (taken < most) {
        p->stopped_early++;
        assert_true(engine_unfinished(p->engine) || engine_outcome(p->engine) != OUTCOME_ACCEPTED ||
                    count + ENGINE_EVENTS_MAX + ENGINE_RUN_MOST > ENGINE_RUN_EVENTS);
    }
    p->unfinished += engine_unfinished(p->engine);
    while (engine_unfinished(p->engine))
        see(p, events, engine_continue(p->engine, events));
    assert_true(p->hash == engine_event_hash(p->engine));
    assert_int_equal(p->count, p->drawn->end[first + taken - 1]);
    return taken;
}

static void play_burst(struct played *p, unsigned first, unsigned count, bool ahead)
{
    const struct command *burst[ENGINE_AHEAD_BEFORE + BURST + ENGINE_AHEAD_BEHIND] = {0};
    struct engine_ahead aims = {0};
    unsigned looked = -ENGINE_AHEAD_FAR;
    for (unsigned i = 0; i < count; i++)
        burst[ENGINE_AHEAD_BEFORE + i] = &p->drawn->commands[first + i];
    for (unsigned done = 0; done < count;) {
        unsigned most = 1 + draw(p, ENGINE_RUN_MOST - done % ENGINE_AHEAD_AT_ONCE);
        if (most > count - done)
            most = count - done;
        for (; ahead && (int)(looked - done - most) < 0; looked += ENGINE_AHEAD_AT_ONCE)
            engine_look_ahead(p->engine, &aims, looked, burst);
        done += run(p, first + done, most, ahead ? &aims : NULL, done);
    }
}

static void seed_plays(uint64_t seed, bool risk, struct played *sum)
{
    struct drawn *drawn = calloc(1, sizeof *drawn);
    const unsigned kinds = FLOW_ALL | FLOW_KILL;
    assert_non_null(drawn);
    drawn->day = flow_day(seed, kinds);
    if (risk)
        risk_flow_day(seed, &drawn->day);
    flow_draw(seed, kinds, &drawn->day, drawn->commands, COMMANDS);
    if (risk)
        risk_flow(seed, RISK_ALL, &drawn->day, drawn->commands, COMMANDS);
    step_each(drawn);

    struct rig rig;
    rig_open(&rig, &drawn->day);
    struct played p = {.drawn = drawn, .engine = rig.engine, .random = seed, .hash = engine_event_hash(rig.engine)};
    for (unsigned first = 0, count; first < COMMANDS; first += count) {
        count = 1 + draw(&p, BURST);
        if (count > COMMANDS - first)
            count = COMMANDS - first;
        play_burst(&p, first, count, draw(&p, 3) > 0);
    }
    assert_int_equal(p.count, drawn->count);
    sum->stopped_early += p.stopped_early;
    sum->unfinished += p.unfinished;
    rig_free(&rig);
    free(drawn->events);
    free(drawn);
}

static void runs_give_the_events_of_single_steps(void **state)
{
    (void)state;
    struct played sum = {0};
    for (uint64_t seed = 1; seed <= 200; seed++)
        seed_plays(seed, false, &sum);
    assert_true(sum.stopped_early > 0 && sum.unfinished > 0);
}

static void on_days_with_risk_too(void **state)
{
    (void)state;
    struct played sum = {0};
    for (uint64_t seed = 1; seed <= 200; seed++)
        seed_plays(seed, true, &sum);
    assert_true(sum.stopped_early > 0 && sum.unfinished > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_give_the_events_of_single_steps),
        cmocka_unit_test(on_days_with_risk_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
