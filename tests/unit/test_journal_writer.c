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

#include "control/journal.h"

enum { DATE = 20260105, DEPTH = 1024, CORES = 3 };

// Stands before the library's: the kernel may have no memory for one more write.
static bool submit_fails;

int io_uring_submit(struct io_uring *ring)
{
    static int (*real)(struct io_uring *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "io_uring_submit");
    return submit_fails ? -EAGAIN : real(ring);
}

struct place { // a journal directory and rings of CORES matching cores, shared with forked children
    char directory[64];
    struct journal_identity identity;
    struct ring *rings[CORES];
    struct matcher_port *ports;
    struct journal_lane lanes[CORES];
};

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void remove_all(const char *directory)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void set_up_in(struct place *place, const char *parent)
{
    memset(place, 0, sizeof *place);
    snprintf(place->directory, sizeof place->directory, "%s/xwj.XXXXXX", parent);
    assert_non_null(mkdtemp(place->directory));
    place->identity = (struct journal_identity){place->directory, "test", DATE, 77, NULL};
    place->ports = shared(CORES * sizeof *place->ports);
    for (unsigned i = 0; i < CORES; i++) {
        place->rings[i] = ring_new(shared(ring_footprint(DEPTH, 128)), DEPTH, 128, 0);
        place->lanes[i] = (struct journal_lane){i, place->rings[i], &place->ports[i]};
    }
}

static void set_up(struct place *place)
{
    const char *parent = getenv("XW_TMP");
    set_up_in(place, parent ? parent : "/tmp");
}

static void tear_down(struct place *place)
{
    remove_all(place->directory);
    for (unsigned i = 0; i < CORES; i++)
        munmap(place->rings[i], ring_footprint(DEPTH, 128));
    munmap(place->ports, CORES * sizeof *place->ports);
}

// The content of a command is a function of core and sequence, so that it can be checked anywhere.
static void fill(struct command *command, unsigned core, uint64_t sequence)
{
    memset((char *)command + 8, 0, sizeof *command - 8);
    command->type = CMD_ENTER;
    command->time_ns = sequence * 3 + core;
    command->user_ref = (uint32_t)(sequence * 2654435761u) ^ core;
    command->group_id = (uint16_t)sequence;
}

// Publishes `count` commands on a core's ring; returns false when the ring has no room.
static bool produce(struct ring *ring, unsigned core, unsigned count)
{
    if (ring_room(ring, count) < count)
        return false;
    uint64_t next = atomic_load(&ring->produced) + 1;
    for (unsigned i = 0; i < count; i++)
        fill(ring_slot(ring, i), core, next + i);
    ring_publish(ring, count);
    return true;
}

static struct journal_writer *open_writer(const struct place *place, struct journal_report *report, uint32_t segment_mb)
{
    struct journal_writer *writer;
    char text[256] = "";
    const struct journal_writer_options options = {.segment_mb = segment_mb, .commit_kb = 64};
    enum journal_result result = journal_scan(&place->identity, report);
    if (result)
        fail_msg("%s", report->text);
    result = journal_writer_open(&writer, &place->identity, &options, report, text, sizeof text);
    if (result)
        fail_msg("%s", text);
    return writer;
}

// Reads everything, checks each record's content, and that each core's sequences end at `last`.
static struct journal_report read_and_check(const struct place *place, const uint64_t *last)
{
    struct journal_reader *reader;
    const struct command *record;
    struct journal_report report;
    enum journal_result result = journal_reader_open(&reader, &place->identity, &report);
    if (result)
        fail_msg("%s", report.text);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        struct command want;
        fill(&want, journal_core(record), journal_sequence(record));
        assert_memory_equal((const char *)record + 8, (const char *)&want + 8, sizeof want - 8);
    }
    report = *journal_reader_report(reader);
    if (result != JOURNAL_END)
        fail_msg("%s", report.text);
    for (unsigned core = 0; core < CORES; core++)
        assert_int_equal(report.last_seq[core], last[core]);
    journal_reader_close(reader);
    return report;
}

