// SPDX-License-Identifier: Apache-2.0
// Self-match prevention (rules.md section 11).
#ifndef CROSSWIRE_ENGINE_AIQ_H
#define CROSSWIRE_ENGINE_AIQ_H

#include "engine/state.h"

enum aiq_action { AIQ_DECREMENT_QUIET, AIQ_DECREMENT, AIQ_OLDEST, AIQ_NEWEST, AIQ_REMOVER, AIQ_TRADE };

// Whether the character is a strategy, N included.
bool aiq_known(char strategy);

// What happens when the taker, whose session and instructions these are, meets the resting order.
enum aiq_action aiq_meet(const struct engine *e, uint16_t session, const struct special *taker,
                         const struct order *maker);

#endif
