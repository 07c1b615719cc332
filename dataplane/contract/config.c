// SPDX-License-Identifier: Apache-2.0
// Loads the configuration: read -> check against the table -> libcyaml fills the structures -> defaults -> resolve.
#include "contract/config.h"

#include <cyaml/cyaml.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/config_source.h"

// ---- libcyaml's schema, made from the table -------------------------------------------------------------------------

enum { FIELDS_MAX = 48 };

static cyaml_schema_field_t fields[CONFIG_SECTIONS][FIELDS_MAX]; // each ends with a NULL key
static cyaml_schema_value_t entries[CONFIG_SECTIONS];            // of lists
static cyaml_schema_value_t root;
static pthread_once_t schema_once = PTHREAD_ONCE_INIT;

static cyaml_schema_field_t key_field(const struct config_key *key)
{
    cyaml_schema_field_t field = {.key = key->name, .data_offset = (uint32_t)key->offset};
    field.value.flags = CYAML_FLAG_OPTIONAL; // what is required has been checked, with its position
    if (key->kind == KIND_TEXT) {
        field.value.type = CYAML_STRING;
        field.value.flags |= CYAML_FLAG_POINTER;
        field.value.data_size = sizeof(char);
        field.value.string.max = (uint32_t)key->max;
    } else {
        field.value.type = key->kind == KIND_SWITCH ? CYAML_BOOL : CYAML_UINT;
        field.value.data_size = key->kind == KIND_SWITCH ? sizeof(bool) : sizeof(uint32_t);
    }
    return field;
}

static cyaml_schema_field_t section_field(enum config_section section)
{
    const struct config_section_info info = config_section_info(section);
    cyaml_schema_field_t field = {.key = info.name, .data_offset = (uint32_t)info.offset};
    field.value.flags = CYAML_FLAG_OPTIONAL;
    field.value.data_size = (uint32_t)info.size;
    if (info.form == FORM_MAP) {
        field.value.type = CYAML_MAPPING;
        field.value.mapping.fields = fields[section];
        return field;
    }
    entries[section] = (cyaml_schema_value_t){
        .type = CYAML_MAPPING, .data_size = (uint32_t)info.size, .mapping.fields = fields[section]};
    field.value.type = CYAML_SEQUENCE;
    field.value.flags |= CYAML_FLAG_POINTER;
    field.value.sequence.entry = &entries[section];
    field.value.sequence.max = info.max;
    field.count_offset = (uint32_t)info.count_offset;
    field.count_size = sizeof(uint32_t);
    return field;
}

static void make_schema(void)
{
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        xw_assert(info.keys < FIELDS_MAX);
        for (unsigned i = 0; i < info.keys; i++)
            fields[section][i] = key_field(&config_keys[info.first + i]);
    }
    unsigned used = config_section_info(CONFIG_top).keys;
    xw_assert(used + CONFIG_SECTIONS <= FIELDS_MAX);
    for (int section = CONFIG_top + 1; section < CONFIG_SECTIONS; section++)
        fields[CONFIG_top][used++] = section_field((enum config_section)section);
    root = (cyaml_schema_value_t){.type = CYAML_MAPPING,
                                  .flags = CYAML_FLAG_POINTER,
                                  .data_size = sizeof(struct config),
                                  .mapping.fields = fields[CONFIG_top]};
}

// ---- load -----------------------------------------------------------------------------------------------------------

// Keeps libcyaml's last word instead of printing it.
__attribute__((format(printf, 3, 0))) static void capture(cyaml_log_t level, void *context, const char *format,
                                                          va_list list)
{
    struct config_source *source = context;
    (void)level;
    int used = snprintf(source->error, source->error_size, "%s: ", source->path);
    if (used < 0 || (size_t)used >= source->error_size)
        return;
    vsnprintf(source->error + used, source->error_size - (size_t)used, format, list);
    source->error[strcspn(source->error, "\n")] = '\0';
}

static cyaml_config_t library(struct config_source *source)
{
    return (cyaml_config_t){.log_fn = capture,
                            .log_ctx = source,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_NO_ALIAS};
}

static bool fill(struct config_source *source, struct config **config)
{
    pthread_once(&schema_once, make_schema);
    const cyaml_config_t settings = library(source);
    cyaml_data_t *data = NULL;
    cyaml_err_t result = cyaml_load_data(source->text, source->size, &settings, &root, &data, NULL);
    *config = data;
    if (result == CYAML_OK && *config)
        return true;
    // The check lets nothing through that libcyaml refuses; should it do so all the same, its own words stand in
    // `error`.
    if (!source->error[0])
        config_fail(source, NULL, "%s; compare with the example crosswire.yaml", cyaml_strerror(result));
    return false;
}

struct config *config_load(const char *path, char *error, size_t error_size)
{
    struct config_source source;
    struct config *config = NULL;
    xw_assert(error_size > 0);
    error[0] = '\0';
    bool good = config_source_open(&source, path, error, error_size) && config_check(&source) &&
                fill(&source, &config) && config_fill_defaults(&source, config) && config_resolve(&source, config);
    if (good)
        config->hash = config_hash(config);
    config_source_close(&source);
    if (good)
        return config;
    config_free(config);
    return NULL;
}

void config_free(struct config *config)
{
    struct config_source nowhere = {.error = (char[256]){0}, .error_size = 256, .path = ""};
    const cyaml_config_t settings = library(&nowhere);
    if (config)
        cyaml_free(&settings, &root, config, 0);
}

// ---- defaults -------------------------------------------------------------------------------------------------------

static bool put_default(const struct config_key *key, void *structure)
{
    void *at = (char *)structure + key->offset;
    if (key->kind == KIND_TEXT) {
        char *copy = cyaml_mem(NULL, NULL, strlen(key->text) + 1);
        if (!copy)
            return false;
        strcpy(copy, key->text);
        *(const char **)at = copy;
    } else if (key->kind == KIND_SWITCH) {
        *(bool *)at = key->number != 0;
    } else {
        *(uint32_t *)at = (uint32_t)key->number;
    }
    return true;
}

static bool fill_structure(struct config_source *source, const struct config_section_info *info, uint32_t index,
                           void *structure)
{
    const enum config_section section = config_keys[info->first].section;
    const yaml_node_t *mapping = config_source_section(source, section, index);
    for (unsigned i = info->first; i < info->first + info->keys; i++) {
        if (mapping && config_source_value(source, mapping, config_keys[i].name))
            continue;
        if (!put_default(&config_keys[i], structure))
            return config_fail(source, NULL, "out of memory; free some");
    }
    return true;
}

bool config_fill_defaults(struct config_source *source, struct config *config)
{
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        char *structure = (char *)config + info.offset;
        uint32_t count = 1;
        if (info.form == FORM_LIST) {
            memcpy(&structure, (char *)config + info.offset, sizeof structure);
            memcpy(&count, (char *)config + info.count_offset, sizeof count);
        }
        for (uint32_t i = 0; i < count; i++)
            if (!fill_structure(source, &info, i, structure + i * info.size))
                return false;
    }
    return true;
}
