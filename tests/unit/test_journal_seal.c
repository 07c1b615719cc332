// SPDX-License-Identifier: Apache-2.0
// Seals, compression and retention over real files: what they say, that they are made once, and what a fault does.
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
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "control/journal/crc32c.h"
#include "control/journal/disk.h"
#include "control/journal/keep.h"
#include "control/journal/pack.h"
#include "control/journal/seal.h"
#include "tests/support/journal_rig.h"

static const struct journal_keep plain_keep;

static void path_of(char path[160], const struct rig *rig, uint32_t date, unsigned segment, const char *suffix)
{
    snprintf(path, 160, "%s/%u/%06u%s", rig->directory, date, segment, suffix);
}

static bool exists(const struct rig *rig, uint32_t date, unsigned segment, const char *suffix)
{
    char path[160];
    path_of(path, rig, date, segment, suffix);
    return access(path, F_OK) == 0;
}

// A date of a few segments of 1 MiB in one epoch, its writer still open.
static struct journal_writer *write_open(struct rig *rig, uint32_t date, unsigned records)
{
    struct journal_report report;
    rig->identity.date = date;
    for (unsigned i = 0; i < RIG_CORES; i++) {
        ring_rebase(rig->rings[i], 0);
        atomic_store(&rig->ports[i].durable_seq, 0);
    }
    struct journal_writer *writer = rig_open_writer(rig, &report, 1);
    rig_write(rig, writer, records);
    return writer;
}

static void write_date(struct rig *rig, uint32_t date, unsigned records)
{
    assert_int_equal(journal_writer_close(write_open(rig, date, records)), JOURNAL_OK);
}

static struct journal_kept seal(const struct rig *rig, const struct journal_keep *keep, bool over)
{
    struct journal_kept kept;
    if (journal_seal_day(&rig->identity, keep, over, &kept) != JOURNAL_OK)
        fail_msg("%s", kept.text);
    return kept;
}

static struct journal_seal_file read_seal(const struct rig *rig, unsigned segment)
{
    struct journal_seal_file file;
    char text[256];
    int day = journal_disk_system.open_day(&journal_disk_system, rig->directory, rig->identity.date, false);
    enum journal_result result = journal_seal_read(&rig->identity, day, segment, &file, text, sizeof text);
    if (result != JOURNAL_OK)
        fail_msg("%s", text);
    close(day);
    return file;
}

static const char *what_differs(const struct rig *rig, unsigned segment, const struct journal_seal_file *before)
{
    static struct journal_measure measure;
    struct journal_seal_file file = read_seal(rig, segment);
    char text[320];
    memset(&measure, 0, sizeof measure);
    journal_measure_begin(&measure, &rig->identity, before);
    if (journal_measure_segment(&measure, &rig->identity, segment, text, sizeof text))
        return "unreadable";
    return journal_seal_differs(&measure, &file);
}

// ---- seals ----------------------------------------------------------------------------------------------------------

static void closed_segments_are_sealed_once_and_the_open_one_is_left_alone(void **state)
{
    (void)state;
    struct rig rig;
    rig_set_up(&rig);
    struct journal_writer *writer = write_open(&rig, RIG_DATE, 20000); // two full segments, one open
    assert_int_equal(seal(&rig, &plain_keep, false).done, 2);
    assert_int_equal(seal(&rig, &plain_keep, false).done, 0);
    assert_true(exists(&rig, RIG_DATE, 2, ".xws"));
    assert_false(exists(&rig, RIG_DATE, 3, ".xws"));
    struct journal_seal_file first = read_seal(&rig, 1), second = read_seal(&rig, 2);
    assert_int_equal(first.head.cores, 1);
    assert_int_equal(first.cores[0].first, 1);
    assert_int_equal(first.cores[0].last + 1, second.cores[0].first);
    assert_int_equal(second.head.records_before, first.head.records);
    assert_int_equal(second.head.prev_segment, 1);
    assert_memory_equal(second.head.prev_hash, first.head.hash, JOURNAL_HASH_BYTES);
    assert_int_equal(first.head.flags | second.head.flags, 0);
    assert_null(what_differs(&rig, 1, NULL));
    assert_null(what_differs(&rig, 2, &first));
    assert_string_equal(what_differs(&rig, 2, NULL), "does not follow the seal before it");

    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    assert_int_equal(seal(&rig, &plain_keep, true).done, 1);
    struct journal_seal_file third = read_seal(&rig, 3);
    assert_int_equal(third.head.flags, SEAL_CLOSED | SEAL_LAST);
    assert_int_equal(third.cores[0].last, 20000);
    rig_tear_down(&rig);
}

