// SPDX-License-Identifier: Apache-2.0
#include "control/journal/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/fault.h"

enum { DIGITS = 6, DATE_DIGITS = 8 };

void journal_file_name(char name[JOURNAL_NAME_BYTES], uint32_t segment, const char *suffix)
{
    xw_assert(segment && segment <= JOURNAL_SEGMENTS_MAX);
    snprintf(name, JOURNAL_NAME_BYTES, "%06u%s", segment, suffix);
}

void journal_segment_name(char name[JOURNAL_NAME_BYTES], uint32_t segment)
{
    journal_file_name(name, segment, JOURNAL_SUFFIX);
}

// Exactly `digits` digits and then `rest`; 0 for anything else.
static uint32_t number_in(const char *name, int digits, const char *rest)
{
    uint32_t number = 0;
    for (int i = 0; i < digits; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (uint32_t)(name[i] - '0');
    }
    return strcmp(name + digits, rest) == 0 ? number : 0;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct numbers {
    int digits;
    const char *rest; // of the name, behind the digits
    uint32_t *list;   // NULL: no memory
    unsigned count, room;
};

static void take_name(void *context, const char *name)
{
    struct numbers *numbers = context;
    uint32_t number = number_in(name, numbers->digits, numbers->rest);
    if (!number || !numbers->list)
        return;
    if (numbers->count == numbers->room) {
        numbers->room *= 2;
        uint32_t *more = realloc(numbers->list, numbers->room * sizeof *more);
        if (!more)
            free(numbers->list);
        numbers->list = more;
    }
    if (numbers->list)
        numbers->list[numbers->count++] = number;
}

// The numbers that the names in a directory stand for, ascending. The caller frees. NULL with errno.
static uint32_t *list_numbers(const struct journal_disk *disk, int directory, int digits, const char *rest,
                              unsigned *count)
{
    struct numbers numbers = {.digits = digits, .rest = rest, .room = 64};
    numbers.list = malloc(numbers.room * sizeof *numbers.list);
    if (disk->list(disk, directory, take_name, &numbers) != 0) {
        int error = errno;
        free(numbers.list);
        errno = error;
        return NULL;
    }
    if (numbers.list)
        qsort(numbers.list, numbers.count, sizeof *numbers.list, compare_numbers);
    *count = numbers.count;
    return numbers.list;
}

uint32_t *journal_list_files(const struct journal_disk *disk, int day, const char *suffix, unsigned *count)
{
    return list_numbers(disk, day, DIGITS, suffix, count);
}

uint32_t *journal_list_segments(const struct journal_disk *disk, int day, unsigned *count)
{
    return list_numbers(disk, day, DIGITS, JOURNAL_SUFFIX, count);
}

int journal_dates(const char *directory, uint32_t *list, int most)
{
    unsigned count = 0;
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT ? 0 : -1;
    uint32_t *dates = list_numbers(&journal_disk_system, parent, DATE_DIGITS, "", &count);
    int error = errno;
    close(parent);
    errno = error;
    if (!dates)
        return -1;
    for (int i = 0; i < most && i < (int)count; i++)
        list[i] = dates[i];
    free(dates);
    return (int)count;
}

// Zeros that are written, not only reserved: a later write into them changes no metadata and so costs one device write.
static int write_zeros(const struct journal_disk *disk, int fd, uint32_t blocks, journal_pace pace, void *context)
{
    const size_t chunk = (size_t)JOURNAL_ZERO_BLOCKS * JOURNAL_BLOCK;
    void *zeros = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (zeros == MAP_FAILED)
        return -1;
    int result = 0;
    for (uint32_t done = 0; done < blocks && result == 0;) {
        size_t left = (size_t)(blocks - done) * JOURNAL_BLOCK;
        ssize_t wrote = disk->write(disk, fd, zeros, left < chunk ? left : chunk, (uint64_t)done * JOURNAL_BLOCK);
        if (wrote < (ssize_t)JOURNAL_BLOCK || wrote % JOURNAL_BLOCK) {
            errno = wrote < 0 ? errno : ENOSPC; // a short write means that the next byte finds no room
            result = -1;
            break;
        }
        done += (uint32_t)((size_t)wrote / JOURNAL_BLOCK);
        if (pace && !pace(context, done)) {
            errno = ECANCELED;
            result = -1;
        }
    }
    int error = errno;
    munmap(zeros, chunk);
    errno = error;
    return result;
}

int journal_make_segment(const struct journal_disk *disk, int day, uint32_t segment, uint32_t blocks, bool *direct,
                         journal_pace pace, void *context)
{
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, segment);
    *direct = true;
    int fd = disk->open(disk, day, name, O_WRONLY | O_CREAT | O_EXCL | O_DIRECT);
    if (fd < 0 && errno == EINVAL) { // the file exists by now, and is ours
        *direct = false;
        fd = disk->open(disk, day, name, O_WRONLY | O_CREAT);
    }
    if (fd < 0)
        return -1;
    // Reserving first finds a full disk before the work, and gives the file few extents.
    if (disk->reserve(disk, fd, (uint64_t)blocks * JOURNAL_BLOCK) == 0 &&
        write_zeros(disk, fd, blocks, pace, context) == 0 && disk->sync(disk, fd) == 0 &&
        (FAULT(segment_name_not_synced) || disk->sync(disk, day) == 0))
        return fd;
    int error = errno;
    disk->close(disk, fd);
    disk->remove(disk, day, name);
    errno = error;
    return -1;
}
