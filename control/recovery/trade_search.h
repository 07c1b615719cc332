// SPDX-License-Identifier: Apache-2.0
// Finds a trade of the day in what its parties were told: the E messages with its match number, the A or U of each
// party's order, and the B where it was broken.
#ifndef CROSSWIRE_CONTROL_RECOVERY_TRADE_SEARCH_H
#define CROSSWIRE_CONTROL_RECOVERY_TRADE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"
#include "control/recovery/outbound.h"

struct trade_party {
    uint16_t session;
    uint32_t user_ref;
    uint8_t user_ref_idx;
    bool told;  // its E was found
    bool named; // its A or U was found, so what follows is known
    char side;
    char cl_ord_id[14];
    char symbol[8];
};

struct trade_search {
    uint64_t match;
    unsigned core;
    // What was found.
    struct trade_party taker, maker;
    uint32_t price, quantity;
    uint64_t time_ns;
    char broken; // reason of the Broken Trade, 0: it stands
    // Where the search is.
    unsigned stage; // walks that have ended, then the passes over the messages
    uint16_t session;
    uint32_t next; // message of that session
};

// Begins to look for `match`. false: it can not be of this configuration.
bool trade_search_begin(struct trade_search *search, const struct config *config, uint64_t match);

enum trade_search_result { TRADE_SEARCHING, TRADE_FOUND, TRADE_ABSENT, TRADE_SEARCH_FAILED };

// Goes on, bounded. FOUND and ABSENT are of what was durable when the search began, or later. FAILED: no replica.
enum trade_search_result trade_search_go_on(struct trade_search *search, const struct config *config,
                                            struct outbound *outbound, const struct journal_place *until,
                                            uint64_t now_ns);

#endif
