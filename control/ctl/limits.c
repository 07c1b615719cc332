// SPDX-License-Identifier: Apache-2.0
// xwctl limits: what control has told the matching cores, from the journal; against the file; and changes, by control's
// socket. What is in use is what engines come to that the whole journal is fed to again.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/ask.h"
#include "control/ctl/walk.h"
#include "control/limits/defaults.h"
#include "control/limits/desk.h"
#include "control/limits/table.h"

// ---- asking control -------------------------------------------------------------------------------------------------

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

static const char *need_by(const struct ctl *ctl)
{
    if (!ctl->by)
        fail_with(EX_USAGE, "--by NAME is missing: say who asks");
    return ctl->by;
}

// Prints the whole answer as JSON where that is asked for; takes it. Returns whether it did.
static bool print_json(const struct ctl *ctl, json_t *root)
{
    if (ctl->json) {
        json_dumpf(root, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(root);
    }
    return ctl->json;
}

static int set(const struct ctl *ctl, int argc, char **argv)
{
    const bool venue = argc == 4 && strcmp(argv[1], "venue") == 0;
    if (argc != 5 && !venue)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG limits set SCOPE NAME LIMIT VALUE --by NAME (venue has no NAME; "
                            "a position's is ACCOUNT:SYMBOL)");
    json_t *answer =
        ctl_ask(ctl, "control",
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "ask", "limits_set", "scope", argv[1], "name",
                          venue ? "" : argv[2], "limit", argv[argc - 2], "value", argv[argc - 1], "by", need_by(ctl)));
    if (print_json(ctl, answer))
        return EX_OK;
    const json_int_t pending = json_integer_value(json_object_get(answer, "pending"));
    printf("%s %s %s -> %s", text_of(answer, "whom"), argv[argc - 2], text_of(answer, "before"),
           text_of(answer, "after"));
    if (pending)
        printf(": waits for a second person, xwctl limits approve %" JSON_INTEGER_FORMAT " --by NAME\n", pending);
    else
        puts(json_is_true(json_object_get(answer, "changed")) ? "" : ": so it is already");
    json_decref(answer);
    return EX_OK;
}

// The first limit of a request, and how many more it has.
static void print_first(const json_t *request)
{
    const json_int_t count = json_integer_value(json_object_get(request, "limits"));
    printf("%s", text_of(request, "first"));
    if (count > 1)
        printf(" and %" JSON_INTEGER_FORMAT " more (xwctl limits diff)", count - 1);
}

static int decide(const struct ctl *ctl, int argc, char **argv)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long id = argc == 2 ? strtoull(argv[1], &end, 10) : 0;
    if (argc != 2 || errno || *end || !isdigit((unsigned char)argv[1][0]) || id < 1 || id > UINT32_MAX)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG limits %s N --by NAME; xwctl limits pending has the numbers",
                  argv[0]);
    json_t *answer = ctl_ask(ctl, "control",
                             json_pack("{s:s, s:I, s:s}", "ask",
                                       strcmp(argv[0], "approve") == 0 ? "limits_approve" : "limits_reject", "request",
                                       (json_int_t)id, "by", need_by(ctl)));
    if (!print_json(ctl, answer)) {
        if (json_integer_value(json_object_get(answer, "pending")))
            printf(
                "request %llu: nobody is known to have asked for it, so %s stands for it from now on: another person "
                "has to approve it: ",
                id, ctl->by);
        else
            printf("request %llu %s: ", id, strcmp(argv[0], "approve") == 0 ? "approved, in force" : "rejected");
        print_first(answer);
        putchar('\n');
        json_decref(answer);
    }
    return EX_OK;
}

static int pending(const struct ctl *ctl)
{
    json_t *answer = ctl_ask(ctl, "control", json_pack("{s:s}", "ask", "limits_pending"));
    const json_t *rows = json_object_get(answer, "requests"), *row;
    size_t i;
    if (print_json(ctl, answer))
        return EX_OK;
    if (json_array_size(rows) == 0)
        puts("nothing waits for a second person");
    json_array_foreach(rows, i, row)
    {
        printf("%" JSON_INTEGER_FORMAT " by %s%s: ", json_integer_value(json_object_get(row, "request")),
               text_of(row, "by"), json_is_true(json_object_get(row, "file")) ? " (reload)" : "");
        print_first(row);
        printf(", expires in %" JSON_INTEGER_FORMAT " s\n", json_integer_value(json_object_get(row, "expires_s")));
    }
    json_decref(answer);
    return EX_OK;
}

int ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG reload --by NAME");
    json_t *answer = ctl_ask(ctl, "control", json_pack("{s:s, s:s}", "ask", "reload", "by", need_by(ctl)));
    if (!print_json(ctl, answer)) {
        printf("reloaded: %s\n", text_of(answer, "text"));
        json_decref(answer);
    }
    return EX_OK;
}

// ---- from the journal -----------------------------------------------------------------------------------------------

struct listing {
    const struct ctl *ctl;
    struct config *config;
    struct limits_desk *desk;
    struct ctl_walk walk;
    uint64_t *keys;
    size_t count;
    struct limits_set told; // of the whole venue
    json_t *rows;
};

static void note_record(void *context, const struct command *record)
{
    struct listing *listing = context;
    const unsigned core = journal_core(record);
    if (core < listing->config->matchers_count)
        limits_desk_note(listing->desk, core, record);
}

// Reads the journal; with engines when what is in use is asked for. `path`: the file to hold it against.
static void begin_listing(struct listing *listing, const struct ctl *ctl, const char *path, bool engines)
{
    struct journal_identity identity;
    char error[512];
    listing->ctl = ctl;
    listing->config = ctl_load_config(ctl);
    listing->desk = limits_desk_new(listing->config, path ? path : listing->config->risk.limits, error, sizeof error);
    if (!listing->desk)
        fail_with(EX_CONFIG, "%s", error);
    ctl_find_journal(ctl, NULL, &identity);
    listing->walk = ctl_walk_of(ctl, &identity);
    listing->walk.records_only = !engines;
    listing->walk.on_record = note_record;
    listing->walk.context = listing;
    ctl_walk(&listing->walk);
    listing->keys = limits_desk_keys(listing->desk, &listing->count);
    listing->rows = json_array();
    bool good = listing->keys && listing->rows;
    for (size_t i = 0; good && i < listing->count; i++) {
        struct limits_rule rule;
        if (limits_desk_told(listing->desk, listing->keys[i], &rule))
            good = limits_put(&listing->told, &rule);
    }
    if (!good)
        fail_with(EX_OSERR, "no memory");
}

static void end_listing(struct listing *listing)
{
    ctl_walk_free(&listing->walk);
    limits_desk_free(listing->desk);
    config_free(listing->config);
    free(listing->keys);
    limits_clear(&listing->told);
    json_decref(listing->rows);
}

static void print_rows(const struct listing *listing)
{
    json_dumpf(listing->rows, stdout, JSON_COMPACT);
    putchar('\n');
}

// How much of a limit is in use, and of how much: of sums over symbols what all cores come to, of others what the
// fullest core has. A drawdown is money, of the money that its per cent come to. false: it is of one order, or is no
// figure that fills.
static bool in_use(const struct listing *listing, const struct limits_rule *rule, uint64_t *used, uint64_t *most)
{
    const uint32_t cores = limits_cores(limits_desk_venue(listing->desk), rule->key);
    const enum scope scope = limits_scope(rule->key);
    const enum limit limit = limits_limit(rule->key);
    bool known = false;
    *used = 0;
    *most = rule->value;
    for (unsigned core = 0; limits_kind(rule->key) == RULE_LIMIT && core < listing->config->matchers_count; core++) {
        uint64_t part = 0, whole = rule->value;
        if (!(cores & 1u << core) || !listing->walk.replicas[core])
            continue;
        const struct engine *engine = replica_engine(listing->walk.replicas[core]);
        const uint16_t locate = listing->config->symbols[limits_symbol(rule->key)].locate;
        if (limit == LIMIT_DRAWDOWN
                ? !engine_drawdown(engine, scope, limits_index(rule->key), &part, &whole)
                : !engine_limit_use(engine, scope, scope == SCOPE_SYMBOL ? locate : limits_index(rule->key),
                                    scope == SCOPE_POSITION ? locate : LOCATE_NONE, limit, &part))
            continue;
        if (limit_info(limit).apportioned) {
            *used += part;
        } else if (!known || (double)part * (double)*most > (double)*used * (double)whole) {
            *used = part;
            *most = whole;
        }
        known = true;
    }
    return known;
}

