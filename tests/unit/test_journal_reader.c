// SPDX-License-Identifier: Apache-2.0
// A journal that was cut, torn, altered or rearranged: each has a defined outcome, and no wrong record is ever given
// out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/journal/block.h"
#include "control/journal/journal.h"

enum { DATE = 20260105, DEPTH = 256, SEGMENTS = 3, RECORDS_MAX = 1024, ZEROS = 2 };

// Segment 1: header, three commits of 1, 4 and 2 blocks, closed. Segment 2: a second epoch, header and two blocks,
// closed. Segment 3: a third epoch, header, commits of 1, 4 and 1 blocks; its writer was killed.
static const unsigned commits[SEGMENTS][4] = {{10, 100, 40, 0}, {31, 7, 0, 0}, {5, 100, 9, 0}};
static const unsigned used_blocks[SEGMENTS] = {9, 4, 7};

static struct {
    char directory[64];
    struct journal_identity identity;
    struct ring *ring;
    uint8_t *bytes[SEGMENTS];
    size_t sizes[SEGMENTS];
    struct command records[RECORDS_MAX];
    unsigned count;
} original;

static struct { // a copy to damage
    struct journal_image images[SEGMENTS + 1];
    uint8_t *bytes[SEGMENTS + 1];
    unsigned count;
} copy;

static void produce(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct command *command = ring_slot(original.ring, i);
        uint64_t sequence = atomic_load(&original.ring->produced) + 1 + i;
        memset((char *)command + 8, (int)(sequence * 7), sizeof *command - 8);
        command->type =
            CMD_ENTER; // of an end of the day the writer would close the segment, as soon as there is a spare
    }
    ring_publish(original.ring, count);
}

static struct journal_writer *open_writer(const struct journal_identity *identity, struct journal_report *report)
{
    struct journal_writer *writer;
    char text[256];
    const struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 64};
    if (journal_scan(identity, report))
        fail_msg("%s", report->text);
    if (journal_writer_open(&writer, identity, &options, report, text, sizeof text))
        fail_msg("%s", text);
    return writer;
}

static void load(unsigned segment)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", original.directory, DATE, segment + 1);
    size_t size = used_blocks[segment] * (size_t)JOURNAL_BLOCK;
    original.sizes[segment] = size + (segment + 1 == SEGMENTS ? ZEROS * JOURNAL_BLOCK : 0);
    original.bytes[segment] = calloc(1, original.sizes[segment]);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = pread(fd, original.bytes[segment], original.sizes[segment], 0);
    assert_in_range(got, size, original.sizes[segment]); // zeros may not have been written yet
    close(fd);
}

static int write_original(void **state)
{
    (void)state;
    const char *parent = getenv("XW_TMP");
    snprintf(original.directory, sizeof original.directory, "%s/xwr.XXXXXX",
             parent && strlen(parent) < sizeof original.directory - 12 ? parent : "/tmp");
    assert_non_null(mkdtemp(original.directory));
    original.identity =
        (struct journal_identity){.directory = original.directory, .instance = "test", .date = DATE, .config_hash = 1};
    original.ring = ring_new(aligned_alloc(CACHE_PAIR, ring_footprint(DEPTH, 128)), DEPTH, 128, 0);
    memset(ring_cell(original.ring, 0), 0, (size_t)DEPTH * 128);
    const struct journal_lane lane = {0, original.ring, NULL};
    struct journal_report report;
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        struct journal_writer *writer = open_writer(&original.identity, &report);
        for (unsigned i = 0; commits[segment][i]; i++) {
            produce(commits[segment][i]);
            for (unsigned j = 0; j < commits[segment][i]; j++)
                original.records[original.count++] = *(const struct command *)ring_peek(original.ring, j);
            assert_int_equal(journal_drain(writer, &lane, 1), JOURNAL_OK);
        }
        if (segment + 1 == SEGMENTS)
            load(segment); // as the disk is when the writer is killed
        assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
        if (segment + 1 < SEGMENTS)
            load(segment);
    }
    return 0;
}

static int remove_original(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", original.directory);
    for (unsigned i = 0; i < SEGMENTS; i++)
        free(original.bytes[i]);
    for (unsigned i = 0; i <= SEGMENTS; i++)
        free(copy.bytes[i]);
    free(original.ring);
    return system(command);
}

// A fresh copy of the first `count` segments.
static void take_copy(unsigned count)
{
    copy.count = count;
    for (unsigned i = 0; i < count; i++) {
        copy.bytes[i] = realloc(copy.bytes[i], original.sizes[i]);
        memcpy(copy.bytes[i], original.bytes[i], original.sizes[i]);
        copy.images[i] = (struct journal_image){i + 1, copy.bytes[i], original.sizes[i]};
    }
}

