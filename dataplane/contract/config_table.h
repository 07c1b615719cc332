// SPDX-License-Identifier: Apache-2.0
// config.def as data: where each key goes, what it may hold.
#ifndef CROSSWIRE_CONTRACT_CONFIG_TABLE_H
#define CROSSWIRE_CONTRACT_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_section {
#define SECTION(name, form, min, max, help) CONFIG_##name,
#define TEXT(...)
#define NUMBER(...)
#define DEPTH(...)
#define SWITCH(...)
#include "contract/config.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef DEPTH
#undef SWITCH
    CONFIG_SECTIONS
};

enum config_form { FORM_TOP, FORM_MAP, FORM_LIST };

struct config_section_info {
    const char *name;
    const char *help;
    enum config_form form;
    uint32_t min, max;    // entries of a list
    size_t offset;        // in struct config, of the structure or of the list's pointer
    size_t count_offset;  // lists
    size_t size;          // of the structure or of one entry
    unsigned first, keys; // in config_keys
};

enum config_kind { KIND_TEXT, KIND_NUMBER, KIND_DEPTH, KIND_SWITCH };

struct config_key {
    const char *name;
    const char *unit;
    const char *help;
    const char *text; // default of a text; NULL: required
    uint64_t number;  // default of a number or a switch; CONFIG_REQUIRED
    uint64_t min, max;
    size_t offset; // in the section's structure
    enum config_section section;
    enum config_kind kind;
};

#define CONFIG_REQUIRED UINT64_MAX

extern const struct config_key config_keys[];
extern const unsigned config_keys_count;

// The section's description, keys' range included.
struct config_section_info config_section_info(enum config_section section);

// Whether it may change while the appliance runs.
bool config_key_live(const struct config_key *key);

static inline bool config_key_required(const struct config_key *key)
{
    return key->kind == KIND_TEXT ? key->text == NULL : key->number == CONFIG_REQUIRED;
}

#endif