static void seals_are_signed_and_the_chain_goes_on_over_dates(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_key key;
    uint8_t keys[2][JOURNAL_KEY_BYTES] = {{0}};
    unsigned count;
    char path[160], public_path[200], text[512];
    rig_set_up(&rig);
    snprintf(path, sizeof path, "%s/key", rig.directory);
    snprintf(public_path, sizeof public_path, "%s.pub", path);
    assert_int_equal(journal_key_make(path, text, sizeof text), 0);
    assert_int_equal(journal_key_load(path, &key, text, sizeof text), 0);
    assert_int_equal(journal_keys_load_public(public_path, keys, &count, text, sizeof text), 0);
    assert_int_equal(count, 1);
    const struct journal_keep keep = {.key = &key};
    write_date(&rig, RIG_DATE, 100);
    seal(&rig, &keep, true);
    struct journal_seal_file before = read_seal(&rig, 1);
    assert_true(journal_seal_signed_by(&before, (const uint8_t(*)[JOURNAL_KEY_BYTES])keys, 1));
    keys[0][3] ^= 1;
    assert_false(journal_seal_signed_by(&before, (const uint8_t(*)[JOURNAL_KEY_BYTES])keys, 1));
    keys[0][3] ^= 1;
    write_date(&rig, RIG_DATE + 1, 100);
    seal(&rig, &keep, false);
    struct journal_seal_file next = read_seal(&rig, 1);
    assert_int_equal(next.head.prev_date, RIG_DATE);
    assert_memory_equal(next.head.prev_hash, before.head.hash, JOURNAL_HASH_BYTES);
    assert_null(what_differs(&rig, 1, &before));
    next.head.records++;
    assert_false(journal_seal_signed_by(&next, (const uint8_t(*)[JOURNAL_KEY_BYTES])keys, 1));
    rig_tear_down(&rig);
}

static void a_key_that_others_may_read_or_that_is_none_is_refused_in_one_line(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_key key;
    char path[160], text[512];
    rig_set_up(&rig);
    snprintf(path, sizeof path, "%s/key", rig.directory);
    assert_int_equal(journal_key_load(path, &key, text, sizeof text), EX_NOINPUT);
    assert_non_null(strstr(text, "xwctl journal keygen"));
    assert_int_equal(journal_key_make(path, text, sizeof text), 0);
    assert_int_equal(journal_key_make(path, text, sizeof text), EX_CANTCREAT);
    chmod(path, 0640);
    assert_int_equal(journal_key_load(path, &key, text, sizeof text), EX_NOPERM);
    assert_non_null(strstr(text, "chmod 600"));
    chmod(path, 0600);
    assert_int_equal(truncate(path, 60), 0);
    assert_int_equal(journal_key_load(path, &key, text, sizeof text), EX_CONFIG);
    rig_tear_down(&rig);
}

// The last command of the day: what the ring holds is an END_DAY.
static void end_day(struct rig *rig, struct journal_writer *writer)
{
    struct ring *ring = rig->rings[0];
    rig_fill(ring_slot(ring, 0), 0, atomic_load(&ring->produced) + 1);
    ((struct command *)ring_slot(ring, 0))->type = CMD_END_DAY;
    ring_publish(ring, 1);
    assert_int_equal(journal_drain(writer, rig->lanes, RIG_CORES), JOURNAL_OK);
}

