// SPDX-License-Identifier: Apache-2.0
#include "control/reload.h"

#include "contract/log.h"
#include "control/passwords.h"

// Returns how many passwords are others now.
static unsigned take_passwords(const struct passwords *passwords, struct auth *auth, struct requests *requests)
{
    unsigned changed = 0;
    for (unsigned i = 0; i < passwords->count; i++) {
        if (!auth_set_hash(auth, i, passwords->hash[i]))
            continue;
        changed++;
        if (requests)
            requests_forget(requests, i);
    }
    return changed;
}

bool reload(struct config *running, const char *path, struct auth *auth, struct requests *requests, char *text,
            size_t size)
{
    struct passwords passwords = {0};
    struct config *next = config_load(path, text, size);
    bool fits = next && config_fits(running, next, text, size) && passwords_read(next, &passwords, text, size) == 0;
    if (fits) {
        config_take_over(running, next);
        unsigned changed = take_passwords(&passwords, auth, requests);
        log_event(LOG_XW2021, "\"path\":%s,\"passwords_changed\":%u,\"phases\":%u", log_quote(path), changed,
                  running->phases_count);
    } else {
        log_event(LOG_XW2022, "\"reason\":%s", log_quote(text));
    }
    passwords_free(&passwords);
    config_free(next);
    return fits;
}
