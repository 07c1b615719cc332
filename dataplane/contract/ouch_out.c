// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0 R1.05, venue to client. Reads only the cache lines that the event says it has: what lies behind is stale.
#include "contract/ouch_out.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "contract/command.h"
#include "contract/ouch_options.h"
#include "contract/wire.h"

struct option_rule {
    uint8_t kind; // enum ouch_option_kind
    uint8_t size;
    uint8_t field; // offset in struct event
};

static const struct option_rule option_rules[OUCH_TAG_MAX + 1] = {
#define OUCH_OPTION(tag, name, kind, size, command_field, event_field, in, out, values, limit, refuse) \
    [tag] = {KIND_##kind, size, offsetof(struct event, event_field)},
#define OUCH_OPTION_OUT(tag, name, kind, size, event_field, out) \
    [tag] = {KIND_##kind, size, offsetof(struct event, event_field)},
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
};

// The tags that a message may carry, UserRefIdx aside: it follows a rule of its own.
enum {
#define OUCH_OPTION(tag, name, kind, size, command_field, event_field, in, out, values, limit, refuse) \
    OUCH_OPTION_OUT(tag, name, kind, size, event_field, out)
#define OUCH_OPTION_OUT(tag, name, kind, size, event_field, out) | ((out)&ECHO && (tag) != 28 ? 1u << (tag) : 0u)
#define ECHO OUT_A
    TAGS_A = 0
#include "contract/ouch_options.def"
    ,
#undef ECHO
#define ECHO OUT_U
    TAGS_U = 0
#include "contract/ouch_options.def"
    ,
#undef ECHO
#define ECHO OUT_M
    TAGS_M = 0
#include "contract/ouch_options.def"
    ,
#undef ECHO
#define ECHO OUT_R
    TAGS_R = 0
#include "contract/ouch_options.def"
    ,
#undef ECHO
#define ECHO OUT_X
    TAGS_X = 0
#include "contract/ouch_options.def"
    ,
#undef ECHO
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
};

// Where the message grows.
struct writer {
    uint8_t *at;
};

static inline void write_char(struct writer *w, char c)
{
    *w->at++ = c == '\0' ? ' ' : (uint8_t)c;
}

// Text as it came from the client; a field that nobody filled goes out as spaces.
static inline void write_text(struct writer *w, const char *text, size_t size)
{
    bool empty = true;
    for (size_t i = 0; i < size; i++)
        empty &= text[i] == '\0';
    if (empty)
        memset(w->at, ' ', size);
    else
        memcpy(w->at, text, size);
    w->at += size;
}

static inline void write_u32(struct writer *w, uint32_t value)
{
    put_be32(w->at, value);
    w->at += 4;
}

static inline void write_u64(struct writer *w, uint64_t value)
{
    put_be64(w->at, value);
    w->at += 8;
}

static inline struct writer begin(uint8_t *out, char type, const struct event *event)
{
    out[0] = (uint8_t)type;
    put_be64(out + 1, event->time_ns);
    return (struct writer){out + 9};
}

static void write_value(struct writer *w, const struct option_rule *rule, const void *field)
{
    uint16_t half;
    uint32_t word;
    uint64_t number;
    switch ((enum ouch_option_kind)rule->kind) {
    case KIND_CHAR:
        write_char(w, *(const char *)field);
        break;
    case KIND_ALPHA:
        write_text(w, field, rule->size);
        break;
    case KIND_U8:
        *w->at++ = *(const uint8_t *)field;
        break;
    case KIND_U16:
        memcpy(&half, field, sizeof half);
        put_be16(w->at, half);
        w->at += 2;
        break;
    case KIND_U32:
        memcpy(&word, field, sizeof word);
        write_u32(w, word);
        break;
    case KIND_PRICE:
        memcpy(&word, field, sizeof word);
        write_u64(w, word);
        break;
    case KIND_U64:
        memcpy(&number, field, sizeof number);
        write_u64(w, number);
        break;
    case KIND_NONE:
        break;
    }
}

static inline void write_option(struct writer *w, const struct event *event, unsigned tag)
{
    const struct option_rule *rule = &option_rules[tag];
    *w->at++ = (uint8_t)(rule->size + 1);
    *w->at++ = ouch_tag_to_wire(tag);
    write_value(w, rule, (const char *)event + rule->field);
}

// The appendage of a message that always has one: `tags` of what the event echoes, in the order of the table, and the
// channel.
static size_t end_with_options(struct writer *w, const uint8_t *out, const struct event *event, uint32_t tags)
{
    uint8_t *length = w->at;
    w->at += 2;
    uint32_t options = event->lines >= 2 ? event->options & tags : 0;
    if (event->lines < 3)
        options &= ~EVENT_THIRD_LINE_TAGS;
    if (event->user_ref_idx != 0)
        options |= OPTION(TAG_USER_REF_IDX);
    for (; options != 0; options &= options - 1)
        write_option(w, event, (unsigned)__builtin_ctz(options));
    put_be16(length, (uint16_t)(w->at - length - 2));
    return (size_t)(w->at - out);
}

static inline void write_channel(struct writer *w, uint8_t user_ref_idx)
{
    put_be16(w->at, 3);
    w->at[2] = 2;
    w->at[3] = TAG_USER_REF_IDX;
    w->at[4] = user_ref_idx;
    w->at += 5;
}

// The end of a message whose appendage is there only to name a channel other than 0.
static size_t end_with_channel(struct writer *w, const uint8_t *out, const struct event *event, uint32_t tags)
{
    if (event->user_ref_idx != 0)
        return end_with_options(w, out, event, tags);
    return (size_t)(w->at - out);
}

// What Accepted and Replaced say of an order, behind its numbers.
static inline void write_terms(struct writer *w, const struct event *event)
{
    write_char(w, event->side);
    write_u32(w, event->quantity);
    write_text(w, event->symbol, sizeof event->symbol);
    write_u64(w, event->price);
    write_char(w, event->tif);
    write_char(w, event->display);
    write_u64(w, event->ref);
    write_char(w, event->capacity);
    write_char(w, event->iso);
    write_char(w, event->cross);
    write_char(w, 'L'); // what is accepted is live
    write_text(w, event->cl_ord_id, sizeof event->cl_ord_id);
}

static size_t encode_accepted(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'A', event);
    write_u32(&w, event->user_ref);
    write_terms(&w, event);
    return end_with_options(&w, out, event, TAGS_A);
}

static size_t encode_replaced(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'U', event);
    write_u32(&w, event->other_user_ref);
    write_u32(&w, event->user_ref);
    write_terms(&w, event);
    return end_with_options(&w, out, event, TAGS_U);
}

