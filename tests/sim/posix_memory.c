// SPDX-License-Identifier: Apache-2.0
// Memory: what a killed process held is given back, as the kernel would. Small pieces of the heap are not followed:
// they go with the seed's process.
#include "tests/sim/posix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RANGES = 4096, LARGE = 64 * 1024 };

struct range {
    struct sim_process *process; // NULL: free
    char *at;
    size_t size;
    struct inode *inode; // of a shared mapping
    bool heap;
};

static struct range ranges[RANGES];
static unsigned ranges_used;

static struct range *new_range(char *at, size_t size)
{
    unsigned i = 0;
    while (i < ranges_used && ranges[i].process)
        i++;
    if (i == RANGES)
        sim_fail("more mappings than the simulator follows");
    if (i == ranges_used)
        ranges_used++;
    ranges[i] = (struct range){.process = sim_process_self(), .at = at, .size = size};
    return &ranges[i];
}

static void release(struct range *range)
{
    if (range->inode)
        disk_drop(range->inode);
    else if (range->heap)
        free(range->at);
    else
        munmap(range->at, range->size);
    range->process = NULL;
}

void memory_release(struct sim_process *process)
{
    for (unsigned i = 0; i < ranges_used; i++) {
        if (ranges[i].process == process)
            release(&ranges[i]);
    }
}

void *sys_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (flags & MAP_ANONYMOUS) {
        void *memory = mmap(at, size, protection, (flags & ~MAP_POPULATE) | MAP_NORESERVE, -1, 0);
        if (memory != MAP_FAILED)
            new_range(memory, size);
        return memory;
    }
    struct open_file *file = posix_file(fd);
    if (!file)
        return MAP_FAILED;
    if (!(flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    struct range *range = new_range((char *)file->inode->data + offset, size);
    range->inode = file->inode;
    disk_hold(file->inode);
    return range->at;
}

int sys_munmap(void *at, size_t size)
{
    char *from = at;
    for (unsigned i = 0; i < ranges_used; i++) {
        struct range *range = &ranges[i];
        if (range->process != sim_process_self() || range->heap || from < range->at || from >= range->at + range->size)
            continue;
        if (range->inode || (from == range->at && size >= range->size)) {
            release(range);
            return 0;
        }
        char *end = range->at + range->size;
        if (from == range->at) {
            range->at += size;
            range->size -= size;
        } else {
            range->size = (size_t)(from - range->at);
            if (from + size < end)
                new_range(from + size, (size_t)(end - from) - size);
        }
        return munmap(at, size);
    }
    return size ? munmap(at, size) : 0;
}

int sys_madvise(void *at, size_t size, int advice)
{
    (void)at, (void)size, (void)advice;
    return 0;
}

int sys_mlockall(int flags)
{
    (void)flags;
    return 0;
}

static void *follow(void *at, size_t size)
{
    if (at && size >= LARGE && sim_process_self())
        new_range(at, size)->heap = true;
    return at;
}

void *sys_malloc(size_t size)
{
    void *at = malloc(size);
    return at ? follow(memset(at, 0xA5, size), size) : NULL;
}

void *sys_calloc(size_t count, size_t size)
{
    return follow(calloc(count, size), count * size);
}

void *sys_aligned_alloc(size_t alignment, size_t size)
{
    return follow(aligned_alloc(alignment, size), size);
}

static void forget(const void *at)
{
    for (unsigned i = 0; i < ranges_used; i++) {
        if (ranges[i].heap && ranges[i].at == at)
            ranges[i].process = NULL;
    }
}

void *sys_realloc(void *at, size_t size)
{
    forget(at);
    return follow(realloc(at, size), size);
}

void sys_free(void *at)
{
    forget(at);
    free(at);
}

struct mallinfo2 sys_mallinfo2(void)
{
    return (struct mallinfo2){0};
}

int sys_mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    (void)name, (void)old, (void)old_size, (void)new, (void)new_size;
    return EINVAL;
}

void sim_release_process(struct sim_process *process)
{
    uring_release(process);
    files_release(process);
    memory_release(process);
}
