// SPDX-License-Identifier: Apache-2.0
// Walks a day's segments block by block. The rule that tells a torn tail from damage stands in journal_format.h.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/fault.h"
#include "control/journal/block.h"
#include "control/journal/journal.h"
#include "control/journal/walk.h"

// ---- how a walk ends ------------------------------------------------------------------------------------------------

enum journal_result journal_refuse(struct journal_reader *reader, enum journal_result result, unsigned index,
                                   uint32_t block, const char *format, ...)
{
    struct journal_report *report = &reader->report;
    uint32_t segment = index < reader->source.count ? reader->source.segments[index].number : 0;
    report->bad = (struct journal_place){segment, block, (uint64_t)block * JOURNAL_BLOCK};
    int used = snprintf(report->text, sizeof report->text,
                        "journal %s/%08u/%06u" JOURNAL_SUFFIX ", block %u: ", reader->identity.directory,
                        reader->identity.date, segment, block);
    va_list list;
    va_start(list, format);
    if (used > 0 && (size_t)used < sizeof report->text)
        vsnprintf(report->text + used, sizeof report->text - (size_t)used, format, list);
    va_end(list);
    return reader->result = result;
}

enum journal_result journal_unreadable(struct journal_reader *reader, unsigned index, uint32_t block)
{
    if (errno == EBADMSG)
        return journal_refuse(reader, JOURNAL_CORRUPT, index, block,
                              "the compressed segment is damaged: restore it from a copy");
    return journal_refuse(reader, JOURNAL_SYSTEM, index, block, "can not be read: %s", strerror(errno));
}

static enum journal_result end_at_torn(struct journal_reader *reader, uint32_t segment, uint32_t block, uint32_t blocks)
{
    struct journal_report *report = &reader->report;
    if (blocks) {
        report->torn = true;
        report->torn_at = (struct journal_place){segment, block, (uint64_t)block * JOURNAL_BLOCK};
        report->torn_blocks = blocks;
    }
    return reader->result = JOURNAL_END;
}

// ---- one block against what must come here --------------------------------------------------------------------------

enum journal_result journal_check_identity(struct journal_reader *reader, unsigned index,
                                           const struct journal_block *head)
{
    const struct journal_identity *identity = &reader->identity;
    if (head->version != JOURNAL_VERSION)
        return journal_refuse(reader, JOURNAL_FORMAT, index, head->block,
                              "format version %u, this build reads %u: use the build"
                              " that wrote it",
                              head->version, JOURNAL_VERSION);
    if (!journal_instance_is(head, identity->instance))
        return journal_refuse(reader, JOURNAL_INSTANCE, index, head->block,
                              "written by instance %.31s, not %s: correct instance"
                              " or journal_directory",
                              head->instance, identity->instance);
    if (head->date != identity->date)
        return journal_refuse(reader, JOURNAL_DATE, index, head->block,
                              "of trading date %u, not %u: move it to its own day", head->date, identity->date);
    if (!identity->any_engine && head->engine_version != CROSSWIRE_ENGINE_VERSION)
        return journal_refuse(reader, JOURNAL_ENGINE, index, head->block,
                              "for engine version %u, this build has %u: use the"
                              " build that wrote it, or a new trading date",
                              head->engine_version, CROSSWIRE_ENGINE_VERSION);
    return JOURNAL_OK;
}

static enum journal_result check_chain(struct journal_reader *reader, const struct journal_block *head)
{
    const struct journal_report *report = &reader->report;
    unsigned index = reader->index;
    uint32_t number = reader->source.segments[index].number;
    if (head->segment != number || head->block != reader->block)
        return journal_refuse(reader, JOURNAL_CORRUPT, index, reader->block,
                              "holds block %u of segment %u: files were swapped or"
                              " doubled, restore them",
                              head->block, head->segment);
    if (head->prev_crc != report->last_crc || head->records != reader->records)
        return journal_refuse(reader, JOURNAL_CORRUPT, index, reader->block,
                              "does not follow the block before it: restore the"
                              " journal from a copy");
    bool first = reader->block == 0;
    bool epoch_good = head->epoch == report->epoch || (first && head->epoch == report->epoch + 1);
    if (!epoch_good || head->epoch == 0)
        return journal_refuse(reader, JOURNAL_EPOCH, index, reader->block, "epoch %llu after %llu",
                              (unsigned long long)head->epoch, (unsigned long long)report->epoch);
    bool form = first ? head->kind == JOURNAL_SEGMENT && head->count == 0
                      : (head->kind == JOURNAL_DATA && head->count >= 1 && head->count <= JOURNAL_RECORDS) ||
                            (head->kind == JOURNAL_CLOSED && head->count == 0);
    bool after_close = !first && report->closed;
    if (!form || after_close || head->durable_block > head->block)
        return journal_refuse(reader, JOURNAL_CORRUPT, index, reader->block,
                              "kind %u with %u records can not stand here", head->kind, head->count);
    return JOURNAL_OK;
}

