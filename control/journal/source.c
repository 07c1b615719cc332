// SPDX-License-Identifier: Apache-2.0
#include "control/journal/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/files.h"

// Pieces large enough that a disk streams and small enough that the block is still in the second-level cache when it is
// used.
enum { PIECE_BLOCKS = 256 };

static bool take_buffer(struct journal_source *source, unsigned blocks)
{
    source->piece = aligned_alloc(JOURNAL_BLOCK, (size_t)blocks * JOURNAL_BLOCK);
    return source->piece != NULL;
}

// What a compressed segment stands for. One that is damaged has a size of nothing, and tells so once it is read.
static int packed_size(const struct journal_source *source, const char *name, uint64_t *size)
{
    int fd = source->disk->open(source->disk, source->day, name, O_RDONLY);
    if (fd < 0)
        return -1;
    int result = journal_unpack_size(source->disk, fd, size);
    source->disk->close(source->disk, fd);
    if (result != 0 && errno == EBADMSG) {
        *size = 0;
        return 0;
    }
    return result;
}

static bool add_segment(struct journal_source *source, uint32_t number, bool packed)
{
    struct journal_source_segment segment = {.number = number, .packed = packed};
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(name, number, packed ? JOURNAL_PACKED_SUFFIX : JOURNAL_SUFFIX);
    int result = packed ? packed_size(source, name, &segment.size)
                        : source->disk->size(source->disk, source->day, name, &segment.size);
    if (result != 0 && errno == ENOENT) // a spare that its writer took away just now, or it was just compressed
        return packed || add_segment(source, number, true);
    if (result != 0)
        return false;
    source->segments[source->count++] = segment;
    return true;
}

// The segments of a day as they stand now, ascending; where one stands plain and compressed, plain. false with errno.
static bool list_segments(struct journal_source *source)
{
    unsigned plain = 0, packed = 0;
    // In this order: a plain one goes once its compressed one stands.
    uint32_t *numbers = journal_list_segments(source->disk, source->day, &plain);
    uint32_t *compressed =
        numbers ? journal_list_files(source->disk, source->day, JOURNAL_PACKED_SUFFIX, &packed) : NULL;
    source->segments = compressed ? calloc(plain + packed + 1, sizeof *source->segments) : NULL;
    source->count = 0;
    bool good = source->segments;
    for (unsigned i = 0, j = 0; good && (i < plain || j < packed);) {
        bool is_packed = i == plain || (j < packed && compressed[j] < numbers[i]);
        bool both = i < plain && j < packed && compressed[j] == numbers[i];
        good = add_segment(source, is_packed ? compressed[j] : numbers[i], is_packed);
        i += !is_packed;
        j += is_packed || both;
    }
    int error = errno;
    free(numbers);
    free(compressed);
    errno = error;
    return good;
}

bool journal_source_open_day(struct journal_source *source, const struct journal_disk *disk, int day)
{
    *source = (struct journal_source){.disk = disk, .day = day, .fd = -1};
    return list_segments(source) && take_buffer(source, PIECE_BLOCKS);
}

static void close_file(struct journal_source *source)
{
    journal_unpack_free(source->unpack);
    source->unpack = NULL;
    if (source->fd >= 0)
        source->disk->close(source->disk, source->fd);
    source->fd = -1;
}

bool journal_source_refresh(struct journal_source *source, unsigned *index)
{
    uint32_t number = source->segments[*index].number;
    struct journal_source_segment *before = source->segments;
    bool good = list_segments(source);
    free(before);
    close_file(source);
    source->piece_blocks = 0;
    for (*index = 0; good && *index < source->count; ++*index) {
        if (source->segments[*index].number == number)
            return true;
    }
    if (good)
        errno = ENOENT;
    return false;
}

void journal_source_until(struct journal_source *source, uint32_t segment, uint32_t block)
{
    if (!source->end_segment)
        source->piece_blocks = 0; // what was read before may lie behind this place
    source->end_segment = segment;
    source->end_block = block;
}

bool journal_source_open_images(struct journal_source *source, const struct journal_image *images, unsigned count)
{
    *source = (struct journal_source){.day = -1, .fd = -1, .count = count};
    source->segments = calloc(count + 1, sizeof *source->segments);
    if (!source->segments || !take_buffer(source, 1))
        return false;
    for (unsigned i = 0; i < count; i++)
        source->segments[i] = (struct journal_source_segment){
            .number = images[i].segment, .size = images[i].size, .bytes = images[i].bytes};
    return true;
}

