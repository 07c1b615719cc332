// SPDX-License-Identifier: Apache-2.0
// Sealing what is closed of a date.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/block.h"
#include "control/journal/files.h"
#include "control/journal/keep.h"
#include "control/journal/seal.h"

#define TEMPORARY_SUFFIX JOURNAL_SEAL_SUFFIX ".tmp"

struct day {
    const struct journal_identity *identity;
    const struct journal_disk *disk;
    const struct journal_keep *keep;
    struct journal_kept *kept;
    int fd;
    uint32_t last;                   // segment with a good header
    bool open;                       // a writer has it
    uint32_t sealed;                 // the newest that has a seal, 0 for none
    bool given_up;                   // by pace
    struct journal_seal_file before; // the seal of `sealed`, or the last one of the date before
    bool has_before;
};

static enum journal_result failed(struct day *day, const char *what)
{
    snprintf(day->kept->text, sizeof day->kept->text, "journal %s/%08u: %s: %s", day->identity->directory,
             day->identity->date, what, strerror(errno));
    return JOURNAL_SYSTEM;
}

// ---- what there is --------------------------------------------------------------------------------------------------

static bool has_header(const struct day *day, uint32_t segment)
{
    _Alignas(JOURNAL_BLOCK) uint8_t block[JOURNAL_BLOCK];
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, segment);
    int fd = day->disk->open(day->disk, day->fd, name, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : day->disk->read(day->disk, fd, block, sizeof block, 0);
    if (fd >= 0)
        day->disk->close(day->disk, fd);
    return got == (ssize_t)sizeof block && journal_block_check(block) == CHECK_GOOD;
}

// Who holds the lock is the only one who makes segments: with it in hand the last one is closed, and stays so, because
// the next writer begins another. Without it, the last one is the writer's.
static enum journal_result find_last(struct day *day)
{
    unsigned count = 0;
    int locked = day->disk->open_day(day->disk, day->identity->directory, day->identity->date, false);
    day->open = locked < 0 || day->disk->lock(day->disk, locked) != 0;
    uint32_t *numbers = journal_list_segments(day->disk, day->fd, &count);
    int error = errno;
    if (numbers) {
        while (count > 0 && !has_header(day, numbers[count - 1]))
            count--;
        day->last = count ? numbers[count - 1] : 0;
    }
    if (locked >= 0)
        day->disk->close(day->disk, locked);
    free(numbers);
    errno = error;
    return numbers ? JOURNAL_OK : failed(day, "can not be listed");
}

// What a kill left half-made.
static void remove_temporary(const struct day *day)
{
    unsigned count = 0;
    uint32_t *numbers = journal_list_files(day->disk, day->fd, TEMPORARY_SUFFIX, &count);
    for (unsigned i = 0; numbers && i < count; i++) {
        char name[JOURNAL_NAME_BYTES];
        journal_file_name(name, numbers[i], TEMPORARY_SUFFIX);
        day->disk->remove(day->disk, day->fd, name);
    }
    free(numbers);
}

// The last seal in a date's directory. JOURNAL_ABSENT when there is none.
static enum journal_result last_seal(const struct journal_identity *identity, int fd, struct journal_seal_file *seal,
                                     char *text, size_t text_size)
{
    unsigned count = 0;
    uint32_t *numbers = journal_list_seals(journal_disk_of(identity), fd, &count);
    if (!numbers) {
        snprintf(text, text_size, "journal %s/%08u: can not be listed: %s", identity->directory, identity->date,
                 strerror(errno));
        return JOURNAL_SYSTEM;
    }
    enum journal_result result = JOURNAL_ABSENT;
    if (count)
        result = journal_seal_read(identity, fd, numbers[count - 1], seal, text, text_size);
    free(numbers);
    return result;
}

// The last seal of the newest date before this one that has any.
static enum journal_result seal_of_date_before(struct day *day)
{
    enum { MOST = 4096 };
    uint32_t dates[MOST];
    int count = journal_dates(day->identity->directory, dates, MOST);
    enum journal_result result = JOURNAL_ABSENT;
    for (int i = count < MOST ? count : MOST; i-- > 0 && result == JOURNAL_ABSENT;) {
        struct journal_identity before = *day->identity;
        before.date = dates[i];
        if (before.date >= day->identity->date)
            continue;
        int fd = day->disk->open_day(day->disk, before.directory, before.date, false);
        if (fd < 0)
            continue; // it has just been removed
        result = last_seal(&before, fd, &day->before, day->kept->text, sizeof day->kept->text);
        day->disk->close(day->disk, fd);
        if (result == JOURNAL_INSTANCE)
            result = JOURNAL_ABSENT; // another's
    }
    return result;
}

