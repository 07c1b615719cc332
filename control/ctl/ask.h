// SPDX-License-Identifier: Apache-2.0
// Asks control for something, at one of its desks (control/operator/desk.h).
#ifndef CROSSWIRE_CONTROL_CTL_ASK_H
#define CROSSWIRE_CONTROL_CTL_ASK_H

#include <jansson.h>

#include "control/ctl/ctl.h"

// Sends `request`, which it takes, to INSTANCE.`desk`.sock of the configuration that -c names, and returns the answer.
// Ends the process with what it says when it is a refusal, and with one line when there is none.
json_t *ctl_ask(const struct ctl *ctl, const char *desk, json_t *request);

// The same, for what can do without: NULL when control does not answer within two seconds, or refuses.
json_t *ctl_ask_if_up(const struct ctl *ctl, const char *desk, json_t *request);

#endif
