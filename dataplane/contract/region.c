// SPDX-License-Identifier: Apache-2.0
// Making, joining and removing generations of the region.
//
//   DIR/INSTANCE.lock            locked by the one live dataplane; its length counts the generations ever made
//   DIR/INSTANCE.control.lock    locked by the one live control
//   DIR/INSTANCE.g000007.making  while it is formatted; what a crash leaves here is removed by the next start
//   DIR/INSTANCE.g000007         renamed once complete: magic published, lock held
#include "contract/region.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/command.h"
#include "contract/event.h"

#define PAGE_BYTES 4096u
#define HUGE_PAGE_BYTES (2u << 20)
#define MAKING ".making"

static size_t round_up(size_t value, size_t to)
{
    return (value + to - 1) / to * to;
}

// Bytes of a ring's cell, or 0 for objects that are not rings.
static uint32_t cell_size(unsigned kind)
{
    switch (kind) {
    case OBJECT_COMMANDS:
    case OBJECT_JOURNAL:
    case OBJECT_ORDERS:
        return sizeof(struct command);
    case OBJECT_EVENTS:
    case OBJECT_MARKET_DATA:
        return sizeof(struct event);
    case OBJECT_ALERTS:
        return sizeof(struct alert);
    case OBJECT_REQUESTS:
        return sizeof(struct gateway_request);
    case OBJECT_REPLIES:
        return sizeof(struct gateway_reply);
    default:
        return 0;
    }
}

void region_plan_add(struct region_plan *plan, enum object_kind kind, unsigned a, unsigned b, uint32_t depth)
{
    xw_assert(plan->count < REGION_OBJECTS_MAX);
    xw_assert(a <= UINT16_MAX && b <= UINT16_MAX);
    for (unsigned i = 0; i < plan->count; i++)
        xw_assert(plan->objects[i].kind != kind || plan->objects[i].a != a || plan->objects[i].b != b);

    size_t size;
    if (kind == OBJECT_CORE)
        size = sizeof(struct core_block);
    else if (kind == OBJECT_MATCHER)
        size = sizeof(struct matcher_port);
    else if (kind == OBJECT_TALLIES)
        size = depth * sizeof(struct session_tally);
    else if (kind == OBJECT_BOARD)
        size = sizeof(struct breaker_board);
    else
        size = ring_footprint(depth, cell_size(kind));
    xw_assert((cell_size(kind) != 0 || kind == OBJECT_TALLIES) == (depth != 0));
    plan->objects[plan->count] =
        (struct region_object){.kind = (uint16_t)kind, .a = (uint16_t)a, .b = (uint16_t)b, .size = size};
    plan->depths[plan->count++] = depth;
}

// Places objects one after the other. Each on a line pair of its own; not on page boundaries, where the hot words of
// many rings would compete for one set of the L1 cache.
static size_t place(struct region_object *objects, unsigned count)
{
    size_t at = round_up(sizeof(struct region_header), CACHE_PAIR);
    for (unsigned i = 0; i < count; i++) {
        objects[i].offset = at;
        at += round_up(objects[i].size, CACHE_PAIR);
    }
    return at;
}