static size_t encode_canceled(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'C', event);
    write_u32(&w, event->user_ref);
    write_u32(&w, event->quantity);
    write_char(&w, event->reason);
    return end_with_channel(&w, out, event, 0);
}

static size_t encode_aiq_canceled(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'D', event);
    write_u32(&w, event->user_ref);
    write_u32(&w, event->quantity);
    write_char(&w, event->reason);
    write_u32(&w, event->lines >= 3 ? event->prevented_qty : 0);
    write_u64(&w, event->price);
    write_char(&w, event->taker_liquidity);
    write_char(&w, event->aiq_strategy);
    return end_with_channel(&w, out, event, 0);
}

static size_t encode_executed(const struct event *event, enum ouch_party party, uint8_t *out)
{
    bool taker = party == OUCH_TAKER;
    uint8_t channel = taker ? event->user_ref_idx : event->other_user_ref_idx;
    struct writer w = begin(out, 'E', event);
    write_u32(&w, taker ? event->user_ref : event->other_user_ref);
    write_u32(&w, event->quantity);
    write_u64(&w, event->price);
    write_char(&w, taker ? event->taker_liquidity : event->maker_liquidity);
    write_u64(&w, event->match);
    if (channel != 0) {
        write_channel(&w, channel);
    } else {
        put_be16(w.at, 0);
        w.at += 2;
    }
    return (size_t)(w.at - out);
}

static size_t encode_broken(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'B', event);
    write_u32(&w, event->user_ref);
    write_u64(&w, event->match);
    write_char(&w, event->reason);
    write_text(&w, event->broken_cl_ord_id, sizeof event->broken_cl_ord_id);
    return end_with_channel(&w, out, event, 0);
}

