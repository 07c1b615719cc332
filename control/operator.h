// SPDX-License-Identifier: Apache-2.0
// The operator's socket: RUN_DIRECTORY/INSTANCE.control.sock, a Unix stream. One JSON object a line in, one out:
//
//   {"ask":"trade_show","match":M}
//   {"ask":"trade_break","match":M,"reason":"E","by":"NAME"}
//   {"ask":"trade_adjust","match":M,"price":P,"quantity":Q,"by":"NAME"}      price in 1/10,000
//   {"ask":"phase","phase":"R","by":"NAME"}
//
//   {"ok":true, ..}      {"ok":false,"exit":65,"error":"what is wrong: what to do"}
//
// Root and the user of this process may ask, nobody else. One request at a time goes through
//
//   SEARCH (the trade, in the journal) -> GIVE (a command, journaled or not) -> CONFIRM (the Broken Trade in the
//   journal)
//
// so a control that is killed in between has done all of it or nothing, and `trade_show` tells which.
#ifndef CROSSWIRE_CONTROL_OPERATOR_H
#define CROSSWIRE_CONTROL_OPERATOR_H

#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"
#include "control/recovery/outbound.h"
#include "control/recovery/recovery.h"

struct operator_desk;

// Makes the socket. All of it outlives what is made. NULL with one line in `error`.
struct operator_desk *operator_new(const struct config *config, struct outbound *outbound,
                                   const struct journal_writer *writer, char *error, size_t error_size);

// Closes the connections and removes the socket.
void operator_free(struct operator_desk *desk);

// Goes on, bounded, at monotonic time `now_ns`. `recovery` is the one of the running data plane when it is done, else
// NULL: then nothing can be changed. Returns how much it did.
unsigned operator_poll(struct operator_desk *desk, struct recovery *recovery, uint64_t now_ns);

#endif
