// SPDX-License-Identifier: Apache-2.0
// Keys that sign the journal's seals (Ed25519, RFC 8032, by libsodium). A key is a line of text in a file: the secret
// one stays with control, the public one is all that whoever verifies needs.
#ifndef CROSSWIRE_CONTROL_JOURNAL_KEY_H
#define CROSSWIRE_CONTROL_JOURNAL_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JOURNAL_KEY_BYTES = 32, JOURNAL_SECRET_BYTES = 64, JOURNAL_SIGNATURE_BYTES = 64, JOURNAL_KEYS_MAX = 64 };

struct journal_key {
    uint8_t public[JOURNAL_KEY_BYTES];
    uint8_t secret[JOURNAL_SECRET_BYTES];
};

// Makes a pair: the secret key into a new file `path` (mode 0600), the public one into `path`.pub. Each of these
// returns 0, or a sysexits code with one line in `text` that says what is wrong and what mends it.
int journal_key_make(const char *path, char *text, size_t text_size);

// A file that others than its owner may read is refused.
int journal_key_load(const char *path, struct journal_key *key, char *text, size_t text_size);

// The public keys of a file, one a line; empty lines and such with # are left out. A key that is replaced stays listed
// as long as seals of it are to be verified.
int journal_keys_load_public(const char *path, uint8_t (*keys)[JOURNAL_KEY_BYTES], unsigned *count, char *text,
                             size_t text_size);

#endif
