// SPDX-License-Identifier: Apache-2.0
// What of a configuration may change while the appliance runs, key by key of the table.
#include <stdio.h>
#include <string.h>

#include "contract/command.h"
#include "contract/config.h"
#include "contract/config_source.h"
#include "contract/config_table.h"

static const struct {
    enum config_section section;
    const char *key; // NULL: all of the section
} live[] = {
    {CONFIG_control, "login_attempts_per_minute"},
    {CONFIG_control, "password_file"},
    {CONFIG_schedule, NULL},
    {CONFIG_risk, "limits"},
    {CONFIG_risk, "approval_seconds"},
    {CONFIG_sessions, "password_hash"},
    {CONFIG_drop_copies, "password_hash"},
    {CONFIG_modes, NULL},
    {CONFIG_trips, NULL},
};

// Whether everything of a section may change; of a list also how many entries there are.
static bool section_live(enum config_section section)
{
    for (unsigned i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i].section == section && !live[i].key)
            return true;
    }
    return false;
}

bool config_key_live(const struct config_key *key)
{
    for (unsigned i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i].section == key->section && (!live[i].key || strcmp(live[i].key, key->name) == 0))
            return true;
    }
    return false;
}

// The structures of a section: one, or a list's entries.
struct entries {
    char *first;
    uint32_t count;
    size_t size;
};

static struct entries entries_of(const struct config *config, const struct config_section_info *info)
{
    struct entries entries = {(char *)config + info->offset, 1, info->size};
    if (info->form == FORM_LIST) {
        memcpy(&entries.first, (const char *)config + info->offset, sizeof entries.first);
        memcpy(&entries.count, (const char *)config + info->count_offset, sizeof entries.count);
    }
    return entries;
}

// Bytes of a key's value in its structure; of a text the pointer's.
static size_t value_size(const struct config_key *key)
{
    if (key->kind == KIND_TEXT)
        return sizeof(char *);
    return key->kind == KIND_SWITCH ? sizeof(bool) : sizeof(uint32_t);
}

static const char *text_at(const char *place)
{
    const char *text;
    memcpy(&text, place, sizeof text);
    return text;
}

static bool same_value(const struct config_key *key, const char *a, const char *b)
{
    if (key->kind == KIND_TEXT)
        return strcmp(text_at(a), text_at(b)) == 0;
    return memcmp(a, b, value_size(key)) == 0;
}

static bool same_section(const struct config *running, const struct config *next, enum config_section section,
                         char *text, size_t size)
{
    const struct config_section_info info = config_section_info(section);
    const struct entries was = entries_of(running, &info), is = entries_of(next, &info);
    if (section_live(section))
        return true;
    if (was.count != is.count) {
        snprintf(text, size, "`%s` has %u entries and had %u, which can not change while it runs: restart both",
                 info.name, is.count, was.count);
        return false;
    }
    for (uint32_t i = 0; i < is.count; i++) {
        for (unsigned k = info.first; k < info.first + info.keys; k++) {
            const struct config_key *key = &config_keys[k];
            const size_t at = i * info.size + key->offset;
            if (config_key_live(key) || same_value(key, was.first + at, is.first + at))
                continue;
            char where[64] = "";
            if (info.form == FORM_LIST)
                snprintf(where, sizeof where, " of entry %u of `%s`", i + 1, info.name);
            else if (info.form == FORM_MAP)
                snprintf(where, sizeof where, " of `%s`", info.name);
            snprintf(text, size, "`%s`%s can not change while it runs: restart both, or put it back", key->name, where);
            return false;
        }
    }
    return true;
}

// Whether the day begins before regular hours, which stands in its opening.
static bool begins_early(const struct config *config)
{
    const char first = config->phases_count ? config->phases[0].phase : 0;
    return first == PHASE_PRE || first == PHASE_REGULAR;
}

bool config_fits(const struct config *running, const struct config *next, char *text, size_t size)
{
    if (begins_early(running) != begins_early(next)) {
        snprintf(text, size,
                 "`schedule`: whether the day begins before regular hours can not change while it runs: put it back");
        return false;
    }
    if (config_has_risk(running) != config_has_risk(next)) {
        snprintf(text, size,
                 "`risk.limits`: whether risk is checked can not change while it runs: put it back until the day has "
                 "ended, then restart both");
        return false;
    }
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        if (!same_section(running, next, (enum config_section)section, text, size))
            return false;
    }
    return true;
}

static void swap(char *a, char *b, size_t size)
{
    char kept[sizeof(char *)];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

void config_take_over(struct config *running, struct config *next)
{
    for (unsigned k = 0; k < config_keys_count; k++) {
        const struct config_key *key = &config_keys[k];
        if (!config_key_live(key))
            continue;
        const struct config_section_info info = config_section_info(key->section);
        if (info.form == FORM_LIST && section_live(key->section))
            continue; // as a whole
        const struct entries to = entries_of(running, &info), from = entries_of(next, &info);
        for (uint32_t i = 0; i < to.count; i++)
            swap(to.first + i * info.size + key->offset, from.first + i * info.size + key->offset, value_size(key));
    }
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        if (info.form != FORM_LIST || !section_live((enum config_section)section))
            continue;
        swap((char *)running + info.offset, (char *)next + info.offset, sizeof(void *));
        swap((char *)running + info.count_offset, (char *)next + info.count_offset, sizeof(uint32_t));
    }
    memcpy(running->phases, next->phases, sizeof running->phases);
    running->phases_count = next->phases_count;
}

// FNV-1a: both processes and every replica compare it, nobody trusts it.
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001B3);
    return hash;
}

uint64_t config_hash(const struct config *config)
{
    const bool has_risk = config_has_risk(config);
    uint64_t hash = hash_bytes(UINT64_C(0xCBF29CE484222325), &config->date, sizeof config->date);
    hash = hash_bytes(hash, &has_risk, sizeof has_risk);
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        const struct entries entries = entries_of(config, &info);
        if (info.form == FORM_LIST && section_live((enum config_section)section))
            continue;
        hash = hash_bytes(hash, &entries.count, sizeof entries.count);
        for (uint32_t i = 0; i < entries.count; i++) {
            for (unsigned k = info.first; k < info.first + info.keys; k++) {
                const struct config_key *key = &config_keys[k];
                const char *at = entries.first + i * info.size + key->offset;
                if (config_key_live(key))
                    continue;
                if (key->kind == KIND_TEXT)
                    hash = hash_bytes(hash, text_at(at), strlen(text_at(at)) + 1);
                else
                    hash = hash_bytes(hash, at, value_size(key));
            }
        }
    }
    return hash;
}
