// SPDX-License-Identifier: Apache-2.0
// The writer, the thread and the drain against real files: what goes in comes out, and a failing disk releases nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/journal/journal.h"
#include "tests/support/journal_rig.h"

// Stands before the library's: the kernel may have no memory for one more write.
static bool submit_fails;

int io_uring_submit(struct io_uring *ring)
{
    static int (*real)(struct io_uring *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "io_uring_submit");
    return submit_fails ? -EAGAIN : real(ring);
}

static void what_is_written_is_read_in_order_from_several_cores(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 16);
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, rig.lanes, RIG_CORES, &options);
    assert_non_null(thread);
    uint64_t last[RIG_CORES] = {0};
    srand(11);
    for (int i = 0; i < 4000; i++) {
        unsigned core = (unsigned)rand() % RIG_CORES, count = 1 + (unsigned)rand() % 40;
        while (!rig_produce(rig.rings[core], core, count))
            sched_yield();
        last[core] += count;
    }
    assert_int_equal(journal_thread_stop(thread), JOURNAL_OK);
    for (unsigned core = 0; core < RIG_CORES; core++) {
        assert_int_equal(atomic_load(&rig.ports[core].durable_seq), last[core]);
        assert_int_equal(atomic_load(&rig.rings[core]->consumed), last[core]);
    }
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = rig_read_and_check(&rig, last);
    assert_true(report.closed);
    assert_false(report.torn);
    assert_int_equal(report.records, last[0] + last[1] + last[2]);
    rig_tear_down(&rig);
}

static void many_small_segments_and_epochs_make_one_journal(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    uint64_t last[RIG_CORES] = {0};
    for (unsigned epoch = 1; epoch <= 3; epoch++) {
        struct journal_writer *writer = rig_open_writer(&rig, &report, 1); // 255 blocks, 7,874 records
        assert_int_equal(journal_writer_epoch(writer), epoch);
        for (int i = 0; i < 20; i++) {
            assert_true(rig_produce(rig.rings[0], 0, RIG_DEPTH));
            last[0] += RIG_DEPTH;
            assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
        }
        assert_true(journal_writer_counts(writer).segments >= 3);
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        report = rig_read_and_check(&rig, last);
        assert_int_equal(report.epochs, epoch);
    }
    assert_true(report.segments >= 9);
    rig_tear_down(&rig);
}

static void with_ack_matched_durable_seq_is_left_alone(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    atomic_store(&rig.ports[0].durable_seq, UINT64_MAX);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 16);
    const struct journal_thread_options options = {.survive = true};
    struct journal_thread *thread = journal_thread_start(writer, rig.lanes, RIG_CORES, &options);
    uint64_t last[RIG_CORES] = {0};
    for (int i = 0; i < 50; i++) {
        while (!rig_produce(rig.rings[0], 0, 500))
            sched_yield();
        last[0] += 500;
    }
    assert_int_equal(journal_thread_stop(thread), JOURNAL_OK);
    assert_true(atomic_load(&rig.ports[0].durable_seq) == UINT64_MAX);
    assert_int_equal(atomic_load(&rig.rings[0]->consumed), last[0]);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_read_and_check(&rig, last);
    rig_tear_down(&rig);
}

static void a_gap_in_a_ring_is_fatal_and_nothing_after_it_is_released(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 16);
    ring_rebase(rig.rings[1], 5); // as if commands 1..5 had been lost
    assert_true(rig_produce(rig.rings[1], 1, 10));
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_GAP);
    assert_int_equal(atomic_load(&rig.rings[1]->consumed), 5);
    assert_non_null(strstr(journal_writer_text(writer), "from sequence 0 to 6"));
    assert_int_equal(journal_writer_close(writer), JOURNAL_GAP);
    rig_read_and_check(&rig, (uint64_t[RIG_CORES]){0});
    rig_tear_down(&rig);
}

static void two_writers_of_one_day_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    struct journal_writer *second;
    char text[256];
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 16);
    const struct journal_writer_options options = {.segment_mb = 16, .commit_kb = 64};
    assert_int_equal(journal_writer_open(&second, &rig.identity, &options, &report, text, sizeof text), JOURNAL_BUSY);
    assert_null(second);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_tear_down(&rig);
}

