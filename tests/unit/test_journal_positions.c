// SPDX-License-Identifier: Apache-2.0
// Walks that begin in the middle of a day, and walks that go on as the day grows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/journal/journal.h"
#include "control/journal/keep.h"
#include "control/journal/keeper.h"
#include "tests/support/journal_rig.h"

enum { RECORDS = 20000 }; // three segments of 1 MiB

// A day of a few small segments, its writer closed.
static void write_day(struct rig *rig)
{
    struct journal_report report;
    rig_set_up(rig);
    struct journal_writer *writer = rig_open_writer(rig, &report, 1);
    rig_write(rig, writer, RECORDS);
    assert_true(journal_writer_counts(writer).segments >= 3);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
}

static void remove_segment(const struct rig *rig, unsigned segment)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", rig->directory, RIG_DATE, segment);
    assert_int_equal(unlink(path), 0);
}

// What is left of a walk: the first sequence, and that all that follow are there.
static uint64_t first_of(struct journal_reader *reader)
{
    const struct command *record;
    assert_int_equal(journal_reader_next(reader, &record), JOURNAL_OK);
    uint64_t first = journal_sequence(record);
    assert_int_equal(rig_check_walk(reader), JOURNAL_END);
    assert_int_equal(journal_reader_report(reader)->last_seq[0], RECORDS);
    assert_int_equal(journal_reader_report(reader)->records, RECORDS - first + 1);
    journal_reader_close(reader);
    return first;
}

static void every_place_of_a_walk_opens_another_that_gives_the_same_record_again(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_reader *reader, *second;
    const struct command *record;
    write_day(&rig);
    assert_int_equal(journal_reader_open(&reader, &rig.identity, NULL), JOURNAL_OK);
    for (unsigned i = 1; i <= RECORDS; i++) {
        assert_int_equal(journal_reader_next(reader, &record), JOURNAL_OK);
        if (i % 331 && i != RECORDS)
            continue;
        struct journal_place place = journal_reader_place(reader);
        assert_int_equal(journal_reader_open_at(&second, &rig.identity, place, NULL), JOURNAL_OK);
        uint64_t first = first_of(second);
        assert_true(first <= i && i - first < JOURNAL_RECORDS);
    }
    assert_int_equal(journal_reader_next(reader, &record), JOURNAL_END);
    struct journal_place end = journal_reader_place(reader);
    assert_int_equal(journal_reader_open_at(&second, &rig.identity, end, NULL), JOURNAL_OK);
    assert_int_equal(journal_reader_next(second, &record), JOURNAL_END);
    journal_reader_close(second);
    journal_reader_close(reader);
    rig_tear_down(&rig);
}

static void a_walk_after_what_is_covered_gives_the_rest_and_needs_no_earlier_segment(void **state)
{
    (void)state;
    static const unsigned covered_of_0[] = {0, 1, 30, 7000, 7905, 7906, 15000, RECORDS - 1};
    struct rig rig;
    struct journal_reader *reader;
    write_day(&rig);
    for (unsigned i = 0; i < sizeof covered_of_0 / sizeof *covered_of_0; i++) {
        uint64_t covered[JOURNAL_CORES] = {covered_of_0[i]};
        assert_int_equal(journal_reader_open_after(&reader, &rig.identity, covered, NULL), JOURNAL_OK);
        assert_int_equal(first_of(reader), covered_of_0[i] + 1);
    }
    remove_segment(&rig, 1);
    uint64_t covered[JOURNAL_CORES] = {15000};
    assert_int_equal(journal_reader_open_after(&reader, &rig.identity, covered, NULL), JOURNAL_OK);
    assert_int_equal(first_of(reader), 15001);
    struct journal_report report;
    assert_int_equal(journal_reader_open_after(&reader, &rig.identity, (uint64_t[JOURNAL_CORES]){100}, &report),
                     JOURNAL_MISSING);
    assert_non_null(strstr(report.text, "missing, and needed"));
    rig_tear_down(&rig);
}

