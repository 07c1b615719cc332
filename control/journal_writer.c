// SPDX-License-Identifier: Apache-2.0
#include "control/journal_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/journal_block.h"
#include "control/journal_files.h"
#include "control/journal_spare.h"

enum { DEPTH_MAX = 4, TEXT_BYTES = 256, FIRST_SEGMENT_MB = 16, GROWTH = 4, URING_ENTRIES = 8 };
enum { BLOCKS_A_MB = 1024 * 1024 / JOURNAL_BLOCK, BLOCKS_MIN = 2 };

struct commit {
    uint8_t *base;
    uint32_t first;   // its first block's number in the segment
    uint32_t blocks;  // begun
    uint32_t count;   // records in the last of them
    uint64_t records; // in all of them
    bool done;
    uint64_t seq[JOURNAL_CORES]; // last sequence of each core that is in use, when it was submitted
};

struct journal_writer {
    char directory[256];
    uint32_t date;
    uint64_t epoch;
    uint32_t blocks_max; // of the largest segment
    unsigned depth;      // writes that may be outstanding
    int day;             // directory, locked
    struct journal_spare *spare;
    bool waiting; // for the next segment

    // The segment that is written.
    int fd;
    bool direct;
    uint32_t segment;
    uint32_t blocks;     // it can hold
    uint32_t next_block; // next to be begun

    // The chain, at the end of what is appended.
    struct journal_block head; // what is the same in all blocks is set
    uint32_t crc;
    uint64_t records;
    uint64_t taken[JOURNAL_CORES];
    uint16_t cores[JOURNAL_CORES]; // in use
    unsigned cores_count;

    // Commits: a ring of depth + 1. `filling` is never submitted; the `outstanding` ones before it are.
    struct commit *commits;
    unsigned filling;
    unsigned outstanding;
    uint32_t prev_first; // first block of the commit before the one that fills
    size_t commit_bytes;
    uint8_t *buffers;

    struct io_uring uring;
    bool attached;
    bool fixed; // buffers are registered

    // For other threads. Release pairs with the acquire in the getters.
    _Atomic int result;
    char text[TEXT_BYTES];
    _Atomic uint64_t position; // segment << 32 | block
    _Atomic uint64_t durable[JOURNAL_CORES];
    _Atomic uint64_t count_records, count_duplicates, count_commits, count_bytes, count_segments, count_waits;
};