static bool write_path(char *path, size_t room, const char *directory, const char *instance, uint64_t generation)
{
    int size = snprintf(path, room, "%s/%s.g%06" PRIu64, directory, instance, generation);
    if (size > 0 && (size_t)size < room)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static int set_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

// Whether another open file description holds the lock. One that can not be asked about counts as held: who takes a
// live region for a dead one drains and removes it.
static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static void close_keeping_errno(int fd)
{
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
}

// ---- the directory ------------------------------------------------------------------------------------------------

enum entry { ENTRY_OTHER, ENTRY_GENERATION, ENTRY_MAKING };

// What a file name in the directory is to `instance`.
static enum entry classify(const char *name, const char *instance, uint64_t *generation)
{
    size_t length = strlen(instance);
    if (strncmp(name, instance, length) || name[length] != '.' || name[length + 1] != 'g')
        return ENTRY_OTHER;
    const char *digits = name + length + 2;
    size_t count = strspn(digits, "0123456789");
    if (count < 6 || count > 18)
        return ENTRY_OTHER;
    *generation = strtoull(digits, NULL, 10);
    if (digits[count] == '\0')
        return ENTRY_GENERATION;
    return strcmp(digits + count, MAKING) == 0 ? ENTRY_MAKING : ENTRY_OTHER;
}

static int compare_generations(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// Puts a generation into a list of `count` that has room for `most`, in any order. A full one gives up its newest.
static void list_oldest(uint64_t *list, int count, int most, uint64_t generation)
{
    if (count < most) {
        list[count] = generation;
        return;
    }
    int newest = 0;
    for (int i = 1; i < most; i++)
        newest = list[i] > list[newest] ? i : newest;
    if (most > 0 && generation < list[newest])
        list[newest] = generation;
}

int region_list(const char *directory, const char *instance, uint64_t *list, int most)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return -1;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        uint64_t generation;
        if (classify(entry->d_name, instance, &generation) != ENTRY_GENERATION)
            continue;
        list_oldest(list, count++, most, generation);
    }
    closedir(dir);
    qsort(list, (size_t)(count < most ? count : most), sizeof *list, compare_generations);
    return count;
}

int region_remove(const char *directory, const char *instance, uint64_t generation)
{
    char path[sizeof((struct region *)0)->path];
    return write_path(path, sizeof path, directory, instance, generation) ? unlink(path) : -1;
}

// The magic of a file, 0 when it is too short to hold one. Through a mapping: hugetlbfs files have no read of their own
// on old kernels.
static uint64_t read_magic(int fd)
{
    struct stat status;
    if (fstat(fd, &status) || (size_t)status.st_size < sizeof(struct region_header))
        return 0;
    size_t size = (size_t)status.st_size;
    struct region_header *header = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (header == MAP_FAILED)
        return 0;
    uint64_t magic = atomic_load_explicit(&header->magic, memory_order_acquire);
    munmap(header, size);
    return magic;
}

// Looks at one generation that is already there: `busy` when a live process holds it. One without magic was never
// joined by anybody, so it can hold no acknowledged order: it is removed.
static void inspect_old(int dir_fd, const char *name, bool *busy)
{
    int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    if (is_locked(fd))
        *busy = true;
    else if (read_magic(fd) != REGION_MAGIC)
        unlinkat(dir_fd, name, 0);
    close(fd);
}

// With the instance's lock held: removes what a start that was killed left half made, finds the newest generation.
static enum region_result sweep(const char *directory, const char *instance, uint64_t *newest)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return REGION_SYSTEM;
    bool busy = false;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        uint64_t generation = 0;
        enum entry what = classify(entry->d_name, instance, &generation);
        if (what == ENTRY_MAKING)
            unlinkat(dirfd(dir), entry->d_name, 0);
        if (what != ENTRY_GENERATION)
            continue;
        if (generation > *newest)
            *newest = generation;
        inspect_old(dirfd(dir), entry->d_name, &busy);
    }
    closedir(dir);
    return busy ? REGION_BUSY : REGION_OK;
}

// ---- create -------------------------------------------------------------------------------------------------------

// Takes DIR/INSTANCE.lock. The file's length, in pages of its file system, is the newest generation ever made, so that
// a number is never used twice even when all its files are gone (a length, because hugetlbfs files can not be written).
static enum region_result take_instance_lock(struct region *region, const char *directory, const char *instance,
                                             size_t page, uint64_t *newest)
{
    char path[sizeof region->path];
    int size = snprintf(path, sizeof path, "%s/%s.lock", directory, instance);
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return REGION_SYSTEM;
    }
    region->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (region->lock_fd < 0)
        return REGION_SYSTEM;
    if (set_lock(region->lock_fd))
        return errno == EAGAIN || errno == EACCES ? REGION_BUSY : REGION_SYSTEM;
    struct stat status;
    if (fstat(region->lock_fd, &status))
        return REGION_SYSTEM;
    *newest = (uint64_t)status.st_size / page;
    return REGION_OK;
}

