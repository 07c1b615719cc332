// SPDX-License-Identifier: Apache-2.0
// Messages that concern a session or a firm as a whole, and walks over all orders of a session.
#ifndef CROSSWIRE_ENGINE_SESSIONS_H
#define CROSSWIRE_ENGINE_SESSIONS_H

#include "engine/emit.h"
#include "engine/state.h"

void session_mass_cancel(struct engine *e, const struct command *c, struct out *out);
void session_entry_control(struct engine *e, const struct command *c, struct out *out); // CMD_DISABLE, CMD_ENABLE
void session_query(struct engine *e, const struct command *c, struct out *out);
void session_up(struct engine *e, const struct command *c);
void session_down(struct engine *e, const struct command *c, struct out *out);

// Cancels the orders of session e->left.session from e->left.cursor on that pass e->left's filters, as many as fit.
// Returns true when the end of the session's list is reached.
bool session_walk(struct engine *e, struct out *out);

#endif
