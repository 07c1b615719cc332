// SPDX-License-Identifier: Apache-2.0
// The file as a whole: its sections, and what all of its entries come to.
#include "control/limits/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/limits/file_reader.h"
#include "control/limits/sense.h"
#include "control/limits/table.h"

const struct limits_section limits_sections[SECTIONS] = {
    [VENUE] = {"venue", SCOPE_VENUE, {NULL}},
    [FIRMS] = {"firms", SCOPE_FIRM, {"firm", "shares", NULL}},
    [ACCOUNTS] = {"accounts", SCOPE_ACCOUNT, {"account", "shares", NULL}},
    [SESSIONS] = {"sessions", SCOPE_SESSION, {"session", NULL}},
    [SYMBOLS] = {"symbols", SCOPE_SYMBOL, {"symbol", "reference", "adv", "reg_sho", "tier", "restricted"}},
    [POSITIONS] = {"positions", SCOPE_POSITION, {"account", "symbol", "quantity", "cost", NULL}},
    [GROUPS] = {"groups", SCOPE_NONE, {"group", "symbols", NULL}},
};

// ---- nodes and rules ------------------------------------------------------------------------------------------------

const char *reader_shown(const yaml_node_t *scalar)
{
    return config_shown((const char *)scalar->data.scalar.value, scalar->data.scalar.length);
}

bool reader_is_word(const yaml_node_t *scalar, const char *word)
{
    return scalar->data.scalar.length == strlen(word) && !memcmp(scalar->data.scalar.value, word, strlen(word));
}

yaml_node_t *reader_node(struct limits_reader *reader, int index)
{
    return yaml_document_get_node(&reader->source.document, index);
}

// A node that stands in two places came from an alias.
bool reader_check_single(struct limits_reader *reader, int index)
{
    if (reader->seen[index])
        return FAIL(reader, reader_node(reader, index), "an alias refers to this; write the value out in each place");
    reader->seen[index] = true;
    return true;
}

bool reader_need_scalar(struct limits_reader *reader, const char *key, const yaml_node_t *value)
{
    if (value->type != YAML_SCALAR_NODE)
        return FAIL(reader, value, "`%s` is a %s; write one value", key,
                    value->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
    if (memchr(value->data.scalar.value, 0, value->data.scalar.length))
        return FAIL(reader, value, "`%s` holds a NUL character; write plain text", key);
    return true;
}

bool reader_keep(struct limits_reader *reader, const struct limits_rule *rule, const yaml_node_t *node)
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

// ---- the whole ------------------------------------------------------------------------------------------------------

static bool take_entry(struct limits_reader *reader, enum section section, const yaml_node_t *mapping)
{
    struct limits_entry entry = {.section = section, .mapping = mapping};
    uint64_t values[LIMITS];
    if (!entry_take_keys(reader, &entry))
        return false;
    if (section == GROUPS)
        return facts_take_group(reader, &entry);
    if (!entry_take_whom(reader, &entry) || !entry_take_limits(reader, &entry, values))
        return false;
    if ((section == FIRMS || section == ACCOUNTS) && !facts_take_shares(reader, &entry))
        return false;
    if (section == SYMBOLS && (!facts_take_reference(reader, &entry) || !facts_take_restricted(reader, &entry, values)))
        return false;
    if (section == POSITIONS && !facts_take_position(reader, &entry))
        return false;
    return entry_keep_limits(reader, &entry, values);
}

static bool take_section(struct limits_reader *reader, const yaml_node_pair_t *pair, bool given[SECTIONS])
{
    const yaml_node_t *name = reader_node(reader, pair->key), *value = reader_node(reader, pair->value);
    int section = 0;
    if (!reader_check_single(reader, pair->key) || !reader_check_single(reader, pair->value))
        return false;
    while (section < SECTIONS &&
           (name->type != YAML_SCALAR_NODE || !reader_is_word(name, limits_sections[section].name)))
        section++;
    if (section == SECTIONS)
        return FAIL(reader, name,
                    "`%s` is no section; write venue, firms, accounts, sessions, symbols, positions or groups",
                    name->type == YAML_SCALAR_NODE ? reader_shown(name) : "a block");
    if (given[section])
        return FAIL(reader, name, "`%s` is given twice; keep one", limits_sections[section].name);
    given[section] = true;
    if (section == VENUE)
        return take_entry(reader, VENUE, value);
    if (value->type != YAML_SEQUENCE_NODE)
        return FAIL(reader, value, "`%s` is no list; start each entry with `- `", limits_sections[section].name);
    if (section == GROUPS && value->data.sequence.items.top - value->data.sequence.items.start > GROUPS_MOST)
        return FAIL(reader, value, "`groups` has more than %d entries; give fewer", GROUPS_MOST);
    for (const yaml_node_item_t *item = value->data.sequence.items.start; item < value->data.sequence.items.top; item++)
        if (!reader_check_single(reader, *item) ||
            !take_entry(reader, (enum section)section, reader_node(reader, *item)))
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

static const yaml_node_t *node_of(const struct limits_reader *reader, uint64_t key)
{
    for (size_t i = 0; i < reader->count; i++)
        if (reader->written[i].rule.key == key)
            return reader->written[i].node;
    return NULL;
}

// What an account, its firm and the venue say together, wherever in the file: so once all is there.
static bool check_together(struct limits_reader *reader)
{
    const struct limits_set *rules = &reader->file->rules;
    for (uint32_t i = 0; i < reader->venue->config->accounts_count; i++) {
        const uint16_t account = (uint16_t)i;
        if (!limits_share_is_of_something(rules, NULL, reader->venue, account))
            return FAIL(reader,
                        node_of(reader, limits_key(RULE_LIMIT, SCOPE_ACCOUNT, account, 0, LIMIT_POSITION_SHARE)),
                        "`%s` " LIMITS_SHARE_OF_NOTHING, limit_info(LIMIT_POSITION_SHARE).key);
        const uint64_t slow = limits_slow_before_alert(rules, NULL, reader->venue, account);
        if (slow)
            return FAIL(reader, node_of(reader, slow), "`%s` " LIMITS_SLOW_FIRST, limit_info(LIMIT_SLOW).key);
    }
    return true;
}

// Puts the rules in order; two of one key are refused where the second one stands.
static bool settle(struct limits_reader *reader)
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
    return check_together(reader);
}

static bool take_file(struct limits_reader *reader)
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
    struct limits_reader reader = {.venue = venue, .file = calloc(1, sizeof *reader.file)};
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
