// SPDX-License-Identifier: Apache-2.0
// What several commands of xwctl need.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/ctl/ctl.h"

struct config *ctl_load_config(const struct ctl *ctl)
{
    char error[1024];
    if (!ctl->config_path)
        fail_with(EX_USAGE, "which appliance? give its configuration: xwctl -c CONFIG ..");
    struct config *config = config_load(ctl->config_path, error, sizeof error);
    if (!config)
        fail_with(access(ctl->config_path, R_OK) ? EX_NOINPUT : EX_CONFIG, "%s", error);
    return config;
}

void ctl_own_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
}

void ctl_join(struct region *region, const struct config *config)
{
    enum { MOST = 4096 };
    uint64_t list[MOST];
    int count = region_list(config->run_directory, config->instance, list, MOST);
    if (count > MOST)
        count = MOST;
    if (count <= 0)
        fail_with(EX_UNAVAILABLE, "no data plane of instance %s in %s: start crosswire-dataplane", config->instance,
                  config->run_directory);
    switch (region_join(region, config->run_directory, config->instance, list[count - 1], false)) {
    case REGION_OK:
        return;
    case REGION_LAYOUT:
        fail_with(EX_SOFTWARE, "generation %" PRIu64 " was made by another build: use that build's xwctl",
                  list[count - 1]);
    case REGION_SYSTEM:
        fail_with(errno == EACCES ? EX_NOPERM : EX_OSERR, "%s: %s", region->path, strerror(errno));
    default:
        fail_with(EX_UNAVAILABLE, "the data plane is only starting, or has just gone: try again");
    }
}

void ctl_sample_core(const struct core_block *block, struct ctl_core_sample *sample)
{
    // A core publishes all its figures in one housekeeping round; a bounded number of tries, because it may be faster.
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        sample->heartbeat = atomic_load_explicit(&block->heartbeat, memory_order_acquire);
        sample->state = atomic_load_explicit(&block->state, memory_order_relaxed);
        sample->busy = atomic_load_explicit(&block->busy_cycles, memory_order_relaxed);
        sample->idle = atomic_load_explicit(&block->idle_cycles, memory_order_relaxed);
        sample->heap_bytes = atomic_load_explicit(&block->heap_bytes, memory_order_relaxed);
        for (unsigned i = 0; i < COUNTERS_MAX; i++)
            sample->counters[i] = atomic_load_explicit(&block->counters[i], memory_order_acquire);
        if (atomic_load_explicit(&block->heartbeat, memory_order_relaxed) == sample->heartbeat)
            return;
    }
}

void ctl_sum_accounts(const struct region *region, struct ctl_accounts *accounts)
{
    *accounts = (struct ctl_accounts){0};
    unsigned matchers = 0;
    for (unsigned i = 0; i < region->header->object_count; i++) {
        const struct region_object *object = &region->header->objects[i];
        if (object->kind != OBJECT_CORE)
            continue;
        struct ctl_core_sample sample;
        const uint64_t *counters = sample.counters;
        ctl_sample_core((const void *)((const char *)region->header + object->offset), &sample);
        if (object->a == ROLE_GATEWAY) {
            accounts->received += counters[COUNT_GATEWAY_received];
            accounts->session_messages += counters[COUNT_GATEWAY_session_messages];
            accounts->forwarded += counters[COUNT_GATEWAY_forwarded];
            accounts->discarded += counters[COUNT_GATEWAY_discarded];
        } else if (object->a == ROLE_MATCHER) {
            matchers++;
            accounts->messages += counters[COUNT_MATCHER_messages];
            accounts->accepted += counters[COUNT_MATCHER_accepted];
            accounts->rejected += counters[COUNT_MATCHER_rejected];
            accounts->duplicates += counters[COUNT_MATCHER_duplicates];
            accounts->no_effect += counters[COUNT_MATCHER_no_effect];
        }
    }
    accounts->in_flight = (int64_t)(accounts->forwarded - accounts->messages);
    accounts->unfinished = (int64_t)(accounts->messages - accounts->accepted - accounts->rejected -
                                     accounts->duplicates - accounts->no_effect);
    accounts->holds = accounts->received == accounts->session_messages + accounts->forwarded + accounts->discarded &&
                      accounts->unfinished >= 0 && accounts->unfinished <= (int64_t)matchers;
}

