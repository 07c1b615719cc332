// SPDX-License-Identifier: Apache-2.0
// {"ask":"references"}: what matching cores have been told of symbols (reference price, average daily volume,
// short-sale state, tier) and of capital that firms and accounts have declared: what risk is measured by.
#include "control/limits/table.h"
#include "control/operator/operator.h"

static const char *read_nothing(struct request *request, const json_t *root)
{
    (void)request, (void)root;
    return NULL;
}

static json_t *symbol_json(const struct limits_desk *desk, const struct config *config, uint16_t symbol)
{
    static const char *const states[] = {"none", "intraday", "remains"};
    struct limits_rule rule = {0};
    const bool known =
        limits_desk_told(desk, limits_key(RULE_REFERENCE, SCOPE_SYMBOL, 0, symbol, (enum limit)0), &rule);
    return json_pack("{s:s, s:I, s:I, s:s, s:i, s:s}", "symbol", config->symbols[symbol].name, "reference",
                     (json_int_t)rule.value, "adv", (json_int_t)rule.more, "reg_sho",
                     rule.reg_sho >= SHO_NONE && rule.reg_sho <= SHO_REMAINS ? states[rule.reg_sho - SHO_NONE]
                                                                             : "unknown",
                     "tier", (int)rule.tier, "by", known ? rule.by : "");
}

static void append_capital(json_t *list, const struct limits_desk *desk, enum scope scope, uint16_t index,
                           const char *name)
{
    struct limits_rule rule;
    char text[LIMIT_TEXT];
    if (!limits_desk_told(desk, limits_key(RULE_LIMIT, scope, index, 0, LIMIT_CAPITAL), &rule) ||
        rule.value == LIMIT_UNSET)
        return;
    limit_format(LIMIT_CAPITAL, rule.value, text);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "scope", scope_name(scope), "name", name, "capital",
                                          text, "by", rule.by));
}

static void show(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct limits_desk *desk = request->context->limits;
    const struct config *config = request->context->config;
    const struct limits_venue *venue = limits_desk_venue(desk);
    json_t *symbols = json_array(), *capital = json_array();
    (void)recovery, (void)now_ns;
    for (uint32_t i = 0; i < config->symbols_count; i++)
        json_array_append_new(symbols, symbol_json(desk, config, (uint16_t)i));
    for (uint32_t i = 0; i < config->accounts_count; i++) {
        if (venue->firm_of[i] == i)
            append_capital(capital, desk, SCOPE_FIRM, (uint16_t)i, config->accounts[i].firm);
        append_capital(capital, desk, SCOPE_ACCOUNT, (uint16_t)i, config->accounts[i].name);
    }
    desk_answer(request, json_pack("{s:b, s:o, s:o}", "ok", 1, "symbols", symbols, "capital", capital));
}

const struct desk_subject market_references = {.ask = "references", .size = 0, .read = read_nothing, .go_on = show};
