// SPDX-License-Identifier: Apache-2.0
#include "client/ouch.h"

#include <string.h>

#include "contract/assert.h"
#include "contract/reject.h"
#include "contract/wire.h"

// ---- requests ----

// Text to a field of `size`, padded with spaces; NULL is blank.
static void put_text(uint8_t *to, const char *text, size_t size)
{
    size_t length = text == NULL ? 0 : strnlen(text, size);
    if (length > 0)
        memcpy(to, text, length);
    memset(to + length, ' ', size - length);
}

static uint8_t or_usual(char given, char usual)
{
    return (uint8_t)(given != '\0' ? given : usual);
}

void xw_option_raw(struct xw_options *options, uint8_t tag, const void *value, size_t size)
{
    xw_assert(size < 255 && options->size + 2 + size <= XW_OPTIONS_MAX);
    uint8_t *at = options->bytes + options->size;
    at[0] = (uint8_t)(size + 1);
    at[1] = tag;
    if (size > 0)
        memcpy(at + 2, value, size);
    options->size = (uint16_t)(options->size + 2 + size);
}

void xw_option_char(struct xw_options *options, uint8_t tag, char value)
{
    xw_option_raw(options, tag, &value, 1);
}

void xw_option_u8(struct xw_options *options, uint8_t tag, uint8_t value)
{
    xw_option_raw(options, tag, &value, 1);
}

void xw_option_u16(struct xw_options *options, uint8_t tag, uint16_t value)
{
    uint8_t wire[2];
    put_be16(wire, value);
    xw_option_raw(options, tag, wire, sizeof wire);
}

void xw_option_u32(struct xw_options *options, uint8_t tag, uint32_t value)
{
    uint8_t wire[4];
    put_be32(wire, value);
    xw_option_raw(options, tag, wire, sizeof wire);
}

void xw_option_u64(struct xw_options *options, uint8_t tag, uint64_t value)
{
    uint8_t wire[8];
    put_be64(wire, value);
    xw_option_raw(options, tag, wire, sizeof wire);
}

void xw_option_text(struct xw_options *options, uint8_t tag, const char *text, size_t width)
{
    uint8_t wire[32];
    xw_assert(width <= sizeof wire);
    put_text(wire, text, width);
    xw_option_raw(options, tag, wire, width);
}

void xw_option_stop_price(struct xw_options *options, uint64_t price)
{
    xw_option_u64(options, WIRE_TAG_STOP_PRICE, price);
}

void xw_option_trail_amount(struct xw_options *options, uint64_t amount)
{
    xw_option_u64(options, WIRE_TAG_TRAIL_AMOUNT, amount);
}

// Ends a message of `size` with an appendage that is always there.
static size_t end_with_options(uint8_t *out, size_t size, const struct xw_options *options)
{
    uint16_t length = options == NULL ? 0 : options->size;
    put_be16(out + size, length);
    if (length > 0)
        memcpy(out + size + 2, options->bytes, length);
    return size + 2 + length;
}

size_t xw_ouch_enter(uint8_t *out, const struct xw_enter *order, const struct xw_options *options)
{
    out[0] = 'O';
    put_be32(out + 1, order->user_ref);
    out[5] = or_usual(order->side, 'B');
    put_be32(out + 6, order->quantity);
    put_text(out + 10, order->symbol, 8);
    put_be64(out + 18, order->price);
    out[26] = or_usual(order->tif, '0');
    out[27] = or_usual(order->display, 'Y');
    out[28] = or_usual(order->capacity, 'P');
    out[29] = or_usual(order->iso, 'N');
    out[30] = or_usual(order->cross, 'N');
    put_text(out + 31, order->cl_ord_id, 14);
    return end_with_options(out, 45, options);
}

size_t xw_ouch_replace(uint8_t *out, const struct xw_replace *order, const struct xw_options *options)
{
    out[0] = 'U';
    put_be32(out + 1, order->orig_user_ref);
    put_be32(out + 5, order->user_ref);
    put_be32(out + 9, order->quantity);
    put_be64(out + 13, order->price);
    out[21] = or_usual(order->tif, '0');
    out[22] = or_usual(order->display, 'Y');
    out[23] = or_usual(order->iso, 'N');
    put_text(out + 24, order->cl_ord_id, 14);
    return end_with_options(out, 38, options);
}

