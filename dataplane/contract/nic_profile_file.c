// SPDX-License-Identifier: Apache-2.0
// The file as a tree with positions, walked once: every value is checked where it stands, and taken if no heir gave it.
#include "contract/nic_profile_file.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/config_source.h"

// What the walk carries.
struct walk {
    struct config_source source;
    struct nic_profile *profile;
    int8_t file;                  // whose index its values get
    bool seen[NIC_KEYS + 3];      // keys of this file, and its own three
    char name[NIC_NAME_MOST + 1]; // as the file says
    char *inherits;
};

enum { OWN_NAME = NIC_KEYS, OWN_INHERITS, OWN_BASE };

static const char *const own[] = {"name", "inherits", "base"};

static bool is_word(const yaml_node_t *node, const char *word)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(word) &&
           memcmp(node->data.scalar.value, word, strlen(word)) == 0;
}

static const char *shown(const yaml_node_t *scalar)
{
    return config_shown((const char *)scalar->data.scalar.value, scalar->data.scalar.length);
}

// ---- values ---------------------------------------------------------------------------------------------------------

// `to` NULL: only checks.
static bool read_text(struct walk *walk, const char *key, const yaml_node_t *value, uint32_t least, uint32_t most,
                      char *to)
{
    if (value->type != YAML_SCALAR_NODE)
        return config_fail(&walk->source, value, "`%s` is a %s; write one value", key,
                           value->type == YAML_SEQUENCE_NODE ? "list" : "block of keys");
    size_t size = value->data.scalar.length;
    while (size > 0 && value->data.scalar.value[size - 1] == '\n') // of a folded text
        size--;
    for (size_t i = 0; i < size; i++)
        if (value->data.scalar.value[i] < ' ' || value->data.scalar.value[i] == 0x7F)
            return config_fail(&walk->source, value,
                               "`%s` holds a control character; write plain text, long text after `>`", key);
    if (size < least || size > most)
        return config_fail(&walk->source, value, "`%s` is %zu characters long; give %u to %u", key, size, least, most);
    if (to) {
        memcpy(to, value->data.scalar.value, size);
        to[size] = '\0';
    }
    return true;
}

static bool read_number(struct walk *walk, const struct nic_key *key, const yaml_node_t *value, uint32_t *to)
{
    char text[16] = "";
    uint32_t number = 0;
    bool good = value->type == YAML_SCALAR_NODE && value->data.scalar.length < 8;
    if (good)
        memcpy(text, value->data.scalar.value, value->data.scalar.length);
    good = good && text[0] && strspn(text, "0123456789") == strlen(text) && (text[0] != '0' || !text[1]);
    for (const char *at = text; good && *at; at++)
        number = number * 10 + (uint32_t)(*at - '0');
    if (!good || number < key->least || number > key->most)
        return config_fail(&walk->source, value, "`%s` is %s%s%s; write a whole number, %u to %u", key->name,
                           value->type == YAML_SCALAR_NODE ? "`" : "",
                           value->type == YAML_SCALAR_NODE ? shown(value) : "no number",
                           value->type == YAML_SCALAR_NODE ? "`" : "", key->least, key->most);
    if (to)
        *to = number;
    return true;
}

// The place of a word in the table, -1 with the error written.
static int read_word(struct walk *walk, const struct nic_key *key, const yaml_node_t *value)
{
    char choices[160] = "";
    for (int i = 0; key->words[i]; i++) {
        if (key->words[i][0] && is_word(value, key->words[i]))
            return i;
        size_t used = strlen(choices);
        if (key->words[i][0])
            snprintf(choices + used, sizeof choices - used, "%s%s", used ? ", " : "", key->words[i]);
    }
    config_fail(&walk->source, value, "`%s` knows no `%s`; write one of %s", key->name,
                value->type == YAML_SCALAR_NODE ? shown(value) : "list", choices);
    return -1;
}

