// SPDX-License-Identifier: Apache-2.0
// Stops and trailing stops (rules.md section 10).
#ifndef CROSSWIRE_ENGINE_TRIGGERS_H
#define CROSSWIRE_ENGINE_TRIGGERS_H

#include "engine/state.h"

// A trade of the symbol: trailing stops move, triggered ones are marked and the book becomes dirty. Only for a book
// with WATCH_STOPS. book.last_trade is set by the caller.
void triggers_trade(struct engine *e, uint16_t locate, uint32_t price);

// For a stop on entry: sets stop and extreme from the last trade. True when the last trade triggers it already.
bool trigger_begin(const struct engine *e, struct special *special, uint16_t locate, unsigned side);

#endif
