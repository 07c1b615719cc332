// SPDX-License-Identifier: Apache-2.0
// Inside the matcher role: the only place that puts commands in sequence.
//
//   BOOT --- DIRECTIVE_RECOVERED, sequence as expected ---> RUN --- stop, inputs drained ---> HALT
//     |  (a snapshot, history: from control)                 |
//     +--> FAIL: the hash before a command is not the one that the journal holds
//
// RUN, for one input of control: room in every output -> stamp -> journal ring, published -> engine -> events;
// for a few of a gateway: room in every output -> stamp -> journal ring -> engine -> journal ring, published -> events.
// Every few inputs, and at the end of a round: events published. So an answer can never be seen before its command
// stands in the journal ring.
#ifndef CROSSWIRE_CORES_MATCHER_H
#define CROSSWIRE_CORES_MATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/drop_copy.h"
#include "contract/event.h"
#include "contract/ring.h"
#include "cores/ring_ends.h"
#include "cores/role.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

#define MATCHER_GATEWAYS_MAX 16
#define TOLD_ELSEWHERE UINT64_MAX

// A symbol of the market-wide index.
struct index_member {
    uint32_t weight;
    uint16_t locate;
};

struct matcher {
    uint64_t counters[COUNT_MATCHER_END];
    enum core_state state;
    uint32_t index;
    struct engine *engine;
    uint64_t previous_ns; // time of the last command
    uint64_t time_ns;     // of the commands that are taken in this round
    uint64_t tsc_factor;
    int64_t offset_ns; // of the last CLOCK
    bool clocked;      // a CLOCK has been sequenced since RUN: time is right
    bool message_open; // an order message whose step has not finished
    bool told_to_drain;
    bool lost_due;        // what is done without control is to be done, or to be taken back
    uint64_t modes;       // that are on, a bit each
    uint64_t sign;        // control's heartbeat as seen last,
    uint64_t sign_tsc;    // when it moved last,
    uint64_t back_tsc;    // and since when it has not stood still for as long as makes it lost
    uint32_t credit;      // inputs that may be taken before any output is looked at again
    uint32_t turn;        // gateway to look at first
    uint32_t unpublished; // commands whose events are not published yet
    uint64_t now;         // of the round
    uint64_t tsc_hz, tick_tsc, next_tick_tsc;
    struct ring *commands;
    struct ring_writer journal;
    struct ring *alerts; // NULL: nobody is told
    uint32_t gateways_count;
    struct ring_reader orders[MATCHER_GATEWAYS_MAX];
    uint32_t drained_gateways; // bit set of those that sent DIRECTIVE_DRAIN
    uint32_t outlets_count;
    struct ring_writer outlets[MATCHER_GATEWAYS_MAX + 1]; // gateways, then the publisher where there is one
    bool has_publisher;
    uint8_t *gateway_of; // by stream
    uint16_t *told_at;   // by stream: a bit for each gateway that is told, where drop copies are; NULL: there are none
    struct copy_map copies; // of all gateways
    uint32_t sessions_count;
    uint32_t streams_count; // sessions, and drop copies behind them
    struct engine_capacity capacity;
    struct restore restoring; // of the snapshot that is being taken
    enum restore_state restore;
    bool history;         // a command of it was taken
    uint64_t count_until; // history up to here is only counted, 0: nothing is
    uint64_t *told;       // while it is: messages by stream; TOLD_ELSEWHERE for those of other cores
    uint64_t told_feed;
    uint32_t telling;             // the next stream to hear how many, once that is over
    struct index_member *members; // of the index, on this core
    uint32_t members_count;
    struct matcher_port *port;
    struct core_block *block;
    const struct region_header *header;
    struct event events[ENGINE_RUN_EVENTS] __attribute__((aligned(64)));
};

// ---- matcher_index.c
// Takes memory for the members of the index; false: there is none.
bool matcher_index_init(struct matcher *matcher, const struct role_context *context);

// At a tick: what they come to, into the region.
void matcher_index_tell(struct matcher *matcher);

// ---- matcher_output.c
// How many steps every outlet has room for, whatever they emit; 0 counts as backpressure.
uint32_t matcher_steps_left(struct matcher *matcher);
// Distributes the first `count` of matcher->events, with EV_REPLAYED while in BOOT.
void matcher_emit(struct matcher *matcher, unsigned count);
// Publishes what came of the commands since the last call.
void matcher_publish(struct matcher *matcher);

// ---- matcher_boot.c
// Counts the first `count` of matcher->events; days that open or end are told all the same.
void matcher_count(struct matcher *matcher, unsigned count);
// Takes what stands in the command ring while in BOOT, a burst at the most: a snapshot, history, the directive that
// ends it. Moves state on. False when some is left.
bool matcher_take_history(struct matcher *matcher, unsigned *work);

// ---- matcher_alone.c
// Looks whether control gives signs of life; in housekeeping.
void matcher_watch_control(struct matcher *matcher);
// Once lost_due: gives `give` the commands that this core makes of it, one after the other. False: no room for all of
// them now.
bool matcher_act_alone(struct matcher *matcher, void (*give)(struct matcher *, const struct command *));

// ---- matcher.c
// Whether the next input may be taken; it then must be, or must not be one for the engine.
bool matcher_can_take(struct matcher *matcher);
// Steps the engine with a command that carries its sequence; emits and counts.
void matcher_step(struct matcher *matcher, const struct command *command);

#endif
