// SPDX-License-Identifier: Apache-2.0
#include "control/limits/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/config_source.h"
#include "contract/config_text.h"
#include "control/limits/sense.h"
#include "control/limits/table.h"

enum section { VENUE, FIRMS, ACCOUNTS, SESSIONS, SYMBOLS, POSITIONS, GROUPS, SECTIONS };

static const struct {
    const char *name;
    enum scope scope; // whose limits stand there; SCOPE_NONE: none
    const char *keys[6];
} sections[SECTIONS] = {
    [VENUE] = {"venue", SCOPE_VENUE, {NULL}},
    [FIRMS] = {"firms", SCOPE_FIRM, {"firm", "shares", NULL}},
    [ACCOUNTS] = {"accounts", SCOPE_ACCOUNT, {"account", "shares", NULL}},
    [SESSIONS] = {"sessions", SCOPE_SESSION, {"session", NULL}},
    [SYMBOLS] = {"symbols", SCOPE_SYMBOL, {"symbol", "reference", "adv", "reg_sho", "tier", "restricted"}},
    [POSITIONS] = {"positions", SCOPE_POSITION, {"account", "symbol", "quantity", "cost", NULL}},
    [GROUPS] = {"groups", SCOPE_NONE, {"group", "symbols", NULL}},
};

enum { GROUPS_MOST = 32 };
enum { KEYS = sizeof sections[0].keys / sizeof sections[0].keys[0] };

// A rule and where it was written; and, of kind 0, that somebody has an entry.
struct written {
    struct limits_rule rule;
    const yaml_node_t *node;
};

struct reader {
    struct config_source source;
    const struct limits_venue *venue;
    struct limits_file *file;
    bool *seen; // nodes
    struct written *written;
    size_t count, room;
    size_t shares_room;
    uint32_t groups;
    uint64_t *costs; // of positions, by a firm's index
};

// What stands in one entry.
struct entry {
    enum section section;
    const yaml_node_t *mapping;
    const yaml_node_t *keys[KEYS];     // values of sections[].keys
    const yaml_node_t *limits[LIMITS]; // values of limits
    uint16_t index, symbol;
};

#define FAIL(reader, node, ...) config_fail(&(reader)->source, (node), __VA_ARGS__)

static const char *shown(const yaml_node_t *scalar)
{
    return config_shown((const char *)scalar->data.scalar.value, scalar->data.scalar.length);
}

static bool is_word(const yaml_node_t *scalar, const char *word)
{
    return scalar->data.scalar.length == strlen(word) && !memcmp(scalar->data.scalar.value, word, strlen(word));
}

static yaml_node_t *node_at(struct reader *reader, int index)
{
    return yaml_document_get_node(&reader->source.document, index);
}

// A node that stands in two places came from an alias.
static bool check_single(struct reader *reader, int index)
{
    if (reader->seen[index])
        return FAIL(reader, node_at(reader, index), "an alias refers to this; write the value out in each place");
    reader->seen[index] = true;
    return true;
}

