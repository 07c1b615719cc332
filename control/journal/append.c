// SPDX-License-Identifier: Apache-2.0
// Commands into blocks, blocks into segments.
#include <stdio.h>
#include <string.h>

#include "contract/fault.h"
#include "control/journal/block.h"
#include "control/journal/state.h"

enum { GROWTH = 4 };

// ---- blocks ---------------------------------------------------------------------------------------------------------

static uint8_t *last_block(struct journal_commit *commit)
{
    return commit->base + (size_t)(commit->blocks - 1) * JOURNAL_BLOCK;
}

// Of the commits before the one that fills, all but depth - 1 are durable when it is submitted: the first block of the
// oldest that need not be. Whatever stands in earlier segments is durable.
static uint32_t durable_below(const struct journal_writer *writer)
{
    const unsigned size = writer->depth + 1, back = writer->depth - 1;
    return writer->in_segment < back ? 0 : writer->commits[(writer->filling + size - back) % size].first;
}

void journal_begin_block(struct journal_writer *writer, enum journal_block_kind kind)
{
    struct journal_commit *commit = journal_filling(writer);
    if (FAULT(block_rewritten) && commit->blocks == 0 && writer->next_block > 1 && writer->head.count < JOURNAL_RECORDS)
        writer->next_block--;
    if (commit->blocks == 0) {
        commit->first = writer->next_block;
        commit->records = 0;
        commit->done = false;
        writer->head.wall_ns = writer->disk->wall_ns(writer->disk);
        writer->head.durable_block = durable_below(writer);
    }
    commit->blocks++;
    commit->count = 0;
    writer->head.kind = (uint16_t)kind;
    writer->head.block = writer->next_block++;
    writer->head.records = writer->records;
}

// Completes the block in hand: padding, header, CRC.
void journal_end_block(struct journal_writer *writer)
{
    struct journal_commit *commit = journal_filling(writer);
    uint8_t *block = last_block(commit);
    size_t used = sizeof writer->head + (size_t)commit->count * sizeof(struct command);
    if (writer->head.kind != JOURNAL_SEGMENT)
        memset(block + used, 0, JOURNAL_BLOCK - used);
    writer->head.count = (uint16_t)commit->count;
    writer->head.prev_crc = writer->crc;
    memcpy(block, &writer->head, sizeof writer->head);
    writer->crc = journal_block_crc(block);
    ((struct journal_block *)block)->crc = writer->crc;
    writer->records += commit->count;
    commit->records += commit->count;
}

// Block 0 of a new segment into the (empty) commit: what it goes on from is the chain as it stands.
void journal_begin_segment(struct journal_writer *writer, uint32_t prev_blocks, uint64_t prev_epoch)
{
    struct journal_commit *commit = journal_filling(writer);
    xw_assert(commit->blocks == 0 && writer->outstanding == 0);
    writer->next_block = 0;
    writer->in_segment = 0;
    writer->head.segment = writer->segment;
    journal_begin_block(writer, JOURNAL_SEGMENT);
    uint8_t *block = last_block(commit);
    memset(block, 0, JOURNAL_BLOCK);
    struct journal_segment *segment = (struct journal_segment *)(block + sizeof writer->head);
    segment->prev_segment = writer->segment - 1;
    segment->prev_blocks = prev_blocks;
    segment->prev_crc = writer->crc;
    segment->blocks = writer->blocks;
    segment->prev_epoch = prev_epoch;
    memcpy(segment->last_seq, writer->taken, sizeof segment->last_seq);
    journal_end_block(writer);
    journal_add(&writer->count_segments, 1);
}
// ---- segments -------------------------------------------------------------------------------------------------------

void journal_want_next(struct journal_writer *writer)
{
    uint64_t grown = (uint64_t)writer->blocks * GROWTH;
    journal_spare_want(writer->spare, writer->segment + 1,
                       grown < writer->blocks_max ? (uint32_t)grown : writer->blocks_max);
}