// Records in the segments before `segment` and in its first `blocks` blocks.
static unsigned records_up_to(unsigned segment, unsigned blocks)
{
    unsigned records = 0;
    for (unsigned i = 0; i < segment; i++)
        for (unsigned j = 0; commits[i][j]; j++)
            records += commits[i][j];
    unsigned left = blocks > 0 ? blocks - 1 : 0;
    for (unsigned j = 0; commits[segment][j]; j++)
        for (unsigned done = 0; done < commits[segment][j] && left; left--) {
            unsigned block = commits[segment][j] - done < 31 ? commits[segment][j] - done : 31;
            records += block;
            done += block;
        }
    return records;
}

// Walks the copy. Every record given out must be the original's, in order.
static enum journal_result walk(struct journal_report *report)
{
    struct journal_reader *reader;
    const struct command *record;
    memset(report, 0, sizeof *report);
    enum journal_result result = journal_reader_open_images(&reader, &original.identity, copy.images, copy.count);
    if (result)
        return result;
    unsigned count = 0;
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        assert_true(count < original.count);
        assert_memory_equal(record, &original.records[count], sizeof *record);
        count++;
    }
    *report = *journal_reader_report(reader);
    assert_int_equal(report->records, count);
    journal_reader_close(reader);
    return result;
}

static struct journal_block *block_of(unsigned segment, unsigned block)
{
    return (struct journal_block *)(copy.bytes[segment] + (size_t)block * JOURNAL_BLOCK);
}

static void forge(struct journal_block *block)
{
    block->crc = journal_block_crc(block);
}

static void an_untouched_journal_is_read_whole(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    assert_int_equal(walk(&report), JOURNAL_END);
    assert_int_equal(report.records, original.count);
    assert_int_equal(report.segments, SEGMENTS);
    assert_int_equal(report.epochs, SEGMENTS);
    assert_int_equal(report.last_blocks, used_blocks[SEGMENTS - 1]);
    assert_false(report.torn);
    assert_false(report.closed);
}

