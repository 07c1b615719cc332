// SPDX-License-Identifier: Apache-2.0
// Firms, accounts, sessions and symbols by the names that people give them.
#ifndef CROSSWIRE_CONTROL_LIMITS_NAMES_H
#define CROSSWIRE_CONTROL_LIMITS_NAMES_H

#include <stdint.h>

#include "contract/config.h"
#include "contract/risk.h"

// The place of `name` in the configuration's accounts, sessions or symbols; of a firm that of its first account.
// As it is written there; else in any case, where that says which. -1: there is none.
int64_t names_find(const struct config *config, enum scope scope, const char *name);

// "the configuration has no firm `NORHT`: it has NRTH, SOTH", in text.
#define NAMES_TEXT 384
const char *names_unknown(const struct config *config, enum scope scope, const char *name, char text[NAMES_TEXT]);

#endif
