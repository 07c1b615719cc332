// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0, venue to client: event to bytes. Gateways send them; control makes the same bytes again from the journal.
#ifndef CROSSWIRE_CONTRACT_OUCH_OUT_H
#define CROSSWIRE_CONTRACT_OUCH_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "contract/event.h"

#define OUCH_OUT_MAX 192 // no outbound message is longer: an Accepted with every tag takes 180

// Which party of a TRADE the message is for. Other events have only the taker.
enum ouch_party { OUCH_TAKER, OUCH_MAKER };

// Writes the OUCH message that `event` makes for `party` to `out` (room for OUCH_OUT_MAX) and returns its length, 0
// when the event makes none for a client. An echoed appendage follows OUCH's rule: on C, D, B, J, P, I, T, M and Q the
// length field itself is there only when UserRefIdx is not zero.
size_t ouch_out_encode(const struct event *event, enum ouch_party party, uint8_t *out);

#endif