static void the_end_of_the_day_closes_its_segment_and_the_seal_says_so(void **state)
{
    (void)state;
    struct rig rig;
    rig_set_up(&rig);
    struct journal_writer *writer = write_open(&rig, RIG_DATE, 100);
    assert_int_equal(seal(&rig, &plain_keep, false).done, 0);
    end_day(&rig, writer);
    while (journal_writer_position(writer).segment == 1) // its successor is being made
        assert_int_equal(journal_drain(writer, rig.lanes, RIG_CORES), JOURNAL_OK);
    assert_int_equal(seal(&rig, &plain_keep, false).done, 1);
    struct journal_seal_file file = read_seal(&rig, 1);
    assert_int_equal(file.head.flags, SEAL_ENDED);
    assert_int_equal(file.cores[0].ended, 1);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    assert_int_equal(seal(&rig, &plain_keep, false).done, 1);
    assert_int_equal(read_seal(&rig, 2).head.flags, SEAL_ENDED | SEAL_CLOSED);
    rig_tear_down(&rig);
}

// What the file of seal 1 holds, into `bytes`; its size.
static size_t seal_bytes(const struct rig *rig, uint8_t bytes[JOURNAL_SEAL_MAX])
{
    char path[160];
    path_of(path, rig, rig->identity.date, 1, ".xws");
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, JOURNAL_SEAL_MAX);
    close(fd);
    assert_true(size > 0);
    return (size_t)size;
}

static void a_seal_that_is_cut_anywhere_or_has_any_bit_flipped_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    static struct journal_seal_file file;
    _Alignas(8) static uint8_t bytes[JOURNAL_SEAL_MAX];
    char text[256];
    rig_set_up(&rig);
    write_date(&rig, RIG_DATE, 100);
    seal(&rig, &plain_keep, true);
    size_t size = seal_bytes(&rig, bytes);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(journal_seal_parse(bytes, cut, &rig.identity, 1, &file, text, sizeof text), JOURNAL_CORRUPT);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(journal_seal_parse(bytes, size, &rig.identity, 1, &file, text, sizeof text), JOURNAL_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(journal_seal_parse(bytes, size, &rig.identity, 1, &file, text, sizeof text), JOURNAL_OK);
    assert_int_equal(journal_seal_parse(bytes, size, &rig.identity, 2, &file, text, sizeof text), JOURNAL_CORRUPT);
    assert_non_null(strstr(text, "swapped or doubled"));
    rig_tear_down(&rig);
}

// Changes a field of the seal's head and sets the CRC right again.
static enum journal_result parse_with(const struct rig *rig, size_t offset, uint8_t value)
{
    static struct journal_seal_file file;
    _Alignas(8) static uint8_t bytes[JOURNAL_SEAL_MAX];
    char text[256];
    size_t size = seal_bytes(rig, bytes);
    bytes[offset] = value;
    uint32_t crc = crc32c(0, bytes + 12, size - 12);
    memcpy(bytes + 8, &crc, sizeof crc);
    return journal_seal_parse(bytes, size, &rig->identity, 1, &file, text, sizeof text);
}

static void a_seal_of_another_kind_is_called_so(void **state)
{
    (void)state;
    struct rig rig;
    rig_set_up(&rig);
    write_date(&rig, RIG_DATE, 100);
    seal(&rig, &plain_keep, true);
    assert_int_equal(parse_with(&rig, offsetof(struct journal_seal, version), 1), JOURNAL_OK);
    assert_int_equal(parse_with(&rig, offsetof(struct journal_seal, version), 2), JOURNAL_FORMAT);
    assert_int_equal(parse_with(&rig, offsetof(struct journal_seal, instance), 'x'), JOURNAL_INSTANCE);
    assert_int_equal(parse_with(&rig, offsetof(struct journal_seal, date), 1), JOURNAL_DATE);
    assert_int_equal(parse_with(&rig, offsetof(struct journal_seal, segment), 9), JOURNAL_CORRUPT);
    rig_tear_down(&rig);
}

// ---- faults ---------------------------------------------------------------------------------------------------------

struct faulty { // the system's disk, whose calls end the process or fail from a count on
    struct journal_disk table;
    unsigned calls;
    unsigned fatal; // the call that ends the process, 0: none
    unsigned fails; // the call that fails for lack of space, 0: none
};

static bool due(const struct journal_disk *disk)
{
    struct faulty *faulty = (struct faulty *)disk;
    if (++faulty->calls == faulty->fatal)
        _exit(9);
    errno = ENOSPC;
    return faulty->calls == faulty->fails;
}

