// SPDX-License-Identifier: Apache-2.0
// What desk.c and requests.c of the limits desk share.
#ifndef CROSSWIRE_CONTROL_LIMITS_DESK_STATE_H
#define CROSSWIRE_CONTROL_LIMITS_DESK_STATE_H

#include "control/limits/desk.h"

enum limits_stage { STAGE_UNKNOWN, STAGE_LOWER, STAGE_SETTLE, STAGE_RAISE, STAGE_CONFIRM, STAGE_IDLE };

struct limits_desk {
    const struct config *config;
    struct limits_venue venue;
    struct limits_file *file;
    struct limits_set told[LIMITS_CORES];
    bool started[LIMITS_CORES]; // the day
    bool ended[LIMITS_CORES];   // and is over: nothing is told any more
    struct limits_set target;   // of the venue: wholes
    uint32_t change;            // the newest
    enum limits_stage stage;
    bool fresh;              // no core knew anything, and none has started: the order does not matter
    size_t at[LIMITS_CORES]; // rules of the target that are done with in this stage
    size_t raises;           // left for STAGE_RAISE
    bool given;
    uint64_t wait;
    struct limits_pending pending[LIMITS_PENDING];
    bool awaits_author;
    limits_stepped *stepped; // NULL: nobody is told
    void *stepped_context;
    limits_heard *heard; // the same
    void *heard_context;
};

// Whether going from what was told (NULL: nothing) to what is wanted gives more room.
bool limits_desk_loosens(const struct limits_desk *desk, const struct limits_rule *told,
                         const struct limits_rule *wanted);

// The target is another one: begins to tell the cores.
void limits_desk_tell_cores(struct limits_desk *desk);

// What the file would raise waits for a second person, in place of what a file before wanted; owns `waiting`.
void limits_desk_await_file(struct limits_desk *desk, struct limits_set *waiting, const char *by, uint64_t now_ns);

void limits_desk_expire(struct limits_desk *desk, uint64_t now_ns);

#endif