static void what_is_written_is_read_in_order_from_several_cores(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    struct journal_writer *writer = open_writer(&place, &report, 16);
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, place.lanes, CORES, &options);
    assert_non_null(thread);
    uint64_t last[CORES] = {0};
    srand(11);
    for (int i = 0; i < 4000; i++) {
        unsigned core = (unsigned)rand() % CORES, count = 1 + (unsigned)rand() % 40;
        while (!produce(place.rings[core], core, count))
            sched_yield();
        last[core] += count;
    }
    assert_int_equal(journal_thread_stop(thread), JOURNAL_OK);
    for (unsigned core = 0; core < CORES; core++) {
        assert_int_equal(atomic_load(&place.ports[core].durable_seq), last[core]);
        assert_int_equal(atomic_load(&place.rings[core]->consumed), last[core]);
    }
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = read_and_check(&place, last);
    assert_true(report.closed);
    assert_false(report.torn);
    assert_int_equal(report.records, last[0] + last[1] + last[2]);
    tear_down(&place);
}

static void many_small_segments_and_epochs_make_one_journal(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    uint64_t last[CORES] = {0};
    for (unsigned epoch = 1; epoch <= 3; epoch++) {
        struct journal_writer *writer = open_writer(&place, &report, 1); // 255 blocks, 7,874 records
        assert_int_equal(journal_writer_epoch(writer), epoch);
        for (int i = 0; i < 20; i++) {
            assert_true(produce(place.rings[0], 0, DEPTH));
            last[0] += DEPTH;
            assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
        }
        assert_true(journal_writer_counts(writer).segments >= 3);
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        report = read_and_check(&place, last);
        assert_int_equal(report.epochs, epoch);
    }
    assert_true(report.segments >= 9);
    tear_down(&place);
}

static void with_ack_matched_durable_seq_is_left_alone(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    atomic_store(&place.ports[0].durable_seq, UINT64_MAX);
    struct journal_writer *writer = open_writer(&place, &report, 16);
    const struct journal_thread_options options = {.survive = true};
    struct journal_thread *thread = journal_thread_start(writer, place.lanes, CORES, &options);
    uint64_t last[CORES] = {0};
    for (int i = 0; i < 50; i++) {
        while (!produce(place.rings[0], 0, 500))
            sched_yield();
        last[0] += 500;
    }
    assert_int_equal(journal_thread_stop(thread), JOURNAL_OK);
    assert_true(atomic_load(&place.ports[0].durable_seq) == UINT64_MAX);
    assert_int_equal(atomic_load(&place.rings[0]->consumed), last[0]);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    read_and_check(&place, last);
    tear_down(&place);
}

static void a_gap_in_a_ring_is_fatal_and_nothing_after_it_is_released(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    struct journal_writer *writer = open_writer(&place, &report, 16);
    ring_rebase(place.rings[1], 5); // as if commands 1..5 had been lost
    assert_true(produce(place.rings[1], 1, 10));
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_GAP);
    assert_int_equal(atomic_load(&place.rings[1]->consumed), 5);
    assert_non_null(strstr(journal_writer_text(writer), "from sequence 0 to 6"));
    assert_int_equal(journal_writer_close(writer), JOURNAL_GAP);
    read_and_check(&place, (uint64_t[CORES]){0});
    tear_down(&place);
}

static void two_writers_of_one_day_are_refused(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    struct journal_writer *second;
    char text[256];
    set_up(&place);
    struct journal_writer *writer = open_writer(&place, &report, 16);
    const struct journal_writer_options options = {.segment_mb = 16, .commit_kb = 64};
    assert_int_equal(journal_writer_open(&second, &place.identity, &options, &report, text, sizeof text), JOURNAL_BUSY);
    assert_null(second);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    tear_down(&place);
}

