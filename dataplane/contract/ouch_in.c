// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0 R1.05, client to venue. What the text leaves open and Crosswire chose:
//
// Lengths that do not add up (short or long message, an element that overruns its appendage) make the message
// unreadable: LENGTH. A message whose lengths are right is always a command, however wrong its content, so that the
// engine numbers it.
//
// The first problem in field order is the reason; options come last, in the order sent. Only what no field may ever
// hold is refused here: which values go together, and whether the symbol takes them, is the engine's to say, because
// its reasons have an order of their own. Decoding goes on behind a problem, so that UserRefIdx is known and the reject
// finds its channel.
//
// An unknown tag, a tag that this message may not carry, a tag sent twice (the first stands) and a value of the wrong
// size are OTHER: OUCH has no nearer code. So are bad TIF and capacity.
//
// UserRefNum 0 is not refused here: it is never above the last number processed, so the engine drops it as it drops
// every retransmission.
//
// X and M have no reject in OUCH: `refuse` on them says that they can have no effect.
#include "contract/ouch_in.h"

#include <stdbool.h>
#include <stdint.h>

#include "contract/ouch_options.h"
#include "contract/reject.h"
#include "contract/wire.h"

struct option_rule {
    uint8_t kind; // enum ouch_option_kind, KIND_NONE for a tag that no inbound message carries
    uint8_t size;
    uint8_t field; // offset in struct command
    uint8_t in;    // IN_ bits
    uint8_t refuse;
    uint32_t limit;
    const char *values;
};

static const struct option_rule option_rules[OUCH_TAG_MAX + 1] = {
#define OUCH_OPTION(tag, name, kind, size, command_field, event_field, in, out, values, limit, refuse) \
    [tag] = {KIND_##kind, size, offsetof(struct command, command_field), in, REJECT_##refuse, limit, values},
#define OUCH_OPTION_OUT(tag, name, kind, size, event_field, out)
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
};

// Keeps the first problem found.
static inline void refuse_unless(struct command *command, bool legal, enum reject reason)
{
    if (__builtin_expect(!legal, 0) && command->refuse == REJECT_NONE)
        command->refuse = reason;
}

static inline bool is_side(char c)
{
    return c == 'B' || c == 'S' || c == 'T' || c == 'E';
}

static inline bool is_tif(char c)
{
    return c == '0' || c == '3' || c == '5' || c == '6';
}

static inline bool is_display(char c)
{
    return c == 'Y' || c == 'N' || c == 'A';
}

static inline bool is_capacity(char c)
{
    return c == 'A' || c == 'P' || c == 'R' || c == 'O';
}

static inline bool is_cross(char c)
{
    return c == 'N' || c == 'O' || c == 'C' || c == 'H' || c == 'S' || c == 'R' || c == 'E' || c == 'A';
}

static bool is_printable(const void *text, size_t size)
{
    const uint8_t *byte = text;
    for (size_t i = 0; i < size; i++)
        if (byte[i] < 0x20 || byte[i] > 0x7E)
            return false;
    return true;
}

static bool is_one_of(char c, const char *values)
{
    for (; *values != '\0'; values++)
        if (*values == c)
            return true;
    return false;
}

static inline void read_price(struct command *command, const uint8_t *at)
{
    uint64_t wire = get_be64(at);
    command->price = wire < PRICE_INVALID ? (uint32_t)wire : PRICE_INVALID;
    bool legal = (wire >= 1 && wire <= PRICE_MAX) || wire == PRICE_MARKET || wire == PRICE_MARKET_CROSS;
    refuse_unless(command, legal, REJECT_PRICE);
}

static inline void read_quantity(struct command *command, const uint8_t *at)
{
    command->quantity = get_be32(at);
    refuse_unless(command, command->quantity - 1 < QUANTITY_MAX, REJECT_QUANTITY);
}

static void read_firm(struct command *command, const uint8_t *at)
{
    memcpy(command->firm, at, sizeof command->firm);
    refuse_unless(command, is_printable(at, sizeof command->firm), REJECT_FIRM);
}

// One value of the right size into its field; says whether it is legal.
static bool store_option(struct command *command, const struct option_rule *rule, const uint8_t *value)
{
    char *field = (char *)command + rule->field;
    uint64_t number;
    uint32_t word;
    uint16_t half;
    switch ((enum ouch_option_kind)rule->kind) {
    case KIND_CHAR:
        *field = (char)*value;
        return is_one_of((char)*value, rule->values);
    case KIND_ALPHA:
        memcpy(field, value, rule->size);
        return is_printable(value, rule->size);
    case KIND_U8:
        *field = (char)*value;
        return true;
    case KIND_U16:
        half = get_be16(value);
        memcpy(field, &half, sizeof half);
        return half <= rule->limit;
    case KIND_U32:
        word = get_be32(value);
        memcpy(field, &word, sizeof word);
        return word <= rule->limit;
    case KIND_PRICE:
        number = get_be64(value);
        word = number < PRICE_INVALID ? (uint32_t)number : PRICE_INVALID;
        memcpy(field, &word, sizeof word);
        return number <= rule->limit;
    case KIND_U64:
    case KIND_NONE:
        break;
    }
    return false;
}

static void read_option(struct command *command, unsigned carrier, uint8_t tag, const uint8_t *value, size_t size)
{
    unsigned row = ouch_tag_of_wire(tag);
    const struct option_rule *rule = &option_rules[row];
    if ((rule->in & carrier) == 0 || size != rule->size || (command->options & OPTION(row)) != 0) {
        refuse_unless(command, false, REJECT_OTHER);
        return;
    }
    command->options |= OPTION(row);
    refuse_unless(command, store_option(command, rule, value), (enum reject)rule->refuse);
    if (row == TAG_EXPIRE_TIME)
        refuse_unless(command, command->expire_s != 0, REJECT_OTHER);
}

// Reads {2 length, elements} that must fill the message from `at` to `end`. False: it does not add up.
static bool read_appendage(struct command *command, unsigned carrier, const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2 || get_be16(at) != end - at - 2)
        return false;
    for (at += 2; at < end; at += 1 + *at) {
        if (*at == 0 || *at >= end - at)
            return false;
        read_option(command, carrier, at[1], at + 2, *at - 1u);
    }
    return true;
}

