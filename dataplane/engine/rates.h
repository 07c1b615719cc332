// SPDX-License-Identifier: Apache-2.0
// How fast and how often: order, message and symbol rates, orders alike, and what slows a session down (risk.md
// sections 4 and 5). All on command time.
#ifndef CROSSWIRE_ENGINE_RATES_H
#define CROSSWIRE_ENGINE_RATES_H

#include "engine/state.h"

// Works the session's or the symbol's rates out of the limits in force. What has been counted stays counted.
void rates_session(struct engine *e, uint16_t session);
void rates_symbol(struct engine *e, uint16_t locate);

// A session's bucket has turned: its settling tells it.
void rates_turned(struct engine *e, uint16_t session, enum pace_told what);

// The same when nothing can be foreseen of the bucket.
void rates_message_closely(struct engine *e, uint16_t session);

// A message other than an order, from a session that may trade, on a day with risk: takes a token while there is one.
static inline __attribute__((always_inline)) void rates_message(struct engine *e, const struct command *c)
{
    struct tokens_pair *paced = &e->sessions[c->session].paced;
    const struct tokens messages = tokens_of(paced, PACED_MESSAGES);
    if (__builtin_expect(tokens_ahead(&messages, e->time_ns) <= messages.watch, 1))
        paced->due[PACED_MESSAGES] = tokens_taken(&messages, e->time_ns);
    else
        rates_message_closely(e, c->session);
}

// Symbol and side of an order, of which alike has kinds: the lowest bits of its terms.
#define RATES_INSTRUMENT 0xFFFFFFu
static inline uint32_t rates_instrument(uint16_t locate, char side)
{
    return locate | (uint32_t)(uint8_t)side << 16;
}

// Checks 4 and 5 of an order, or 4 alone of a replacement: REJECT_NONE, and it counts, or the reason.
uint8_t rates_enter(struct engine *e, uint16_t session, uint16_t locate, char side, uint32_t quantity, uint32_t price);
uint8_t rates_replace(struct engine *e, uint16_t session, uint16_t locate);

// NULL, or what is wrong.
const char *rates_check(const struct engine *e);

#endif
