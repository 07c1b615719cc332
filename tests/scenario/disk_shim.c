// SPDX-License-Identifier: Apache-2.0
// Preloaded into control by failing_disk.sh: what the file XW_DISK says happens to every write of the journal's queue
// and every fsync, from one moment to the next. Nothing in it: a disk that works.
//
//   eio    its first half is there, and it fails      short  its first half is there, which it says
//   slow   it takes 20 ms                             sync   fsync fails
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, SLOW_NS = 20 * 1000 * 1000 };

static void read_fault(char fault[8])
{
    const char *path = getenv("XW_DISK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    memset(fault, 0, 8);
    if (fd < 0)
        return;
    if (read(fd, fault, 7) < 0)
        fault[0] = 0;
    close(fd);
}

// Waits for the completion of the write that was submitted last, and makes it say EIO.
static void fail_completion(struct io_uring *uring, uint64_t user_data)
{
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(uring, head, cqe)
        {
            seen++;
            if (cqe->user_data != user_data)
                continue;
            cqe->res = -EIO;
            return;
        }
        io_uring_wait_cqe_nr(uring, &cqe, seen + 1);
    }
}

int io_uring_submit(struct io_uring *uring)
{
    int (*submit)(struct io_uring *) = (int (*)(struct io_uring *))dlsym(RTLD_NEXT, "io_uring_submit");
    struct io_uring_sqe *sqe = &uring->sq.sqes[(uring->sq.sqe_tail - 1) & *uring->sq.kring_mask];
    const uint64_t user_data = sqe->user_data;
    char fault[8];
    read_fault(fault);
    const bool eio = strcmp(fault, "eio") == 0;
    if (eio || strcmp(fault, "short") == 0)
        sqe->len = sqe->len / 2 / SECTOR * SECTOR;
    if (strcmp(fault, "slow") == 0)
        nanosleep(&(struct timespec){.tv_nsec = SLOW_NS}, NULL);
    int result = submit(uring);
    if (result == 1 && eio)
        fail_completion(uring, user_data);
    return result;
}

int fsync(int fd)
{
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    char fault[8];
    read_fault(fault);
    if (strcmp(fault, "sync") != 0)
        return sync(fd);
    errno = EIO;
    return -1;
}
