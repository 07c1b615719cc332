// SPDX-License-Identifier: Apache-2.0
// The deterministic engine of one matching core: commands in, events out, nothing else. C11, no I/O, no clock, no
// allocation.
//
//   engine_step(cmd) ------> up to ENGINE_EVENTS_MAX events              engine_run(cmds): many at a time
//        |  engine_unfinished?
//        +--> engine_continue() ------> up to ENGINE_EVENTS_MAX more, until finished
#ifndef CROSSWIRE_ENGINE_ENGINE_H
#define CROSSWIRE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/event.h"

#define ENGINE_EVENTS_MAX 64 // K: a step or a continuation never emits more

struct engine;

// What the memory is made for; the same figures come again in CMD_OPEN_DAY and must not exceed these.
struct engine_capacity {
    uint32_t max_orders;
    uint32_t max_levels;
    uint32_t max_trades;      // of the day, that can be broken
    uint32_t max_special;     // live orders that are not plain
    uint32_t max_conditional; // pegs, discretionary orders and stops of one symbol
    uint32_t max_positions;   // accounts times symbols that may have had an order; 0: days without risk (risk.md)
    uint16_t max_symbols;
    uint16_t max_accounts;
    uint16_t max_sessions;
    uint8_t core;
};

// What became of the last order-entry command, for accounting: every message falls under exactly one.
enum engine_outcome { OUTCOME_NONE, OUTCOME_ACCEPTED, OUTCOME_REJECTED, OUTCOME_DUPLICATE, OUTCOME_NO_EFFECT };

// Bytes of memory that engine_new needs for this capacity.
size_t engine_footprint(const struct engine_capacity *capacity);

// Makes an engine in `memory` (engine_footprint bytes, zeroed, aligned to 4096, best on huge pages). It holds no
// pointer to anything outside, and waits for CMD_OPEN_DAY.
struct engine *engine_new(void *memory, const struct engine_capacity *capacity);

// Takes one command whose seq is exactly engine_sequence()+1 (low COMMAND_SEQ_BITS). Not while engine_unfinished().
// Writes its events to `events` (room for ENGINE_EVENTS_MAX) and returns how many. Every event's lines are zero where
// unused, word is zero, and the rolling hash covers it. Commands that make no sense (unknown session, out of order day)
// emit nothing.
unsigned engine_step(struct engine *engine, const struct command *command, struct event *events);

// Goes on with a step that did not finish (a sweep, a mass cancel, an expiry wave).
unsigned engine_continue(struct engine *engine, struct event *events);

// Here in the open, because it is asked after every command: an engine begins with the kind of work that is left.
static inline bool engine_unfinished(const struct engine *engine)
{
    return *(const uint32_t *)(const void *)engine != 0;
}

// Whether looking ahead is worth its time: the tables are larger than what a core has close at hand. The same for the
// whole day.
bool engine_looks_ahead(const struct engine *engine);

// What looking ahead has found of a command; all zero: nothing.
struct engine_aim {
    uint64_t salted, hash; // of the key that it is about
    uint32_t slot;         // where its order may stand, 0 unknown
    uint32_t level;        // where an Enter may come to rest
    uint32_t price;        // a Replace's
};

// The aims of a burst of commands, all zero at first, of one engine alone. The stages chase one pointer further each,
// so that each command is looked at three times before its step; four commands at a time, which takes fewer
// instructions.
#define ENGINE_AHEAD_FAR 24u
#define ENGINE_AHEAD_NEAR 16u
#define ENGINE_AHEAD_CLOSE 8u
#define ENGINE_AHEAD_AT_ONCE 4u
#define ENGINE_AHEAD_AIMS 32u
struct engine_ahead {
    struct engine_aim aims[ENGINE_AHEAD_AIMS]; // by step, round and round
};

// The pointers to a burst's commands: so many NULLs, the commands by step, so many NULLs.
#define ENGINE_AHEAD_BEFORE (ENGINE_AHEAD_FAR - ENGINE_AHEAD_NEAR)
#define ENGINE_AHEAD_BEHIND (ENGINE_AHEAD_FAR + ENGINE_AHEAD_AT_ONCE)