static bool need_scalar(struct reader *reader, const char *key, const yaml_node_t *value)
{
    if (value->type != YAML_SCALAR_NODE)
        return FAIL(reader, value, "`%s` is a %s; write one value", key,
                    value->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
    if (memchr(value->data.scalar.value, 0, value->data.scalar.length))
        return FAIL(reader, value, "`%s` holds a NUL character; write plain text", key);
    return true;
}

static bool keep(struct reader *reader, const struct limits_rule *rule, const yaml_node_t *node)
{
    if (reader->count == reader->room) {
        const size_t room = reader->room ? 2 * reader->room : 64;
        struct written *grown = realloc(reader->written, room * sizeof *grown);
        if (!grown)
            return FAIL(reader, NULL, "out of memory; free some");
        reader->written = grown;
        reader->room = room;
    }
    struct written *written = &reader->written[reader->count++];
    *written = (struct written){*rule, node};
    strcpy(written->rule.by, LIMITS_FILE);
    return true;
}

// ---- the keys of an entry -------------------------------------------------------------------------------------------

static const char *scope_word(enum scope scope)
{
    const char *name = scope_name(scope);
    return name ? name : "group";
}

static bool fail_scope(struct reader *reader, const struct entry *entry, enum limit limit, const yaml_node_t *name)
{
    char where[96] = "";
    size_t used = 0;
    for (int i = 0; i < SECTIONS; i++)
        if (sections[i].scope && limit_applies(limit, sections[i].scope))
            used += (size_t)snprintf(where + used, sizeof where - used, "%s`%s`", used ? ", " : "", sections[i].name);
    return FAIL(reader, name, "%s %s has no `%s`; put it under %s",
                sections[entry->section].scope == SCOPE_ACCOUNT ? "an" : "a",
                scope_word(sections[entry->section].scope), shown(name), where);
}

static bool fail_unknown(struct reader *reader, const struct entry *entry, const yaml_node_t *name)
{
    const char *text = (const char *)name->data.scalar.value, *nearest = "";
    unsigned least = UINT32_MAX;
    const enum scope scope = sections[entry->section].scope;
    for (int i = 0; i < KEYS + LIMITS; i++) {
        const char *key = i < KEYS ? sections[entry->section].keys[i] : limit_info((enum limit)(i - KEYS)).key;
        if (!key || (i >= KEYS && !limit_applies((enum limit)(i - KEYS), scope)))
            continue;
        const unsigned far = config_distance(text, name->data.scalar.length, key);
        if (far < least) {
            least = far;
            nearest = key;
        }
    }
    return FAIL(reader, name, "unknown key `%s` in %s; did you mean `%s`?", shown(name), sections[entry->section].name,
                nearest);
}

static bool take_pair(struct reader *reader, struct entry *entry, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = node_at(reader, pair->key), *value = node_at(reader, pair->value);
    if (!check_single(reader, pair->key) || !check_single(reader, pair->value))
        return false;
    if (name->type != YAML_SCALAR_NODE)
        return FAIL(reader, name, "a key must be a plain word; see the example limits.yaml");
    const enum limit limit = limit_by_key((const char *)name->data.scalar.value, name->data.scalar.length);
    const yaml_node_t **slot = NULL;
    for (unsigned i = 0; i < KEYS && sections[entry->section].keys[i]; i++)
        if (is_word(name, sections[entry->section].keys[i]))
            slot = &entry->keys[i];
    if (!slot && limit == LIMITS)
        return fail_unknown(reader, entry, name);
    if (!slot && !limit_applies(limit, sections[entry->section].scope))
        return fail_scope(reader, entry, limit, name);
    slot = slot ? slot : &entry->limits[limit];
    if (*slot)
        return FAIL(reader, name, "`%s` is given twice; keep one", shown(name));
    *slot = value;
    return true;
}

static bool take_keys(struct reader *reader, struct entry *entry)
{
    const yaml_node_t *mapping = entry->mapping;
    if (mapping->type != YAML_MAPPING_NODE)
        return FAIL(reader, mapping, "%s%s is no block of keys; write `key: value` lines",
                    entry->section == VENUE ? "" : "an entry of ", sections[entry->section].name);
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++)
        if (!take_pair(reader, entry, pair))
            return false;
    return true;
}

// ---- whom it is about -----------------------------------------------------------------------------------------------

// The name under key number `key`, of `scope`; the configuration must have it.
static bool take_name(struct reader *reader, struct entry *entry, unsigned key, enum scope scope)
{
    const char *word = sections[entry->section].keys[key];
    const yaml_node_t *value = entry->keys[key];
    uint16_t index, symbol;
    if (!value)
        return FAIL(reader, entry->mapping, "`%s` is missing in an entry of %s; say whom it is about", word,
                    sections[entry->section].name);
    if (!need_scalar(reader, word, value))
        return false;
    if (!limits_find_whom(reader->venue, scope, (const char *)value->data.scalar.value, &index, &symbol))
        return FAIL(reader, value, "the configuration has no %s `%s`; name one of its `%s`", word, shown(value),
                    scope == SCOPE_FIRM      ? "accounts' firms"
                    : scope == SCOPE_SESSION ? "sessions' users"
                    : scope == SCOPE_ACCOUNT ? "accounts"
                                             : "symbols");
    if (scope == SCOPE_SYMBOL)
        entry->symbol = symbol;
    else
        entry->index = index;
    return true;
}

static bool take_whom(struct reader *reader, struct entry *entry)
{
    const enum scope scope = sections[entry->section].scope;
    bool good = true;
    if (entry->section == POSITIONS)
        good = take_name(reader, entry, 0, SCOPE_ACCOUNT) && take_name(reader, entry, 1, SCOPE_SYMBOL);
    else if (entry->section != VENUE)
        good = take_name(reader, entry, 0, scope);
    if (!good)
        return false;
    struct limits_rule marker = {.key =
                                     limits_key((enum rule_kind)0, scope, entry->index, entry->symbol, (enum limit)0)};
    return keep(reader, &marker, entry->mapping);
}

// ---- limits ---------------------------------------------------------------------------------------------------------

