// SPDX-License-Identifier: Apache-2.0
// The real control process, killed, stopped and started again at seeded random moments under a played data plane that
// is killed and replaced too. The data plane's own record says what must stand in the journal: every command once, in
// order, and one opening.
//
// XW_SEED=n runs that seed instead of the fixed ones, XW_ROUNDS=n sets how often control is started.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "control/recovery/ring_adopt.h"
#include "control/service.h"
#include "tests/support/control_stage.h"

enum { PATIENCE_MS = 60000, ROUNDS = 25 };

extern char **environ;

static struct stage stage;
static char log_path[256];
static uint64_t random_state;

// ---- control in a process of its own --------------------------------------------------------------------------------

static void pause_us(uint64_t us)
{
    struct timespec pause = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000 * 1000)};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        ;
}

// This program again, with other arguments. Returns once it runs, so that it holds none of our files and locks.
static pid_t start_control(void)
{
    pid_t pid;
    char *arguments[] = {"test_control_kill", "--control", stage.config_path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static int be_control(const char *config_path)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails leaves nothing behind
    return service_run(config_path);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return status;
}

static void fail_with_log(const char *what, int status)
{
    char command[320];
    snprintf(command, sizeof command, "tail -n 5 '%s' >&2", log_path);
    if (system(command) != 0)
        fputs("no log\n", stderr);
    fail_msg("%s, status %x, in %s", what, (unsigned)status, stage.directory);
}

static void require_exit(pid_t pid, int code)
{
    int status = wait_for(pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
        fail_with_log("control ended in another way", status);
}

// Control must have been alive until now.
static void kill_control(pid_t pid)
{
    kill(pid, SIGKILL);
    int status = wait_for(pid);
    if (!WIFSIGNALED(status))
        fail_with_log("control ended by itself", status);
}

static void require_alive(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, WNOHANG) != 0)
        fail_with_log("control ended by itself", status);
}

// ---- the stage ------------------------------------------------------------------------------------------------------

static void open_stage(unsigned cores, const char *ack, unsigned ring_depth)
{
    stage_open(&stage, cores, ack, ring_depth);
    snprintf(log_path, sizeof log_path, "%s/log", stage.directory);
}

static void replace_dataplane(uint64_t seed)
{
    stage_kill_dataplane(&stage);
    stage_start_dataplane(&stage, UINT64_MAX, seed);
}

static bool all_done(void)
{
    bool done = true;
    for (unsigned i = 0; i < STAGE_CORES && i < stage.config->matchers_count; i++) {
        struct stage_core *core = &stage.cores[i];
        uint64_t left = atomic_load(&core->orders_left); // before the ring: what was made stands there
        done &= (left == 0 || atomic_load(&core->sequenced) >= STAGE_ORDERS) &&
                atomic_load(&core->journal->consumed) == atomic_load(&core->sequenced);
    }
    return done;
}

// Until every core has sequenced all the orders that it is to make up, and control has made them durable: a control
// that is stopped while a data plane runs on leaves what it has not taken yet to the next one.
static void wait_until_done(pid_t control)
{
    for (unsigned ms = 0; !all_done(); ms++) {
        require_alive(control);
        if (ms > PATIENCE_MS)
            fail_with_log("the cores do not get on", 0);
        pause_us(1000);
    }
}

static void stop_and_check(pid_t control)
{
    wait_until_done(control);
    kill(control, SIGTERM);
    require_exit(control, EX_OK);
    stage_check_journal(&stage);
}

// A control that is left alone, with 500 more orders; then once more from the journal alone.
static void finish(void)
{
    for (unsigned i = 0; i < STAGE_CORES && i < stage.config->matchers_count; i++)
        atomic_store(&stage.cores[i].orders_left, 500);
    stop_and_check(start_control());
    stage_kill_dataplane(&stage);
    stage_start_dataplane(&stage, 100, 1);
    stop_and_check(start_control());
    stage_close(&stage);
}

// ---- a round: control is started, and comes to no good --------------------------------------------------------------

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void pause_up_to_us(uint64_t most)
{
    pause_us(draw() % (most + 1));
}

