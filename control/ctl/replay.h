// SPDX-License-Identifier: Apache-2.0
// What a replay comes to; and the same under another configuration.
#ifndef CROSSWIRE_CONTROL_CTL_REPLAY_H
#define CROSSWIRE_CONTROL_CTL_REPLAY_H

#include "control/ctl/walk.h"

struct ctl_tally {
    uint64_t records, accepted, rejected, canceled, trades, shares;
};

void ctl_tally_event(struct ctl_tally *tally, const struct event *event);

// Walks the day, and beside it the same requests under `config`; prints the first records whose outcome differs
// (--depth many), then both tallies.
void ctl_what_if(struct ctl_walk *walk, const struct config *config, const struct ctl *ctl);

#endif
