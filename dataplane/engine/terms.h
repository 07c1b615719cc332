// SPDX-License-Identifier: Apache-2.0
// The word of a command that begins with its locate: what Enter and Replace check and echo is read from it at once.
#ifndef CROSSWIRE_ENGINE_TERMS_H
#define CROSSWIRE_ENGINE_TERMS_H

#include "engine/emit.h"

#define TERM_SHIFT(field) (8 * (offsetof(struct command, field) - offsetof(struct command, locate)))
#define TERM(field, value) ((uint64_t)(uint8_t)(value) << TERM_SHIFT(field))
_Static_assert(TERM_SHIFT(tif) == 24 && TERM_SHIFT(display) == 32 && TERM_SHIFT(capacity) == 40 &&
                   TERM_SHIFT(iso) == 48 && TERM_SHIFT(cross) == 56,
               "one word");

static inline uint64_t terms_word(const struct command *c)
{
    return word_at(&c->locate);
}

// The plain way (orders.c) reads these of a command, and asks for exactly e->plain_day or e->plain_ioc. A replace is
// read as if it had CrossType N.
#define TERMS_READ (TERM(tif, UINT8_MAX) | TERM(display, UINT8_MAX) | TERM(iso, UINT8_MAX) | TERM(cross, UINT8_MAX))

static inline uint64_t terms_plain(char tif)
{
    return TERM(tif, tif) | TERM(display, 'Y') | TERM(iso, 'N') | TERM(cross, 'N');
}
#define TERMS_NEVER UINT64_C(1)

#endif
