// SPDX-License-Identifier: Apache-2.0
// The file against the table. This comes before libcyaml fills the structures, because libcyaml reads 010 as eight and
// any word as true, and can not say where a value stood once it is loaded.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contract/config_source.h"

// What the walk over the file carries: `seen` finds nodes that an alias makes appear twice.
struct walk {
    struct config_source *source;
    bool *seen;
};

static const char *shown(const yaml_node_t *scalar)
{
    return config_shown((const char *)scalar->data.scalar.value, scalar->data.scalar.length);
}

static bool is_word(const yaml_node_t *scalar, const char *word)
{
    return scalar->data.scalar.length == strlen(word) && !memcmp(scalar->data.scalar.value, word, strlen(word));
}

// ---- names ----------------------------------------------------------------------------------------------------------

unsigned config_distance(const char *a, size_t a_size, const char *b)
{
    enum { NAME = 32 };
    const size_t b_size = strlen(b);
    if (a_size >= NAME || b_size >= NAME)
        return NAME;
    unsigned row[NAME];
    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_size];
}

static const struct config_key *find_key(const struct config_section_info *info, const yaml_node_t *name)
{
    for (unsigned i = info->first; i < info->first + info->keys; i++)
        if (is_word(name, config_keys[i].name))
            return &config_keys[i];
    return NULL;
}

// The section that a key at the top names, CONFIG_SECTIONS for none.
static enum config_section find_section(const yaml_node_t *name)
{
    for (int section = CONFIG_top + 1; section < CONFIG_SECTIONS; section++)
        if (is_word(name, config_section_info((enum config_section)section).name))
            return (enum config_section)section;
    return CONFIG_SECTIONS;
}

static bool fail_unknown(struct config_source *source, const struct config_section_info *info, const yaml_node_t *name)
{
    const char *text = (const char *)name->data.scalar.value, *nearest = NULL;
    unsigned least = UINT32_MAX;
    for (unsigned i = info->first; i < info->first + info->keys; i++) {
        unsigned far = config_distance(text, name->data.scalar.length, config_keys[i].name);
        if (far < least) {
            least = far;
            nearest = config_keys[i].name;
        }
    }
    for (int i = CONFIG_top + 1; info->form == FORM_TOP && i < CONFIG_SECTIONS; i++) {
        const char *section = config_section_info((enum config_section)i).name;
        unsigned far = config_distance(text, name->data.scalar.length, section);
        if (far < least) {
            least = far;
            nearest = section;
        }
    }
    // The right name in the wrong place is the likelier mistake than a far-fetched neighbour.
    for (unsigned i = 0; least > 2 && i < config_keys_count; i++) {
        const struct config_section_info other = config_section_info(config_keys[i].section);
        if (is_word(name, config_keys[i].name) && other.form == FORM_TOP)
            return config_fail(source, name, "`%s` does not belong under `%s`; put it at the top level", shown(name),
                               info->name);
        if (is_word(name, config_keys[i].name))
            return config_fail(source, name, "`%s` does not belong here; put it under `%s:`", shown(name), other.name);
    }
    return config_fail(source, name, "unknown key `%s`%s%s; did you mean `%s`?", shown(name),
                       info->form == FORM_TOP ? "" : " in ", info->form == FORM_TOP ? "" : info->name, nearest);
}

// ---- values ---------------------------------------------------------------------------------------------------------

static bool check_text(struct config_source *source, const struct config_key *key, const yaml_node_t *value)
{
    const size_t size = value->data.scalar.length;
    for (size_t i = 0; i < size; i++)
        if (value->data.scalar.value[i] < ' ' || value->data.scalar.value[i] == 0x7F)
            return config_fail(source, value, "`%s` holds a control character; write plain text on one line",
                               key->name);
    if (size < key->min || size > key->max)
        return config_fail(source, value, "`%s` is %zu characters long; give %" PRIu64 " to %" PRIu64, key->name, size,
                           key->min, key->max);
    return true;
}

static bool check_switch(struct config_source *source, const struct config_key *key, const yaml_node_t *value)
{
    if (is_word(value, "true") || is_word(value, "false"))
        return true;
    return config_fail(source, value, "`%s` is `%s`; write true or false", key->name, shown(value));
}

