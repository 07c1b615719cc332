// SPDX-License-Identifier: Apache-2.0
// What control says to the matching cores about risk, one rule at a time: a limit, what is known of a symbol, a
// position as the day begins, a symbol's group. A rule has one key for the whole venue; each matching core is told the
// part that is its own, as one command, and what has been told is known again from those commands.
#ifndef CROSSWIRE_CONTROL_LIMITS_RULES_H
#define CROSSWIRE_CONTROL_LIMITS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/config.h"

#define LIMITS_CORES 16 // matching cores, as many as the configuration takes
#define LIMITS_FILE "file"

// In the order in which they are told.
enum rule_kind { RULE_REFERENCE = 1, RULE_GROUP = 2, RULE_POSITION = 3, RULE_LIMIT = 4 };

struct limits_rule {
    uint64_t key; // limits_key
    uint64_t
        value; // a limit's; reference: the price, 0 none; group: its number, 0 none; position: shares, negative: short
    uint64_t more;  // reference: average daily volume, 0 unknown; position: cost, 1/10,000, with the sign of the shares
    uint64_t whole; // of a limit that a core has been told: the venue's, of which `value` is the part
    uint32_t change; // the number of the change that brought it
    uint32_t file;   // limits_file.digest then
    char reg_sho;    // reference: enum reg_sho
    uint8_t tier;    // reference: 1 or 2, 0 unknown
    char by[17], second[17];
};

struct limits_set { // by ascending key
    struct limits_rule *list;
    size_t count, room;
};

// The parts in per cent by matching core, where they are not equal.
struct limits_shares {
    uint8_t scope; // SCOPE_FIRM, SCOPE_ACCOUNT
    uint16_t index;
    uint8_t percent[LIMITS_CORES]; // 100 together
};

// Who is where.
struct limits_venue {
    const struct config *config;       // outlives it
    uint16_t *firm_of;                 // by account: the first account of the same firm, a firm's index
    uint32_t *account_cores;           // by account: matching cores that it has sessions on, a bit each
    uint32_t *firm_cores;              // by a firm's index
    uint32_t *symbol_at[LIMITS_CORES]; // by locate: index among the configuration's symbols
    uint32_t symbols[LIMITS_CORES];    // the highest locate
    struct limits_name {
        const char *name;
        uint32_t index;
    } * symbols_by_name;
};

// false: no memory; limits_venue_free all the same.
bool limits_venue_init(struct limits_venue *venue, const struct config *config);
void limits_venue_free(struct limits_venue *venue);

// `index` is the account, session, or a firm's index; `symbol` that of the configuration: of scopes symbol and
// position, and of all that is no limit. 0 where there is none.
uint64_t limits_key(enum rule_kind kind, enum scope scope, uint16_t index, uint16_t symbol, enum limit limit);

enum rule_kind limits_kind(uint64_t key);
enum scope limits_scope(uint64_t key);
uint16_t limits_index(uint64_t key);
uint16_t limits_symbol(uint64_t key);
enum limit limits_limit(uint64_t key);

struct limits_rule *limits_find(const struct limits_set *set, uint64_t key);

// Adds a rule, or replaces the one of the same key. false: no memory.
bool limits_put(struct limits_set *set, const struct limits_rule *rule);

void limits_remove(struct limits_set *set, uint64_t key);
void limits_clear(struct limits_set *set);

// The matching cores that are told of the rule, a bit each.
uint32_t limits_cores(const struct limits_venue *venue, uint64_t key);

// What core `core`, one of limits_cores(), is told of `rule`. `shares` may be NULL: equal parts. Parts come to the
// whole.
struct limits_rule limits_part(const struct limits_venue *venue, const struct limits_rule *rule,
                               const struct limits_shares *shares, unsigned core);

// Whether two rules of one key say the same. What a reference leaves open says nothing.
bool limits_same(const struct limits_rule *told, const struct limits_rule *wanted);

// Whether going from one rule to another of the same key gives more room; `told` may be NULL: nothing was said yet.
bool limits_loosens(const struct limits_rule *told, const struct limits_rule *wanted);

// The command that tells a core its part.
struct command limits_command(const struct limits_venue *venue, const struct limits_rule *part);

// Takes note of what core `core` is told, in `set`. false: the command is none of these, or speaks of what the
// configuration does not have, or there is no memory.
bool limits_note(struct limits_set *set, const struct limits_venue *venue, unsigned core,
                 const struct command *command);

// "account NORTH", "symbol XWIRE", "position NORTH:XWIRE", "venue".
#define LIMITS_WHOM 48
void limits_whom(const struct limits_venue *venue, uint64_t key, char out[LIMITS_WHOM]);

// The key in the limits file: that of a limit, or what else the rule says.
const char *limits_what(uint64_t key);

// What a rule says, as the limits file has it.
#define LIMITS_TEXT 160
void limits_text(const struct limits_rule *rule, char out[LIMITS_TEXT]);

// Finds whom a name means: the index of a firm, account or session, and a symbol; a position is ACCOUNT:SYMBOL. false:
// the configuration has none such.
bool limits_find_whom(const struct limits_venue *venue, enum scope scope, const char *name, uint16_t *index,
                      uint16_t *symbol);

#endif