size_t xw_ouch_cancel(uint8_t *out, uint32_t user_ref, uint32_t quantity, const struct xw_options *options)
{
    out[0] = 'X';
    put_be32(out + 1, user_ref);
    put_be32(out + 5, quantity);
    return options == NULL ? 9 : end_with_options(out, 9, options);
}

size_t xw_ouch_modify(uint8_t *out, uint32_t user_ref, char side, uint32_t quantity, const struct xw_options *options)
{
    out[0] = 'M';
    put_be32(out + 1, user_ref);
    out[5] = (uint8_t)side;
    put_be32(out + 6, quantity);
    return options == NULL ? 10 : end_with_options(out, 10, options);
}

size_t xw_ouch_mass_cancel(uint8_t *out, uint32_t user_ref, const char *firm, const char *symbol,
                           const struct xw_options *options)
{
    out[0] = 'C';
    put_be32(out + 1, user_ref);
    put_text(out + 5, firm, 4);
    put_text(out + 9, symbol, 8);
    return end_with_options(out, 17, options);
}

static size_t gate(uint8_t *out, char type, uint32_t user_ref, const char *firm, const struct xw_options *options)
{
    out[0] = (uint8_t)type;
    put_be32(out + 1, user_ref);
    put_text(out + 5, firm, 4);
    return end_with_options(out, 9, options);
}

size_t xw_ouch_disable(uint8_t *out, uint32_t user_ref, const char *firm, const struct xw_options *options)
{
    return gate(out, 'D', user_ref, firm, options);
}

size_t xw_ouch_enable(uint8_t *out, uint32_t user_ref, const char *firm, const struct xw_options *options)
{
    return gate(out, 'E', user_ref, firm, options);
}

size_t xw_ouch_query(uint8_t *out, const struct xw_options *options)
{
    out[0] = 'Q';
    return options == NULL ? 1 : end_with_options(out, 1, options);
}

// ---- answers ----

// Text of a field to a string without its trailing spaces.
static void get_text(char *to, const uint8_t *from, size_t size)
{
    while (size > 0 && from[size - 1] == ' ')
        size--;
    memcpy(to, from, size);
    to[size] = '\0';
}

enum appendage { NEVER, ALWAYS, OPTIONAL };

// Size without the appendage, 0 for a type that the venue does not send.
static size_t fixed_size(char type, enum appendage *appendage)
{
    *appendage = OPTIONAL;
    switch (type) {
    case 'S':
        *appendage = NEVER;
        return 10;
    case 'A':
        *appendage = ALWAYS;
        return 62;
    case 'U':
        *appendage = ALWAYS;
        return 66;
    case 'E':
        *appendage = ALWAYS;
        return 34;
    case 'R':
        *appendage = ALWAYS;
        return 14;
    case 'X':
        *appendage = ALWAYS;
        return 25;
    case 'G':
    case 'K':
        *appendage = ALWAYS;
        return 17;
    case 'C':
    case 'M':
        return 18;
    case 'D':
        return 32;
    case 'B':
        return 36;
    case 'J':
        return 29;
    case 'P':
    case 'I':
    case 'Q':
        return 13;
    case 'T':
        return 30;
    default:
        return 0;
    }
}

static bool options_add_up(const uint8_t *at, size_t left)
{
    while (left > 0) {
        size_t element = 1u + at[0];
        if (at[0] == 0 || element > left)
            return false;
        at += element;
        left -= element;
    }
    return true;
}

// Finds and checks the appendage behind the first `fixed` bytes.
static bool take_options(const uint8_t *message, size_t size, size_t fixed, enum appendage appendage,
                         struct xw_ouch *out)
{
    if (size == fixed)
        return appendage != ALWAYS;
    if (appendage == NEVER || size < fixed + 2 || get_be16(message + fixed) != size - fixed - 2)
        return false;
    out->options = message + fixed + 2;
    out->options_size = (uint16_t)(size - fixed - 2);
    if (!options_add_up(out->options, out->options_size))
        return false;
    size_t value_size;
    const uint8_t *channel = xw_ouch_option(out, TAG_USER_REF_IDX, &value_size);
    if (channel != NULL && value_size == 1)
        out->user_ref_idx = *channel;
    return true;
}

