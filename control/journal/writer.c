// SPDX-License-Identifier: Apache-2.0
// A writer's life: open behind what stands, close in order.
#include "control/journal/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "contract/log.h"
#include "control/journal/block.h"
#include "control/journal/files.h"
#include "control/journal/state.h"

enum { FIRST_SEGMENT_MB = 16, BLOCKS_MIN = 2, LOCK_TRIES = 300, LOCK_PAUSE_NS = 10 * 1000 * 1000 };

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

// ---- open and close -------------------------------------------------------------------------------------------------

static struct journal_writer *new_writer(const struct journal_identity *identity,
                                         const struct journal_writer_options *options,
                                         const struct journal_report *tail)
{
    struct journal_writer *writer = calloc(1, sizeof *writer);
    xw_assert(writer);
    writer->disk = journal_disk_of(identity);
    snprintf(writer->directory, sizeof writer->directory, "%s", identity->directory);
    writer->date = identity->date;
    writer->epoch = tail->epoch + 1;
    writer->blocks_max = (options->segment_mb ? options->segment_mb : 1) * JOURNAL_BLOCKS_A_MB;
    writer->depth = options->depth ? options->depth : 1;
    xw_assert(writer->depth <= JOURNAL_DEPTH_MAX);
    writer->day = writer->fd = -1;
    writer->segment = tail->last_segment + 1;
    writer->blocks = FIRST_SEGMENT_MB * JOURNAL_BLOCKS_A_MB;
    if (writer->blocks > writer->blocks_max)
        writer->blocks = writer->blocks_max;
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

// Whether a segment's file begins with a block that somebody wrote whole. False with errno 0 when it does not.
static bool begun(const struct journal_writer *writer, const char *name)
{
    _Alignas(JOURNAL_BLOCK) static _Thread_local uint8_t block[JOURNAL_BLOCK];
    const struct journal_disk *disk = writer->disk;
    int fd = disk->open(disk, writer->day, name, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : disk->read(disk, fd, block, sizeof block, 0);
    if (fd >= 0)
        disk->close(disk, fd);
    if (got >= 0)
        errno = 0;
    return got == (ssize_t)sizeof block && journal_block_check(block) == CHECK_GOOD;
}

// Segments behind the journal's end: spares of a writer that was killed, and such as it had just begun. The reader
// found nothing in them that was ever durable; whether that still holds is looked at again before anything is removed.
static bool remove_leftovers(struct journal_writer *writer)
{
    const struct journal_disk *disk = writer->disk;
    unsigned count = 0;
    uint32_t *numbers = journal_list_segments(disk, writer->day, &count);
    bool good = numbers != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        char name[JOURNAL_NAME_BYTES];
        journal_segment_name(name, numbers[i]);
        if (numbers[i] < writer->segment)
            continue;
        good = !begun(writer, name);
        if (!good)
            errno = EEXIST;
        else
            good = errno == 0 && disk->remove(disk, writer->day, name) == 0;
    }
    free(numbers);
    return good;
}

// What was read need not be durable: a writer that was killed may have left its last commit in the disk's cache. From
// the new segment's header on it counts as durable, so it must be.
static void sync_previous(struct journal_writer *writer, const struct journal_report *tail)
{
    const struct journal_disk *disk = writer->disk;
    if (!tail->last_segment)
        return;
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, tail->last_segment);
    int fd = disk->open(disk, writer->day, name, O_WRONLY);
    if (fd < 0 && errno == ENOENT)
        return; // compressed, and durable before the plain one went
    if (fd < 0 || disk->sync(disk, fd) != 0)
        journal_fail(
            writer, JOURNAL_IO,
            "journal %s/%08u/%s: what it holds can not be made durable: %s: mend the disk, then start control again",
            writer->directory, writer->date, name, strerror(errno));
    if (fd >= 0)
        disk->close(disk, fd);
}

// What a killed writer had pre-written and never used. Only zeros: a torn tail stays for whoever wants to look at it.
static void trim_previous(struct journal_writer *writer, const struct journal_report *tail)
{
    const struct journal_disk *disk = writer->disk;
    if (!tail->last_segment || tail->torn)
        return;
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, tail->last_segment);
    int fd = disk->open(disk, writer->day, name, O_WRONLY);
    if (fd < 0)
        return; // no more than space is lost
    if (disk->truncate(disk, fd, (uint64_t)tail->last_blocks * JOURNAL_BLOCK) == 0)
        disk->sync(disk, fd);
    disk->close(disk, fd);
}

