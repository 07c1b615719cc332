// SPDX-License-Identifier: Apache-2.0
#include "control/journal/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

// Level 1 of zstd on a journal of orders: a tenth of its size at 490 MB/s; level 3 gives no more, level 6 a twelfth
// at 80. Reading back gives 1.1 to 1.3 GB/s, which a recovery would feel: today's segments stay plain.
enum { LEVEL = 1, CHUNK_BYTES = 1024 * 1024, HEAD_BYTES = 18, BLOCK_BYTES = 4096 };

// ---- reading --------------------------------------------------------------------------------------------------------

struct journal_unpack {
    const struct journal_disk *disk;
    int file;
    ZSTD_DCtx *context;
    ZSTD_inBuffer in;
    uint64_t offset; // in the file, of what is read next
    uint8_t *buffer;
    uint64_t left; // bytes that the frame still has to give
    bool ended;    // the frame is complete, its checksum right
};

struct journal_unpack *journal_unpack_new(const struct journal_disk *disk, int file)
{
    struct journal_unpack *unpack = calloc(1, sizeof *unpack);
    if (!unpack)
        return NULL;
    unpack->disk = disk;
    unpack->file = file;
    unpack->context = ZSTD_createDCtx();
    unpack->buffer = malloc(CHUNK_BYTES);
    if (unpack->context && unpack->buffer)
        return unpack;
    journal_unpack_free(unpack);
    errno = ENOMEM;
    return NULL;
}

void journal_unpack_free(struct journal_unpack *unpack)
{
    if (!unpack)
        return;
    ZSTD_freeDCtx(unpack->context);
    free(unpack->buffer);
    free(unpack);
}

// More of the file into the buffer. False with errno; at the file's end a frame that is not complete is damaged.
static bool fill(struct journal_unpack *unpack)
{
    ssize_t got = unpack->disk->read(unpack->disk, unpack->file, unpack->buffer, CHUNK_BYTES, unpack->offset);
    if (got == 0)
        errno = EBADMSG;
    if (got <= 0)
        return false;
    if (unpack->offset == 0) {
        unsigned long long content = ZSTD_getFrameContentSize(unpack->buffer, (size_t)got);
        unpack->left = content < ZSTD_CONTENTSIZE_ERROR ? content : 0;
    }
    unpack->offset += (uint64_t)got;
    unpack->in = (ZSTD_inBuffer){unpack->buffer, (size_t)got, 0};
    return true;
}

ssize_t journal_unpack_read(struct journal_unpack *unpack, void *bytes, size_t size)
{
    ZSTD_outBuffer out = {bytes, size, 0};
    // Behind the last byte stands the checksum: to be read before the last byte is given.
    while (!unpack->ended && (out.pos < size || unpack->left == 0)) {
        size_t before = out.pos;
        if (unpack->in.pos == unpack->in.size && !fill(unpack))
            return -1;
        size_t result = ZSTD_decompressStream(unpack->context, &out, &unpack->in);
        if (ZSTD_isError(result) || out.pos - before > unpack->left) {
            errno = EBADMSG;
            return -1;
        }
        unpack->left -= out.pos - before;
        unpack->ended = result == 0;
    }
    return (ssize_t)out.pos;
}

int journal_unpack_size(const struct journal_disk *disk, int file, uint64_t *size)
{
    uint8_t head[HEAD_BYTES];
    ssize_t got = disk->read(disk, file, head, sizeof head, 0);
    if (got < 0)
        return -1;
    unsigned long long content = ZSTD_getFrameContentSize(head, (size_t)got);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN) {
        errno = EBADMSG;
        return -1;
    }
    *size = content;
    return 0;
}

// ---- writing --------------------------------------------------------------------------------------------------------

struct packing {
    const struct journal_disk *disk;
    int from, to;
    uint64_t size, taken, put;
    ZSTD_CCtx *context;
    uint8_t *in, *out;
};

// Compresses `count` bytes of the input buffer, and writes what comes of it.
static bool put_chunk(struct packing *packing, size_t count)
{
    ZSTD_inBuffer in = {packing->in, count, 0};
    ZSTD_EndDirective how = packing->taken == packing->size ? ZSTD_e_end : ZSTD_e_continue;
    size_t left;
    do {
        ZSTD_outBuffer out = {packing->out, CHUNK_BYTES, 0};
        left = ZSTD_compressStream2(packing->context, &out, &in, how);
        if (ZSTD_isError(left)) {
            errno = ENOMEM;
            return false;
        }
        ssize_t wrote = out.pos ? packing->disk->write(packing->disk, packing->to, out.dst, out.pos, packing->put) : 0;
        if (wrote >= 0 && wrote != (ssize_t)out.pos)
            errno = ENOSPC; // a short write means that the next byte finds no room
        if (wrote != (ssize_t)out.pos)
            return false;
        packing->put += out.pos;
    } while (in.pos < in.size || (how == ZSTD_e_end && left));
    return true;
}

static bool pack(struct packing *packing, bool (*pace)(void *context, uint32_t blocks), void *context)
{
    while (packing->taken < packing->size) {
        uint64_t left = packing->size - packing->taken;
        ssize_t got = packing->disk->read(packing->disk, packing->from, packing->in,
                                          left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES, packing->taken);
        if (got == 0)
            errno = EBADMSG; // shorter than its seal says
        if (got <= 0)
            return false;
        packing->taken += (uint64_t)got;
        if (!put_chunk(packing, (size_t)got))
            return false;
        if (pace && !pace(context, (uint32_t)(packing->taken / BLOCK_BYTES))) {
            errno = ECANCELED;
            return false;
        }
    }
    return true;
}

int journal_pack(const struct journal_disk *disk, int from, int to, uint64_t size,
                 bool (*pace)(void *context, uint32_t blocks), void *context)
{
    struct packing packing = {.disk = disk, .from = from, .to = to, .size = size};
    packing.context = ZSTD_createCCtx();
    packing.in = malloc(CHUNK_BYTES);
    packing.out = malloc(CHUNK_BYTES);
    bool good = packing.context && packing.in && packing.out;
    if (!good)
        errno = ENOMEM;
    good = good && !ZSTD_isError(ZSTD_CCtx_setParameter(packing.context, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(packing.context, ZSTD_c_checksumFlag, 1)) &&
           !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packing.context, size)) && pack(&packing, pace, context);
    int error = errno;
    ZSTD_freeCCtx(packing.context);
    free(packing.in);
    free(packing.out);
    errno = error;
    return good ? 0 : -1;
}
