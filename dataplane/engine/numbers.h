// SPDX-License-Identifier: Apache-2.0
// UserRefNums: strictly increasing within each channel (UserRefIdx) of a session; and whose firm a session may name.
#ifndef CROSSWIRE_ENGINE_NUMBERS_H
#define CROSSWIRE_ENGINE_NUMBERS_H

#include <string.h>

#include "engine/state.h"

static inline uint32_t *number_last(const struct engine *e, const struct command *c)
{
    return &e->last_ref[(uint32_t)c->session * 256 + c->user_ref_idx];
}

// Whether the command's UserRefNum is above the last one used.
static inline bool number_fresh(const struct engine *e, const struct command *c)
{
    return c->user_ref > *number_last(e, c);
}

// Uses the command's UserRefNum. False: it was used before, the message is a retransmission.
static inline bool number_take(struct engine *e, const struct command *c)
{
    uint32_t *last = number_last(e, c);
    if (c->user_ref <= *last)
        return false;
    *last = c->user_ref;
    return true;
}

// Blank or absent: the account's own.
static inline bool firm_blank(const char firm[4])
{
    return memcmp(firm, "    ", 4) == 0 || memcmp(firm, "\0\0\0", 4) == 0;
}

static inline bool firm_permitted(const struct engine *e, const struct session *session, const char firm[4])
{
    return firm_blank(firm) || memcmp(firm, e->accounts[session->account].firm, 4) == 0;
}

#endif
