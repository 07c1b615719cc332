// SPDX-License-Identifier: Apache-2.0
// Serves what gateways ask of control: logins to verify, old messages to make again.
//
// A request's cell is released when its reply stands in the reply ring, so a control that is killed in between is
// followed by one that serves the request again: at least once, and gateways tell by the id what they still wait for.
// Requests finish in any order, cells are released in order, REQUESTS_WINDOW of a gateway are looked at at a time.
#ifndef CROSSWIRE_CONTROL_REQUESTS_H
#define CROSSWIRE_CONTROL_REQUESTS_H

#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "control/auth.h"
#include "control/journal/journal.h"
#include "control/recovery/outbound.h"
#include "control/risk/logins.h"

enum {
    REQUESTS_WINDOW = 64,
    REQUESTS_MESSAGES_MAX = 64, // messages a reply
};

struct requests;

// Takes over the request and reply rings of a joined region. An earlier control may have had other passwords: gateways
// have to ask again for all of them. All of it outlives what is made. NULL with errno.
struct requests *requests_new(const struct region *region, const struct config *config, struct auth *auth,
                              struct outbound *outbound, const struct journal_writer *writer, struct logins *logins);

void requests_free(struct requests *requests);

// The password of session `session` has changed: its gateway is told to have the next login verified.
void requests_forget(struct requests *requests, uint32_t session);

// Goes on, bounded, at monotonic time `now_ns`. Returns how much it did.
unsigned requests_poll(struct requests *requests, uint64_t now_ns);

#endif