void journal_source_close(struct journal_source *source)
{
    int error = errno;
    close_file(source);
    if (source->day >= 0)
        source->disk->close(source->disk, source->day);
    free(source->segments);
    free(source->piece);
    *source = (struct journal_source){.day = -1, .fd = -1};
    errno = error;
}

static int open_file(struct journal_source *source, const struct journal_source_segment *segment)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(name, segment->number, segment->packed ? JOURNAL_PACKED_SUFFIX : JOURNAL_SUFFIX);
    return source->disk->open(source->disk, source->day, name, O_RDONLY);
}

static bool open_segment(struct journal_source *source, unsigned index)
{
    struct journal_source_segment *segment = &source->segments[index];
    if (source->fd >= 0 && source->open == index)
        return true;
    close_file(source);
    source->fd = open_file(source, segment);
    if (source->fd < 0 && errno == ENOENT && !segment->packed) {
        segment->packed = true; // compressed since it was listed: the same blocks
        source->fd = open_file(source, segment);
    }
    source->open = index;
    return source->fd >= 0;
}

// The same of a compressed segment, whose blocks come in order: one that lies before begins it again.
static ssize_t unpack_piece(struct journal_source *source, uint32_t block, uint32_t blocks)
{
    if (!source->unpack || source->unpacked > block) {
        journal_unpack_free(source->unpack);
        source->unpack = journal_unpack_new(source->disk, source->fd);
        source->unpacked = 0;
    }
    if (!source->unpack)
        return -1;
    ssize_t got = JOURNAL_BLOCK;
    for (; source->unpacked < block && got == JOURNAL_BLOCK; source->unpacked++)
        got = journal_unpack_read(source->unpack, source->piece, JOURNAL_BLOCK);
    if (got == JOURNAL_BLOCK)
        got = journal_unpack_read(source->unpack, source->piece, (size_t)blocks * JOURNAL_BLOCK);
    source->unpacked += blocks;
    if (got < 0) {
        int error = errno;
        close_file(source); // it can not go on from here
        errno = error;
    }
    return got;
}

// Bytes that were there, or -1 with errno.
static ssize_t read_piece(struct journal_source *source, unsigned index, uint64_t from, size_t want)
{
    if (!open_segment(source, index))
        return -1;
    if (source->segments[index].packed)
        return unpack_piece(source, (uint32_t)(from / JOURNAL_BLOCK), (uint32_t)(want / JOURNAL_BLOCK));
    size_t done = 0;
    while (done < want) {
        ssize_t got = source->disk->read(source->disk, source->fd, source->piece + done, want - done, from + done);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

// A block of an image where it stands; one that the image's end cuts, in the buffer, with zeros behind.
static const void *image_block(struct journal_source *source, const struct journal_source_segment *segment,
                               uint32_t block)
{
    uint64_t from = (uint64_t)block * JOURNAL_BLOCK;
    if (from + JOURNAL_BLOCK <= segment->size)
        return (const char *)segment->bytes + from;
    size_t have = from < segment->size ? segment->size - from : 0;
    memset(source->piece + have, 0, JOURNAL_BLOCK - have);
    return have ? memcpy(source->piece, (const char *)segment->bytes + from, have) : source->piece;
}

// How many blocks to read from `block` on.
static uint32_t blocks_ahead(const struct journal_source *source, unsigned index, uint32_t block)
{
    // A header alone, as the survey at the start wants it, is no reason to read a whole piece.
    bool goes_on = source->piece_blocks && source->piece_segment == index && block > 0;
    uint32_t blocks = goes_on ? PIECE_BLOCKS : 1;
    if (source->segments[index].number == source->end_segment && block < source->end_block &&
        source->end_block - block < blocks)
        blocks = source->end_block - block;
    return blocks;
}

const void *journal_source_block(struct journal_source *source, unsigned index, uint32_t block)
{
    xw_assert(index < source->count);
    if (source->segments[index].bytes)
        return image_block(source, &source->segments[index], block);
    bool held = source->piece_blocks && source->piece_segment == index && block >= source->piece_first &&
                block - source->piece_first < source->piece_blocks;
    if (!held) {
        uint32_t blocks = blocks_ahead(source, index, block);
        source->piece_blocks = 0;
        size_t want = (size_t)blocks * JOURNAL_BLOCK;
        ssize_t got = read_piece(source, index, (uint64_t)block * JOURNAL_BLOCK, want);
        if (got < 0)
            return NULL;
        memset(source->piece + got, 0, want - (size_t)got);
        source->piece_segment = index;
        source->piece_first = block;
        source->piece_blocks = blocks;
    }
    return source->piece + (size_t)(block - source->piece_first) * JOURNAL_BLOCK;
}
