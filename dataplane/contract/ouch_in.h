// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0, client to venue: bytes to command.
#ifndef CROSSWIRE_CONTRACT_OUCH_IN_H
#define CROSSWIRE_CONTRACT_OUCH_IN_H

#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"

enum ouch_in_result {
    OUCH_IN_OK,     // a command; command->refuse may name a reject reason
    OUCH_IN_TYPE,   // unknown type: no UserRefNum can be trusted, discard
    OUCH_IN_LENGTH, // too short, too long, or an appendage that does not add up: discard
};

// Decodes and validates one OUCH message. Writes every order-entry field of `command` (absent options as zero bytes),
// type, refuse and options; leaves seq, time_ns, prev_hash, session and locate to the caller. What a field or option
// tag breaks goes into refuse as OUCH's reason, so that the engine can number the reject; limits on values follow
// OUCH 5.0 R1.05 and ouch_options.def. What the text leaves open is decided at the head of ouch_in.c.
enum ouch_in_result ouch_in_decode(const uint8_t *message, size_t size, struct command *command);

#endif
