// SPDX-License-Identifier: Apache-2.0
// The word of a command that begins with its locate: what Enter and Replace check and echo is read from it at once.
#ifndef CROSSWIRE_ENGINE_TERMS_H
#define CROSSWIRE_ENGINE_TERMS_H

#include "engine/emit.h"

// Tags that change nothing in matching and are accepted with every value.
#define TAGS_HARMLESS                                                                              \
    (OPTION(TAG_FIRM) | OPTION(TAG_CUSTOMER_TYPE) | OPTION(TAG_TRADE_NOW) | OPTION(TAG_GROUP_ID) | \
     OPTION(TAG_SHARES_LOCATED) | OPTION(TAG_LOCATE_BROKER) | OPTION(TAG_SIDE) | OPTION(TAG_USER_REF_IDX))
#define TERM_SHIFT(field) (8 * (offsetof(struct command, field) - offsetof(struct command, locate)))
#define TERM(field, value) ((uint64_t)(uint8_t)(value) << TERM_SHIFT(field))
_Static_assert(TERM_SHIFT(tif) == 24 && TERM_SHIFT(display) == 32 && TERM_SHIFT(capacity) == 40 &&
                   TERM_SHIFT(iso) == 48 && TERM_SHIFT(cross) == 56,
               "one word");

static inline uint64_t terms_word(const struct command *c)
{
    return word_at(&c->locate);
}

// What terms_asked gives for a plain order of this TIF.
static inline uint64_t terms_plain(char tif)
{
    return TERM(tif, tif);
}
#define TERMS_NEVER UINT64_C(1)

// The plain way (orders.c) reads these of a command, and asks for exactly e->plain_enter or e->plain_replace.
#define TERMS_READ (TERM(tif, UINT8_MAX) | TERM(display, UINT8_MAX) | TERM(iso, UINT8_MAX))
#define TERMS_DAY (TERM(tif, '0') | TERM(display, 'Y') | TERM(iso, 'N'))

// Display, ISO and cross type as far as they are not plain, and the TIF.
static inline __attribute__((always_inline)) uint64_t terms_asked(const struct command *c, enum command_type type)
{
    uint64_t cross = type == CMD_REPLACE ? 0 : UINT8_MAX; // which a replace has not
    uint64_t read = TERM(tif, UINT8_MAX) | TERM(display, UINT8_MAX) | TERM(iso, UINT8_MAX) | TERM(cross, cross);
    uint64_t plain = TERM(display, 'Y') | TERM(iso, 'N') | TERM(cross, 'N' & cross);
    return (terms_word(c) & read) ^ plain;
}

#endif