// One permission, or a list of them.
static bool take_permissions(struct reader *reader, const yaml_node_t *node, uint64_t *value)
{
    char why[512];
    *value = 0;
    if (node->type == YAML_MAPPING_NODE)
        return FAIL(reader, node, "`forbidden` is a block of keys; write a list: [market, iso]");
    const yaml_node_item_t *item = NULL, *end = NULL;
    if (node->type == YAML_SEQUENCE_NODE) {
        item = node->data.sequence.items.start;
        end = node->data.sequence.items.top;
    }
    for (bool single = node->type == YAML_SCALAR_NODE; single || item < end; single = false) {
        const yaml_node_t *word = single ? node : node_at(reader, *item);
        uint64_t bit;
        if (!single && !check_single(reader, *item++))
            return false;
        if (!need_scalar(reader, "forbidden", word))
            return false;
        if (!limit_parse(LIMIT_FORBIDDEN, (const char *)word->data.scalar.value, word->data.scalar.length, &bit, why,
                         sizeof why))
            return FAIL(reader, word, "`forbidden` %s", why);
        if (*value & bit)
            return FAIL(reader, word, "`%s` is given twice; keep one", shown(word));
        *value |= bit;
    }
    return true;
}

static bool take_values(struct reader *reader, const struct entry *entry, uint64_t values[LIMITS])
{
    char why[512];
    for (int i = 0; i < LIMITS; i++) {
        const yaml_node_t *node = entry->limits[i];
        const struct limit_info info = limit_info((enum limit)i);
        values[i] = LIMIT_UNSET;
        if (!node)
            continue;
        if (info.unit == UNIT_MASK) {
            if (!take_permissions(reader, node, &values[i]))
                return false;
            continue;
        }
        if (!need_scalar(reader, info.key, node))
            return false;
        if (!limit_parse((enum limit)i, (const char *)node->data.scalar.value, node->data.scalar.length, &values[i],
                         why, sizeof why))
            return FAIL(reader, node, "`%s` %s", info.key, why);
    }
    enum limit about;
    if (limits_sensible(values, true, &about, why, sizeof why))
        return true;
    return FAIL(reader, entry->limits[about], "`%s` %s", limit_info(about).key, why);
}

static bool keep_limits(struct reader *reader, const struct entry *entry, const uint64_t values[LIMITS])
{
    const enum scope scope = sections[entry->section].scope;
    for (int i = 0; i < LIMITS; i++) {
        struct limits_rule rule = {.key = limits_key(RULE_LIMIT, scope, entry->index, entry->symbol, (enum limit)i),
                                   .value = values[i]};
        if (values[i] != LIMIT_UNSET && !keep(reader, &rule, entry->limits[i] ? entry->limits[i] : entry->mapping))
            return false;
    }
    return true;
}

// ---- shares ---------------------------------------------------------------------------------------------------------

