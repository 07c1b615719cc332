// SPDX-License-Identifier: Apache-2.0
// How a walk over a day begins, and how it goes on when the day has grown.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/block.h"
#include "control/journal/files.h"
#include "control/journal/walk.h"

// ---- which segments -------------------------------------------------------------------------------------------------

bool journal_taken_away(const struct journal_reader *reader, unsigned index)
{
    return errno == ENOENT && index >= reader->used && index + 1 == reader->source.count;
}

// The header of a segment: NULL when none stands there, or with the reader's result when it can not be read or is not
// ours: that a journal is of another kind is said before it is called damaged.
static const struct journal_block *read_head(struct journal_reader *reader, unsigned index)
{
    const struct journal_block *head = journal_source_block(&reader->source, index, 0);
    if (!head) {
        if (!journal_taken_away(reader, index))
            journal_unreadable(reader, index, 0);
        return NULL;
    }
    if (journal_block_check(head) != CHECK_GOOD || journal_check_identity(reader, index, head))
        return NULL;
    return head;
}

// Notes what a segment's header says; false when none stands there, or with the reader's result.
static bool note_head(struct journal_reader *reader, unsigned index)
{
    const struct journal_block *head = read_head(reader, index);
    uint32_t prev_blocks = head ? ((const struct journal_segment *)(head + 1))->prev_blocks : 0;
    reader->heads[index] = (struct segment_head){head != NULL, prev_blocks};
    return head;
}

// Reads the headers from a segment on: which segments are part of the journal, and where each must end.
static enum journal_result survey(struct journal_reader *reader, unsigned from)
{
    struct journal_source *source = &reader->source;
    struct segment_head *heads = realloc(reader->heads, (source->count + 1) * sizeof *heads);
    if (!heads)
        return journal_refuse(reader, JOURNAL_SYSTEM, 0, 0, "%s", strerror(errno));
    reader->heads = heads;
    for (unsigned i = from; i < source->count; i++) {
        if (note_head(reader, i))
            reader->used = i + 1;
        if (reader->result)
            return reader->result;
    }
    for (unsigned i = from; i < reader->used; i++) {
        uint32_t wanted = i == reader->first ? source->segments[i].number : source->segments[i - 1].number + 1;
        if (i == 0 && reader->first == 0 && !reader->from.segment && !reader->covering)
            wanted = 1;
        if (source->segments[i].number != wanted)
            return journal_refuse(reader, JOURNAL_MISSING, i, 0, "segment %06u is missing: restore it", wanted);
        // A writer may have written it, and the next one's, after it was looked at.
        if (heads[i].good || note_head(reader, i))
            continue;
        return reader->result ? reader->result
                              : journal_refuse(reader, JOURNAL_CORRUPT, i, 0,
                                               "the segment's header is damaged: restore it from a copy");
    }
    return JOURNAL_OK;
}

// Whether everything that stands before a segment is covered.
static bool covers(const struct journal_reader *reader, const struct journal_block *head)
{
    const struct journal_segment *segment = (const void *)(head + 1);
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (segment->last_seq[core] > reader->covered[core])
            return false;
    }
    return true;
}

// The segment that the walk begins with: the one that was asked for, or the last one that has nothing before it that is
// not covered.
static enum journal_result choose_first(struct journal_reader *reader)
{
    struct journal_source *source = &reader->source;
    if (!reader->covering) {
        while (reader->first < source->count && source->segments[reader->first].number < reader->from.segment)
            reader->first++;
        if (reader->first < source->count && (!reader->from.segment || // the beginning
                                              source->segments[reader->first].number == reader->from.segment))
            return JOURNAL_OK;
        reader->first = source->count - 1;
        return journal_refuse(reader, JOURNAL_MISSING, reader->first, 0,
                              "segment %06u, where reading was to go on, is missing: restore it", reader->from.segment);
    }
    for (unsigned i = source->count; i-- > 0;) {
        const struct journal_block *head = read_head(reader, i);
        if (reader->result)
            return reader->result;
        reader->first = i;
        if (head && covers(reader, head))
            return JOURNAL_OK;
    }
    if (source->segments[0].number == 1)
        return JOURNAL_OK; // the beginning: the walk tells what is wrong with it
    return journal_refuse(reader, JOURNAL_MISSING, 0, 0,
                          "the segments before it are missing, and needed: restore them");
}

enum journal_result journal_begin_at(struct journal_reader *reader, unsigned index)
{
    struct journal_report *report = &reader->report;
    reader->index = reader->first = index;
    if (reader->source.segments[reader->first].number == 1 || reader->used <= reader->first)
        return JOURNAL_OK;
    const struct journal_block *head = read_head(reader, reader->first);
    if (!head)
        return reader->result;
    const struct journal_segment *segment = (const void *)(head + 1);
    report->last_segment = reader->source.segments[reader->first].number - 1;
    report->last_blocks = segment->prev_blocks;
    report->last_crc = segment->prev_crc;
    report->epoch = segment->prev_epoch;
    memcpy(report->last_seq, segment->last_seq, sizeof report->last_seq);
    reader->records = head->records;
    return JOURNAL_OK;
}

// ---- opening --------------------------------------------------------------------------------------------------------

static struct journal_reader *new_reader(const struct journal_identity *identity)
{
    struct journal_reader *reader = calloc(1, sizeof *reader);
    xw_assert(reader);
    reader->identity = *identity;
    return reader;
}

