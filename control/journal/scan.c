// SPDX-License-Identifier: Apache-2.0
// What a start must know of a day before it goes on with it. Of segments that snapshots cover only the ends are read:
// what stands between them is checked when somebody reads it, and by the keeper's thread.
#include <stdlib.h>
#include <string.h>

#include "control/journal/block.h"
#include "control/journal/verify.h"
#include "control/journal/walk.h"

// The head of a segment's first block; false when it can not be had.
static bool read_link(struct journal_reader *reader, unsigned index, struct journal_block *head,
                      struct journal_segment *segment)
{
    const struct journal_block *block = journal_source_block(&reader->source, index, 0);
    if (!block || journal_block_check(block) != CHECK_GOOD)
        return false;
    *head = *block;
    memcpy(segment, block + 1, sizeof *segment);
    return true;
}

// Whether segment `index` ends where the one behind it goes on, which nothing precedes that is not covered. Any doubt
// is left to the walk, which then begins here and says what is wrong.
static bool is_passed_over(struct journal_reader *reader, unsigned index, const uint64_t covered[JOURNAL_CORES])
{
    struct journal_block head;
    struct journal_segment segment;
    const struct journal_source_segment *file = &reader->source.segments[index];
    if (file->packed || !read_link(reader, index + 1, &head, &segment))
        return false;
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (segment.last_seq[core] > covered[core])
            return false;
    }
    if (head.segment != file[1].number || segment.prev_segment != file->number || segment.prev_blocks == 0 ||
        file->size < (uint64_t)segment.prev_blocks * JOURNAL_BLOCK)
        return false;
    const struct journal_block *last = journal_source_block(&reader->source, index, segment.prev_blocks - 1);
    return last && journal_block_check(last) == CHECK_GOOD && last->segment == file->number &&
           last->block == segment.prev_blocks - 1 && last->crc == segment.prev_crc &&
           last->epoch == segment.prev_epoch && last->records + last->count == head.records &&
           (head.epoch == last->epoch || head.epoch == last->epoch + 1);
}

static enum journal_result walk(struct journal_reader *reader, const uint64_t covered[JOURNAL_CORES])
{
    const struct command *record;
    enum journal_result result = JOURNAL_OK;
    unsigned first = 0;
    while (covered && first + 1 < reader->used && is_passed_over(reader, first, covered))
        first++;
    if (first > 0)
        result = journal_begin_at(reader, first);
    reader->report.unread = first ? reader->source.segments[first].number : 0;
    while (result == JOURNAL_OK)
        result = journal_reader_next(reader, &record);
    return result;
}

enum journal_result journal_scan_after(const struct journal_identity *identity, const uint64_t covered[JOURNAL_CORES],
                                       struct journal_report *report)
{
    struct journal_reader *reader;
    const struct journal_reach reach = journal_reach_of_seals(identity);
    enum journal_result result = journal_reader_open(&reader, identity, report);
    if (result == JOURNAL_ABSENT) {
        memset(report, 0, sizeof *report);
        return journal_reaches(&reach, identity, report, report->text, sizeof report->text);
    }
    if (result)
        return result;
    result = walk(reader, covered);
    *report = reader->report;
    journal_reader_close(reader);
    if (result != JOURNAL_END)
        return result;
    return journal_reaches(&reach, identity, report, report->text, sizeof report->text);
}

enum journal_result journal_scan(const struct journal_identity *identity, struct journal_report *report)
{
    return journal_scan_after(identity, NULL, report);
}
