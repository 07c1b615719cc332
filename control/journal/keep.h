// SPDX-License-Identifier: Apache-2.0
// What is done with segments once they are closed, a step at a time, for the keeper's thread and for tests: seals,
// compression, retention. Every step can be killed anywhere and done again. Inside the journal.
#ifndef CROSSWIRE_CONTROL_JOURNAL_KEEP_H
#define CROSSWIRE_CONTROL_JOURNAL_KEEP_H

#include "control/journal/journal.h"
#include "control/journal/key.h"

struct journal_keep {
    const struct journal_key *key;                // NULL: seals are chained, not signed
    bool (*pace)(void *context, uint32_t blocks); // called as blocks go by; false: give up. NULL: at full speed
    void *pace_context;
};

// What a step has come to.
struct journal_kept {
    unsigned done;    // segments sealed or compressed, dates removed
    uint32_t segment; // the last of them
    uint64_t bytes;   // freed
    char text[320];   // after a failure: one line
};

// Seals every closed segment of the identity's date that has none; `over`: the date is not today's, so that its last
// seal says that nothing follows. The segment that a writer has open is left alone. JOURNAL_OK also when there was
// nothing to do or pace gave up. JOURNAL_SYSTEM (no room, ..): to be tried again later; others: the journal is damaged
// there, and what comes behind it stays unsealed.
enum journal_result journal_seal_day(const struct journal_identity *identity, const struct journal_keep *keep,
                                     bool over, struct journal_kept *kept);

// Compresses every sealed segment of a date: NNNNNN.xwj becomes NNNNNN.xwj.zst. The plain file goes once the compressed
// one was read back, compared, and is durable. Results as above.
enum journal_result journal_compress_day(const struct journal_identity *identity, const struct journal_keep *keep,
                                         struct journal_kept *kept);

// Removes whole dates before the identity's, the oldest first: those that are more than `days` days before it (0: none
// is too old), and as long as all dates together take more than `mb` MiB (0: no limit). Only dates of this instance
// whose every segment is sealed, and never the newest one. `removed` is told of each. JOURNAL_SYSTEM: to be tried
// again.
enum journal_result journal_retain(const struct journal_identity *identity, uint32_t days, uint32_t mb,
                                   void (*removed)(uint32_t date, uint64_t bytes, const char *why),
                                   struct journal_kept *kept);

#endif