// The kernel refuses writes past RLIMIT_FSIZE: a real failure, and a real short write where the limit cuts one.
static void fail_by_limit(uint64_t limit)
{
    struct place place;
    struct journal_report report;
    struct rlimit before, low;
    set_up(&place);
    signal(SIGXFSZ, SIG_IGN);
    struct journal_writer *writer = open_writer(&place, &report, 16);
    assert_true(produce(place.rings[0], 0, 10));
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    low = before;
    low.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_true(produce(place.rings[0], 0, 200));
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, place.lanes, CORES, &options);
    while (journal_thread_running(thread))
        sched_yield();
    assert_int_equal(journal_thread_stop(thread), JOURNAL_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(atomic_load(&place.rings[0]->consumed), 10);
    assert_int_equal(atomic_load(&place.ports[0].durable_seq), 10);
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_IO); // never tried again
    assert_int_equal(atomic_load(&place.rings[0]->consumed), 10);
    assert_int_equal(journal_writer_close(writer), JOURNAL_IO);

    // The commands still stand in the ring: the next start has them all.
    writer = open_writer(&place, &report, 16);
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    read_and_check(&place, (uint64_t[CORES]){210});
    tear_down(&place);
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
    struct place place;
    struct journal_report report;
    char mounted[] = "/tmp/xwfull.XXXXXX";
    assert_non_null(mkdtemp(mounted));
    if (mount("tmpfs", mounted, "tmpfs", 0, "size=5m") != 0) {
        print_message("skipped: mounting a small tmpfs: %s\n", strerror(errno));
        rmdir(mounted);
        skip();
    }
    set_up_in(&place, mounted);
    struct journal_writer *writer = open_writer(&place, &report, 2); // two of them fit, the third does not
    const struct journal_thread_options options = {.durable = true, .survive = true};
    struct journal_thread *thread = journal_thread_start(writer, place.lanes, CORES, &options);
    while (journal_thread_running(thread))
        if (!produce(place.rings[0], 0, 64))
            sched_yield();
    assert_true(journal_writer_counts(writer).space_low);
    assert_int_equal(journal_thread_stop(thread), JOURNAL_SPACE);
    uint64_t released = atomic_load(&place.ports[0].durable_seq), produced = atomic_load(&place.rings[0]->produced);
    assert_int_equal(atomic_load(&place.rings[0]->consumed), released);
    assert_true(produced > released);
    assert_int_equal(journal_writer_close(writer), JOURNAL_SPACE);
    read_and_check(&place, (uint64_t[CORES]){released});

    assert_int_equal(mount("tmpfs", mounted, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    writer = open_writer(&place, &report, 2);
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    read_and_check(&place, (uint64_t[CORES]){produced});
    tear_down(&place);
    assert_int_equal(umount(mounted), 0);
    rmdir(mounted);
}

static void a_write_that_can_not_be_started_is_final_and_not_waited_for(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    uint64_t last[CORES] = {0, 7, 0};
    set_up(&place);
    struct journal_writer *writer = open_writer(&place, &report, 1);
    assert_true(produce(place.rings[1], 1, 7));
    alarm(20); // before, this waited for a completion that never comes
    submit_fails = true;
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_IO);
    submit_fails = false;
    assert_int_equal(journal_writer_close(writer), JOURNAL_IO);
    alarm(0);
    assert_int_equal(atomic_load(&place.rings[1]->consumed), 0);
    writer = open_writer(&place, &report, 1);
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = read_and_check(&place, last);
    assert_int_equal(report.records, 7);
    tear_down(&place);
}

static void a_read_only_directory_is_refused_with_one_line(void **state)
{
    (void)state;
    struct journal_writer *writer;
    struct journal_report report = {0};
    char text[256] = "";
    const struct journal_identity identity = {"/proc/journal", "test", DATE, 0, NULL};
    const struct journal_writer_options options = {.segment_mb = 16, .commit_kb = 64};
    assert_int_equal(journal_writer_open(&writer, &identity, &options, &report, text, sizeof text), JOURNAL_SYSTEM);
    assert_non_null(strstr(text, "/proc/journal"));
    assert_null(strchr(text, '\n'));
}

