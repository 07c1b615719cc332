// SPDX-License-Identifier: Apache-2.0
// The system's own disk: files by their system calls, the queue by io_uring.
#include "control/journal/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/fault.h"

enum { URING_ENTRIES = 8, BUFFERS_MAX = 8, FILE_MODE = 0640, DIRECTORY_MODE = 0750 };

struct journal_queue {
    struct io_uring uring;
    struct iovec buffers[BUFFERS_MAX];
    bool fixed; // buffers are registered
};

// ---- files ----------------------------------------------------------------------------------------------------------

static int disk_open_day(const struct journal_disk *disk, const char *directory, uint32_t date, bool make)
{
    (void)disk;
    char name[16];
    snprintf(name, sizeof name, "%08u", date);
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 && errno == ENOENT && make && mkdir(directory, DIRECTORY_MODE) == 0)
        parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -1;
    int day = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (day < 0 && errno == ENOENT && make && mkdirat(parent, name, DIRECTORY_MODE) == 0 && fsync(parent) == 0)
        day = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    close(parent);
    errno = error;
    return day;
}

static int disk_lock(const struct journal_disk *disk, int day)
{
    (void)disk;
    return flock(day, LOCK_EX | LOCK_NB);
}

static int disk_list(const struct journal_disk *disk, int day, void (*take)(void *context, const char *name),
                     void *context)
{
    (void)disk;
    int directory = openat(day, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = directory < 0 ? NULL : fdopendir(directory);
    if (!stream) {
        int error = errno;
        if (directory >= 0)
            close(directory);
        errno = error;
        return -1;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(stream)); errno = 0)
        take(context, entry->d_name);
    int error = errno;
    closedir(stream);
    errno = error;
    return error ? -1 : 0;
}