static void a_journal_that_does_not_reach_what_is_covered_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_reader *reader;
    struct journal_report report;
    write_day(&rig);
    uint64_t covered[JOURNAL_CORES] = {RECORDS + 1};
    assert_int_equal(journal_reader_open_after(&reader, &rig.identity, covered, NULL), JOURNAL_OK);
    assert_int_equal(rig_check_walk(reader), JOURNAL_MISSING);
    assert_non_null(strstr(journal_reader_report(reader)->text, "20001 was durable"));
    journal_reader_close(reader);
    const struct journal_place beyond = {.segment = 9}, late = {.segment = 3, .block = 255};
    assert_int_equal(journal_reader_open_at(&reader, &rig.identity, beyond, &report), JOURNAL_MISSING);
    assert_non_null(strstr(report.text, "segment 000009"));
    assert_int_equal(journal_reader_open_at(&reader, &rig.identity, late, &report), JOURNAL_OK);
    assert_int_equal(rig_check_walk(reader), JOURNAL_MISSING);
    journal_reader_close(reader);
    rig_tear_down(&rig);
}

static void one_walk_follows_a_writer_over_segments_without_beginning_again(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    struct journal_reader *reader;
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    rig_write(&rig, writer, 1);
    assert_int_equal(journal_reader_open(&reader, &rig.identity, NULL), JOURNAL_OK);
    for (unsigned total = 1; total < RECORDS; total += 37) {
        journal_reader_until(reader, journal_writer_position(writer));
        assert_int_equal(rig_check_walk(reader), JOURNAL_END);
        assert_int_equal(journal_reader_report(reader)->records, total);
        rig_write(&rig, writer, 37);
    }
    assert_true(journal_reader_place(reader).segment >= 3);
    journal_reader_close(reader);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_tear_down(&rig);
}

static void a_bound_that_moves_in_the_middle_of_a_walk_is_reached_over_segments_that_came_since(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report report;
    struct journal_reader *reader;
    const struct command *record;
    rig_set_up(&rig);
    struct journal_writer *writer = rig_open_writer(&rig, &report, 1);
    rig_write(&rig, writer, 1000);
    assert_int_equal(journal_reader_open(&reader, &rig.identity, NULL), JOURNAL_OK);
    journal_reader_until(reader, journal_writer_position(writer));
    assert_int_equal(journal_reader_next(reader, &record), JOURNAL_OK);
    rig_write(&rig, writer, RECORDS - 1000);
    journal_reader_until(reader, journal_writer_position(writer));
    assert_int_equal(rig_check_walk(reader), JOURNAL_END);
    assert_int_equal(journal_reader_report(reader)->records, RECORDS);
    journal_reader_close(reader);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    rig_tear_down(&rig);
}

// ---- a start on snapshots -------------------------------------------------------------------------------------------

static void flip(const struct rig *rig, unsigned segment, long at)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", rig->directory, RIG_DATE, segment);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    assert_true(byte != EOF && fputc(byte ^ 0x10, file) != EOF);
    fclose(file);
}

// How many blocks of a segment stand, as the one behind it says.
static long blocks_of(const struct rig *rig, unsigned segment)
{
    char path[128];
    struct journal_segment next;
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", rig->directory, RIG_DATE, segment + 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, sizeof(struct journal_block), SEEK_SET);
    assert_int_equal(fread(&next, sizeof next, 1, file), 1);
    fclose(file);
    return next.prev_blocks;
}

static enum journal_result scan_after(const struct rig *rig, uint64_t sequence, struct journal_report *report)
{
    const uint64_t covered[JOURNAL_CORES] = {sequence};
    return journal_scan_after(&rig->identity, covered, report);
}