static bool take_shares(struct reader *reader, const struct entry *entry)
{
    const yaml_node_t *node = entry->keys[1];
    if (!node)
        return true;
    const uint32_t matchers = reader->venue->config->matchers_count;
    const enum scope scope = sections[entry->section].scope;
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
        const yaml_node_t *value = node_at(reader, item);
        int64_t percent;
        char why[512];
        if (!check_single(reader, item) || !need_scalar(reader, "shares", value))
            return false;
        if (!limit_parse_decimal((const char *)value->data.scalar.value, value->data.scalar.length, 1000000, false,
                                 &percent, why, sizeof why) ||
            percent % 10000 != 0)
            return FAIL(reader, value, "`shares` has `%s`; write whole per cent, 0 to 100", shown(value));
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
static bool take_whole(struct reader *reader, const char *key, const yaml_node_t *node, bool is_signed, int64_t *value)
{
    const char *text = (const char *)node->data.scalar.value;
    const size_t size = node->data.scalar.length, sign = is_signed && size > 1 && text[0] == '-';
    char why[512];
    uint64_t number;
    if (!need_scalar(reader, key, node))
        return false;
    if (!limit_parse(LIMIT_MAX_QUANTITY, text + sign, size - sign, &number, why, sizeof why))
        return FAIL(reader, node, "`%s` %s", key, why);
    if (number == 0)
        return FAIL(reader, node, "`%s` is 0, which says nothing; leave it out", key);
    *value = sign ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool take_word(struct reader *reader, const char *key, const yaml_node_t *node, const char *const words[],
                      unsigned *word, const char *mend)
{
    if (!need_scalar(reader, key, node))
        return false;
    for (*word = 0; words[*word]; ++*word)
        if (is_word(node, words[*word]))
            return true;
    return FAIL(reader, node, "`%s` is `%s`; write %s", key, shown(node), mend);
}

static bool take_reference(struct reader *reader, const struct entry *entry)
{
    static const char *const sho[] = {"none", "intraday", "remains", NULL}, *const tiers[] = {"1", "2", NULL};
    static const char states[] = {SHO_NONE, SHO_INTRADAY, SHO_REMAINS};
    const yaml_node_t *const *keys = entry->keys;
    struct limits_rule rule = {.key = limits_key(RULE_REFERENCE, SCOPE_SYMBOL, 0, entry->symbol, (enum limit)0)};
    unsigned word;
    if (keys[1]) {
        uint32_t price;
        if (!need_scalar(reader, "reference", keys[1]))
            return false;
        if (!parse_price((const char *)keys[1]->data.scalar.value, &price))
            return FAIL(reader, keys[1], "`reference` is `%s`; write a price above 0 with at most 4 places, as 10.25",
                        shown(keys[1]));
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
    return !(keys[1] || keys[2] || keys[3] || keys[4]) || keep(reader, &rule, entry->mapping);
}

static bool take_restricted(struct reader *reader, const struct entry *entry, uint64_t values[LIMITS])
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

static bool take_position(struct reader *reader, const struct entry *entry)
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
    if (!take_whole(reader, "quantity", quantity, true, &shares) || !need_scalar(reader, "cost", cost))
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
    return keep(reader, &rule, entry->mapping);
}

static bool take_group(struct reader *reader, const struct entry *entry)
{
    const yaml_node_t *name = entry->keys[0], *symbols = entry->keys[1];
    if (!name || !symbols)
        return FAIL(reader, entry->mapping, "`%s` is missing in an entry of groups; write {group: NAME, symbols: [..]}",
                    name ? "symbols" : "group");
    if (!need_scalar(reader, "group", name))
        return false;
    if (symbols->type != YAML_SEQUENCE_NODE)
        return FAIL(reader, symbols, "`symbols` is no list; write [XWIRE, ALPHA]");
    reader->groups++;
    for (const yaml_node_item_t *item = symbols->data.sequence.items.start; item < symbols->data.sequence.items.top;
         item++) {
        const yaml_node_t *node = node_at(reader, *item);
        uint16_t index, symbol;
        if (!check_single(reader, *item) || !need_scalar(reader, "symbols", node))
            return false;
        if (!limits_find_whom(reader->venue, SCOPE_SYMBOL, (const char *)node->data.scalar.value, &index, &symbol))
            return FAIL(reader, node, "the configuration has no symbol `%s`; name one of its `symbols`", shown(node));
        struct limits_rule rule = {.key = limits_key(RULE_GROUP, SCOPE_SYMBOL, 0, symbol, (enum limit)0),
                                   .value = reader->groups};
        if (!keep(reader, &rule, node))
            return false;
    }
    return true;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

static bool take_entry(struct reader *reader, enum section section, const yaml_node_t *mapping)
{
    struct entry entry = {.section = section, .mapping = mapping};
    uint64_t values[LIMITS];
    if (!take_keys(reader, &entry))
        return false;
    if (section == GROUPS)
        return take_group(reader, &entry);
    if (!take_whom(reader, &entry) || !take_values(reader, &entry, values))
        return false;
    if ((section == FIRMS || section == ACCOUNTS) && !take_shares(reader, &entry))
        return false;
    if (section == SYMBOLS && (!take_reference(reader, &entry) || !take_restricted(reader, &entry, values)))
        return false;
    if (section == POSITIONS && !take_position(reader, &entry))
        return false;
    return keep_limits(reader, &entry, values);
}

static bool take_section(struct reader *reader, const yaml_node_pair_t *pair, bool given[SECTIONS])
{
    const yaml_node_t *name = node_at(reader, pair->key), *value = node_at(reader, pair->value);
    int section = 0;
    if (!check_single(reader, pair->key) || !check_single(reader, pair->value))
        return false;
    while (section < SECTIONS && (name->type != YAML_SCALAR_NODE || !is_word(name, sections[section].name)))
        section++;
    if (section == SECTIONS)
        return FAIL(reader, name,
                    "`%s` is no section; write venue, firms, accounts, sessions, symbols, positions or groups",
                    name->type == YAML_SCALAR_NODE ? shown(name) : "a block");
    if (given[section])
        return FAIL(reader, name, "`%s` is given twice; keep one", sections[section].name);
    given[section] = true;
    if (section == VENUE)
        return take_entry(reader, VENUE, value);
    if (value->type != YAML_SEQUENCE_NODE)
        return FAIL(reader, value, "`%s` is no list; start each entry with `- `", sections[section].name);
    if (section == GROUPS && value->data.sequence.items.top - value->data.sequence.items.start > GROUPS_MOST)
        return FAIL(reader, value, "`groups` has more than %d entries; give fewer", GROUPS_MOST);
    for (const yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++)
        if (!check_single(reader, *item) || !take_entry(reader, (enum section)section, node_at(reader, *item)))
            return false;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct written *first = a, *second = b;
    if (first->rule.key != second->rule.key)
        return first->rule.key < second->rule.key ? -1 : 1;
    return first->node->start_mark.index < second->node->start_mark.index ? -1 : 1;
}

static int by_whom(const void *a, const void *b)
{
    const struct limits_shares *first = a, *second = b;
    return first->scope != second->scope ? first->scope - second->scope : first->index - second->index;
}

// FNV-1a: tells one version of the file from another, not friend from foe.
static uint32_t digest_of(const struct limits_file *file)
{
    uint64_t digest = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < file->rules.count; i++) {
        const struct limits_rule *rule = &file->rules.list[i];
        const uint64_t words[] = {rule->key, rule->value, rule->more,
                                  (uint64_t)(unsigned char)rule->reg_sho << 8 | rule->tier};
        for (size_t at = 0; at < sizeof words; at++)
            digest = (digest ^ ((const unsigned char *)words)[at]) * UINT64_C(0x100000001B3);
    }
    return (uint32_t)(digest ^ digest >> 32);
}

// Puts the rules in order; two of one key are refused where the second one stands.
static bool settle(struct reader *reader)
{
    struct limits_set *rules = &reader->file->rules;
    char whom[LIMITS_WHOM];
    if (reader->file->shares_count)
        qsort(reader->file->shares, reader->file->shares_count, sizeof *reader->file->shares, by_whom);
    if (reader->count)
        qsort(reader->written, reader->count, sizeof *reader->written, by_key);
    for (size_t i = 0; i < reader->count; i++) {
        const struct written *written = &reader->written[i];
        if (i > 0 && written[-1].rule.key == written->rule.key) {
            limits_whom(reader->venue, written->rule.key, whom);
            return FAIL(reader, written->node, "%s %s already, on line %zu; keep one", whom,
                        limits_kind(written->rule.key) == RULE_GROUP ? "is in a group" : "has an entry",
                        written[-1].node->start_mark.line + 1);
        }
        if (limits_kind(written->rule.key) != 0 && !limits_put(rules, &written->rule))
            return FAIL(reader, NULL, "out of memory; free some");
    }
    reader->file->digest = digest_of(reader->file);
    return true;
}

static bool take_file(struct reader *reader)
{
    struct config_source *source = &reader->source;
    bool given[SECTIONS] = {false};
    const size_t nodes = (size_t)(source->document.nodes.top - source->document.nodes.start);
    reader->seen = calloc(nodes + 1, sizeof *reader->seen);
    reader->costs = calloc(reader->venue->config->accounts_count, sizeof *reader->costs);
    if (!reader->seen || !reader->costs)
        return FAIL(reader, NULL, "out of memory; free some");
    reader->seen[1] = true; // the root; an alias to it makes a circle
    if (source->root->type != YAML_MAPPING_NODE)
        return FAIL(reader, source->root,
                    "the file is no block of keys; write sections, as the example limits.yaml has them");
    for (const yaml_node_pair_t *pair = source->root->data.mapping.pairs.start;
         pair < source->root->data.mapping.pairs.top; pair++)
        if (!take_section(reader, pair, given))
            return false;
    return settle(reader);
}

struct limits_file *limits_file_read(const char *path, const struct limits_venue *venue, char *error, size_t error_size)
{
    struct reader reader = {.venue = venue, .file = calloc(1, sizeof *reader.file)};
    if (!reader.file) {
        snprintf(error, error_size, "%s: out of memory; free some", path);
        return NULL;
    }
    if (path[0] == '\0')
        return reader.file;
    const bool good = config_source_open(&reader.source, path, error, error_size) && take_file(&reader);
    config_source_close(&reader.source);
    free(reader.seen);
    free(reader.costs);
    free(reader.written);
    if (good)
        return reader.file;
    limits_file_free(reader.file);
    return NULL;
}

void limits_file_free(struct limits_file *file)
{
    if (!file)
        return;
    limits_clear(&file->rules);
    free(file->shares);
    free(file);
}

const struct limits_shares *limits_file_shares(const struct limits_file *file, uint64_t key)
{
    const struct limits_shares wanted = {.scope = (uint8_t)limits_scope(key), .index = limits_index(key)};
    if (!file || file->shares_count == 0)
        return NULL;
    return bsearch(&wanted, file->shares, file->shares_count, sizeof *file->shares, by_whom);
}
