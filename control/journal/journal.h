// SPDX-License-Identifier: Apache-2.0
// The journal: what every matching core was told, in order, durable. Format: journal_format.h.
//
//   matcher 0 --ring--+
//   matcher 1 --ring--+--> journal thread --> writer (io_uring) --> segments --> reader --> recovery, audit, replay
//                     |         |
//                     +<--------+ durable_seq, then the ring's cursor
//
// Start of control:  journal_scan -> journal_writer_open -> journal_drain(each dead generation) -> journal_reader_open,
// feed
//                    -> journal_thread_start(the live generation).
#ifndef CROSSWIRE_CONTROL_JOURNAL_JOURNAL_H
#define CROSSWIRE_CONTROL_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/region.h"
#include "control/journal/format.h"

enum journal_result {
    JOURNAL_OK = 0,
    JOURNAL_END,      // reader: no further record
    JOURNAL_ABSENT,   // no journal for this date
    JOURNAL_SYSTEM,   // the system refused (open, read, map, ..); text and errno say why
    JOURNAL_IO,       // a write or sync failed: final
    JOURNAL_SPACE,    // no room for another segment: final
    JOURNAL_BUSY,     // another writer holds this date
    JOURNAL_CORRUPT,  // damage that is no torn tail
    JOURNAL_MISSING,  // a segment, or blocks at its end, are gone
    JOURNAL_GAP,      // a core's sequences do not follow each other
    JOURNAL_FORMAT,   // another format version
    JOURNAL_ENGINE,   // another engine version: start from a snapshot
    JOURNAL_INSTANCE, // of another instance
    JOURNAL_DATE,     // of another trading date
    JOURNAL_EPOCH,    // epochs do not follow each other
};

// "corrupt", "missing", ...
const char *journal_result_name(enum journal_result result);

// The sysexits code with which a process that cannot go on should end: 65, 74, 73, 75 or 71.
int journal_exit_code(enum journal_result result);

struct journal_key;

// Which journal. Strings outlive whatever is opened with it.
struct journal_identity {
    const char *directory;           // JOURNALDIR; the date's directory below it is made when it is missing
    const char *instance;            // at most 31 characters
    uint32_t date;                   // yyyymmdd
    uint64_t config_hash;            // writer: put into every block
    const struct journal_disk *disk; // journal_disk.h; NULL: the system's
    bool any_engine; // do not refuse what another engine version wrote: the caller does, or needs no history
    const struct journal_key *key; // snapshots are signed by it, and must be; NULL: neither
};

// ---- reading --------------------------------------------------------------------------------------------------------

struct journal_place {
    uint32_t segment;
    uint32_t block;
    uint64_t byte; // from the segment's start
};

// What a walk over the journal has found so far.
struct journal_report {
    uint64_t records;    // given out, duplicates not among them
    uint64_t duplicates; // records passed over: their sequence had been seen
    uint64_t blocks;     // that check, segment headers among them
    uint32_t segments;   // that have a header
    uint32_t epochs;
    uint64_t epoch;                   // of the last segment, 0 for an empty journal
    uint64_t config_hash;             // of the last segment
    uint32_t engine_version;          // of the last segment
    uint64_t last_seq[JOURNAL_CORES]; // a core: 0 for none
    uint64_t foreign[JOURNAL_CORES];  // of these, the last that a core of another engine version has taken
    bool closed;                      // the last writer closed in order
    bool torn;                        // a torn tail was left out, beginning at torn_at
    struct journal_place torn_at;
    uint32_t torn_blocks; // blocks with something in them from there on
    uint32_t unread;      // of the segments before this one only the ends were read; 0: all were read whole
    // Where a writer goes on.
    uint32_t last_segment; // 0 for an empty journal
    uint32_t last_blocks;
    uint32_t last_crc;
    uint64_t last_records; // in the journal, duplicates included
    // After a refusal.
    struct journal_place bad;
    char text[256]; // one line: what is wrong, where, and what to do
};

struct journal_reader;

