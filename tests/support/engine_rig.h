// SPDX-License-Identifier: Apache-2.0
// An engine under test with its own memory: steps a command to its end, keeps its events, and checks what must hold
// after every step whatever the command was (at most K events, the rolling hash covers them, zero where unused).
#ifndef CROSSWIRE_TESTS_ENGINE_RIG_H
#define CROSSWIRE_TESTS_ENGINE_RIG_H

#include <stddef.h>

#include "engine/engine.h"

struct rig {
    struct engine *engine;
    void *memory;
    size_t size;
    uint64_t hash;        // by event_hash over the events seen
    struct event *events; // of the last command
    size_t count, room;
    unsigned steps;   // that the last command took
    uint64_t time_ns; // of the last command
};

#define RIG_TRADES 4096u
#define RIG_CONDITIONAL 64u

struct rig_day {
    uint32_t max_orders, max_levels;
    uint16_t symbols;  // locates 1..symbols, named S1, S2, ..
    uint16_t sessions; // session i belongs to account i % accounts; the last session cancels on disconnect
    uint16_t accounts; // 0: 2; firms ALFA BETA GAMA ALFA, organisations none ORG1 ORG1 none
    uint32_t ticks[4]; // of locate l: ticks[(l - 1) % 4]
    uint8_t core;
    uint64_t lookup_key;
    uint32_t max_trades, max_special, max_conditional; // 0: RIG_TRADES, max_orders, RIG_CONDITIONAL
    uint32_t max_positions;                            // 0: a day without risk
    uint64_t seed;                                     // 0: lookup_key
    char phase;                                        // that the day starts in
    uint32_t post_only_cancels;                        // a bit a session
    char aiq_default[8];                               // a session each, then none
};

// Makes the engine with memory for the day, `shift` bytes (a multiple of 4096) from where it would stand.
void rig_new(struct rig *rig, const struct rig_day *day, size_t shift);
void rig_free(struct rig *rig);

// Steps `command` and all that it leaves; seq is filled in, and time_ns (10 ns after the last command) when it is not
// later than that. Aborts with a sentence when the engine breaks a rule.
void rig_step(struct rig *rig, struct command *command);

// Calls `take` with each opening command of the day, session-ups included.
void rig_opening(const struct rig_day *day, void (*take)(void *context, struct command *command), void *context);

// Makes the engine and opens the day.
void rig_open(struct rig *rig, const struct rig_day *day);

// The records of a snapshot; free(records) when done.
struct rig_snapshot {
    struct command *records;
    size_t count, room;
};

// Fills `snapshot`, empty or one taken before. Aborts with a sentence when the walk does not end as it says.
void rig_snapshot_take(struct rig_snapshot *snapshot, const struct engine *engine);

// Makes an engine of its own for the day, restored from `snapshot`. Aborts with a sentence when it is refused.
void rig_restore(struct rig *rig, const struct rig_day *day, const struct rig_snapshot *snapshot);

// Name of locate `locate` as on the wire.
void rig_symbol(uint16_t locate, char name[8]);

// An Enter Order with everything at its default: displayed, agency, continuous; tif '0'.
struct command rig_enter(uint16_t session, uint32_t user_ref, char side, uint32_t quantity, uint16_t locate,
                         uint32_t price);
struct command rig_replace(uint16_t session, uint32_t orig, uint32_t user_ref, uint32_t quantity, uint32_t price);
struct command rig_simple(uint8_t type, uint16_t session, uint32_t user_ref, uint32_t quantity);

// Name of the first field in which two events differ, NULL when they are the same.
const char *event_difference(const struct event *a, const struct event *b);

#endif