// The number in an option of 4 or 8 bytes; 0 when there is none.
static uint64_t option_number(const struct xw_ouch *message, uint8_t tag, size_t width)
{
    size_t size;
    const uint8_t *value = xw_ouch_option(message, tag, &size);
    if (value == NULL || size != width)
        return 0;
    return width == 8 ? get_be64(value) : get_be32(value);
}

// A from offset 13, U from 17: the same fields.
static void read_order(const uint8_t *m, struct xw_ouch *out)
{
    out->side = (char)m[0];
    out->quantity = get_be32(m + 1);
    get_text(out->symbol, m + 5, 8);
    out->price = get_be64(m + 13);
    out->tif = (char)m[21];
    out->display = (char)m[22];
    out->order_ref = get_be64(m + 23);
    out->capacity = (char)m[31];
    out->iso = (char)m[32];
    out->cross = (char)m[33];
    out->state = (char)m[34];
    get_text(out->cl_ord_id, m + 35, 14);
    out->stop_price = option_number(out, WIRE_TAG_STOP_PRICE, 8);
    out->trail_amount = option_number(out, WIRE_TAG_TRAIL_AMOUNT, 8);
}

static void read_aiq_canceled(const uint8_t *m, struct xw_ouch *out)
{
    out->quantity = get_be32(m + 13);
    out->reason = (char)m[17];
    out->prevented = get_be32(m + 18);
    out->price = get_be64(m + 22);
    out->liquidity = (char)m[30];
    out->aiq_strategy = (char)m[31];
}

static void read_fields(const uint8_t *m, struct xw_ouch *out)
{
    switch (out->type) {
    case 'A':
        read_order(m + 13, out);
        break;
    case 'U':
        out->orig_user_ref = get_be32(m + 9);
        out->user_ref = get_be32(m + 13);
        read_order(m + 17, out);
        break;
    case 'C':
        out->quantity = get_be32(m + 13);
        out->reason = (char)m[17];
        break;
    case 'D':
        read_aiq_canceled(m, out);
        break;
    case 'E':
        out->quantity = get_be32(m + 13);
        out->price = get_be64(m + 17);
        out->liquidity = (char)m[25];
        out->match = get_be64(m + 26);
        break;
    case 'B':
        out->match = get_be64(m + 13);
        out->reason = (char)m[21];
        get_text(out->cl_ord_id, m + 22, 14);
        break;
    case 'J':
        out->reject = get_be16(m + 13);
        get_text(out->cl_ord_id, m + 15, 14);
        break;
    case 'T':
        out->price = get_be64(m + 13);
        out->display = (char)m[21];
        out->order_ref = get_be64(m + 22);
        break;
    case 'M':
        out->side = (char)m[13];
        out->quantity = get_be32(m + 14);
        break;
    case 'R':
        out->reason = (char)m[13];
        out->order_ref = option_number(out, TAG_SECONDARY_REF, 8);
        out->display_quantity = option_number(out, TAG_DISPLAY_QUANTITY, 4);
        break;
    case 'X':
        get_text(out->symbol, m + 17, 8);
        get_text(out->firm, m + 13, 4);
        break;
    case 'G':
    case 'K':
        get_text(out->firm, m + 13, 4);
        break;
    default:
        break; // P, I, Q: nothing but the number
    }
}

bool xw_ouch_decode(const uint8_t *message, size_t size, struct xw_ouch *out)
{
    memset(out, 0, sizeof *out);
    if (size < 10)
        return false;
    out->type = (char)message[0];
    enum appendage appendage;
    size_t fixed = fixed_size(out->type, &appendage);
    if (fixed == 0 || size < fixed || !take_options(message, size, fixed, appendage, out))
        return false;
    out->time_ns = get_be64(message + 1);
    if (out->type == 'S') {
        out->reason = (char)message[9];
        return true;
    }
    out->user_ref = get_be32(message + 9);
    read_fields(message, out);
    return true;
}

const uint8_t *xw_ouch_option(const struct xw_ouch *message, uint8_t tag, size_t *size)
{
    const uint8_t *at = message->options;
    for (size_t left = message->options_size; left > 1; left -= 1u + at[0], at += 1u + at[0]) {
        if (at[1] != tag)
            continue;
        if (size != NULL)
            *size = at[0] - 1u;
        return at + 2;
    }
    return NULL;
}

const char *xw_ouch_reject_text(uint16_t code)
{
    return code <= UINT8_MAX ? reject_text((uint8_t)code) : "unknown";
}
