// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { DIRTY_WORDS = DISK_FILE_MAX / DISK_SECTOR / 64, BLOCK = 4096 };

struct disk disk;
void (*disk_watcher)(struct inode *inode, uint64_t offset, size_t size);

static unsigned inode_number;

// ---- inodes ---------------------------------------------------------------------------------------------------------

static void *lazy_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        sim_fail("no memory for a file");
    return memory;
}

static struct inode *new_inode(const char *name, bool is_directory, bool on_disk)
{
    struct inode *inode = calloc(1, sizeof *inode);
    if (!inode)
        sim_fail("no memory for a file");
    inode->is_directory = is_directory;
    inode->on_disk = on_disk;
    inode->number = ++inode_number;
    strncpy(inode->name, name, DISK_NAME_MAX - 1);
    if (!is_directory) {
        inode->data = lazy_memory(DISK_FILE_MAX);
        if (on_disk) {
            inode->durable = lazy_memory(DISK_FILE_MAX);
            inode->dirty = calloc(DIRTY_WORDS, sizeof *inode->dirty);
        }
    }
    inode->next = disk.all;
    disk.all = inode;
    return inode;
}

static void list_clear(struct dir_list *list);

static void free_inode(struct inode *inode)
{
    list_clear(&inode->entries);
    list_clear(&inode->durable_entries);
    struct inode **at = &disk.all;
    while (*at != inode)
        at = &(*at)->next;
    *at = inode->next;
    if (inode->on_disk && !inode->is_directory)
        disk.used -= (inode->size + BLOCK - 1) / BLOCK * BLOCK;
    if (inode->data)
        munmap(inode->data, DISK_FILE_MAX);
    if (inode->durable)
        munmap(inode->durable, DISK_FILE_MAX);
    free(inode->dirty);
    free(inode->entries.list);
    free(inode->durable_entries.list);
    free(inode->changes);
    free(inode);
}

void disk_hold(struct inode *inode)
{
    inode->references++;
}

void disk_drop(struct inode *inode)
{
    if (--inode->references == 0)
        free_inode(inode);
}

struct inode *disk_anonymous(bool on_disk)
{
    return new_inode("anonymous", false, on_disk);
}

// ---- directories ----------------------------------------------------------------------------------------------------

static struct dir_entry *entry_of(const struct dir_list *list, const char *name)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (strcmp(list->list[i].name, name) == 0)
            return &list->list[i];
    }
    return NULL;
}

static void list_remove(struct dir_list *list, const char *name)
{
    struct dir_entry *entry = entry_of(list, name);
    if (!entry)
        return;
    struct inode *inode = entry->inode;
    *entry = list->list[--list->count];
    disk_drop(inode);
}

static void list_put(struct dir_list *list, const char *name, struct inode *inode)
{
    disk_hold(inode);
    list_remove(list, name);
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->list = realloc(list->list, list->room * sizeof *list->list);
        if (!list->list)
            sim_fail("no memory for a directory");
    }
    struct dir_entry *entry = &list->list[list->count++];
    memset(entry, 0, sizeof *entry);
    strncpy(entry->name, name, DISK_NAME_MAX - 1);
    entry->inode = inode;
}

static void list_clear(struct dir_list *list)
{
    while (list->count)
        disk_drop(list->list[--list->count].inode);
}

static void apply(struct dir_list *list, const struct dir_change *change)
{
    switch (change->kind) {
    case DIR_LINK:
        list_put(list, change->name, change->inode);
        break;
    case DIR_UNLINK:
        list_remove(list, change->name);
        break;
    case DIR_RENAME:
        list_put(list, change->to, change->inode);
        list_remove(list, change->name);
        break;
    }
}

static void change(struct inode *directory, enum dir_change_kind kind, const char *name, const char *to,
                   struct inode *inode)
{
    struct dir_change made = {.kind = kind, .inode = inode};
    strncpy(made.name, name, DISK_NAME_MAX - 1);
    strncpy(made.to, to, DISK_NAME_MAX - 1);
    disk_hold(inode);
    apply(&directory->entries, &made);
    if (!directory->on_disk) {
        disk_drop(inode);
        return;
    }
    if (directory->changes_count == directory->changes_room) {
        directory->changes_room = directory->changes_room ? 2 * directory->changes_room : 16;
        directory->changes = realloc(directory->changes, directory->changes_room * sizeof made);
        if (!directory->changes)
            sim_fail("no memory for a directory");
    }
    directory->changes[directory->changes_count++] = made;
}

struct inode *disk_find(struct inode *directory, const char *name)
{
    const struct dir_entry *entry = entry_of(&directory->entries, name);
    return entry ? entry->inode : NULL;
}

