// SPDX-License-Identifier: Apache-2.0
// What stands at the moment, of what matching cores have told: which symbols do not trade, whether a market-wide level
// is breached, which limits are used to their alert level. Made from alerts as they come and, as some may be missed,
// from what is told again (retell.h): whichever is younger counts. What of kills stands is known by kills.h.
#ifndef CROSSWIRE_CONTROL_RISK_STANDING_H
#define CROSSWIRE_CONTROL_RISK_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/risk.h"
#include "control/risk/alerts.h"
#include "control/risk/kills.h"
#include "control/risk/retell.h"

struct standing;

// Registers with both. All of it outlives what is made. NULL: no memory.
struct standing *standing_new(const struct config *config, struct retell *retell, struct alerts *alerts);
void standing_free(struct standing *standing);

// Whether all of it is known: everything has been told again, and could be.
bool standing_known(const struct standing *standing);

// The state of symbol number `symbol` of the configuration, and since when (0: since the opening).
enum trading_state standing_symbol(const struct standing *standing, uint32_t symbol, uint64_t *since_ns);

// For the service manager: "BLOCKED: account NORTH, venue side B and 2 more; halted: XWIRE", or "" when nothing is.
const char *standing_text(const struct standing *standing, const struct kills *kills, char *text, size_t size);

// How many symbols do not trade.
uint32_t standing_stopped(const struct standing *standing);

// The highest market-wide level that a matching core has seen breached today, 0 none.
unsigned standing_level(const struct standing *standing);

// A limit that is used to its alert level, or to where orders are slowed, on one matching core; figures as the last
// alert said them.
struct standing_limit {
    uint64_t key; // 0: free
    uint16_t index, locate;
    uint8_t core, scope, limit;
    bool alert, slowed;
    uint64_t before, after; // the limit, and what was used
    uint64_t time_ns;
    uint64_t sequence[2]; // of the last alert about each stage
};

// The next one of which that holds, from place `*at` on, which goes behind it; NULL behind the last.
const struct standing_limit *standing_next(const struct standing *standing, uint32_t *at);

#endif
