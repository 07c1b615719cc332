// SPDX-License-Identifier: Apache-2.0
#include "control/limits/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "contract/fault.h"
#include "control/limits/table.h"

// ---- keys -----------------------------------------------------------------------------------------------------------

uint64_t limits_key(enum rule_kind kind, enum scope scope, uint16_t index, uint16_t symbol, enum limit limit)
{
    return (uint64_t)kind << 48 | (uint64_t)scope << 40 | (uint64_t)index << 24 | (uint64_t)symbol << 8 |
           (uint64_t)limit;
}

enum rule_kind limits_kind(uint64_t key)
{
    return (enum rule_kind)(key >> 48);
}

enum scope limits_scope(uint64_t key)
{
    return (enum scope)(key >> 40 & 0xFF);
}

uint16_t limits_index(uint64_t key)
{
    return (uint16_t)(key >> 24);
}

uint16_t limits_symbol(uint64_t key)
{
    return (uint16_t)(key >> 8);
}

enum limit limits_limit(uint64_t key)
{
    return (enum limit)(key & 0xFF);
}

// ---- sets -----------------------------------------------------------------------------------------------------------

// Where the key stands, or would.
static size_t place_of(const struct limits_set *set, uint64_t key)
{
    size_t low = 0, high = set->count;
    if (high > 0 && set->list[high - 1].key < key) // what is told in order is added at the end
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->list[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct limits_rule *limits_find(const struct limits_set *set, uint64_t key)
{
    size_t at = place_of(set, key);
    return at < set->count && set->list[at].key == key ? &set->list[at] : NULL;
}

bool limits_put(struct limits_set *set, const struct limits_rule *rule)
{
    size_t at = place_of(set, rule->key);
    if (at < set->count && set->list[at].key == rule->key) {
        set->list[at] = *rule;
        return true;
    }
    if (set->count == set->room) {
        size_t room = set->room ? 2 * set->room : 32;
        struct limits_rule *grown = realloc(set->list, room * sizeof *grown);
        if (!grown)
            return false;
        set->list = grown;
        set->room = room;
    }
    memmove(&set->list[at + 1], &set->list[at], (set->count - at) * sizeof *set->list);
    set->list[at] = *rule;
    set->count++;
    return true;
}

void limits_remove(struct limits_set *set, uint64_t key)
{
    size_t at = place_of(set, key);
    if (at >= set->count || set->list[at].key != key)
        return;
    set->count--;
    memmove(&set->list[at], &set->list[at + 1], (set->count - at) * sizeof *set->list);
}

void limits_clear(struct limits_set *set)
{
    free(set->list);
    *set = (struct limits_set){0};
}

// ---- the venue ------------------------------------------------------------------------------------------------------

// The first account of each firm; accounts are few thousands, firms fewer.
static void find_firms(struct limits_venue *venue)
{
    const struct config *config = venue->config;
    for (uint32_t i = 0; i < config->accounts_count; i++) {
        venue->firm_of[i] = (uint16_t)i;
        for (uint32_t j = 0; j < i; j++) {
            if (venue->firm_of[j] != j || memcmp(config->accounts[j].wire_firm, config->accounts[i].wire_firm,
                                                 sizeof config->accounts->wire_firm))
                continue;
            venue->firm_of[i] = (uint16_t)j;
            break;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct limits_name *)a)->name, ((const struct limits_name *)b)->name);
}

static bool find_symbols(struct limits_venue *venue)
{
    const struct config *config = venue->config;
    venue->symbols_by_name = calloc(config->symbols_count + 1, sizeof *venue->symbols_by_name);
    if (!venue->symbols_by_name)
        return false;
    for (uint32_t i = 0; i < config->symbols_count; i++)
        venue->symbols_by_name[i] = (struct limits_name){config->symbols[i].name, i};
    qsort(venue->symbols_by_name, config->symbols_count, sizeof *venue->symbols_by_name, by_name);
    for (uint32_t i = 0; i < config->symbols_count; i++)
        if (config->symbols[i].locate > venue->symbols[config->symbols[i].matcher])
            venue->symbols[config->symbols[i].matcher] = config->symbols[i].locate;
    for (unsigned core = 0; core < config->matchers_count; core++)
        if (!(venue->symbol_at[core] = calloc(venue->symbols[core] + 1, sizeof **venue->symbol_at)))
            return false;
    for (uint32_t i = 0; i < config->symbols_count; i++)
        venue->symbol_at[config->symbols[i].matcher][config->symbols[i].locate] = i;
    return true;
}

bool limits_venue_init(struct limits_venue *venue, const struct config *config)
{
    *venue = (struct limits_venue){.config = config};
    venue->firm_of = calloc(config->accounts_count + 1, sizeof *venue->firm_of);
    venue->account_cores = calloc(config->accounts_count + 1, sizeof *venue->account_cores);
    venue->firm_cores = calloc(config->accounts_count + 1, sizeof *venue->firm_cores);
    if (!venue->firm_of || !venue->account_cores || !venue->firm_cores || !find_symbols(venue))
        return false;
    find_firms(venue);
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        const struct config_session *session = &config->sessions[i];
        venue->account_cores[session->account_index] |= 1u << session->matcher;
        venue->firm_cores[venue->firm_of[session->account_index]] |= 1u << session->matcher;
    }
    return true;
}

