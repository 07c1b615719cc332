// SPDX-License-Identifier: Apache-2.0
// What stands in the limits file beside limits: shares of the matching cores, what is known of symbols, positions as
// the day begins, groups.
#include <stdlib.h>
#include <string.h>

#include "contract/config_text.h"
#include "control/limits/file_reader.h"
#include "control/limits/table.h"

// ---- shares ---------------------------------------------------------------------------------------------------------

bool facts_take_shares(struct limits_reader *reader, const struct limits_entry *entry)
{
    const yaml_node_t *node = entry->keys[1];
    if (!node)
        return true;
    const uint32_t matchers = reader->venue->config->matchers_count;
    const enum scope scope = limits_sections[entry->section].scope;
    struct limits_shares shares = {.scope = (uint8_t)scope, .index = entry->index};
    const uint64_t key = limits_key(RULE_LIMIT, scope, entry->index, 0, (enum limit)0);
    const uint32_t cores = limits_cores(reader->venue, key);
    unsigned sum = 0;
    if (node->type != YAML_SEQUENCE_NODE ||
        (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) != matchers)
        return FAIL(reader, node, "`shares` must be a list of one per cent for each of the %u matching cores",
                    matchers);
    for (uint32_t core = 0; core < matchers; core++) {
        const int item = node->data.sequence.items.start[core];
        const yaml_node_t *value = reader_node(reader, item);
        int64_t percent;
        char why[512];
        if (!reader_check_single(reader, item) || !reader_need_scalar(reader, "shares", value))
            return false;
        if (!limit_parse_decimal((const char *)value->data.scalar.value, value->data.scalar.length, 1000000, false,
                                 &percent, why, sizeof why) ||
            percent % 10000 != 0)
            return FAIL(reader, value, "`shares` has `%s`; write whole per cent, 0 to 100", reader_shown(value));
        if (percent > 0 && !(cores & 1u << core))
            return FAIL(reader, value, "matching core %u has no session of this %s; give it 0", core,
                        scope_name(scope));
        shares.percent[core] = (uint8_t)(percent / 10000);
        sum += shares.percent[core];
    }
    if (sum != 100)
        return FAIL(reader, node, "`shares` come to %u per cent; make it 100", sum);
    struct limits_file *file = reader->file;
    if (file->shares_count == reader->shares_room) {
        reader->shares_room = reader->shares_room ? 2 * reader->shares_room : 16;
        struct limits_shares *grown = realloc(file->shares, reader->shares_room * sizeof *grown);
        if (!grown)
            return FAIL(reader, NULL, "out of memory; free some");
        file->shares = grown;
    }
    file->shares[file->shares_count++] = shares;
    return true;
}

// ---- symbols, positions, groups -------------------------------------------------------------------------------------

