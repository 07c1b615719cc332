// SPDX-License-Identifier: Apache-2.0
// Files in memory that behave as badly as a disk may: what is not synced is lost or kept a sector at a time when the
// host crashes, names live by the sync of their directory, writes and syncs fail, and a sync may lie.
//
//   /journal   on the disk
//   /run       in memory: survives the processes, not the host
//   /etc       the configuration: always there
#ifndef CROSSWIRE_TESTS_SIM_DISK_H
#define CROSSWIRE_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/sim.h"

#define DISK_SECTOR 512u
#define DISK_FILE_MAX ((size_t)16 << 20)
#define DISK_NAME_MAX 64

struct inode;

struct dir_entry {
    char name[DISK_NAME_MAX];
    struct inode *inode;
};

struct dir_list {
    struct dir_entry *list;
    unsigned count, room;
};

enum dir_change_kind { DIR_LINK, DIR_UNLINK, DIR_RENAME };

struct dir_change { // not synced yet
    enum dir_change_kind kind;
    char name[DISK_NAME_MAX], to[DISK_NAME_MAX];
    struct inode *inode;
};

struct inode {
    bool is_directory;
    bool on_disk;
    unsigned number;
    unsigned references; // names now, names on the disk, changes, open files, mappings
    char name[DISK_NAME_MAX];
    struct inode *next; // of all
    // file
    uint8_t *data, *durable; // as read, as after a crash
    size_t size, durable_size;
    uint64_t *dirty; // a bit a sector: data and durable may differ
    const void *flock_owner, *lock_owner;
    // directory
    struct dir_list entries, durable_entries;
    struct dir_change *changes;
    unsigned changes_count, changes_room;
};

struct disk {
    uint64_t capacity, used;          // bytes
    uint32_t write_fails, sync_fails; // of a million
    uint32_t short_writes;            // of a million
    bool lies;                        // a sync says yes and does nothing
    uint64_t least_ns, most_ns;       // of a synced write
    struct inode *root;
    struct inode *all;
    uint64_t failures; // errors given so far
};
extern struct disk disk;

void disk_open(void);

struct inode *disk_find(struct inode *directory, const char *name);
// errno on failure: NULL or -1.
struct inode *disk_make(struct inode *directory, const char *name, bool is_directory, bool on_disk);
int disk_unlink(struct inode *directory, const char *name);
int disk_rename(struct inode *directory, const char *from, const char *to);
struct inode *disk_anonymous(bool on_disk);

void disk_hold(struct inode *inode);
void disk_drop(struct inode *inode);

// Bytes written, or -1 with errno (ENOSPC, EFBIG).
long disk_write(struct inode *inode, uint64_t offset, const void *bytes, size_t size);
int disk_resize(struct inode *inode, uint64_t size);
// Makes a range (or all: size SIZE_MAX) outlive a crash.
void disk_persist(struct inode *inode, uint64_t offset, size_t size);
// What a sync does: persists, or, when the disk lies, only says so.
void disk_sync(struct inode *inode, uint64_t offset, size_t size);
// Whether all of a range is on the disk as it reads.
bool disk_is_durable(const struct inode *inode, uint64_t offset, size_t size);
void disk_persist_directory(struct inode *directory);

// What a crash of the host leaves.
void disk_crash(void);

// Time that a synced write takes now.
uint64_t disk_latency(void);
bool disk_write_fails(void);
bool disk_sync_fails(void);

// Called when sectors of a file have become durable. Set by who watches the journal.
extern void (*disk_watcher)(struct inode *inode, uint64_t offset, size_t size);

#endif
