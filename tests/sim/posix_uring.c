// SPDX-License-Identifier: Apache-2.0
// io_uring as liburing's functions show it: writes and syncs that take their time, come back in any order, fail, are
// cut short, and are torn by what happens meanwhile.
#include "tests/sim/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { RINGS = 16, ENTRIES = 64, OPERATIONS = 64, FILES_MAX = 16 };

struct uring {
    struct sim_process *process; // NULL: free
    struct io_uring *ring;
    unsigned sq_head, sq_tail, cq_head, cq_tail, flags, dropped;
    struct io_uring_sqe sqes[ENTRIES];
    struct io_uring_cqe cqes[2 * ENTRIES];
    int files[FILES_MAX];
};

struct operation {
    struct uring *ring; // NULL: free
    struct inode *inode;
    unsigned number;
    uint8_t opcode;
    bool sync;
    bool linked; // to the one before it
    bool failed;
    bool copied;             // the device has read the buffer at the start, not at the end
    struct operation *after; // starts when this one is done
    const uint8_t *buffer;
    uint8_t *copy;
    size_t size;
    uint64_t offset, user_data;
};

static struct uring rings[RINGS];
static struct operation operations[OPERATIONS];
static unsigned operation_number;

static struct uring *uring_of(const struct io_uring *ring)
{
    return (struct uring *)ring->sq.ring_ptr;
}

int sys_io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
    (void)flags;
    struct uring *uring = rings;
    while (uring < rings + RINGS && uring->process)
        uring++;
    if (uring == rings + RINGS || entries > ENTRIES)
        return -ENOMEM;
    memset(uring, 0, sizeof *uring);
    uring->process = sim_process_self();
    uring->ring = ring;
    memset(ring, 0, sizeof *ring);
    ring->sq.khead = &uring->sq_head;
    ring->sq.ktail = &uring->sq_tail;
    ring->sq.kflags = &uring->flags;
    ring->sq.kdropped = &uring->dropped;
    ring->sq.sqes = uring->sqes;
    ring->sq.ring_entries = entries;
    ring->sq.ring_mask = ENTRIES - 1;
    ring->sq.ring_ptr = uring;
    ring->cq.khead = &uring->cq_head;
    ring->cq.ktail = &uring->cq_tail;
    ring->cq.cqes = uring->cqes;
    ring->cq.ring_entries = 2 * ENTRIES;
    ring->cq.ring_mask = 2 * ENTRIES - 1;
    ring->features = IORING_FEAT_EXT_ARG;
    return 0;
}

static void end_operation(struct operation *operation)
{
    disk_drop(operation->inode);
    free(operation->copy);
    memset(operation, 0, sizeof *operation);
}

// Nobody waits any more; what the device still does with it is drawn.
static void abandon(struct operation *operation, uint32_t chance)
{
    const uint8_t *bytes = operation->copy ? operation->copy : operation->buffer;
    bool whole = random_chance(&sim.disk, chance);
    if (operation->opcode != IORING_OP_FSYNC) {
        for (size_t at = 0; at < operation->size; at += DISK_SECTOR) {
            if (whole || random_chance(&sim.disk, chance))
                disk_write(operation->inode, operation->offset + at, bytes + at, DISK_SECTOR);
        }
    }
    end_operation(operation);
}

void uring_release(struct sim_process *process)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (operations[i].ring && operations[i].ring->process == process)
            abandon(&operations[i], 700000);
    }
    for (unsigned i = 0; i < RINGS; i++) {
        if (rings[i].process == process)
            rings[i].process = NULL;
    }
}

void sys_io_uring_queue_exit(struct io_uring *ring)
{
    struct uring *uring = uring_of(ring);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (operations[i].ring == uring)
            abandon(&operations[i], 1000000);
    }
    uring->process = NULL;
}

int sys_io_uring_register_buffers(struct io_uring *ring, const struct iovec *list, unsigned count)
{
    (void)ring, (void)list, (void)count;
    return 0;
}

