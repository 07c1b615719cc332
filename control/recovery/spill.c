// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/drop_copy.h"
#include "contract/wire.h"

enum { BLOCK_MAX = 2 + STREAM_MESSAGE_MAX };

static int unlinked_file(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[4096]; // a file system without O_TMPFILE
    if ((size_t)snprintf(path, sizeof path, "%s/.spill-XXXXXX", directory) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

bool spill_open(struct spill *spill, const char *directory)
{
    *spill = (struct spill){.fd = unlinked_file(directory)};
    if (spill->fd < 0)
        return false;
    spill->buffer = malloc(SPILL_BUFFER);
    if (spill->buffer)
        return true;
    close(spill->fd);
    return false;
}

void spill_close(struct spill *spill)
{
    if (!spill->buffer)
        return;
    close(spill->fd);
    free(spill->buffer);
    free(spill->index);
    *spill = (struct spill){.fd = -1};
}

static bool flush(struct spill *spill)
{
    uint64_t at = spill->offset - spill->buffered;
    for (uint32_t done = 0; done < spill->buffered;) {
        ssize_t wrote = pwrite(spill->fd, spill->buffer + done, spill->buffered - done, (off_t)(at + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        done += (uint32_t)wrote;
    }
    spill->buffered = 0;
    return true;
}

static bool index_next(struct spill *spill)
{
    uint32_t slot = spill->count / SPILL_STRIDE;
    if (slot == spill->index_size) {
        uint32_t size = spill->index_size ? 2 * spill->index_size : 64;
        uint64_t *index = realloc(spill->index, size * sizeof *index);
        if (!index)
            return false;
        spill->index = index;
        spill->index_size = size;
    }
    spill->index[slot] = spill->offset;
    return true;
}

bool spill_append(struct spill *spill, const void *message, size_t length)
{
    xw_assert(length > 0 && length <= STREAM_MESSAGE_MAX);
    if (spill->count % SPILL_STRIDE == 0 && !index_next(spill))
        return false;
    if (spill->buffered + 2 + length > SPILL_BUFFER && !flush(spill))
        return false;
    put_be16(spill->buffer + spill->buffered, (uint16_t)length);
    memcpy(spill->buffer + spill->buffered + 2, message, length);
    spill->buffered += 2 + (uint32_t)length;
    spill->offset += 2 + length;
    spill->count++;
    return true;
}

// Reads up to `size` bytes at `offset`; -1 with errno.
static ssize_t read_at(int fd, uint8_t *out, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

unsigned spill_read(struct spill *spill, uint32_t first, unsigned count, uint8_t *out, size_t room, size_t *bytes)
{
    uint8_t raw[SPILL_STRIDE * BLOCK_MAX + 4096];
    errno = 0;
    *bytes = 0;
    if (first == 0 || first > spill->count || !flush(spill))
        return 0;
    uint32_t slot = (first - 1) / SPILL_STRIDE;
    ssize_t size = read_at(spill->fd, raw, sizeof raw, spill->index[slot]);
    if (size < 0)
        return 0;
    const uint8_t *at = raw, *end = raw + size;
    unsigned taken = 0;
    for (uint32_t sequence = slot * SPILL_STRIDE + 1; taken < count && sequence <= spill->count; sequence++) {
        if (end - at < 2 || end - at < 2 + get_be16(at))
            break; // beyond what was read: the caller asks again from here
        size_t block = 2u + get_be16(at);
        if (sequence >= first) {
            if (*bytes + block > room)
                break;
            memcpy(out + *bytes, at, block);
            *bytes += block;
            taken++;
        }
        at += block;
    }
    return taken;
}
