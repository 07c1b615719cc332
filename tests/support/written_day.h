// SPDX-License-Identifier: Apache-2.0
// A day of one matching core that was traded and written: for tests of what follows the journal.
#ifndef CROSSWIRE_TESTS_SUPPORT_WRITTEN_DAY_H
#define CROSSWIRE_TESTS_SUPPORT_WRITTEN_DAY_H

#include "control/journal/journal.h"
#include "control/recovery/shadow.h"
#include "tests/support/control_stage.h"

struct written_day {
    struct stage stage;
    struct journal_identity identity;
    struct journal_writer *writer;
    struct journal_lane lane;
    struct shadow *venue; // what the matching core would be
    uint64_t given;
    uint32_t user_ref;
};

// An empty journal in a directory of its own, and its writer; of a day with risk where there is room for positions.
void written_day_begin(struct written_day *day, uint32_t max_positions);
void written_day_free(struct written_day *day);

// The opening, and session 0 comes up.
void written_day_open(struct written_day *day);

// Anything else, durably.
void written_day_give(struct written_day *day, struct command command);

// Orders of session 0, of which many trade; the one at `wrong` stands in the journal with another hash than the venue
// had. All is durable when it returns.
void written_day_trade(struct written_day *day, unsigned count, unsigned wrong);

#endif
