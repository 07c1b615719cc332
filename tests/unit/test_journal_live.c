// SPDX-License-Identifier: Apache-2.0
// A journal is read while its writer goes on, and while it is sealed and compressed: at whichever call of the disk the
// other one comes in between, the reader finds a journal that is right.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/uio.h>
#include <unistd.h>

#include "control/journal/disk.h"
#include "control/journal/keep.h"
#include "control/journal/verify.h"
#include "tests/support/journal_rig.h"

enum { SEGMENT_RECORDS = 7874 }; // no more fit into one of 1 MiB

static const struct journal_keep plain_keep;

// ---- a disk that waits for nothing ----------------------------------------------------------------------------------

static struct {
    struct iovec buffers[8];
    int file;
    unsigned done[8], done_sizes[8], done_count; // writes that are complete
} queue;

static int quick_open(const struct journal_disk *disk, int day, const char *name, int flags)
{
    return journal_disk_system.open(disk, day, name, flags & ~O_DIRECT);
}

static int quick_sync(const struct journal_disk *disk, int file_or_day)
{
    (void)disk;
    (void)file_or_day;
    return 0;
}

static struct journal_queue *quick_attach(const struct journal_disk *disk, const struct iovec *buffers, unsigned count,
                                          int file)
{
    (void)disk;
    memcpy(queue.buffers, buffers, count * sizeof *buffers);
    queue.file = file;
    return (struct journal_queue *)&queue;
}

static void quick_detach(const struct journal_disk *disk, struct journal_queue *of)
{
    (void)disk;
    (void)of;
}

static int quick_use(const struct journal_disk *disk, struct journal_queue *of, int file)
{
    (void)disk;
    (void)of;
    queue.file = file;
    return 0;
}

static int quick_submit(const struct journal_disk *disk, struct journal_queue *of, unsigned buffer, size_t size,
                        uint64_t offset)
{
    (void)of;
    if (journal_disk_system.write(disk, queue.file, queue.buffers[buffer].iov_base, size, offset) != (ssize_t)size)
        return -1;
    queue.done_sizes[queue.done_count] = (unsigned)size;
    queue.done[queue.done_count++] = buffer;
    return 0;
}

static int quick_complete(const struct journal_disk *disk, struct journal_queue *of, bool wait, unsigned *buffer,
                          int *result)
{
    (void)disk;
    (void)of;
    (void)wait;
    if (queue.done_count == 0)
        return 0;
    *result = (int)queue.done_sizes[--queue.done_count];
    *buffer = queue.done[queue.done_count];
    return 1;
}

static void set_up(struct rig *rig)
{
    static struct journal_disk quick;
    quick = journal_disk_system;
    quick.open = quick_open;
    quick.sync = quick_sync;
    quick.attach = quick_attach;
    quick.detach = quick_detach;
    quick.use = quick_use;
    quick.submit = quick_submit;
    quick.complete = quick_complete;
    rig_set_up(rig);
    rig->identity.disk = &quick;
}

// ---- somebody else at a reader's calls ------------------------------------------------------------------------------

// A disk on which somebody else does something before a call.
struct shared {
    struct journal_disk table;
    struct rig *rig;
    struct journal_writer *writer;
    void (*other)(void);
    unsigned calls, at; // the reader's so far, and the one before which the other comes
    unsigned records;   // that the other writes
    const char *empty;  // a file that reads as zeros once
    int empty_file;
};

static struct shared shared;

static void count_call(void)
{
    if (shared.calls++ == shared.at)
        shared.other();
}

static int shared_list(const struct journal_disk *disk, int day, void (*take)(void *context, const char *name),
                       void *context)
{
    count_call();
    return journal_disk_system.list(disk, day, take, context);
}

static int shared_size(const struct journal_disk *disk, int day, const char *name, uint64_t *bytes)
{
    count_call();
    return journal_disk_system.size(disk, day, name, bytes);
}

static int shared_open(const struct journal_disk *disk, int day, const char *name, int flags)
{
    count_call();
    int file = journal_disk_system.open(disk, day, name, flags);
    if (shared.empty && strcmp(name, shared.empty) == 0)
        shared.empty_file = file;
    return file;
}

static ssize_t shared_read(const struct journal_disk *disk, int file, void *bytes, size_t size, uint64_t offset)
{
    count_call();
    ssize_t got = journal_disk_system.read(disk, file, bytes, size, offset);
    if (shared.empty && file == shared.empty_file && got > 0) {
        memset(bytes, 0, (size_t)got);
        shared.empty = NULL;
    }
    return got;
}

static void share(struct rig *rig, void (*other)(void), unsigned at)
{
    shared = (struct shared){.table = *rig->identity.disk, .rig = rig, .other = other, .at = at, .empty_file = -1};
    shared.table.list = shared_list;
    shared.table.size = shared_size;
    shared.table.open = shared_open;
    shared.table.read = shared_read;
}