static size_t encode_rejected(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'J', event);
    write_u32(&w, event->user_ref);
    put_be16(w.at, (uint8_t)event->reason);
    w.at += 2;
    write_text(&w, event->cl_ord_id, sizeof event->cl_ord_id);
    return end_with_channel(&w, out, event, 0);
}

// P, I and Q: a number and nothing else.
static size_t encode_number(const struct event *event, char type, uint8_t *out)
{
    struct writer w = begin(out, type, event);
    write_u32(&w, event->user_ref);
    return end_with_channel(&w, out, event, 0);
}

static size_t encode_priority(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'T', event);
    write_u32(&w, event->user_ref);
    write_u64(&w, event->price);
    write_char(&w, event->display);
    write_u64(&w, event->ref);
    return end_with_channel(&w, out, event, 0);
}

static size_t encode_modified(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'M', event);
    write_u32(&w, event->user_ref);
    write_char(&w, event->side);
    write_u32(&w, event->quantity);
    return end_with_channel(&w, out, event, TAGS_M);
}

static size_t encode_restated(const struct event *event, uint8_t *out)
{
    struct writer w = begin(out, 'R', event);
    write_u32(&w, event->user_ref);
    write_char(&w, event->reason);
    return end_with_options(&w, out, event, TAGS_R);
}

// G and K, and the start of X.
static struct writer encode_firm(const struct event *event, char type, uint8_t *out)
{
    struct writer w = begin(out, type, event);
    write_u32(&w, event->user_ref);
    write_text(&w, event->firm, sizeof event->firm);
    return w;
}

static size_t encode_mass_cancel(const struct event *event, uint8_t *out)
{
    struct writer w = encode_firm(event, 'X', out);
    write_text(&w, event->symbol, sizeof event->symbol);
    return end_with_options(&w, out, event, TAGS_X);
}

static size_t encode_gate(const struct event *event, char type, uint8_t *out)
{
    struct writer w = encode_firm(event, type, out);
    return end_with_options(&w, out, event, 0);
}

static size_t encode_system(const struct event *event, uint8_t *out)
{
    if ((event->flags & EV_MD_ANY) != 0)
        return 0;
    struct writer w = begin(out, 'S', event);
    write_char(&w, event->reason);
    return (size_t)(w.at - out);
}

size_t ouch_out_encode(const struct event *event, enum ouch_party party, uint8_t *out)
{
    switch ((enum event_type)event->type) {
    case EV_ACCEPTED:
        return encode_accepted(event, out);
    case EV_TRADE:
        return encode_executed(event, party, out);
    case EV_CANCELED:
        return encode_canceled(event, out);
    case EV_REPLACED:
        return encode_replaced(event, out);
    case EV_REJECTED:
        return encode_rejected(event, out);
    case EV_MODIFIED:
        return encode_modified(event, out);
    case EV_RESTATED:
        return encode_restated(event, out);
    case EV_PRIORITY:
        return encode_priority(event, out);
    case EV_AIQ_CANCELED:
        return encode_aiq_canceled(event, out);
    case EV_BROKEN:
        return encode_broken(event, out);
    case EV_CANCEL_PENDING:
        return encode_number(event, 'P', out);
    case EV_CANCEL_REJECT:
        return encode_number(event, 'I', out);
    case EV_MASS_CANCEL:
        return encode_mass_cancel(event, out);
    case EV_DISABLED:
        return encode_gate(event, 'G', out);
    case EV_ENABLED:
        return encode_gate(event, 'K', out);
    case EV_QUERY:
        return encode_number(event, 'Q', out);
    case EV_SYSTEM:
        return encode_system(event, out);
    case EV_NONE:
    case EV_BOOK_ADD:
    case EV_SYMBOL:
    case EV_TRADING_ACTION:
    case EV_DAY_OPEN:
    case EV_BAND:
    case EV_MARKET_WIDE:
    case EV_REG_SHO:
    case EV_ALERT:
    case EV_DAY_END:
    case EV_RESTORE_STREAM:
    case EV_RESTORE_MESSAGES:
    case EV_RESTORE_NOTHING:
        break;
    }
    return 0;
}
