// SPDX-License-Identifier: Apache-2.0
// Compressing what is sealed of a date.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/files.h"
#include "control/journal/keep.h"
#include "control/journal/pack.h"
#include "control/journal/seal.h"

#define TEMPORARY_SUFFIX JOURNAL_PACKED_SUFFIX ".tmp"
enum { COMPARE_BYTES = 256 * 1024 };

struct squeeze {
    const struct journal_identity *identity;
    const struct journal_disk *disk;
    const struct journal_keep *keep;
    struct journal_kept *kept;
    int day;
};

static enum journal_result failed(struct squeeze *squeeze, const char *name, const char *what)
{
    bool damaged = errno == EBADMSG;
    snprintf(squeeze->kept->text, sizeof squeeze->kept->text, "journal %s/%08u/%s: %s: %s",
             squeeze->identity->directory, squeeze->identity->date, name, what,
             damaged ? "it is damaged, or shorter than its seal says" : strerror(errno));
    return damaged ? JOURNAL_CORRUPT : JOURNAL_SYSTEM;
}

// Whether the compressed file gives the first `size` bytes of the plain one, and nothing more. False with errno.
static bool same(const struct squeeze *squeeze, int plain, int packed, uint64_t size)
{
    uint8_t *buffers = malloc(2 * COMPARE_BYTES);
    struct journal_unpack *unpack = journal_unpack_new(squeeze->disk, packed);
    bool good = buffers && unpack;
    uint64_t done = 0;
    while (good) {
        ssize_t got = journal_unpack_read(unpack, buffers, COMPARE_BYTES);
        if (got <= 0) {
            good = got == 0 && done == size;
            break;
        }
        size_t have = 0;
        ssize_t read = 0;
        while (have < (size_t)got && (read = squeeze->disk->read(squeeze->disk, plain, buffers + COMPARE_BYTES + have,
                                                                 (size_t)got - have, done + have)) > 0)
            have += (size_t)read;
        good = read >= 0 && have == (size_t)got && memcmp(buffers, buffers + COMPARE_BYTES, have) == 0;
        done += have;
    }
    if (!good && errno == 0)
        errno = EBADMSG;
    int error = errno;
    journal_unpack_free(unpack);
    free(buffers);
    errno = error;
    return good;
}

// Makes the compressed file under a temporary name, durable and compared.
static bool make_packed(const struct squeeze *squeeze, int plain, const char *temporary, uint64_t size,
                        uint64_t *packed_size)
{
    const struct journal_disk *disk = squeeze->disk;
    int fd = disk->open(disk, squeeze->day, temporary, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0)
        return false;
    errno = 0;
    bool good = journal_pack(disk, plain, fd, size, squeeze->keep->pace, squeeze->keep->pace_context) == 0 &&
                disk->sync(disk, fd) == 0 && same(squeeze, plain, fd, size) &&
                disk->size(disk, squeeze->day, temporary, packed_size) == 0;
    disk->close(disk, fd);
    return good;
}

static enum journal_result compress_one(struct squeeze *squeeze, uint32_t segment, uint64_t size)
{
    const struct journal_disk *disk = squeeze->disk;
    char plain[JOURNAL_NAME_BYTES], packed[JOURNAL_NAME_BYTES], temporary[JOURNAL_NAME_BYTES];
    uint64_t plain_size, packed_size;
    journal_segment_name(plain, segment);
    journal_file_name(packed, segment, JOURNAL_PACKED_SUFFIX);
    journal_file_name(temporary, segment, TEMPORARY_SUFFIX);
    int fd = disk->open(disk, squeeze->day, plain, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? JOURNAL_OK : failed(squeeze, plain, "can not be opened");
    bool good = disk->size(disk, squeeze->day, plain, &plain_size) == 0 &&
                make_packed(squeeze, fd, temporary, size, &packed_size);
    disk->close(disk, fd);
    if (!good) {
        bool stopped = errno == ECANCELED;
        enum journal_result result = stopped ? JOURNAL_OK : failed(squeeze, plain, "can not be compressed");
        disk->remove(disk, squeeze->day, temporary);
        return result;
    }
    // The compressed file's name is durable before the plain one goes.
    if (disk->rename(disk, squeeze->day, temporary, packed) != 0 || disk->sync(disk, squeeze->day) != 0 ||
        disk->remove(disk, squeeze->day, plain) != 0 || disk->sync(disk, squeeze->day) != 0)
        return failed(squeeze, packed, "can not take the place of the plain segment");
    squeeze->kept->done++;
    squeeze->kept->segment = segment;
    squeeze->kept->bytes += plain_size > packed_size ? plain_size - packed_size : 0;
    return JOURNAL_OK;
}

static enum journal_result compress_all(struct squeeze *squeeze, const uint32_t *numbers, unsigned count)
{
    enum journal_result result = JOURNAL_OK;
    for (unsigned i = 0; i < count && result == JOURNAL_OK; i++) {
        struct journal_seal_file seal;
        result = journal_seal_read(squeeze->identity, squeeze->day, numbers[i], &seal, squeeze->kept->text,
                                   sizeof squeeze->kept->text);
        if (result == JOURNAL_ABSENT)
            return JOURNAL_OK; // not sealed, nor what follows
        if (result == JOURNAL_OK)
            result = compress_one(squeeze, numbers[i], (uint64_t)seal.head.blocks * JOURNAL_BLOCK);
        if (squeeze->keep->pace && !squeeze->keep->pace(squeeze->keep->pace_context, 0))
            break;
    }
    return result;
}

enum journal_result journal_compress_day(const struct journal_identity *identity, const struct journal_keep *keep,
                                         struct journal_kept *kept)
{
    struct squeeze squeeze = {identity, journal_disk_of(identity), keep, kept, -1};
    unsigned count = 0;
    memset(kept, 0, sizeof *kept);
    squeeze.day = squeeze.disk->open_day(squeeze.disk, identity->directory, identity->date, false);
    if (squeeze.day < 0)
        return errno == ENOENT ? JOURNAL_OK : failed(&squeeze, "", "can not be opened");
    uint32_t *numbers = journal_list_files(squeeze.disk, squeeze.day, JOURNAL_SUFFIX, &count);
    enum journal_result result =
        numbers ? compress_all(&squeeze, numbers, count) : failed(&squeeze, "", "can not be listed");
    free(numbers);
    squeeze.disk->close(squeeze.disk, squeeze.day);
    return result;
}