// Takes the reader, whose source was opened (`good`) or not.
static enum journal_result begin(struct journal_reader **out, struct journal_reader *reader, bool good,
                                 struct journal_report *report)
{
    if (!good)
        journal_refuse(reader, JOURNAL_SYSTEM, 0, 0, "%s", strerror(errno));
    else if (reader->source.count == 0)
        journal_refuse(reader, JOURNAL_ABSENT, 0, 0, "there is none for this trading date");
    else if (choose_first(reader) == JOURNAL_OK && survey(reader, reader->first) == JOURNAL_OK)
        journal_begin_at(reader, reader->first);
    enum journal_result result = reader->result;
    if (report)
        *report = reader->report;
    if (result) {
        journal_reader_close(reader);
        reader = NULL;
    }
    *out = reader;
    return result;
}

static enum journal_result open_day(struct journal_reader **out, struct journal_reader *reader,
                                    struct journal_report *report)
{
    struct journal_report unwanted;
    const struct journal_identity *identity = &reader->identity;
    const struct journal_disk *disk = journal_disk_of(identity);
    if (!report)
        report = &unwanted;
    memset(report, 0, sizeof *report);
    *out = NULL;
    int day = disk->open_day(disk, identity->directory, identity->date, false);
    if (day >= 0)
        return begin(out, reader, journal_source_open_day(&reader->source, disk, day), report);
    snprintf(report->text, sizeof report->text, "journal %s/%08u: %s", identity->directory, identity->date,
             strerror(errno));
    enum journal_result result = errno == ENOENT ? JOURNAL_ABSENT : JOURNAL_SYSTEM;
    free(reader);
    return result;
}

enum journal_result journal_reader_open(struct journal_reader **reader, const struct journal_identity *identity,
                                        struct journal_report *report)
{
    return open_day(reader, new_reader(identity), report);
}

enum journal_result journal_reader_open_at(struct journal_reader **reader, const struct journal_identity *identity,
                                           struct journal_place from, struct journal_report *report)
{
    struct journal_reader *opened = new_reader(identity);
    opened->from = from;
    return open_day(reader, opened, report);
}

enum journal_result journal_reader_open_after(struct journal_reader **reader, const struct journal_identity *identity,
                                              const uint64_t covered[JOURNAL_CORES], struct journal_report *report)
{
    struct journal_reader *opened = new_reader(identity);
    opened->covering = true;
    memcpy(opened->covered, covered, sizeof opened->covered);
    return open_day(reader, opened, report);
}

enum journal_result journal_reader_open_images(struct journal_reader **reader, const struct journal_identity *identity,
                                               const struct journal_image *images, unsigned count)
{
    struct journal_reader *opened = new_reader(identity);
    return begin(reader, opened, journal_source_open_images(&opened->source, images, count), NULL);
}

// ---- going on -------------------------------------------------------------------------------------------------------

// Looks again at what there is: a segment may have grown, and others may have come.
void journal_look_again(struct journal_reader *reader)
{
    reader->result = JOURNAL_OK;
    reader->stale = false;
    if (!journal_source_refresh(&reader->source, &reader->index))
        journal_refuse(reader, JOURNAL_SYSTEM, reader->index, reader->block, "%s", strerror(errno));
    reader->first = reader->index;
    if (!reader->result)
        survey(reader, reader->index);
}

void journal_reader_until(struct journal_reader *reader, struct journal_place until)
{
    bool same = reader->bounded && until.segment == reader->source.segments[reader->index].number;
    reader->bounded = true;
    reader->until = until;
    journal_source_until(&reader->source, until.segment, until.block);
    if (reader->result != JOURNAL_END) {
        reader->stale = reader->used == 0 || until.segment > reader->source.segments[reader->used - 1].number;
        return; // in the middle of a walk, which goes on past what was known when it began
    }
    if (same)
        reader->result = JOURNAL_OK; // within the segment: nothing that was read of it has changed
    else
        journal_look_again(reader);
}

struct journal_place journal_reader_place(const struct journal_reader *reader)
{
    uint32_t block = reader->given ? reader->block - 1 : reader->block;
    return (struct journal_place){reader->source.segments[reader->index].number, block,
                                  (uint64_t)block * JOURNAL_BLOCK};
}

const struct journal_report *journal_reader_report(const struct journal_reader *reader)
{
    return &reader->report;
}

void journal_reader_watch(struct journal_reader *reader, journal_watch *watch, void *context)
{
    reader->watch = watch;
    reader->watch_context = context;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader)
        return;
    journal_source_close(&reader->source);
    free(reader->heads);
    free(reader);
}

bool journal_read_instance(const char *directory, uint32_t date, char instance[33])
{
    struct journal_source source;
    int day = journal_disk_system.open_day(&journal_disk_system, directory, date, false);
    memset(instance, 0, 33);
    if (day < 0)
        return false;
    bool good = journal_source_open_day(&source, &journal_disk_system, day);
    if (good && source.count == 0)
        errno = ENOENT;
    const struct journal_block *head = good && source.count ? journal_source_block(&source, 0, 0) : NULL;
    if (head && head->magic == JOURNAL_MAGIC)
        memcpy(instance, head->instance, sizeof head->instance);
    journal_source_close(&source);
    return head != NULL;
}