// Whole shares with a sign where one may be; `most` in either direction.
static bool take_whole(struct limits_reader *reader, const char *key, const yaml_node_t *node, bool is_signed,
                       int64_t *value)
{
    const char *text = (const char *)node->data.scalar.value;
    const size_t size = node->data.scalar.length, sign = is_signed && size > 1 && text[0] == '-';
    char why[512];
    uint64_t number;
    if (!reader_need_scalar(reader, key, node))
        return false;
    if (!limit_parse(LIMIT_MAX_QUANTITY, text + sign, size - sign, &number, why, sizeof why))
        return FAIL(reader, node, "`%s` %s", key, why);
    if (number == 0)
        return FAIL(reader, node, "`%s` is 0, which says nothing; leave it out", key);
    *value = sign ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool take_word(struct limits_reader *reader, const char *key, const yaml_node_t *node, const char *const words[],
                      unsigned *word, const char *mend)
{
    if (!reader_need_scalar(reader, key, node))
        return false;
    for (*word = 0; words[*word]; ++*word)
        if (reader_is_word(node, words[*word]))
            return true;
    return FAIL(reader, node, "`%s` is `%s`; write %s", key, reader_shown(node), mend);
}

bool facts_take_reference(struct limits_reader *reader, const struct limits_entry *entry)
{
    static const char *const sho[] = {"none", "intraday", "remains", NULL}, *const tiers[] = {"1", "2", NULL};
    static const char states[] = {SHO_NONE, SHO_INTRADAY, SHO_REMAINS};
    const yaml_node_t *const *keys = entry->keys;
    struct limits_rule rule = {.key = limits_key(RULE_REFERENCE, SCOPE_SYMBOL, 0, entry->symbol, (enum limit)0)};
    unsigned word;
    if (keys[1]) {
        uint32_t price;
        if (!reader_need_scalar(reader, "reference", keys[1]))
            return false;
        if (!parse_price((const char *)keys[1]->data.scalar.value, &price))
            return FAIL(reader, keys[1], "`reference` is `%s`; write a price above 0 with at most 4 places, as 10.25",
                        reader_shown(keys[1]));
        rule.value = price;
    }
    if (keys[2]) {
        int64_t adv;
        if (!take_whole(reader, "adv", keys[2], false, &adv))
            return false;
        rule.more = (uint64_t)adv;
    }
    if (keys[3]) {
        if (!take_word(reader, "reg_sho", keys[3], sho, &word, "none, intraday or remains"))
            return false;
        rule.reg_sho = states[word];
    }
    if (keys[4]) {
        if (!take_word(reader, "tier", keys[4], tiers, &word, "1 or 2"))
            return false;
        rule.tier = (uint8_t)(word + 1);
    }
    return !(keys[1] || keys[2] || keys[3] || keys[4]) || reader_keep(reader, &rule, entry->mapping);
}

bool facts_take_restricted(struct limits_reader *reader, const struct limits_entry *entry, uint64_t values[LIMITS])
{
    static const char *const words[] = {"false", "true", NULL};
    unsigned word = 0;
    const yaml_node_t *node = entry->keys[5];
    if (node && !take_word(reader, "restricted", node, words, &word, "true or false"))
        return false;
    if (word == 0)
        return true;
    uint64_t *forbidden = &values[LIMIT_FORBIDDEN];
    *forbidden = *forbidden == LIMIT_UNSET ? 0 : *forbidden;
    if (*forbidden & FORBID_ALL)
        return FAIL(reader, node, "`restricted` says what `forbidden: [all]` says already; keep one");
    *forbidden |= FORBID_ALL;
    return true;
}

bool facts_take_position(struct limits_reader *reader, const struct limits_entry *entry)
{
    const yaml_node_t *quantity = entry->keys[2], *cost = entry->keys[3];
    struct limits_rule rule = {
        .key = limits_key(RULE_POSITION, SCOPE_POSITION, entry->index, entry->symbol, (enum limit)0)};
    int64_t shares, value;
    char why[512];
    if (!quantity && !cost)
        return true;
    if (!quantity || !cost)
        return FAIL(reader, quantity ? quantity : cost, "`%s` says nothing without `%s`; give both, or neither",
                    quantity ? "quantity" : "cost", quantity ? "cost" : "quantity");
    if (!take_whole(reader, "quantity", quantity, true, &shares) || !reader_need_scalar(reader, "cost", cost))
        return false;
    if (!limit_parse_decimal((const char *)cost->data.scalar.value, cost->data.scalar.length, LIMIT_MOST_MONEY, true,
                             &value, why, sizeof why))
        return FAIL(reader, cost, "`cost` %s", why);
    if (value != 0 && (value < 0) != (shares < 0))
        return FAIL(reader, cost,
                    "`cost` has another sign than `quantity`; what is short was paid for with less than 0");
    const unsigned __int128 most = (unsigned __int128)(shares < 0 ? -shares : shares) * PRICE_MARKET;
    if ((unsigned __int128)(value < 0 ? -value : value) > most)
        return FAIL(reader, cost, "`cost` is more than 200,000.0000 a share; it is that of all shares together");
    rule.value = (uint64_t)shares;
    rule.more = (uint64_t)value;
    uint64_t *sum = &reader->costs[reader->venue->firm_of[entry->index]];
    *sum += (uint64_t)(value < 0 ? -value : value);
    if (*sum > LIMIT_MOST_MONEY)
        return FAIL(reader, entry->mapping,
                    "with this one the costs of firm %s come to more than 100000000000000; check them",
                    reader->venue->config->accounts[entry->index].firm);
    return reader_keep(reader, &rule, entry->mapping);
}

bool facts_take_group(struct limits_reader *reader, const struct limits_entry *entry)
{
    const yaml_node_t *name = entry->keys[0], *symbols = entry->keys[1];
    if (!name || !symbols)
        return FAIL(reader, entry->mapping, "`%s` is missing in an entry of groups; write {group: NAME, symbols: [..]}",
                    name ? "symbols" : "group");
    if (!reader_need_scalar(reader, "group", name))
        return false;
    if (name->data.scalar.length == 0)
        return FAIL(reader, name, "`group` is empty; give it a name");
    for (uint32_t i = 0; i < reader->groups; i++)
        if (reader_is_word(reader->names[i], (const char *)name->data.scalar.value))
            return FAIL(reader, name, "group `%s` has an entry already, on line %zu; keep one", reader_shown(name),
                        reader->names[i]->start_mark.line + 1);
    if (symbols->type != YAML_SEQUENCE_NODE || symbols->data.sequence.items.start == symbols->data.sequence.items.top)
        return FAIL(reader, symbols, "`symbols` is no list of symbols; write [XWIRE, ALPHA]");
    reader->names[reader->groups++] = name;
    for (const yaml_node_item_t *item = symbols->data.sequence.items.start; item < symbols->data.sequence.items.top;
         item++) {
        const yaml_node_t *node = reader_node(reader, *item);
        uint16_t index, symbol;
        if (!reader_check_single(reader, *item) || !reader_need_scalar(reader, "symbols", node))
            return false;
        if (!limits_find_whom(reader->venue, SCOPE_SYMBOL, (const char *)node->data.scalar.value, &index, &symbol))
            return FAIL(reader, node, "the configuration has no symbol `%s`; name one of its `symbols`",
                        reader_shown(node));
        struct limits_rule rule = {.key = limits_key(RULE_GROUP, SCOPE_SYMBOL, 0, symbol, (enum limit)0),
                                   .value = reader->groups};
        if (!reader_keep(reader, &rule, node))
            return false;
    }
    return true;
}
