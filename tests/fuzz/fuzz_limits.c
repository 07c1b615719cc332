// SPDX-License-Identifier: Apache-2.0
// Any bytes as a limits file: refused with one line that says where, or read into rules that any matching core can be
// told, each of which is known again from its command.
#include <stdint.h>
#include <sys/mman.h>

#include "control/limits/file.h"
#include "control/limits/table.h"
#include "tests/unit/limits_venue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Parts come to the whole, values stay in their bounds, commands and texts can be made.
static void check_rule(const struct limits_venue *venue, const struct limits_file *file, const struct limits_rule *rule)
{
    const uint32_t cores = limits_cores(venue, rule->key);
    const struct limits_shares *shares = limits_file_shares(file, rule->key);
    char whom[LIMITS_WHOM], text[LIMITS_TEXT];
    unsigned __int128 sum = 0;
    bool apportioned = false;
    if (limits_kind(rule->key) == RULE_LIMIT) {
        const struct limit_info info = limit_info(limits_limit(rule->key));
        xw_assert(rule->value >= info.least && rule->value <= info.most);
        apportioned = info.apportioned;
    }
    limits_whom(venue, rule->key, whom);
    limits_text(rule, text);
    for (unsigned core = 0; core < venue->config->matchers_count; core++) {
        struct limits_set told = {0};
        if (!(cores & 1u << core))
            continue;
        const struct limits_rule part = limits_part(venue, rule, shares, core);
        const struct command command = limits_command(venue, &part);
        xw_assert(limits_note(&told, venue, core, &command) && told.count == 1 && told.list[0].key == rule->key &&
                  limits_same(&told.list[0], &part));
        sum += part.value;
        limits_clear(&told);
    }
    xw_assert(!apportioned || cores == 0 || sum == rule->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    static struct limits_venue venue;
    char error[512] = "";
    if (fd < 0) {
        fd = memfd_create("limits", MFD_CLOEXEC);
        xw_assert(fd >= 0 && limits_venue_init(&venue, load_venue("")));
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    xw_assert(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    struct limits_file *file = limits_file_read(path, &venue, error, sizeof error);
    xw_assert(file || (strncmp(error, path, strlen(path)) == 0 && !strchr(error, '\n')));
    for (size_t i = 0; file && i < file->rules.count; i++) {
        xw_assert(i == 0 || file->rules.list[i - 1].key < file->rules.list[i].key);
        check_rule(&venue, file, &file->rules.list[i]);
    }
    limits_file_free(file);
    return 0;
}
