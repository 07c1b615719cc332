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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_of_a_walk_opens_another_that_gives_the_same_record_again),
        cmocka_unit_test(a_walk_after_what_is_covered_gives_the_rest_and_needs_no_earlier_segment),
        cmocka_unit_test(a_journal_that_does_not_reach_what_is_covered_is_refused),
        cmocka_unit_test(one_walk_follows_a_writer_over_segments_without_beginning_again),
        cmocka_unit_test(a_bound_that_moves_in_the_middle_of_a_walk_is_reached_over_segments_that_came_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
