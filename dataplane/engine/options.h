// SPDX-License-Identifier: Apache-2.0
// Orders that carry options to echo. Few do: their Accepted and Replaced are written field by field, away from the
// common path.
#ifndef CROSSWIRE_ENGINE_OPTIONS_H
#define CROSSWIRE_ENGINE_OPTIONS_H

#include "engine/emit.h"
#include "engine/state.h"

// Tags that OUCH echoes on Accepted and on Replaced; UserRefIdx is added when it is not zero.
#define TAGS_ON_REPLACED                                                                                               \
    (OPTION(TAG_FIRM) | OPTION(TAG_MIN_QTY) | OPTION(TAG_MAX_FLOOR) | OPTION(TAG_PRICE_TYPE) | OPTION(TAG_POST_ONLY) | \
     OPTION(TAG_TRADE_NOW) | OPTION(TAG_HANDLE_INST) | OPTION(TAG_AIQ_STRATEGY) | OPTION(TAG_AIQ_GROUP) |              \
     OPTION(TAG_EXPIRE_TIME) | OPTION(TAG_STOP_PRICE) | OPTION(TAG_TRAIL_AMOUNT))
#define TAGS_ON_ACCEPTED                                                                                    \
    (TAGS_ON_REPLACED | OPTION(TAG_CUSTOMER_TYPE) | OPTION(TAG_PEG_OFFSET) | OPTION(TAG_DISCRETION_PRICE) | \
     OPTION(TAG_DISCRETION_PRICE_TYPE) | OPTION(TAG_DISCRETION_PEG_OFFSET) | OPTION(TAG_RANDOM_RESERVES) |  \
     OPTION(TAG_GROUP_ID) | OPTION(TAG_SHARES_LOCATED))

// What a replace may have to echo: the original's, overlaid with what the command sends.
void echo_overlay(struct echo *echo, const struct command *c);

#endif
