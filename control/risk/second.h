// SPDX-License-Identifier: Apache-2.0
// Changes that wait for a second person, in the audit: who asked, who agreed, what became of the rest. They live with
// the limits desk alone; what an earlier control has left open is found in the journal and told as lapsed: who wants it
// has to ask again.
#ifndef CROSSWIRE_CONTROL_RISK_SECOND_H
#define CROSSWIRE_CONTROL_RISK_SECOND_H

#include "control/limits/desk.h"
#include "control/risk/audit.h"
#include "control/risk/history.h"

struct second;

// Watches `limits`, and registers with `history`. All of it outlives what is made. NULL: no memory.
struct second *second_new(struct limits_desk *limits, struct history *history, struct audit *audit);
void second_free(struct second *second);

#endif