static void show_rule(struct listing *listing, const struct limits_rule *rule)
{
    char whom[LIMITS_WHOM], value[LIMITS_TEXT], origin[64], text[LIMIT_TEXT] = "", share[16] = "";
    uint64_t used, most;
    limits_whom(limits_desk_venue(listing->desk), rule->key, whom);
    limits_text(rule, value);
    snprintf(origin, sizeof origin, "%s%s%s", rule->by[0] ? rule->by : "-", rule->second[0] ? ", " : "", rule->second);
    const bool known = in_use(listing, rule, &used, &most);
    const double percent = known && most ? (double)used * 100 / (double)most : 0;
    if (known) {
        const enum limit limit = limits_limit(rule->key);
        limit_format(limit == LIMIT_DRAWDOWN ? LIMIT_LOSS : limit, used, text);
        snprintf(share, sizeof share, "%.1f%%", percent);
    }
    if (!listing->ctl->json) {
        printf("%-28s %-22s %20s %20s %7s  %s\n", whom, limits_what(rule->key), value, text, share, origin);
        return;
    }
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "whom", whom, "limit", limits_what(rule->key), "value",
                            value, "by", rule->by, "second", rule->second, "change", (int)rule->change);
    if (known) {
        json_object_set_new(row, "used", json_string(text));
        json_object_set_new(row, "percent", json_real(percent));
    }
    json_array_append_new(listing->rows, row);
}

static bool put_default(const struct listing *listing, struct limits_set *defaults, enum scope scope, uint16_t index,
                        enum limit limit)
{
    const uint64_t key = limits_key(RULE_LIMIT, scope, index, 0, limit);
    const struct limits_rule *told = limits_find(&listing->told, key);
    struct limits_rule rule = {.key = key, .by = "by default"};
    if (told && told->value != LIMIT_UNSET)
        return true;
    rule.value = limits_default_among(&listing->told, limits_desk_venue(listing->desk), key);
    return rule.value == LIMIT_UNSET || limits_put(defaults, &rule);
}

// What holds without being told, beside what was told.
static void add_defaults(struct listing *listing)
{
    const uint16_t *firm_of = limits_desk_venue(listing->desk)->firm_of;
    struct limits_set defaults = {0};
    bool good = put_default(listing, &defaults, SCOPE_VENUE, 0, LIMIT_ALERT);
    for (uint32_t i = 0; i < listing->config->accounts_count; i++) {
        if (firm_of[i] == i)
            good &= put_default(listing, &defaults, SCOPE_FIRM, (uint16_t)i, LIMIT_DRAWDOWN);
        good &= put_default(listing, &defaults, SCOPE_ACCOUNT, (uint16_t)i, LIMIT_DRAWDOWN) &&
                put_default(listing, &defaults, SCOPE_ACCOUNT, (uint16_t)i, LIMIT_POSITION_SHARE) &&
                put_default(listing, &defaults, SCOPE_ACCOUNT, (uint16_t)i, LIMIT_CORRELATION);
    }
    for (size_t i = 0; i < defaults.count; i++)
        good &= limits_put(&listing->told, &defaults.list[i]);
    limits_clear(&defaults);
    if (!good)
        fail_with(EX_OSERR, "no memory");
}

// Whether the rule is among those that are asked for.
static bool is_asked(uint64_t key, enum scope scope, uint16_t index, uint16_t symbol)
{
    if (scope == SCOPE_NONE)
        return true;
    return limits_scope(key) == scope && limits_index(key) == index && limits_symbol(key) == symbol;
}

static int show(const struct ctl *ctl, int argc, char **argv)
{
    struct listing listing = {0};
    enum scope scope = argc > 1 ? scope_by_name(argv[1]) : SCOPE_NONE;
    uint16_t index = 0, symbol = 0;
    if (argc > 3 || (argc > 1 && scope == SCOPE_NONE) || (argc == 2 && scope != SCOPE_VENUE))
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG limits show [venue | firm|account|session|symbol|position NAME]");
    begin_listing(&listing, ctl, "", true);
    if (scope != SCOPE_NONE &&
        !limits_find_whom(limits_desk_venue(listing.desk), scope, argc == 3 ? argv[2] : "", &index, &symbol))
        fail_with(EX_NOINPUT, "the configuration has no %s %s", argv[1], argc == 3 ? argv[2] : "");
    if (!ctl->json)
        printf("%-28s %-22s %20s %20s %7s  %s\n", "whom", "limit", "value", "in use", "", "by");
    add_defaults(&listing);
    for (size_t i = 0; i < listing.told.count; i++) {
        const struct limits_rule *rule = &listing.told.list[i];
        if (is_asked(rule->key, scope, index, symbol) &&
            (limits_kind(rule->key) != RULE_LIMIT || rule->value != LIMIT_UNSET))
            show_rule(&listing, rule);
    }
    if (ctl->json)
        print_rows(&listing);
    end_listing(&listing);
    return EX_OK;
}