// Decimal digits without a leading zero; false when there is anything else. Large values saturate.
static bool parse_number(const yaml_node_t *value, uint64_t *number)
{
    const unsigned char *text = value->data.scalar.value;
    const size_t size = value->data.scalar.length;
    if (size == 0 || (size > 1 && text[0] == '0'))
        return false;
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number > UINT32_MAX ? *number : *number * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

static bool check_number(struct config_source *source, const struct config_key *key, const yaml_node_t *value)
{
    uint64_t number = 0;
    if (!parse_number(value, &number))
        return config_fail(source, value,
                           "`%s` is `%s`; write a whole number in decimal digits, %" PRIu64 " to %" PRIu64 " (%s)",
                           key->name, shown(value), key->min, key->max, key->unit);
    if (number < key->min || number > key->max)
        return config_fail(source, value, "`%s` is %s, out of bounds; give %" PRIu64 " to %" PRIu64 " (%s)", key->name,
                           shown(value), key->min, key->max, key->unit);
    if (key->kind == KIND_DEPTH && (number & (number - 1)) != 0) {
        uint64_t below = UINT64_C(1) << (63 - __builtin_clzll(number)), above = 2 * below;
        bool down = number - below <= above - number || above > key->max;
        return config_fail(source, value, "`%s` is %" PRIu64 ", not a power of two; the nearest is %" PRIu64, key->name,
                           number, down ? below : above);
    }
    return true;
}

static bool check_value(struct config_source *source, const struct config_key *key, const yaml_node_t *value)
{
    if (value->type != YAML_SCALAR_NODE)
        return config_fail(source, value, "`%s` is a %s; write one value", key->name,
                           value->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
    switch (key->kind) {
    case KIND_TEXT:
        return check_text(source, key, value);
    case KIND_SWITCH:
        return check_switch(source, key, value);
    default:
        return check_number(source, key, value);
    }
}

// ---- structure ------------------------------------------------------------------------------------------------------

// A node that stands in two places came from an alias.
static bool check_single(struct walk *walk, int index)
{
    if (!walk->seen[index]) {
        walk->seen[index] = true;
        return true;
    }
    return config_fail(walk->source, yaml_document_get_node(&walk->source->document, index),
                       "an alias refers to this; write the value out in each place");
}

static bool check_section(struct walk *walk, enum config_section section, const yaml_node_t *value);

static bool check_pair(struct walk *walk, const struct config_section_info *info, const yaml_node_pair_t *pair,
                       bool *given)
{
    struct config_source *source = walk->source;
    const yaml_node_t *name = yaml_document_get_node(&source->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&source->document, pair->value);
    if (!check_single(walk, pair->key) || !check_single(walk, pair->value))
        return false;
    if (name->type != YAML_SCALAR_NODE)
        return config_fail(source, name, "a key must be a plain word; see the example crosswire.yaml");

    const struct config_key *key = find_key(info, name);
    const enum config_section below = info->form == FORM_TOP ? find_section(name) : CONFIG_SECTIONS;
    if (!key && below == CONFIG_SECTIONS)
        return fail_unknown(source, info, name);
    const size_t slot = key ? (size_t)(key - config_keys) : config_keys_count + (size_t)below;
    if (given[slot])
        return config_fail(source, name, "`%s` is given twice; keep one", shown(name));
    given[slot] = true;
    return key ? check_value(source, key, value) : check_section(walk, below, value);
}

static bool check_mapping(struct walk *walk, const struct config_section_info *info, const yaml_node_t *mapping)
{
    struct config_source *source = walk->source;
    bool given[256] = {false}; // by key, then by section
    _Static_assert(CONFIG_SECTIONS < 32, "room for keys");
    if (config_keys_count + CONFIG_SECTIONS > sizeof given)
        abort();
    if (mapping->type != YAML_MAPPING_NODE)
        return config_fail(source, mapping, "%s%s is no block of keys; write `key: value` lines",
                           info->form == FORM_LIST ? "an entry of " : "",
                           info->form == FORM_TOP ? "the file" : info->name);
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++)
        if (!check_pair(walk, info, pair, given))
            return false;
    for (unsigned i = info->first; i < info->first + info->keys; i++)
        if (!given[i] && config_key_required(&config_keys[i]))
            return config_fail(source, mapping, "`%s` is missing%s%s; add it: %s", config_keys[i].name,
                               info->form == FORM_TOP ? "" : " in an entry of ",
                               info->form == FORM_TOP ? "" : info->name, config_keys[i].help);
    for (int i = CONFIG_top + 1; info->form == FORM_TOP && i < CONFIG_SECTIONS; i++) {
        const struct config_section_info list = config_section_info((enum config_section)i);
        if (list.min > 0 && !given[config_keys_count + (unsigned)i])
            return config_fail(source, mapping, "`%s` is missing; add a list of at least %u: %s", list.name, list.min,
                               list.help);
    }
    return true;
}

static bool check_section(struct walk *walk, enum config_section section, const yaml_node_t *value)
{
    const struct config_section_info info = config_section_info(section);
    if (info.form == FORM_MAP)
        return check_mapping(walk, &info, value);
    if (value->type != YAML_SEQUENCE_NODE)
        return config_fail(walk->source, value, "`%s` is no list; start each entry with `- `", info.name);
    const yaml_node_item_t *item = value->data.sequence.items.start, *end = value->data.sequence.items.top;
    const size_t entries = (size_t)(end - item);
    if (entries < info.min || entries > info.max)
        return config_fail(walk->source, value, "`%s` has %zu entries; give %u to %u", info.name, entries, info.min,
                           info.max);
    for (; item < end; item++)
        if (!check_single(walk, *item) ||
            !check_mapping(walk, &info, yaml_document_get_node(&walk->source->document, *item)))
            return false;
    return true;
}

bool config_check(struct config_source *source)
{
    const size_t nodes = (size_t)(source->document.nodes.top - source->document.nodes.start);
    struct walk walk = {.source = source, .seen = calloc(nodes + 1, sizeof *walk.seen)};
    if (!walk.seen)
        return config_fail(source, NULL, "out of memory; free some");
    walk.seen[1] = true; // the root; an alias to it makes a circle
    const struct config_section_info top = config_section_info(CONFIG_top);
    bool good = check_mapping(&walk, &top, source->root);
    free(walk.seen);
    return good;
}
