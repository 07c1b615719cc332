// SPDX-License-Identifier: Apache-2.0
// What is true: every command that a matching core has put in sequence, seen in its journal ring; an engine of the
// simulator's own that steps them; and so what every session and every receiver of market data must be told, byte for
// byte. Remembers everything that ever left the box.
#ifndef CROSSWIRE_TESTS_SIM_ORACLE_H
#define CROSSWIRE_TESTS_SIM_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "engine/engine.h"
#include "tests/sim/disk.h"

#define ORACLE_CORES 4
#define ORACLE_STREAMS 24

void oracle_open(const struct config *config);

// After every step: takes what was put in sequence, compares the data plane with the own engine.
void oracle_observe(void);

// The host has crashed: what was not durable may be gone.
void oracle_host_crashed(void);
// A disk that lies has lost what the outside had been told of: nothing can be compared any more.
bool oracle_lost(void);

// What left the box. `blocks`: {2 length, message} from sequence `first` on.
// Streams as config_stream counts them: sessions, then drop copies.
void oracle_told(unsigned stream, uint64_t first, unsigned count, const uint8_t *blocks, size_t size);
void oracle_told_next(unsigned stream, uint64_t next, const char *where);
void oracle_told_market(unsigned core, uint64_t first, unsigned count, const uint8_t *blocks, size_t size);

// The region of the data plane that runs, NULL before it has made it.
const struct region *oracle_region(void);

// At rest: everything is durable, counted and agreed upon.
void oracle_check_rest(void);

// Whether the core has taken this kill, and that is durable.
bool oracle_kill_is_durable(unsigned core, uint64_t id);

const struct engine *oracle_engine(unsigned core);
uint64_t oracle_commands(unsigned core);
uint64_t oracle_messages(unsigned stream);
// Message `sequence` of the stream.
const uint8_t *oracle_message(unsigned stream, uint64_t sequence, size_t *size);
uint64_t oracle_market_messages(unsigned core);
// Message `sequence` of the core's market data.
const uint8_t *oracle_market_message(unsigned core, uint64_t sequence, size_t *size);

#endif
