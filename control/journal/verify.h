// SPDX-License-Identifier: Apache-2.0
// Whether a date's journal is what was sealed: every block against its CRC and the one before it, every sequence, every
// segment against its seal, every seal against the one before it and against its signature. Stops at the first fault.
#ifndef CROSSWIRE_CONTROL_JOURNAL_VERIFY_H
#define CROSSWIRE_CONTROL_JOURNAL_VERIFY_H

#include "control/journal/seal.h"

struct journal_verdict {
    struct journal_report report;  // of the walk
    unsigned seals;                // that are right
    unsigned seals_signed;         // of them
    uint32_t unsealed;             // the first segment without a seal, none behind it has one; 0: all are sealed
    struct journal_seal_file last; // the last seal, when there is one
    struct journal_seal_file first;
    void (*tell)(void *context, const struct journal_report *report); // the caller's, told at every record; or NULL
    void *context;
    char text[320]; // after a fault: one line
};

// `keys` are the public keys of which each seal must be signed by one; NULL: signatures need only be right for the key
// that they name. `before`: the last seal of the date before, which the first one must follow; NULL: not known. Reads
// nothing but the date's directory. JOURNAL_OK, or the first fault.
enum journal_result journal_verify(const struct journal_identity *identity, const uint8_t (*keys)[JOURNAL_KEY_BYTES],
                                   unsigned count, const struct journal_seal_file *before,
                                   struct journal_verdict *verdict);

// How far the seals of a date reach: of what was cut off a seal is the proof. A seal that is itself damaged is not
// looked into. To be asked before a walk, because a live journal's seals grow during it.
struct journal_reach {
    uint32_t segment; // 0: there is no seal
    uint32_t blocks;  // 0: not known
};
struct journal_reach journal_reach_of_seals(const struct journal_identity *identity);

// Whether the journal, of which `report` tells, reaches that far. JOURNAL_MISSING, with a line in `text`.
enum journal_result journal_reaches(const struct journal_reach *reach, const struct journal_identity *identity,
                                    const struct journal_report *report, char *text, size_t text_size);

// What stands of a date, at a glance.
struct journal_overview {
    unsigned segments; // files, one that is being made among them
    unsigned sealed;
    uint64_t blocks;     // in the segments, unpacked; what is prepared and not written yet among them
    uint64_t free_bytes; // that this user may still write to the file system
};

// false with errno when the date has no directory or it can not be read.
bool journal_look(const struct journal_identity *identity, struct journal_overview *overview);

#endif
