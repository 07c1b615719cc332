// SPDX-License-Identifier: Apache-2.0
// SIGHUP, or an operator: reads the configuration, the password file and the limits file again and takes over what may
// change while control runs; or refuses the whole, with one line, and everything goes on as before.
#ifndef CROSSWIRE_CONTROL_RELOAD_H
#define CROSSWIRE_CONTROL_RELOAD_H

#include <stddef.h>

#include "contract/config.h"
#include "control/auth.h"
#include "control/limits/desk.h"
#include "control/requests.h"

// `running` is what control runs with and takes over the new values; `phase` is the venue's, 0 when none is known;
// `requests` may be NULL: no data plane runs. `by` asks for it. What of the limits gives more room may wait for a
// second person. Logs XW2021 and writes how much has changed to `text`, or XW2022 and writes the reason.
enum reload_result { RELOAD_TAKEN, RELOAD_REFUSED, RELOAD_LIMITS_REFUSED };
enum reload_result reload(struct config *running, char phase, const char *path, struct auth *auth,
                          struct requests *requests, struct limits_desk *limits, const char *by, char *text,
                          size_t size);

#endif
