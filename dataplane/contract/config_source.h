// SPDX-License-Identifier: Apache-2.0
// The configuration file as a tree with positions, so that every mistake can be pointed at: path:line:column.
#ifndef CROSSWIRE_CONTRACT_CONFIG_SOURCE_H
#define CROSSWIRE_CONTRACT_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "contract/config.h"
#include "contract/config_table.h"

#define CONFIG_BYTES_MAX (4u << 20) // of the file

struct config_source {
    const char *path;
    unsigned char *text; // owned
    size_t size;
    yaml_document_t document;
    bool has_document;
    yaml_node_t *root;
    char *error; // the caller's line
    size_t error_size;
};

// Reads the file and makes its tree. False with the error line written. Close in any case.
bool config_source_open(struct config_source *source, const char *path, char *error, size_t error_size);
void config_source_close(struct config_source *source);

// The value of `key` in a mapping, NULL when absent.
yaml_node_t *config_source_value(struct config_source *source, const yaml_node_t *mapping, const char *key);

// The mapping of a section; for lists that of entry `index`. NULL when it is not in the file.
yaml_node_t *config_source_section(struct config_source *source, enum config_section section, uint32_t index);

// Writes "path:line:column: text" with the start of `node`, and returns false.
bool config_fail(struct config_source *source, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same, at the value of a key; at the entry when the key was left to its default.
bool config_fail_at(struct config_source *source, enum config_section section, uint32_t index, const char *key,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

// Text of the file for a message: printable, cut. One of four rotating buffers a thread.
const char *config_shown(const char *text, size_t size);

// Levenshtein distance, for names of up to 31 characters; longer ones are far from everything.
unsigned config_distance(const char *a, size_t a_size, const char *b);

// Checks the whole tree against the table: keys, kinds, types, bounds. False with the error line written.
bool config_check(struct config_source *source);

// Puts the table's defaults where the file has no key. False when memory is out.
bool config_fill_defaults(struct config_source *source, struct config *config);

// Checks what spans several keys and fills the resolved fields. False with the error line written.
bool config_resolve(struct config_source *source, struct config *config);

// A part of it: the idle policy of every role.
bool config_resolve_idle(struct config_source *source, struct config *config);

// A part of it: the drop copies, once sessions and accounts are.
bool config_resolve_copies(struct config_source *source, struct config *config);

// A part of it: what trips what, and the modes.
bool config_resolve_trips(struct config_source *source, struct config *config);

// Of the resolved date and of every value that can not change while the appliance runs.
uint64_t config_hash(const struct config *config);

#endif
