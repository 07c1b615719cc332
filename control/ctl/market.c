// SPDX-License-Identifier: Apache-2.0
// xwctl halt, pause, resume, reference, reg-sho, bands, breach: the market's state. See control/operator/market.c.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/config_text.h"
#include "contract/log.h"
#include "contract/risk.h"
#include "control/ctl/ask.h"

static const char *need_by(const struct ctl *ctl)
{
    if (!ctl->by)
        fail_with(EX_USAGE, "--by NAME is missing");
    return ctl->by;
}

static int ask_and_say(const struct ctl *ctl, json_t *request, const char *said)
{
    json_t *answer = ctl_ask(ctl, "control", request);
    if (ctl->json)
        json_dumpf(answer, stdout, JSON_COMPACT);
    else
        fputs(said, stdout);
    putchar('\n');
    json_decref(answer);
    return EX_OK;
}

static int ask_state(const struct ctl *ctl, int argc, char **argv, const char *state, const char *said)
{
    if (argc != 1)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG halt|pause|resume SYMBOL|all [--reason CODE] --by NAME");
    bool resumes = state[0] == 'T';
    if (!ctl->reason && !resumes)
        fail_with(EX_USAGE, "--reason CODE is missing: an ITCH code, as T1 (news pending) or H11 (regulatory)");
    json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "ask", "halt", "state", state, "reason",
                                ctl->reason ? ctl->reason : "", "by", need_by(ctl));
    const bool all = strcasecmp(argv[0], "all") == 0;
    if (!all)
        json_object_set_new(request, "symbol", json_string(argv[0]));
    char line[64];
    snprintf(line, sizeof line, "%s: %s", all ? "all symbols" : argv[0], said);
    return ask_and_say(ctl, request, line);
}

int ctl_halt(const struct ctl *ctl, int argc, char **argv)
{
    return ask_state(ctl, argc, argv, "H", "halted");
}

int ctl_pause(const struct ctl *ctl, int argc, char **argv)
{
    return ask_state(ctl, argc, argv, "P", "paused");
}

int ctl_resume(const struct ctl *ctl, int argc, char **argv)
{
    return ask_state(ctl, argc, argv, "T", "trading");
}

static json_int_t read_shares(const char *text)
{
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || errno || number < 1 || number > (long long)LIMIT_MOST_QUANTITY)
        fail_with(EX_USAGE, "--adv is %s: give the average daily volume, 1 to 1000000000000 shares", text);
    return number;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static void print_symbol(const json_t *row)
{
    const json_int_t price = json_integer_value(json_object_get(row, "reference"));
    const json_int_t adv = json_integer_value(json_object_get(row, "adv"));
    char reference[32] = "-", volume[32] = "-";
    if (price)
        snprintf(reference, sizeof reference, "%u.%04u", (unsigned)(price / 10000), (unsigned)(price % 10000));
    if (adv)
        snprintf(volume, sizeof volume, "%" JSON_INTEGER_FORMAT, adv);
    printf("%-8s %14s %16s %-10s %4" JSON_INTEGER_FORMAT "  %s\n", text_of(row, "symbol"), reference, volume,
           text_of(row, "reg_sho"), json_integer_value(json_object_get(row, "tier")), text_of(row, "by"));
}

// What is in force, of one symbol or of all.
static int list_references(const struct ctl *ctl, const char *symbol)
{
    json_t *answer = ctl_ask(ctl, "control", json_pack("{s:s}", "ask", "references")), *rows, *row;
    size_t i, found = 0;
    rows = json_object_get(answer, "symbols");
    for (i = json_array_size(rows); symbol && i-- > 0;)
        if (strcmp(text_of(json_array_get(rows, i), "symbol"), symbol) != 0)
            json_array_remove(rows, i);
    found = json_array_size(rows);
    if (symbol && !found)
        fail_with(EX_NOINPUT, "the symbol %s is none of this instance: see its configuration, `symbols`", symbol);
    if (ctl->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(answer);
        return EX_OK;
    }
    printf("%-8s %14s %16s %-10s %4s  %s\n", "symbol", "reference", "adv", "reg sho", "tier", "by");
    json_array_foreach(rows, i, row)
    {
        print_symbol(row);
    }
    json_array_foreach(symbol ? NULL : json_object_get(answer, "capital"), i, row)
    {
        printf("%s %s: capital %s, by %s\n", text_of(row, "scope"), text_of(row, "name"), text_of(row, "capital"),
               text_of(row, "by"));
    }
    json_decref(answer);
    return EX_OK;
}

int ctl_reference(const struct ctl *ctl, int argc, char **argv)
{
    uint32_t price;
    if (argc > 1)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG reference [SYMBOL] [--price P] [--adv SHARES] [--by NAME]");
    if (argc == 0 || (!ctl->price && !ctl->adv))
        return list_references(ctl, argc ? argv[0] : NULL);
    json_t *request = json_pack("{s:s, s:s, s:s}", "ask", "reference", "symbol", argv[0], "by", need_by(ctl));
    if (ctl->price && !parse_price(ctl->price, &price))
        fail_with(EX_USAGE, "--price is %s: give a decimal with at most 4 places, up to 199999.99", ctl->price);
    if (ctl->price)
        json_object_set_new(request, "price", json_integer((json_int_t)price));
    if (ctl->adv)
        json_object_set_new(request, "adv", json_integer(read_shares(ctl->adv)));
    return ask_and_say(ctl, request, "reference set");
}

int ctl_reg_sho(const struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *name, *letter;
    } states[] = {{"none", "0"}, {"intraday", "1"}, {"remains", "2"}};
    unsigned i = 0;
    while (i < 3 && (argc != 2 || strcmp(argv[1], states[i].name) != 0))
        i++;
    if (i == 3)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG reg-sho SYMBOL none|intraday|remains --by NAME");
    return ask_and_say(ctl,
                       json_pack("{s:s, s:s, s:s, s:s}", "ask", "reference", "symbol", argv[0], "reg_sho",
                                 states[i].letter, "by", need_by(ctl)),
                       "short-sale state set");
}

int ctl_bands(const struct ctl *ctl, int argc, char **argv)
{
    uint32_t parts = 0;
    if (argc != 2)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG bands SYMBOL PERCENT|off --by NAME");
    if (strcmp(argv[1], "off") != 0 && (!parse_price(argv[1], &parts) || parts > 1000000))
        fail_with(EX_USAGE, "the bands are %s: give a percentage from 0.0001 to 100, or off", argv[1]);
    return ask_and_say(ctl,
                       json_pack("{s:s, s:s, s:I, s:s}", "ask", "bands", "symbol", argv[0], "parts", (json_int_t)parts,
                                 "by", need_by(ctl)),
                       "bands set");
}

int ctl_breach(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 1 || strlen(argv[0]) != 1 || argv[0][0] < '1' || argv[0][0] > '3')
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG breach 1|2|3 --by NAME");
    return ask_and_say(
        ctl, json_pack("{s:s, s:I, s:s}", "ask", "breach", "level", (json_int_t)(argv[0][0] - '0'), "by", need_by(ctl)),
        "declared");
}
