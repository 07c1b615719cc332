// SPDX-License-Identifier: Apache-2.0
// A stage for tests of control: a configuration in a temporary directory, and a data plane played by one thread a
// matching core, with a real region and the real engine, that keeps its own record of everything it ever sequenced.
#ifndef CROSSWIRE_TESTS_SUPPORT_CONTROL_STAGE_H
#define CROSSWIRE_TESTS_SUPPORT_CONTROL_STAGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/config.h"
#include "contract/region.h"
#include "engine/engine.h"
#include "engine/snapshot.h"

enum {
    STAGE_CORES = 2,
    STAGE_SESSIONS = 6,
    STAGE_COMMANDS = 1 << 19,                 // what a core can record; the last of them are kept for control's
    STAGE_ORDERS = STAGE_COMMANDS - (1 << 14) // where a core stops making up orders
};

struct stage;

struct stage_core {
    struct stage *stage;
    unsigned index;
    pthread_t thread;
    struct engine *engine;
    void *memory;
    size_t memory_size;
    struct core_block *block;
    struct matcher_port *port;
    struct ring *commands;
    struct ring *journal;
    enum core_state state;
    enum restore_state restore;
    struct restore restoring;
    int64_t offset_ns;
    uint64_t time_ns;
    uint64_t random;
    bool clocked;                 // control has told the time since this generation began
    bool taken_down;              // and no session is up from before it
    _Atomic uint64_t orders_left; // that this core makes up once it runs and its day is open
    uint32_t next_ref[STAGE_SESSIONS];
    unsigned restored;          // times that a snapshot made its engine whole
    struct command *record;     // every command ever sequenced, over all generations; seq word 0
    _Atomic uint64_t sequenced; // how many
};

struct stage {
    char directory[128];
    char config_path[160];
    struct config *config;
    struct region region;
    bool up;
    _Atomic bool die; // the played data plane stops where it is
    bool hurry;       // cores make up orders without ever sleeping
    struct stage_core cores[STAGE_CORES];
};

// Makes the directory and the configuration with `cores` matching cores and 3 sessions each, command rings of
// `ring_depth`.
void stage_open(struct stage *stage, unsigned cores, const char *ack, unsigned ring_depth);

// Stops what runs, removes everything.
void stage_close(struct stage *stage);

// Starts a data plane: a new generation, engines empty, cores in CORE_BOOT. Each core makes up `orders` orders once it
// runs.
void stage_start_dataplane(struct stage *stage, uint64_t orders, uint64_t seed);

// The data plane dies: threads stop between two commands, the lock is gone, rings stay as they are.
void stage_kill_dataplane(struct stage *stage);

// With no control alive: fails the test unless the journal can be read and holds all that the data plane that is up was
// told to be durable.
void stage_check_released(const struct stage *stage);

// Reads the journal and fails the test unless it holds exactly what every core sequenced, and one opening a core.
void stage_check_journal(const struct stage *stage);

#endif
