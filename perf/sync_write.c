// SPDX-License-Identifier: Apache-2.0
#include "perf/sync_write.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <unistd.h>

#include "perf/clock.h"
#include "perf/line.h"

enum { AREA_BYTES = 64 << 20, CHUNK_BYTES = 1 << 20 };

struct sync_write {
    char path[512];
    int fd;
    uint32_t bytes;
    uint32_t next; // offset of the next write
    void *buffer;
    struct io_uring uring;
};

_Noreturn static void give_up(const char *what, const char *path, int error)
{
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(error));
    exit(EX_IOERR);
}

struct sync_write *sync_write_open(const char *directory, uint32_t bytes)
{
    struct sync_write *sync = calloc(1, sizeof *sync);
    if (!sync || bytes > CHUNK_BYTES)
        give_up("no memory for", directory, ENOMEM);
    static unsigned files;
    snprintf(sync->path, sizeof sync->path, "%s/floor_sync.%d.%u", directory, (int)getpid(), files++);
    sync->bytes = bytes;
    sync->buffer = aligned_alloc(4096, CHUNK_BYTES);
    memset(sync->buffer, 0, CHUNK_BYTES);
    sync->fd = open(sync->path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
    if (sync->fd < 0)
        give_up("can not make", sync->path, errno);
    for (off_t at = 0; at < AREA_BYTES; at += CHUNK_BYTES)
        if (pwrite(sync->fd, sync->buffer, CHUNK_BYTES, at) != CHUNK_BYTES)
            give_up("can not pre-write", sync->path, errno);
    if (fsync(sync->fd) != 0)
        give_up("can not sync", sync->path, errno);
    memset(sync->buffer, 0x5a, CHUNK_BYTES);
    int error = io_uring_queue_init(4, &sync->uring, 0);
    struct iovec area = {sync->buffer, CHUNK_BYTES};
    if (!error)
        error = io_uring_register_buffers(&sync->uring, &area, 1);
    if (!error)
        error = io_uring_register_files(&sync->uring, &sync->fd, 1);
    if (error)
        give_up("no io_uring for", sync->path, -error);
    return sync;
}

static ssize_t write_by_uring(struct sync_write *sync, off_t at, uint32_t bytes)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&sync->uring);
    struct io_uring_cqe *cqe;
    io_uring_prep_write_fixed(sqe, 0, sync->buffer, bytes, (uint64_t)at, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->rw_flags = RWF_DSYNC;
    io_uring_submit(&sync->uring);
    while (io_uring_peek_cqe(&sync->uring, &cqe) != 0)
        sched_yield();
    ssize_t result = cqe->res;
    io_uring_cqe_seen(&sync->uring, cqe);
    return result;
}

// Where the next `bytes` go: on and on, round and round.
static off_t next_place(struct sync_write *sync, uint32_t bytes)
{
    if (sync->next + bytes > AREA_BYTES)
        sync->next = 0;
    off_t at = (off_t)sync->next;
    sync->next += bytes;
    return at;
}

void sync_write_time(struct sync_write *sync, int by_uring, uint32_t *samples, uint32_t count)
{
    struct iovec area = {sync->buffer, sync->bytes};
    for (uint32_t i = 0; i < count; i++) {
        off_t at = next_place(sync, sync->bytes);
        uint64_t start = clock_ns();
        ssize_t wrote = by_uring ? write_by_uring(sync, at, sync->bytes) : pwritev2(sync->fd, &area, 1, at, RWF_DSYNC);
        samples[i] = (uint32_t)(clock_ns() - start);
        if (wrote != (ssize_t)sync->bytes)
            give_up("can not write", sync->path, EIO);
    }
}

void sync_write_load(struct sync_write *sync, uint32_t interval_ns, uint32_t per_block, uint32_t *samples,
                     uint32_t count)
{
    const uint64_t start = clock_ns();
    for (uint32_t done = 0; done < count;) {
        uint64_t there = (clock_ns() - start) / interval_ns + 1;
        uint32_t upto = there < count ? (uint32_t)there : count;
        uint32_t blocks = (upto - done + per_block - 1) / per_block;
        if (blocks * sync->bytes > CHUNK_BYTES) {
            blocks = CHUNK_BYTES / sync->bytes;
            upto = done + blocks * per_block;
        }
        if (blocks == 0) {
            sched_yield();
            continue;
        }
        uint32_t bytes = blocks * sync->bytes;
        if (write_by_uring(sync, next_place(sync, bytes), bytes) != (ssize_t)bytes)
            give_up("can not write", sync->path, EIO);
        for (uint64_t now = clock_ns(); done < upto; done++)
            samples[done] = (uint32_t)(now - start - (uint64_t)done * interval_ns);
    }
}

void sync_write_close(struct sync_write *sync)
{
    io_uring_queue_exit(&sync->uring);
    close(sync->fd);
    unlink(sync->path);
    free(sync->buffer);
    free(sync);
}

void pin_self(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (error)
        give_up("can not pin to a CPU", "", error);
}

static pthread_t spinner;
static atomic_bool spinning;

static void *spin(void *argument)
{
    pin_self(*(const unsigned *)argument);
    for (unsigned i = 1; atomic_load_explicit(&spinning, memory_order_relaxed); i++) {
        spin_pause();
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

void spinner_start(unsigned cpu)
{
    static unsigned where;
    where = cpu;
    atomic_store(&spinning, true);
    if (pthread_create(&spinner, NULL, spin, &where) != 0)
        give_up("no thread", "", errno);
}

void spinner_stop(void)
{
    atomic_store(&spinning, false);
    pthread_join(spinner, NULL);
}
