// SPDX-License-Identifier: Apache-2.0
// The journal reader on altered segments, and seals. The input is up to three segments of a few blocks; the fuzzer can
// not make a CRC, so the low bit of the first byte asks for all of them to be set right before the walk.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/block.h"
#include "control/journal/journal.h"
#include "control/journal/seal.h"

enum { SEGMENTS = 3, BLOCKS = 4, PREFIX = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Each block takes its share of the input: the header cell, then the beginning of its first record or segment fields.
static void fill_block(uint8_t *block, const uint8_t **data, size_t *size, bool mend)
{
    enum { SHARE = 192 };
    size_t take = *size < SHARE ? *size : SHARE;
    memcpy(block, *data, take);
    *data += take;
    *size -= take;
    struct journal_block *head = (struct journal_block *)block;
    if (mend && take) {
        head->magic = JOURNAL_MAGIC;
        head->crc = journal_block_crc(block);
    }
}

// A seal's file; the CRC set right when it is asked for.
static void read_seal(const uint8_t *data, size_t size, const struct journal_identity *identity, bool mend)
{
    static struct journal_seal_file seal;
    static uint8_t bytes[JOURNAL_SEAL_MAX + 1];
    char text[256] = "";
    if (size > sizeof bytes)
        size = sizeof bytes;
    memcpy(bytes, data, size);
    if (mend && size > 16) {
        uint64_t magic = JOURNAL_SEAL_MAGIC;
        uint32_t crc = crc32c(0, bytes + 12, size - 12);
        memcpy(bytes, &magic, sizeof magic);
        memcpy(bytes + 8, &crc, sizeof crc);
    }
    enum journal_result result = journal_seal_parse(bytes, size, identity, 1, &seal, text, sizeof text);
    xw_assert(result == JOURNAL_OK || text[0]);
    xw_assert(result != JOURNAL_OK || seal.head.cores <= JOURNAL_CORES);
    if (result == JOURNAL_OK)
        journal_seal_signed_by(&seal, &seal.head.key, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _Alignas(8) static uint8_t bytes[SEGMENTS][BLOCKS * JOURNAL_BLOCK];
    struct journal_image images[SEGMENTS];
    const struct journal_identity identity = {.directory = "fuzz", .instance = "fuzz", .date = 20260105};
    if (size < PREFIX)
        return 0;
    uint8_t choice = *data++;
    size--;
    read_seal(data, size, &identity, choice & 1);
    memset(bytes, 0, sizeof bytes);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        for (unsigned j = 0; j < BLOCKS; j++)
            fill_block(bytes[i] + j * JOURNAL_BLOCK, &data, &size, choice & 1);
        images[i] = (struct journal_image){i + 1, bytes[i], sizeof bytes[i] - (choice >> 1) * 16u};
    }
    struct journal_reader *reader;
    const struct command *record;
    if (journal_reader_open_images(&reader, &identity, images, SEGMENTS))
        return 0;
    uint64_t last[JOURNAL_CORES] = {0};
    enum journal_result result;
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        // What is given out is gap-free, whatever the bytes are.
        xw_assert(journal_sequence(record) == last[journal_core(record)] + 1);
        last[journal_core(record)]++;
    }
    const struct journal_report *report = journal_reader_report(reader);
    xw_assert(result == JOURNAL_END || report->text[0]);
    xw_assert(memcmp(last, report->last_seq, sizeof last) == 0);
    journal_reader_close(reader);
    return 0;
}
