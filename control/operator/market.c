// SPDX-License-Identifier: Apache-2.0
// What an operator changes in the market's state, each a command to the symbol's matching core, or to all:
//
//   {"ask":"halt","symbol":"NAME" (left out: all),"state":"T|H|P|Q","reason":"T1","by":"NAME"}
//   {"ask":"reference","symbol":"NAME","price":P,"adv":N,"reg_sho":"0|1|2","by":"NAME"}  one of them; 1/10,000; shares
//   {"ask":"bands","symbol":"NAME","parts":N,"by":"NAME"}                            millionths; 0: none
//   {"ask":"breach","level":1..3,"by":"NAME"}
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/limits/names.h"
#include "control/operator/operator.h"
#include "control/recovery/market.h"

#define CONFIRM_NS (10000 * DESK_MS)

enum stage { STAGE_GIVE, STAGE_TAKEN };

struct market_request {
    struct command command;
    uint32_t cores, given_to; // a bit each
    char by[17];
    char wrong[NAMES_TEXT];
};

static const char *const codes[] = {"T1",  "T2",  "T3", "T5",   "T6",   "T7",   "T8",   "T12",  "H4", "H9",
                                    "H10", "H11", "O1", "LUDP", "LUDS", "MWC0", "M1",   "M2",   "R1", "R2",
                                    "R4",  "R9",  "C3", "C4",   "MWCQ", "IPO1", "IPOQ", "IPOE", "C9", "C11"};

static bool is_code(const char *text)
{
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(text, codes[i]) == 0)
            return true;
    return false;
}

