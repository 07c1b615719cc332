// SPDX-License-Identifier: Apache-2.0
// Seals: JOURNALDIR/YYYYMMDD/NNNNNN.xws, one beside each closed segment, that says what the segment held when it was
// closed. Inside the journal, and for xwctl.
//
//   seal n-1            seal n                                         file
//   +--------+          +-----------+                                  +---------------------------+
//   | hash --+--------> | prev_hash |                                  | struct journal_seal       |
//   +--------+          | hash      | = H(prev_hash | standing blocks  | struct journal_seal_core  | for each core
//                       | signature |     of segment n | seal n)       | ..                        |
//                       +-----------+ Ed25519 over the seal            | signature                 |
//                                                                      +---------------------------+
//
// H is BLAKE2b-256. The chain goes on over dates: the first seal of a date has the hash of the date before, as far as
// that was sealed. Without a key seals are chained but not signed: that shows what was damaged or mixed up, but not
// what somebody altered who can make all seals again.
#ifndef CROSSWIRE_CONTROL_JOURNAL_SEAL_H
#define CROSSWIRE_CONTROL_JOURNAL_SEAL_H

#include <sodium.h>

#include "control/journal/disk.h"
#include "control/journal/journal.h"
#include "control/journal/key.h"

#define JOURNAL_SEAL_SUFFIX ".xws"
#define JOURNAL_SEAL_MAGIC UINT64_C(0x314c414553575843) // "CXWSEAL1"
#define JOURNAL_SEAL_VERSION 1u

enum { JOURNAL_HASH_BYTES = 32 };

enum journal_seal_flag {
    SEAL_SIGNED = 1,
    SEAL_CLOSED = 2, // the writer closed in order behind this segment
    SEAL_ENDED = 4,  // every core has had its CMD_END_DAY
    SEAL_LAST = 8,   // the date was over when this was made: nothing follows
};

struct journal_seal {
    uint64_t magic;
    uint32_t crc; // CRC32C of everything behind it, to the file's end
    uint32_t version;
    uint32_t engine_version;
    uint32_t date;
    uint32_t segment;
    uint32_t blocks;   // that stand
    uint32_t last_crc; // of the last of them
    uint32_t flags;
    uint64_t epoch;
    uint64_t config_hash;
    uint64_t records_before; // in the segments before
    uint64_t records;        // in this one
    uint64_t wall_ns;        // Unix time when the seal was made, for people
    char instance[32];
    uint32_t cores;     // entries that follow
    uint32_t prev_date; // whose hash prev_hash is; 0: this is the first seal of all
    uint32_t prev_segment;
    uint32_t unused;
    uint8_t prev_hash[JOURNAL_HASH_BYTES];
    uint8_t hash[JOURNAL_HASH_BYTES];
    uint8_t key[JOURNAL_KEY_BYTES]; // public key of the signature, zeros without one
};
_Static_assert(sizeof(struct journal_seal) == 224, "no padding");

struct journal_seal_core {
    uint16_t core;
    uint16_t ended;       // CMD_END_DAY has been
    uint32_t event_hash;  // low half of the rolling event hash before the last record
    uint64_t first, last; // sequences in this segment, first 0: none, and last is that of an earlier one
    uint64_t tick_seq;    // the last tick so far, 0: none
    uint64_t tick_hash;   // the rolling event hash that it held
};
_Static_assert(sizeof(struct journal_seal_core) == 40, "no padding");

struct journal_seal_file {
    struct journal_seal head;
    struct journal_seal_core cores[JOURNAL_CORES];
    uint8_t signature[JOURNAL_SIGNATURE_BYTES];
};

// Largest file.
enum { JOURNAL_SEAL_MAX = sizeof(struct journal_seal_file) };

// Reads the bytes of a seal's file. JOURNAL_OK, _CORRUPT, _FORMAT, _INSTANCE, _DATE; `text` says in one line what is
// wrong. `segment` is what the file's name says. The signature is not looked at.
enum journal_result journal_seal_parse(const void *bytes, size_t size, const struct journal_identity *identity,
                                       uint32_t segment, struct journal_seal_file *seal, char *text, size_t text_size);

// The same from the day's directory; JOURNAL_ABSENT when there is no such file, JOURNAL_SYSTEM.
enum journal_result journal_seal_read(const struct journal_identity *identity, int day, uint32_t segment,
                                      struct journal_seal_file *seal, char *text, size_t text_size);

// Whether the signature is that of one of these keys.
bool journal_seal_signed_by(const struct journal_seal_file *seal, const uint8_t (*keys)[JOURNAL_KEY_BYTES],
                            unsigned count);

// The numbers of the seals of a day, ascending; the caller frees. NULL with errno.
uint32_t *journal_list_seals(const struct journal_disk *disk, int day, unsigned *count);

// What a segment's seal must say, found out by walking it.
struct journal_measure {
    crypto_generichash_state state;
    struct journal_seal_file seal;
    void (*pace)(void *context, uint32_t blocks); // called as blocks go by, may be NULL
    void *pace_context;
};

// `before` is the seal of the segment before, of the same date or an earlier one; NULL for the first of all.
void journal_measure_begin(struct journal_measure *measure, const struct journal_identity *identity,
                           const struct journal_seal_file *before);

// A journal_watch, with the measure as context.
void journal_measure_block(void *measure, const struct journal_block *block);

// Walks one segment, to where the next one says that it ends, or the walk itself, and measures it. On failure `text`
// says why.
enum journal_result journal_measure_segment(struct journal_measure *measure, const struct journal_identity *identity,
                                            uint32_t segment, char *text, size_t text_size);

// Puts flags, hash, signature (`key` may be NULL) and CRC in; returns the file's size, its bytes are at `bytes`.
size_t journal_seal_complete(struct journal_measure *measure, uint32_t flags, const struct journal_key *key,
                             uint8_t bytes[JOURNAL_SEAL_MAX]);

// Whether `seal` says what was measured, its own flags and time taken as they are: NULL, or what of it does not.
const char *journal_seal_differs(const struct journal_measure *measure, const struct journal_seal_file *seal);

#endif
