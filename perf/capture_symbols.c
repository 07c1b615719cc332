// SPDX-License-Identifier: Apache-2.0
#include "perf/capture_symbols.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENTER_SIZE 47 // of an Enter Order message, without appendage
#define ENTER_SYMBOL 10
#define NAMES_SHOWN 8

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

static int by_orders(const void *a, const void *b)
{
    const struct symbol_count *one = a, *other = b;
    if (one->orders != other->orders)
        return one->orders < other->orders ? 1 : -1;
    return strcmp(one->name, other->name);
}

static bool is_enter(const struct flow *flow, const struct intent *intent)
{
    return intent->kind == INTENT_RAW && intent->raw_size >= ENTER_SIZE && flow->raw[intent->raw_offset] == 'O';
}

static void name_from(char name[9], const char *wire)
{
    memcpy(name, wire, 8);
    name[8] = '\0';
    for (int i = 7; i >= 0 && name[i] == ' '; i--)
        name[i] = '\0';
}

int capture_symbols_count(struct symbol_counts *counts, const struct flow *flow)
{
    size_t orders = 0;
    *counts = (struct symbol_counts){.count = 0};
    char(*wire)[8] = calloc(flow->count + 1, sizeof *wire);
    if (!wire)
        return -1;
    for (uint64_t i = 0; i < flow->count; i++) {
        if (is_enter(flow, &flow->intents[i]))
            memcpy(wire[orders++], flow->raw + flow->intents[i].raw_offset + ENTER_SYMBOL, sizeof *wire);
    }
    qsort(wire, orders, sizeof *wire, by_name);
    size_t names = 0;
    for (size_t i = 0; i < orders; i++)
        names += i == 0 || by_name(wire[i], wire[i - 1]) != 0;
    counts->list = calloc(names + 1, sizeof *counts->list);
    for (size_t i = 0; counts->list && i < orders; i++) {
        if (i == 0 || by_name(wire[i], wire[i - 1]) != 0)
            name_from(counts->list[counts->count++].name, wire[i]);
        counts->list[counts->count - 1].orders++;
    }
    free(wire);
    if (!counts->list)
        return -1;
    qsort(counts->list, counts->count, sizeof *counts->list, by_orders);
    return 0;
}

void capture_symbols_free(struct symbol_counts *counts)
{
    free(counts->list);
    *counts = (struct symbol_counts){.count = 0};
}

static bool is_plain(const char *name)
{
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr(".-_", *at))
            return false;
    return *name != '\0';
}

void capture_symbols_print(const struct symbol_counts *counts, FILE *out)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < counts->count; i++) {
        if (is_plain(counts->list[i].name))
            fprintf(out, "%s %" PRIu64 "\n", counts->list[i].name, counts->list[i].orders);
        else
            left += counts->list[i].orders;
    }
    if (left)
        fprintf(stderr, "xwreplay: %" PRIu64 " orders name a symbol that no configuration can hold\n", left);
}

static bool is_known(const char *name, const char (*known)[9], unsigned known_count)
{
    for (unsigned i = 0; i < known_count; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

uint64_t capture_symbols_unknown(const struct symbol_counts *counts, const char (*known)[9], unsigned known_count,
                                 FILE *out)
{
    uint64_t all = 0, unknown = 0;
    uint32_t names = 0;
    for (uint32_t i = 0; i < counts->count; i++) {
        all += counts->list[i].orders;
        if (is_known(counts->list[i].name, known, known_count))
            continue;
        unknown += counts->list[i].orders;
        names++;
    }
    if (unknown == 0)
        return 0;
    fprintf(out, "%" PRIu64 " of %" PRIu64 " orders are for %u symbols that this run does not list, and are rejected:",
            unknown, all, names);
    for (uint32_t i = 0, shown = 0; i < counts->count && shown < NAMES_SHOWN; i++) {
        const struct symbol_count *symbol = &counts->list[i];
        if (is_known(symbol->name, known, known_count) || !is_plain(symbol->name))
            continue;
        fprintf(out, "%s %s (%" PRIu64 ")", shown++ ? "," : "", symbol->name, symbol->orders);
    }
    fprintf(out, "%s\n", names > NAMES_SHOWN ? ", .." : "");
    return unknown;
}