// Whether from here to its block's end the last segment holds only zeros, in a block that holds something.
static bool padding_only(size_t from)
{
    size_t end = (from + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
    bool zero = from % JOURNAL_BLOCK && from / JOURNAL_BLOCK < used_blocks[2];
    while (zero && from < end)
        zero = original.bytes[2][from++] == 0;
    return zero;
}

static void a_last_segment_cut_at_any_byte_ends_at_its_last_whole_block(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    for (size_t cut = 0; cut <= original.sizes[2]; cut++) {
        copy.images[2].size = cut;
        assert_int_equal(walk(&report), JOURNAL_END);
        unsigned whole = (unsigned)(cut / JOURNAL_BLOCK), used = used_blocks[2];
        whole += padding_only(cut); // what is cut off a block's padding reads as it was
        assert_int_equal(report.records, records_up_to(2, whole < used ? whole : used));
        bool rest = cut % JOURNAL_BLOCK && whole < used && !padding_only(cut);
        assert_int_equal(report.torn, rest);
        if (rest) {
            assert_int_equal(report.torn_at.segment, 3);
            assert_int_equal(report.torn_at.block, whole);
            assert_int_equal(report.torn_at.byte, (uint64_t)whole * JOURNAL_BLOCK);
            assert_int_equal(report.torn_blocks, 1);
        }
    }
}

static void a_last_segment_zeroed_from_any_byte_ends_at_its_last_whole_block(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    for (size_t from = used_blocks[2] * (size_t)JOURNAL_BLOCK; from-- > 0;) {
        bool was_zero = copy.bytes[2][from] == 0;
        copy.bytes[2][from] = 0;
        if (was_zero && from % JOURNAL_BLOCK && from % 61)
            continue; // the same image as the one before
        assert_int_equal(walk(&report), JOURNAL_END);
        unsigned whole = (unsigned)(from / JOURNAL_BLOCK);
        unsigned records = records_up_to(2, whole);
        // Zeroing what was zero leaves the block whole.
        assert_true(report.records == records || report.records == records_up_to(2, whole + 1));
        assert_true(report.records == records || !report.torn);
    }
}

static void a_flipped_byte_anywhere_in_a_closed_journal_is_noticed(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(2);
    for (unsigned segment = 0; segment < 2; segment++) {
        for (size_t at = 0; at < original.sizes[segment]; at++) {
            copy.bytes[segment][at] ^= (uint8_t)(1u << at % 8);
            enum journal_result result = walk(&report);
            copy.bytes[segment][at] ^= (uint8_t)(1u << at % 8);
            bool end_block = segment == 1 && at / JOURNAL_BLOCK == used_blocks[1] - 1;
            if (end_block) {
                assert_int_equal(result, JOURNAL_END);
                assert_true(report.torn);
                assert_int_equal(report.records, records_up_to(1, used_blocks[1]));
            } else {
                assert_int_equal(result, JOURNAL_CORRUPT);
            }
        }
    }
}

static void a_flipped_byte_in_a_killed_writers_segment_is_torn_only_in_its_last_commit(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    for (size_t at = 0; at < used_blocks[2] * (size_t)JOURNAL_BLOCK; at++) {
        copy.bytes[2][at] ^= 0x10;
        enum journal_result result = walk(&report);
        copy.bytes[2][at] ^= 0x10;
        unsigned block = (unsigned)(at / JOURNAL_BLOCK);
        if (block == used_blocks[2] - 1) {
            assert_int_equal(result, JOURNAL_END);
            assert_int_equal(report.torn_at.block, block);
        } else {
            assert_int_equal(result, JOURNAL_CORRUPT);
        }
    }
}

static void a_commit_torn_in_its_middle_ends_the_journal(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    memset(block_of(2, 6), 0,
           JOURNAL_BLOCK); // the last commit never came; of the one before, blocks 2..5, one is missing
    for (unsigned block = 2; block <= 5; block++) {
        memset(block_of(2, block), 0, JOURNAL_BLOCK);
        assert_int_equal(walk(&report), JOURNAL_END);
        assert_int_equal(report.records, records_up_to(2, block));
        assert_int_equal(report.torn, block < 5);
        memcpy(block_of(2, block), original.bytes[2] + (size_t)block * JOURNAL_BLOCK, JOURNAL_BLOCK);
    }
}

static void a_hole_before_a_later_commit_is_damage(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    for (unsigned block = 0; block <= 5; block++) {
        memset(block_of(2, block), 0, JOURNAL_BLOCK);
        assert_int_equal(walk(&report), JOURNAL_CORRUPT);
        memcpy(block_of(2, block), original.bytes[2] + (size_t)block * JOURNAL_BLOCK, JOURNAL_BLOCK);
    }
}

static void a_missing_segment_is_refused(void **state)
{
    (void)state;
    struct journal_report report;
    for (unsigned missing = 0; missing + 1 < SEGMENTS; missing++) {
        take_copy(SEGMENTS);
        memmove(&copy.images[missing], &copy.images[missing + 1], (SEGMENTS - 1 - missing) * sizeof *copy.images);
        copy.count--;
        assert_int_equal(walk(&report), JOURNAL_MISSING);
    }
}

static void blocks_missing_at_the_end_of_an_earlier_segment_are_refused(void **state)
{
    (void)state;
    struct journal_report report;
    for (unsigned segment = 0; segment < 2; segment++) {
        for (size_t cut = JOURNAL_BLOCK; cut < original.sizes[segment]; cut += 512) {
            take_copy(SEGMENTS);
            copy.images[segment].size = cut;
            assert_int_equal(walk(&report), JOURNAL_MISSING);
        }
    }
}

static void doubled_and_swapped_segments_are_refused(void **state)
{
    (void)state;
    struct journal_report report;
    for (unsigned a = 0; a < SEGMENTS; a++) {
        for (unsigned b = 0; b < SEGMENTS; b++) {
            take_copy(SEGMENTS);
            copy.images[a].bytes = copy.bytes[b]; // b stands in a's place too
            copy.images[a].size = original.sizes[b];
            if (a != b)
                assert_int_not_equal(walk(&report), JOURNAL_END);
            copy.images[b].bytes = copy.bytes[a]; // and a in b's
            copy.images[b].size = original.sizes[a];
            if (a != b)
                assert_int_not_equal(walk(&report), JOURNAL_END);
        }
    }
    take_copy(SEGMENTS);
    copy.images[3] = (struct journal_image){4, copy.bytes[2], original.sizes[2]};
    copy.count = 4;
    assert_int_equal(walk(&report), JOURNAL_CORRUPT);
}

// Whole, checksummed, and of something else.
static void another_version_instance_date_or_epoch_has_a_code_of_its_own(void **state)
{
    (void)state;
    struct journal_report report;
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        take_copy(SEGMENTS);
        struct journal_block *head = block_of(segment, 0), good = *head;
        head->version++, forge(head);
        assert_int_equal(walk(&report), JOURNAL_FORMAT);
        *head = good, head->engine_version++, forge(head);
        assert_int_equal(walk(&report), JOURNAL_ENGINE);
        *head = good, head->instance[0] ^= 1, forge(head);
        assert_int_equal(walk(&report), JOURNAL_INSTANCE);
        *head = good, head->date--, forge(head);
        assert_int_equal(walk(&report), JOURNAL_DATE);
        *head = good, head->epoch += 5, forge(head);
        assert_int_equal(walk(&report), JOURNAL_EPOCH);
        *head = good, head->epoch = 0, forge(head);
        assert_int_equal(walk(&report), JOURNAL_EPOCH);
    }
}

