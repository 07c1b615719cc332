// SPDX-License-Identifier: Apache-2.0
// The trading day: opening commands, start and end.
//
//   NONE --OPEN_DAY--> OPENING --START--> OPEN --END_DAY--> ENDED
//                      symbols, accounts,
//                      sessions
//
// A command that the state does not expect, or that does not fit the capacity, changes nothing and emits nothing.
#ifndef CROSSWIRE_ENGINE_DAY_H
#define CROSSWIRE_ENGINE_DAY_H

#include "engine/emit.h"
#include "engine/state.h"

void day_open(struct engine *e, const struct command *c, struct out *out);
void day_open_symbol(struct engine *e, const struct command *c, struct out *out);
void day_open_account(struct engine *e, const struct command *c);
void day_open_session(struct engine *e, const struct command *c);
void day_start(struct engine *e, const struct command *c, struct out *out);
void day_end(struct engine *e, struct out *out);

// An EV_SYSTEM: for the feed with EV_MD_OTHER, for OUCH with no flag.
void emit_system(struct out *out, char code, uint8_t flags);

// Go on with WORK_START and WORK_END.
void day_start_continue(struct engine *e, struct out *out);
void day_end_continue(struct engine *e, struct out *out);

#endif