// Mostly within start, recovery and opening, sometimes well after.
static void pause_somewhere(void)
{
    pause_up_to_us(draw() % 4 ? 12000 : 60000);
}

static void round_killed(void)
{
    pid_t control = start_control();
    pause_somewhere();
    kill_control(control);
}

static unsigned newest_segment(void)
{
    char path[256];
    unsigned newest = 0;
    snprintf(path, sizeof path, "%s/%08u", stage.config->journal_directory, stage.config->date);
    DIR *day = opendir(path);
    for (struct dirent *entry; day && (entry = readdir(day));)
        if ((unsigned)atoi(entry->d_name) > newest)
            newest = (unsigned)atoi(entry->d_name);
    if (day)
        closedir(day);
    return newest;
}

// About when the journal goes on to its next segment: that is when the one after it is made.
static void round_killed_at_a_segment(void)
{
    pid_t control = start_control();
    pause_us(3000);
    unsigned newest = newest_segment();
    for (unsigned i = 0; i < 300 && newest_segment() == newest; i++)
        pause_us(200);
    pause_up_to_us(draw() % 2 ? 200 : 2000);
    kill_control(control);
}

// Asked to stop, and not given the time: it may just make it.
static void round_killed_while_stopping(void)
{
    pid_t control = start_control();
    pause_somewhere();
    require_alive(control);
    kill(control, SIGTERM);
    pause_up_to_us(draw() % 2 ? 1000 : 10000);
    kill(control, SIGKILL);
    int status = wait_for(control);
    if (WIFEXITED(status) && WEXITSTATUS(status) != EX_OK)
        fail_with_log("control ended badly", status);
}

// Two at once: one of them is refused. When that one came first to the lock, the other is.
static void round_of_two(void)
{
    pid_t both[2] = {start_control(), start_control()};
    pause_somewhere();
    unsigned refused = 0;
    for (unsigned i = 0; i < 2; i++) {
        kill(both[i], SIGKILL);
        int status = wait_for(both[i]);
        if (WIFEXITED(status) && WEXITSTATUS(status) != EX_UNAVAILABLE)
            fail_with_log("control ended by itself", status);
        refused += WIFEXITED(status);
    }
    assert_true(refused < 2);
}

// One data plane after the other dies under control's eyes, some before they ever ran.
static void round_of_replaced(void)
{
    pid_t control = start_control();
    for (uint64_t deaths = 1 + draw() % 3; deaths-- > 0;) {
        pause_somewhere();
        stage_kill_dataplane(&stage);
        if (draw() % 2) // control sees it, or it does not
            pause_up_to_us(60000);
        stage_start_dataplane(&stage, UINT64_MAX, draw());
    }
    if (draw() % 2)
        pause_somewhere();
    kill_control(control);
}

// Dead generations with no control there, of which all but the first never ran.
static void round_of_unseen(void)
{
    round_killed();
    for (uint64_t deaths = 1 + draw() % 3; deaths-- > 0;) {
        replace_dataplane(draw());
        if (draw() % 2)
            pause_up_to_us(2000);
    }
    pid_t control = start_control();
    pause_up_to_us(6000); // in the drain, often
    kill_control(control);
}

// Control stands still while the data plane is replaced, and then goes on with what it held for true.
static void round_held(void)
{
    pid_t control = start_control();
    pause_somewhere();
    kill(control, SIGSTOP);
    for (uint64_t deaths = draw() % 3; deaths-- > 0;) {
        replace_dataplane(draw());
        pause_up_to_us(2000);
    }
    kill(control, SIGCONT);
    pause_somewhere();
    kill_control(control);
}

static void (*const rounds[])(void) = {
    round_killed,
    round_killed_at_a_segment,
    round_killed_while_stopping,
    round_of_two,
    round_killed,
    round_of_replaced,
    round_of_unseen,
    round_held,
};

