// SPDX-License-Identifier: Apache-2.0
// Random days through the engine and through the plainest venue there is: every event must be the same, field by field,
// and so must what becomes of every message. A day that differs is made as small as it gets, and printed as a scenario.
//   XW_SEED=n      that day alone           XW_COMMANDS=n   commands of each day
//   XW_DAYS=n      how many days            XW_KINDS=a,b    what is drawn besides plain orders: random_flow.c
//   XW_NOCHECK     without the engine's own invariants
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/assert.h"
#include "tests/support/engine_rig.h"
#include "tests/support/naive_venue.h"
#include "tests/support/random_flow.h"
#include "tests/support/scenario.h"

#define DAY_COMMANDS 4000

// What a process that plays a day tells the one that waits for it.
struct report {
    size_t at;      // the command that it was at
    unsigned steps; // of the engine, the most that one command took
    char text[2000];
};

struct play {
    struct rig rig;
    struct naive_venue *naive;
    struct report *report;
    bool differs;
};

static void differ(struct play *play, const char *what, const struct event *want, const struct event *got)
{
    char expected[300] = "nothing", said[300] = "nothing";
    if (want)
        scenario_event_text(want, expected, sizeof expected);
    if (got)
        scenario_event_text(got, said, sizeof said);
    snprintf(play->report->text, sizeof play->report->text, "%s\n  naive  %s\n  engine %s", what, expected, said);
    play->differs = true;
}

static void step(void *context, struct command *c)
{
    struct play *play = context;
    struct rig *rig = &play->rig;
    size_t count;
    rig_step(rig, c);
    if (rig->steps > play->report->steps)
        play->report->steps = rig->steps;
    const struct event *want = naive_step(play->naive, c, &count);
    for (size_t i = 0; i < count || i < rig->count; i++) {
        const struct event *a = i < count ? &want[i] : NULL, *b = i < rig->count ? &rig->events[i] : NULL;
        const char *what = a && b ? event_difference(a, b) : "the number of events";
        if (what) {
            differ(play, what, a, b);
            return;
        }
    }
    if (count && naive_outcome(play->naive) != (enum naive_outcome)engine_outcome(rig->engine))
        differ(play, "outcome", NULL, NULL);
    if (naive_live_orders(play->naive) != engine_live_orders(rig->engine))
        differ(play, "number of live orders", NULL, NULL);
}

// Plays the commands; false with the report filled in when something differs. `check_every`: commands between two walks
// over the engine's invariants.
static bool play_day(const struct rig_day *day, const struct command *commands, size_t count, unsigned check_every,
                     struct report *report)
{
    struct play play = {.naive = naive_new(), .report = report};
    rig_new(&play.rig, day, 0);
    report->at = SIZE_MAX;
    rig_opening(day, step, &play);
    for (size_t i = 0; i < count && !play.differs; i++) {
        struct command c = commands[i];
        report->at = i;
        step(&play, &c);
        const char *broken = check_every && i % check_every == 0 ? engine_check(play.rig.engine) : NULL;
        if (broken)
            differ(&play, broken, NULL, NULL);
    }
    rig_free(&play.rig);
    naive_free(play.naive);
    return !play.differs;
}

// The same in a process of its own, because an engine that is wrong may also end by an assertion.
static bool play_apart(const struct rig_day *day, const struct command *commands, size_t count, unsigned check_every,
                       struct report *report, bool quiet)
{
    fflush(NULL);
    report->text[0] = 0;
    pid_t child = fork();
    xw_assert(child >= 0);
    if (child == 0) {
        if (quiet && !freopen("/dev/null", "w", stderr))
            _exit(2);
        exit(play_day(day, commands, count, check_every, report) ? 0 : 1);
    }
    int status;
    xw_assert(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) && !report->text[0])
        snprintf(report->text, sizeof report->text, "the engine has ended by signal %d", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ---- shrinking

static void print_scenario(const struct rig_day *day, const struct command *commands, size_t count)
{
    char text[512];
    printf("= found by a random day\n@ symbols=%u tick3=%u sessions=%u accounts=%u phase=%c orders=%u levels=%u "
           "special=%u "
           "conditional=%u trades=%u seed=%u",
           day->symbols, day->ticks[2], day->sessions, day->accounts, day->phase ? day->phase : 'R', day->max_orders,
           day->max_levels, day->max_special, day->max_conditional, day->max_trades, (unsigned)day->seed);
    if (day->post_only_cancels) {
        printf(" postcancel=");
        for (int i = 0; i < day->sessions; i++)
            if (day->post_only_cancels >> i & 1)
                printf("%d", i);
    }
    printf(" aiq=");
    for (int i = 0; i < day->sessions; i++)
        printf("%c", day->aiq_default[i] ? day->aiq_default[i] : 'N');
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        scenario_command_text(&commands[i], text, sizeof text);
        printf("%s\n", text);
    }
}

