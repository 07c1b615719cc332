// SPDX-License-Identifier: Apache-2.0
// Receivers of drop copies: the client library's session and its reader of envelopes. Each message must be the next of
// the session that it names, byte for byte; what accounts come to by them alone is the observer's (observer.h).
#ifndef CROSSWIRE_TESTS_SIM_COPIES_H
#define CROSSWIRE_TESTS_SIM_COPIES_H

#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

void copies_open(const struct config *config);

// A UDP datagram for the receiver of drop copy `copy`.
void copy_receive(unsigned copy, uint16_t to_port, const uint8_t *payload, size_t size);

// NULL when every receiver has all that there is; else what is missing.
const char *copies_busy(void);

// At rest: every session's messages have come, to the last.
void copies_check_rest(void);

#endif