static void a_start_on_snapshots_learns_the_same_end_from_the_segments_that_they_do_not_cover(void **state)
{
    (void)state;
    struct rig rig;
    struct journal_report whole, report;
    write_day(&rig);
    assert_int_equal(journal_scan(&rig.identity, &whole), JOURNAL_OK);
    assert_int_equal(whole.unread, 0);
    for (uint64_t covered = 0; covered <= RECORDS + 1; covered += 1000) {
        assert_int_equal(scan_after(&rig, covered, &report), JOURNAL_OK);
        assert_int_equal(report.last_segment, whole.last_segment);
        assert_int_equal(report.last_blocks, whole.last_blocks);
        assert_int_equal(report.last_crc, whole.last_crc);
        assert_int_equal(report.last_records, whole.last_records);
        assert_int_equal(report.epoch, whole.epoch);
        assert_int_equal(report.config_hash, whole.config_hash);
        assert_int_equal(report.closed, whole.closed);
        assert_memory_equal(report.last_seq, whole.last_seq, sizeof report.last_seq);
        assert_true(report.blocks <= whole.blocks);
    }
    assert_int_equal(report.unread, whole.last_segment);
    assert_true(report.blocks < whole.blocks / 2);
    rig_tear_down(&rig);
}

// Whatever is wrong with the ends of a covered segment; inside only what is read is looked at.
static void a_start_on_snapshots_refuses_segments_that_do_not_go_on_from_each_other(void **state)
{
    (void)state;
    static const long ends[] = {0, 9, 100, 129, 4095};
    struct rig rig;
    struct journal_report report;
    write_day(&rig);
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
    assert_true(report.last_segment > 2);
    const long last = (blocks_of(&rig, 2) - 1) * 4096;
    flip(&rig, 1, 100 * 4096 + 7);
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
    assert_int_equal(scan_after(&rig, 100, &report), JOURNAL_CORRUPT);
    assert_int_equal(journal_scan(&rig.identity, &report), JOURNAL_CORRUPT);
    flip(&rig, 1, 100 * 4096 + 7);
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        flip(&rig, 2, ends[i]); // its first block
        assert_int_not_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
        flip(&rig, 2, ends[i]);
        flip(&rig, 2, last + ends[i]); // its last one
        assert_int_not_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
        flip(&rig, 2, last + ends[i]);
    }
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
    char path[128];
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", rig.directory, RIG_DATE, 2u);
    assert_int_equal(truncate(path, last), 0);
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_MISSING);
    remove_segment(&rig, 2);
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_MISSING);
    rig_tear_down(&rig);
}

// Of a sealed day nothing else reads it before somebody asks.
static void damage_in_what_a_start_has_not_read_is_told_soon(void **state)
{
    (void)state;
    const struct journal_keep keep = {0};
    struct rig rig;
    struct journal_report report;
    struct journal_kept kept;
    write_day(&rig);
    assert_int_equal(journal_seal_day(&rig.identity, &keep, true, &kept), JOURNAL_OK);
    flip(&rig, 1, 100 * 4096 + 7);
    assert_int_equal(scan_after(&rig, RECORDS, &report), JOURNAL_OK);
    const struct journal_keeper_options options = {.unread = report.unread};
    struct journal_keeper *keeper = journal_keeper_start(&rig.identity, &options);
    assert_non_null(keeper);
    for (unsigned ms = 0; !journal_keeper_counts(keeper).failing; ms++) {
        assert_true(ms < 60000);
        usleep(1000);
    }
    journal_keeper_stop(keeper, false);
    rig_tear_down(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_of_a_walk_opens_another_that_gives_the_same_record_again),
        cmocka_unit_test(a_walk_after_what_is_covered_gives_the_rest_and_needs_no_earlier_segment),
        cmocka_unit_test(a_journal_that_does_not_reach_what_is_covered_is_refused),
        cmocka_unit_test(one_walk_follows_a_writer_over_segments_without_beginning_again),
        cmocka_unit_test(a_bound_that_moves_in_the_middle_of_a_walk_is_reached_over_segments_that_came_since),
        cmocka_unit_test(a_start_on_snapshots_learns_the_same_end_from_the_segments_that_they_do_not_cover),
        cmocka_unit_test(a_start_on_snapshots_refuses_segments_that_do_not_go_on_from_each_other),
        cmocka_unit_test(damage_in_what_a_start_has_not_read_is_told_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