static void a_record_lost_from_a_forged_block_is_a_gap(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    struct journal_block *last = block_of(2, 6);
    struct command *records = (struct command *)(last + 1);
    records[3].seq += 1;
    forge(last);
    assert_int_equal(walk(&report), JOURNAL_GAP);
    assert_int_equal(report.bad.segment, 3);
    assert_int_equal(report.bad.block, 6);
    records[3].seq -= 2; // the third once more: passed over, and the fourth is missing
    forge(last);
    assert_int_equal(walk(&report), JOURNAL_GAP);
    assert_int_equal(report.duplicates, 1);
}

static void a_segment_that_was_only_begun_or_prepared_is_left_out(void **state)
{
    (void)state;
    struct journal_report report;
    take_copy(SEGMENTS);
    copy.images[2].size = JOURNAL_BLOCK;
    memset(copy.bytes[2], 0, JOURNAL_BLOCK);
    assert_int_equal(walk(&report), JOURNAL_END);
    assert_false(report.torn);
    assert_true(report.closed);
    assert_int_equal(report.last_segment, 2);
    copy.bytes[2][100] = 1;
    assert_int_equal(walk(&report), JOURNAL_END);
    assert_true(report.torn);
    assert_int_equal(report.torn_at.segment, 3);
    assert_int_equal(report.torn_at.block, 0);
}

static void after_a_torn_tail_the_next_epoch_records_where_it_goes_on(void **state)
{
    (void)state;
    struct journal_report report;
    char directory[96], path[160];
    snprintf(directory, sizeof directory, "%s/torn", original.directory);
    snprintf(path, sizeof path, "%s/%u", directory, DATE);
    assert_int_equal(mkdir(directory, 0755) | mkdir(path, 0755), 0);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        snprintf(path, sizeof path, "%s/%u/%06u.xwj", directory, DATE, i + 1);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        size_t size = i + 1 < SEGMENTS ? original.sizes[i] : used_blocks[i] * (size_t)JOURNAL_BLOCK - 3000;
        assert_int_equal(write(fd, original.bytes[i], size), size);
        close(fd);
    }
    struct journal_identity identity = {.directory = directory, .instance = "test", .date = DATE, .config_hash = 1};
    struct journal_writer *writer = open_writer(&identity, &report);
    assert_true(report.torn);
    assert_int_equal(report.last_seq[0], original.count - 9);
    // The nine are still in the ring of a matching core that lives.
    ring_rebase(original.ring, original.count - 12);
    produce(20);
    const struct journal_lane lane = {0, original.ring, NULL};
    assert_int_equal(journal_drain(writer, &lane, 1), JOURNAL_OK);
    assert_int_equal(journal_writer_counts(writer).duplicates, 3);
    assert_int_equal(journal_writer_close(writer), JOURNAL_OK);
    assert_int_equal(journal_scan(&identity, &report), JOURNAL_OK);
    assert_int_equal(report.last_seq[0], original.count + 8);
    assert_int_equal(report.epoch, SEGMENTS + 1);
    snprintf(path, sizeof path, "%s/%u/%06u.xwj", directory, DATE, SEGMENTS);
    assert_int_equal(truncate(path, (used_blocks[SEGMENTS - 1] - 2) * (off_t)JOURNAL_BLOCK), 0);
    assert_int_equal(journal_scan(&identity, &report), JOURNAL_MISSING);
    assert_non_null(strstr(report.text, "000003.xwj, block 5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_journal_is_read_whole),
        cmocka_unit_test(a_last_segment_cut_at_any_byte_ends_at_its_last_whole_block),
        cmocka_unit_test(a_last_segment_zeroed_from_any_byte_ends_at_its_last_whole_block),
        cmocka_unit_test(a_flipped_byte_anywhere_in_a_closed_journal_is_noticed),
        cmocka_unit_test(a_flipped_byte_in_a_killed_writers_segment_is_torn_only_in_its_last_commit),
        cmocka_unit_test(a_commit_torn_in_its_middle_ends_the_journal),
        cmocka_unit_test(a_hole_before_a_later_commit_is_damage),
        cmocka_unit_test(a_missing_segment_is_refused),
        cmocka_unit_test(blocks_missing_at_the_end_of_an_earlier_segment_are_refused),
        cmocka_unit_test(doubled_and_swapped_segments_are_refused),
        cmocka_unit_test(another_version_instance_date_or_epoch_has_a_code_of_its_own),
        cmocka_unit_test(a_record_lost_from_a_forged_block_is_a_gap),
        cmocka_unit_test(a_segment_that_was_only_begun_or_prepared_is_left_out),
        cmocka_unit_test(after_a_torn_tail_the_next_epoch_records_where_it_goes_on),
    };
    return cmocka_run_group_tests(tests, write_original, remove_original);
}