struct inode *disk_make(struct inode *directory, const char *name, bool is_directory, bool on_disk)
{
    if (strlen(name) >= DISK_NAME_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    struct inode *inode = new_inode(name, is_directory, on_disk);
    change(directory, DIR_LINK, name, "", inode);
    return inode;
}

int disk_unlink(struct inode *directory, const char *name)
{
    struct inode *inode = disk_find(directory, name);
    if (!inode) {
        errno = ENOENT;
        return -1;
    }
    change(directory, DIR_UNLINK, name, "", inode);
    return 0;
}

int disk_rename(struct inode *directory, const char *from, const char *to)
{
    struct inode *inode = disk_find(directory, from);
    if (!inode) {
        errno = ENOENT;
        return -1;
    }
    change(directory, DIR_RENAME, from, to, inode);
    memset(inode->name, 0, sizeof inode->name);
    strncpy(inode->name, to, DISK_NAME_MAX - 1);
    return 0;
}

void disk_persist_directory(struct inode *directory)
{
    for (unsigned i = 0; i < directory->changes_count; i++) {
        apply(&directory->durable_entries, &directory->changes[i]);
        disk_drop(directory->changes[i].inode);
    }
    directory->changes_count = 0;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static bool is_dirty(const struct inode *inode, size_t sector)
{
    return inode->dirty[sector / 64] >> (sector % 64) & 1;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

// The journal's first rule: what is durable is never written again, unless it is the same.
static void check_rewrite(const struct inode *inode, uint64_t offset, const uint8_t *bytes, size_t size)
{
    size_t length = strlen(inode->name);
    if (length < 4 || strcmp(inode->name + length - 4, ".xwj") != 0 || offset % DISK_SECTOR || size % DISK_SECTOR)
        return;
    for (size_t at = 0; at < size; at += DISK_SECTOR) {
        const uint8_t *was = inode->durable + offset + at;
        if (!is_dirty(inode, (offset + at) / DISK_SECTOR) && memcmp(was, bytes + at, DISK_SECTOR) != 0 &&
            !is_zero(was, DISK_SECTOR))
            sim_fail("durable block %llu of %s is rewritten", (unsigned long long)((offset + at) / BLOCK), inode->name);
    }
}

static int grow(struct inode *inode, uint64_t size)
{
    if (size > DISK_FILE_MAX) {
        errno = EFBIG;
        return -1;
    }
    uint64_t was = (inode->size + BLOCK - 1) / BLOCK * BLOCK, is = (size + BLOCK - 1) / BLOCK * BLOCK;
    if (inode->on_disk && is > was && disk.used + is - was > disk.capacity) {
        errno = ENOSPC;
        disk.failures++;
        return -1;
    }
    if (inode->on_disk)
        disk.used += is - was;
    inode->size = size;
    return 0;
}

long disk_write(struct inode *inode, uint64_t offset, const void *bytes, size_t size)
{
    if (offset + size > inode->size && grow(inode, offset + size) != 0)
        return -1;
    if (!inode->on_disk) {
        memcpy(inode->data + offset, bytes, size);
        return (long)size;
    }
    check_rewrite(inode, offset, bytes, size);
    const uint8_t *from = bytes;
    for (size_t done = 0; done < size;) {
        size_t sector = (offset + done) / DISK_SECTOR, rest = DISK_SECTOR - (offset + done) % DISK_SECTOR;
        size_t part = rest < size - done ? rest : size - done;
        if (memcmp(inode->data + offset + done, from + done, part) != 0) {
            memcpy(inode->data + offset + done, from + done, part);
            inode->dirty[sector / 64] |= UINT64_C(1) << (sector % 64);
        }
        done += part;
    }
    return (long)size;
}

int disk_resize(struct inode *inode, uint64_t size)
{
    if (size > inode->size)
        return grow(inode, size);
    size_t first = size;
    if (inode->on_disk) {
        for (size_t at = first / DISK_SECTOR; at * DISK_SECTOR < inode->size; at++)
            inode->dirty[at / 64] |= UINT64_C(1) << (at % 64);
    }
    memset(inode->data + first, 0, inode->size - first);
    return grow(inode, size);
}

void disk_persist(struct inode *inode, uint64_t offset, size_t size)
{
    if (!inode->on_disk || inode->is_directory)
        return;
    uint64_t end = size == SIZE_MAX ? DISK_FILE_MAX : offset + size;
    for (uint64_t at = offset / DISK_SECTOR; at * DISK_SECTOR < end; at++) {
        if (at % 64 == 0 && inode->dirty[at / 64] == 0) {
            at += 63;
            continue;
        }
        if (!is_dirty(inode, at))
            continue;
        inode->dirty[at / 64] &= ~(UINT64_C(1) << (at % 64));
        memcpy(inode->durable + at * DISK_SECTOR, inode->data + at * DISK_SECTOR, DISK_SECTOR);
    }
    if (size == SIZE_MAX)
        inode->durable_size = inode->size;
    else if (inode->durable_size < offset + size)
        inode->durable_size = offset + size;
    if (disk_watcher)
        disk_watcher(inode, offset, size == SIZE_MAX ? inode->size : size);
}

void disk_sync(struct inode *inode, uint64_t offset, size_t size)
{
    if (!disk.lies || random_chance(&sim.disk, 300000)) {
        if (inode->is_directory)
            disk_persist_directory(inode);
        else
            disk_persist(inode, offset, size);
    } else if (disk_watcher && !inode->is_directory) {
        disk_watcher(inode, offset, size == SIZE_MAX ? inode->size : size);
    }
}

bool disk_is_durable(const struct inode *inode, uint64_t offset, size_t size)
{
    for (uint64_t at = offset / DISK_SECTOR; at * DISK_SECTOR < offset + size; at++) {
        if (is_dirty(inode, at))
            return false;
    }
    return true;
}

// ---- a crash --------------------------------------------------------------------------------------------------------

static void crash_file(struct inode *inode, uint32_t keep)
{
    for (size_t word = 0; word < DIRTY_WORDS; word++) {
        for (unsigned bit = 0; inode->dirty[word] && bit < 64; bit++) {
            size_t at = (word * 64 + bit) * DISK_SECTOR;
            if (!(inode->dirty[word] >> bit & 1))
                continue;
            if (random_chance(&sim.disk, keep))
                memcpy(inode->durable + at, inode->data + at, DISK_SECTOR);
            else
                memcpy(inode->data + at, inode->durable + at, DISK_SECTOR);
        }
        inode->dirty[word] = 0;
    }
    size_t size = random_chance(&sim.disk, keep) ? inode->size : inode->durable_size;
    if (size < DISK_FILE_MAX) { // what lies behind the end reads as zeros when the file grows again
        size_t longest = inode->size > inode->durable_size ? inode->size : inode->durable_size;
        size_t rest = longest > size ? longest - size : 0;
        memset(inode->data + size, 0, rest);
        memset(inode->durable + size, 0, rest);
    }
    disk.used -= (inode->size + BLOCK - 1) / BLOCK * BLOCK;
    disk.used += (size + BLOCK - 1) / BLOCK * BLOCK;
    inode->size = inode->durable_size = size;
}

static void crash_directory(struct inode *directory, uint32_t keep)
{
    for (unsigned i = 0; i < directory->changes_count; i++) {
        if (random_chance(&sim.disk, keep))
            apply(&directory->durable_entries, &directory->changes[i]);
    }
    struct dir_list was = directory->entries;
    directory->entries = (struct dir_list){0};
    for (unsigned i = 0; i < directory->durable_entries.count; i++)
        list_put(&directory->entries, directory->durable_entries.list[i].name,
                 directory->durable_entries.list[i].inode);
    list_clear(&was);
    free(was.list);
    for (unsigned i = 0; i < directory->changes_count; i++)
        disk_drop(directory->changes[i].inode);
    directory->changes_count = 0;
}

void disk_crash(void)
{
    static const uint32_t taste[] = {0, 50000, 500000, 950000, 1000000};
    uint32_t keep = taste[random_below(&sim.disk, 5)];
    for (struct inode *inode = disk.all; inode; inode = inode->next)
        disk_hold(inode);
    for (struct inode *inode = disk.all; inode; inode = inode->next) {
        if (inode->on_disk && inode->is_directory)
            crash_directory(inode, keep);
        else if (inode->on_disk)
            crash_file(inode, keep);
    }
    list_clear(&disk_find(disk.root, "run")->entries);
    for (struct inode *inode = disk.all; inode;) {
        struct inode *next = inode->next;
        disk_drop(inode);
        inode = next;
    }
}

// ---- weather --------------------------------------------------------------------------------------------------------

uint64_t disk_latency(void)
{
    uint64_t spread = disk.most_ns - disk.least_ns;
    // Most are near the least, a few far off.
    return disk.least_ns + (random_chance(&sim.disk, 900000) ? random_below(&sim.disk, spread / 8 + 1)
                                                             : random_below(&sim.disk, spread + 1));
}

bool disk_write_fails(void)
{
    bool fails = disk.write_fails && random_chance(&sim.disk, disk.write_fails);
    disk.failures += fails;
    return fails;
}

bool disk_sync_fails(void)
{
    bool fails = disk.sync_fails && random_chance(&sim.disk, disk.sync_fails);
    disk.failures += fails;
    return fails;
}

void disk_open(void)
{
    disk = (struct disk){.capacity = (uint64_t)1 << 40, .least_ns = 30 * SIM_US, .most_ns = 300 * SIM_US};
    disk.root = new_inode("", true, false);
    disk_hold(disk.root);
    disk_make(disk.root, "journal", true, true);
    disk_make(disk.root, "run", true, false);
    disk_make(disk.root, "etc", true, false);
}
