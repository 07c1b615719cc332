// SPDX-License-Identifier: Apache-2.0
// One entry of the limits file: its keys, whom it is about, its limits.
#include <stdio.h>
#include <string.h>

#include "control/limits/file_reader.h"
#include "control/limits/sense.h"
#include "control/limits/table.h"

// ---- the keys of an entry -------------------------------------------------------------------------------------------

static const char *scope_word(enum scope scope)
{
    const char *name = scope_name(scope);
    return name ? name : "group";
}

static bool fail_scope(struct limits_reader *reader, const struct limits_entry *entry, enum limit limit,
                       const yaml_node_t *name)
{
    char where[96] = "";
    size_t used = 0;
    for (int i = 0; i < SECTIONS; i++)
        if (limits_sections[i].scope && limit_applies(limit, limits_sections[i].scope))
            used += (size_t)snprintf(where + used, sizeof where - used, "%s`%s`", used ? ", " : "",
                                     limits_sections[i].name);
    return FAIL(reader, name, "%s %s has no `%s`; put it under %s",
                limits_sections[entry->section].scope == SCOPE_ACCOUNT ? "an" : "a",
                scope_word(limits_sections[entry->section].scope), reader_shown(name), where);
}

static bool fail_unknown(struct limits_reader *reader, const struct limits_entry *entry, const yaml_node_t *name)
{
    const char *text = (const char *)name->data.scalar.value, *nearest = "";
    unsigned least = UINT32_MAX;
    const enum scope scope = limits_sections[entry->section].scope;
    for (int i = 0; i < SECTION_KEYS + LIMITS; i++) {
        const char *key =
            i < SECTION_KEYS ? limits_sections[entry->section].keys[i] : limit_info((enum limit)(i - SECTION_KEYS)).key;
        if (!key || (i >= SECTION_KEYS && !limit_applies((enum limit)(i - SECTION_KEYS), scope)))
            continue;
        const unsigned far = config_distance(text, name->data.scalar.length, key);
        if (far < least) {
            least = far;
            nearest = key;
        }
    }
    return FAIL(reader, name, "unknown key `%s` in %s; did you mean `%s`?", reader_shown(name),
                limits_sections[entry->section].name, nearest);
}

static bool take_pair(struct limits_reader *reader, struct limits_entry *entry, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = reader_node(reader, pair->key), *value = reader_node(reader, pair->value);
    if (!reader_check_single(reader, pair->key) || !reader_check_single(reader, pair->value))
        return false;
    if (name->type != YAML_SCALAR_NODE)
        return FAIL(reader, name, "a key must be a plain word; see the example limits.yaml");
    const enum limit limit = limit_by_key((const char *)name->data.scalar.value, name->data.scalar.length);
    const yaml_node_t **slot = NULL;
    for (unsigned i = 0; i < SECTION_KEYS && limits_sections[entry->section].keys[i]; i++)
        if (reader_is_word(name, limits_sections[entry->section].keys[i]))
            slot = &entry->keys[i];
    if (!slot && limit == LIMITS)
        return fail_unknown(reader, entry, name);
    if (!slot && !limit_applies(limit, limits_sections[entry->section].scope))
        return fail_scope(reader, entry, limit, name);
    slot = slot ? slot : &entry->limits[limit];
    if (*slot)
        return FAIL(reader, name, "`%s` is given twice; keep one", reader_shown(name));
    *slot = value;
    return true;
}

bool entry_take_keys(struct limits_reader *reader, struct limits_entry *entry)
{
    const yaml_node_t *mapping = entry->mapping;
    if (mapping->type != YAML_MAPPING_NODE)
        return FAIL(reader, mapping, "%s%s is no block of keys; write `key: value` lines",
                    entry->section == VENUE ? "" : "an entry of ", limits_sections[entry->section].name);
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++)
        if (!take_pair(reader, entry, pair))
            return false;
    return true;
}

// ---- whom it is about -----------------------------------------------------------------------------------------------

// The name under key number `key`, of `scope`; the configuration must have it.
static bool take_name(struct limits_reader *reader, struct limits_entry *entry, unsigned key, enum scope scope)
{
    const char *word = limits_sections[entry->section].keys[key];
    const yaml_node_t *value = entry->keys[key];
    uint16_t index, symbol;
    if (!value)
        return FAIL(reader, entry->mapping, "`%s` is missing in an entry of %s; say whom it is about", word,
                    limits_sections[entry->section].name);
    if (!reader_need_scalar(reader, word, value))
        return false;
    if (!limits_find_whom(reader->venue, scope, (const char *)value->data.scalar.value, &index, &symbol))
        return FAIL(reader, value, "the configuration has no %s `%s`; name one of its `%s`", word, reader_shown(value),
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

bool entry_take_whom(struct limits_reader *reader, struct limits_entry *entry)
{
    const enum scope scope = limits_sections[entry->section].scope;
    bool good = true;
    if (entry->section == POSITIONS)
        good = take_name(reader, entry, 0, SCOPE_ACCOUNT) && take_name(reader, entry, 1, SCOPE_SYMBOL);
    else if (entry->section != VENUE)
        good = take_name(reader, entry, 0, scope);
    if (!good)
        return false;
    struct limits_rule marker = {.key =
                                     limits_key((enum rule_kind)0, scope, entry->index, entry->symbol, (enum limit)0)};
    return reader_keep(reader, &marker, entry->mapping);
}

// ---- limits ---------------------------------------------------------------------------------------------------------

// One permission, or a list of them.
static bool take_permissions(struct limits_reader *reader, const yaml_node_t *node, uint64_t *value)
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
        const yaml_node_t *word = single ? node : reader_node(reader, *item);
        uint64_t bit;
        if (!single && !reader_check_single(reader, *item++))
            return false;
        if (!reader_need_scalar(reader, "forbidden", word))
            return false;
        if (!limit_parse(LIMIT_FORBIDDEN, (const char *)word->data.scalar.value, word->data.scalar.length, &bit, why,
                         sizeof why))
            return FAIL(reader, word, "`forbidden` %s", why);
        if (*value & bit)
            return FAIL(reader, word, "`%s` is given twice; keep one", reader_shown(word));
        *value |= bit;
    }
    return true;
}

bool entry_take_limits(struct limits_reader *reader, const struct limits_entry *entry, uint64_t values[LIMITS])
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
        if (!reader_need_scalar(reader, info.key, node))
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

bool entry_keep_limits(struct limits_reader *reader, const struct limits_entry *entry, const uint64_t values[LIMITS])
{
    const enum scope scope = limits_sections[entry->section].scope;
    for (int i = 0; i < LIMITS; i++) {
        struct limits_rule rule = {.key = limits_key(RULE_LIMIT, scope, entry->index, entry->symbol, (enum limit)i),
                                   .value = values[i]};
        if (values[i] != LIMIT_UNSET &&
            !reader_keep(reader, &rule, entry->limits[i] ? entry->limits[i] : entry->mapping))
            return false;
    }
    return true;
}
