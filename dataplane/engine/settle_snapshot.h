// SPDX-License-Identifier: Apache-2.0
// CMD_RESTORE_RATES: what rates, results and modes have counted, for snapshots (snapshot.h). What can be worked out of
// the rest is left out.
#ifndef CROSSWIRE_ENGINE_SETTLE_SNAPSHOT_H
#define CROSSWIRE_ENGINE_SETTLE_SNAPSHOT_H

#include "engine/state.h"

// Where a walk stands; all zero at its beginning.
struct settle_walk {
    uint32_t kind, at, place;
};

// Writes the next record; false behind the last. Looks at a bounded number of entries: a record may be without any
// (`type` stays 0), and is left out.
bool settle_next(const struct engine *e, struct settle_walk *walk, struct command *c);

// Takes one; false when it fits nothing. Limits, symbols, sessions and positions are there.
bool settle_take(struct engine *e, const struct command *c);

// All is there: works out what no record has.
void settle_taken(struct engine *e);

#endif
