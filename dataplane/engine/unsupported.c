// SPDX-License-Identifier: Apache-2.0
#include "engine/unsupported.h"

#include <stddef.h>

#include "contract/reject.h"

static bool tif_other(const struct command *c)
{
    return c->tif != '0' && c->tif != '3';
}

static bool display_hidden(const struct command *c)
{
    return c->display == 'N';
}

// Also whatever is no Display at all.
static bool display_attributable(const struct command *c)
{
    return c->display != 'Y' && c->display != 'N';
}

static bool iso(const struct command *c)
{
    return c->iso == 'Y';
}

// A replace has no CrossType field: it stays in the continuous market.
static bool cross_retail(const struct command *c)
{
    return c->type == CMD_ENTER && c->cross == 'R';
}

static bool cross_other(const struct command *c)
{
    return c->type == CMD_ENTER && c->cross != 'N' && c->cross != 'R';
}

static bool min_quantity(const struct command *c)
{
    return c->min_qty != 0;
}

static bool max_floor(const struct command *c)
{
    return c->max_floor != 0;
}

static bool price_type(const struct command *c)
{
    return c->price_type != 'L';
}

static bool peg_offset(const struct command *c)
{
    return c->peg_offset != 0;
}

static bool discretion_price(const struct command *c)
{
    return c->discretion_price != 0;
}

static bool discretion_peg(const struct command *c)
{
    return c->discretion_price_type != 'L';
}

static bool discretion_offset(const struct command *c)
{
    return c->discretion_peg_offset != 0;
}

static bool post_only(const struct command *c)
{
    return c->post_only != 'N';
}

static bool random_reserves(const struct command *c)
{
    return c->random_reserves != 0;
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

static bool aiq(const struct command *c)
{
    return c->aiq_strategy != 'N' && c->aiq_strategy != '*';
}

// In the order of precedence. '*' asks for the port's default strategy, which is off.
const struct unsupported unsupported_table[] = {
    {"TIF 5 6 E", REJECT_OTHER, 0, tif_other},
    {"Display N (hidden)", REJECT_DISPLAY, 0, display_hidden},
    {"Display A (attributable)", REJECT_DISPLAY, 0, display_attributable},
    {"ISO Y", REJECT_ISO, 0, iso},
    {"CrossType R (retail)", REJECT_RETAIL, 0, cross_retail},
    {"CrossType O C H S E A", REJECT_CROSS_ORDER, 0, cross_other},
    {"MinQty", REJECT_MIN_QUANTITY, TAG_MIN_QTY, min_quantity},
    {"MaxFloor", REJECT_MAX_FLOOR, TAG_MAX_FLOOR, max_floor},
    {"PriceType P M R Q m", REJECT_PEGGING, TAG_PRICE_TYPE, price_type},
    {"PegOffset", REJECT_PEGGING, TAG_PEG_OFFSET, peg_offset},
    {"DiscretionPrice", REJECT_OTHER, TAG_DISCRETION_PRICE, discretion_price},
    {"DiscretionPriceType P M R", REJECT_PEGGING, TAG_DISCRETION_PRICE_TYPE, discretion_peg},
    {"DiscretionPegOffset", REJECT_PEGGING, TAG_DISCRETION_PEG_OFFSET, discretion_offset},
    {"PostOnly P", REJECT_OTHER, TAG_POST_ONLY, post_only},
    {"RandomReserves", REJECT_MAX_FLOOR, TAG_RANDOM_RESERVES, random_reserves},
    {"Route", REJECT_ROUTING, TAG_ROUTE, always},
    {"ExpireTime", REJECT_OTHER, TAG_EXPIRE_TIME, always},
    {"HandleInst O T Q (retail)", REJECT_RETAIL, TAG_HANDLE_INST, handle_retail},
    {"HandleInst I B D", REJECT_CROSS_ORDER, TAG_HANDLE_INST, handle_cross},
    {"AIQ strategies", REJECT_AIQ, TAG_AIQ_STRATEGY, aiq},
    {NULL, 0, 0, NULL},
};

uint8_t unsupported_reason(const struct command *command)
{
    for (const struct unsupported *entry = unsupported_table; entry->name; entry++)
        if ((entry->tag == 0 || command->options & OPTION(entry->tag)) && entry->asked(command))
            return entry->reason;
    return REJECT_NONE;
}
