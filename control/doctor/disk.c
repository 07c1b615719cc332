// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks of the journal's disk: how long a synced write takes, and how much room there is.
#include "control/doctor/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "contract/monotonic.h"

#include "control/doctor/doctor.h"

#define BLOCK 4096
#define BLOCKS 64  // of the file, written through before anything is measured
#define WRITES 256 // measured
#define WRITES_LEAST 16
#define SECONDS_MOST 2  // on a slow disk fewer writes are measured
#define ORDER_BYTES 132 // of the journal: a record of 128 bytes and its share of the block's header

enum doctor_result doctor_disk_verdict(uint64_t p50_ns, uint64_t p99_ns)
{
    return p50_ns > DOCTOR_DISK_P50_NS || p99_ns > DOCTOR_DISK_P99_NS ? DOCTOR_WARN : DOCTOR_PASS;
}

enum doctor_result doctor_space_verdict(uint64_t unused, uint64_t least, uint64_t day)
{
    if (unused < least)
        return DOCTOR_FAIL;
    return unused < day ? DOCTOR_WARN : DOCTOR_PASS;
}

// The directory, or the nearest one above it that is there: control makes the last one itself.
static void nearest(const char *directory, char *path, size_t size)
{
    snprintf(path, size, "%s", directory);
    while (access(path, F_OK) != 0) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            snprintf(path, size, ".");
            return;
        }
        *(slash == path ? slash + 1 : slash) = '\0';
    }
}

// A file without a name: nothing of it is left behind, whatever happens. Returns -1 with errno.
static int open_nameless(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[4200];
    snprintf(path, sizeof path, "%s/.doctor-%d", directory, (int)getpid());
    fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_block(int fd, void *block, unsigned index, int flags)
{
    const struct iovec vector = {block, BLOCK};
    return pwritev2(fd, &vector, 1, (off_t)index * BLOCK, flags) == BLOCK;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// Returns how many writes were measured, in ascending order of their time; 0 with errno.
static unsigned measure(int fd, void *block, uint64_t *times)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (!write_block(fd, block, i, 0))
            return 0;
    }
    if (fsync(fd) != 0)
        return 0;
    unsigned count = 0;
    uint64_t begin = monotonic_ns();
    while (count < WRITES && (count < WRITES_LEAST || monotonic_ns() - begin < SECONDS_MOST * UINT64_C(1000000000))) {
        uint64_t start = monotonic_ns();
        if (!write_block(fd, block, count % BLOCKS, RWF_DSYNC))
            return 0;
        times[count++] = monotonic_ns() - start;
    }
    qsort(times, count, sizeof *times, compare);
    return count;
}

void doctor_disk(struct doctor *doctor)
{
    static uint64_t times[WRITES];
    char directory[4096];
    struct statfs volume;
    nearest(doctor->config->journal_directory, directory, sizeof directory);
    if (statfs(directory, &volume) == 0 && (uint32_t)volume.f_type == TMPFS_MAGIC) {
        doctor_say(doctor, DOCTOR_WARN, "set journal_directory to a disk",
                   "%s is memory: the journal does not outlive the host", directory);
        return;
    }
    int fd = open_nameless(directory);
    if (fd < 0) {
        bool denied = errno == EACCES || errno == EPERM;
        doctor_say(doctor, denied ? DOCTOR_WARN : DOCTOR_FAIL,
                   denied ? "AS crosswire-control"
                          : "set journal_directory to a file system that knows O_DIRECT, with room",
                   "%s: a file to measure can not be made: %s", directory, strerror(errno));
        return;
    }
    void *block = aligned_alloc(BLOCK, BLOCK);
    if (block)
        memset(block, 0x5A, BLOCK);
    unsigned count = block ? measure(fd, block, times) : 0;
    int error = errno;
    free(block);
    close(fd);
    if (count == 0) {
        doctor_say(doctor, DOCTOR_FAIL, "see dmesg; make room, or set journal_directory to another disk",
                   "%s: a synced write fails: %s", directory, strerror(error));
        return;
    }
    uint64_t p50 = times[count / 2], p99 = times[count * 99 / 100];
    doctor_say(doctor, doctor_disk_verdict(p50, p99),
               doctor_disk_verdict(p50, p99) == DOCTOR_PASS
                   ? NULL
                   : "set journal_directory to an NVMe disk with power-loss protection",
               "%s: a synced write of 4 KiB takes %" PRIu64 " us (p50), %" PRIu64
               " us (p99) of %u; more than %u and %u is slow",
               directory, p50 / 1000, p99 / 1000, count, DOCTOR_DISK_P50_NS / 1000, DOCTOR_DISK_P99_NS / 1000);
}

// ---- room -----------------------------------------------------------------------------------------------------------

static uint64_t bytes_in(const char *directory, const char *day)
{
    char path[4400];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s", directory, day);
    DIR *list = opendir(path);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        struct stat file;
        if (fstatat(dirfd(list), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode))
            bytes += (uint64_t)file.st_size;
    }
    if (list)
        closedir(list);
    return bytes;
}

// The largest trading date's journal so far.
static uint64_t largest_day(const char *directory)
{
    uint64_t most = 0;
    DIR *list = opendir(directory);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (strspn(entry->d_name, "0123456789") != 8 || entry->d_name[8])
            continue;
        uint64_t bytes = bytes_in(directory, entry->d_name);
        most = bytes > most ? bytes : most;
    }
    if (list)
        closedir(list);
    return most;
}

void doctor_space(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    char directory[4096];
    struct statvfs volume;
    nearest(config->journal_directory, directory, sizeof directory);
    if (statvfs(directory, &volume) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, "mend the path, or make the directory", "%s: %s", directory, strerror(errno));
        return;
    }
    uint64_t unused = (uint64_t)volume.f_bavail * volume.f_frsize;
    // The segment in use and the next one, which is written through ahead of time.
    uint64_t least = 2 * ((uint64_t)config->journal.segment_mb << 20);
    // A day as large as the largest so far, and at least all orders that the books can hold, once.
    uint64_t day = largest_day(config->journal_directory);
    uint64_t books = (uint64_t)config->engine.max_orders * config->matchers_count * ORDER_BYTES;
    day = (day > books ? day : books) + least;
    enum doctor_result result = doctor_space_verdict(unused, least, day);
    doctor_say(doctor, result, result == DOCTOR_PASS ? NULL : "make room, or set journal_directory to a larger disk",
               "%s has room for %" PRIu64 " MiB, %" PRIu64 " million commands; a day is reckoned as %" PRIu64
               " MiB, the least are %" PRIu64,
               directory, unused >> 20, unused / ORDER_BYTES / 1000000, day >> 20, least >> 20);
}