static void release(struct journal_writer *writer)
{
    journal_detach(writer);
    journal_spare_stop(writer->spare);
    if (writer->fd >= 0)
        writer->disk->close(writer->disk, writer->fd);
    if (writer->day >= 0)
        writer->disk->close(writer->disk, writer->day);
    if (writer->buffers && writer->buffers != MAP_FAILED)
        munmap(writer->buffers, writer->commit_bytes * (writer->depth + 1));
    free(writer->commits);
    free(writer);
}

// A keeper holds the lock for moments, while it finds out where a date ends: for longer where it has to wait for the
// CPU and the disk behind all others.
static bool take_lock(const struct journal_writer *writer)
{
    for (unsigned tries = 0; writer->disk->lock(writer->disk, writer->day) != 0; tries++) {
        if (tries == LOCK_TRIES)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    return true;
}

static void open_files(struct journal_writer *writer, uint32_t commit_kb)
{
    const struct journal_disk *disk = writer->disk;
    const char *directory = writer->directory;
    if (!take_buffers(writer, commit_kb)) {
        journal_fail(writer, JOURNAL_SYSTEM, "journal: no memory for its buffers: lower journal.commit_kb");
        return;
    }
    writer->day = disk->open_day(disk, directory, writer->date, true);
    if (writer->day < 0) {
        journal_fail(writer, JOURNAL_SYSTEM, "journal %s/%08u: %s: make the directory writable for this user",
                     directory, writer->date, strerror(errno));
        return;
    }
    if (!take_lock(writer)) {
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
    writer->fd = journal_make_segment(disk, writer->day, writer->segment, writer->blocks, &writer->direct, NULL, NULL);
    if (writer->fd < 0)
        journal_fail(writer, errno == ENOSPC || errno == EDQUOT ? JOURNAL_SPACE : JOURNAL_IO,
                     "journal %s/%08u: segment %06u can not be made: %s: make room for it (%u MB) or mend the disk",
                     directory, writer->date, writer->segment, strerror(errno), writer->blocks / JOURNAL_BLOCKS_A_MB);
}

enum journal_result journal_writer_open(struct journal_writer **out, const struct journal_identity *identity,
                                        const struct journal_writer_options *options, const struct journal_report *tail,
                                        char *text, size_t text_size)
{
    struct journal_writer *writer = new_writer(identity, options, tail);
    open_files(writer, options->commit_kb);
    if (!journal_writer_result(writer))
        sync_previous(writer, tail);
    if (!journal_attach(writer)) {
        journal_begin_segment(writer, tail->last_blocks, tail->epoch);
        journal_settle(writer);
        journal_detach(writer);
    }
    if (!journal_writer_result(writer)) {
        trim_previous(writer, tail);
        writer->spare = journal_spare_start(writer->disk, writer->day, options->alone);
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
    journal_want_next(writer);
    log_event(LOG_XW3001, "\"date\":%u,\"segment\":%u,\"epoch\":%llu,\"direct\":%s", writer->date, writer->segment,
              (unsigned long long)writer->epoch, writer->direct ? "true" : "false");
    *out = writer;
    return JOURNAL_OK;
}

static void write_end(struct journal_writer *writer)
{
    journal_settle(writer);
    if (journal_writer_result(writer) || writer->next_block >= writer->blocks)
        return;
    journal_begin_block(writer, JOURNAL_CLOSED);
    journal_settle(writer);
    const struct journal_disk *disk = writer->disk;
    if (!journal_writer_result(writer) &&
        disk->truncate(disk, writer->fd, (uint64_t)writer->next_block * JOURNAL_BLOCK) == 0)
        disk->sync(disk, writer->fd);
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
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, journal_writer_position(writer).segment);
    return writer->disk->present(writer->disk, writer->directory, writer->date, writer->day, name);
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
        .next_ready = journal_spare_state(writer->spare) == SPARE_READY,
        .space_low = journal_spare_state(writer->spare) == SPARE_NO_ROOM,
    };
}
