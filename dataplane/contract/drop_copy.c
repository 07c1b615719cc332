// SPDX-License-Identifier: Apache-2.0
#include "contract/drop_copy.h"

static void pad(char *out, size_t size, const char *text)
{
    const size_t length = strnlen(text, size);
    memcpy(out, text, length);
    memset(out + length, ' ', size - length);
}

void drop_copy_names(const struct config *config, uint32_t session, char names[DROP_COPY_NAMES])
{
    const struct config_session *of = &config->sessions[session];
    memcpy(names, of->wire_user, DROP_COPY_USER);
    pad(names + DROP_COPY_USER, DROP_COPY_ACCOUNT, config->accounts[of->account_index].name);
}

static bool names_account(const char *accounts, const char *account)
{
    const size_t size = strlen(account);
    for (const char *at = accounts + strspn(accounts, " "); *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, account, size) == 0)
            return true;
        at += length;
    }
    return false;
}

bool drop_copy_carries(const struct config *config, uint32_t copy, uint32_t session)
{
    const struct config_drop_copy *by = &config->drop_copies[copy];
    const struct config_session *of = &config->sessions[session];
    const struct config_account *account = &config->accounts[of->account_index];
    if (of->matcher != by->matcher)
        return false;
    if (by->firm[0] != '\0')
        return memcmp(account->wire_firm, by->wire_firm, sizeof by->wire_firm) == 0;
    return names_account(by->accounts, account->name);
}

static bool stands_in(const struct config *config, uint32_t gateway, uint32_t copy)
{
    return gateway == COPY_MAP_ALL || config->drop_copies[copy].gateway == gateway;
}

// Fills the map where it has memory. Returns how many streams stand in it.
static uint32_t fill(struct copy_map *map, const struct config *config, uint32_t gateway)
{
    uint32_t count = 0;
    for (uint32_t session = 0; session < config->sessions_count; session++) {
        if (map->first)
            map->first[session] = count;
        for (uint32_t copy = 0; copy < config->drop_copies_count; copy++) {
            if (!stands_in(config, gateway, copy) || !drop_copy_carries(config, copy, session))
                continue;
            if (map->streams)
                map->streams[count] = (uint16_t)(config->sessions_count + copy);
            count++;
        }
    }
    if (map->first)
        map->first[config->sessions_count] = count;
    return count;
}

size_t copy_map_footprint(const struct config *config, uint32_t gateway)
{
    struct copy_map nowhere = {NULL, NULL};
    const uint32_t count = fill(&nowhere, config, gateway);
    return count ? (config->sessions_count + 1) * sizeof *nowhere.first + count * sizeof *nowhere.streams : 0;
}

void copy_map_new(struct copy_map *map, void *memory, const struct config *config, uint32_t gateway)
{
    *map = (struct copy_map){NULL, NULL};
    if (copy_map_footprint(config, gateway) == 0)
        return;
    map->first = memory;
    map->streams = (uint16_t *)(map->first + config->sessions_count + 1);
    fill(map, config, gateway);
}