int sys_io_uring_unregister_buffers(struct io_uring *ring)
{
    (void)ring;
    return 0;
}

int sys_io_uring_register_files(struct io_uring *ring, const int *list, unsigned count)
{
    return sys_io_uring_register_files_update(ring, 0, list, count) == (int)count ? 0 : -EBADF;
}

int sys_io_uring_register_files_update(struct io_uring *ring, unsigned offset, const int *list, unsigned count)
{
    struct uring *uring = uring_of(ring);
    for (unsigned i = 0; i < count; i++) {
        if (offset + i >= FILES_MAX || (list[i] >= 0 && !posix_file(list[i])))
            return -EBADF;
        uring->files[offset + i] = list[i];
    }
    return (int)count;
}

int sys_io_uring_unregister_files(struct io_uring *ring)
{
    memset(uring_of(ring)->files, 0, sizeof uring_of(ring)->files);
    return 0;
}

static void complete(struct operation *operation, int result)
{
    struct uring *uring = operation->ring;
    struct io_uring_cqe *cqe = &uring->cqes[uring->cq_tail & (2 * ENTRIES - 1)];
    *cqe = (struct io_uring_cqe){.user_data = operation->user_data, .res = result};
    uring->cq_tail++;
    sim_note((uint64_t)(int64_t)result);
    sim_is_active();
    sim_wake(uring, true);
    end_operation(operation);
}

// Sectors that reached the disk before it failed.
static void write_some(const struct operation *operation, const uint8_t *bytes, bool persist)
{
    for (size_t at = 0; at < operation->size; at += DISK_SECTOR) {
        if (!random_chance(&sim.disk, 500000))
            continue;
        disk_write(operation->inode, operation->offset + at, bytes + at, DISK_SECTOR);
        if (persist && random_chance(&sim.disk, 500000))
            disk_persist(operation->inode, operation->offset + at, DISK_SECTOR);
    }
}

static int run_write(struct operation *operation)
{
    const uint8_t *bytes = operation->copy ? operation->copy : operation->buffer;
    struct inode *inode = operation->inode;
    sim_note_bytes(bytes, operation->size);
    if (disk_write_fails()) {
        sim_say("disk: write of %zu bytes at %llu of %s fails", operation->size, (unsigned long long)operation->offset,
                inode->name);
        write_some(operation, bytes, true);
        return -EIO;
    }
    size_t size = operation->size;
    if (random_chance(&sim.disk, disk.short_writes)) {
        size = (size_t)random_below(&sim.disk, size / DISK_SECTOR) * DISK_SECTOR;
        sim_say("disk: write of %zu bytes at %llu of %s ends after %zu", operation->size,
                (unsigned long long)operation->offset, inode->name, size);
        disk.failures++;
    }
    long wrote = disk_write(inode, operation->offset, bytes, size);
    if (wrote < 0)
        return -errno;
    if (!operation->sync)
        return (int)wrote;
    if (disk_sync_fails()) { // the data may have gone to the disk or not, and will not be asked for again
        sim_say("disk: sync of a write at %llu of %s fails", (unsigned long long)operation->offset, inode->name);
        write_some(operation, bytes, true);
        return -EIO;
    }
    disk_sync(inode, operation->offset, size);
    return (int)wrote;
}

static int run_sync(struct operation *operation)
{
    if (disk_sync_fails()) {
        sim_say("disk: sync of %s fails", operation->inode->name);
        return -EIO;
    }
    disk_sync(operation->inode, 0, SIZE_MAX);
    return 0;
}

static void due(void *context, uint64_t number);

static void start(struct operation *operation)
{
    bool slow = operation->sync || operation->opcode == IORING_OP_FSYNC;
    sim_after(slow ? disk_latency() : disk.least_ns / 2, due, operation, operation->number);
}

