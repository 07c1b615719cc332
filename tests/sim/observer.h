// SPDX-License-Identifier: Apache-2.0
// Somebody outside who sees nothing but drop copies, and works out from them what each account has in the market at
// worst: that must never be above the limits that the account and its firm were given. Sums are of all matching cores
// together. And what each session has in the market: that must not be above its own.
#ifndef CROSSWIRE_TESTS_SIM_OBSERVER_H
#define CROSSWIRE_TESTS_SIM_OBSERVER_H

#include <stdint.h>

#include "client/ouch.h"
#include "contract/config.h"

void observer_open(const struct config *config);

// What session `session` has been told, in the order of its stream.
void observer_take(unsigned session, const struct xw_ouch *message);

#endif