static void add(_Atomic uint64_t *counter, uint64_t more)
{
    // One writer: a load and a store, no locked instruction.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

void journal_fail(struct journal_writer *writer, enum journal_result result, const char *format, ...)
{
    if (journal_writer_result(writer))
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(writer->text, sizeof writer->text, format, list);
    va_end(list);
    atomic_store_explicit(&writer->result, (int)result, memory_order_release);
}

// ---- blocks ---------------------------------------------------------------------------------------------------------

static struct commit *filling(struct journal_writer *writer)
{
    return &writer->commits[writer->filling];
}

static uint8_t *last_block(struct commit *commit)
{
    return commit->base + (size_t)(commit->blocks - 1) * JOURNAL_BLOCK;
}

static uint64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void begin_block(struct journal_writer *writer, enum journal_block_kind kind)
{
    struct commit *commit = filling(writer);
    if (commit->blocks == 0) {
        commit->first = writer->next_block;
        commit->records = 0;
        commit->done = false;
        writer->head.wall_ns = wall_clock_ns();
        // Of the commits before this one all but depth - 1 are durable when it is submitted.
        writer->head.durable_block = writer->depth == 1 ? commit->first : writer->prev_first;
    }
    commit->blocks++;
    commit->count = 0;
    writer->head.kind = (uint16_t)kind;
    writer->head.block = writer->next_block++;
    writer->head.records = writer->records;
}

// Completes the block in hand: padding, header, CRC.
static void seal_block(struct journal_writer *writer)
{
    struct commit *commit = filling(writer);
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
static void begin_segment(struct journal_writer *writer, uint32_t prev_blocks, uint64_t prev_epoch)
{
    struct commit *commit = filling(writer);
    xw_assert(commit->blocks == 0 && writer->outstanding == 0);
    writer->next_block = 0;
    writer->prev_first = 0;
    writer->head.segment = writer->segment;
    begin_block(writer, JOURNAL_SEGMENT);
    uint8_t *block = last_block(commit);
    memset(block, 0, JOURNAL_BLOCK);
    struct journal_segment *segment = (struct journal_segment *)(block + sizeof writer->head);
    segment->prev_segment = writer->segment - 1;
    segment->prev_blocks = prev_blocks;
    segment->prev_crc = writer->crc;
    segment->blocks = writer->blocks;
    segment->prev_epoch = prev_epoch;
    memcpy(segment->last_seq, writer->taken, sizeof segment->last_seq);
    seal_block(writer);
    add(&writer->count_segments, 1);
}

// ---- segments -------------------------------------------------------------------------------------------------------

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void want_next(struct journal_writer *writer)
{
    uint64_t grown = (uint64_t)writer->blocks * GROWTH;
    journal_spare_want(writer->spare, writer->segment + 1,
                       grown < writer->blocks_max ? (uint32_t)grown : writer->blocks_max);
}

static bool use_file(struct journal_writer *writer)
{
    int result = io_uring_register_files_update(&writer->uring, 0, &writer->fd, 1);
    if (result != 1)
        journal_fail(writer, JOURNAL_IO, "journal %s/%08u/%06u" JOURNAL_SUFFIX ": can not be registered: %s",
                     writer->directory, writer->date, writer->segment, strerror(-result));
    return result == 1;
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
            add(&writer->count_waits, 1);
        writer->waiting = true;
        return false;
    }
    writer->waiting = false;
    close(writer->fd);
    uint32_t full_blocks = writer->next_block;
    writer->fd = fd;
    writer->direct = direct;
    writer->blocks = blocks;
    writer->segment++;
    if (!use_file(writer))
        return false;
    begin_segment(writer, full_blocks, writer->epoch);
    want_next(writer);
    return true;
}

// ---- appending ------------------------------------------------------------------------------------------------------

static bool open_block(struct journal_writer *writer)
{
    struct commit *commit = filling(writer);
    if (writer->next_block + 1 >= writer->blocks) { // the last block is kept for the end of an orderly close
        if (commit->blocks || writer->outstanding || !roll(writer))
            return false;
    }
    if ((size_t)commit->blocks * JOURNAL_BLOCK >= writer->commit_bytes)
        return false;
    begin_block(writer, JOURNAL_DATA);
    return true;
}

bool journal_append(struct journal_writer *writer, unsigned core, const struct command *command)
{
    xw_assert(core < JOURNAL_CORES);
    struct commit *commit = filling(writer);
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
    if (++commit->count == JOURNAL_RECORDS)
        seal_block(writer);
    return true;
}

uint64_t journal_taken(const struct journal_writer *writer, unsigned core)
{
    return writer->taken[core];
}

void journal_count_duplicate(struct journal_writer *writer)
{
    add(&writer->count_duplicates, 1);
}

bool journal_pending(const struct journal_writer *writer)
{
    return writer->commits[writer->filling].blocks > 0;
}

unsigned journal_outstanding(const struct journal_writer *writer)
{
    return writer->outstanding;
}

// ---- writing --------------------------------------------------------------------------------------------------------

static size_t commit_size(const struct commit *commit)
{
    return (size_t)commit->blocks * JOURNAL_BLOCK;
}

// False: it did not go out, and no completion will come.
static bool start_write(struct journal_writer *writer, unsigned index)
{
    const struct commit *commit = &writer->commits[index];
    struct io_uring_sqe *sqe = io_uring_get_sqe(&writer->uring);
    xw_assert(sqe);
    uint64_t offset = (uint64_t)commit->first * JOURNAL_BLOCK;
    if (writer->fixed)
        io_uring_prep_write_fixed(sqe, 0, commit->base, (unsigned)commit_size(commit), offset, (int)index);
    else
        io_uring_prep_write(sqe, 0, commit->base, (unsigned)commit_size(commit), offset);
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
    struct commit *commit = filling(writer);
    if (commit->blocks == 0 || writer->outstanding == writer->depth || journal_writer_result(writer))
        return;
    // Full blocks and headers are sealed already.
    bool sealed = writer->head.kind == JOURNAL_SEGMENT || commit->count == JOURNAL_RECORDS;
    if (!sealed)
        seal_block(writer);
    for (unsigned i = 0; i < writer->cores_count; i++)
        commit->seq[writer->cores[i]] = writer->taken[writer->cores[i]];
    if (!start_write(writer, writer->filling))
        return;
    writer->prev_first = commit->first;
    writer->outstanding++;
    writer->filling = (writer->filling + 1) % (writer->depth + 1);
    filling(writer)->blocks = 0;
}

// The oldest outstanding commit is durable: tell.
static void publish(struct journal_writer *writer, const struct commit *commit)
{
    for (unsigned i = 0; i < writer->cores_count; i++) {
        unsigned core = writer->cores[i];
        if (commit->seq[core] > atomic_load_explicit(&writer->durable[core], memory_order_relaxed))
            atomic_store_explicit(&writer->durable[core], commit->seq[core], memory_order_release);
    }
    uint64_t end = commit->first + commit->blocks;
    atomic_store_explicit(&writer->position, (uint64_t)writer->segment << 32 | end, memory_order_release);
    add(&writer->count_records, commit->records);
    add(&writer->count_commits, 1);
    add(&writer->count_bytes, commit_size(commit));
    if (writer->spare)
        journal_spare_progress(writer->spare, (uint32_t)end, writer->blocks);
}

static void complete(struct journal_writer *writer, const struct io_uring_cqe *cqe)
{
    struct commit *commit = &writer->commits[io_uring_cqe_get_data64(cqe)];
    if (cqe->res < 0)
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u failed: %s: mend the "
                     "disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, strerror(-cqe->res));
    else if ((size_t)cqe->res != commit_size(commit))
        journal_fail(writer, JOURNAL_IO,
                     "journal %s/%08u/%06u" JOURNAL_SUFFIX ": write of block %u was cut short, %d of "
                     "%zu bytes: mend the disk, then start control again",
                     writer->directory, writer->date, writer->segment, commit->first, cqe->res, commit_size(commit));
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
            struct commit *oldest = &writer->commits[(writer->filling + size - writer->outstanding) % size];
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
static void settle(struct journal_writer *writer)
{
    while ((journal_pending(writer) || writer->outstanding) && !journal_writer_result(writer)) {
        journal_submit(writer);
        journal_reap(writer, true);
    }
}

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
    struct iovec areas[DEPTH_MAX + 1];
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

// ---- open and close -------------------------------------------------------------------------------------------------

static struct journal_writer *new_writer(const struct journal_identity *identity,
                                         const struct journal_writer_options *options,
                                         const struct journal_report *tail)
{
    struct journal_writer *writer = calloc(1, sizeof *writer);
    xw_assert(writer);
    snprintf(writer->directory, sizeof writer->directory, "%s", identity->directory);
    writer->date = identity->date;
    writer->epoch = tail->epoch + 1;
    writer->blocks_max = (options->segment_mb ? options->segment_mb : 1) * BLOCKS_A_MB;
    writer->depth = options->depth ? options->depth : 1;
    xw_assert(writer->depth <= DEPTH_MAX);
    writer->day = writer->fd = -1;
    writer->segment = tail->last_segment + 1;
    writer->blocks = smaller(FIRST_SEGMENT_MB * BLOCKS_A_MB, writer->blocks_max);
    writer->head = (struct journal_block){.magic = JOURNAL_MAGIC,
                                          .version = JOURNAL_VERSION,
                                          .engine_version = CROSSWIRE_ENGINE_VERSION,
                                          .date = identity->date,
                                          .epoch = writer->epoch,
                                          .config_hash = identity->config_hash};
    snprintf(writer->head.instance, sizeof writer->head.instance, "%s", identity->instance);
    writer->crc = tail->last_crc;
    writer->records = tail->last_records;
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        writer->taken[core] = tail->last_seq[core];
        atomic_store(&writer->durable[core], tail->last_seq[core]);
        if (tail->last_seq[core])
            writer->cores[writer->cores_count++] = (uint16_t)core;
    }
    return writer;
}

static bool take_buffers(struct journal_writer *writer, uint32_t commit_kb)
{
    writer->commit_bytes = (size_t)commit_kb * 1024 / JOURNAL_BLOCK * JOURNAL_BLOCK;
    if (writer->commit_bytes < (size_t)BLOCKS_MIN * JOURNAL_BLOCK) // a segment's header and one block
        writer->commit_bytes = (size_t)BLOCKS_MIN * JOURNAL_BLOCK;
    writer->commits = calloc(writer->depth + 1, sizeof *writer->commits);
    writer->buffers = mmap(NULL, writer->commit_bytes * (writer->depth + 1), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (!writer->commits || writer->buffers == MAP_FAILED)
        return false;
    for (unsigned i = 0; i <= writer->depth; i++)
        writer->commits[i].base = writer->buffers + i * writer->commit_bytes;
    return true;
}

// Segments behind the journal's end: spares of a writer that was killed, and such as it had just begun. The reader
// found nothing in them that was ever durable; whether that still holds is looked at again before anything is removed.
static bool remove_leftovers(struct journal_writer *writer)
{
    _Alignas(JOURNAL_BLOCK) static _Thread_local uint8_t block[JOURNAL_BLOCK];
    unsigned count = 0;
    uint32_t *numbers = journal_list_segments(writer->day, &count);
    bool good = numbers != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        if (numbers[i] < writer->segment)
            continue;
        char name[JOURNAL_NAME_BYTES];
        journal_segment_name(name, numbers[i]);
        int fd = openat(writer->day, name, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : pread(fd, block, sizeof block, 0);
        if (fd >= 0)
            close(fd);
        if (got == (ssize_t)sizeof block && journal_block_check(block) == CHECK_GOOD) {
            errno = EEXIST;
            good = false;
        } else {
            good = got >= 0 && unlinkat(writer->day, name, 0) == 0;
        }
    }
    free(numbers);
    return good;
}

// What a killed writer had pre-written and never used. Only zeros: a torn tail stays for whoever wants to look at it.
static void trim_previous(struct journal_writer *writer, const struct journal_report *tail)
{
    if (!tail->last_segment || tail->torn)
        return;
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, tail->last_segment);
    int fd = openat(writer->day, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; // no more than space is lost
    if (ftruncate(fd, (off_t)tail->last_blocks * JOURNAL_BLOCK) == 0)
        fsync(fd);
    close(fd);
}

static void release(struct journal_writer *writer)
{
    journal_detach(writer);
    journal_spare_stop(writer->spare);
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->day >= 0)
        close(writer->day);
    if (writer->buffers && writer->buffers != MAP_FAILED)
        munmap(writer->buffers, writer->commit_bytes * (writer->depth + 1));
    free(writer->commits);
    free(writer);
}

static void open_files(struct journal_writer *writer, uint32_t commit_kb)
{
    const char *directory = writer->directory;
    if (!take_buffers(writer, commit_kb)) {
        journal_fail(writer, JOURNAL_SYSTEM, "journal: no memory for its buffers: lower journal.commit_kb");
        return;
    }
    writer->day = journal_open_day(directory, writer->date, true);
    if (writer->day < 0) {
        journal_fail(writer, JOURNAL_SYSTEM, "journal %s/%08u: %s: make the directory writable for this user",
                     directory, writer->date, strerror(errno));
        return;
    }
    if (flock(writer->day, LOCK_EX | LOCK_NB) != 0) {
        journal_fail(writer, JOURNAL_BUSY, "journal %s/%08u: another process writes it: stop that one", directory,
                     writer->date);
        return;
    }
    if (!remove_leftovers(writer)) {
        if (errno == EEXIST)
            journal_fail(writer, JOURNAL_BUSY,
                         "journal %s/%08u: segments behind its end have grown since they were read: start again",
                         directory, writer->date);
        else
            journal_fail(writer, errno == EROFS || errno == EIO ? JOURNAL_IO : JOURNAL_SYSTEM,
                         "journal %s/%08u: segments behind its end can not be removed: %s: make the directory writable "
                         "for this user, or mend the disk and remount it writable",
                         directory, writer->date, strerror(errno));
        return;
    }
    writer->fd = journal_make_segment(writer->day, writer->segment, writer->blocks, &writer->direct, NULL, NULL);
    if (writer->fd < 0)
        journal_fail(writer, errno == ENOSPC || errno == EDQUOT ? JOURNAL_SPACE : JOURNAL_IO,
                     "journal %s/%08u: segment %06u can not be made: %s: make room for it (%u MB) or mend the disk",
                     directory, writer->date, writer->segment, strerror(errno), writer->blocks / BLOCKS_A_MB);
}

enum journal_result journal_writer_open(struct journal_writer **out, const struct journal_identity *identity,
                                        const struct journal_writer_options *options, const struct journal_report *tail,
                                        char *text, size_t text_size)
{
    struct journal_writer *writer = new_writer(identity, options, tail);
    open_files(writer, options->commit_kb);
    if (!journal_attach(writer)) {
        begin_segment(writer, tail->last_blocks, tail->epoch);
        settle(writer);
        journal_detach(writer);
    }
    if (!journal_writer_result(writer)) {
        trim_previous(writer, tail);
        writer->spare = journal_spare_start(writer->day);
        if (!writer->spare)
            journal_fail(writer, JOURNAL_SYSTEM, "journal: no helper thread: %s", strerror(errno));
    }
    enum journal_result result = journal_writer_result(writer);
    if (result) {
        snprintf(text, text_size, "%s", writer->text);
        release(writer);
        *out = NULL;
        return result;
    }
    want_next(writer);
    log_event(LOG_XW3001, "\"date\":%u,\"segment\":%u,\"epoch\":%llu,\"direct\":%s", writer->date, writer->segment,
              (unsigned long long)writer->epoch, writer->direct ? "true" : "false");
    *out = writer;
    return JOURNAL_OK;
}

static void write_end(struct journal_writer *writer)
{
    settle(writer);
    if (journal_writer_result(writer) || writer->next_block >= writer->blocks)
        return;
    begin_block(writer, JOURNAL_CLOSED);
    settle(writer);
    if (!journal_writer_result(writer) && ftruncate(writer->fd, (off_t)writer->next_block * JOURNAL_BLOCK) == 0)
        fsync(writer->fd);
}

enum journal_result journal_writer_close(struct journal_writer *writer)
{
    if (!journal_attach(writer))
        write_end(writer);
    enum journal_result result = journal_writer_result(writer);
    release(writer);
    return result;
}

bool journal_writer_present(const struct journal_writer *writer)
{
    char path[sizeof writer->directory + 64], name[JOURNAL_NAME_BYTES];
    struct stat there, ours;
    journal_segment_name(name, journal_writer_position(writer).segment);
    snprintf(path, sizeof path, "%s/%08u/%s", writer->directory, writer->date, name);
    if (fstatat(writer->day, name, &ours, 0) != 0)
        return errno != ENOENT;
    if (stat(path, &there) != 0)
        return errno != ENOENT && errno != ENOTDIR;
    return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

// ---- for everybody --------------------------------------------------------------------------------------------------

enum journal_result journal_writer_result(const struct journal_writer *writer)
{
    return (enum journal_result)atomic_load_explicit(&writer->result, memory_order_acquire);
}

const char *journal_writer_text(const struct journal_writer *writer)
{
    return writer->text;
}

uint64_t journal_writer_epoch(const struct journal_writer *writer)
{
    return writer->epoch;
}

struct journal_place journal_writer_position(const struct journal_writer *writer)
{
    uint64_t position = atomic_load_explicit(&writer->position, memory_order_acquire);
    uint32_t block = (uint32_t)position;
    return (struct journal_place){(uint32_t)(position >> 32), block, (uint64_t)block * JOURNAL_BLOCK};
}

uint64_t journal_writer_durable(const struct journal_writer *writer, unsigned core)
{
    xw_assert(core < JOURNAL_CORES);
    return atomic_load_explicit(&writer->durable[core], memory_order_acquire);
}

struct journal_counts journal_writer_counts(const struct journal_writer *writer)
{
    return (struct journal_counts){
        .records = atomic_load_explicit(&writer->count_records, memory_order_relaxed),
        .duplicates = atomic_load_explicit(&writer->count_duplicates, memory_order_relaxed),
        .commits = atomic_load_explicit(&writer->count_commits, memory_order_relaxed),
        .bytes = atomic_load_explicit(&writer->count_bytes, memory_order_relaxed),
        .segments = atomic_load_explicit(&writer->count_segments, memory_order_relaxed),
        .segment_waits = atomic_load_explicit(&writer->count_waits, memory_order_relaxed),
        .space_low = journal_spare_state(writer->spare) == SPARE_NO_ROOM,
    };
}