// The first block of a segment says what the segments before it must have been.
static enum journal_result check_segment(struct journal_reader *reader, const struct journal_block *head)
{
    const struct journal_report *report = &reader->report;
    const struct journal_segment *segment = (const void *)(head + 1);
    if (segment->prev_segment != report->last_segment || segment->prev_blocks != report->last_blocks ||
        segment->prev_crc != report->last_crc || segment->prev_epoch != report->epoch)
        return journal_refuse(reader, JOURNAL_CORRUPT, reader->index, 0,
                              "goes on from another place than where the segment before"
                              " it ends: restore the journal from a copy");
    if (memcmp(segment->last_seq, report->last_seq, sizeof report->last_seq) != 0)
        return journal_refuse(reader, JOURNAL_GAP, reader->index, 0,
                              "goes on from other sequences than the segments before it"
                              " hold: restore the journal from a copy");
    if (segment->blocks < 2)
        return journal_refuse(reader, JOURNAL_CORRUPT, reader->index, 0, "a segment of %u blocks", segment->blocks);
    reader->blocks = segment->blocks;
    return JOURNAL_OK;
}

static void take_block(struct journal_reader *reader, const struct journal_block *head)
{
    struct journal_report *report = &reader->report;
    if (reader->block == 0) {
        report->segments++;
        report->epochs += head->epoch != report->epoch;
        report->epoch = head->epoch;
        report->config_hash = head->config_hash;
        report->engine_version = head->engine_version;
    }
    report->closed = head->kind == JOURNAL_CLOSED;
    report->blocks++;
    report->last_segment = head->segment;
    report->last_blocks = head->block + 1;
    report->last_crc = head->crc;
    reader->records += head->count;
    report->last_records = reader->records;
    reader->record = (const struct command *)(head + 1);
    reader->left = head->count - (FAULT(record_left_out) && head->count > 1 && head->count < JOURNAL_RECORDS);
    reader->quiet = head->segment == reader->from.segment && head->block < reader->from.block;
    reader->foreign = head->engine_version != CROSSWIRE_ENGINE_VERSION;
    reader->given = false;
    reader->block++;
    if (reader->watch)
        reader->watch(reader->watch_context, head);
}

// ---- where the journal ends -----------------------------------------------------------------------------------------

// What stands behind the end.
struct tail {
    uint32_t filled;  // blocks with something in them
    uint32_t segment; // of the first of them
};

// Looks through everything from block `from` of segment `index` on for proof that the block at which the walk stopped
// was durable once. Counts blocks that have something in them.
static enum journal_result search_witness(struct journal_reader *reader, unsigned index, uint32_t from, uint32_t bad,
                                          bool rolled, struct tail *tail)
{
    for (; index < reader->source.count; index++, from = 0) {
        for (uint32_t i = from; i < journal_source_blocks(&reader->source, index); i++) {
            const struct journal_block *head = journal_source_block(&reader->source, index, i);
            if (!head && journal_taken_away(reader, index))
                return JOURNAL_OK;
            if (!head)
                return journal_unreadable(reader, index, i);
            enum journal_check check = journal_block_check(head);
            if (check != CHECK_ZERO && tail->filled++ == 0)
                tail->segment = reader->source.segments[index].number;
            if (check != CHECK_GOOD)
                continue;
            // Within the same segment the block says itself what was durable; a block of a later segment proves the
            // whole one before it, unless that had been full and this is the first commit into the next.
            bool same = index == reader->index;
            if (same ? head->durable_block > bad : !rolled || head->durable_block > 0 || index > reader->index + 1)
                return journal_refuse(reader, JOURNAL_CORRUPT, reader->index, bad,
                                      "is damaged, and segment %u block %u proves that"
                                      " it was durable: restore the journal from a copy",
                                      reader->source.segments[index].number, i);
        }
    }
    return JOURNAL_OK;
}

// The walk has not come to where it was to begin giving records.
static bool short_of_start(const struct journal_reader *reader)
{
    uint32_t number = reader->index < reader->source.count ? reader->source.segments[reader->index].number : 0;
    return number < reader->from.segment || (number == reader->from.segment && reader->block < reader->from.block);
}

// Of what was said to be covered, the journal has everything.
static enum journal_result check_covered(struct journal_reader *reader)
{
    for (unsigned core = 0; reader->covering && core < JOURNAL_CORES; core++) {
        if (reader->covered[core] > reader->report.last_seq[core])
            return journal_refuse(
                reader, JOURNAL_MISSING, reader->index, reader->block,
                "the journal ends here, at sequence %llu of core %u, but %llu was durable: restore it",
                (unsigned long long)reader->report.last_seq[core], core, (unsigned long long)reader->covered[core]);
    }
    return JOURNAL_OK;
}

