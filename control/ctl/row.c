// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/row.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contract/log.h"

enum { KIND_NONE, KIND_NUMBER, KIND_TEXT, KIND_TIME };

// As printed; those of options are in capitals here.
static const char *const column_names[] = {
#define COLUMN(name) [ROW_##name] = #name,
#include "control/ctl_columns.def"
#undef COLUMN
#define OUCH_OPTION(tag, name, ...) [ROW_OPTION_##name] = #name,
#define OUCH_OPTION_OUT(tag, name, ...) [ROW_OPTION_##name] = #name,
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
};

static const char *name_of(unsigned column, char name[32])
{
    size_t i = 0;
    for (; i < 31 && column_names[column][i]; i++)
        name[i] = (char)tolower((unsigned char)column_names[column][i]);
    name[i] = '\0';
    return name;
}

void row_number(struct row *row, enum row_column column, int64_t value)
{
    row->kinds[column] = column == ROW_time ? KIND_TIME : KIND_NUMBER;
    snprintf(row->values[column], ROW_VALUE_BYTES, "%" PRId64, value);
}

void row_hash(struct row *row, enum row_column column, uint64_t value, unsigned digits)
{
    row->kinds[column] = KIND_TEXT;
    snprintf(row->values[column], ROW_VALUE_BYTES, "%0*" PRIx64, (int)digits, value);
}

void row_price(struct row *row, enum row_column column, uint32_t price)
{
    row->kinds[column] = KIND_TEXT;
    snprintf(row->values[column], ROW_VALUE_BYTES, "%u.%04u", price / 10000, price % 10000);
}

void row_text(struct row *row, enum row_column column, const char *text, size_t size)
{
    size_t length = strnlen(text, size < ROW_VALUE_BYTES - 1 ? size : ROW_VALUE_BYTES - 1);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length == 0)
        return;
    row->kinds[column] = KIND_TEXT;
    memcpy(row->values[column], text, length);
    row->values[column][length] = '\0';
}

void row_character(struct row *row, enum row_column column, char value)
{
    row_text(row, column, &value, 1);
}

// ---- printing -------------------------------------------------------------------------------------------------------

static void print_time(FILE *out, const char *value)
{
    uint64_t time_ns = strtoull(value, NULL, 10), s = time_ns / 1000000000u;
    fprintf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64, s / 3600, s / 60 % 60, s % 60,
            time_ns % 1000000000u);
}

static void print_text(FILE *out, const struct row *row)
{
    char name[32];
    for (unsigned i = 0, some = 0; i < ROW_COLUMNS; i++) {
        if (row->kinds[i] == KIND_NONE)
            continue;
        if (some++)
            putc(' ', out);
        if (i > ROW_type)
            fprintf(out, "%s=", name_of(i, name));
        if (row->kinds[i] == KIND_TIME)
            print_time(out, row->values[i]);
        else
            for (const char *at = row->values[i]; *at; at++)
                putc(*at == ' ' ? '_' : isgraph((unsigned char)*at) ? *at : '?', out);
    }
}

static void print_json(FILE *out, const struct row *row)
{
    char name[32];
    for (unsigned i = 0, some = 0; i < ROW_COLUMNS; i++) {
        if (row->kinds[i] == KIND_NONE)
            continue;
        fprintf(out, "%c\"%s%s\":%s", some++ ? ',' : '{', name_of(i, name), i == ROW_time ? "_ns" : "",
                row->kinds[i] == KIND_TEXT ? log_quote(row->values[i]) : row->values[i]);
    }
    putc('}', out);
}

// A value as RFC 4180 has it.
static void print_quoted(FILE *out, const char *value)
{
    if (!strpbrk(value, ",\"\r\n")) {
        fputs(value, out);
        return;
    }
    putc('"', out);
    for (; *value; value++) {
        if (*value == '"')
            putc('"', out);
        putc(*value, out);
    }
    putc('"', out);
}

static void print_csv(FILE *out, const struct row *row)
{
    for (unsigned i = 0; i < ROW_COLUMNS; i++) {
        if (i)
            putc(',', out);
        if (row->kinds[i] != KIND_NONE)
            print_quoted(out, row->values[i]);
    }
}

void row_print(FILE *out, enum row_format format, struct row *row)
{
    static void (*const printers[])(FILE *, const struct row *) = {print_text, print_json, print_csv};
    printers[format](out, row);
    putc('\n', out);
    memset(row->kinds, KIND_NONE, sizeof row->kinds);
}

void row_print_names(FILE *out)
{
    char name[32];
    for (unsigned i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, "%s%s%s", i ? "," : "", name_of(i, name), i == ROW_time ? "_ns" : "");
    putc('\n', out);
}