// One segment in memory, for tests and fuzzing.
struct journal_image {
    uint32_t segment;
    const void *bytes; // aligned to 8
    size_t size;
};

// Opens the identity's date for reading (its config_hash is not compared). On any result but OK, *reader is NULL and
// `report` (may be NULL) has the text. JOURNAL_ABSENT when there is no segment.
enum journal_result journal_reader_open(struct journal_reader **reader, const struct journal_identity *identity,
                                        struct journal_report *report);

// The same over images, ascending by segment; they outlive the reader.
enum journal_result journal_reader_open_images(struct journal_reader **reader, const struct journal_identity *identity,
                                               const struct journal_image *images, unsigned count);

// As journal_reader_open, but the walk gives records from this place on (its `byte` is not looked at; {0}: from the
// beginning). Segments before it are neither read nor need they exist: what stood before is taken from the segment's
// header. JOURNAL_MISSING, here or at the walk's end, when the journal does not reach that far.
enum journal_result journal_reader_open_at(struct journal_reader **reader, const struct journal_identity *identity,
                                           struct journal_place from, struct journal_report *report);

// The same, but the walk gives every record whose sequence is above its core's in `covered`, and begins with the last
// segment that has nothing else before it. JOURNAL_MISSING at the walk's end when the journal does not hold all that is
// covered.
enum journal_result journal_reader_open_after(struct journal_reader **reader, const struct journal_identity *identity,
                                              const uint64_t covered[JOURNAL_CORES], struct journal_report *report);

// Stops the walk before this place, as given by journal_writer_position, when the writer goes on at the same time. Once
// such a walk has ended, a later place makes it go on.
void journal_reader_until(struct journal_reader *reader, struct journal_place until);

// The block that holds the record that was given last, so that a walk opened there gives it again; when the walk has
// ended, where that was.
struct journal_place journal_reader_place(const struct journal_reader *reader);

// The next record, valid until the next call: its seq word is core << 56 | sequence. OK, END, or why the walk stops
// here (then for good; the report's `bad` and `text` say where and what).
enum journal_result journal_reader_next(struct journal_reader *reader, const struct command **record);

// What has been found so far; complete after END. Valid as long as the reader.
const struct journal_report *journal_reader_report(const struct journal_reader *reader);

void journal_reader_close(struct journal_reader *reader);

// Walks the whole date with all checks and leaves the report. JOURNAL_OK also when there is no journal (all zero).
// JOURNAL_MISSING also when a seal shows that there was more.
enum journal_result journal_scan(const struct journal_identity *identity, struct journal_report *report);

// The same for a start that stands on snapshots, which cover each core up to its sequence in `covered`: segments that
// hold nothing else are held against each other by their first and last blocks alone, and are not read (`unread`;
// counts are of what was read). NULL: nothing is covered.
enum journal_result journal_scan_after(const struct journal_identity *identity, const uint64_t covered[JOURNAL_CORES],
                                       struct journal_report *report);

// The instance that the first segment of a date was written by, empty when that can not be told. false with errno when
// there is no segment.
bool journal_read_instance(const char *directory, uint32_t date, char instance[33]);

// Trading dates that have a directory, ascending, into `list` (room for `most`); how many there are in all, or -1 with
// errno.
int journal_dates(const char *directory, uint32_t *list, int most);

static inline unsigned journal_core(const struct command *record)
{
    return (unsigned)(record->seq >> COMMAND_SEQ_BITS);
}

static inline uint64_t journal_sequence(const struct command *record)
{
    return record->seq & COMMAND_SEQ_MASK;
}

// ---- writing --------------------------------------------------------------------------------------------------------

struct journal_writer;

struct journal_writer_options {
    uint32_t segment_mb; // largest segment; an epoch's first ones are smaller, so that a start is quick
    uint32_t commit_kb;  // largest single write
    unsigned depth;      // writes outstanding, 0: what measured best
    bool alone;          // no helper thread: the calling one makes the segments to come (simulator)
};