void limits_venue_free(struct limits_venue *venue)
{
    free(venue->firm_of);
    free(venue->account_cores);
    free(venue->firm_cores);
    free(venue->symbols_by_name);
    for (unsigned core = 0; core < LIMITS_CORES; core++)
        free(venue->symbol_at[core]);
    *venue = (struct limits_venue){0};
}

uint32_t limits_cores(const struct limits_venue *venue, uint64_t key)
{
    const struct config *config = venue->config;
    const uint16_t index = limits_index(key);
    switch (limits_scope(key)) {
    case SCOPE_VENUE:
        return (1u << config->matchers_count) - 1;
    case SCOPE_FIRM:
        return venue->firm_cores[index];
    case SCOPE_ACCOUNT:
        return venue->account_cores[index];
    case SCOPE_SESSION:
        return 1u << config->sessions[index].matcher;
    default:
        return 1u << config->symbols[limits_symbol(key)].matcher;
    }
}

// ---- parts ----------------------------------------------------------------------------------------------------------

static uint64_t part_of(uint64_t whole, uint32_t cores, const struct limits_shares *shares, unsigned core)
{
    const unsigned count = (unsigned)__builtin_popcount(cores);
    const unsigned before = (unsigned)__builtin_popcount(cores & ((1u << core) - 1));
    if (whole == LIMIT_UNSET || count < 2)
        return whole;
    if (!shares)
        return whole / count + (before < whole % count);
    uint64_t part = (uint64_t)((unsigned __int128)whole * shares->percent[core] / 100);
    if (before > 0)
        return part;
    uint64_t others = 0; // the first one has what rounding leaves
    for (unsigned i = core + 1; i < LIMITS_CORES; i++)
        if (cores & 1u << i)
            others += (uint64_t)((unsigned __int128)whole * shares->percent[i] / 100);
    return whole - others;
}

struct limits_rule limits_part(const struct limits_venue *venue, const struct limits_rule *rule,
                               const struct limits_shares *shares, unsigned core)
{
    struct limits_rule part = *rule;
    const enum scope scope = limits_scope(rule->key);
    if (limits_kind(rule->key) != RULE_LIMIT)
        return part;
    part.whole = rule->value;
    if ((scope == SCOPE_FIRM || scope == SCOPE_ACCOUNT) && limit_info(limits_limit(rule->key)).apportioned)
        part.value =
            FAULT(parts_are_whole) ? rule->value : part_of(rule->value, limits_cores(venue, rule->key), shares, core);
    return part;
}

bool limits_same(const struct limits_rule *told, const struct limits_rule *wanted)
{
    if (limits_kind(wanted->key) != RULE_REFERENCE)
        return told->value == wanted->value && told->more == wanted->more;
    return (!wanted->value || told->value == wanted->value) && (!wanted->more || told->more == wanted->more) &&
           (!wanted->reg_sho || told->reg_sho == wanted->reg_sho) && (!wanted->tier || told->tier == wanted->tier);
}

bool limits_loosens(const struct limits_rule *told, const struct limits_rule *wanted)
{
    if (limits_kind(wanted->key) != RULE_LIMIT)
        return told && !limits_same(told, wanted); // which way a reference or a group works can not be told
    return limit_raises(limits_limit(wanted->key), told ? told->value : LIMIT_UNSET, wanted->value);
}

// ---- commands -------------------------------------------------------------------------------------------------------

static void put_name(char out[16], const char *name)
{
    memcpy(out, name, strnlen(name, 16));
}

