// SPDX-License-Identifier: Apache-2.0
// What risk sets in motion is done when a command's own work is over, before pegs and stops and again between them
// (risk.md section 10): marks, stages and loss limits, market-maker protection, kills.
//
//   check, trade, limit --settle_party--> bit of an account, firm, session
//   step_close --(e->pending)--> afterwork --> settle_run until nothing waits
#ifndef CROSSWIRE_ENGINE_SETTLE_H
#define CROSSWIRE_ENGINE_SETTLE_H

#include "engine/emit.h"
#include "engine/state.h"

// The party is to be looked at.
static inline void settle_party(struct engine *e, uint32_t party)
{
    uint64_t *word = &e->settling.waiting[party / 64], bit = UINT64_C(1) << party % 64;
    e->settling.count += (*word & bit) == 0;
    *word |= bit;
    e->settling.first = party / 64 < e->settling.first ? party / 64 : e->settling.first;
    e->unsettled = true;
}

// The symbol's rate has something to tell.
static inline void settle_symbol(struct engine *e, uint16_t locate)
{
    e->settling.symbol = locate;
    e->unsettled = true;
}

// CMD_TICK: marks go on in rotation, and what is told may be over.
void settle_tick(struct engine *e);

// Goes on until nothing waits; false: `out` is full or `looks` are used up.
bool settle_run(struct engine *e, struct out *out, unsigned *looks);

// The lines of a session, an account, a firm or a symbol have been worked out anew.
void settle_limits(struct engine *e, enum scope scope, uint16_t index);

// Which account, firm or session a party is.
uint16_t party_index(const struct engine *e, uint32_t party, enum scope *scope);

// From which use on a party is to be looked at; UINT64_MAX never.
uint64_t settle_stage_at(const struct engine *e, uint32_t party, enum use use);

// From which share of a limit on, in millionths, there is an alert, or orders are slowed (LIMIT_UNSET: they are not):
// of an account, a firm, the venue; of a session as of its account.
uint64_t settle_alert_ppm(const struct engine *e, enum scope scope, uint16_t index);
uint64_t settle_slow_ppm(const struct engine *e, enum scope scope, uint16_t index);

// Orders a second that its stages leave each of the account's sessions; LIMIT_UNSET: it is not slowed.
uint64_t settle_slow_rate(const struct engine *e, uint16_t account);

// Nothing waits: an engine that is restored was settled.
void settle_forget(struct engine *e);

// NULL, or what is wrong.
const char *settle_check(const struct engine *e);

#endif