static bool read_choice(struct walk *walk, const struct nic_key *key, const yaml_node_t *value, unsigned *to)
{
    int word = read_word(walk, key, value);
    if (word >= 0 && to)
        *to = (unsigned)word;
    return word >= 0;
}

// Calls `read` for each entry of a list.
static bool each(struct walk *walk, const struct nic_key *key, const yaml_node_t *value, void *to,
                 bool (*read)(struct walk *walk, const struct nic_key *key, const yaml_node_t *entry, unsigned i,
                              void *to))
{
    if (value->type != YAML_SEQUENCE_NODE)
        return config_fail(&walk->source, value, "`%s` is no list; write [a, b], or a line `- a` each", key->name);
    const yaml_node_item_t *item = value->data.sequence.items.start;
    size_t count = (size_t)(value->data.sequence.items.top - item);
    uint32_t most = key->most ? key->most : 32;
    if (count < key->least || count > most)
        return config_fail(&walk->source, value, "`%s` has %zu entries; give %u to %u", key->name, count, key->least,
                           most);
    for (unsigned i = 0; i < count; i++)
        if (!read(walk, key, yaml_document_get_node(&walk->source.document, item[i]), i, to))
            return false;
    return true;
}

static bool read_flag(struct walk *walk, const struct nic_key *key, const yaml_node_t *entry, unsigned i, void *to)
{
    (void)i;
    int word = read_word(walk, key, entry);
    if (word >= 0 && to)
        *(uint32_t *)to |= 1u << word;
    return word >= 0;
}

