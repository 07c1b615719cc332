// SPDX-License-Identifier: Apache-2.0
// What a session has received, on disk, outside of both processes: {session name, sequence, bytes} appended as it came,
// twice where a message came twice. From it the kill tests prove that one sequence number always had the same bytes.
#ifndef CROSSWIRE_PERF_RECORD_H
#define CROSSWIRE_PERF_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct record; // an open file

// Opens `path` for appending; what an earlier run wrote stays. NULL with errno.
struct record *record_open(const char *path);

// Appends one sequenced message of `user` (6 characters) in `session` (10 characters). Buffered until record_flush.
void record_append(struct record *record, const char user[6], const char session[10], uint32_t sequence,
                   const void *message, size_t size);

// Gives what is buffered to the kernel. Returns 0, or -1 when any write since record_open failed.
int record_flush(struct record *record);

// Flushes and closes; as record_flush.
int record_close(struct record *record);

struct record_findings {
    uint64_t messages;  // read in all
    uint64_t repeated;  // of those, that had been seen before, with the same bytes
    uint64_t differing; // with other bytes than before: never allowed
    uint64_t missing;   // sequences below the highest that were never received
    uint64_t streams;   // (user, session) pairs
};

// Reads `count` files and compares all of what they hold, sequence by sequence. Writes a line to `out` for the first
// ten differences. Returns 0 when it could read them (look at the findings), or -1 with one line in error.
int record_verify(const char *const *paths, unsigned count, struct record_findings *findings, FILE *out, char *error,
                  size_t error_size);

#endif