// The current segment is full and everything in it is durable: on to the next. False when that is not ready, or never
// will be.
static bool roll(struct journal_writer *writer)
{
    enum spare_state state = journal_spare_state(writer->spare);
    if (state == SPARE_NO_ROOM || state == SPARE_FAILED) {
        bool full = state == SPARE_NO_ROOM;
        journal_fail(writer, full ? JOURNAL_SPACE : JOURNAL_IO,
                     "journal %s/%08u: segment %06u can not be made: %s: %s, then start control again",
                     writer->directory, writer->date, writer->segment + 1, strerror(journal_spare_error(writer->spare)),
                     full ? "free or add disk space" : "mend the disk");
        return false;
    }
    uint32_t blocks;
    bool direct;
    int fd = journal_spare_take(writer->spare, &blocks, &direct);
    if (fd < 0) {
        if (!writer->waiting)
            journal_add(&writer->count_waits, 1);
        writer->waiting = true;
        return false;
    }
    writer->waiting = false;
    writer->disk->close(writer->disk, writer->fd);
    uint32_t full_blocks = writer->next_block;
    writer->fd = fd;
    writer->direct = direct;
    writer->blocks = blocks;
    writer->segment++;
    if (!journal_use_file(writer))
        return false;
    journal_begin_segment(writer, full_blocks, writer->epoch);
    journal_want_next(writer);
    return true;
}
// ---- appending ------------------------------------------------------------------------------------------------------

static bool open_block(struct journal_writer *writer)
{
    struct journal_commit *commit = journal_filling(writer);
    if (writer->next_block + 1 >= writer->blocks) { // the last block is kept for the end of an orderly close
        if (commit->blocks || writer->outstanding || !roll(writer))
            return false;
    }
    if ((size_t)commit->blocks * JOURNAL_BLOCK >= writer->commit_bytes)
        return false;
    journal_begin_block(writer, JOURNAL_DATA);
    return true;
}

// The day ends with every core's own CMD_END_DAY: its segment is closed then, full or not, so that it can be sealed.
static void end_of_day(struct journal_writer *writer)
{
    if (++writer->ended >= writer->cores_count)
        writer->close_segment = true;
}

void journal_close_segment(struct journal_writer *writer)
{
    if (journal_pending(writer) || writer->outstanding || journal_spare_state(writer->spare) != SPARE_READY)
        return; // no room for another segment is no failure before this one is full
    if (roll(writer))
        writer->close_segment = false;
}

bool journal_append(struct journal_writer *writer, unsigned core, const struct command *command)
{
    xw_assert(core < JOURNAL_CORES);
    struct journal_commit *commit = journal_filling(writer);
    if (atomic_load_explicit(&writer->result, memory_order_relaxed))
        return false;
    bool room = commit->blocks && commit->count < JOURNAL_RECORDS && writer->head.kind == JOURNAL_DATA;
    if (!room && !open_block(writer))
        return false;
    struct command *record = (struct command *)(last_block(commit) + sizeof writer->head) + commit->count;
    memcpy(record, command, sizeof *record);
    if (writer->taken[core] == 0)
        writer->cores[writer->cores_count++] = (uint16_t)core;
    record->seq = (uint64_t)core << COMMAND_SEQ_BITS | ++writer->taken[core];
    if (__builtin_expect(command->type == CMD_END_DAY, 0))
        end_of_day(writer);
    if (++commit->count == JOURNAL_RECORDS)
        journal_end_block(writer);
    return true;
}

uint64_t journal_taken(const struct journal_writer *writer, unsigned core)
{
    return writer->taken[core];
}

void journal_count_duplicate(struct journal_writer *writer)
{
    journal_add(&writer->count_duplicates, 1);
}

bool journal_pending(const struct journal_writer *writer)
{
    return writer->commits[writer->filling].blocks > 0;
}

unsigned journal_outstanding(const struct journal_writer *writer)
{
    return writer->outstanding;
}
