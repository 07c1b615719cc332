// SPDX-License-Identifier: Apache-2.0
// Commits to the disk, and what is durable of them.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "contract/fault.h"
#include "control/journal/state.h"

// ---- threads --------------------------------------------------------------------------------------------------------

enum journal_result journal_attach(struct journal_writer *writer)
{
    xw_assert(!writer->queue);
    if (journal_writer_result(writer))
        return journal_writer_result(writer);
    struct iovec areas[JOURNAL_DEPTH_MAX + 1];
    for (unsigned i = 0; i <= writer->depth; i++)
        areas[i] = (struct iovec){writer->commits[i].base, writer->commit_bytes};
    writer->queue = writer->disk->attach(writer->disk, areas, writer->depth + 1, writer->fd);
    if (!writer->queue)
        journal_fail(writer, JOURNAL_SYSTEM, "journal: no io_uring: %s: allow it (kernel.io_uring_disabled = 0)",
                     strerror(errno));
    return journal_writer_result(writer);
}

void journal_detach(struct journal_writer *writer)
{
    if (!writer->queue)
        return;
    // After a failure a write may still be on its way; its buffer must outlive it.
    while (writer->outstanding) {
        unsigned before = writer->outstanding;
        journal_reap(writer, true);
        if (writer->outstanding == before)
            break;
    }
    writer->disk->detach(writer->disk, writer->queue);
    writer->queue = NULL;
}

bool journal_use_file(struct journal_writer *writer)
{
    if (writer->disk->use(writer->disk, writer->queue, writer->fd) == 0)
        return true;
    journal_fail(writer, JOURNAL_IO, "journal %s/%08u/%06u" JOURNAL_SUFFIX ": can not be registered: %s",
                 writer->directory, writer->date, writer->segment, strerror(errno));
    return false;
}

// ---- writing --------------------------------------------------------------------------------------------------------

// False: it did not go out, and no completion will come.
static bool start_write(struct journal_writer *writer, unsigned index)
{
    const struct journal_commit *commit = &writer->commits[index];
    if (writer->disk->submit(writer->disk, writer->queue, index, journal_commit_size(commit),
                             (uint64_t)commit->first * JOURNAL_BLOCK) == 0)
        return true;
    journal_fail(writer, JOURNAL_IO, "journal %s/%08u/%06u" JOURNAL_SUFFIX ": a write can not be started: %s",
                 writer->directory, writer->date, writer->segment, strerror(errno));
    return false;
}

void journal_submit(struct journal_writer *writer)
{
    if (writer->close_segment)
        journal_close_segment(writer);
    struct journal_commit *commit = journal_filling(writer);
    if (commit->blocks == 0 || writer->outstanding == writer->depth || journal_writer_result(writer))
        return;
    // Full blocks and headers are sealed already.
    bool sealed = writer->head.kind == JOURNAL_SEGMENT || commit->count == JOURNAL_RECORDS;
    if (!sealed)
        journal_end_block(writer);
    for (unsigned i = 0; i < writer->cores_count; i++)
        commit->seq[writer->cores[i]] = writer->taken[writer->cores[i]];
    if (!start_write(writer, writer->filling))
        return;
    writer->in_segment++;
    writer->outstanding++;
    writer->filling = (writer->filling + 1) % (writer->depth + 1);
    journal_filling(writer)->blocks = 0;
}

// The oldest outstanding commit is durable: tell.
static void publish(struct journal_writer *writer, const struct journal_commit *commit)
{
    for (unsigned i = 0; i < writer->cores_count; i++) {
        unsigned core = writer->cores[i];
        if (commit->seq[core] > atomic_load_explicit(&writer->durable[core], memory_order_relaxed))
            atomic_store_explicit(&writer->durable[core], commit->seq[core], memory_order_release);
    }
    uint64_t end = commit->first + commit->blocks;
    atomic_store_explicit(&writer->position, (uint64_t)writer->segment << 32 | end, memory_order_release);
    journal_add(&writer->count_records, commit->records);
    journal_add(&writer->count_commits, 1);
    journal_add(&writer->count_bytes, journal_commit_size(commit));
    if (writer->spare)
        journal_spare_progress(writer->spare, (uint32_t)end, writer->blocks);
}

static void complete(struct journal_writer *writer, struct journal_commit *commit, int result)
{
    if (FAULT(sync_failure_ignored) && result < 0)
        result = (int)journal_commit_size(commit);
    if (FAULT(short_write_ignored) && result >= 0)
        result = (int)journal_commit_size(commit);
    if (result < 0)
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u failed: %s: mend the "
                     "disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, strerror(-result));
    else if ((size_t)result != journal_commit_size(commit))
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u was cut short, %d of "
                     "%zu bytes: mend the disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, result,
                     journal_commit_size(commit));
    commit->done = true;
}

// Releases the outstanding commits from the oldest on, as far as they are done.
static bool release_done(struct journal_writer *writer)
{
    const unsigned size = writer->depth + 1;
    bool any = false;
    while (writer->outstanding) {
        const struct journal_commit *oldest = &writer->commits[(writer->filling + size - writer->outstanding) % size];
        if (!oldest->done)
            break;
        writer->outstanding--;
        if (journal_writer_result(writer))
            continue; // after a failure nothing is released any more, whatever else still completes
        publish(writer, oldest);
        any = true;
    }
    return any;
}

bool journal_reap(struct journal_writer *writer, bool wait)
{
    bool any = false;
    for (; writer->outstanding; wait = false) {
        unsigned buffer;
        int result;
        int got = writer->disk->complete(writer->disk, writer->queue, wait, &buffer, &result);
        if (got < 0)
            journal_fail(writer, JOURNAL_IO, "journal: waiting for a write failed: %s", strerror(errno));
        if (got <= 0)
            break;
        complete(writer, &writer->commits[buffer], result);
        any |= release_done(writer);
    }
    return any;
}

// Everything that was appended becomes durable, or the writer fails.
void journal_settle(struct journal_writer *writer)
{
    while ((journal_pending(writer) || writer->outstanding) && !journal_writer_result(writer)) {
        journal_submit(writer);
        journal_reap(writer, true);
    }
}
