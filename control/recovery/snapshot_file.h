// SPDX-License-Identifier: Apache-2.0
// Snapshots on disk: JOURNALDIR/YYYYMMDD/CC-SSSSSSSSSSSSSSSS.xwn, one a matching core (CC) and covered sequence (S).
//
//   block of 4 KiB:  128 bytes struct snapshot_block | what its kind says
//   block 0          SNAPSHOT_HEADER: whose it is, and what it covers
//   blocks 1..       SNAPSHOT_RECORDS: 1..31 commands CMD_RESTORE_*, in the order in which a matching core takes them
//   last block       SNAPSHOT_END: how many records, their digest, and, with a key, the signature of all of it
//
// Every block has the CRC32C of all of it behind the CRC, its number, and the file's own random id, so that blocks that
// are flipped, missing, doubled, swapped or of another file are noticed; a file without its last block is none. It is
// written under a temporary name, synced, and only then has its name: what has the name is whole, whatever was killed.
#ifndef CROSSWIRE_CONTROL_RECOVERY_SNAPSHOT_FILE_H
#define CROSSWIRE_CONTROL_RECOVERY_SNAPSHOT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"
#include "control/journal/journal.h"
#include "control/journal/key.h"

#define SNAPSHOT_MAGIC UINT64_C(0x3150414e53575843) // "CXWSNAP1"
#define SNAPSHOT_VERSION 2u                         // of this format and of the records in it
_Static_assert(CROSSWIRE_ENGINE_VERSION == 7, "a changed engine takes snapshots of the one before: where a record says "
                                              "something else than it did, SNAPSHOT_VERSION is another one too");
#define SNAPSHOT_BLOCK 4096u
#define SNAPSHOT_RECORDS_MAX 31u // a block

enum snapshot_kind { SNAPSHOT_HEADER = 1, SNAPSHOT_RECORDS = 2, SNAPSHOT_END = 3 };

struct snapshot_block {
    uint64_t magic;
    uint32_t crc; // CRC32C of bytes 12..4095
    uint32_t version;
    uint64_t id;      // of the file
    uint32_t number;  // of the block
    uint16_t kind;    // enum snapshot_kind
    uint16_t count;   // records
    uint64_t records; // in the blocks before
    char unused[88];
};
_Static_assert(sizeof(struct snapshot_block) == 128, "the header takes the place of one record");

// What a snapshot says of itself.
struct snapshot_facts {
    char instance[32];       // zero padded
    uint32_t date;           // yyyymmdd
    uint32_t engine_version; // of the engine that it was taken of
    uint64_t config_hash;    // of the configuration then
    uint64_t opening;        // opening_digest() then
    uint64_t covered;        // last sequence
    uint64_t event_hash;     // after it
    uint64_t time_ns;        // of the engine
    uint64_t wall_ns;        // Unix time, for people
    uint32_t core;
    uint32_t downs; // session-downs of a restart since the last CLOCK: struct opening's
    char phase;     // enum session_phase
    uint8_t ended;  // the day
    char unused[6];
};
_Static_assert(sizeof(struct snapshot_facts) == 104, "no padding");

struct snapshot_end {
    uint64_t records, covered, digest;
    uint8_t signature[JOURNAL_SIGNATURE_BYTES]; // Ed25519, of the hash that snapshot_hash_end gives; zeros: not signed
};

// ---- writing: by one thread -----------------------------------------------------------------------------------------

struct snapshot_writer;

// Begins a file for `facts` (instance, date and wall_ns are filled in) under its temporary name. NULL with errno.
struct snapshot_writer *snapshot_create(const struct journal_identity *identity, const struct snapshot_facts *facts);

// Adds a record. false with errno: then only snapshot_abandon.
bool snapshot_put(struct snapshot_writer *writer, const struct command *record);

uint64_t snapshot_bytes(const struct snapshot_writer *writer);

// The stream is complete: writes the last block and syncs the file. false with errno.
bool snapshot_seal(struct snapshot_writer *writer);

// Gives a sealed file its name, durably, and removes the oldest of the same core beyond `keep`. Frees the writer. false
// with errno.
bool snapshot_publish(struct snapshot_writer *writer, unsigned keep);

// Removes the file and frees the writer.
void snapshot_abandon(struct snapshot_writer *writer);

// ---- reading --------------------------------------------------------------------------------------------------------

struct snapshot_reader;

enum snapshot_result { SNAPSHOT_OK, SNAPSHOT_OVER, SNAPSHOT_BAD };

// The sequences that the day's snapshots of `core` cover, newest first, into `list` (room for `most`). How many there
// are in all, or -1 with errno.
int snapshot_list(const struct journal_identity *identity, unsigned core, uint64_t *list, int most);

// Opens one of them: its first and its last block are checked, whose it is too. NULL with one line in `text`.
struct snapshot_reader *snapshot_open(const struct journal_identity *identity, unsigned core, uint64_t covered,
                                      char *text, size_t text_size);

const struct snapshot_facts *snapshot_facts(const struct snapshot_reader *reader);
uint64_t snapshot_records(const struct snapshot_reader *reader);

// The next record, valid until the next call. BAD: a block is damaged, or in place of OVER, with a key in the identity,
// all of it is not signed by that; snapshot_text says which.
enum snapshot_result snapshot_read(struct snapshot_reader *reader, const struct command **record);

const char *snapshot_text(const struct snapshot_reader *reader);

void snapshot_close(struct snapshot_reader *reader);

// Whether a snapshot of `core` that covers at least `least` can be read whole: where the journal up to there is of no
// use, because another engine version has taken it.
bool snapshot_stands(const struct journal_identity *identity, unsigned core, uint64_t least);

// ---- both -----------------------------------------------------------------------------------------------------------

#define SNAPSHOT_NAME_BYTES 40
#define SNAPSHOT_CHUNK (64 * SNAPSHOT_BLOCK) // that is read or written at once

void snapshot_name(char name[SNAPSHOT_NAME_BYTES], unsigned core, uint64_t covered);

// The day's directory; -1 with errno.
int snapshot_directory(const struct journal_identity *identity);

// BLAKE2b-256 of every block but the last and of what that says, keyed so that it is the hash of nothing else.
struct snapshot_hash;

enum { SNAPSHOT_HASH_BYTES = 32 };

struct snapshot_hash *snapshot_hash_new(void); // free() it; NULL: no memory
void snapshot_hash_block(struct snapshot_hash *hash, const void *block);
void snapshot_hash_end(struct snapshot_hash *hash, const struct snapshot_end *end, uint8_t out[SNAPSHOT_HASH_BYTES]);

// Removes what was being written when its process was killed.
void snapshot_clean(const struct journal_identity *identity);

static inline uint64_t snapshot_blocks_of(uint64_t records)
{
    return 2 + (records + SNAPSHOT_RECORDS_MAX - 1) / SNAPSHOT_RECORDS_MAX;
}

#endif