// The day, for who reads it.
static struct journal_identity through_shared(void)
{
    struct journal_identity identity = shared.rig->identity;
    identity.disk = &shared.table;
    return identity;
}

// The walk to the journal's end; whether it made so many calls that the other one came.
static bool walk(struct journal_report *report)
{
    const struct journal_identity identity = through_shared();
    struct journal_reader *reader;
    const struct command *record;
    enum journal_result result = journal_reader_open(&reader, &identity, report);
    if (result)
        fail_msg("before call %u: %s", shared.at, report->text);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK)
        ;
    *report = *journal_reader_report(reader);
    journal_reader_close(reader);
    if (result != JOURNAL_END)
        fail_msg("before call %u: %s", shared.at, report->text);
    assert_false(report->torn);
    assert_string_equal(report->text, "");
    assert_int_equal(report->records, report->last_seq[0]);
    return shared.calls > shared.at;
}

// ---- the writer goes on ---------------------------------------------------------------------------------------------

static void write_on(void)
{
    rig_write(shared.rig, shared.writer, shared.records);
}

// Closes the segment, full or not.
static void end_the_day(void)
{
    struct ring *ring = shared.rig->rings[0];
    rig_fill(ring_slot(ring, 0), 0, atomic_load(&ring->produced) + 1);
    ((struct command *)ring_slot(ring, 0))->type = CMD_END_DAY;
    ring_publish(ring, 1);
    rig_write(shared.rig, shared.writer, shared.records);
}

static void write_meanwhile(uint32_t segment_mb, void (*other)(void), unsigned before, unsigned records)
{
    bool came = true;
    for (unsigned at = 0; came; at++) {
        struct rig rig;
        struct journal_report report;
        set_up(&rig);
        share(&rig, other, at);
        shared.records = records;
        shared.writer = rig_open_writer(&rig, &report, segment_mb);
        rig_write(&rig, shared.writer, before);
        while (!journal_writer_counts(shared.writer).next_ready) // it is listed
            sched_yield();
        came = walk(&report);
        assert_in_range(report.last_seq[0], before, atomic_load(&rig.rings[0]->produced));
        assert_int_equal(journal_writer_close(shared.writer), JOURNAL_OK);
        rig_tear_down(&rig);
    }
}

static void what_is_written_while_the_journal_is_read_is_no_damage(void **state)
{
    (void)state;
    write_meanwhile(2, write_on, 7000, 2000); // over the end of what a reader takes at once
}

static void nor_are_segments_that_are_begun_meanwhile(void **state)
{
    (void)state;
    write_meanwhile(1, write_on, 7000, 2 * SEGMENT_RECORDS);
    write_meanwhile(1, end_the_day, 3000, 1000);
}

// As one that had been asked for its header before that was durable, and for the next one's when all was.
static void a_segment_that_was_looked_at_before_its_header_stood_is_looked_at_again(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    set_up(&rig);
    share(&rig, NULL, UINT_MAX);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    rig_write(&rig, writer, 3 * SEGMENT_RECORDS);
    shared.empty = "000002.xwj";
    walk(&report);
    assert_int_equal(report.records, 3 * SEGMENT_RECORDS);
    assert_null(shared.empty);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_tear_down(&rig);
}

// ---- its spare goes -------------------------------------------------------------------------------------------------

struct vanishing { // the system's disk, from which a file goes after it was listed
    struct journal_disk table;
    const char *name;
    unsigned opens; // that it stands through
};

static int vanishing_open(const struct journal_disk *disk, int day, const char *name, int flags)
{
    struct vanishing *vanishing = (struct vanishing *)disk;
    if (strcmp(name, vanishing->name) == 0 && vanishing->opens-- == 0)
        assert_int_equal(journal_disk_system.remove(disk, day, name), 0);
    return journal_disk_system.open(disk, day, name, flags);
}

// The walk's result when segment `name` goes at the open after `opens` others.
static enum journal_result walk_while_it_goes(struct rig *rig, const char *name, unsigned opens)
{
    struct vanishing vanishing = {.table = journal_disk_system, .name = name, .opens = opens};
    struct journal_identity identity = rig->identity;
    struct journal_report report;
    struct journal_reader *reader;
    vanishing.table.open = vanishing_open;
    identity.disk = &vanishing.table;
    enum journal_result result = journal_reader_open(&reader, &identity, &report);
    if (result)
        return result;
    result = rig_check_walk(reader);
    journal_reader_close(reader);
    return result;
}

static void make_spare(const struct rig *rig)
{
    const struct journal_disk *disk = &journal_disk_system;
    int day = disk->open_day(disk, rig->directory, rig->identity.date, false);
    int file = disk->open(disk, day, "000002.xwj", O_WRONLY | O_CREAT | O_EXCL);
    assert_true(file >= 0);
    assert_int_equal(disk->truncate(disk, file, 64 * JOURNAL_BLOCK), 0);
    disk->close(disk, file);
    disk->close(disk, day);
}

