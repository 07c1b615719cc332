// SPDX-License-Identifier: Apache-2.0
// What several commands show of degraded modes.
#ifndef CROSSWIRE_CONTROL_CTL_BREAKERS_H
#define CROSSWIRE_CONTROL_CTL_BREAKERS_H

#include <jansson.h>

#include "contract/config.h"
#include "contract/region.h"

// The modes that are on, by matching core, as an array of {"core", "mode"}.
json_t *ctl_modes_json(const struct region *region, const struct config *config);

// The same as lines.
void ctl_print_modes(const json_t *modes);

// The breakers that are not closed, as an array of {"name", "of", "state", "action", ..}; and as lines.
json_t *ctl_open_breakers_json(const struct region *region, const struct config *config);
void ctl_print_open_breakers(const json_t *breakers);

#endif