// Brings what later commands of the burst will touch closer; no effect on any result. Call it for each step whose
// number `at` is a multiple of ENGINE_AHEAD_AT_ONCE, from -ENGINE_AHEAD_FAR on, so that the first ones are looked at
// too, and not sooner than ENGINE_AHEAD_AT_ONCE steps before it. The commands have to stand until they are stepped;
// pointers may be NULL among them as well.
void engine_look_ahead(const struct engine *engine, struct engine_ahead *ahead, unsigned at,
                       const struct command *const *burst);

// Takes up to ENGINE_RUN_MOST commands in a row, as engine_step would, but for their seq, which need not be set; writes
// the event hash before each to its prev_hash. Stops behind the first that does not finish or is not accepted, and
// where there may be no room for another's events. Returns how many it has taken: at least one, and all but the last
// were accepted. Their events, `*count` of them, go to `events` (room for ENGINE_RUN_EVENTS). `ahead`, or NULL, has
// been looked at for them, the first being step `at` of the burst. An aim that is out of date or of another command
// costs nothing but time.
#define ENGINE_RUN_MOST 8u
#define ENGINE_RUN_EVENTS (2u * ENGINE_EVENTS_MAX)
unsigned engine_run(struct engine *engine, struct command *const *commands, unsigned commands_count,
                    const struct engine_ahead *ahead, unsigned at, struct event *events, unsigned *count);

uint64_t engine_sequence(const struct engine *engine);   // of the last command taken
uint64_t engine_event_hash(const struct engine *engine); // rolling hash after the last event
uint64_t engine_time_ns(const struct engine *engine);    // of the last command
uint32_t engine_live_orders(const struct engine *engine);
uint32_t engine_day_open(const struct engine *engine); // trading date between CMD_START and CMD_END_DAY, else 0
enum engine_outcome engine_outcome(const struct engine *engine);

// Reads the book for tools and tests: the `depth` best levels of one side ('B' or 'S'), best first. Returns how many.
struct engine_level {
    uint32_t price;
    uint32_t orders;
    uint64_t quantity;
};
unsigned engine_levels(const struct engine *engine, uint16_t locate, char side, struct engine_level *levels,
                       unsigned depth);

// What the open orders of an account come to, by side ('B' or 'S'): the sum of their quantities and of quantity times
// price.
struct engine_exposure {
    uint64_t quantity;
    uint64_t notional;
};
struct engine_exposure engine_exposure(const struct engine *engine, uint16_t account, char side);

// A limit of one scope as CMD_LIMIT has set it, LIMIT_UNSET none; `locate` for SCOPE_POSITION.
uint64_t engine_limit(const struct engine *engine, enum scope scope, uint16_t index, uint16_t locate, enum limit limit);

// What has come together against a limit, in its unit (risk.md section 7). False: the limit has no such figure, or
// there is no such scope.
bool engine_limit_use(const struct engine *engine, enum scope scope, uint16_t index, uint16_t locate, enum limit limit,
                      uint64_t *used);

// What an account or firm has lost since its peak, and the loss with which its drawdown limit kills. False: it has
// none.
bool engine_drawdown(const struct engine *engine, enum scope scope, uint16_t index, uint64_t *used, uint64_t *most);

// Whether a degraded mode (CMD_MODE's number) is on.
bool engine_mode_on(const struct engine *engine, unsigned mode);

// Who has blocked the whole venue (enum kill_source), 0 nobody.
unsigned engine_venue_blocked(const struct engine *engine);

// The limit for which the last command was rejected, LIMITS when it was for none.
enum limit engine_limit_refused(const struct engine *engine);

// A symbol's last sale of the day and its close before it, 0 for none.
struct engine_price {
    uint32_t last, close;
};
struct engine_price engine_price(const struct engine *engine, uint16_t locate);

// Whether a session is up.
bool engine_session_up(const struct engine *engine, uint16_t session);

// Walks every internal invariant (book not crossed, level sums, no order in two places, quantities conserved); returns
// NULL, or a sentence that says what is broken. For tests and debug builds.
const char *engine_check(const struct engine *engine);

#endif