static enum ouch_in_result decode_enter(const uint8_t *m, size_t size, struct command *command)
{
    if (size < 47)
        return OUCH_IN_LENGTH;
    command->type = CMD_ENTER;
    command->user_ref = get_be32(m + 1);
    command->side = (char)m[5];
    refuse_unless(command, is_side(command->side), REJECT_SIDE);
    read_quantity(command, m + 6);
    memcpy(command->symbol, m + 10, sizeof command->symbol);
    refuse_unless(command, m[10] != ' ' && is_printable(m + 10, 8), REJECT_SYMBOL);
    read_price(command, m + 18);
    command->tif = (char)m[26];
    refuse_unless(command, is_tif(command->tif) || command->tif == 'E', REJECT_OTHER);
    command->display = (char)m[27];
    refuse_unless(command, is_display(command->display), REJECT_DISPLAY);
    command->capacity = (char)m[28];
    refuse_unless(command, is_capacity(command->capacity), REJECT_OTHER);
    command->iso = (char)m[29];
    refuse_unless(command, command->iso == 'Y' || command->iso == 'N', REJECT_ISO);
    command->cross = (char)m[30];
    refuse_unless(command, is_cross(command->cross), REJECT_CROSS_ORDER);
    memcpy(command->cl_ord_id, m + 31, sizeof command->cl_ord_id);
    if (!read_appendage(command, IN_O, m + 45, m + size))
        return OUCH_IN_LENGTH;
    return OUCH_IN_OK;
}

static enum ouch_in_result decode_replace(const uint8_t *m, size_t size, struct command *command)
{
    if (size < 40)
        return OUCH_IN_LENGTH;
    command->type = CMD_REPLACE;
    command->orig_user_ref = get_be32(m + 1);
    command->user_ref = get_be32(m + 5);
    read_quantity(command, m + 9);
    read_price(command, m + 13);
    command->tif = (char)m[21];
    refuse_unless(command, is_tif(command->tif), REJECT_OTHER);
    command->display = (char)m[22];
    refuse_unless(command, is_display(command->display), REJECT_DISPLAY);
    command->iso = (char)m[23];
    refuse_unless(command, command->iso == 'Y' || command->iso == 'N', REJECT_ISO);
    memcpy(command->cl_ord_id, m + 24, sizeof command->cl_ord_id);
    if (!read_appendage(command, IN_U, m + 38, m + size))
        return OUCH_IN_LENGTH;
    return OUCH_IN_OK;
}

