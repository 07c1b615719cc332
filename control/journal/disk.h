// SPDX-License-Identifier: Apache-2.0
// All that the journal asks of an operating system, as one table of functions: files of a day's directory, and the
// queue of synced writes. The system's own is journal_disk_system (io_uring); a simulator fills in another one and
// hands it in by journal_identity.disk. Handles are small numbers >= 0, as descriptors are; what fails says -1 with
// errno, as the system calls of the same name do, and is never retried by the table.
#ifndef CROSSWIRE_CONTROL_JOURNAL_DISK_H
#define CROSSWIRE_CONTROL_JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct journal_queue; // of the table's own making

struct journal_disk {
    // The directory of a date, made durably when `make`.
    int (*open_day)(const struct journal_disk *disk, const char *directory, uint32_t date, bool make);
    // Locks a day against every other handle of it until this one is closed. EWOULDBLOCK: another one has it.
    int (*lock)(const struct journal_disk *disk, int day);
    // Every name in a day's directory, in no order.
    int (*list)(const struct journal_disk *disk, int day, void (*take)(void *context, const char *name), void *context);
    // Whether `name` of the opened day still stands where directory/date leads; true when that can not be told.
    bool (*present)(const struct journal_disk *disk, const char *directory, uint32_t date, int day, const char *name);
    int (*rename)(const struct journal_disk *disk, int day, const char *from, const char *to);
    int (*remove)(const struct journal_disk *disk, int day, const char *name);
    int (*size)(const struct journal_disk *disk, int day, const char *name, uint64_t *bytes);

    // `flags` as of open(2): O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_DIRECT (EINVAL where it is refused).
    int (*open)(const struct journal_disk *disk, int day, const char *name, int flags);
    ssize_t (*read)(const struct journal_disk *disk, int file, void *bytes, size_t size, uint64_t offset);
    ssize_t (*write)(const struct journal_disk *disk, int file, const void *bytes, size_t size, uint64_t offset);
    int (*reserve)(const struct journal_disk *disk, int file,
                   uint64_t bytes); // space, so that writing it can not fail for its lack
    int (*truncate)(const struct journal_disk *disk, int file, uint64_t bytes);
    int (*sync)(const struct journal_disk *disk, int file_or_day);
    void (*close)(const struct journal_disk *disk, int file_or_day);

    // Writes that are durable when they complete, from `count` buffers, one file at a time, on the calling thread. NULL
    // with errno.
    struct journal_queue *(*attach)(const struct journal_disk *disk, const struct iovec *buffers, unsigned count,
                                    int file);
    void (*detach)(const struct journal_disk *disk, struct journal_queue *queue);       // nothing is outstanding
    int (*use)(const struct journal_disk *disk, struct journal_queue *queue, int file); // of the writes from now on
    // Starts a write of a buffer's first `size` bytes. -1 with errno: it did not go out, and no completion will come.
    int (*submit)(const struct journal_disk *disk, struct journal_queue *queue, unsigned buffer, size_t size,
                  uint64_t offset);
    // Takes one completion: its buffer, and in *result the bytes written or -errno. 1, or 0 when there is none (never
    // with `wait`, which blocks for one, but for a signal), or -1 with errno.
    int (*complete)(const struct journal_disk *disk, struct journal_queue *queue, bool wait, unsigned *buffer,
                    int *result);

    uint64_t (*wall_ns)(const struct journal_disk *disk); // Unix time
};

extern const struct journal_disk journal_disk_system;

#endif
