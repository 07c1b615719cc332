// SPDX-License-Identifier: Apache-2.0
// The oracle: a venue in the plainest code there is, with its own reading of the rules. One array of resting orders,
// oldest first, searched from end to end for everything. Shares nothing with the engine but the shape of commands and
// events.
#ifndef CROSSWIRE_TESTS_NAIVE_VENUE_H
#define CROSSWIRE_TESTS_NAIVE_VENUE_H

#include <stddef.h>

#include "contract/command.h"
#include "contract/event.h"

struct naive_venue;

// What a message came to; the same meanings as the engine's outcome.
enum naive_outcome { NAIVE_NONE, NAIVE_ACCEPTED, NAIVE_REJECTED, NAIVE_DUPLICATE, NAIVE_NO_EFFECT };

struct naive_venue *naive_new(void);
void naive_free(struct naive_venue *venue);

// Takes a command and returns all of its events, however many. They stay valid until the next call.
const struct event *naive_step(struct naive_venue *venue, const struct command *command, size_t *count);

enum naive_outcome naive_outcome(const struct naive_venue *venue);
size_t naive_live_orders(const struct naive_venue *venue);

#endif