static void show_difference(struct listing *listing, uint64_t key, const struct limits_rule *told,
                            const struct limits_rule *given)
{
    const struct limits_venue *venue = limits_desk_venue(listing->desk);
    char whom[LIMITS_WHOM], running[LIMITS_TEXT], file[LIMITS_TEXT];
    limits_whom(venue, key, whom);
    limits_text_among(&listing->told, venue, key, told, running);
    limits_text_among(&limits_desk_file(listing->desk)->rules, venue, key, given, file);
    if (listing->ctl->json)
        json_array_append_new(listing->rows,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "whom", whom, "limit", limits_what(key), "running",
                                        running, "by", told ? told->by : "", "file", file));
    else
        printf("%s %s: running %s%s%s, file %s\n", whom, limits_what(key), running, told && told->by[0] ? " by " : "",
               told ? told->by : "", file);
}

static bool differs(uint64_t key, const struct limits_rule *told, const struct limits_rule *given)
{
    const bool is_limit = limits_kind(key) == RULE_LIMIT;
    if (!given)
        return is_limit ? told->value != LIMIT_UNSET : limits_kind(key) == RULE_GROUP && told->value != 0;
    if (!told)
        return true;
    return !limits_same(told, given);
}

int ctl_limits_diff(const struct ctl *ctl, const char *path)
{
    struct listing listing = {0};
    size_t found = 0;
    begin_listing(&listing, ctl, path, false);
    const struct limits_set *rules = &limits_desk_file(listing.desk)->rules;
    for (size_t i = 0; i < listing.count; i++) {
        const uint64_t key = listing.keys[i];
        const struct limits_rule *given = limits_find(rules, key);
        const struct limits_rule *told = limits_find(&listing.told, key);
        if (limits_cores(limits_desk_venue(listing.desk), key) == 0 || !differs(key, told, given))
            continue;
        show_difference(&listing, key, told, given);
        found++;
    }
    if (ctl->json)
        print_rows(&listing);
    else if (found == 0)
        puts("limits: what runs is what the file says");
    end_listing(&listing);
    return found != 0;
}

// ---- the rest -------------------------------------------------------------------------------------------------------

int ctl_limits_check(const struct ctl *ctl, const char *path)
{
    struct config *config = ctl_load_config(ctl);
    struct limits_venue venue;
    char error[512];
    path = path ? path : config->risk.limits;
    if (path[0] == '\0')
        fail_with(EX_USAGE, "which file? the configuration names no risk.limits: give xwctl limits check FILE");
    if (!limits_venue_init(&venue, config))
        fail_with(EX_OSERR, "no memory");
    struct limits_file *file = limits_file_read(path, &venue, error, sizeof error);
    if (!file)
        fail_with(EX_CONFIG, "%s", error);
    printf("%s: right. %zu limits and facts\n", path, file->rules.count);
    limits_file_free(file);
    limits_venue_free(&venue);
    config_free(config);
    return EX_OK;
}

static int list(void)
{
    printf("%-24s %-44s %-24s %s\n", "limit", "of a", "values", "meaning");
    for (int i = 0; i < LIMITS; i++) {
        const struct limit_info info = limit_info((enum limit)i);
        char scopes[64] = "", least[LIMIT_TEXT], most[LIMIT_TEXT], range[2 * LIMIT_TEXT + 4];
        size_t used = 0;
        for (int scope = SCOPE_VENUE; scope <= SCOPE_POSITION; scope++)
            if (limit_applies((enum limit)i, (enum scope)scope))
                used += (size_t)snprintf(scopes + used, sizeof scopes - used, "%s%s", used ? " " : "",
                                         scope_name((enum scope)scope));
        limit_format((enum limit)i, info.least, least);
        limit_format((enum limit)i, info.most, most);
        snprintf(range, sizeof range, "%s..%s", least, most);
        printf("%-24s %-44s %-24s %s\n", info.key, scopes, info.unit == UNIT_MASK ? "permissions" : range, info.help);
    }
    return EX_OK;
}

int ctl_limits(const struct ctl *ctl, int argc, char **argv)
{
    const char *word = argc > 0 ? argv[0] : "";
    if (strcmp(word, "show") == 0)
        return show(ctl, argc, argv);
    if (strcmp(word, "set") == 0)
        return set(ctl, argc, argv);
    if (strcmp(word, "approve") == 0 || strcmp(word, "reject") == 0)
        return decide(ctl, argc, argv);
    if (strcmp(word, "pending") == 0 && argc == 1)
        return pending(ctl);
    if (strcmp(word, "diff") == 0 && argc <= 2)
        return ctl_limits_diff(ctl, argc == 2 ? argv[1] : NULL);
    if (strcmp(word, "check") == 0 && argc <= 2)
        return ctl_limits_check(ctl, argc == 2 ? argv[1] : NULL);
    if (strcmp(word, "list") == 0 && argc == 1)
        return list();
    fail_with(EX_USAGE, "usage: xwctl -c CONFIG limits show|set|pending|approve|reject|diff|check|list: xwctl --help "
                        "has the words");
}
