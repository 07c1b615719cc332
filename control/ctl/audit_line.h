// SPDX-License-Identifier: Apache-2.0
// Lines of the audit: what a decision was about, as keys and values of one JSON object.
#ifndef CROSSWIRE_CONTROL_CTL_AUDIT_LINE_H
#define CROSSWIRE_CONTROL_CTL_AUDIT_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/ctl/audit_before.h"
#include "control/ctl/walk.h"

// What a line is read against.
struct audit_view {
    const struct ctl *ctl;
    const struct ctl_walk *walk;
    struct audit_before before;
};

// The key in the limits file, "" for LIMITS.
const char *audit_limit_key(uint64_t limit);

const char *audit_symbol_of(const struct audit_view *view, unsigned core, uint16_t locate);

void audit_put_scope(json_t *line, const struct audit_view *view, unsigned core, enum scope scope, uint16_t index);

// Text of a fixed size, without what pads it.
void audit_put_text(json_t *line, const char *key, const char *text, size_t size);

// LIMIT_UNSET: none.
void audit_put_number(json_t *line, const char *key, uint64_t value);

// A limit's value or use: for people as the limits file has it, for programs the number.
void audit_put_value(json_t *line, const struct audit_view *view, const char *key, uint64_t limit, uint64_t value);

// What the limit's figures are read as. `value`: they are what is set; else what is used, money for some per cent.
uint64_t audit_read_as(uint64_t limit, bool value);

void audit_put_letters(json_t *line, char before, char after);
void audit_put_trade(json_t *line, const char *key, uint32_t quantity, uint32_t price);

// What the record says (audit_record.c); false: it is no decision.
bool audit_put_record(json_t *line, struct audit_view *view, unsigned core, const struct command *c);

#endif
