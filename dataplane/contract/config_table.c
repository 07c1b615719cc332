// SPDX-License-Identifier: Apache-2.0
#include "contract/config_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "contract/config.h"

#define SECTION(name, form, min, max, help)
#define REQUIRED CONFIG_REQUIRED
#define REQUIRED_TEXT NULL

#define IN_top(key) offsetof(struct config, key)
#define IN_dataplane(key) (offsetof(struct config, dataplane.key) - offsetof(struct config, dataplane))
#define IN_journal(key) (offsetof(struct config, journal.key) - offsetof(struct config, journal))
#define IN_snapshots(key) (offsetof(struct config, snapshots.key) - offsetof(struct config, snapshots))
#define IN_engine(key) (offsetof(struct config, engine.key) - offsetof(struct config, engine))
#define IN_control(key) (offsetof(struct config, control.key) - offsetof(struct config, control))
#define IN_schedule(key) (offsetof(struct config, schedule.key) - offsetof(struct config, schedule))
#define IN_bands(key) (offsetof(struct config, bands.key) - offsetof(struct config, bands))
#define IN_market_wide(key) (offsetof(struct config, market_wide.key) - offsetof(struct config, market_wide))
#define IN_risk(key) (offsetof(struct config, risk.key) - offsetof(struct config, risk))
#define IN_ports(key) offsetof(struct config_port, key)
#define IN_gateways(key) offsetof(struct config_gateway, key)
#define IN_matchers(key) offsetof(struct config_matcher, key)
#define IN_publishers(key) offsetof(struct config_publisher, key)
#define IN_symbols(key) offsetof(struct config_symbol, key)
#define IN_accounts(key) offsetof(struct config_account, key)
#define IN_sessions(key) offsetof(struct config_session, key)
#define IN_drop_copies(key) offsetof(struct config_drop_copy, key)
#define IN_modes(key) offsetof(struct config_mode, key)
#define IN_trips(key) offsetof(struct config_trip, key)

const struct config_key config_keys[] = {
#define TEXT(section, key, given, min, max, help) \
    {#key, "bytes", help, given, 0, min, max, IN_##section(key), CONFIG_##section, KIND_TEXT},
#define NUMBER(section, key, unit, given, min, max, help) \
    {#key, unit, help, NULL, given, min, max, IN_##section(key), CONFIG_##section, KIND_NUMBER},
#define DEPTH(section, key, given, min, max, help) \
    {#key, "cells", help, NULL, given, min, max, IN_##section(key), CONFIG_##section, KIND_DEPTH},
#define SWITCH(section, key, given, help) \
    {#key, "switch", help, NULL, given, 0, 1, IN_##section(key), CONFIG_##section, KIND_SWITCH},
#include "contract/config.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef DEPTH
#undef SWITCH
};

const unsigned config_keys_count = sizeof config_keys / sizeof config_keys[0];

#define PLACE_TOP(section) .size = sizeof(struct config)
#define PLACE_MAP(section) .offset = offsetof(struct config, section), .size = sizeof(((struct config *)0)->section)
#define PLACE_LIST(section)                                                                               \
    .offset = offsetof(struct config, section), .count_offset = offsetof(struct config, section##_count), \
    .size = sizeof(*((struct config *)0)->section)

static const struct config_section_info sections[CONFIG_SECTIONS] = {
#define TEXT(...)
#define NUMBER(...)
#define DEPTH(...)
#define SWITCH(...)
#define SECTION(section, kind, least, most, text) \
    [CONFIG_##section] = {                        \
        .name = #section, .help = text, .form = FORM_##kind, .min = least, .max = most, PLACE_##kind(section)},
#include "contract/config.def"
#undef SECTION
#undef TEXT
#undef NUMBER
#undef DEPTH
#undef SWITCH
};

struct config_section_info config_section_info(enum config_section section)
{
    struct config_section_info info = sections[section];
    while (config_keys[info.first].section != section)
        info.first++;
    while (info.first + info.keys < config_keys_count && config_keys[info.first + info.keys].section == section)
        info.keys++;
    return info;
}

static void describe_key(const struct config_key *key)
{
    char given[64], bounds[64];
    if (config_key_required(key))
        snprintf(given, sizeof given, "required");
    else if (key->kind == KIND_TEXT)
        snprintf(given, sizeof given, "\"%s\"", key->text);
    else if (key->kind == KIND_SWITCH)
        snprintf(given, sizeof given, "%s", key->number ? "true" : "false");
    else
        snprintf(given, sizeof given, "%" PRIu64, key->number);

    if (key->kind == KIND_SWITCH)
        snprintf(bounds, sizeof bounds, "true, false");
    else
        snprintf(bounds, sizeof bounds, "%" PRIu64 "..%" PRIu64 " %s%s", key->min, key->max,
                 key->kind == KIND_TEXT ? "characters" : key->unit, key->kind == KIND_DEPTH ? ", a power of two" : "");
    printf("  %-26s %-14s %-38s %s%s\n", key->name, given, bounds, key->help, config_key_live(key) ? " (reload)" : "");
}

void config_describe(void)
{
    printf("  %-26s %-14s %-38s %s\n", "key", "default", "values", "meaning");
    puts("  (reload): may change while the appliance runs, by SIGHUP; everything else by a restart of both processes");
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        if (info.form == FORM_LIST)
            printf("%s:  %s (a list of %u to %u entries)\n", info.name, info.help, info.min, info.max);
        else if (info.form == FORM_MAP)
            printf("%s:  %s\n", info.name, info.help);
        for (unsigned i = 0; i < info.keys; i++)
            describe_key(&config_keys[info.first + i]);
    }
}
