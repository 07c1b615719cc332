// SPDX-License-Identifier: Apache-2.0
// SIGHUP: reads the configuration and the password file again and takes over what may change while control runs; or
// refuses the whole, with one line, and everything goes on as before.
#ifndef CROSSWIRE_CONTROL_RELOAD_H
#define CROSSWIRE_CONTROL_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "contract/config.h"
#include "control/auth.h"
#include "control/requests.h"

// `running` is what control runs with and takes over the new values; `requests` may be NULL: no data plane runs. Logs
// XW2021, or XW2022 and writes the reason to `text`. Returns whether it was taken over.
bool reload(struct config *running, const char *path, struct auth *auth, struct requests *requests, char *text,
            size_t size);

#endif
