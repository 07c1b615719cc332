// SPDX-License-Identifier: Apache-2.0
// Receivers of market data, one a matching core: the client library's, and the book that it builds.
#ifndef CROSSWIRE_TESTS_SIM_MARKET_H
#define CROSSWIRE_TESTS_SIM_MARKET_H

#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

void market_open(const struct config *config);

// A MoldUDP64 packet for the receiver of core `core`.
void market_receive(unsigned core, const uint8_t *packet, size_t size);

// NULL when every receiver is at the end of its stream; else what is missing.
const char *market_busy(void);

// At rest: the books that were built are those of the engines.
void market_check_rest(void);

#endif