// A writer may go on while others read: what stands behind the end may have come after the walk had looked there. Looks
// again; true when it has (the walk ends where it is: it could be on a writer's heels for ever), or when that can not
// be found out.
static bool has_gone_on(struct journal_reader *reader)
{
    const struct journal_report told = reader->report;
    const enum journal_result result = reader->result;
    const bool here = reader->bounded && reader->until.segment <= reader->source.segments[reader->index].number;
    if (here || reader->used == 0 || reader->source.day < 0)
        return false;
    journal_look_again(reader);
    if (reader->result)
        return true;
    const struct journal_block *head =
        reader->block < reader->blocks ? journal_source_block(&reader->source, reader->index, reader->block) : NULL;
    reader->report.bad = (struct journal_place){0};
    reader->report.text[0] = 0;
    if ((head && journal_block_check(head) == CHECK_GOOD) ||
        (reader->index + 1 < reader->used && reader->heads[reader->index + 1].prev_blocks == reader->block))
        return true;
    reader->report = told;
    reader->result = result;
    return false;
}

// The block at reader->block of the last segment does not check, or the segment is full: a torn tail, or damage?
static enum journal_result end_of_journal(struct journal_reader *reader)
{
    struct tail tail = {0};
    unsigned index = reader->index;
    if (short_of_start(reader))
        return journal_refuse(
            reader, JOURNAL_MISSING, index, reader->block,
            "the journal ends here, before segment %u block %u, where reading was to go on: restore it",
            reader->from.segment, reader->from.block);
    uint32_t bad = reader->block;
    bool rolled = reader->used == 0 || bad + 1 >= reader->blocks;
    uint32_t segment = reader->source.segments[index].number;
    enum journal_result result = search_witness(reader, index, bad, bad, rolled, &tail);
    if ((result == JOURNAL_CORRUPT || tail.filled) && has_gone_on(reader))
        tail.filled = 0;
    if (reader->result || check_covered(reader))
        return reader->result;
    return tail.segment > segment ? end_at_torn(reader, tail.segment, 0, tail.filled)
                                  : end_at_torn(reader, segment, bad, tail.filled);
}

// The file ends before the block at which the walk stands does.
static bool cut_off(const struct journal_reader *reader)
{
    return reader->source.segments[reader->index].size < ((uint64_t)reader->block + 1) * JOURNAL_BLOCK;
}

static enum journal_result bad_in_the_middle(struct journal_reader *reader, enum journal_check check)
{
    bool gone = cut_off(reader) || check == CHECK_ZERO;
    return journal_refuse(reader, gone ? JOURNAL_MISSING : JOURNAL_CORRUPT, reader->index, reader->block,
                          "%s, and segment %u goes on behind it: restore the journal from a copy",
                          gone ? "is missing" : "is damaged", reader->source.segments[reader->index + 1].number);
}

// ---- the walk -------------------------------------------------------------------------------------------------------

static enum journal_result next_block(struct journal_reader *reader)
{
    if (reader->stale && reader->source.day >= 0)
        journal_look_again(reader);
    if (reader->result)
        return reader->result;
    if (reader->used == 0)
        return end_of_journal(reader);
    bool last = reader->index + 1 == reader->used;
    if (!last && reader->block > 0 && reader->block >= reader->heads[reader->index + 1].prev_blocks) {
        reader->index++;
        reader->block = 0;
        last = reader->index + 1 == reader->used;
    }
    uint32_t number = reader->source.segments[reader->index].number;
    if (reader->bounded &&
        (number > reader->until.segment || (number == reader->until.segment && reader->block >= reader->until.block)))
        return reader->result = JOURNAL_END;
    if (last && reader->block > 0 && reader->block >= reader->blocks)
        return end_of_journal(reader);

    const struct journal_block *head = journal_source_block(&reader->source, reader->index, reader->block);
    if (!head)
        return journal_unreadable(reader, reader->index, reader->block);
    enum journal_check check = journal_block_check(head);
    if (check != CHECK_GOOD || (!last && cut_off(reader)))
        return last ? end_of_journal(reader) : bad_in_the_middle(reader, check);
    enum journal_result result = journal_check_identity(reader, reader->index, head);
    if (!result)
        result = check_chain(reader, head);
    if (!result && reader->block == 0)
        result = check_segment(reader, head);
    if (!result)
        take_block(reader, head);
    return result;
}

enum journal_result journal_reader_next(struct journal_reader *reader, const struct command **record)
{
    struct journal_report *report = &reader->report;
    *record = NULL;
    while (!reader->result) {
        if (!reader->left) {
            next_block(reader);
            continue;
        }
        const struct command *next = reader->record++;
        reader->left--;
        uint64_t *last = &report->last_seq[journal_core(next)];
        uint64_t sequence = journal_sequence(next);
        if (sequence <= *last) {
            report->duplicates++;
            continue;
        }
        if (sequence != *last + 1)
            return journal_refuse(reader, JOURNAL_GAP, reader->index, reader->block - 1,
                                  "core %u goes from sequence %llu to %llu:"
                                  " restore the journal from a copy",
                                  journal_core(next), (unsigned long long)*last, (unsigned long long)sequence);
        *last = sequence;
        if (reader->foreign)
            report->foreign[journal_core(next)] = sequence;
        if (reader->quiet || (reader->covering && sequence <= reader->covered[journal_core(next)]))
            continue;
        report->records++;
        reader->given = true;
        *record = next;
        return JOURNAL_OK;
    }
    return reader->result;
}
