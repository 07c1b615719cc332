// SPDX-License-Identifier: Apache-2.0
// Commands of risk and of the market that tests give the engine; what is not said is zero.
#ifndef CROSSWIRE_TESTS_COMMAND_OF_H
#define CROSSWIRE_TESTS_COMMAND_OF_H

#include <stdint.h>

#include "contract/command.h"
#include "contract/risk.h"

static inline struct command limit_of(enum scope scope, uint16_t index, enum limit limit, uint64_t value)
{
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.scope = (uint8_t)scope;
    c.limit.index = index;
    c.limit.limit = (uint8_t)limit;
    c.limit.value = value;
    return c;
}

static inline struct command position_of(uint16_t account, uint16_t locate, int64_t quantity, int64_t cost)
{
    struct command c = {.type = CMD_POSITION, .session = SESSION_NONE};
    c.position.account = account;
    c.position.locate = locate;
    c.position.quantity = quantity;
    c.position.cost = cost;
    return c;
}

static inline struct command group_of(uint16_t locate, uint16_t group)
{
    struct command c = {.type = CMD_GROUP, .session = SESSION_NONE};
    c.group.locate = locate;
    c.group.group = group;
    return c;
}

static inline struct command reference_of(uint16_t locate, uint32_t price)
{
    struct command c = {.type = CMD_REFERENCE, .session = SESSION_NONE};
    c.reference.locate = locate;
    c.reference.reference = price;
    return c;
}

static inline struct command bands_of(uint16_t locate, uint32_t percent, uint32_t velocity)
{
    struct command c = {.type = CMD_BANDS, .session = SESSION_NONE};
    c.bands.locate = locate;
    c.bands.percent = percent;
    c.bands.limit_state_ms = 15000;
    c.bands.pause_ms = 60000;
    c.bands.velocity_percent = velocity;
    c.bands.velocity_ms = velocity ? 1000 : 0;
    return c;
}

static inline struct command kill_of(enum scope scope, uint16_t index, char side)
{
    struct command c = {.type = CMD_KILL, .session = SESSION_NONE};
    c.kill.scope = (uint8_t)scope;
    c.kill.index = index;
    c.kill.side = side;
    c.kill.actions = KILL_BLOCK | KILL_CANCEL;
    return c;
}

static inline struct command halt_of(uint16_t locate, char state)
{
    struct command c = {.type = CMD_HALT, .session = SESSION_NONE};
    c.halt.locate = locate;
    c.halt.state = state;
    return c;
}

static inline struct command index_of(uint32_t level, uint8_t breached)
{
    struct command c = {.type = CMD_INDEX, .session = SESSION_NONE};
    c.index.level = level;
    c.index.breached = breached;
    return c;
}

#endif