// The kernel refuses writes past RLIMIT_FSIZE: a real failure, and a real short write where the limit cuts one.
static void fail_by_limit(uint64_t limit)
{
    struct rig rig;
    struct journal_report report;
    struct rlimit before, low;
    rig_set_up(&rig);
    signal(SIGXFSZ, SIG_IGN);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 16);
    assert_true(rig_produce(rig.rings[0], 0, 10));
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    low = before;
    low.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_true(rig_produce(rig.rings[0], 0, 200));
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, rig.lanes, RIG_CORES, &options);
    while (journal_thread_running(thread))
        sched_yield();
    assert_int_equal(journal_thread_stop(thread), JOURNAL_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(atomic_load(&rig.rings[0]->consumed), 10);
    assert_int_equal(atomic_load(&rig.ports[0].durable_seq), 10);
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_IO); // never tried again
    assert_int_equal(atomic_load(&rig.rings[0]->consumed), 10);
    assert_int_equal(journal_writer_close(writer), JOURNAL_IO);

    // The commands still stand in the ring: the next start has them all.
    writer = rig_open_writer(&rig, &report, 16);
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_read_and_check(&rig, (uint64_t[RIG_CORES]){210});
    rig_tear_down(&rig);
}

static void a_failed_write_is_final_and_loses_nothing(void **state)
{
    (void)state;
    fail_by_limit(2 * JOURNAL_BLOCK);
}

static void a_short_write_is_final_and_loses_nothing(void **state)
{
    (void)state;
    fail_by_limit(4 * JOURNAL_BLOCK);
}

static void a_full_disk_stops_acknowledgements_and_loses_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    char mounted[] = "/tmp/xwfull.XXXXXX";
    assert_non_null(mkdtemp(mounted));
    if (mount("tmpfs", mounted, "tmpfs", 0, "size=5m") != 0) {
        print_message("skipped: mounting a small tmpfs: %s\n", strerror(errno));
        rmdir(mounted);
        skip();
    }
    rig_set_up_in(&rig, mounted);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 2); // two of them fit, the third does not
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, rig.lanes, RIG_CORES, &options);
    while (journal_thread_running(thread))
        if (!rig_produce(rig.rings[0], 0, 64))
            sched_yield();
    assert_true(journal_writer_counts(writer).space_low);
    assert_int_equal(journal_thread_stop(thread), JOURNAL_SPACE);
    uint64_t released = atomic_load(&rig.ports[0].durable_seq), produced = atomic_load(&rig.rings[0]->produced);
    assert_int_equal(atomic_load(&rig.rings[0]->consumed), released);
    assert_true(produced > released);
    assert_int_equal(journal_writer_close(writer), JOURNAL_SPACE);
    rig_read_and_check(&rig, (uint64_t[RIG_CORES]){released});

    assert_int_equal(mount("tmpfs", mounted, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    writer = rig_open_writer(&rig, &report, 2);
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_read_and_check(&rig, (uint64_t[RIG_CORES]){produced});
    rig_tear_down(&rig);
    assert_int_equal(umount(mounted), 0);
    rmdir(mounted);
}

static void a_write_that_can_not_be_started_is_final_and_not_waited_for(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    uint64_t last[RIG_CORES] = {0, 7, 0};
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    assert_true(rig_produce(rig.rings[1], 1, 7));
    alarm(60); // before, this waited for a completion that never comes
    submit_fails = true;
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_IO);
    submit_fails = false;
    assert_int_equal(journal_writer_close(writer), JOURNAL_IO);
    alarm(0);
    assert_int_equal(atomic_load(&rig.rings[1]->consumed), 0);
    writer = rig_open_writer(&rig, &report, 1);
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = rig_read_and_check(&rig, last);
    assert_int_equal(report.records, 7);
    rig_tear_down(&rig);
}

static void a_read_only_directory_is_refused_with_one_line(void **state)
{
    (void)state;
    struct journal_writer *writer;
    struct journal_report report = {0};
    char text[256] = "";
    const struct journal_identity identity = {.directory = "/proc/journal", .instance = "test", .date = RIG_DATE};
    const struct journal_writer_options options = {.segment_mb = 16, .commit_kb = 64};
    assert_int_equal(journal_writer_open(&writer, &identity, &options, &report, text, sizeof text), JOURNAL_SYSTEM);
    assert_non_null(strstr(text, "/proc/journal"));
    assert_null(strchr(text, '\n'));
}

static uint64_t durable_in_all(const struct rig *rig)
{
    uint64_t sum = 0;
    for (unsigned core = 0; core < RIG_CORES; core++)
        sum += atomic_load(&rig->ports[core].durable_seq);
    return sum;
}

// Until more than `before` is released, or the child has given up.
static void wait_for_release(const struct rig *rig, uint64_t before, pid_t child)
{
    siginfo_t ended = {0};
    while (durable_in_all(rig) == before && ended.si_pid == 0) {
        usleep(200);
        waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
    }
}

