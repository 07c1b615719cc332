// SPDX-License-Identifier: Apache-2.0
// Commits to the disk, and what is durable of them.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/journal_state.h"

enum { URING_ENTRIES = 8 };

// ---- threads --------------------------------------------------------------------------------------------------------

enum journal_result journal_attach(struct journal_writer *writer)
{
    xw_assert(!writer->attached);
    if (journal_writer_result(writer))
        return journal_writer_result(writer);
    // Completions wait for this thread to ask for them: no interrupt of its sleep, no signal.
    int error =
        io_uring_queue_init(URING_ENTRIES, &writer->uring,
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
    if (error == -EINVAL) // a kernel before 6.1
        error = io_uring_queue_init(URING_ENTRIES, &writer->uring, 0);
    if (error) {
        journal_fail(writer, JOURNAL_SYSTEM, "journal: no io_uring: %s: allow it (kernel.io_uring_disabled = 0)",
                     strerror(-error));
        return JOURNAL_SYSTEM;
    }
    struct iovec areas[JOURNAL_DEPTH_MAX + 1];
    for (unsigned i = 0; i <= writer->depth; i++)
        areas[i] = (struct iovec){writer->commits[i].base, writer->commit_bytes};
    writer->fixed =
        io_uring_register_buffers(&writer->uring, areas, writer->depth + 1) == 0; // RLIMIT_MEMLOCK may forbid
    writer->attached = true;
    error = io_uring_register_files(&writer->uring, &writer->fd, 1);
    if (error)
        journal_fail(writer, JOURNAL_SYSTEM, "journal: the segment can not be registered: %s", strerror(-error));
    return journal_writer_result(writer);
}

void journal_detach(struct journal_writer *writer)
{
    if (!writer->attached)
        return;
    // After a failure a write may still be on its way; its buffer must outlive it.
    while (writer->outstanding) {
        unsigned before = writer->outstanding;
        journal_reap(writer, true);
        if (writer->outstanding == before)
            break;
    }
    io_uring_unregister_files(&writer->uring); // the ring itself goes later, and would hold the file until then
    io_uring_queue_exit(&writer->uring);
    writer->attached = false;
}
bool journal_use_file(struct journal_writer *writer)
{
    int result = io_uring_register_files_update(&writer->uring, 0, &writer->fd, 1);
    if (result != 1)
        journal_fail(writer, JOURNAL_IO, "journal %s/%08u/%06u" JOURNAL_SUFFIX ": can not be registered: %s",
                     writer->directory, writer->date, writer->segment, strerror(-result));
    return result == 1;
}

// ---- writing --------------------------------------------------------------------------------------------------------

// False: it did not go out, and no completion will come.
static bool start_write(struct journal_writer *writer, unsigned index)
{
    const struct journal_commit *commit = &writer->commits[index];
    struct io_uring_sqe *sqe = io_uring_get_sqe(&writer->uring);
    xw_assert(sqe);
    uint64_t offset = (uint64_t)commit->first * JOURNAL_BLOCK;
    if (writer->fixed)
        io_uring_prep_write_fixed(sqe, 0, commit->base, (unsigned)journal_commit_size(commit), offset, (int)index);
    else
        io_uring_prep_write(sqe, 0, commit->base, (unsigned)journal_commit_size(commit), offset);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->rw_flags = RWF_DSYNC;
    io_uring_sqe_set_data64(sqe, index);
    int started = io_uring_submit(&writer->uring);
    if (started != 1)
        journal_fail(writer, JOURNAL_IO, "journal %s/%08u/%06u" JOURNAL_SUFFIX ": a write can not be started: %s",
                     writer->directory, writer->date, writer->segment, strerror(started < 0 ? -started : EIO));
    return started == 1;
}

void journal_submit(struct journal_writer *writer)
{
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
    writer->prev_first = commit->first;
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

static void complete(struct journal_writer *writer, const struct io_uring_cqe *cqe)
{
    struct journal_commit *commit = &writer->commits[io_uring_cqe_get_data64(cqe)];
    if (cqe->res < 0)
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u failed: %s: mend the "
                     "disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, strerror(-cqe->res));
    else if ((size_t)cqe->res != journal_commit_size(commit))
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u was cut short, %d of "
                     "%zu bytes: mend the disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, cqe->res,
                     journal_commit_size(commit));
    commit->done = true;
}

bool journal_reap(struct journal_writer *writer, bool wait)
{
    struct io_uring_cqe *cqe;
    if (!writer->outstanding)
        return false;
    if (wait) {
        int error = io_uring_wait_cqe(&writer->uring, &cqe);
        if (error && error != -EINTR)
            journal_fail(writer, JOURNAL_IO, "journal: waiting for a write failed: %s", strerror(-error));
    }
    bool any = false;
    while (writer->outstanding && io_uring_peek_cqe(&writer->uring, &cqe) == 0) {
        complete(writer, cqe);
        io_uring_cqe_seen(&writer->uring, cqe);
        const unsigned size = writer->depth + 1;
        for (;;) {
            struct journal_commit *oldest = &writer->commits[(writer->filling + size - writer->outstanding) % size];
            if (!writer->outstanding || !oldest->done)
                break;
            writer->outstanding--;
            if (journal_writer_result(writer))
                continue; // after a failure nothing is released any more, whatever else still completes
            publish(writer, oldest);
            any = true;
        }
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
