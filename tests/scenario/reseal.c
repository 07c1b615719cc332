// SPDX-License-Identifier: Apache-2.0
// For journal_damage.sh and snapshot_engine.sh: a journal's segment that is right but for what a test has changed in
// it.
//   reseal FILE block N          seals this block alone again
//   reseal FILE engine VERSION   every block says that an engine of this version took it; prints how many there are
// A block has 4,096 bytes, of zeroes where nothing was written: at 8 the CRC32C of bytes 12 to 4095, at 12 that of the
// block before, at 20 the version. Little-endian, as this machine.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, CRC_AT = 8, BEFORE_AT = 12, ENGINE_AT = 20 };

// Bit by bit: not what the journal itself does.
static uint32_t seal(unsigned char *block)
{
    uint32_t crc = 0xFFFFFFFF;
    for (int i = BEFORE_AT; i < BLOCK; i++) {
        crc ^= block[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
    }
    crc = ~crc;
    memcpy(block + CRC_AT, &crc, sizeof crc);
    return crc;
}

// The block at the file's position, then the position after it. False at the end and at a block that was never written.
static bool take(FILE *file, unsigned char *block)
{
    static const unsigned char nothing[8];
    return fread(block, BLOCK, 1, file) == 1 && memcmp(block, nothing, sizeof nothing) != 0;
}

static bool put(FILE *file, const unsigned char *block)
{
    return fseek(file, -BLOCK, SEEK_CUR) == 0 && fwrite(block, BLOCK, 1, file) == 1 && fseek(file, 0, SEEK_CUR) == 0;
}

int main(int argc, char **argv)
{
    unsigned char block[BLOCK];
    FILE *file = argc == 4 ? fopen(argv[1], "r+b") : NULL;
    if (!file)
        return fprintf(stderr, "usage: reseal FILE block N | reseal FILE engine VERSION\n"), 64;
    uint32_t number = (uint32_t)strtoul(argv[3], NULL, 10), before = 0;
    if (strcmp(argv[2], "block") == 0) {
        bool right = fseek(file, (long)number * BLOCK, SEEK_SET) == 0 && take(file, block);
        seal(block);
        return right && put(file, block) && fclose(file) == 0 ? 0 : 74;
    }
    unsigned blocks = 0;
    for (; take(file, block); blocks++) {
        memcpy(block + BEFORE_AT, &before, sizeof before);
        memcpy(block + ENGINE_AT, &number, sizeof number);
        before = seal(block);
        if (!put(file, block))
            return 74;
    }
    printf("%u\n", blocks);
    return fclose(file) == 0 ? 0 : 74;
}