static const char *text_member(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

// The symbol that is named, and its core; NULL: there is none.
static const struct config_symbol *read_symbol(const struct config *config, const json_t *root,
                                               struct market_request *ask)
{
    const int64_t at = names_find(config, SCOPE_SYMBOL, text_member(root, "symbol"));
    if (at < 0)
        return NULL;
    ask->cores = 1u << config->symbols[at].matcher;
    return &config->symbols[at];
}

static const char *unknown(const struct request *request, const json_t *root)
{
    struct market_request *ask = request->state;
    return names_unknown(request->context->config, SCOPE_SYMBOL, text_member(root, "symbol"), ask->wrong);
}

static const char *read_halt(struct request *request, const json_t *root)
{
    struct market_request *ask = request->state;
    struct command *c = &ask->command;
    const char *reason = text_member(root, "reason");
    char state = desk_letter(root, "state");
    const struct config_symbol *symbol = read_symbol(request->context->config, root, ask);
    if (!symbol && json_object_get(root, "symbol"))
        return unknown(request, root);
    if (!symbol)
        ask->cores = desk_all_cores(request->context->config);
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (state != STATE_TRADING && state != STATE_HALTED && state != STATE_PAUSED && state != STATE_QUOTATION)
        return "the state is none of T, H, P, Q";
    if (!is_code(reason) && (state != STATE_TRADING || reason[0]))
        return "the reason is no ITCH code: give --reason T1, T3, T6, T8, T12, H4, H9, H10, H11, O1 or another of its "
               "list";
    *c = (struct command){.type = CMD_HALT, .session = SESSION_NONE};
    c->halt.locate = symbol ? symbol->locate : LOCATE_NONE;
    c->halt.state = state;
    if (reason[0]) {
        memset(c->halt.reason, ' ', sizeof c->halt.reason);
        memcpy(c->halt.reason, reason, strlen(reason));
    }
    memcpy(c->halt.by, ask->by, sizeof c->halt.by);
    return NULL;
}

static const char *read_reference(struct request *request, const json_t *root)
{
    struct market_request *ask = request->state;
    struct command *c = &ask->command;
    const struct config_symbol *symbol = read_symbol(request->context->config, root, ask);
    json_int_t price = 0, adv = 0;
    char reg_sho = desk_letter(root, "reg_sho");
    if (!symbol)
        return unknown(request, root);
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (json_object_get(root, "price") && !desk_number(root, "price", PRICE_MAX, &price))
        return "the price is none: give 0.0001 to 199999.99";
    if (reg_sho && !strchr("012", reg_sho))
        return "the short-sale state is none of none, intraday, remains";
    if (json_object_get(root, "adv") && !desk_number(root, "adv", (json_int_t)LIMIT_MOST_QUANTITY, &adv))
        return "the average daily volume is none: give 1 to 1000000000000 shares";
    if (!price && !adv && !reg_sho)
        return "neither a price, an average daily volume nor a short-sale state is given: give one";
    *c = (struct command){.type = CMD_REFERENCE, .session = SESSION_NONE};
    c->reference.locate = symbol->locate;
    c->reference.reference = (uint32_t)price;
    c->reference.adv = (uint64_t)adv;
    c->reference.reg_sho = reg_sho;
    memcpy(c->reference.by, ask->by, sizeof c->reference.by);
    return NULL;
}

static const char *read_bands(struct request *request, const json_t *root)
{
    struct market_request *ask = request->state;
    struct command *c = &ask->command;
    const struct config *config = request->context->config;
    const struct config_symbol *symbol = read_symbol(config, root, ask);
    const json_t *parts = json_object_get(root, "parts");
    json_int_t value = json_integer_value(parts);
    if (!symbol)
        return unknown(request, root);
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (!json_is_integer(parts) || value < 0 || value > 1000000)
        return "the bands are none: give a percentage from 0.0001 to 100, or off";
    market_bands(config, (uint32_t)(symbol - config->symbols), c);
    uint64_t wide = (uint64_t)value * config->bands.wide_factor;
    c->bands.percent = (uint32_t)value;
    c->bands.wide_percent = wide < 1000000 ? (uint32_t)wide : 1000000;
    memcpy(c->bands.by, ask->by, sizeof c->bands.by);
    return NULL;
}

static const char *read_breach(struct request *request, const json_t *root)
{
    struct market_request *ask = request->state;
    json_int_t level;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (!desk_number(root, "level", 3, &level))
        return "the level is none of 1, 2, 3";
    ask->cores = desk_all_cores(request->context->config);
    ask->command = market_breached(request->context->config, market_level_at((uint8_t)level), (uint8_t)level);
    memcpy(ask->command.index.by, ask->by, sizeof ask->command.index.by);
    return NULL;
}

static void give(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    struct market_request *ask = request->state;
    if (!recovery) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    if (desk_day_over(request, recovery, ask->cores, DESK_DAY_OVER))
        return;
    for (unsigned core = 0; core < request->context->config->matchers_count; core++) {
        if (!(ask->cores & 1u << core) || !recovery_give(recovery, core, &ask->command))
            continue; // a core without room stays behind: the operator is told
        ask->given_to |= 1u << core;
        log_event(LOG_XW2019, "\"core\":%u,\"ask\":\"%s\",\"locate\":%u,\"by\":%s", core, request->subject->ask,
                  ask->command.type == CMD_HALT ? ask->command.halt.locate : 0, log_quote(ask->by));
    }
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

static void go_on(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct market_request *ask = request->state;
    if (request->stage == STAGE_GIVE) {
        give(request, recovery, now_ns);
        return;
    }
    const bool taken = recovery && desk_taken(request, recovery, ask->given_to); // once: it may become true any time
    if (taken && ask->given_to == ask->cores)
        desk_answer(request, json_pack("{s:b, s:s}", "ok", 1, "done", request->subject->ask));
    else if (taken)
        desk_refuse(request, EX_TEMPFAIL, "matching cores took nothing just now: ask again");
    else if (!recovery || now_ns > request->deadline_ns)
        desk_refuse(request, EX_TEMPFAIL, "it is not known whether that was taken: see xwctl journal dump");
}

#define SUBJECT(name, word, reader)    \
    const struct desk_subject name = { \
        .ask = (word), .size = sizeof(struct market_request), .read = (reader), .go_on = go_on}
SUBJECT(market_halt, "halt", read_halt);
SUBJECT(market_reference, "reference", read_reference);
SUBJECT(market_bands_set, "bands", read_bands);
SUBJECT(market_breach, "breach", read_breach);