struct command limits_command(const struct limits_venue *venue, const struct limits_rule *part)
{
    struct command command = {.session = SESSION_NONE};
    const enum scope scope = limits_scope(part->key);
    const uint16_t locate = venue->config->symbols[limits_symbol(part->key)].locate;
    switch (limits_kind(part->key)) {
    case RULE_REFERENCE:
        command.type = CMD_REFERENCE;
        command.reference.locate = locate;
        command.reference.reference = (uint32_t)part->value;
        command.reference.adv = part->more;
        command.reference.reg_sho = part->reg_sho;
        command.reference.tier = part->tier;
        put_name(command.reference.by, part->by);
        break;
    case RULE_GROUP:
        command.type = CMD_GROUP;
        command.group.locate = locate;
        command.group.group = (uint16_t)part->value;
        break;
    case RULE_POSITION:
        command.type = CMD_POSITION;
        command.position.account = limits_index(part->key);
        command.position.locate = locate;
        command.position.quantity = (int64_t)part->value;
        command.position.cost = (int64_t)part->more;
        put_name(command.position.by, part->by);
        break;
    case RULE_LIMIT:
        command.type = CMD_LIMIT;
        command.limit.scope = (uint8_t)scope;
        command.limit.limit = (uint8_t)limits_limit(part->key);
        command.limit.index = scope == SCOPE_SYMBOL ? locate : limits_index(part->key);
        command.limit.locate = scope == SCOPE_POSITION ? locate : LOCATE_NONE;
        command.limit.value = part->value;
        command.limit.whole = part->whole;
        command.limit.change = part->change;
        command.limit.file = part->file;
        put_name(command.limit.by, part->by);
        put_name(command.limit.second, part->second);
        break;
    }
    return command;
}

// The symbol of a locate; false for none.
static bool symbol_of(const struct limits_venue *venue, unsigned core, uint16_t locate, uint16_t *symbol)
{
    if (core >= venue->config->matchers_count || locate == LOCATE_NONE || locate > venue->symbols[core])
        return false;
    *symbol = (uint16_t)venue->symbol_at[core][locate];
    return true;
}

static bool note_limit(struct limits_rule *rule, const struct limits_venue *venue, unsigned core,
                       const struct command *command)
{
    const enum scope scope = (enum scope)command->limit.scope;
    const struct config *config = venue->config;
    uint16_t index = command->limit.index, symbol = 0;
    if (command->limit.limit >= LIMITS || !limit_applies((enum limit)command->limit.limit, scope))
        return false;
    if (scope == SCOPE_SYMBOL && !symbol_of(venue, core, index, &symbol))
        return false;
    if (scope == SCOPE_POSITION && !symbol_of(venue, core, command->limit.locate, &symbol))
        return false;
    if (scope == SCOPE_SYMBOL || scope == SCOPE_VENUE)
        index = 0;
    if (index >= (scope == SCOPE_SESSION ? config->sessions_count : config->accounts_count))
        return false;
    rule->key = limits_key(RULE_LIMIT, scope, index, symbol, (enum limit)command->limit.limit);
    rule->value = command->limit.value;
    rule->whole = command->limit.whole;
    rule->change = command->limit.change;
    rule->file = command->limit.file;
    memcpy(rule->by, command->limit.by, 16);
    memcpy(rule->second, command->limit.second, 16);
    return true;
}

// Fields that are 0 leave what is there.
static bool note_reference(struct limits_rule *rule, const struct limits_set *set, const struct limits_venue *venue,
                           unsigned core, const struct command *command)
{
    uint16_t symbol;
    if (!symbol_of(venue, core, command->reference.locate, &symbol))
        return false;
    const uint64_t key = limits_key(RULE_REFERENCE, SCOPE_SYMBOL, 0, symbol, (enum limit)0);
    const struct limits_rule *old = limits_find(set, key);
    if (old)
        *rule = *old;
    memset(rule->by, 0, sizeof rule->by);
    rule->key = key;
    if (command->reference.reference)
        rule->value = command->reference.reference;
    if (command->reference.adv)
        rule->more = command->reference.adv;
    if (command->reference.reg_sho)
        rule->reg_sho = command->reference.reg_sho;
    if (command->reference.tier)
        rule->tier = command->reference.tier;
    memcpy(rule->by, command->reference.by, 16);
    return true;
}

bool limits_note(struct limits_set *set, const struct limits_venue *venue, unsigned core, const struct command *command)
{
    struct limits_rule rule = {0};
    uint16_t symbol;
    switch (command->type) {
    case CMD_LIMIT:
        return note_limit(&rule, venue, core, command) && limits_put(set, &rule);
    case CMD_REFERENCE:
        return note_reference(&rule, set, venue, core, command) && limits_put(set, &rule);
    case CMD_GROUP:
        if (!symbol_of(venue, core, command->group.locate, &symbol))
            return false;
        rule.key = limits_key(RULE_GROUP, SCOPE_SYMBOL, 0, symbol, (enum limit)0);
        rule.value = command->group.group;
        strcpy(rule.by, LIMITS_FILE);
        return limits_put(set, &rule);
    case CMD_POSITION:
        if (!symbol_of(venue, core, command->position.locate, &symbol) ||
            command->position.account >= venue->config->accounts_count)
            return false;
        rule.key = limits_key(RULE_POSITION, SCOPE_POSITION, command->position.account, symbol, (enum limit)0);
        rule.value = (uint64_t)command->position.quantity;
        rule.more = (uint64_t)command->position.cost;
        memcpy(rule.by, command->position.by, 16);
        return limits_put(set, &rule);
    default:
        return false;
    }
}

