// SPDX-License-Identifier: Apache-2.0
// The plain venue's state of the market: halts, pauses, bands, velocity, market-wide halts, short sales.
#ifndef CROSSWIRE_TESTS_NAIVE_MARKET_H
#define CROSSWIRE_TESTS_NAIVE_MARKET_H

#include "tests/support/naive_state.h"

void naive_market_open(struct naive_venue *v, uint16_t locate);
void naive_market_free(struct naive_venue *v, uint16_t locate);
void naive_market_say_state(struct naive_venue *v, uint16_t locate);

// Whether nothing of the symbol trades; whether its pegs and stops stand still.
bool naive_halted(const struct naive_venue *v, uint16_t locate);
bool naive_stands_still(const struct naive_venue *v, uint16_t locate);

// The price, or the band when the price lies beyond it.
uint32_t naive_banded(const struct naive_venue *v, uint16_t locate, bool buys, uint32_t price);
bool naive_beyond(const struct naive_venue *v, uint16_t locate, bool buys, uint32_t price);
int naive_market_check(struct naive_venue *v, const struct resting *o); // reject code of an order that is to come

void naive_market_command(struct naive_venue *v, const struct command *c);
void naive_market_trade(struct naive_venue *v, uint16_t locate, uint32_t price);
void naive_market_phase(struct naive_venue *v); // the day has started, or the phase has changed
void naive_market_tick(struct naive_venue *v);
bool naive_market_after(struct naive_venue *v, uint16_t locate); // whether its bands have moved

#endif