static void identity_of(const char *directory, struct journal_identity *identity)
{
    char parent[4096], instance[33] = {0};
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    size_t base = length;
    while (base > 0 && directory[base - 1] != '/')
        base--;
    uint32_t date = 0;
    for (size_t i = base; i < length; i++)
        date = isdigit((unsigned char)directory[i]) ? date * 10 + (uint32_t)(directory[i] - '0') : 0;
    if (length - base != 8 || date < 10000101 || length >= sizeof parent)
        fail_with(EX_USAGE, "%s is not the directory of a trading date: give JOURNALDIR/YYYYMMDD", directory);
    snprintf(parent, sizeof parent, "%.*s", base ? (int)base : 1, base ? directory : ".");
    if (!journal_read_instance(parent, date, instance))
        fail_with(EX_NOINPUT, "%s: %s: give JOURNALDIR/YYYYMMDD", directory, strerror(errno));
    *identity = (struct journal_identity){.directory = strdup(parent), .instance = strdup(instance), .date = date};
    if (!identity->directory || !identity->instance)
        fail_with(EX_OSERR, "no memory");
}

// YYYY-MM-DD or YYYYMMDD
static uint32_t read_date(const char *text)
{
    unsigned year, month, day;
    int used = 0;
    if ((sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &used) != 3 || text[used]) &&
        (sscanf(text, "%4u%2u%2u%n", &year, &month, &day, &used) != 3 || text[used] || used != 8))
        fail_with(EX_USAGE, "--date %s: give YYYY-MM-DD", text);
    return year * 10000 + month * 100 + day;
}

void ctl_find_journal(const struct ctl *ctl, const char *directory, struct journal_identity *identity)
{
    if (directory) {
        identity_of(directory, identity);
        return;
    }
    const struct config *config = ctl_load_config(ctl); // kept: the identity has its texts
    *identity = (struct journal_identity){.directory = config->journal_directory,
                                          .instance = config->instance,
                                          .date = ctl->date ? read_date(ctl->date) : config->date,
                                          .config_hash = config->hash};
}

void ctl_forget_journal(const char *directory, struct journal_identity *identity)
{
    if (directory) {
        free((char *)identity->directory);
        free((char *)identity->instance);
    }
    *identity = (struct journal_identity){0};
}

const char *ctl_command_name(unsigned type)
{
    static const char *const names[] = {
        [CMD_ENTER] = "enter",
        [CMD_REPLACE] = "replace",
        [CMD_CANCEL] = "cancel",
        [CMD_MODIFY] = "modify",
        [CMD_MASS_CANCEL] = "mass_cancel",
        [CMD_DISABLE] = "disable",
        [CMD_ENABLE] = "enable",
        [CMD_QUERY] = "query",
        [CMD_SESSION_UP] = "session_up",
        [CMD_SESSION_DOWN] = "session_down",
        [CMD_OPEN_DAY] = "open_day",
        [CMD_OPEN_SYMBOL] = "open_symbol",
        [CMD_OPEN_ACCOUNT] = "open_account",
        [CMD_OPEN_SESSION] = "open_session",
        [CMD_OPEN_COPY] = "open_copy",
        [CMD_START] = "start",
        [CMD_END_DAY] = "end_day",
        [CMD_PHASE] = "phase",
        [CMD_BREAK] = "break",
        [CMD_ADJUST] = "adjust",
        [CMD_LIMIT] = "limit",
        [CMD_REFERENCE] = "reference",
        [CMD_POSITION] = "position",
        [CMD_HALT] = "halt",
        [CMD_INDEX] = "index",
        [CMD_KILL] = "kill",
        [CMD_RESET] = "reset",
        [CMD_MODE] = "mode",
        [CMD_GROUP] = "group",
        [CMD_BANDS] = "bands",
        [CMD_NOTE] = "note",
        [CMD_TICK] = "tick",
        [CMD_CLOCK] = "clock",
    };
    return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}