// Opens a new segment and a new epoch behind what `tail` found (a fresh report of journal_scan). Belongs to one thread
// at a time; a helper thread of its own pre-writes the segments to come. Logs XW3001. On failure *writer is NULL,
// `text` says why.
enum journal_result journal_writer_open(struct journal_writer **writer, const struct journal_identity *identity,
                                        const struct journal_writer_options *options, const struct journal_report *tail,
                                        char *text, size_t text_size);

// Closes in order: waits for what is outstanding, writes the end block, trims unused space. Not after a failure: then
// it only lets go. Returns the writer's final result. Nothing of the writer stays.
enum journal_result journal_writer_close(struct journal_writer *writer);

// Whether the segment that is written still stands where the journal belongs; false once it was moved or removed. A
// directory that only can not be looked at counts as there. From any thread.
bool journal_writer_present(const struct journal_writer *writer);

// JOURNAL_OK, or the failure that ended it. From any thread.
enum journal_result journal_writer_result(const struct journal_writer *writer);
const char *journal_writer_text(const struct journal_writer *writer);

uint64_t journal_writer_epoch(const struct journal_writer *writer);

// End of what is durable: everything before it can be read. From any thread.
struct journal_place journal_writer_position(const struct journal_writer *writer);

// Last sequence of a core that is durable. From any thread.
uint64_t journal_writer_durable(const struct journal_writer *writer, unsigned core);

// Counts since the writer was opened. From any thread; each number is whole, together they may be of different moments.
struct journal_counts {
    uint64_t records;    // durable
    uint64_t duplicates; // passed over because the journal had them
    uint64_t commits;
    uint64_t bytes; // of blocks, durable
    uint64_t segments;
    uint64_t segment_waits; // times that the next segment was not pre-written in time
    bool next_ready;        // the next segment is pre-written
    bool space_low;         // the next segment cannot be pre-written: the disk is full
};
struct journal_counts journal_writer_counts(const struct journal_writer *writer);

// ---- from the rings -------------------------------------------------------------------------------------------------

// One matching core's way into the journal.
struct journal_lane {
    unsigned core;
    struct ring *ring;         // OBJECT_JOURNAL
    struct matcher_port *port; // OBJECT_MATCHER; NULL: nobody is told
};

// The lanes of a region that is joined writable, into `lanes` (room for `most`). Returns how many.
unsigned journal_lanes(const struct region *region, struct journal_lane *lanes, unsigned most);

// Makes durable whatever the producers of these rings had published before they died, and moves the rings' cursors. The
// sequences that the journal already has are passed over. Returns when the rings are empty, or with the failure.
enum journal_result journal_drain(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count);

// Makes durable whatever the producers of these rings, which live, have published before this call, and moves the
// rings' cursors; what they publish meanwhile stays there, so that it returns however fast they are.
enum journal_result journal_catch_up(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count);

struct journal_thread;

struct journal_thread_options {
    bool durable; // ack durable: poll, and publish durable_seq. false: wake once a millisecond, leave durable_seq alone
    bool yield;   // durable: idle by sched_yield instead of a short sleep
    bool survive; // on failure only stop (tests). Otherwise: log XW3002 and end the process with 74
    unsigned cpu; // pin to this CPU when pinned
    bool pinned;
};

// Runs the rings of a live region to `writer`, which is the thread's until it is stopped. NULL with errno on failure.
struct journal_thread *journal_thread_start(struct journal_writer *writer, const struct journal_lane *lanes,
                                            unsigned count, const struct journal_thread_options *options);

// Whether the thread still works; false after a failure (with `survive`) or after it was stopped.
bool journal_thread_running(const struct journal_thread *thread);

// Turns of its loop so far: one that does not move hangs, or waits for a write that does not end.
uint64_t journal_thread_turns(const struct journal_thread *thread);

// Makes durable what was published before this call, ends the thread and frees it. The writer stays open. Returns its
// result.
enum journal_result journal_thread_stop(struct journal_thread *thread);

#endif
