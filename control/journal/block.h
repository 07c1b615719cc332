// SPDX-License-Identifier: Apache-2.0
// One block by itself: whether it checks. Inside the journal only.
#ifndef CROSSWIRE_CONTROL_JOURNAL_BLOCK_H
#define CROSSWIRE_CONTROL_JOURNAL_BLOCK_H

#include <stdbool.h>
#include <string.h>

#include "contract/fault.h"
#include "control/journal/crc32c.h"
#include "control/journal/journal.h"

enum journal_check {
    CHECK_GOOD, // somebody wrote this block whole
    CHECK_ZERO, // nothing was ever written here
    CHECK_BAD,
};

static inline uint32_t journal_block_crc(const void *block)
{
    return crc32c(0, (const char *)block + JOURNAL_CRC_FROM, JOURNAL_BLOCK - JOURNAL_CRC_FROM);
}

static inline bool journal_block_zero(const void *block)
{
    const uint64_t *word = block;
    for (unsigned i = 0; i < JOURNAL_BLOCK / 8; i += 64) {
        uint64_t any = 0;
        for (unsigned j = 0; j < 64; j++)
            any |= word[i + j];
        if (any)
            return false;
    }
    return true;
}

// `block` is JOURNAL_BLOCK bytes, aligned to 8.
static inline enum journal_check journal_block_check(const void *block)
{
    const struct journal_block *head = block;
    if (head->magic == JOURNAL_MAGIC && (FAULT(torn_block_taken) || head->crc == journal_block_crc(block)))
        return CHECK_GOOD;
    return journal_block_zero(block) ? CHECK_ZERO : CHECK_BAD;
}

// Whether two instance names are the same in the width that a block has for them.
static inline bool journal_instance_is(const struct journal_block *head, const char *instance)
{
    return strncmp(head->instance, instance, sizeof head->instance) == 0;
}

#endif
