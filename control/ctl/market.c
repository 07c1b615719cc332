// SPDX-License-Identifier: Apache-2.0
// xwctl halt, pause, resume, reference, reg-sho, bands, breach: the market's state. See control/operator/market.c.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/config_text.h"
#include "contract/log.h"
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
    if (strcmp(argv[0], "all") != 0)
        json_object_set_new(request, "symbol", json_string(argv[0]));
    return ask_and_say(ctl, request, said);
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

int ctl_reference(const struct ctl *ctl, int argc, char **argv)
{
    uint32_t price;
    if (argc != 1 || !ctl->price)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG reference SYMBOL --price P --by NAME");
    if (!parse_price(ctl->price, &price))
        fail_with(EX_USAGE, "--price is %s: give a decimal with at most 4 places, up to 199999.99", ctl->price);
    return ask_and_say(ctl,
                       json_pack("{s:s, s:s, s:I, s:s}", "ask", "reference", "symbol", argv[0], "price",
                                 (json_int_t)price, "by", need_by(ctl)),
                       "reference set");
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
