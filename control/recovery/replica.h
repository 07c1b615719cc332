// SPDX-License-Identifier: Apache-2.0
// An engine of one matching core that follows the journal: the same commands, so the same events, byte for byte.
#ifndef CROSSWIRE_CONTROL_RECOVERY_REPLICA_H
#define CROSSWIRE_CONTROL_RECOVERY_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/event.h"
#include "control/journal/journal.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

struct replica;

// Is given every event, in order.
typedef void replica_sink(void *context, const struct event *event);

// Makes a replica of core `core`, sized as the data plane's. `identity` outlives it. NULL with errno.
struct replica *replica_new(const struct config *config, const struct journal_identity *identity, unsigned core);

// The same for any capacity, without a configuration: for who walks over a journal himself (`identity` may be NULL
// then).
struct replica *replica_new_sized(const struct engine_capacity *capacity, const struct journal_identity *identity);

void replica_free(struct replica *replica);

enum replica_result {
    REPLICA_MORE,      // the budget is used up
    REPLICA_CAUGHT_UP, // everything before `until` has been taken
    REPLICA_FAILED,    // replica_error says why; for good
};

// Takes journal records that stand before `until` (NULL: all there are), `budget` at the most, other cores' included. A
// walk that a call with MORE has begun keeps the `until` that it began with.
enum replica_result replica_advance(struct replica *replica, const struct journal_place *until, unsigned budget,
                                    replica_sink *sink, void *context);

// Takes one record of this core, the next in sequence, for who walks over the journal himself; records that the engine
// has taken already are passed over. false: replica_error says why; for good.
bool replica_take(struct replica *replica, const struct command *record, replica_sink *sink, void *context);

// Begins to fill the engine of a replica that has taken nothing yet from a snapshot: restore_take on `restore` goes on.
void replica_restore(struct replica *replica, struct restore *restore);

const struct engine *replica_engine(const struct replica *replica);

const char *replica_error(const struct replica *replica);

#endif
