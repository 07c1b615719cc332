// SPDX-License-Identifier: Apache-2.0
// One line of a listing: named values, printed as `name=value`, as a JSON object or as CSV. What a journal record and
// an event of the engine say is put into rows here, so that every command of xwctl shows them alike.
#ifndef CROSSWIRE_CONTROL_CTL_ROW_H
#define CROSSWIRE_CONTROL_CTL_ROW_H

#include <stdint.h>
#include <stdio.h>

#include "contract/command.h"
#include "contract/event.h"

enum row_column {
#define COLUMN(name) ROW_##name,
#include "control/ctl_columns.def"
#undef COLUMN
#define OUCH_OPTION(tag, name, ...) ROW_OPTION_##name,
#define OUCH_OPTION_OUT(tag, name, ...) ROW_OPTION_##name,
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
    ROW_COLUMNS
};

enum row_format { ROW_TEXT, ROW_JSON, ROW_CSV };

enum { ROW_VALUE_BYTES = 40 };

struct row {
    uint8_t kinds[ROW_COLUMNS]; // 0: no such value
    char values[ROW_COLUMNS][ROW_VALUE_BYTES];
};

// Each sets a value. Texts lose what pads them, and are left out when that is all.
void row_number(struct row *row, enum row_column column, int64_t value);
void row_hash(struct row *row, enum row_column column, uint64_t value, unsigned digits);
void row_price(struct row *row, enum row_column column, uint32_t price);
void row_text(struct row *row, enum row_column column, const char *text, size_t size);
void row_character(struct row *row, enum row_column column, char value);

// A record of the journal, all of it. `users` (may be NULL): the names of all sessions, as ctl_walk gathers them.
void row_of_record(struct row *row, const struct command *record, char (*users)[7]);

// What an event of the engine tells its sessions, on matching core `core`.
void row_of_event(struct row *row, const struct event *event, unsigned core, char (*users)[7]);

// Prints the row and empties it.
void row_print(FILE *out, enum row_format format, struct row *row);

// The line of names that CSV begins with.
void row_print_names(FILE *out);

#endif
