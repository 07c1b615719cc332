// SPDX-License-Identifier: Apache-2.0
#include "tests/support/both_venues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/assert.h"
#include "tests/support/naive_state.h"
#include "tests/support/properties.h"
#include "tests/support/scenario.h"

// What a process that plays a day tells the one that waits for it.
struct report {
    size_t at; // the command that it was at
    struct both_seen seen;
    char text[2000];
};

struct play {
    struct rig rig;
    struct naive_venue *naive;
    struct report *report;
    const struct command *commands;
    size_t before;
    struct properties *properties;
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

// What the day was about.
static void note(struct play *play, const struct command *c)
{
    struct both_seen *seen = &play->report->seen;
    const struct rig *rig = &play->rig;
    unsigned limit = engine_limit_refused(rig->engine);
    bool entry = c->type == CMD_ENTER || c->type == CMD_REPLACE;
    seen->steps = rig->steps > seen->steps ? rig->steps : seen->steps;
    for (size_t i = 0; i < rig->count; i++) {
        const struct event *e = &rig->events[i];
        if (e->type == EV_REJECTED) {
            seen->rejects[(uint8_t)e->reason]++;
            if (entry && limit < LIMITS)
                seen->refused[limit][(uint8_t)e->reason]++;
        } else if (e->type == EV_ALERT && e->quantity <= LIMITS)
            seen->alerts[e->reason & 127][e->quantity]++;
        else if (e->type < EV_DAY_OPEN)
            seen->events[e->type]++;
    }
}

// What no strategy, or '*', stands for in the command's session.
static char strategy_of(const struct play *play, const struct command *c)
{
    const struct client *client = c->session == SESSION_NONE ? NULL : play->naive->clients[c->session];
    return client && client->strategy ? client->strategy : 'N';
}

static void compare(struct play *play, struct command *c)
{
    struct rig *rig = &play->rig;
    size_t count;
    if (play->differs)
        return;
    rig_step(rig, c);
    note(play, c);
    const struct event *want = naive_step(play->naive, c, &count);
    demands_note(&play->report->seen.demands, c, want, count, play->naive->phase, strategy_of(play, c));
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
    const char *broken = properties_check(play->properties, play->naive, play->report->seen.properties, want, count);
    if (broken && !play->differs)
        differ(play, broken, NULL, NULL);
}

// The day's opening, the commands for the time before the start among it.
static void open(void *context, struct command *c)
{
    struct play *play = context;
    for (size_t i = 0; c->type == CMD_START && i < play->before && !play->differs; i++) {
        struct command early = play->commands[i];
        play->report->at = i;
        compare(play, &early);
    }
    compare(play, c);
}

// How many are for the time before the start: a day's positions are said then.
static size_t count_before(const struct command *commands, size_t count)
{
    while (count > 0 && commands[count - 1].type != CMD_POSITION)
        count--;
    return count;
}

// Plays the commands; false with the report filled in when something differs. `check_every`: commands between two walks
// over the engine's invariants.
static bool play_day(const struct rig_day *day, const struct command *commands, size_t count, unsigned check_every,
                     struct report *report)
{
    struct play play = {.naive = naive_new(),
                        .report = report,
                        .commands = commands,
                        .before = count_before(commands, count),
                        .properties = calloc(1, sizeof(struct properties))};
    rig_new(&play.rig, day, 0);
    report->at = SIZE_MAX;
    rig_opening(day, open, &play);
    for (size_t i = play.before; i < count && !play.differs; i++) {
        struct command c = commands[i];
        report->at = i;
        compare(&play, &c);
        const char *broken = check_every && i % check_every == 0 ? engine_check(play.rig.engine) : NULL;
        if (broken)
            differ(&play, broken, NULL, NULL);
    }
    rig_free(&play.rig);
    naive_free(play.naive);
    free(play.properties);
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
    size_t before = count_before(commands, count);
    printf("= found by a random day\n@ symbols=%u tick3=%u sessions=%u accounts=%u phase=%c orders=%u levels=%u "
           "special=%u "
           "conditional=%u trades=%u positions=%u seed=%u",
           day->symbols, day->ticks[2], day->sessions, day->accounts, day->phase ? day->phase : 'R', day->max_orders,
           day->max_levels, day->max_special, day->max_conditional, day->max_trades, day->max_positions,
           (unsigned)day->seed);
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
        printf("%s%s\n", i < before ? "@@ " : "", text);
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

bool both_play(uint64_t seed, const struct rig_day *day, struct command *commands, size_t count, unsigned check_every,
               struct both_seen *seen)
{
    struct report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    xw_assert(report != MAP_FAILED);
    report->seen = *seen;
    bool same = play_apart(day, commands, count, getenv("XW_NOCHECK") ? 0 : check_every, report, false);
    *seen = report->seen;
    if (!same) {
        printf("seed %llu, command %zu: %s\n", (unsigned long long)seed, report->at, report->text);
        size_t left = shrink(day, commands, report->at < count ? report->at + 1 : count, report);
        print_scenario(day, commands, left);
        printf("# %s\n", report->text);
    }
    munmap(report, sizeof *report);
    return same;
}