static bool disk_present(const struct journal_disk *disk, const char *directory, uint32_t date, int day,
                         const char *name)
{
    (void)disk;
    char path[512];
    struct stat there, ours;
    snprintf(path, sizeof path, "%s/%08u/%s", directory, date, name);
    if (fstatat(day, name, &ours, 0) != 0)
        return errno != ENOENT;
    if (stat(path, &there) != 0)
        return errno != ENOENT && errno != ENOTDIR;
    return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

static int disk_rename(const struct journal_disk *disk, int day, const char *from, const char *to)
{
    (void)disk;
    return renameat(day, from, day, to);
}

static int disk_remove(const struct journal_disk *disk, int day, const char *name)
{
    (void)disk;
    return unlinkat(day, name, 0);
}

static int disk_size(const struct journal_disk *disk, int day, const char *name, uint64_t *bytes)
{
    (void)disk;
    struct stat status;
    if (fstatat(day, name, &status, 0) != 0)
        return -1;
    *bytes = (uint64_t)status.st_size;
    return 0;
}

static int disk_open(const struct journal_disk *disk, int day, const char *name, int flags)
{
    (void)disk;
    return openat(day, name, flags | O_CLOEXEC, FILE_MODE);
}

// Interrupted is no failure: nothing was read or written.
static ssize_t disk_read(const struct journal_disk *disk, int file, void *bytes, size_t size, uint64_t offset)
{
    (void)disk;
    ssize_t got;
    do
        got = pread(file, bytes, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t disk_write(const struct journal_disk *disk, int file, const void *bytes, size_t size, uint64_t offset)
{
    (void)disk;
    ssize_t wrote;
    do
        wrote = pwrite(file, bytes, size, (off_t)offset);
    while (wrote < 0 && errno == EINTR);
    return wrote;
}

static int disk_reserve(const struct journal_disk *disk, int file, uint64_t bytes)
{
    (void)disk;
    errno = posix_fallocate(file, 0, (off_t)bytes);
    // A file system that can not reserve finds out when it is written.
    return errno == 0 || errno == EOPNOTSUPP || errno == EINVAL ? 0 : -1;
}

static int disk_truncate(const struct journal_disk *disk, int file, uint64_t bytes)
{
    (void)disk;
    return ftruncate(file, (off_t)bytes);
}

static int disk_sync(const struct journal_disk *disk, int file_or_day)
{
    (void)disk;
    return fsync(file_or_day);
}

static void disk_close(const struct journal_disk *disk, int file_or_day)
{
    (void)disk;
    int error = errno;
    close(file_or_day);
    errno = error;
}

static uint64_t disk_wall_ns(const struct journal_disk *disk)
{
    (void)disk;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// ---- the queue ------------------------------------------------------------------------------------------------------

static struct journal_queue *disk_attach(const struct journal_disk *disk, const struct iovec *buffers, unsigned count,
                                         int file)
{
    (void)disk;
    xw_assert(count <= BUFFERS_MAX);
    struct journal_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    // Completions wait for this thread to ask for them: no interrupt of its sleep, no signal.
    int error =
        io_uring_queue_init(URING_ENTRIES, &queue->uring,
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
    if (error == -EINVAL) // a kernel before 6.1
        error = io_uring_queue_init(URING_ENTRIES, &queue->uring, 0);
    if (error) {
        free(queue);
        errno = -error;
        return NULL;
    }
    memcpy(queue->buffers, buffers, count * sizeof *buffers);
    queue->fixed = io_uring_register_buffers(&queue->uring, buffers, count) == 0; // RLIMIT_MEMLOCK may forbid
    error = io_uring_register_files(&queue->uring, &file, 1);
    if (error) {
        io_uring_queue_exit(&queue->uring);
        free(queue);
        errno = -error;
        return NULL;
    }
    return queue;
}

static void disk_detach(const struct journal_disk *disk, struct journal_queue *queue)
{
    (void)disk;
    io_uring_unregister_files(&queue->uring); // the ring itself goes later, and would hold the file until then
    io_uring_queue_exit(&queue->uring);
    free(queue);
}

static int disk_use(const struct journal_disk *disk, struct journal_queue *queue, int file)
{
    (void)disk;
    int result = io_uring_register_files_update(&queue->uring, 0, &file, 1);
    errno = result < 0 ? -result : EIO;
    return result == 1 ? 0 : -1;
}

static int disk_submit(const struct journal_disk *disk, struct journal_queue *queue, unsigned buffer, size_t size,
                       uint64_t offset)
{
    (void)disk;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&queue->uring);
    xw_assert(sqe);
    const void *bytes = queue->buffers[buffer].iov_base;
    if (queue->fixed)
        io_uring_prep_write_fixed(sqe, 0, bytes, (unsigned)size, offset, (int)buffer);
    else
        io_uring_prep_write(sqe, 0, bytes, (unsigned)size, offset);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->rw_flags = FAULT(write_not_synced) ? 0 : RWF_DSYNC;
    io_uring_sqe_set_data64(sqe, buffer);
    int started = io_uring_submit(&queue->uring);
    errno = started < 0 ? -started : EIO;
    return started == 1 ? 0 : -1;
}

static int disk_complete(const struct journal_disk *disk, struct journal_queue *queue, bool wait, unsigned *buffer,
                         int *result)
{
    (void)disk;
    struct io_uring_cqe *cqe;
    int error = wait ? io_uring_wait_cqe(&queue->uring, &cqe) : io_uring_peek_cqe(&queue->uring, &cqe);
    if (error == -EAGAIN || error == -EINTR)
        return 0;
    if (error) {
        errno = -error;
        return -1;
    }
    *buffer = (unsigned)io_uring_cqe_get_data64(cqe);
    *result = cqe->res;
    io_uring_cqe_seen(&queue->uring, cqe);
    return 1;
}

const struct journal_disk journal_disk_system = {
    .open_day = disk_open_day,
    .lock = disk_lock,
    .list = disk_list,
    .present = disk_present,
    .rename = disk_rename,
    .remove = disk_remove,
    .size = disk_size,
    .open = disk_open,
    .read = disk_read,
    .write = disk_write,
    .reserve = disk_reserve,
    .truncate = disk_truncate,
    .sync = disk_sync,
    .close = disk_close,
    .attach = disk_attach,
    .detach = disk_detach,
    .use = disk_use,
    .submit = disk_submit,
    .complete = disk_complete,
    .wall_ns = disk_wall_ns,
};