// Gives the file its memory now and maps it writable, every page present, so that pinned cores never fault and a lack
// of memory is an error here instead of a signal later.
static enum region_result map_new(struct region *region)
{
    if (fallocate(region->fd, 0, 0, (off_t)region->size)) {
        if (errno != EOPNOTSUPP && errno != ENOSYS)
            return REGION_SYSTEM;
        if (ftruncate(region->fd, (off_t)region->size))
            return REGION_SYSTEM;
    }
    void *memory = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, region->fd, 0);
    if (memory == MAP_FAILED)
        return REGION_SYSTEM;
    region->header = memory;
    // MAP_POPULATE reads shared pages in; on file systems that track dirty pages the first write would fault again.
    for (size_t at = 0; at < region->size; at += PAGE_BYTES)
        *((volatile char *)memory + at) = 0;
    return REGION_OK;
}

static void format(struct region *region, const struct region_plan *plan, uint64_t generation, uint64_t config_hash)
{
    struct region_header *header = region->header;
    header->version = REGION_VERSION;
    header->object_count = plan->count;
    header->layout_hash = region_layout_hash();
    header->config_hash = config_hash;
    header->size = region->size;
    header->generation = generation;
    header->dataplane_pid = (uint64_t)getpid();
    memcpy(header->objects, plan->objects, plan->count * sizeof plan->objects[0]);
    place(header->objects, plan->count);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct region_object *object = &header->objects[i];
        if (cell_size(object->kind))
            ring_new((char *)header + object->offset, plan->depths[i], cell_size(object->kind), 0);
    }
    // Release pairs with the acquire in region_join: who sees the magic sees the whole table.
    atomic_store_explicit(&header->magic, REGION_MAGIC, memory_order_release);
}