static void due(void *context, uint64_t number)
{
    struct operation *operation = context;
    if (!operation->ring || operation->number != number)
        return;
    int result = operation->failed                      ? -ECANCELED
                 : operation->opcode == IORING_OP_FSYNC ? run_sync(operation)
                                                        : run_write(operation);
    struct operation *next = operation->after;
    bool cancel = result < 0 || (operation->opcode != IORING_OP_FSYNC && (size_t)result != operation->size);
    complete(operation, result);
    if (next) {
        next->failed = cancel;
        start(next);
    }
}

static struct operation *take(struct uring *uring, const struct io_uring_sqe *sqe)
{
    struct operation *operation = operations;
    while (operation < operations + OPERATIONS && operation->ring)
        operation++;
    if (operation == operations + OPERATIONS)
        sim_fail("more writes on their way than the simulator follows");
    int fd = sqe->flags & IOSQE_FIXED_FILE ? uring->files[sqe->fd] : sqe->fd;
    struct open_file *file = posix_file(fd);
    if (!file)
        sim_fail("io_uring: a request names no open file");
    if (sqe->opcode != IORING_OP_WRITE && sqe->opcode != IORING_OP_WRITE_FIXED && sqe->opcode != IORING_OP_FSYNC)
        sim_fail("io_uring: operation %u is not simulated", sqe->opcode);
    *operation =
        (struct operation){.ring = uring,
                           .inode = file->inode,
                           .number = ++operation_number,
                           .opcode = sqe->opcode,
                           .sync = (sqe->rw_flags & (RWF_DSYNC | RWF_SYNC)) || (file->flags & (O_DSYNC | O_SYNC)),
                           .buffer = (const uint8_t *)(uintptr_t)sqe->addr,
                           .size = sqe->len,
                           .offset = sqe->off,
                           .user_data = sqe->user_data};
    disk_hold(file->inode);
    if ((file->flags & O_DIRECT) && sqe->opcode != IORING_OP_FSYNC &&
        ((uintptr_t)operation->buffer % DISK_SECTOR || operation->size % DISK_SECTOR ||
         operation->offset % DISK_SECTOR))
        sim_fail("io_uring: an O_DIRECT write is not aligned");
    if (random_chance(&sim.disk, 500000) && operation->size) {
        operation->copy = malloc(operation->size);
        memcpy(operation->copy, operation->buffer, operation->size);
    }
    return operation;
}

int sys_io_uring_submit(struct io_uring *ring)
{
    struct uring *uring = uring_of(ring);
    int count = 0;
    struct operation *chain = NULL;
    for (; uring->sq_head != ring->sq.sqe_tail; uring->sq_head++, count++) {
        const struct io_uring_sqe *sqe = &uring->sqes[uring->sq_head & (ENTRIES - 1)];
        struct operation *operation = take(uring, sqe);
        if (chain)
            chain->after = operation;
        else
            start(operation);
        chain = sqe->flags & IOSQE_IO_LINK ? operation : NULL;
    }
    ring->sq.sqe_head = ring->sq.sqe_tail;
    sim_is_active();
    return count;
}

int sys_io_uring_submit_and_wait(struct io_uring *ring, unsigned count)
{
    struct io_uring_cqe *cqe;
    int submitted = sys_io_uring_submit(ring);
    sys_io_uring_get_cqe(ring, &cqe, 0, count, NULL);
    return submitted;
}

int sys_io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **out, unsigned submit, unsigned count,
                         sigset_t *mask)
{
    (void)mask;
    struct uring *uring = uring_of(ring);
    if (submit)
        sys_io_uring_submit(ring);
    while (uring->cq_tail - uring->cq_head < count)
        sim_wait(uring, SIM_NEVER);
    *out = uring->cq_tail == uring->cq_head ? NULL : &uring->cqes[uring->cq_head & (2 * ENTRIES - 1)];
    return *out ? 0 : -EAGAIN;
}

void uring_crash(void)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (operations[i].ring)
            abandon(&operations[i], 400000);
    }
}
