// SPDX-License-Identifier: Apache-2.0
// Retention: whole dates go, the oldest first.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/journal/files.h"
#include "control/journal/keep.h"
#include "control/journal/pack.h"
#include "control/journal/seal.h"

// A date that goes is renamed first: whatever kills the removal in its midst, no date is ever seen with a part of its
// segments.
#define REMOVED_SUFFIX ".removed"
enum { DATES_MAX = 4096, PATH_BYTES = 256, DAY_S = 24 * 60 * 60 };

struct dates {
    uint32_t list[DATES_MAX];
    uint64_t bytes[DATES_MAX];
    int count;
    uint64_t all_bytes;
};

static enum journal_result failed(struct journal_kept *kept, const char *path, const char *what)
{
    snprintf(kept->text, sizeof kept->text, "%.200s: %s: %s", path, what, strerror(errno));
    return JOURNAL_SYSTEM;
}

static void path_of(char path[PATH_BYTES], const struct journal_identity *identity, uint32_t date, const char *suffix)
{
    snprintf(path, PATH_BYTES, "%s/%08u%s", identity->directory, date, suffix);
}

// What the files of a directory take on the disk; 0 when it can not be read.
static uint64_t bytes_of(const char *path)
{
    DIR *stream = opendir(path);
    uint64_t bytes = 0;
    struct stat status;
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
            bytes += (uint64_t)status.st_blocks * 512;
    }
    if (stream)
        closedir(stream);
    return bytes;
}

// Noon of a date, so that no leap second matters.
static time_t noon_of(uint32_t date)
{
    struct tm tm = {.tm_year = (int)(date / 10000) - 1900,
                    .tm_mon = (int)(date / 100 % 100) - 1,
                    .tm_mday = (int)(date % 100),
                    .tm_hour = 12};
    return timegm(&tm);
}

static uint32_t days_between(uint32_t earlier, uint32_t later)
{
    return (uint32_t)((noon_of(later) - noon_of(earlier)) / DAY_S);
}

// ---- what may go ----------------------------------------------------------------------------------------------------

static bool has(const uint32_t *numbers, unsigned count, uint32_t number)
{
    for (unsigned i = 0; i < count; i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

// Every segment file of one suffix has a seal.
static bool all_sealed(const struct journal_identity *identity, int day, const char *suffix, const uint32_t *seals,
                       unsigned count)
{
    const struct journal_disk *disk = journal_disk_of(identity);
    struct journal_seal_file seal;
    char text[256];
    unsigned segments = 0;
    uint32_t *numbers = journal_list_files(disk, day, suffix, &segments);
    bool good = numbers != NULL;
    for (unsigned i = 0; good && i < segments; i++)
        good = has(seals, count, numbers[i]) &&
               journal_seal_read(identity, day, numbers[i], &seal, text, sizeof text) == JOURNAL_OK;
    free(numbers);
    return good;
}

// A date that is sealed as a whole, by this instance.
static bool may_go(const struct journal_identity *identity, uint32_t date)
{
    const struct journal_disk *disk = journal_disk_of(identity);
    struct journal_identity of = *identity;
    of.date = date;
    int day = disk->open_day(disk, of.directory, date, false);
    if (day < 0)
        return false;
    unsigned count = 0;
    uint32_t *seals = journal_list_seals(disk, day, &count);
    bool good = seals && count && all_sealed(&of, day, JOURNAL_SUFFIX, seals, count) &&
                all_sealed(&of, day, JOURNAL_PACKED_SUFFIX, seals, count);
    free(seals);
    disk->close(disk, day);
    return good;
}

// ---- removing -------------------------------------------------------------------------------------------------------

// Empties and removes a directory that was renamed.
static bool empty(const char *path)
{
    DIR *stream = opendir(path);
    if (!stream)
        return errno == ENOENT;
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = unlinkat(dirfd(stream), entry->d_name, 0) == 0;
    }
    int error = errno;
    closedir(stream);
    errno = error;
    return good && unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0;
}

static bool sync_parent(const char *directory)
{
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = parent >= 0 && fsync(parent) == 0;
    if (parent >= 0)
        close(parent);
    return good;
}

static enum journal_result remove_date(const struct journal_identity *identity, uint32_t date,
                                       struct journal_kept *kept)
{
    char path[PATH_BYTES], going[PATH_BYTES];
    path_of(path, identity, date, "");
    path_of(going, identity, date, REMOVED_SUFFIX);
    if (rename(path, going) != 0 || !sync_parent(identity->directory) || !empty(going))
        return failed(kept, path, "can not be removed");
    return JOURNAL_OK;
}

// What an earlier removal was killed in.
static enum journal_result finish_removals(const struct journal_identity *identity, struct journal_kept *kept)
{
    DIR *stream = opendir(identity->directory);
    enum journal_result result = JOURNAL_OK;
    for (struct dirent *entry; stream && result == JOURNAL_OK && (entry = readdir(stream));) {
        char path[PATH_BYTES];
        size_t length = strlen(entry->d_name);
        if (length != 8 + strlen(REMOVED_SUFFIX) || strspn(entry->d_name, "0123456789") != 8 ||
            strcmp(entry->d_name + 8, REMOVED_SUFFIX) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%.32s", identity->directory, entry->d_name);
        if (!empty(path))
            result = failed(kept, path, "can not be removed");
    }
    if (stream)
        closedir(stream);
    return result;
}

static bool list_dates(const struct journal_identity *identity, struct dates *dates)
{
    int count = journal_dates(identity->directory, dates->list, DATES_MAX);
    dates->count = count < DATES_MAX ? count : DATES_MAX;
    for (int i = 0; i < dates->count; i++) {
        char path[PATH_BYTES];
        path_of(path, identity, dates->list[i], "");
        dates->bytes[i] = bytes_of(path);
        dates->all_bytes += dates->bytes[i];
    }
    return count >= 0;
}

// Why a date has to go, or NULL.
static const char *reason(const struct dates *dates, uint32_t date, uint32_t today, uint32_t days, uint32_t mb)
{
    if (days && days_between(date, today) > days)
        return "older than journal.keep_days";
    if (mb && dates->all_bytes > (uint64_t)mb * 1024 * 1024)
        return "more than journal.keep_mb";
    return NULL;
}

enum journal_result journal_retain(const struct journal_identity *identity, uint32_t days, uint32_t mb,
                                   void (*removed)(uint32_t date, uint64_t bytes, const char *why),
                                   struct journal_kept *kept)
{
    static _Thread_local struct dates dates;
    memset(kept, 0, sizeof *kept);
    memset(&dates, 0, sizeof dates);
    enum journal_result result = finish_removals(identity, kept);
    if (result == JOURNAL_OK && !list_dates(identity, &dates))
        result = failed(kept, identity->directory, "can not be listed");
    for (int i = 0; i + 1 < dates.count && result == JOURNAL_OK; i++) { // the newest stays
        uint32_t date = dates.list[i];
        const char *why = reason(&dates, date, identity->date, days, mb);
        if (date >= identity->date)
            break;
        if (!why || !may_go(identity, date))
            continue;
        result = remove_date(identity, date, kept);
        if (result)
            break;
        dates.all_bytes -= dates.bytes[i];
        kept->done++;
        kept->bytes += dates.bytes[i];
        if (removed)
            removed(date, dates.bytes[i], why);
    }
    return result;
}
