// SPDX-License-Identifier: Apache-2.0
// {"ask":"standing"}: what is in force at the moment: kills that block or are not confirmed, symbols that do not trade,
// the market-wide level, limits at their alert level.
#include <string.h>

#include "control/limits/table.h"
#include "control/operator/operator.h"
#include "control/recovery/opening.h"

enum { LISTED_MOST = 200 };

// Appends, or only counts what would make the list too long.
static void append(json_t *list, uint32_t *count, json_t *row)
{
    if ((*count)++ < LISTED_MOST)
        json_array_append_new(list, row);
    else
        json_decref(row);
}

static json_t *kills_json(const struct desk_context *context, uint32_t *count)
{
    const struct kill_entry *entry;
    json_t *list = json_array();
    for (uint32_t i = 0; context->kills && (entry = kills_at(context->kills, i)) != NULL; i++)
        if (entry->blocks || entry->missed || !entry->confirmed)
            append(list, count, kill_json(context->config, entry));
    return list;
}

const char *state_word(enum trading_state state)
{
    switch (state) {
    case STATE_HALTED:
        return "halted";
    case STATE_PAUSED:
        return "paused";
    case STATE_QUOTATION:
        return "quotation";
    case STATE_TRADING:
        break;
    }
    return "trading";
}

static json_t *symbols_json(const struct desk_context *context, uint32_t *count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; context->standing && i < context->config->symbols_count; i++) {
        uint64_t since_ns;
        const enum trading_state state = standing_symbol(context->standing, i, &since_ns);
        if (state != STATE_TRADING)
            append(list, count,
                   json_pack("{s:s, s:s, s:I}", "symbol", context->config->symbols[i].name, "state", state_word(state),
                             "time_ns", (json_int_t)since_ns));
    }
    return list;
}

static json_t *limits_json(const struct desk_context *context, uint32_t *count)
{
    const struct standing_limit *at;
    json_t *list = json_array();
    uint32_t place = 0;
    while (context->standing && (at = standing_next(context->standing, &place)) != NULL) {
        const enum limit limit =
            at->limit == LIMIT_DRAWDOWN ? LIMIT_LOSS : (enum limit)at->limit; // its figures are money
        char whom[64], most[LIMIT_TEXT], used[LIMIT_TEXT];
        limit_format(limit, at->before, most);
        limit_format(limit, at->after, used);
        append(
            list, count,
            json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:I}", "whom",
                      alerts_scope_text(context->config, at->core, (enum scope)at->scope, at->index, whom, sizeof whom),
                      "limit", limit_info((enum limit)at->limit).key, "core", (int)at->core, "stage",
                      at->slowed ? "slowed" : "alert", "most", most, "used", used, "time_ns", (json_int_t)at->time_ns));
    }
    return list;
}

static const char *read_nothing(struct request *request, const json_t *root)
{
    (void)request, (void)root;
    return NULL;
}

static void show(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct desk_context *context = request->context;
    uint32_t kills = 0, symbols = 0, limits = 0;
    (void)now_ns;
    json_t *kills_list = kills_json(context, &kills), *symbols_list = symbols_json(context, &symbols);
    json_t *limits_list = limits_json(context, &limits);
    const bool known = context->standing && standing_known(context->standing) && kills_complete(context->kills);
    desk_answer(request,
                json_pack("{s:b, s:b, s:s, s:o, s:i, s:o, s:i, s:i, s:o, s:i}", "ok", 1, "known", known, "phase",
                          recovery ? opening_phase_word(phase_of(context->config, recovery)) : "unknown", "kills",
                          kills_list, "kills_count", (int)kills, "symbols", symbols_list, "symbols_count", (int)symbols,
                          "market_wide_level", context->standing ? (int)standing_level(context->standing) : 0, "limits",
                          limits_list, "limits_count", (int)limits));
}

const struct desk_subject standing_show = {.ask = "standing", .size = 0, .read = read_nothing, .go_on = show};
