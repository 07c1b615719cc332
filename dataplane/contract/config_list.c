// SPDX-License-Identifier: Apache-2.0
// Every value of a configuration, key by key of the table.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract/config.h"
#include "contract/config_table.h"

static const char *value_text(const struct config_key *key, const char *at, char *out, size_t size)
{
    const char *text;
    uint32_t number;
    bool on;
    switch (key->kind) {
    case KIND_TEXT:
        memcpy(&text, at, sizeof text);
        return text;
    case KIND_SWITCH:
        memcpy(&on, at, sizeof on);
        return on ? "true" : "false";
    default:
        memcpy(&number, at, sizeof number);
        snprintf(out, size, "%" PRIu32, number);
        return out;
    }
}

void config_list(const struct config *config, config_taker *take, void *context)
{
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        const char *first = (const char *)config + info.offset;
        uint32_t count = 1;
        if (info.form == FORM_LIST) {
            memcpy(&first, (const char *)config + info.offset, sizeof first);
            memcpy(&count, (const char *)config + info.count_offset, sizeof count);
        }
        for (uint32_t i = 0; i < count; i++) {
            for (unsigned k = info.first; k < info.first + info.keys; k++) {
                const struct config_key *key = &config_keys[k];
                char path[96], number[16];
                if (info.form == FORM_LIST)
                    snprintf(path, sizeof path, "%s[%" PRIu32 "].%s", info.name, i, key->name);
                else
                    snprintf(path, sizeof path, "%s%s%s", info.form == FORM_TOP ? "" : info.name,
                             info.form == FORM_TOP ? "" : ".", key->name);
                take(context, path, value_text(key, first + i * info.size + key->offset, number, sizeof number),
                     config_key_live(key));
            }
        }
    }
}
