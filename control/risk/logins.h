// SPDX-License-Identifier: Apache-2.0
// Refused logins, for the audit (NOTE_LOGIN_REFUSED): who, from where, why, how often. Senders cost nothing, so what is
// written has a bound that no flood moves: of each session and reason the first refusal is a note at once, and while
// more come, how many there were is one after a minute, then after two, four, .. at most an hour. That is 30 notes a
// day and reason of a session, 128 bytes each. Users that nobody is share one count.
#ifndef CROSSWIRE_CONTROL_RISK_LOGINS_H
#define CROSSWIRE_CONTROL_RISK_LOGINS_H

#include "contract/config.h"
#include "contract/region.h"
#include "control/risk/audit.h"

struct login_refusal {
    uint16_t session; // stream, as config_stream; SESSION_NONE: there is no such user
    enum login_why why;
    char user[6]; // as it was sent
    uint32_t ip;  // host order
    uint16_t port;
    uint32_t count; // refused, of which the above is the last
};

struct logins;

// NULL: no memory. Both outlive it.
struct logins *logins_new(const struct config *config, struct audit *audit);
void logins_free(struct logins *logins);

void logins_refused(struct logins *logins, const struct login_refusal *refusal);

// Writes the notes that are due, and the log (XW4002, XW4003); leaves half of the room for other notes. Returns how
// many.
unsigned logins_poll(struct logins *logins, uint64_t now_ns);

// What was counted is due at once: control is about to end.
void logins_flush(struct logins *logins);

#endif
