// SPDX-License-Identifier: Apache-2.0
// Turns what a flow intends into the OUCH request that a line sends.
#ifndef CROSSWIRE_PERF_ENCODE_H
#define CROSSWIRE_PERF_ENCODE_H

#include "perf/client_line.h"
#include "perf/flow.h"

// Fills `request` from `intent` and begins its order in the line's table. `ref_of` is the UserRefNum by the input's
// order id; `symbols` the names by the flow's symbol numbers.
void encode_intent(struct line *line, const struct flow *flow, const struct intent *intent, uint32_t *ref_of,
                   const char (*symbols)[9], struct request *request);

#endif