// The first four rounds leave the data plane alone.
enum { ROUNDS_CONTROL = 4, ROUNDS_BOTH = 8 };

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void play(unsigned cores, const char *ack, unsigned ring_depth, uint64_t seed, unsigned kinds)
{
    seed = setting("XW_SEED", seed);
    uint64_t count = setting("XW_ROUNDS", ROUNDS);
    random_state = (seed + 1000 * kinds + cores) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    open_stage(cores, ack, ring_depth);
    stage_start_dataplane(&stage, UINT64_MAX, seed);
    for (uint64_t i = 0; i < count; i++) {
        rounds[draw() % kinds]();
        stage_check_released(&stage);
    }
    finish();
}

static void nothing_is_lost_or_doubled_when_control_is_killed(void **state)
{
    (void)state;
    play(1, "durable", 4096, 1, ROUNDS_CONTROL);
    play(2, "durable", 256, 2, ROUNDS_CONTROL);
}

static void nor_when_both_are_killed(void **state)
{
    (void)state;
    play(1, "durable", 256, 11, ROUNDS_BOTH);
    play(2, "durable", 4096, 12, ROUNDS_BOTH);
}

static void nor_with_ack_matched(void **state)
{
    (void)state;
    play(1, "matched", 4096, 21, ROUNDS_BOTH);
    play(2, "matched", 256, 22, ROUNDS_BOTH);
}

// ---- single cases ---------------------------------------------------------------------------------------------------

static void a_second_control_of_the_instance_is_refused(void **state)
{
    (void)state;
    open_stage(1, "durable", 256);
    stage_start_dataplane(&stage, 50, 1);
    pid_t first = start_control();
    wait_until_done(first);
    require_exit(start_control(), EX_UNAVAILABLE);
    stop_and_check(first);
    stage_close(&stage);
}

static void a_data_plane_of_another_configuration_is_refused(void **state)
{
    (void)state;
    open_stage(1, "durable", 256);
    stage.config->hash ^= 1;
    stage_start_dataplane(&stage, 50, 1);
    require_exit(start_control(), EX_CONFIG);
    stage_close(&stage);
}

static void a_missing_journal_directory_is_said(void **state)
{
    (void)state;
    char path[256];
    open_stage(1, "durable", 256);
    snprintf(path, sizeof path, "%s/journal", stage.directory);
    assert_int_equal(rmdir(path), 0);
    require_exit(start_control(), EX_CANTCREAT);
    stage_close(&stage);
}

// How often control has recovered a data plane, by its log.
static unsigned recoveries(void)
{
    char line[4096];
    unsigned count = 0;
    FILE *log = fopen(log_path, "r");
    while (log && fgets(line, sizeof line, log))
        count += strstr(line, "\"XW2004\"") != NULL;
    if (log)
        fclose(log);
    return count;
}

static void wait_for_recovery(pid_t control, unsigned times)
{
    for (unsigned ms = 0; recoveries() < times; ms++) {
        require_alive(control);
        if (ms > PATIENCE_MS)
            fail_with_log("control does not recover", 0);
        pause_us(1000);
    }
}

// A control that waited for a moment without orders would be here only after the last of them, forty times later than
// one that does not.
static void come_and_go_under_load(const char *ack)
{
    open_stage(2, ack, 4096);
    stage.hurry = true;
    stage_start_dataplane(&stage, UINT64_MAX, 1);
    pid_t control = start_control();
    wait_for_recovery(control, 1);
    kill_control(control);
    control = start_control();
    wait_for_recovery(control, 2);
    kill(control, SIGTERM);
    require_exit(control, EX_OK);
    for (unsigned i = 0; i < STAGE_CORES; i++)
        assert_true(atomic_load(&stage.cores[i].sequenced) < STAGE_ORDERS);
    finish();
}

static void control_joins_and_stops_while_orders_pour_in(void **state)
{
    (void)state;
    come_and_go_under_load("durable");
    come_and_go_under_load("matched");
}

// With no control there: until every core has orders that only its ring holds.
static void wait_for_undrained(void)
{
    for (unsigned i = 0; i < STAGE_CORES && i < stage.config->matchers_count; i++) {
        const struct stage_core *core = &stage.cores[i];
        for (unsigned ms = 0; atomic_load(&core->sequenced) < atomic_load(&core->journal->consumed) + 1000; ms++) {
            assert_true(ms < PATIENCE_MS);
            pause_us(1000);
        }
    }
}