static enum journal_result find_sealed(struct day *day)
{
    enum journal_result result =
        last_seal(day->identity, day->fd, &day->before, day->kept->text, sizeof day->kept->text);
    if (result == JOURNAL_OK)
        day->sealed = day->before.head.segment;
    else if (result == JOURNAL_ABSENT)
        result = seal_of_date_before(day);
    day->has_before = result == JOURNAL_OK;
    return result == JOURNAL_ABSENT ? JOURNAL_OK : result;
}

// ---- one seal -------------------------------------------------------------------------------------------------------

static enum journal_result publish(struct day *day, uint32_t segment, const uint8_t *bytes, size_t size)
{
    const struct journal_disk *disk = day->disk;
    char temporary[JOURNAL_NAME_BYTES], name[JOURNAL_NAME_BYTES];
    journal_file_name(temporary, segment, TEMPORARY_SUFFIX);
    journal_file_name(name, segment, JOURNAL_SEAL_SUFFIX);
    int fd = disk->open(disk, day->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return failed(day, "a seal can not be made");
    ssize_t wrote = disk->write(disk, fd, bytes, size, 0);
    if (wrote >= 0 && wrote != (ssize_t)size)
        errno = ENOSPC; // a short write means that the next byte finds no room
    bool good = wrote == (ssize_t)size && disk->sync(disk, fd) == 0;
    disk->close(disk, fd);
    if (good && disk->rename(disk, day->fd, temporary, name) == 0 && disk->sync(disk, day->fd) == 0)
        return JOURNAL_OK;
    enum journal_result result = failed(day, "a seal can not be written");
    disk->remove(disk, day->fd, temporary);
    return result;
}

static void step(void *context, uint32_t blocks)
{
    struct day *day = context;
    if (day->keep->pace && !day->given_up)
        day->given_up = !day->keep->pace(day->keep->pace_context, blocks);
}

// What was read of a segment that a killed writer left need not be durable. A seal says that it is.
static enum journal_result sync_segment(struct day *day, uint32_t segment)
{
    char name[JOURNAL_NAME_BYTES];
    journal_segment_name(name, segment);
    int fd = day->disk->open(day->disk, day->fd, name, O_RDONLY);
    bool good = fd >= 0 && day->disk->sync(day->disk, fd) == 0;
    enum journal_result result = good ? JOURNAL_OK : failed(day, "a segment can not be made durable");
    if (fd >= 0)
        day->disk->close(day->disk, fd);
    return result;
}

static enum journal_result seal_one(struct day *day, uint32_t segment, bool over)
{
    static _Thread_local struct journal_measure measure; // with room for all cores: too large for a small stack
    uint8_t bytes[JOURNAL_SEAL_MAX];
    bool last = segment == day->last;
    measure.pace = step;
    measure.pace_context = day;
    journal_measure_begin(&measure, day->identity, day->has_before ? &day->before : NULL);
    enum journal_result result =
        journal_measure_segment(&measure, day->identity, segment, day->kept->text, sizeof day->kept->text);
    if (result || day->given_up)
        return result;
    result = sync_segment(day, segment);
    if (result)
        return result;
    measure.seal.head.wall_ns = day->disk->wall_ns(day->disk);
    size_t size = journal_seal_complete(&measure, last && over ? SEAL_LAST : 0, day->keep->key, bytes);
    result = publish(day, segment, bytes, size);
    if (result)
        return result;
    day->before = measure.seal;
    day->has_before = true;
    day->kept->done++;
    day->kept->segment = segment;
    return JOURNAL_OK;
}

enum journal_result journal_seal_day(const struct journal_identity *identity, const struct journal_keep *keep,
                                     bool over, struct journal_kept *kept)
{
    struct day day = {.identity = identity, .disk = journal_disk_of(identity), .keep = keep, .kept = kept};
    memset(kept, 0, sizeof *kept);
    day.fd = day.disk->open_day(day.disk, identity->directory, identity->date, false);
    if (day.fd < 0)
        return errno == ENOENT ? JOURNAL_OK : failed(&day, "can not be opened");
    remove_temporary(&day);
    enum journal_result result = find_last(&day);
    uint32_t end = day.open && day.last ? day.last - 1 : day.last;
    // A look at today finds nothing new most of the time.
    if (result == JOURNAL_OK && end)
        result = find_sealed(&day);
    for (uint32_t segment = day.sealed + 1; result == JOURNAL_OK && segment <= end && !day.given_up; segment++)
        result = seal_one(&day, segment, over && !day.open);
    day.disk->close(day.disk, day.fd);
    return result;
}
