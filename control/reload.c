// SPDX-License-Identifier: Apache-2.0
#include "control/reload.h"

#include <stdio.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/passwords.h"
#include "control/recovery/opening.h"

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

enum reload_result reload(struct config *running, char phase, const char *path, struct auth *auth,
                          struct requests *requests, struct limits_desk *limits, const char *by, char *text,
                          size_t size)
{
    struct passwords passwords = {0};
    struct limits_file *file = NULL;
    struct config *next = config_load(path, text, size);
    enum reload_result result = RELOAD_REFUSED;
    if (next && config_fits(running, next, text, size) &&
        opening_may_follow(running, next, phase, unix_ns(), text, size) &&
        passwords_read(next, &passwords, text, size) == 0) {
        file = limits_desk_read(limits, next, text, size);
        result = file ? RELOAD_TAKEN : RELOAD_LIMITS_REFUSED;
    }
    if (result == RELOAD_TAKEN) {
        config_take_over(running, next);
        unsigned changed = take_passwords(&passwords, auth, requests);
        struct limits_counts counts = limits_desk_take(limits, file, by, monotonic_ns());
        log_event(LOG_XW2021,
                  "\"path\":%s,\"passwords_changed\":%u,\"phases\":%u,\"limits_changed\":%zu,\"limits_waiting\":%zu,"
                  "\"by\":%s",
                  log_quote(path), changed, running->phases_count, counts.changed, counts.waiting, log_quote(by));
        snprintf(text, size, "passwords %u, limits %zu, waiting %zu", changed, counts.changed, counts.waiting);
    } else {
        log_event(LOG_XW2022, "\"reason\":%s", log_quote(text));
    }
    passwords_free(&passwords);
    config_free(next);
    return result;
}
