// SPDX-License-Identifier: Apache-2.0
// A journal directory with the rings of a few matching cores, for tests of everything that writes or reads a journal.
#ifndef CROSSWIRE_TESTS_SUPPORT_JOURNAL_RIG_H
#define CROSSWIRE_TESTS_SUPPORT_JOURNAL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/journal/journal.h"

enum { RIG_DATE = 20260105, RIG_DEPTH = 1024, RIG_CORES = 3 };

struct rig { // shared with forked children
    char directory[64];
    struct journal_identity identity;
    struct ring *rings[RIG_CORES];
    struct matcher_port *ports;
    struct journal_lane lanes[RIG_CORES];
};

// Under XW_TMP or /tmp, or under `parent`. Removed with everything in it by rig_tear_down.
void rig_set_up(struct rig *rig);
void rig_set_up_in(struct rig *rig, const char *parent);
void rig_tear_down(struct rig *rig);

// Zeroed memory that forked children share.
void *rig_shared(size_t size);

// The content of a command is a function of core and sequence, so that it can be checked anywhere.
void rig_fill(struct command *command, unsigned core, uint64_t sequence);

// Publishes `count` commands on a core's ring; returns false when the ring has no room.
bool rig_produce(struct ring *ring, unsigned core, unsigned count);

// Scans (into `report`) and opens a writer; fails the test when either does.
struct journal_writer *rig_open_writer(const struct rig *rig, struct journal_report *report, uint32_t segment_mb);

// Publishes `count` commands of core 0 and makes them durable.
void rig_write(struct rig *rig, struct journal_writer *writer, unsigned count);

// Takes every record that is left of a walk and checks its content; how the walk ended.
enum journal_result rig_check_walk(struct journal_reader *reader);

// Reads everything, checks each record's content, and that each core's sequences end at `last`.
struct journal_report rig_read_and_check(const struct rig *rig, const uint64_t *last);

#endif
