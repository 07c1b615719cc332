// SPDX-License-Identifier: Apache-2.0
// The bar that a long walk over a journal draws on standard error, where that is a terminal:
//
//   [############............]  50 %  12.4 M records, 3.1 M/s
#ifndef CROSSWIRE_CONTROL_CTL_PROGRESS_H
#define CROSSWIRE_CONTROL_CTL_PROGRESS_H

#include "control/journal/journal.h"

struct ctl_progress {
    bool shown;      // somebody looks
    uint64_t blocks; // of the date's segments, 0: not known
    uint64_t next;   // records at which it is drawn again
    double begun;    // seconds, monotonic
};

void ctl_progress_begin(struct ctl_progress *progress, const struct journal_identity *identity);

// Draws it when it is time to; a struct ctl_progress and what the walk has found so far.
void ctl_progress_show(void *progress, const struct journal_report *report);

// Removes it. Returns the seconds since it began.
double ctl_progress_end(struct ctl_progress *progress);

#endif
