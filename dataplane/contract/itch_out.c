// SPDX-License-Identifier: Apache-2.0
// ITCH 5.0 of an event's market data flag. Tracking number is 0; a time past 48 bits is cut, as the field is.
#include "contract/itch_out.h"

#include <stdbool.h>
#include <string.h>

#include "contract/command.h"

static void begin(uint8_t *out, char type, const struct event *event)
{
    out[0] = (uint8_t)type;
    put_be16(out + 1, event->locate);
    put_be16(out + 3, 0);
    put_be48(out + 5, event->time_ns);
}

static size_t encode_system(const struct event *event, uint8_t *out)
{
    begin(out, 'S', event);
    put_be16(out + 1, 0); // not about a stock
    out[11] = (uint8_t)event->reason;
    return 12;
}

// What Crosswire does not know of a stock is said with ITCH's "not available" blanks.
static size_t encode_directory(const struct event *event, uint8_t *out)
{
    begin(out, 'R', event);
    memcpy(out + 11, event->symbol, 8);
    memset(out + 19, ' ', 20);
    out[20] = 'N'; // financial status: normal
    put_be32(out + 21, event->lines >= 3 ? event->round_lot : 1);
    out[25] = 'N';         // not round lots only
    out[26] = 'C';         // common stock
    out[27] = 'Z';         // no sub-type
    out[29] = 'P';         // live, not a test stock
    put_be32(out + 34, 0); // no leverage
    out[38] = 'N';         // not inverse
    return 39;
}

static size_t encode_trading_action(const struct event *event, uint8_t *out)
{
    begin(out, 'H', event);
    memcpy(out + 11, event->symbol, 8);
    out[19] = (uint8_t)event->reason;
    out[20] = ' '; // reserved
    memcpy(out + 21, event->action_reason[0] ? event->action_reason : "    ", 4);
    return 25;
}

static size_t encode_bands(const struct event *event, uint8_t *out)
{
    begin(out, 'J', event);
    memcpy(out + 11, event->market_symbol, 8);
    put_be32(out + 19, event->price);
    put_be32(out + 23, event->upper);
    put_be32(out + 27, event->lower);
    put_be32(out + 31, event->extensions);
    return 35;
}

// V, or W when a level has been breached.
static size_t encode_market_wide(const struct event *event, uint8_t *out)
{
    begin(out, event->reason ? 'W' : 'V', event);
    if (event->reason) {
        out[11] = (uint8_t)event->reason;
        return 12;
    }
    for (unsigned i = 0; i < 3; i++)
        put_be64(out + 11 + 8 * (size_t)i, event->levels[i]);
    return 35;
}

static size_t encode_reg_sho(const struct event *event, uint8_t *out)
{
    begin(out, 'Y', event);
    memcpy(out + 11, event->market_symbol, 8);
    out[19] = (uint8_t)event->reason;
    return 20;
}

// A, or F when an attributable order names its firm.
static size_t encode_add(const struct event *event, uint8_t *out)
{
    bool attributed = event->display == 'A' && event->firm[0] != '\0' && event->firm[0] != ' ';
    begin(out, attributed ? 'F' : 'A', event);
    put_be64(out + 11, event->ref);
    out[19] = event->side == 'B' ? 'B' : 'S'; // T and E are sales
    put_be32(out + 20, event->quantity);
    memcpy(out + 24, event->symbol, 8);
    put_be32(out + 32, event->price);
    if (!attributed)
        return 36;
    memcpy(out + 36, event->firm, 4);
    return 40;
}

// E, or C when the order is displayed at another price than it traded at (discretion).
static size_t encode_execute(const struct event *event, uint8_t *out)
{
    begin(out, event->off_price ? 'C' : 'E', event);
    put_be64(out + 11, event->ref);
    put_be32(out + 19, event->quantity);
    put_be64(out + 23, event->match);
    if (!event->off_price)
        return 31;
    out[31] = 'Y';
    put_be32(out + 32, event->price);
    return 36;
}

static size_t encode_hidden_trade(const struct event *event, uint8_t *out)
{
    begin(out, 'P', event);
    put_be64(out + 11, 0); // a hidden order has no reference here
    out[19] = 'B';         // side is not told
    put_be32(out + 20, event->quantity);
    memcpy(out + 24, event->trade_symbol, 8);
    put_be32(out + 32, event->price);
    put_be64(out + 36, event->match);
    return 44;
}

static size_t encode_broken(const struct event *event, uint8_t *out)
{
    begin(out, 'B', event);
    put_be64(out + 11, event->match);
    return 19;
}

static size_t encode_reduce(const struct event *event, uint8_t *out)
{
    begin(out, 'X', event);
    put_be64(out + 11, event->ref);
    put_be32(out + 19, event->quantity);
    return 23;
}

static size_t encode_delete(const struct event *event, uint64_t ref, uint8_t *out)
{
    begin(out, 'D', event);
    put_be64(out + 11, ref);
    return 19;
}

static size_t encode_replace(const struct event *event, uint8_t *out)
{
    begin(out, 'U', event);
    put_be64(out + 11, event->old_ref);
    put_be64(out + 19, event->ref);
    put_be32(out + 27, event->quantity);
    put_be32(out + 31, event->price);
    return 35;
}

static size_t encode_other(const struct event *event, uint8_t *out)
{
    switch ((enum event_type)event->type) {
    case EV_SYSTEM:
        return encode_system(event, out);
    case EV_SYMBOL:
        return encode_directory(event, out);
    case EV_TRADING_ACTION:
        return encode_trading_action(event, out);
    case EV_BAND:
        return encode_bands(event, out);
    case EV_MARKET_WIDE:
        return encode_market_wide(event, out);
    case EV_REG_SHO:
        return encode_reg_sho(event, out);
    case EV_TRADE:
        return encode_hidden_trade(event, out);
    case EV_BROKEN:
        return encode_broken(event, out);
    default:
        return 0; // DAY_OPEN and DAY_END steer the publisher
    }
}

size_t itch_out_encode(const struct event *event, uint8_t *out)
{
    switch (event->flags & EV_MD_ANY) {
    case EV_MD_ADD:
        return encode_add(event, out);
    case EV_MD_EXECUTE:
        return encode_execute(event, out);
    case EV_MD_DELETE:
        return encode_delete(event, event->type == EV_REPLACED ? event->old_ref : event->ref, out);
    case EV_MD_REDUCE:
        return encode_reduce(event, out);
    case EV_MD_REPLACE:
        return encode_replace(event, out);
    case EV_MD_OTHER:
        return encode_other(event, out);
    default:
        return 0;
    }
}