static int faulty_open(const struct journal_disk *disk, int day, const char *name, int flags)
{
    return (flags & O_CREAT) && due(disk) ? -1 : journal_disk_system.open(disk, day, name, flags);
}

static ssize_t faulty_write(const struct journal_disk *disk, int file, const void *bytes, size_t size, uint64_t offset)
{
    bool fails = due(disk);
    // A disk that fills takes a part.
    return fails ? journal_disk_system.write(disk, file, bytes, size / 2, offset)
                 : journal_disk_system.write(disk, file, bytes, size, offset);
}

static int faulty_sync(const struct journal_disk *disk, int file)
{
    return due(disk) ? -1 : journal_disk_system.sync(disk, file);
}

static int faulty_rename(const struct journal_disk *disk, int day, const char *from, const char *to)
{
    return due(disk) ? -1 : journal_disk_system.rename(disk, day, from, to);
}

static int faulty_remove(const struct journal_disk *disk, int day, const char *name)
{
    return due(disk) ? -1 : journal_disk_system.remove(disk, day, name);
}

static struct faulty faulty_disk(void)
{
    struct faulty faulty = {.table = journal_disk_system};
    faulty.table.open = faulty_open;
    faulty.table.write = faulty_write;
    faulty.table.sync = faulty_sync;
    faulty.table.rename = faulty_rename;
    faulty.table.remove = faulty_remove;
    return faulty;
}

// All that is kept of a date: sealed, then compressed.
static enum journal_result keep_date(const struct journal_identity *identity, struct journal_kept *kept)
{
    enum journal_result result = journal_seal_day(identity, &plain_keep, true, kept);
    return result ? result : journal_compress_day(identity, &plain_keep, kept);
}

static void check_kept(struct rig *rig, unsigned records)
{
    struct journal_kept kept;
    if (keep_date(&rig->identity, &kept) != JOURNAL_OK)
        fail_msg("%s", kept.text);
    rig_read_and_check(rig, (uint64_t[RIG_CORES]){records});
    assert_false(exists(rig, RIG_DATE, 1, ".xwj"));
    assert_true(exists(rig, RIG_DATE, 1, ".xwj.zst"));
    assert_null(what_differs(rig, 1, NULL));
    struct journal_seal_file first = read_seal(rig, 1);
    assert_null(what_differs(rig, 2, &first));
    char command[160];
    snprintf(command, sizeof command, "! ls %s/%u | grep tmp", rig->directory, RIG_DATE);
    assert_int_equal(system(command), 0);
}

static void killed_before_any_step_sealing_and_compressing_are_done_again(void **state)
{
    (void)state;
    enum { RECORDS = 9000 };
    for (unsigned fatal = 1;; fatal++) {
        struct rig rig;
        rig_set_up(&rig);
        write_date(&rig, RIG_DATE, RECORDS);
        pid_t child = fork();
        if (child == 0) {
            struct faulty faulty = faulty_disk();
            struct journal_kept kept;
            faulty.fatal = fatal;
            rig.identity.disk = &faulty.table;
            _exit(keep_date(&rig.identity, &kept) == JOURNAL_OK ? 0 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0));
        rig_read_and_check(&rig, (uint64_t[RIG_CORES]){RECORDS}); // as it was left
        check_kept(&rig, RECORDS);
        rig_tear_down(&rig);
        if (WEXITSTATUS(status) == 0) {
            assert_true(fatal > 15);
            return;
        }
    }
}

static void a_step_that_finds_no_room_is_told_and_done_later(void **state)
{
    (void)state;
    enum { RECORDS = 9000 };
    for (unsigned fails = 1;; fails++) {
        struct rig rig;
        struct faulty faulty = faulty_disk();
        struct journal_kept kept;
        rig_set_up(&rig);
        write_date(&rig, RIG_DATE, RECORDS);
        faulty.fails = fails;
        rig.identity.disk = &faulty.table;
        enum journal_result result = keep_date(&rig.identity, &kept);
        bool reached = faulty.calls >= fails;
        rig.identity.disk = NULL;
        if (result == JOURNAL_SYSTEM)
            assert_non_null(strstr(kept.text, "No space left on device"));
        else
            assert_int_equal(result, JOURNAL_OK); // only the removal of what was temporary
        rig_read_and_check(&rig, (uint64_t[RIG_CORES]){RECORDS});
        check_kept(&rig, RECORDS);
        rig_tear_down(&rig);
        if (!reached) {
            assert_true(fails > 15);
            return;
        }
    }
}

