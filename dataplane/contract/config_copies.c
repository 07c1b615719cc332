// SPDX-License-Identifier: Apache-2.0
// Drop copies of the configuration: who they are, and that each has something to carry.
#include <string.h>

#include "contract/config_source.h"
#include "contract/config_text.h"
#include "contract/drop_copy.h"

struct config_stream config_stream(const struct config *config, uint32_t index)
{
    if (index < config->sessions_count) {
        const struct config_session *session = &config->sessions[index];
        return (struct config_stream){session->user, session->wire_user, session->password_hash, session->gateway,
                                      session->matcher};
    }
    const struct config_drop_copy *copy = &config->drop_copies[index - config->sessions_count];
    return (struct config_stream){copy->user, copy->wire_user, copy->password_hash, copy->gateway, copy->matcher};
}

static const char *show(const char *text)
{
    return config_shown(text, strlen(text));
}

static bool check_user(struct config_source *source, const struct config *config, uint32_t i)
{
    const struct config_drop_copy *copy = &config->drop_copies[i];
    const uint32_t before = config->sessions_count + i;
    if (!text_only(copy->user, ""))
        return config_fail_at(source, CONFIG_drop_copies, i, "user", "`user` is `%s`; use letters and digits",
                              show(copy->user));
    for (uint32_t other = 0; other < before; other++) {
        if (memcmp(config_stream(config, other).wire_user, copy->wire_user, sizeof copy->wire_user) == 0)
            return config_fail_at(source, CONFIG_drop_copies, i, "user",
                                  "`user` is `%s`, who is a session or a drop copy already; give another",
                                  show(copy->user));
    }
    const bool elsewhere = copy->password_hash[0] == '\0' && config->control.password_file[0] != '\0';
    if (elsewhere || strncmp(copy->password_hash, "$argon2", 7) == 0)
        return true;
    return config_fail_at(source, CONFIG_drop_copies, i, "password_hash",
                          "`password_hash` is no $argon2 string; make one with `xwctl hash-password`, or name a "
                          "control.password_file that has it");
}

static bool check_index(struct config_source *source, uint32_t i, const char *key, uint32_t value, uint32_t count)
{
    return value < count || config_fail_at(source, CONFIG_drop_copies, i, key,
                                           "`%s` is %u, and there is none such; give 0 to %u", key, value, count - 1);
}

static bool check_firm(struct config_source *source, const struct config *config, uint32_t i)
{
    const struct config_drop_copy *copy = &config->drop_copies[i];
    for (uint32_t account = 0; account < config->accounts_count; account++) {
        if (memcmp(config->accounts[account].wire_firm, copy->wire_firm, sizeof copy->wire_firm) == 0)
            return true;
    }
    return config_fail_at(source, CONFIG_drop_copies, i, "firm",
                          "`firm` is `%s`, which no entry of `accounts:` has; name one of those", show(copy->firm));
}

static bool is_account(const struct config *config, const char *name, size_t size)
{
    for (uint32_t i = 0; i < config->accounts_count; i++) {
        if (strlen(config->accounts[i].name) == size && memcmp(config->accounts[i].name, name, size) == 0)
            return true;
    }
    return false;
}

static bool check_accounts(struct config_source *source, const struct config *config, uint32_t i)
{
    const char *accounts = config->drop_copies[i].accounts;
    for (const char *at = accounts + strspn(accounts, " "); *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (!is_account(config, at, size))
            return config_fail_at(source, CONFIG_drop_copies, i, "accounts",
                                  "`accounts` names `%s`, which is not under `accounts:`; name some of those, with "
                                  "blanks between them",
                                  config_shown(at, size));
        at += size;
    }
    return true;
}

// That it carries something: a mistake would only be noticed when something is missed.
static bool check_scope(struct config_source *source, const struct config *config, uint32_t i)
{
    const struct config_drop_copy *copy = &config->drop_copies[i];
    const bool by_firm = copy->firm[0] != '\0', by_accounts = copy->accounts[strspn(copy->accounts, " ")] != '\0';
    if (by_firm == by_accounts)
        return config_fail_at(source, CONFIG_drop_copies, i, by_firm ? "accounts" : "firm",
                              "a drop copy is of a firm or of accounts; give %s",
                              by_firm ? "one of `firm` and `accounts`, not both" : "`firm`, or `accounts`");
    if (by_firm ? !check_firm(source, config, i) : !check_accounts(source, config, i))
        return false;
    for (uint32_t session = 0; session < config->sessions_count; session++) {
        if (drop_copy_carries(config, i, session))
            return true;
    }
    return config_fail_at(source, CONFIG_drop_copies, i, "matcher",
                          "no session of `%s` trades on matching core %u; give the core that they trade on, or leave "
                          "this drop copy out",
                          show(by_firm ? copy->firm : copy->accounts), copy->matcher);
}

bool config_resolve_copies(struct config_source *source, struct config *config)
{
    for (uint32_t i = 0; i < config->drop_copies_count; i++) {
        struct config_drop_copy *copy = &config->drop_copies[i];
        text_pad(copy->wire_user, sizeof copy->wire_user, copy->user, true);
        text_pad(copy->wire_firm, sizeof copy->wire_firm, copy->firm, false);
        if (!check_user(source, config, i) ||
            !check_index(source, i, "gateway", copy->gateway, config->gateways_count) ||
            !check_index(source, i, "matcher", copy->matcher, config->matchers_count) ||
            !check_scope(source, config, i))
            return false;
    }
    return true;
}
