// SPDX-License-Identifier: Apache-2.0
// What is in force at the moment: breakers that are not closed, from the region; kills, halts, limits at their alert
// level, from control, which alone knows them.
#ifndef CROSSWIRE_CONTROL_CTL_STANDING_H
#define CROSSWIRE_CONTROL_CTL_STANDING_H

#include <jansson.h>

#include "control/ctl/ctl.h"

// NULL when control does not say.
json_t *ctl_standing_json(const struct ctl *ctl);

void ctl_print_standing(const json_t *standing);

// Whom a kill is about, and its side.
void ctl_print_scope(const json_t *kill);

// A kill on one line, as xwctl kills and xwctl status show it, and how it ends.
void ctl_print_kill(const json_t *kill);

#endif
