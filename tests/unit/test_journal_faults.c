// SPDX-License-Identifier: Apache-2.0
// Disks that fail, and power that is cut: nothing that was released is lost, and what failed is not tried again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/journal/disk.h"
#include "control/journal/pump.h"
#include "control/journal/writer.h"
#include "tests/support/journal_rig.h"

enum { PENDING_MAX = 8, SECTOR = 512, ROUNDS = 40 };

// A disk whose queue keeps writes back until they are waited for, in any order. What was not completed when the power
// goes is there in part: any of its sectors.
struct pending {
    int file;
    unsigned buffer;
    size_t size;
    uint64_t offset;
    uint8_t *bytes;
};

struct slow {
    struct journal_disk table;
    struct iovec buffers[PENDING_MAX];
    int file;
    struct pending pending[PENDING_MAX];
    unsigned count;
    unsigned submits;
    unsigned cut_at;     // the submit after which the power goes, 0: never
    unsigned fails_at;   // the submit whose write fails,
    int failure;         // with this: an errno, or 0 for a write that is cut short
    bool sync_fails;     // of the segments that are made
    unsigned after_fail; // submits since
};

static struct journal_queue *slow_attach(const struct journal_disk *disk, const struct iovec *buffers, unsigned count,
                                         int file)
{
    struct slow *slow = (struct slow *)disk;
    memcpy(slow->buffers, buffers, count * sizeof *buffers);
    slow->file = file;
    return (struct journal_queue *)slow;
}

static void slow_detach(const struct journal_disk *disk, struct journal_queue *queue)
{
    (void)disk;
    (void)queue;
}

static int slow_use(const struct journal_disk *disk, struct journal_queue *queue, int file)
{
    (void)disk;
    ((struct slow *)queue)->file = file;
    return 0;
}

_Noreturn static void cut(struct slow *slow)
{
    for (unsigned i = 0; i < slow->count; i++) {
        const struct pending *pending = &slow->pending[i];
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", pending->file);
        int plain = open(path, O_WRONLY); // the writer's own takes whole blocks alone
        for (size_t at = 0; at < pending->size; at += SECTOR) {
            if (rand() % 3 && pwrite(plain, pending->bytes + at, SECTOR, (off_t)(pending->offset + at)) != SECTOR)
                _exit(1);
        }
        close(plain);
    }
    _exit(0);
}

static int slow_submit(const struct journal_disk *disk, struct journal_queue *queue, unsigned buffer, size_t size,
                       uint64_t offset)
{
    struct slow *slow = (struct slow *)queue;
    (void)disk;
    struct pending *pending = &slow->pending[slow->count++];
    *pending = (struct pending){slow->file, buffer, size, offset, malloc(size)};
    memcpy(pending->bytes, slow->buffers[buffer].iov_base, size);
    slow->submits++;
    if (slow->fails_at && slow->submits > slow->fails_at)
        slow->after_fail++;
    if (slow->submits == slow->cut_at)
        cut(slow);
    return 0;
}

static int slow_complete(const struct journal_disk *disk, struct journal_queue *queue, bool wait, unsigned *buffer,
                         int *result)
{
    struct slow *slow = (struct slow *)queue;
    (void)disk;
    if (slow->count == 0 || (!wait && rand() % 2))
        return 0;
    unsigned which = (unsigned)rand() % slow->count;
    struct pending pending = slow->pending[which];
    slow->pending[which] = slow->pending[--slow->count];
    size_t size = pending.size;
    if (slow->submits == slow->fails_at)
        size = slow->failure ? 0 : size / 2 / 4096 * 4096;
    ssize_t wrote =
        size ? pwrite(pending.file, slow->buffers[pending.buffer].iov_base, size, (off_t)pending.offset) : 0;
    *buffer = pending.buffer;
    *result = slow->submits == slow->fails_at && slow->failure ? -slow->failure : (int)wrote;
    free(pending.bytes);
    return 1;
}

static int slow_sync(const struct journal_disk *disk, int file)
{
    if (!((const struct slow *)disk)->sync_fails)
        return journal_disk_system.sync(disk, file);
    errno = EIO;
    return -1;
}

static struct slow slow_disk(void)
{
    struct slow slow = {.table = journal_disk_system};
    slow.table.attach = slow_attach;
    slow.table.detach = slow_detach;
    slow.table.use = slow_use;
    slow.table.submit = slow_submit;
    slow.table.complete = slow_complete;
    slow.table.sync = slow_sync;
    return slow;
}

static struct journal_writer *open_slow(struct rig *rig, struct slow *slow, unsigned depth)
{
    struct journal_writer *writer;
    struct journal_report report;
    char text[256];
    const struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 64, .depth = depth, .alone = true};
    rig->identity.disk = &slow->table;
    if (journal_scan(&rig->identity, &report))
        fail_msg("%s", report.text);
    if (journal_writer_open(&writer, &rig->identity, &options, &report, text, sizeof text))
        fail_msg("%s", text);
    return writer;
}