// ---- compression ----------------------------------------------------------------------------------------------------

static void compressed_segments_are_read_like_plain_ones(void **state)
{
    (void)state;
    enum { RECORDS = 20000 };
    struct rig rig;
    struct journal_kept kept;
    struct journal_reader *reader;
    rig_set_up(&rig);
    write_date(&rig, RIG_DATE, RECORDS);
    seal(&rig, &plain_keep, true);
    assert_int_equal(journal_compress_day(&rig.identity, &plain_keep, &kept), JOURNAL_OK);
    assert_int_equal(kept.done, 3);
    assert_true(kept.bytes > 1024 * 1024);
    struct journal_report report = rig_read_and_check(&rig, (uint64_t[RIG_CORES]){RECORDS});
    assert_true(report.closed);
    assert_int_equal(journal_reader_open_after(&reader, &rig.identity, (uint64_t[JOURNAL_CORES]){15000}, NULL),
                     JOURNAL_OK);
    assert_int_equal(rig_check_walk(reader), JOURNAL_END);
    assert_int_equal(journal_reader_report(reader)->records, RECORDS - 15000);
    journal_reader_close(reader);
    // A later start goes on behind them.
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    rig_write(&rig, writer, 10);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_read_and_check(&rig, (uint64_t[RIG_CORES]){RECORDS + 10});
    assert_int_equal(journal_compress_day(&rig.identity, &plain_keep, &kept), JOURNAL_OK);
    assert_int_equal(kept.done, 0); // not sealed
    rig_tear_down(&rig);
}

static void a_compressed_segment_that_is_damaged_or_cut_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_kept kept;
    struct journal_report report;
    char path[160];
    struct stat status;
    rig_set_up(&rig);
    write_date(&rig, RIG_DATE, 300);
    seal(&rig, &plain_keep, true);
    assert_int_equal(journal_compress_day(&rig.identity, &plain_keep, &kept), JOURNAL_OK);
    path_of(path, &rig, RIG_DATE, 1, ".xwj.zst");
    assert_int_equal(stat(path, &status), 0);
    size_t size = (size_t)status.st_size, refused = 0;
    uint8_t *bytes = malloc(size);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, bytes, size, 0), size);
    for (size_t at = 0; at < size; at += at < 64 || at + 64 > size ? 1 : 13) {
        uint8_t flipped = bytes[at] ^ (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        // Some bits of the frame mean nothing: what is read is then what was written.
        if (journal_scan(&rig.identity, &report) == JOURNAL_OK)
            rig_read_and_check(&rig, (uint64_t[RIG_CORES]){300});
        else
            refused++;
        assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
    }
    assert_int_equal(journal_scan(&rig.identity, &report), JOURNAL_OK);
    assert_true(refused > 100);
    for (size_t cut = size; cut-- > 0; cut -= cut > 80 && cut + 64 < size ? 12 : 0) {
        assert_int_equal(ftruncate(fd, (off_t)cut), 0);
        assert_int_equal(journal_scan(&rig.identity, &report), JOURNAL_CORRUPT);
        assert_non_null(strstr(report.text, "compressed segment is damaged"));
    }
    close(fd);
    free(bytes);
    rig_tear_down(&rig);
}

// ---- retention ------------------------------------------------------------------------------------------------------

static unsigned removed_count;

static void count_removed(uint32_t date, uint64_t bytes, const char *why)
{
    (void)date;
    (void)bytes;
    (void)why;
    removed_count++;
}

static unsigned dates_left(const struct rig *rig)
{
    uint32_t dates[16];
    return (unsigned)journal_dates(rig->directory, dates, 16);
}

// Four dates, 20260102 to 20260105; the last one is today.
static void write_dates(struct rig *rig, unsigned unsealed)
{
    struct journal_kept kept;
    rig_set_up(rig);
    for (uint32_t date = RIG_DATE - 3; date <= RIG_DATE; date++) {
        write_date(rig, date, 7000);
        if (date != unsealed && date < RIG_DATE)
            assert_int_equal(journal_seal_day(&rig->identity, &plain_keep, true, &kept), JOURNAL_OK);
    }
    rig->identity.date = RIG_DATE;
}

