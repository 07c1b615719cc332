// SPDX-License-Identifier: Apache-2.0
// xwctl trade and xwctl phase: what an operator may change, through control's socket. See control/operator/operator.h.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/command.h"
#include "contract/config_text.h"
#include "contract/log.h"
#include "control/ctl/ask.h"

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text ? text : "";
}

static json_int_t number_of(const json_t *root, const char *key)
{
    return json_integer_value(json_object_get(root, key));
}

static void print_party(const char *role, const json_t *party)
{
    printf("  %s %s, UserRefNum %" JSON_INTEGER_FORMAT, role, text_of(party, "user"), number_of(party, "user_ref"));
    if (number_of(party, "user_ref_idx"))
        printf(" of channel %" JSON_INTEGER_FORMAT, number_of(party, "user_ref_idx"));
    printf(", side %s, ClOrdID %s\n", text_of(party, "side"), text_of(party, "cl_ord_id"));
}

static void print_trade(const struct ctl *ctl, const json_t *root)
{
    if (ctl->json) {
        json_dumpf(root, stdout, JSON_COMPACT);
        putchar('\n');
        return;
    }
    json_int_t price = number_of(root, "price"), second = number_of(root, "time_ns") / 1000000000;
    printf("match %" JSON_INTEGER_FORMAT ": %s, %" JSON_INTEGER_FORMAT " at %u.%04u, %02u:%02u:%02u",
           number_of(root, "match"), text_of(root, "symbol"), number_of(root, "quantity"), (unsigned)(price / 10000),
           (unsigned)(price % 10000), (unsigned)(second / 3600), (unsigned)(second / 60 % 60), (unsigned)(second % 60));
    if (json_is_true(json_object_get(root, "broken")))
        printf(", broken (%s)", text_of(root, "reason"));
    if (number_of(root, "new_match"))
        printf(", adjusted: match %" JSON_INTEGER_FORMAT, number_of(root, "new_match"));
    putchar('\n');
    print_party("taker", json_object_get(root, "taker"));
    print_party("maker", json_object_get(root, "maker"));
}

static json_int_t read_number(const char *what, const char *text, json_int_t most)
{
    char *end;
    errno = 0;
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!text || !isdigit((unsigned char)text[0]) || *end || errno || number < 1 || number > most)
        fail_with(EX_USAGE, "%s is %s: give a number from 1 to %" JSON_INTEGER_FORMAT, what, text ? text : "missing",
                  most);
    return number;
}

static const char *need(const char *value, const char *option)
{
    if (!value)
        fail_with(EX_USAGE, "%s is missing", option);
    return value;
}

int ctl_trade(const struct ctl *ctl, int argc, char **argv)
{
    json_t *request = NULL;
    if (argc != 2)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG trade show|break|adjust MATCH [--reason E|C|S|X] [--price P "
                            "--quantity Q] [--by NAME]");
    json_int_t match = read_number("MATCH", argv[1], INT64_MAX);
    if (strcmp(argv[0], "show") == 0) {
        request = json_pack("{s:s, s:I}", "ask", "trade_show", "match", match);
    } else if (strcmp(argv[0], "break") == 0) {
        request = json_pack("{s:s, s:I, s:s, s:s}", "ask", "trade_break", "match", match, "reason",
                            need(ctl->reason, "--reason E|C|S|X"), "by", need(ctl->by, "--by NAME"));
    } else if (strcmp(argv[0], "adjust") == 0) {
        uint32_t price;
        if (!parse_price(need(ctl->price, "--price P"), &price))
            fail_with(EX_USAGE, "--price is %s: give a decimal with at most 4 places, up to 199999.99", ctl->price);
        request = json_pack("{s:s, s:I, s:I, s:I, s:s}", "ask", "trade_adjust", "match", match, "price",
                            (json_int_t)price, "quantity", read_number("--quantity", ctl->quantity, QUANTITY_MAX), "by",
                            need(ctl->by, "--by NAME"));
    } else {
        fail_with(EX_USAGE, "trade %s: say show, break or adjust", argv[0]);
    }
    json_t *answer = ctl_ask(ctl, "control", request);
    print_trade(ctl, answer);
    json_decref(answer);
    return EX_OK;
}

int ctl_phase(const struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *name, *letter;
    } phases[] = {{"pre", "P"}, {"regular", "R"}, {"after", "A"}, {"closed", "X"}, {"ended", "E"}};
    unsigned i = 0;
    while (i < 5 && (argc != 1 || strcmp(argv[0], phases[i].name) != 0))
        i++;
    if (i == 5)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG phase pre|regular|after|closed|ended --by NAME");
    json_t *answer = ctl_ask(
        ctl, "control",
        json_pack("{s:s, s:s, s:s}", "ask", "phase", "phase", phases[i].letter, "by", need(ctl->by, "--by NAME")));
    if (ctl->json) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        printf("phase %s\n", phases[i].name);
    }
    json_decref(answer);
    return EX_OK;
}