// Orders of random sizes until the writer fails or the process ends.
static void trade(struct rig *rig, struct journal_writer *writer)
{
    assert_int_equal(journal_attach(writer), JOURNAL_OK);
    struct journal_pump *pump = journal_pump_new(writer, rig->lanes, RIG_CORES, true);
    while (!journal_writer_result(writer)) {
        unsigned core = (unsigned)rand() % RIG_CORES;
        rig_produce(rig->rings[core], core, 1 + (unsigned)rand() % 200);
        journal_pump_turn(pump, rand() % 4 == 0);
    }
    journal_pump_free(pump);
    journal_detach(writer);
}

// The next start: everything that was released is there, and what the rings still hold follows it.
static void recover(struct rig *rig)
{
    struct journal_report report;
    uint64_t last[RIG_CORES];
    rig->identity.disk = NULL;
    if (journal_scan(&rig->identity, &report))
        fail_msg("%s", report.text);
    for (unsigned core = 0; core < RIG_CORES; core++) {
        assert_true(report.last_seq[core] >= atomic_load(&rig->ports[core].durable_seq));
        assert_true(report.last_seq[core] >= atomic_load(&rig->rings[core]->consumed));
        last[core] = atomic_load(&rig->rings[core]->produced);
    }
    struct journal_writer *writer = rig_open_writer(rig, &report, 1);
    assert_int_equal(journal_drain(writer, rig->lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_read_and_check(rig, last);
}

static void cut_power(unsigned depth)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct rig rig;
        int status;
        rig_set_up(&rig);
        pid_t child = fork();
        if (child == 0) {
            struct slow slow = slow_disk();
            srand(round + 1);
            slow.cut_at = 2 + (unsigned)rand() % 120;
            trade(&rig, open_slow(&rig, &slow, depth));
            _exit(2);
        }
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        recover(&rig);
        rig_tear_down(&rig);
    }
}

static void a_power_cut_loses_nothing_that_was_released(void **state)
{
    (void)state;
    cut_power(1);
}

static void nor_with_several_writes_on_their_way(void **state)
{
    (void)state;
    cut_power(3);
}

static void fail_a_write(int failure)
{
    for (unsigned round = 0; round < 10; round++) {
        struct rig rig;
        struct slow slow = slow_disk();
        rig_set_up(&rig);
        srand(round + 1);
        slow.fails_at = 2 + (unsigned)rand() % 60;
        slow.failure = failure;
        struct journal_writer *writer = open_slow(&rig, &slow, 1);
        trade(&rig, writer);
        assert_int_equal(journal_writer_result(writer), JOURNAL_IO);
        assert_int_equal(journal_exit_code(JOURNAL_IO), 74);
        assert_non_null(strstr(journal_writer_text(writer), failure ? strerror(failure) : "cut short"));
        uint64_t released = atomic_load(&rig.ports[0].durable_seq);
        assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_IO);
        assert_int_equal(journal_writer_close(writer), JOURNAL_IO);
        assert_int_equal(slow.after_fail, 0); // not tried again
        assert_int_equal(atomic_load(&rig.ports[0].durable_seq), released);
        recover(&rig);
        rig_tear_down(&rig);
    }
}

static void a_write_that_fails_is_final(void **state)
{
    (void)state;
    fail_a_write(EIO);
}

static void a_write_that_finds_no_room_is_final(void **state)
{
    (void)state;
    fail_a_write(ENOSPC);
}

static void a_write_that_is_cut_short_is_final(void **state)
{
    (void)state;
    fail_a_write(0);
}

static void a_segment_that_can_not_be_synced_is_never_written_to(void **state)
{
    (void)state;
    struct rig rig;
    struct slow slow = slow_disk();
    rig_set_up(&rig);
    srand(1);
    struct journal_writer *writer = open_slow(&rig, &slow, 1);
    rig_write(&rig, writer, 7000); // a little less than what the first segment holds; the second is made
    slow.sync_fails = true;        // from the third on
    trade(&rig, writer);
    assert_int_equal(journal_writer_result(writer), JOURNAL_IO);
    assert_int_equal(journal_writer_position(writer).segment, 2);
    assert_non_null(strstr(journal_writer_text(writer), "segment 000003 can not be made: Input/output error"));
    slow.sync_fails = false;
    assert_int_equal(journal_writer_close(writer), JOURNAL_IO);
    recover(&rig);
    rig_tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_released),
        cmocka_unit_test(nor_with_several_writes_on_their_way),
        cmocka_unit_test(a_write_that_fails_is_final),
        cmocka_unit_test(a_write_that_finds_no_room_is_final),
        cmocka_unit_test(a_write_that_is_cut_short_is_final),
        cmocka_unit_test(a_segment_that_can_not_be_synced_is_never_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
