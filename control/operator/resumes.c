// SPDX-License-Identifier: Apache-2.0
// What a reset has left: who may enter orders again, and what still keeps orders from being taken: other kills of
// sessions and symbols, halts, the session phase.
#include "control/operator/operator.h"
#include "control/recovery/opening.h"

enum { STAYS_MOST = 50 };

static const char *side_word(unsigned sides)
{
    return sides == 3 ? "" : sides == 1 ? "B" : "S";
}

// Whether the session's orders are what the reset is about: of a symbol, all sessions of its matching core.
static bool concerns(const struct config *config, const struct kill_entry *reset, uint32_t session)
{
    if (reset->scope == SCOPE_SYMBOL)
        return config->sessions[session].matcher == reset->core;
    return kills_concern(config, reset, session);
}

static const char *whose(const struct config *config, const struct kill_entry *kill, char *text, size_t size)
{
    return alerts_scope_text(config, kill->core, (enum scope)kill->scope, kill->index, text, size);
}

// Sessions that other kills still block, and how many none does.
static json_t *sessions_json(const struct desk_context *context, const struct kill_entry *reset, unsigned *count)
{
    const struct config *config = context->config;
    json_t *list = json_array();
    char text[64];
    *count = 0;
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        const struct kill_entry *by = NULL;
        if (!concerns(config, reset, i))
            continue;
        const unsigned sides = kills_session_sides(context->kills, i, &by);
        *count += sides == 0;
        if (sides && json_array_size(list) < STAYS_MOST)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "session", config->sessions[i].user, "side",
                                                  side_word(sides), "by", whose(config, by, text, sizeof text)));
    }
    return list;
}

// Symbols that are killed, or do not trade: the one that was reset, or all on the matching cores of the scope.
static json_t *symbols_json(const struct desk_context *context, const struct kill_entry *reset)
{
    const struct config *config = context->config;
    json_t *list = json_array();
    for (uint32_t i = 0; i < config->symbols_count && json_array_size(list) < STAYS_MOST; i++) {
        const struct config_symbol *symbol = &config->symbols[i];
        const bool own =
            reset->scope != SCOPE_SYMBOL || (symbol->matcher == reset->core && symbol->locate == reset->index);
        uint64_t since_ns;
        if (!own || !(reset->cores >> symbol->matcher & 1))
            continue;
        const unsigned sides = kills_symbol_sides(context->kills, symbol->matcher, symbol->locate);
        const enum trading_state state =
            context->standing ? standing_symbol(context->standing, i, &since_ns) : STATE_TRADING;
        if (sides || state != STATE_TRADING)
            json_array_append_new(list, json_pack("{s:s, s:b, s:s, s:s}", "symbol", symbol->name, "killed", sides != 0,
                                                  "side", side_word(sides ? sides : 3), "state", state_word(state)));
    }
    return list;
}

json_t *resumes_json(const struct desk_context *context, const struct recovery *recovery,
                     const struct kill_entry *reset)
{
    unsigned sessions;
    json_t *blocked = sessions_json(context, reset, &sessions);
    return json_pack("{s:b, s:b, s:s, s:s, s:i, s:o, s:o, s:s}", "ok", 1, "lifted", reset->lifted != 0, "scope",
                     alerts_scope_word((enum scope)reset->scope), "name",
                     alerts_scope_name(context->config, reset->core, (enum scope)reset->scope, reset->index),
                     "sessions_free", (int)sessions, "still_blocked", blocked, "symbols", symbols_json(context, reset),
                     "phase", recovery ? opening_phase_word(phase_of(context->config, recovery)) : "unknown");
}