static enum ouch_in_result decode_cancel(const uint8_t *m, size_t size, struct command *command)
{
    if (size < 9)
        return OUCH_IN_LENGTH;
    command->type = CMD_CANCEL;
    command->user_ref = get_be32(m + 1);
    command->quantity = get_be32(m + 5);
    return size == 9 || read_appendage(command, IN_X, m + 9, m + size) ? OUCH_IN_OK : OUCH_IN_LENGTH;
}

static enum ouch_in_result decode_modify(const uint8_t *m, size_t size, struct command *command)
{
    if (size < 10)
        return OUCH_IN_LENGTH;
    command->type = CMD_MODIFY;
    command->user_ref = get_be32(m + 1);
    command->side = (char)m[5];
    refuse_unless(command, is_side(command->side), REJECT_SIDE);
    command->quantity = get_be32(m + 6);
    return size == 10 || read_appendage(command, IN_M, m + 10, m + size) ? OUCH_IN_OK : OUCH_IN_LENGTH;
}

static enum ouch_in_result decode_mass_cancel(const uint8_t *m, size_t size, struct command *command)
{
    if (size < 19)
        return OUCH_IN_LENGTH;
    command->type = CMD_MASS_CANCEL;
    command->user_ref = get_be32(m + 1);
    read_firm(command, m + 5);
    memcpy(command->symbol, m + 9, sizeof command->symbol);
    refuse_unless(command, is_printable(m + 9, sizeof command->symbol), REJECT_SYMBOL);
    return read_appendage(command, IN_C, m + 17, m + size) ? OUCH_IN_OK : OUCH_IN_LENGTH;
}

static enum ouch_in_result decode_gate(const uint8_t *m, size_t size, struct command *command, unsigned carrier)
{
    if (size < 11)
        return OUCH_IN_LENGTH;
    command->type = carrier == IN_D ? CMD_DISABLE : CMD_ENABLE;
    command->user_ref = get_be32(m + 1);
    read_firm(command, m + 5);
    return read_appendage(command, carrier, m + 9, m + size) ? OUCH_IN_OK : OUCH_IN_LENGTH;
}

static enum ouch_in_result decode_query(const uint8_t *m, size_t size, struct command *command)
{
    command->type = CMD_QUERY;
    return size == 1 || read_appendage(command, IN_Q, m + 1, m + size) ? OUCH_IN_OK : OUCH_IN_LENGTH;
}

// In two pieces: of one, GCC makes a string instruction, which takes longer than to decode a short message.
static inline void clear_payload(struct command *command)
{
    memset(command->payload, 0, 64);
    memset(command->payload + 64, 0, sizeof command->payload - 64);
}

enum ouch_in_result ouch_in_decode(const uint8_t *message, size_t size, struct command *command)
{
    command->type = CMD_NONE;
    command->refuse = REJECT_NONE;
    command->user_ref = 0;
    command->user_ref_idx = command->zero = 0;
    memset(command->aiq_group, 0, sizeof command->aiq_group);
    clear_payload(command);
    if (size == 0)
        return OUCH_IN_LENGTH;
    switch (message[0]) {
    case 'O':
        return decode_enter(message, size, command);
    case 'U':
        return decode_replace(message, size, command);
    case 'X':
        return decode_cancel(message, size, command);
    case 'M':
        return decode_modify(message, size, command);
    case 'C':
        return decode_mass_cancel(message, size, command);
    case 'D':
        return decode_gate(message, size, command, IN_D);
    case 'E':
        return decode_gate(message, size, command, IN_EN);
    case 'Q':
        return decode_query(message, size, command);
    default:
        return OUCH_IN_TYPE;
    }
}
