// SPDX-License-Identifier: Apache-2.0
// The writer as the pump (journal_thread.c) drives it: fill a commit, submit it, reap what is durable. Inside the
// journal.
//
//   journal_append*  -> the commit being filled       (buffer 0)
//   journal_submit   -> one write, O_DIRECT, DSYNC    (buffer 1, outstanding)
//   journal_reap     -> durable: journal_writer_durable moves
//
// While one write is on its way the next commit fills up: the slower the device, the larger the commit.
#ifndef CROSSWIRE_CONTROL_JOURNAL_WRITER_H
#define CROSSWIRE_CONTROL_JOURNAL_WRITER_H

#include <stdbool.h>

#include "control/journal/journal.h"

// Makes the calling thread the writer's thread: its io_uring, its registered buffers. Nothing is outstanding at either
// call.
enum journal_result journal_attach(struct journal_writer *writer);
void journal_detach(struct journal_writer *writer);

// Last sequence of a core that was appended or stood in the journal before.
uint64_t journal_taken(const struct journal_writer *writer, unsigned core);

// Copies a command into the commit being filled; its sequence must be journal_taken + 1. False when there is no room:
// submit, reap and try again; or the writer has failed.
bool journal_append(struct journal_writer *writer, unsigned core, const struct command *command);

void journal_count_duplicate(struct journal_writer *writer);

// Starts writing what was appended, when something was and a write may be started.
void journal_submit(struct journal_writer *writer);

// Takes completions; with `wait` blocks for one when a write is outstanding. True when something became durable.
bool journal_reap(struct journal_writer *writer, bool wait);

// Writes on their way.
unsigned journal_outstanding(const struct journal_writer *writer);

// Something is appended and not yet submitted.
bool journal_pending(const struct journal_writer *writer);

// The writer's failure from outside, for instance a gap in a ring. Keeps the first.
void journal_fail(struct journal_writer *writer, enum journal_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