static int hex(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool read_id(struct walk *walk, const struct nic_key *key, const yaml_node_t *entry, unsigned i, void *to)
{
    char text[10];
    uint16_t half[2] = {0, 0};
    bool good = entry->type == YAML_SCALAR_NODE && entry->data.scalar.length == 9;
    if (good)
        memcpy(text, entry->data.scalar.value, 9);
    for (unsigned at = 0; good && at < 9; at++) {
        int digit = at == 4 ? 0 : hex(text[at]);
        good = at == 4 ? text[4] == ':' : digit >= 0;
        if (good && at != 4)
            half[at > 4] = (uint16_t)(half[at > 4] << 4 | digit);
    }
    if (!good)
        return config_fail(&walk->source, entry, "`%s` holds `%s`; write vendor:device as \"15b3:101d\"", key->name,
                           entry->type == YAML_SCALAR_NODE ? shown(entry) : "a list");
    if (to) {
        struct nic_profile *profile = to;
        profile->pci_ids[i] = (struct nic_pci_id){half[0], half[1]};
        profile->pci_ids_count = i + 1;
    }
    return true;
}

static bool read_line(struct walk *walk, const struct nic_key *key, const yaml_node_t *entry, unsigned i, void *to)
{
    struct nic_profile *profile = to;
    if (profile)
        profile->host_count = i + 1;
    return read_text(walk, key->name, entry, 1, sizeof profile->host[0] - 1, profile ? profile->host[i] : NULL);
}

static bool read_fault(struct walk *walk, const struct nic_key *key, const yaml_node_t *entry, unsigned i, void *to)
{
    struct nic_profile *profile = to;
    struct nic_fault *fault = profile ? &profile->faults[i] : NULL;
    yaml_node_t *what = config_source_value(&walk->source, entry, "what");
    yaml_node_t *source = config_source_value(&walk->source, entry, "source");
    if (!what || !source || entry->data.mapping.pairs.top - entry->data.mapping.pairs.start != 2)
        return config_fail(&walk->source, entry, "an entry of `%s` has two keys; write `what:` and `source:`",
                           key->name);
    if (profile)
        profile->faults_count = i + 1;
    return read_text(walk, "what", what, 1, sizeof fault->what - 1, fault ? fault->what : NULL) &&
           read_text(walk, "source", source, 1, sizeof fault->source - 1, fault ? fault->source : NULL);
}

static bool read_value(struct walk *walk, unsigned index, const yaml_node_t *value)
{
    const struct nic_key *key = &nic_keys[index];
    struct nic_profile *profile = walk->profile->from[index] < 0 ? walk->profile : NULL;
    void *field = profile ? (char *)profile + key->offset : NULL;
    if (profile)
        profile->from[index] = walk->file;
    switch (key->kind) {
    case NIC_KEY_TEXT:
        return read_text(walk, key->name, value, key->least, key->most, field);
    case NIC_KEY_NUMBER:
        return read_number(walk, key, value, field);
    case NIC_KEY_CHOICE:
        return read_choice(walk, key, value, field);
    case NIC_KEY_FLAGS:
        return each(walk, key, value, field, read_flag);
    case NIC_KEY_IDS:
        return each(walk, key, value, profile, read_id);
    case NIC_KEY_LINES:
        return each(walk, key, value, profile, read_line);
    default:
        return each(walk, key, value, profile, read_fault);
    }
}

// ---- structure ------------------------------------------------------------------------------------------------------

static bool read_own(struct walk *walk, unsigned index, const yaml_node_t *value)
{
    if (index == OWN_NAME)
        return read_text(walk, "name", value, 1, NIC_NAME_MOST, walk->name);
    if (index == OWN_INHERITS)
        return read_text(walk, "inherits", value, 1, NIC_NAME_MOST, walk->inherits);
    if (!is_word(value, "true") && !is_word(value, "false"))
        return config_fail(&walk->source, value, "`base` is neither true nor false; write one of them");
    if (walk->file == 0)
        walk->profile->base = is_word(value, "true");
    return true;
}

static bool read_pair(struct walk *walk, const yaml_node_pair_t *pair)
{
    const yaml_node_t *name = yaml_document_get_node(&walk->source.document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&walk->source.document, pair->value);
    unsigned index = 0;
    while (index < NIC_KEYS + 3 && !is_word(name, index < NIC_KEYS ? nic_keys[index].name : own[index - NIC_KEYS]))
        index++;
    if (index == NIC_KEYS + 3)
        return config_fail(&walk->source, name, "unknown key `%s`; compare with the other profiles of this directory",
                           name->type == YAML_SCALAR_NODE ? shown(name) : "[..]");
    if (walk->seen[index])
        return config_fail(&walk->source, name, "`%s` is given twice; keep one", shown(name));
    walk->seen[index] = true;
    return index < NIC_KEYS ? read_value(walk, index, value) : read_own(walk, index, value);
}

static bool read_all(struct walk *walk)
{
    const char *want = walk->profile->files[walk->file];
    const yaml_node_t *root = walk->source.root;
    if (root->type != YAML_MAPPING_NODE)
        return config_fail(&walk->source, root, "the file is no block of keys; write `key: value` lines");
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++)
        if (!read_pair(walk, pair))
            return false;
    if (!walk->seen[OWN_NAME])
        return config_fail(&walk->source, root, "`name` is missing; add it: name: %s", want);
    if (strcmp(walk->name, want) != 0)
        return config_fail(&walk->source, config_source_value(&walk->source, root, "name"),
                           "`name` is `%s` and the file is %s.yaml; make them equal", walk->name, want);
    return true;
}

int nic_profile_file(const char *path, struct nic_profile *profile, unsigned file, char inherits[NIC_NAME_MOST + 1],
                     char *error, size_t error_size)
{
    struct walk walk = {.profile = profile, .file = (int8_t)file, .inherits = inherits};
    inherits[0] = '\0';
    if (access(path, R_OK) != 0) {
        snprintf(error, error_size, "no NIC profile %s: set profile_directory, and the port's profile to a file in it",
                 path);
        return EX_NOINPUT;
    }
    bool good = config_source_open(&walk.source, path, error, error_size) && read_all(&walk);
    config_source_close(&walk.source);
    return good ? 0 : EX_CONFIG;
}
