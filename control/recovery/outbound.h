// SPDX-License-Identifier: Apache-2.0
// Messages of a stream, a session's or a drop copy's, that its gateway keeps no longer: made again from the journal,
// the same bytes.
//
//   journal --> replica of the core --> events --> the gateways' fan-out and encoder --> a spill file a stream
//
// Nothing is done before the first request; from then on the replica follows the journal. What fails for want of room,
// memory or descriptors is tried again, from 250 ms after the failure on. `now_ns` is a clock that never runs
// backwards.
#ifndef CROSSWIRE_CONTROL_RECOVERY_OUTBOUND_H
#define CROSSWIRE_CONTROL_RECOVERY_OUTBOUND_H

#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"

struct outbound;

// All of it outlives what is made. Spill files stand in config->journal_directory. NULL with errno.
struct outbound *outbound_new(const struct config *config, const struct journal_identity *identity);

void outbound_free(struct outbound *outbound);

enum outbound_result {
    OUTBOUND_OK,    // at least one message
    OUTBOUND_LATER, // the replica is not there yet: call again
    OUTBOUND_NONE,  // no such stream or sequence, as far as the journal is durable; or it has failed for now
};

// Gives messages of stream `session` (config_stream) from sequence `first` on, `count` at the most, as blocks {2
// length, message} that together fit `room`. Advances the replica towards `until` (what is durable) for a bounded time
// where that is needed.
enum outbound_result outbound_fetch(struct outbound *outbound, uint16_t session, uint32_t first, unsigned count,
                                    const struct journal_place *until, uint64_t now_ns, uint8_t *out, size_t room,
                                    unsigned *messages);

// For who looks through all that a core's sessions were told. Advances towards `until` for a bounded time: OK when a
// walk has ended, not necessarily one that began with this `until`; NONE when it has failed for now.
enum outbound_result outbound_follow(struct outbound *outbound, unsigned core, const struct journal_place *until,
                                     uint64_t now_ns);

// How many messages of `session` are made so far.
uint32_t outbound_count(const struct outbound *outbound, uint16_t session);

// As outbound_fetch of messages that are made; returns how many, `bytes` of blocks in all.
unsigned outbound_read(struct outbound *outbound, uint16_t session, uint32_t first, unsigned count, uint8_t *out,
                       size_t room, size_t *bytes);

#endif
