// SPDX-License-Identifier: Apache-2.0
// Stops and trailing stops (rules.md section 10).
#ifndef CROSSWIRE_ENGINE_TRIGGERS_H
#define CROSSWIRE_ENGINE_TRIGGERS_H

#include "engine/state.h"

// A trade of the symbol; when it may trigger a stop, the book becomes dirty. Only for a book with WATCH_STOPS.
// book.last_trade is set by the caller.
void triggers_trade(struct engine *e, uint16_t locate, uint32_t price);

// For a stop on entry: sets stop and extreme from the last trade. True when the last trade triggers it already.
bool trigger_begin(const struct engine *e, struct special *special, uint16_t locate, unsigned side);

// Marks what the trades so far have triggered, and moves trailing stops; later trades are counted anew. A walk over the
// symbol's stops, when there were trades.
void triggers_settle(struct engine *e, uint16_t locate);

// The triggered stop of the symbol that was entered first, 0 for none. Takes what it has looked at from `looks`.
uint32_t triggers_first(struct engine *e, uint16_t locate, unsigned *looks);

// A stop waits from now on: trades that could trigger it are noticed.
void triggers_watch(struct engine *e, uint16_t locate, uint32_t special);

#endif