// Drops commands, in ever smaller runs, as long as a difference persists. Returns how many are left.
static size_t shrink(const struct rig_day *day, struct command *commands, size_t count, struct report *report)
{
    struct command *fewer = malloc(count * sizeof *fewer);
    unsigned every = getenv("XW_NOCHECK") ? 0 : 1;
    for (size_t run = count / 2; run > 0; run = run == 1 ? 0 : (run + 1) / 2) {
        for (size_t from = count > run ? count - run : 0;; from -= run) {
            size_t to = from + run < count ? from + run : count;
            memcpy(fewer, commands, from * sizeof *fewer);
            memcpy(fewer + from, commands + to, (count - to) * sizeof *fewer);
            if (!play_apart(day, fewer, count - (to - from), every, report, true)) {
                count -= to - from;
                if (report->at != SIZE_MAX && report->at + 1 < count)
                    count = report->at + 1;
                memcpy(commands, fewer, count * sizeof *fewer);
            }
            from = from < count ? from : count;
            if (from < run)
                break;
        }
    }
    free(fewer);
    play_apart(day, commands, count, every, report, false);
    return count;
}

// Plays the seed's day; a difference is shrunk, printed and fails the test. Returns the most steps a command took.
static unsigned seed_plays(uint64_t seed, unsigned kinds, const struct rig_day *given, size_t count,
                           unsigned check_every)
{
    struct rig_day day = given ? *given : flow_day(seed, kinds);
    struct command *commands = malloc(count * sizeof *commands);
    struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    xw_assert(report != MAP_FAILED);
    flow_draw(seed, kinds, &day, commands, count);
    bool same = play_apart(&day, commands, count, getenv("XW_NOCHECK") ? 0 : check_every, report, false);
    if (!same) {
        printf("seed %llu, command %zu: %s\n", (unsigned long long)seed, report->at, report->text);
        size_t left = shrink(&day, commands, report->at < count ? report->at + 1 : count, report);
        print_scenario(&day, commands, left);
        printf("# %s\n", report->text);
    }
    unsigned steps = report->steps;
    free(commands);
    munmap(report, sizeof *report);
    if (!same)
        fail_msg("the day of seed %llu differs: see above", (unsigned long long)seed);
    return steps;
}

// ---- the tests

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static unsigned kinds_drawn(void)
{
    const char *names = getenv("XW_KINDS");
    return flow_kinds(names ? names : "all");
}

static void ten_million_random_commands_give_the_naive_venues_events(void **state)
{
    (void)state;
    uint64_t seed = setting("XW_SEED", 1);
    uint64_t days = getenv("XW_SEED") ? setting("XW_DAYS", 1) : setting("XW_DAYS", 2500);
    for (uint64_t i = 0; i < days; i++)
        seed_plays(seed + i, kinds_drawn(), NULL, setting("XW_COMMANDS", DAY_COMMANDS), 100);
}

static void invariants_hold_after_every_command(void **state)
{
    (void)state;
    for (uint64_t seed = 1000001; seed <= 1000020; seed++)
        seed_plays(seed, kinds_drawn(), NULL, DAY_COMMANDS, 1);
}

// Walks that need several steps, many orders at a price.
static void large_books_pause_and_go_on_as_the_naive_venue_does_not_have_to(void **state)
{
    (void)state;
    unsigned most = 0;
    for (uint64_t seed = 2000001; seed <= 2000012; seed++) {
        struct rig_day day = flow_day(seed, kinds_drawn());
        day.max_orders = day.max_special = 6000;
        day.max_conditional = 1500;
        day.max_levels = 20000;
        unsigned steps = seed_plays(seed, kinds_drawn(), &day, 15000, 1500);
        most = steps > most ? steps : most;
    }
    assert_true(most > 2); // 64 events are a step
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_million_random_commands_give_the_naive_venues_events),
        cmocka_unit_test(invariants_hold_after_every_command),
        cmocka_unit_test(large_books_pause_and_go_on_as_the_naive_venue_does_not_have_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
