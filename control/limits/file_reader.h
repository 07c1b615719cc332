// SPDX-License-Identifier: Apache-2.0
// What file.c, file_entry.c and file_facts.c share: a limits file that is being read, one entry of it after the other.
#ifndef CROSSWIRE_CONTROL_LIMITS_FILE_READER_H
#define CROSSWIRE_CONTROL_LIMITS_FILE_READER_H

#include "contract/config_source.h"
#include "control/limits/file.h"

enum section { VENUE, FIRMS, ACCOUNTS, SESSIONS, SYMBOLS, POSITIONS, GROUPS, SECTIONS };
enum { SECTION_KEYS = 6, GROUPS_MOST = 32 };

extern const struct limits_section {
    const char *name;
    enum scope scope; // whose limits stand there; SCOPE_NONE: none
    const char *keys[SECTION_KEYS];
} limits_sections[SECTIONS];

// A rule and where it was written; and, of kind 0, that somebody has an entry.
struct written {
    struct limits_rule rule;
    const yaml_node_t *node;
};

struct limits_reader {
    struct config_source source;
    const struct limits_venue *venue;
    struct limits_file *file;
    bool *seen; // nodes
    struct written *written;
    size_t count, room;
    size_t shares_room;
    uint32_t groups;
    const yaml_node_t *names[GROUPS_MOST]; // of them
    uint64_t *costs;                       // of positions, by a firm's index
};

// What stands in one entry.
struct limits_entry {
    enum section section;
    const yaml_node_t *mapping;
    const yaml_node_t *keys[SECTION_KEYS]; // values of limits_sections[].keys
    const yaml_node_t *limits[LIMITS];     // values of limits
    uint16_t index, symbol;
};

// One line about what is wrong at `node`, and false.
#define FAIL(reader, node, ...) config_fail(&(reader)->source, (node), __VA_ARGS__)

// ---- file.c. All that return bool: false, with that line, when it is not so.

// A scalar as a refusal shows it.
const char *reader_shown(const yaml_node_t *scalar);
bool reader_is_word(const yaml_node_t *scalar, const char *word);
yaml_node_t *reader_node(struct limits_reader *reader, int index);

// A node that stands in two places came from an alias.
bool reader_check_single(struct limits_reader *reader, int index);
bool reader_need_scalar(struct limits_reader *reader, const char *key, const yaml_node_t *value);

// Remembers a rule of the file.
bool reader_keep(struct limits_reader *reader, const struct limits_rule *rule, const yaml_node_t *node);

// ---- file_entry.c: the entry's keys, whom it is about, its limits.
bool entry_take_keys(struct limits_reader *reader, struct limits_entry *entry);
bool entry_take_whom(struct limits_reader *reader, struct limits_entry *entry);
bool entry_take_limits(struct limits_reader *reader, const struct limits_entry *entry, uint64_t values[LIMITS]);
bool entry_keep_limits(struct limits_reader *reader, const struct limits_entry *entry, const uint64_t values[LIMITS]);

// ---- file_facts.c: what else than limits stands there.
bool facts_take_shares(struct limits_reader *reader, const struct limits_entry *entry);
bool facts_take_reference(struct limits_reader *reader, const struct limits_entry *entry);
bool facts_take_restricted(struct limits_reader *reader, const struct limits_entry *entry, uint64_t values[LIMITS]);
bool facts_take_position(struct limits_reader *reader, const struct limits_entry *entry);
bool facts_take_group(struct limits_reader *reader, const struct limits_entry *entry);

#endif
