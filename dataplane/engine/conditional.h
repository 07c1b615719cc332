// SPDX-License-Identifier: Apache-2.0
// Lists of a symbol's conditional orders: pegs, discretionary orders, waiting stops.
#ifndef CROSSWIRE_ENGINE_CONDITIONAL_H
#define CROSSWIRE_ENGINE_CONDITIONAL_H

#include "engine/state.h"

// Enters a live order (slot, special and kinds are set, its price is the one it rests at) in the list of its kind;
// counts, watch bits and uncommon sides follow. A new peg makes the book dirty when the best prices are not those that
// pegs were last looked at with.
void conditional_add(struct engine *e, uint32_t special);

// Takes it out, when it is in (kinds != 0); kinds becomes 0.
void conditional_remove(struct engine *e, uint32_t special);

// Sets book.uncommon[side] from the hidden levels and the discretionary list of that side.
static inline void book_note_uncommon(struct engine *e, uint16_t locate, unsigned side)
{
    struct book *book = &e->books[locate];
    bool any = book->best_level[side | HIDDEN] != 0 || e->backs[locate].discretion[side] != 0;
    book->uncommon[side] = (uint8_t)((book->uncommon[side] & (UNCOMMON_KILLED | UNCOMMON_MARKET)) | any);
}

// NULL, or what is wrong with the lists and what depends on them.
const char *conditional_check(const struct engine *e);

#endif