// ---- names ----------------------------------------------------------------------------------------------------------

void limits_whom(const struct limits_venue *venue, uint64_t key, char out[LIMITS_WHOM])
{
    const struct config *config = venue->config;
    const uint16_t index = limits_index(key);
    switch (limits_scope(key)) {
    case SCOPE_FIRM:
        snprintf(out, LIMITS_WHOM, "firm %s", config->accounts[index].firm);
        break;
    case SCOPE_ACCOUNT:
        snprintf(out, LIMITS_WHOM, "account %s", config->accounts[index].name);
        break;
    case SCOPE_SESSION:
        snprintf(out, LIMITS_WHOM, "session %s", config->sessions[index].user);
        break;
    case SCOPE_SYMBOL:
        snprintf(out, LIMITS_WHOM, "symbol %s", config->symbols[limits_symbol(key)].name);
        break;
    case SCOPE_POSITION:
        snprintf(out, LIMITS_WHOM, "position %s:%s", config->accounts[index].name,
                 config->symbols[limits_symbol(key)].name);
        break;
    default:
        snprintf(out, LIMITS_WHOM, "venue");
    }
}

const char *limits_what(uint64_t key)
{
    static const char *const names[] = {
        [RULE_REFERENCE] = "reference", [RULE_GROUP] = "group", [RULE_POSITION] = "quantity"};
    return limits_kind(key) == RULE_LIMIT ? limit_info(limits_limit(key)).key : names[limits_kind(key)];
}

_Static_assert(LIMITS_TEXT == LIMIT_TEXT, "a limit's value is one of the texts");

void limits_text(const struct limits_rule *rule, char out[LIMITS_TEXT])
{
    char number[32], cost[32];
    static const char *const sho[] = {"none", "intraday", "remains"};
    switch (limits_kind(rule->key)) {
    case RULE_LIMIT:
        limit_format(limits_limit(rule->key), rule->value, out);
        break;
    case RULE_REFERENCE:
        limit_format_decimal((int64_t)rule->value, 2, number, sizeof number);
        snprintf(out, LIMITS_TEXT, "%s adv %" PRIu64 " reg_sho %s tier %u", number, rule->more,
                 rule->reg_sho >= SHO_NONE && rule->reg_sho <= SHO_REMAINS ? sho[rule->reg_sho - SHO_NONE] : "unknown",
                 rule->tier);
        break;
    case RULE_POSITION:
        limit_format_decimal((int64_t)rule->more, 2, cost, sizeof cost);
        snprintf(out, LIMITS_TEXT, "%" PRId64 " cost %s", (int64_t)rule->value, cost);
        break;
    default:
        snprintf(out, LIMITS_TEXT, "%" PRIu64, rule->value);
    }
}

static bool find_symbol(const struct limits_venue *venue, const char *name, uint16_t *symbol)
{
    const struct limits_name wanted = {name, 0};
    const struct limits_name *found =
        bsearch(&wanted, venue->symbols_by_name, venue->config->symbols_count, sizeof *venue->symbols_by_name, by_name);
    *symbol = found ? (uint16_t)found->index : 0;
    return found != NULL;
}

static bool find_account(const struct config *config, const char *name, size_t size, bool firm, uint16_t *index)
{
    for (uint32_t i = 0; i < config->accounts_count; i++) {
        const char *given = firm ? config->accounts[i].firm : config->accounts[i].name;
        if (strlen(given) == size && memcmp(given, name, size) == 0) {
            *index = (uint16_t)i;
            return true;
        }
    }
    return false;
}

bool limits_find_whom(const struct limits_venue *venue, enum scope scope, const char *name, uint16_t *index,
                      uint16_t *symbol)
{
    const struct config *config = venue->config;
    const char *colon = strrchr(name, ':');
    *index = *symbol = 0;
    switch (scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
    case SCOPE_ACCOUNT:
        return find_account(config, name, strlen(name), scope == SCOPE_FIRM, index);
    case SCOPE_SESSION:
        for (uint32_t i = 0; i < config->sessions_count; i++)
            if (strcasecmp(config->sessions[i].user, name) == 0) {
                *index = (uint16_t)i;
                return true;
            }
        return false;
    case SCOPE_SYMBOL:
        return find_symbol(venue, name, symbol);
    case SCOPE_POSITION:
        return colon && find_account(config, name, (size_t)(colon - name), false, index) &&
               find_symbol(venue, colon + 1, symbol);
    default:
        return false;
    }
}