// A child drains and is killed; the next goes on at the rings' cursors. The parent produces meanwhile.
static void a_consumer_killed_at_any_point_loses_and_doubles_nothing(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    uint64_t last[CORES] = {0};
    uint64_t released = 0;
    unsigned seed = 4711;
    for (int round = 0; round < 40; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct journal_writer *writer;
            char text[256];
            const struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 16};
            if (journal_scan(&place.identity, &report) ||
                journal_writer_open(&writer, &place.identity, &options, &report, text, sizeof text))
                _exit(1);
            const struct journal_thread_options thread_options = {.durable = true};
            journal_thread_start(writer, place.lanes, CORES, &thread_options);
            for (;;)
                pause();
        }
        // So many commands, then the kill, wherever the child then is: still opening, or in the middle of a commit.
        int bursts = rand_r(&seed) % 120;
        for (int i = 0; i < bursts; i++) {
            unsigned core = (unsigned)rand_r(&seed) % CORES, count = 1 + (unsigned)rand_r(&seed) % 60;
            if (produce(place.rings[core], core, count))
                last[core] += count;
            else
                usleep(200);
        }
        usleep((useconds_t)(rand_r(&seed) % 8000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); // it had not given up by itself
        enum journal_result result = journal_scan(&place.identity, &report);
        if (result)
            fail_msg("round %d: %s", round, report.text);
        for (unsigned core = 0; core < CORES; core++) {
            uint64_t durable = atomic_load(&place.ports[core].durable_seq);
            assert_true(report.last_seq[core] >= durable);
            assert_true(atomic_load(&place.rings[core]->consumed) <= report.last_seq[core]);
            released += durable;
        }
    }
    assert_true(released > 0);
    struct journal_writer *writer = open_writer(&place, &report, 1);
    assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    report = read_and_check(&place, last);
    assert_int_equal(report.duplicates, 0);
    assert_int_equal(report.records, last[0] + last[1] + last[2]);
    tear_down(&place);
}

static void a_live_journal_can_be_read_up_to_what_is_durable(void **state)
{
    (void)state;
    struct place place;
    struct journal_report report;
    set_up(&place);
    struct journal_writer *writer = open_writer(&place, &report, 1);
    for (int i = 0; i < 30; i++) {
        const struct command *record;
        struct journal_reader *reader;
        assert_true(produce(place.rings[2], 2, DEPTH - 1));
        assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
        struct journal_place until = journal_writer_position(writer);
        uint64_t durable = journal_writer_durable(writer, 2);
        assert_true(produce(place.rings[2], 2, 1));
        assert_int_equal(journal_drain(writer, place.lanes, CORES), JOURNAL_OK);
        assert_int_equal(journal_reader_open(&reader, &place.identity, NULL), JOURNAL_OK);
        journal_reader_until(reader, until);
        while (journal_reader_next(reader, &record) == JOURNAL_OK)
            ;
        assert_int_equal(journal_reader_next(reader, &record), JOURNAL_END);
        assert_int_equal(journal_reader_report(reader)->last_seq[2], durable);
        journal_reader_close(reader);
    }
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    tear_down(&place);
}

static void dates_are_listed_in_order(void **state)
{
    (void)state;
    struct place place;
    char path[96];
    uint32_t dates[4];
    set_up(&place);
    const char *const names[] = {"20260107", "20251231", "notes", "2026010", "20260105"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", place.directory, names[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    assert_int_equal(journal_dates(place.directory, dates, 4), 3);
    assert_int_equal(dates[0], 20251231);
    assert_int_equal(dates[1], 20260105);
    assert_int_equal(dates[2], 20260107);
    tear_down(&place);
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