// A child drains and is killed; the next goes on at the rings' cursors. The parent produces meanwhile.
static void a_consumer_killed_at_any_point_loses_and_doubles_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    uint64_t last[RIG_CORES] = {0};
    unsigned seed = 4711;
    for (int round = 0; round < 40; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct journal_writer *writer;
            char text[256];
            const struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 16};
            if (journal_scan(&rig.identity, &report) ||
                journal_writer_open(&writer, &rig.identity, &options, &report, text, sizeof text))
                _exit(1);
            const struct journal_thread_options thread_options = {.durable = true};
            journal_thread_start(writer, rig.lanes, RIG_CORES, &thread_options);
            for (;;)
                pause();
        }
        // So many commands, then the kill, wherever the child then is: still opening, or in the middle of a commit.
        int bursts = rand_r(&seed) % 120;
        for (int i = 0; i < bursts; i++) {
            unsigned core = (unsigned)rand_r(&seed) % RIG_CORES, count = 1 + (unsigned)rand_r(&seed) % 60;
            if (rig_produce(rig.rings[core], core, count))
                last[core] += count;
            else
                usleep(200);
        }
        if (round % 8 == 7) { // on a slow disk no child would come so far by itself
            const uint64_t before = durable_in_all(&rig);
            last[0] += rig_produce(rig.rings[0], 0, 1);
            wait_for_release(&rig, before, child);
        }
        usleep((useconds_t)(rand_r(&seed) % 8000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); // it had not given up by itself
        enum journal_result result = journal_scan(&rig.identity, &report);
        if (result)
            fail_msg("round %d: %s", round, report.text);
        for (unsigned core = 0; core < RIG_CORES; core++) {
            uint64_t durable = atomic_load(&rig.ports[core].durable_seq);
            assert_true(report.last_seq[core] >= durable);
            assert_true(atomic_load(&rig.rings[core]->consumed) <= report.last_seq[core]);
        }
    }
    assert_true(durable_in_all(&rig) > 0);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = rig_read_and_check(&rig, last);
    assert_int_equal(report.duplicates, 0);
    assert_int_equal(report.records, last[0] + last[1] + last[2]);
    rig_tear_down(&rig);
}

static void a_live_journal_can_be_read_up_to_what_is_durable(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    for (int i = 0; i < 30; i++) {
        const struct command *record;
        struct journal_reader *reader;
        assert_true(rig_produce(rig.rings[2], 2, RIG_DEPTH - 1));
        assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
        struct journal_place until = journal_writer_position(writer);
        uint64_t durable = journal_writer_durable(writer, 2);
        assert_true(rig_produce(rig.rings[2], 2, 1));
        assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
        assert_int_equal(journal_reader_open(&reader, &rig.identity, NULL), JOURNAL_OK);
        journal_reader_until(reader, until);
        while (journal_reader_next(reader, &record) == JOURNAL_OK)
            ;
        assert_int_equal(journal_reader_next(reader, &record), JOURNAL_END);
        assert_int_equal(journal_reader_report(reader)->last_seq[2], durable);
        journal_reader_close(reader);
    }
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_tear_down(&rig);
}

static void dates_are_listed_in_order(void **state)
{
    (void)state;
    struct rig rig;
    char path[96];
    uint32_t dates[4];
    rig_set_up(&rig);
    const char *const names[] = {"20260107", "20251231", "notes", "2026010", "20260105"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", rig.directory, names[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    assert_int_equal(journal_dates(rig.directory, dates, 4), 3);
    assert_int_equal(dates[0], 20251231);
    assert_int_equal(dates[1], 20260105);
    assert_int_equal(dates[2], 20260107);
    rig_tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_in_order_from_several_cores),
        cmocka_unit_test(many_small_segments_and_epochs_make_one_journal),
        cmocka_unit_test(with_ack_matched_durable_seq_is_left_alone),
        cmocka_unit_test(a_gap_in_a_ring_is_fatal_and_nothing_after_it_is_released),
        cmocka_unit_test(two_writers_of_one_day_are_refused),
        cmocka_unit_test(a_failed_write_is_final_and_loses_nothing),
        cmocka_unit_test(a_short_write_is_final_and_loses_nothing),
        cmocka_unit_test(a_full_disk_stops_acknowledgements_and_loses_nothing),
        cmocka_unit_test(a_write_that_can_not_be_started_is_final_and_not_waited_for),
        cmocka_unit_test(a_read_only_directory_is_refused_with_one_line),
        cmocka_unit_test(a_consumer_killed_at_any_point_loses_and_doubles_nothing),
        cmocka_unit_test(a_live_journal_can_be_read_up_to_what_is_durable),
        cmocka_unit_test(dates_are_listed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
