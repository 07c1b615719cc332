// SPDX-License-Identifier: Apache-2.0
// What kills.c, kills_past.c and kills_told.c share.
#ifndef CROSSWIRE_CONTROL_RISK_KILLS_STATE_H
#define CROSSWIRE_CONTROL_RISK_KILLS_STATE_H

#include "control/risk/kills.h"

enum { KILLS_RESETS = 16, KILLS_BY_BREAKERS = 64 };

// What a breaker has given: an alert of it says neither which trip that was, nor which other cores have it to come.
struct breaker_kill {
    struct command command;
    uint32_t cores; // that it was given to, a bit each
};

struct kills {
    const struct config *config;
    const struct journal_writer *writer;
    struct history *history;
    struct retell *retell;
    struct audit *audit;
    struct kill_entry *entries;
    uint32_t count, room;
    struct kill_entry resets[KILLS_RESETS];
    struct breaker_kill by_breakers[KILLS_BY_BREAKERS]; // the newest
    unsigned by_breakers_next;
    uint64_t turns; // the last one's
};

// ---- kills.c

// The newest of that id; NULL: none.
struct kill_entry *kills_by_id(const struct kills *kills, uint64_t id);

// The newest kill by a limit of a scope on one core that is not confirmed; by its scope, because a limit has no id.
struct kill_entry *kills_by_limit(const struct kills *kills, uint8_t scope, uint16_t index, unsigned core);

// Before the first that is younger, or behind the others; what is over makes room when there is none. NULL: no memory,
// or all of them are needed.
struct kill_entry *kills_add(struct kills *kills, const struct kill_entry *entry);

// The cores that have said what confirms it, a bit each: ZERO of what cancels, KILLED or RESET of others.
static inline uint32_t kill_said(const struct kill_entry *entry)
{
    return entry->actions & KILL_CANCEL ? entry->zero : entry->told;
}

// What it blocks when it is taken.
void kill_block(struct kill_entry *entry, uint32_t cores);

uint64_t kill_new_id(void);
uint32_t kill_cores(const struct kills *kills, enum scope scope, uint16_t core);

// A kill by a limit: each matching core looks at its own part, and cancels at once. And one of the whole venue by a
// matching core that has lost control: its own, without an id, and lifted by itself. So it is never given again.
struct kill_entry kill_of_limit(uint8_t scope, uint16_t index, unsigned core, uint64_t time_ns);
struct kill_entry kill_of_core(uint8_t actions, unsigned core, uint64_t time_ns);

// What a reset that core `core` has taken at `sequence` lifts: of kills of that very scope what it had taken before.
// Where is not known when it took a kill: LIVE: what it was given before, as commands keep their order; PAST: those of
// the journal that is being read; AGAIN: none, as what it has taken is being told.
struct kill_lift {
    uint8_t scope, source; // source 0: all
    char side;
    uint16_t index;
    unsigned core;
    uint64_t sequence;
    uint64_t turn; // as in kill_entry
    enum { KILL_LIFT_LIVE, KILL_LIFT_PAST, KILL_LIFT_AGAIN } by_order;
};
void kills_lift(struct kills *kills, const struct kill_lift *lift);

// ---- kills_past.c, kills_told.c: what is registered.
void kills_read(void *context, const struct command *record);
void kills_read_end(void *context, uint64_t now_ns);
void kills_hear(void *context, unsigned core, const struct alert *alert);
void kills_hear_again(void *context, unsigned core, const struct alert *alert);
void kills_hear_end(void *context, unsigned core, bool known, uint64_t now_ns);

#endif
