// SPDX-License-Identifier: Apache-2.0
// Limits: what CMD_LIMIT has set, by scope, and the lines that the checks compare with.
#ifndef CROSSWIRE_ENGINE_RISK_LIMITS_H
#define CROSSWIRE_ENGINE_RISK_LIMITS_H

#include "engine/emit.h"
#include "engine/risk.h"

// The value of that very scope under the modes that are on, LIMIT_UNSET none. Index: by scope; position's limits are
// in struct position_back.
uint64_t risk_limit(const struct engine *e, enum scope scope, uint16_t index, enum limit limit);

// The same without modes.
uint64_t risk_limit_as_set(const struct engine *e, enum scope scope, uint16_t index, enum limit limit);

// POSITION_SHARE of CAPITAL as money, of an account; LIMIT_UNSET: there is no capital.
uint64_t risk_share(const struct engine *e, uint16_t account);

// CMD_LIMIT. A value that makes no sense, or a scope that is not there, changes nothing.
void risk_limit_set(struct engine *e, const struct command *c, struct out *out);

// What CMD_LIMIT would set, without saying so: for a snapshot. False: refused.
bool risk_limit_take(struct engine *e, enum scope scope, uint16_t index, uint16_t locate, enum limit limit,
                     uint64_t value, uint64_t *before);

// Works out every line anew at once; for the start of a day.
void risk_limits_work_out(struct engine *e);

// The same in steps, as WORK_LIMITS, for a change that concerns them all.
void risk_limits_begin(struct engine *e);
void risk_limits_continue(struct engine *e);

// The limit of a use, of one party: its scope's, and RISK_QUANTITY_MAX.
enum limit use_limit(enum use use);
uint64_t party_most(const struct engine *e, uint32_t party, enum use use);

// Works out what one party's uses are compared with.
void risk_watch(struct engine *e, uint32_t party);

// The day opens: no limits, nothing counted.
void risk_open_day(struct engine *e);
void risk_open_symbol(struct engine *e, uint16_t locate);
void risk_open_account(struct engine *e, uint16_t account);
void risk_open_session(struct engine *e, uint16_t session);

#endif
