// SPDX-License-Identifier: Apache-2.0
#include "engine/unsupported.h"

#include <stddef.h>

#include "contract/reject.h"

// A replace has no CrossType field: it stays in the continuous market.
static bool cross_retail(const struct command *c)
{
    return c->type == CMD_ENTER && c->cross == 'R';
}

static bool cross_other(const struct command *c)
{
    return c->type == CMD_ENTER && c->cross != 'N' && c->cross != 'R';
}

static bool market_maker_peg(const struct command *c)
{
    return c->price_type == 'Q';
}

static bool always(const struct command *c)
{
    (void)c;
    return true;
}

static bool handle_retail(const struct command *c)
{
    return c->handle_inst == 'O' || c->handle_inst == 'T' || c->handle_inst == 'Q';
}

static bool handle_cross(const struct command *c)
{
    return c->handle_inst != ' ';
}

// In the order of precedence.
const struct unsupported unsupported_table[] = {
    {"CrossType R (retail)", REJECT_RETAIL, 0, cross_retail},
    {"CrossType O C H S E A", REJECT_CROSS_ORDER, 0, cross_other},
    {"HandleInst O T Q (retail)", REJECT_RETAIL, TAG_HANDLE_INST, handle_retail},
    {"HandleInst I B D R", REJECT_CROSS_ORDER, TAG_HANDLE_INST, handle_cross},
    {"Route", REJECT_ROUTING, TAG_ROUTE, always},
    {"PriceType Q (market maker peg)", REJECT_PEG_TYPE, TAG_PRICE_TYPE, market_maker_peg},
    {NULL, 0, 0, NULL},
};

uint8_t unsupported_reason(const struct command *command)
{
    for (const struct unsupported *entry = unsupported_table; entry->name; entry++)
        if ((entry->tag == 0 || command->options & OPTION(entry->tag)) && entry->asked(command))
            return entry->reason;
    return REJECT_NONE;
}
