// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/market.h"

#include "contract/log.h"

#define MINUTE_NS UINT64_C(60000000000)

// When the phase begins; UINT64_MAX when the schedule does not say.
static uint64_t phase_time(const struct config *config, char phase)
{
    for (uint32_t i = 0; i < config->phases_count; i++)
        if (config->phases[i].phase == phase)
            return config->phases[i].time_ns;
    return UINT64_MAX;
}

// So many minutes before regular hours end.
static uint64_t before_close(const struct config *config, uint32_t minutes)
{
    uint64_t close = phase_time(config, PHASE_AFTER), before = minutes * MINUTE_NS;
    if (close == UINT64_MAX)
        close = phase_time(config, PHASE_CLOSED);
    return close == UINT64_MAX ? close : close > before ? close - before : 0;
}

bool market_bands(const struct config *config, uint32_t symbol, struct command *command)
{
    const struct config_symbol *of = &config->symbols[symbol];
    uint32_t parts = config->tier_parts[of->tier], velocity = of->tier ? config->velocity_parts : 0;
    uint64_t wide = (uint64_t)parts * config->bands.wide_factor, open = phase_time(config, PHASE_REGULAR);
    *command = (struct command){.type = CMD_BANDS, .session = SESSION_NONE};
    command->bands.locate = of->locate;
    command->bands.percent = parts;
    command->bands.wide_percent = wide < 1000000 ? (uint32_t)wide : 1000000;
    command->bands.limit_state_ms = config->bands.limit_state_seconds * 1000;
    command->bands.pause_ms = config->bands.pause_seconds * 1000;
    command->bands.velocity_percent = velocity;
    command->bands.velocity_ms = velocity ? config->bands.velocity_seconds * 1000 : 0;
    command->bands.wide_until_ns = open == UINT64_MAX ? 0 : open + config->bands.open_minutes * MINUTE_NS;
    command->bands.wide_from_ns = before_close(config, config->bands.close_minutes);
    return parts != 0 || velocity != 0;
}

uint32_t market_level_at(uint8_t breached)
{
    static const uint32_t levels[] = {10000, 9300, 8700, 8000}; // falls by 7, 13 and 20%
    return levels[breached];
}

uint8_t market_level(uint32_t level)
{
    uint8_t breached = 3;
    while (breached && level > market_level_at(breached))
        breached--;
    return breached;
}

struct command market_breached(const struct config *config, uint32_t level, uint8_t breached)
{
    struct command command = {.type = CMD_INDEX, .session = SESSION_NONE};
    command.index.level = level;
    command.index.breached = breached;
    command.index.last_ns = before_close(config, config->market_wide.late_minutes);
    for (uint8_t i = 0; i < 3; i++) // four places to eight
        command.index.declared[i] = (uint64_t)config->index_close * market_level_at(i + 1);
    return command;
}

bool market_declared(const struct config *config, struct command *command)
{
    *command = market_breached(config, 10000, 0);
    return config->index_close != 0;
}

bool market_index(struct market_index *index, const struct config *config, uint64_t sum, uint64_t base,
                  struct command *command)
{
    bool still = sum == index->sum && base == index->base;
    index->sum = sum;
    index->base = base;
    if (!still || base == 0)
        return false;
    unsigned __int128 level = ((unsigned __int128)sum * 10000 + base - 1) / base; // never lower than it is
    uint8_t breached = level < 10000 ? market_level((uint32_t)level) : 0;
    if (breached <= index->breached)
        return false;
    index->breached = breached;
    *command = market_breached(config, (uint32_t)level, breached);
    log_event(LOG_XW2019, "\"ask\":\"breach\",\"level\":%u,\"index\":%u,\"by\":\"index\"", breached, (unsigned)level);
    return true;
}
