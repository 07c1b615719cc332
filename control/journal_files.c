// SPDX-License-Identifier: Apache-2.0
#include "control/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 6, DATE_DIGITS = 8, CHUNK_BLOCKS = 256 };

void journal_segment_name(char name[JOURNAL_NAME_BYTES], uint32_t segment)
{
    xw_assert(segment && segment <= JOURNAL_SEGMENTS_MAX);
    snprintf(name, JOURNAL_NAME_BYTES, "%06u" JOURNAL_SUFFIX, segment);
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

static int sync_directory(int directory)
{
    return fsync(directory);
}

int journal_open_day(const char *directory, uint32_t date, bool make)
{
    char name[16];
    snprintf(name, sizeof name, "%08u", date);
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 && errno == ENOENT && make && mkdir(directory, 0750) == 0)
        parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -1;
    int day = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (day < 0 && errno == ENOENT && make && mkdirat(parent, name, 0750) == 0 && sync_directory(parent) == 0)
        day = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    close(parent);
    errno = error;
    return day;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// The numbers that the names in a directory stand for, ascending. Takes `directory`.
static uint32_t *list_numbers(int directory, int digits, const char *rest, unsigned *count)
{
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return NULL;
    }
    unsigned room = 64;
    uint32_t *numbers = malloc(room * sizeof *numbers);
    *count = 0;
    for (struct dirent *entry; numbers && (entry = readdir(stream));) {
        uint32_t number = number_in(entry->d_name, digits, rest);
        if (!number)
            continue;
        if (*count == room) {
            room *= 2;
            uint32_t *more = realloc(numbers, room * sizeof *numbers);
            if (!more)
                free(numbers);
            numbers = more;
        }
        if (numbers)
            numbers[(*count)++] = number;
    }
    closedir(stream);
    if (numbers)
        qsort(numbers, *count, sizeof *numbers, compare_numbers);
    return numbers;
}

uint32_t *journal_list_segments(int day, unsigned *count)
{
    int directory = openat(day, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? NULL : list_numbers(directory, DIGITS, JOURNAL_SUFFIX, count);
}

int journal_dates(const char *directory, uint32_t *list, int most)
{
    unsigned count = 0;
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT ? 0 : -1;
    uint32_t *dates = list_numbers(parent, DATE_DIGITS, "", &count);
    if (!dates)
        return -1;
    for (int i = 0; i < most && i < (int)count; i++)
        list[i] = dates[i];
    free(dates);
    return (int)count;
}

// Zeros that are written, not only reserved: a later write into them changes no metadata and so costs one device write.
static int write_zeros(int fd, uint32_t blocks, journal_pace pace, void *context)
{
    const size_t chunk = (size_t)CHUNK_BLOCKS * JOURNAL_BLOCK;
    void *zeros = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (zeros == MAP_FAILED)
        return -1;
    int result = 0;
    for (uint32_t done = 0; done < blocks && result == 0;) {
        size_t left = (size_t)(blocks - done) * JOURNAL_BLOCK;
        ssize_t wrote = pwrite(fd, zeros, left < chunk ? left : chunk, (off_t)done * JOURNAL_BLOCK);
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

int journal_make_segment(int day, uint32_t segment, uint32_t blocks, bool *direct, journal_pace pace, void *context)
{
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, segment);
    *direct = true;
    int fd = openat(day, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0640);
    if (fd < 0 && errno == EINVAL) { // the file exists by now, and is ours
        *direct = false;
        fd = openat(day, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    }
    if (fd < 0)
        return -1;
    // Reserving first finds a full disk before the work, and gives the file few extents.
    int error = posix_fallocate(fd, 0, (off_t)blocks * JOURNAL_BLOCK);
    if (error == 0 || error == EOPNOTSUPP || error == EINVAL)
        error = write_zeros(fd, blocks, pace, context) || fsync(fd) || sync_directory(day) ? errno : 0;
    if (error) {
        close(fd);
        unlinkat(day, name, 0);
        errno = error;
        return -1;
    }
    return fd;
}
