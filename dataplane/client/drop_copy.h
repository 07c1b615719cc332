// SPDX-License-Identifier: Apache-2.0
// Drop copy from the receiver's side: the envelope that each message of its stream is. Open the session as any other,
// with the drop copy's own user and password; it takes no orders.
#ifndef CROSSWIRE_CLIENT_DROP_COPY_H
#define CROSSWIRE_CLIENT_DROP_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XW_DROP_COPY_TYPE 'c'

struct xw_drop_copy {
    char user[7];           // of the session that was told, NUL-terminated, trailing blanks cut
    char account[17];       // its account, likewise
    uint32_t sequence;      // of the message in that session's own stream: 1, 2, 3, .. without a hole
    const uint8_t *message; // for xw_ouch_decode, as that session has it byte for byte; in the caller's bytes
    size_t size;
};

// Reads one message of a drop copy's stream; false when it is no envelope. What is in it is not looked at.
bool xw_drop_copy_decode(const uint8_t *bytes, size_t size, struct xw_drop_copy *out);

// Writes one line without an end: user, account, sequence and what the message says; cut to `room`. Returns its
// length.
size_t xw_drop_copy_print(const struct xw_drop_copy *copy, char *out, size_t room);

#endif
