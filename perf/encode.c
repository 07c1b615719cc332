// SPDX-License-Identifier: Apache-2.0
#include "perf/encode.h"

#include <string.h>

#include "client/ouch.h"
#include "contract/assert.h"
#include "contract/wire.h"

// A stream's ids are the UserRefNums, from the session's first; other flows number as they send.
static uint32_t take_ref(struct line *line, const struct flow *flow, uint32_t id)
{
    uint32_t ref = flow->exact ? line->first_ref + id - 1 : line->next_ref;
    if (ref >= line->next_ref)
        line->next_ref = ref + 1;
    return ref;
}

// What makes the order other than plain; NULL when nothing does.
static const struct xw_options *instructions(const struct intent *intent, struct xw_options *options)
{
    options->size = 0;
    switch ((enum intent_type)intent->type) {
    case TYPE_FILL_OR_KILL:
        xw_option_u32(options, TAG_MIN_QTY, intent->quantity);
        break;
    case TYPE_MINIMUM:
        xw_option_u32(options, TAG_MIN_QTY, (intent->quantity + 1) / 2);
        break;
    case TYPE_RESERVE:
        xw_option_u32(options, TAG_MAX_FLOOR, intent->quantity / 5 + 1);
        xw_option_u32(options, TAG_RANDOM_RESERVES, intent->quantity / 10);
        break;
    case TYPE_POST_ONLY:
        xw_option_char(options, TAG_POST_ONLY, 'P');
        break;
    case TYPE_TIMED:
        xw_option_u32(options, TAG_EXPIRE_TIME, 3600);
        break;
    case TYPE_DISCRETION:
        xw_option_u64(options, TAG_DISCRETION_PRICE, intent->detail);
        break;
    case TYPE_AIQ:
        xw_option_char(options, TAG_AIQ_STRATEGY, (char)intent->detail);
        break;
    case TYPE_PRIMARY_PEG:
        xw_option_char(options, TAG_PRICE_TYPE, 'R');
        break;
    case TYPE_MIDPOINT_PEG:
        xw_option_char(options, TAG_PRICE_TYPE, 'M');
        break;
    case TYPE_STOP:
        xw_option_stop_price(options, intent->detail);
        break;
    case TYPE_TRAILING:
        xw_option_trail_amount(options, intent->detail);
        break;
    case TYPE_PLAIN:
    case TYPE_HIDDEN:
    case TYPE_ATTRIBUTED:
    case INTENT_TYPES:
        break;
    }
    return options->size ? options : NULL;
}

static char display_of(const struct intent *intent)
{
    if (intent->type == TYPE_ATTRIBUTED)
        return 'A';
    return intent->type == TYPE_HIDDEN || intent->type == TYPE_MINIMUM ? 'N' : 'Y';
}

// The worst price that the order may trade at.
static uint32_t limit_of(const struct intent *intent)
{
    return intent->type == TYPE_DISCRETION ? intent->detail : intent->price;
}

static void encode_enter(struct line *line, const struct intent *intent, const char *symbol, struct request *request)
{
    struct xw_enter order = {.user_ref = request->ref,
                             .quantity = intent->quantity,
                             .price = intent->price,
                             .symbol = symbol,
                             .side = intent->side,
                             .tif = intent->tif,
                             .display = display_of(intent)};
    struct xw_options options;
    request->size = (uint16_t)xw_ouch_enter(request->message, &order, instructions(intent, &options));
    orders_enter(&line->orders, request->ref, intent->id, intent->side, intent->symbol, limit_of(intent),
                 intent->quantity);
}

static void encode_replace(struct line *line, const struct intent *intent, struct request *request)
{
    const struct order *target = orders_find(&line->orders, request->target);
    // OUCH's quantity is the whole chain's: what has been executed is part of it.
    uint32_t quantity = intent->quantity + (target ? target->executed : 0);
    struct xw_replace order = {.orig_user_ref = request->target,
                               .user_ref = request->ref,
                               .quantity = quantity,
                               .price = intent->price,
                               .tif = intent->tif,
                               .display = display_of(intent)};
    struct xw_options options;
    request->size = (uint16_t)xw_ouch_replace(request->message, &order, instructions(intent, &options));
    orders_enter(&line->orders, request->ref, intent->id, intent->side, intent->symbol, limit_of(intent), quantity);
}

// The type of the one answer that OUCH gives to a request that concerns no single order; 0: none, or unknown.
static char answer_to(uint8_t type)
{
    switch (type) {
    case 'M':
        return 'M';
    case 'C':
        return 'X';
    case 'D':
        return 'G';
    case 'E':
        return 'K';
    case 'Q':
        return 'Q';
    default:
        return 0;
    }
}

// The price in a captured order, or the one that its discretion reaches to.
static uint32_t raw_limit(const uint8_t *raw, size_t size, size_t price_at, size_t options_at)
{
    for (size_t at = options_at + 2; at + 2 <= size && raw[at] != 0; at += 1u + raw[at])
        if (raw[at + 1] == TAG_DISCRETION_PRICE && raw[at] == 9 && at + 10 <= size && get_be64(raw + at + 2) != 0)
            return (uint32_t)get_be64(raw + at + 2);
    return (uint32_t)get_be64(raw + price_at);
}

// A captured message goes out as it is; what it means for the order table is read from its fixed fields.
static void encode_raw(struct line *line, const struct flow *flow, const struct intent *intent, struct request *request)
{
    const uint8_t *raw = flow->raw + intent->raw_offset;
    xw_assert(intent->raw_size <= sizeof request->message);
    memcpy(request->message, raw, intent->raw_size);
    request->size = intent->raw_size;
    request->kind = INTENT_RAW;
    request->expects = answer_to(raw[0]);
    if (raw[0] == 'O' && intent->raw_size >= 47 && get_be32(raw + 1) < line->orders.room) {
        request->kind = INTENT_ENTER;
        request->ref = get_be32(raw + 1);
        orders_enter(&line->orders, request->ref, request->ref, (char)raw[5], 0,
                     raw_limit(raw, intent->raw_size, 18, 45), get_be32(raw + 6));
    } else if (raw[0] == 'U' && intent->raw_size >= 40 && get_be32(raw + 5) < line->orders.room) {
        const struct order *target = orders_find(&line->orders, get_be32(raw + 1));
        request->kind = INTENT_REPLACE;
        request->target = get_be32(raw + 1);
        request->ref = get_be32(raw + 5);
        orders_enter(&line->orders, request->ref, request->ref, target ? target->side : 'B', 0,
                     raw_limit(raw, intent->raw_size, 13, 38), get_be32(raw + 9));
    } else if (raw[0] == 'X' && intent->raw_size >= 9) {
        request->kind = INTENT_CANCEL;
        request->target = get_be32(raw + 1);
    }
}

void encode_intent(struct line *line, const struct flow *flow, const struct intent *intent, uint32_t *ref_of,
                   const char (*symbols)[9], struct request *request)
{
    *request = (struct request){.kind = intent->kind, .times = 1};
    if (intent->kind == INTENT_RAW) {
        encode_raw(line, flow, intent, request);
        return;
    }
    if (intent->target)
        request->target = ref_of[intent->target];
    if (intent->id) {
        request->ref = take_ref(line, flow, intent->id);
        ref_of[intent->id] = request->ref;
    }
    if (intent->kind == INTENT_ENTER)
        encode_enter(line, intent, symbols[intent->symbol], request);
    else if (intent->kind == INTENT_REPLACE)
        encode_replace(line, intent, request);
    else
        request->size = (uint16_t)xw_ouch_cancel(request->message, request->target, 0, NULL);
}
