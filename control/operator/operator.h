// SPDX-License-Identifier: Apache-2.0
// What an operator may ask of control, at INSTANCE.control.sock (desk.h says how):
//
//   {"ask":"trade_show","match":M}
//   {"ask":"trade_break","match":M,"reason":"E","by":"NAME"}
//   {"ask":"trade_adjust","match":M,"price":P,"quantity":Q,"by":"NAME"}      price in 1/10,000
//   {"ask":"phase","phase":"R","by":"NAME"}
//   {"ask":"references"}
//   {"ask":"breaker_reset","trip":"TRIP","by":"NAME"}
//   {"ask":"limits_set","scope":"account","name":"NORTH","limit":"max_quantity","value":"100","by":"NAME"}
//   {"ask":"limits_pending"}  {"ask":"limits_approve","request":N,"by":"NAME"}  {"ask":"limits_reject",..}
//   {"ask":"reload","by":"NAME"}  {"ask":"config_show"}
//
// and, at INSTANCE.kill.sock, as many at once as there are callers, so that nothing stands before a kill:
//
//   {"ask":"kill","scope":"account","name":"FIRST","side":"B","actions":3,"by":"NAME","why":"TEXT"}     "side" or not
//   {"ask":"reset","scope":"account","name":"FIRST","by":"NAME","why":"TEXT"}
//   {"ask":"kills"}  {"ask":"standing"}
//
// Root and the user of this process may ask; for kills the members of the group control.kill_group too. What changes
// something is a command, so a control that is killed in between has done all of it or nothing.
#ifndef CROSSWIRE_CONTROL_OPERATOR_OPERATOR_H
#define CROSSWIRE_CONTROL_OPERATOR_OPERATOR_H

#include "control/operator/desk.h"

struct operator_desk;

// Makes the sockets. `context` outlives what is made. NULL with one line in `error`.
struct operator_desk *operator_new(const struct desk_context *context, char *error, size_t error_size);

// Closes the connections and removes the sockets.
void operator_free(struct operator_desk *operators);

// Goes on, bounded, at monotonic time `now_ns`. `recovery` is the one of the running data plane when it is done, else
// NULL: then nothing can be changed. Returns how much it did.
unsigned operator_poll(struct operator_desk *operators, struct recovery *recovery, uint64_t now_ns);

// ---- the subjects, a file each
extern const struct desk_subject ask_trade_show, ask_trade_break, ask_trade_adjust; // trade.c
extern const struct desk_subject phase_move;                                        // phase.c
extern const struct desk_subject limits_set, limits_pending, limits_approve, limits_reject, limits_reload,
    config_show;                                                                                 // limits.c
extern const struct desk_subject switch_kill, switch_reset, switch_list;                         // kill.c
extern const struct desk_subject standing_show;                                                  // standing.c
extern const struct desk_subject market_references;                                              // references.c
extern const struct desk_subject breaker_reset_by;                                               // breaker.c
extern const struct desk_subject market_halt, market_reference, market_bands_set, market_breach; // market.c

// A kill, for people and programs.
json_t *kill_json(const struct config *config, const struct kill_entry *entry); // kill.c

// What a reset that is confirmed has left, for people and programs. `recovery`: NULL when no data plane runs any more.
json_t *resumes_json(const struct desk_context *context, const struct recovery *recovery,
                     const struct kill_entry *reset); // resumes.c

// The session phase of the matching core that is furthest behind, 0 when the day has not started on one.
char phase_of(const struct config *config, const struct recovery *recovery); // phase.c

// "trading", "halted", ..
const char *state_word(enum trading_state state); // standing.c

#endif