static void a_spare_that_goes_while_the_journal_is_read_was_no_part_of_it(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    rig_write(&rig, writer, 100);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    for (unsigned opens = 0; opens < 2; opens++) { // while the headers are looked at, or behind the journal's end
        make_spare(&rig);
        assert_int_equal(walk_while_it_goes(&rig, "000002.xwj", opens), JOURNAL_END);
    }
    make_spare(&rig);
    assert_int_equal(walk_while_it_goes(&rig, "000001.xwj", 1), JOURNAL_SYSTEM); // that one was
    rig_tear_down(&rig);
}

// ---- seals and compression ------------------------------------------------------------------------------------------

static void seal_all(void)
{
    struct journal_kept kept;
    if (journal_seal_day(&shared.rig->identity, &plain_keep, false, &kept))
        fail_msg("%s", kept.text);
}

static void seal_and_compress_all(void)
{
    struct journal_kept kept;
    seal_all();
    if (journal_compress_day(&shared.rig->identity, &plain_keep, &kept))
        fail_msg("%s", kept.text);
}

static void segments_that_are_compressed_while_they_are_read_give_the_same(void **state)
{
    (void)state;
    bool came = true;
    for (unsigned at = 0; came; at++) {
        struct rig rig;
        struct journal_report report;
        set_up(&rig);
        struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
        rig_write(&rig, writer, 2 * SEGMENT_RECORDS);
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        share(&rig, seal_and_compress_all, at);
        came = walk(&report);
        assert_int_equal(report.records, 2 * SEGMENT_RECORDS);
        rig_tear_down(&rig);
    }
}

static void segments_that_are_sealed_while_they_are_verified_miss_no_seal(void **state)
{
    (void)state;
    bool came = true;
    for (unsigned at = 0; came; at++) {
        struct rig rig;
        struct journal_report report;
        static struct journal_verdict verdict;
        set_up(&rig);
        struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
        rig_write(&rig, writer, 3 * SEGMENT_RECORDS);
        share(&rig, seal_all, at);
        const struct journal_identity identity = through_shared();
        if (journal_verify(&identity, NULL, 0, NULL, &verdict))
            fail_msg("before call %u: %s", at, verdict.text);
        came = shared.calls > at;
        assert_int_equal(verdict.report.records, 3 * SEGMENT_RECORDS);
        assert_int_not_equal(verdict.seals, 1); // none, or all that there are
        assert_int_equal(verdict.unsealed, verdict.seals + 1);
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        rig_tear_down(&rig);
    }
}

// As when control of the next date adds what a dead data plane's rings held, and nobody had the lock before.
static void add_an_epoch(void)
{
    struct journal_report report;
    const struct journal_disk *disk = &journal_disk_system;
    int day = disk->open_day(disk, shared.rig->directory, RIG_DATE, false);
    bool held = disk->lock(disk, day) != 0;
    disk->close(disk, day);
    if (held) { // the writer waits for it: at the next call then
        shared.at++;
        return;
    }
    struct journal_writer *writer = rig_open_writer(shared.rig, &report, 1);
    rig_write(shared.rig, writer, 100);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
}

static void a_date_that_goes_on_while_it_is_sealed_is_sealed_as_far_as_it_was(void **state)
{
    (void)state;
    bool came = true;
    for (unsigned at = 0; came; at = shared.at + 1) {
        struct rig rig;
        struct journal_report report;
        struct journal_kept kept;
        static struct journal_verdict verdict;
        set_up(&rig);
        struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
        rig_write(&rig, writer, 2 * SEGMENT_RECORDS);
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        share(&rig, add_an_epoch, at);
        const struct journal_identity identity = through_shared();
        if (journal_seal_day(&identity, &plain_keep, true, &kept))
            fail_msg("before call %u: %s", shared.at, kept.text);
        came = shared.calls > shared.at;
        if (journal_seal_day(&rig.identity, &plain_keep, true, &kept) ||
            journal_verify(&rig.identity, NULL, 0, NULL, &verdict))
            fail_msg("before call %u: %s%s", shared.at, kept.text, verdict.text);
        assert_int_equal(verdict.unsealed, 0);
        assert_int_equal(verdict.report.last_seq[0], 2 * SEGMENT_RECORDS + (came ? 100 : 0));
        rig_tear_down(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_while_the_journal_is_read_is_no_damage),
        cmocka_unit_test(nor_are_segments_that_are_begun_meanwhile),
        cmocka_unit_test(a_segment_that_was_looked_at_before_its_header_stood_is_looked_at_again),
        cmocka_unit_test(a_spare_that_goes_while_the_journal_is_read_was_no_part_of_it),
        cmocka_unit_test(segments_that_are_compressed_while_they_are_read_give_the_same),
        cmocka_unit_test(segments_that_are_sealed_while_they_are_verified_miss_no_seal),
        cmocka_unit_test(a_date_that_goes_on_while_it_is_sealed_is_sealed_as_far_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
