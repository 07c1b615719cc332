// SPDX-License-Identifier: Apache-2.0
// What control knows of one matching core without asking it: a replica of its engine, how far the day's opening is, how
// many messages each session and the feed were told, the feed's last messages. Made from a snapshot, or from nothing,
// and the journal records that follow; written as the next snapshot in pieces.
#ifndef CROSSWIRE_CONTROL_RECOVERY_SHADOW_H
#define CROSSWIRE_CONTROL_RECOVERY_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"
#include "control/recovery/snapshot_file.h"

struct shadow;

// Empty. `config` and `identity` outlive it. NULL with errno.
struct shadow *shadow_new(const struct config *config, const struct journal_identity *identity, unsigned core);

void shadow_free(struct shadow *shadow);

// Fills an empty one from the newest of its snapshots that is good and covers no more than `most`; with none it stays
// empty. Logs those that it passes over. Goes on with `budget` records a call; true when it is over. What it has become
// says shadow_sequence.
bool shadow_restore(struct shadow *shadow, uint64_t most, unsigned budget);

// Takes a journal record of its core; what it has taken already is passed over. Not while a snapshot is written. false:
// shadow_error says why; for good.
bool shadow_take(struct shadow *shadow, const struct command *record);

const char *shadow_error(const struct shadow *shadow);
uint64_t shadow_sequence(const struct shadow *shadow); // of the last record taken
uint64_t shadow_event_hash(const struct shadow *shadow);

// Commands other than ticks since the last snapshot, or since the beginning.
uint64_t shadow_since(const struct shadow *shadow);

// Begins to write a snapshot, when the day has started. false with errno, or 0 when it has not.
bool shadow_snapshot(struct shadow *shadow);

enum shadow_result { SHADOW_MORE, SHADOW_SEALED, SHADOW_FAILED };

// Goes on with `budget` records. SEALED: all of it is on disk, under its temporary name. FAILED with errno: it is gone.
enum shadow_result shadow_write(struct shadow *shadow, unsigned budget);

bool shadow_is_writing(const struct shadow *shadow); // until it is sealed
bool shadow_is_sealed(const struct shadow *shadow);
uint64_t shadow_covered(const struct shadow *shadow); // by the last snapshot that was begun or restored; 0: none

// The sealed snapshot gets its name, or goes. false with errno.
bool shadow_publish(struct shadow *shadow);
void shadow_abandon(struct shadow *shadow);

// How many messages session `session` was told, and how many the feed has. For tests.
uint64_t shadow_messages(const struct shadow *shadow, uint16_t session);

#endif