// Control is killed with a command on its way to a core that takes none, because nobody makes room in its journal ring:
// the next control does, before it waits for the command to be taken.
static void a_core_that_is_held_up_does_not_hold_up_the_next_control(void **state)
{
    (void)state;
    open_stage(1, "durable", 256);
    stage.hurry = true;
    stage_start_dataplane(&stage, UINT64_MAX, 1);
    pid_t control = start_control();
    wait_for_recovery(control, 1);
    kill_control(control);
    struct stage_core *core = &stage.cores[0];
    for (unsigned ms = 0; ring_ready(core->journal, 0, core->journal->depth) < core->journal->depth; ms++) {
        assert_true(ms < PATIENCE_MS);
        pause_us(1000);
    }
    struct command clock = {.type = CMD_CLOCK, .session = SESSION_NONE, .clock.offset_ns = core->offset_ns};
    ring_adopt(core->commands);
    assert_true(ring_room(core->commands, 1) >= 1);
    memcpy((char *)ring_slot(core->commands, 0) + sizeof clock.seq, (char *)&clock + sizeof clock.seq,
           sizeof clock - sizeof clock.seq);
    ring_publish(core->commands, 1);
    control = start_control();
    wait_for_recovery(control, 2);
    kill_control(control);
    finish();
}

// A data plane that was started again and again with no control there.
static void no_dead_generation_is_passed_over_among_many(void **state)
{
    (void)state;
    open_stage(1, "durable", 256);
    stage_start_dataplane(&stage, UINT64_MAX, 1);
    pid_t control = start_control();
    wait_for_recovery(control, 1);
    kill_control(control);
    wait_for_undrained();
    for (unsigned i = 0; i < 70; i++)
        replace_dataplane(i);
    finish();
}

static bool generations_left(void)
{
    uint64_t list[1];
    return region_list(stage.config->run_directory, stage.config->instance, list, 1) > 0;
}

// The data plane dies with orders that only its rings hold, and the next control is of another trading date. However
// often that one is killed, they end in the journal of the day that they belong to.
static void what_yesterday_left_goes_to_yesterdays_journal(void **state)
{
    (void)state;
    char command[512];
    random_state = setting("XW_SEED", 31) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    open_stage(2, "durable", 4096);
    stage_start_dataplane(&stage, UINT64_MAX, 1);
    pid_t control = start_control();
    wait_for_recovery(control, 1);
    kill_control(control);
    wait_for_undrained();
    stage_kill_dataplane(&stage);
    snprintf(command, sizeof command, "sed -i 's/2024-03-15/2024-03-18/' '%s'", stage.config_path);
    assert_int_equal(system(command), 0);
    for (unsigned i = 0; i < 12; i++) {
        control = start_control();
        pause_up_to_us(10000);
        kill_control(control);
    }
    control = start_control();
    for (unsigned ms = 0; generations_left() && ms < PATIENCE_MS; ms++)
        pause_us(1000);
    kill(control, SIGTERM);
    require_exit(control, EX_OK);
    assert_false(generations_left());
    stage_check_journal(&stage);
    stage_close(&stage);
}

// After a failure: the next test finds a stage that stands still. What failed stays in its directory.
static int stop_dataplane(void **state)
{
    (void)state;
    stage_kill_dataplane(&stage);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--control") == 0)
        return be_control(argv[2]);
#define TEST(name) cmocka_unit_test_teardown(name, stop_dataplane)
    const struct CMUnitTest tests[] = {
        TEST(a_second_control_of_the_instance_is_refused),
        TEST(a_data_plane_of_another_configuration_is_refused),
        TEST(a_missing_journal_directory_is_said),
        TEST(control_joins_and_stops_while_orders_pour_in),
        TEST(a_core_that_is_held_up_does_not_hold_up_the_next_control),
        TEST(no_dead_generation_is_passed_over_among_many),
        TEST(what_yesterday_left_goes_to_yesterdays_journal),
        TEST(nothing_is_lost_or_doubled_when_control_is_killed),
        TEST(nor_when_both_are_killed),
        TEST(nor_with_ack_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