static unsigned retain(struct rig *rig, uint32_t days, uint32_t mb)
{
    struct journal_kept kept;
    removed_count = 0;
    if (journal_retain(&rig->identity, days, mb, count_removed, &kept) != JOURNAL_OK)
        fail_msg("%s", kept.text);
    assert_int_equal(kept.done, removed_count);
    return dates_left(rig);
}

static void dates_go_when_they_are_older_than_the_limit_and_not_before(void **state)
{
    (void)state;
    struct rig rig;
    write_dates(&rig, 0);
    assert_int_equal(retain(&rig, 0, 0), 4);
    assert_int_equal(retain(&rig, 4, 0), 4);
    assert_int_equal(retain(&rig, 3, 0), 4); // at the limit
    assert_int_equal(retain(&rig, 2, 0), 3);
    assert_int_equal(retain(&rig, 1, 0), 2);
    rig.identity.date = 20270101; // a year later, today has no journal yet: the newest stays
    assert_int_equal(retain(&rig, 1, 0), 1);
    rig_tear_down(&rig);
}

static void dates_go_when_all_take_more_than_the_limit_and_not_before(void **state)
{
    (void)state;
    struct rig rig;
    write_dates(&rig, 0); // each a little less than 1 MiB
    assert_int_equal(retain(&rig, 0, 4), 4);
    assert_int_equal(retain(&rig, 0, 3), 3);
    assert_int_equal(retain(&rig, 0, 1), 1);
    assert_int_equal(retain(&rig, 0, 1), 1); // today stays, whatever it takes
    rig_tear_down(&rig);
}

static void a_date_that_is_not_sealed_as_a_whole_stays(void **state)
{
    (void)state;
    struct rig rig;
    char path[160];
    write_dates(&rig, RIG_DATE - 3);
    assert_int_equal(retain(&rig, 1, 1), 2); // the two that are sealed went
    path_of(path, &rig, RIG_DATE - 3, 1, ".xwj");
    assert_int_equal(access(path, F_OK), 0);
    rig_tear_down(&rig);
}

static void a_removal_that_was_killed_is_finished_and_never_seen_as_a_date(void **state)
{
    (void)state;
    struct rig rig;
    char from[160], to[200], file[240];
    write_dates(&rig, 0);
    snprintf(from, sizeof from, "%s/%u", rig.directory, RIG_DATE - 3);
    snprintf(to, sizeof to, "%s.removed", from);
    assert_int_equal(rename(from, to), 0);
    snprintf(file, sizeof file, "%s/000001.xws", to);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(dates_left(&rig), 3);
    assert_int_equal(retain(&rig, 100, 0), 3);
    assert_int_equal(access(to, F_OK), -1);
    rig_tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_segments_are_sealed_once_and_the_open_one_is_left_alone),
        cmocka_unit_test(seals_are_signed_and_the_chain_goes_on_over_dates),
        cmocka_unit_test(a_key_that_others_may_read_or_that_is_none_is_refused_in_one_line),
        cmocka_unit_test(the_end_of_the_day_closes_its_segment_and_the_seal_says_so),
        cmocka_unit_test(a_seal_that_is_cut_anywhere_or_has_any_bit_flipped_is_refused),
        cmocka_unit_test(a_seal_of_another_kind_is_called_so),
        cmocka_unit_test(killed_before_any_step_sealing_and_compressing_are_done_again),
        cmocka_unit_test(a_step_that_finds_no_room_is_told_and_done_later),
        cmocka_unit_test(compressed_segments_are_read_like_plain_ones),
        cmocka_unit_test(a_compressed_segment_that_is_damaged_or_cut_is_refused),
        cmocka_unit_test(dates_go_when_they_are_older_than_the_limit_and_not_before),
        cmocka_unit_test(dates_go_when_all_take_more_than_the_limit_and_not_before),
        cmocka_unit_test(a_date_that_is_not_sealed_as_a_whole_stays),
        cmocka_unit_test(a_removal_that_was_killed_is_finished_and_never_seen_as_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