// Formats the file under its temporary name, then gives it its own: a joiner never meets a half-made generation.
static enum region_result make(struct region *region, const struct region_plan *plan, uint64_t generation,
                               uint64_t config_hash)
{
    char making[sizeof region->path + sizeof MAKING];
    snprintf(making, sizeof making, "%s" MAKING, region->path);
    region->fd = open(making, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (region->fd < 0)
        return REGION_SYSTEM;
    enum region_result result = set_lock(region->fd) ? REGION_SYSTEM : map_new(region);
    if (result == REGION_OK) {
        format(region, plan, generation, config_hash);
        if (rename(making, region->path))
            result = REGION_SYSTEM;
    }
    if (result != REGION_OK) {
        int saved = errno;
        unlink(making);
        errno = saved;
    }
    return result;
}

size_t region_plan_bytes(const struct region_plan *plan, const char *directory, size_t *page)
{
    struct statfs volume;
    if (statfs(directory, &volume))
        return 0;
    *page = (uint32_t)volume.f_type == HUGETLBFS_MAGIC ? (size_t)volume.f_bsize : 0;
    struct region_object objects[REGION_OBJECTS_MAX];
    memcpy(objects, plan->objects, sizeof objects);
    return round_up(place(objects, plan->count), *page > HUGE_PAGE_BYTES ? *page : HUGE_PAGE_BYTES);
}

enum region_result region_create(struct region *region, const char *directory, const char *instance,
                                 const struct region_plan *plan, uint64_t config_hash)
{
    *region = (struct region){.fd = -1, .lock_fd = -1};
    size_t huge_page;
    region->size = region_plan_bytes(plan, directory, &huge_page);
    if (!region->size)
        return REGION_SYSTEM;
    const size_t page = huge_page ? huge_page : PAGE_BYTES;

    uint64_t newest = 0;
    enum region_result result = take_instance_lock(region, directory, instance, page, &newest);
    if (result == REGION_OK)
        result = sweep(directory, instance, &newest);
    if (result == REGION_OK && ftruncate(region->lock_fd, (off_t)((newest + 1) * page)))
        result = REGION_SYSTEM;
    if (result == REGION_OK && !write_path(region->path, sizeof region->path, directory, instance, newest + 1))
        result = REGION_SYSTEM;
    if (result == REGION_OK)
        result = make(region, plan, newest + 1, config_hash);
    if (result != REGION_OK) {
        int saved = errno;
        region_leave(region);
        errno = saved;
    }
    return result;
}

// ---- join ---------------------------------------------------------------------------------------------------------

// Objects that are no rings: as large as what is read there, and of a role that there is.
static bool block_is_sound(const struct region_object *object)
{
    switch (object->kind) {
    case OBJECT_CORE:
        return object->size >= sizeof(struct core_block) && object->a < ROLE_COUNT;
    case OBJECT_MATCHER:
        return object->size >= sizeof(struct matcher_port);
    case OBJECT_TALLIES:
        return object->size > 0 && object->size % sizeof(struct session_tally) == 0;
    case OBJECT_BOARD:
        return object->size >= sizeof(struct breaker_board);
    default:
        return false;
    }
}

// Every object lies inside the file and every ring has the shape that its kind has in this build.
static bool table_is_sound(const struct region_header *header, size_t size)
{
    if (header->size != size || header->object_count > REGION_OBJECTS_MAX)
        return false;
    for (unsigned i = 0; i < header->object_count; i++) {
        const struct region_object *object = &header->objects[i];
        if (object->offset % CACHE_PAIR || object->offset < sizeof *header || object->offset > size ||
            object->size > size - object->offset)
            return false;
        const uint32_t cell = cell_size(object->kind);
        if (!cell) {
            if (!block_is_sound(object))
                return false;
            continue;
        }
        const struct ring *ring = (const void *)((const char *)header + object->offset);
        if (object->size < sizeof *ring || ring->magic != RING_MAGIC || ring->cell_size != cell ||
            ring->cells_offset != sizeof *ring || ring->depth == 0 || (ring->depth & (ring->depth - 1)) != 0 ||
            ring_footprint(ring->depth, cell) > object->size)
            return false;
    }
    return true;
}

static enum region_result check(const struct region *region)
{
    const struct region_header *header = region->header;
    // Acquire pairs with the release in format().
    if (atomic_load_explicit(&header->magic, memory_order_acquire) != REGION_MAGIC)
        return REGION_UNREADY;
    if (header->version != REGION_VERSION || header->layout_hash != region_layout_hash() ||
        !table_is_sound(header, region->size))
        return REGION_LAYOUT;
    return REGION_OK;
}

static enum region_result map_existing(struct region *region, bool writable)
{
    struct stat status;
    if (fstat(region->fd, &status))
        return REGION_SYSTEM;
    if (!S_ISREG(status.st_mode) || (size_t)status.st_size < sizeof(struct region_header))
        return REGION_UNREADY;
    region->size = (size_t)status.st_size;
    void *memory = mmap(NULL, region->size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, region->fd, 0);
    if (memory == MAP_FAILED)
        return REGION_SYSTEM;
    region->header = memory;
    return check(region);
}

enum region_result region_join(struct region *region, const char *directory, const char *instance, uint64_t generation,
                               bool writable)
{
    *region = (struct region){.fd = -1, .lock_fd = -1};
    if (!write_path(region->path, sizeof region->path, directory, instance, generation))
        return REGION_SYSTEM;
    region->fd = open(region->path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (region->fd < 0)
        return errno == ENOENT ? REGION_ABSENT : REGION_SYSTEM;
    enum region_result result = map_existing(region, writable);
    if (result != REGION_OK) {
        int saved = errno;
        region_leave(region);
        errno = saved;
    }
    return result;
}

void region_leave(struct region *region)
{
    if (region->header)
        munmap(region->header, region->size);
    close_keeping_errno(region->fd);
    close_keeping_errno(region->lock_fd);
    region->header = NULL;
    region->fd = -1;
    region->lock_fd = -1;
}

bool region_alive(const struct region *region)
{
    // A description never sees its own lock: the creator is the live dataplane itself.
    return region->lock_fd >= 0 || is_locked(region->fd);
}

void region_control_lock(char *path, size_t size, const char *directory, const char *instance)
{
    snprintf(path, size, "%s/%s.control.lock", directory, instance);
}

bool region_control_alive(const char *directory, const char *instance)
{
    char path[512];
    region_control_lock(path, sizeof path, directory, instance);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

void *region_find(const struct region *region, enum object_kind kind, unsigned a, unsigned b)
{
    const struct region_header *header = region->header;
    for (unsigned i = 0; i < header->object_count; i++) {
        const struct region_object *object = &header->objects[i];
        if (object->kind == kind && object->a == a && object->b == b)
            return (char *)region->header + object->offset;
    }
    return NULL;
}
