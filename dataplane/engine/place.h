// SPDX-License-Identifier: Apache-2.0
// A resting order enters and leaves all the tables together.
#ifndef CROSSWIRE_ENGINE_PLACE_H
#define CROSSWIRE_ENGINE_PLACE_H

#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/slots.h"

// Puts the order of `in` into the free or reused slot, the bucket that lookup_room has found, and all tables but the
// session's list.
static inline __attribute__((always_inline)) void order_place(struct engine *e, const struct incoming *in,
                                                              struct lookup_place place, uint32_t bucket, uint32_t slot)
{
    uint8_t flags = in->flags;
    uint8_t way = lookup_insert(e, place, bucket, slot, &flags);
    uint32_t level = book_level_make(e, in->locate, side_of(in->side), in->tick_index);
    uint32_t prev = book_join(e, in, level, slot);
    e->orders[slot] = (struct order){.key = in->key,
                                     .ref = in->ref,
                                     .prev = prev,
                                     .level = level,
                                     .quantity = in->quantity,
                                     .price = in->price,
                                     .executed = in->executed,
                                     .bucket = bucket,
                                     .locate = in->locate,
                                     .group_id = in->group_id,
                                     .side = in->side,
                                     .capacity = in->capacity,
                                     .display = in->display,
                                     .flags = flags,
                                     .way = way,
                                     .tif = in->tif};
    if (__builtin_expect(in->flags & ORDER_HAS_ECHO, 0))
        e->echoes[slot] = e->in_echo;
}

// Takes a resting order out of everything: live-order table, session list, book, slot.
static inline void order_drop(struct engine *e, uint32_t slot)
{
    uint64_t key = e->orders[slot].key;
    lookup_remove(e, slot);
    session_unlink(e, &e->sessions[key_session(key)], slot);
    book_remove(e, slot, false);
    slot_release(e, slot);
}

#endif
