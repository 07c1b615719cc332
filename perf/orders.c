// SPDX-License-Identifier: Apache-2.0
#include "perf/orders.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ouch.h"
#include "contract/assert.h"

#define VIOLATIONS_SHOWN 10

int orders_init(struct orders *orders, uint32_t room, uint32_t outstanding)
{
    uint32_t ring = 1024;
    while (ring < 2 * outstanding)
        ring *= 2;
    orders->room = room;
    orders->mask = ring - 1;
    orders->table = calloc(room, sizeof *orders->table);
    orders->requests = calloc(ring, sizeof *orders->requests);
    return orders->table && orders->requests ? 0 : -1;
}

void orders_free(struct orders *orders)
{
    free(orders->table);
    free(orders->requests);
}

static struct request *request_at(struct orders *orders, uint64_t position)
{
    return &orders->requests[position & orders->mask];
}

__attribute__((format(printf, 2, 3))) static void violation(struct orders *orders, const char *format, ...)
{
    va_list arguments;
    if (orders->counts.violations++ >= VIOLATIONS_SHOWN)
        return;
    va_start(arguments, format);
    fprintf(stderr, "xwreplay: %s: ", orders->user);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

bool orders_ready(const struct orders *orders)
{
    return orders->next - orders->settled < orders->mask;
}

struct order *orders_find(struct orders *orders, uint32_t ref)
{
    return ref < orders->room && orders->table[ref].state != ORDER_NONE ? &orders->table[ref] : NULL;
}

void orders_enter(struct orders *orders, uint32_t ref, uint32_t id, char side, uint16_t symbol, uint32_t price,
                  uint32_t quantity)
{
    xw_assert(ref > 0 && ref < orders->room);
    orders->table[ref] =
        (struct order){.id = id, .open = quantity, .price = price, .symbol = symbol, .state = ORDER_SENT, .side = side};
}

// ---- settling -------------------------------------------------------------------------------------------------------

static void settle(struct orders *orders, struct request *request, enum request_state state)
{
    if (request->state != REQUEST_OUTSTANDING)
        return;
    request->state = (uint8_t)state;
    orders->outstanding--;
    struct order *target = orders_find(orders, request->target);
    if (target && target->asked)
        target->asked--;
    // The order that a replace would have made never came to be.
    struct order *made = orders_find(orders, request->ref);
    if (made && made->state == ORDER_SENT && state == REQUEST_SILENT) {
        made->state = ORDER_DEAD;
        made->open = 0;
    }
    if (state == REQUEST_SILENT) {
        orders->counts.silent++;
    } else if (state == REQUEST_LOST && request->expects != 'Q') {
        orders->counts.lost++;
        if (orders->hooks.lost)
            orders->hooks.lost(orders->hooks.context, request);
    }
}

static bool silent_by_rule(struct orders *orders, const struct request *request)
{
    if (request->kind == INTENT_RAW) // a modify that changes nothing, or what OUCH does not know
        return request->expects == 'M' || request->expects == 0;
    if (request->kind == INTENT_ENTER)
        return false;
    struct order *target = orders_find(orders, request->target);
    return !target || target->state == ORDER_DEAD;
}

// The venue has taken everything before `position`: what is still outstanding there will get no answer any more.
static void settle_before(struct orders *orders, uint64_t position)
{
    for (; orders->settled < position; orders->settled++) {
        struct request *request = request_at(orders, orders->settled);
        if (request->state == REQUEST_OUTSTANDING)
            settle(orders, request, silent_by_rule(orders, request) ? REQUEST_SILENT : REQUEST_LOST);
    }
}

static void answered(struct orders *orders, uint64_t position, enum answer_type type, uint64_t now_ns)
{
    struct request *request = request_at(orders, position);
    // What was sent again may be answered because it had arrived the first time: that tells nothing of what was sent
    // between.
    bool again = request->times > 1 && request->expects != 'Q';
    if (!again)
        settle_before(orders, position);
    settle(orders, request, REQUEST_ANSWERED);
    if (orders->latency && request->times == 1 && now_ns > request->due_ns)
        histogram_record(&orders->latency[type], now_ns - request->due_ns);
}

static void die(struct orders *orders, struct order *order, uint32_t ref)
{
    order->state = ORDER_DEAD;
    for (uint64_t at = orders->settled; order->asked && at < orders->next; at++) {
        struct request *request = request_at(orders, at);
        if (request->target == ref && request->state == REQUEST_OUTSTANDING)
            settle(orders, request, REQUEST_SILENT);
    }
}

void orders_sent(struct orders *orders, const struct request *request, bool again)
{
    xw_assert(orders_ready(orders));
    struct request *kept = request_at(orders, orders->next);
    *kept = *request;
    kept->state = REQUEST_OUTSTANDING;
    orders->outstanding++;
    if (!again && !(request->kind == INTENT_RAW && request->expects == 'Q'))
        orders->counts.sent++;
    struct order *made = orders_find(orders, request->ref);
    if (made)
        made->request = orders->next;
    struct order *target = orders_find(orders, request->target);
    if (target)
        target->asked++;
    orders->next++;
    // Dead stays dead, so the silence is certain already now.
    if (target && target->state == ORDER_DEAD)
        settle(orders, kept, REQUEST_SILENT);
}

// ---- what the venue says --------------------------------------------------------------------------------------------

// The position of the outstanding request that made this order; false when there is none.
static bool asked_for(struct orders *orders, const struct order *order, uint32_t ref, uint64_t *position)
{
    if (order->request < orders->settled || order->request >= orders->next)
        return false;
    const struct request *request = request_at(orders, order->request);
    *position = order->request;
    return request->ref == ref && request->state == REQUEST_OUTSTANDING;
}

// Settled as lost, to be sent again, and only overtaken: it has arrived after all.
static bool believed_lost(const struct order *order)
{
    return order && order->state == ORDER_SENT;
}

static void take_accepted(struct orders *orders, const struct xw_ouch *message, uint64_t now_ns)
{
    struct order *order = orders_find(orders, message->user_ref);
    uint64_t position;
    bool asked = order && asked_for(orders, order, message->user_ref, &position);
    if (!asked && !believed_lost(order)) {
        violation(orders, "accepted order %u that was not asked for", message->user_ref);
        return;
    }
    if (message->quantity != order->open || message->side != order->side)
        violation(orders, "order %u accepted as %c %u, sent as %c %u", message->user_ref, message->side,
                  message->quantity, order->side, order->open);
    orders->counts.accepted++;
    orders->highest = message->user_ref;
    order->state = ORDER_LIVE;
    order->open = message->quantity;
    if (asked)
        answered(orders, position, ANSWER_ACCEPTED, now_ns);
    if (message->state == 'D') {
        order->open = 0;
        die(orders, order, message->user_ref);
    }
}

static void take_replaced(struct orders *orders, const struct xw_ouch *message, uint64_t now_ns)
{
    struct order *order = orders_find(orders, message->user_ref);
    struct order *old = orders_find(orders, message->orig_user_ref);
    uint64_t position;
    bool asked = order && asked_for(orders, order, message->user_ref, &position);
    if (!old || (!asked && !believed_lost(order))) {
        violation(orders, "replaced %u by %u, which was not asked for", message->orig_user_ref, message->user_ref);
        return;
    }
    // What was asked for is the whole chain's quantity; what has been executed of it is known exactly at this point.
    if (order->open < old->executed || message->quantity != order->open - old->executed)
        violation(orders, "replacement %u exposes %u, but %u of %u were executed before", message->user_ref,
                  message->quantity, old->executed, order->open);
    orders->counts.accepted++;
    orders->highest = message->user_ref;
    order->state = ORDER_LIVE;
    order->open = message->quantity;
    order->executed = old->executed;
    if (asked)
        answered(orders, position, ANSWER_REPLACED, now_ns);
    old->open = 0;
    die(orders, old, message->orig_user_ref);
    if (message->state == 'D') {
        order->open = 0;
        die(orders, order, message->user_ref);
    }
}

// A cancel by the user answers the oldest request that asked for it.
static void answer_cancel(struct orders *orders, uint32_t ref, uint64_t now_ns)
{
    for (uint64_t at = orders->settled; at < orders->next; at++) {
        struct request *request = request_at(orders, at);
        if (request->target != ref || request->state != REQUEST_OUTSTANDING)
            continue;
        struct order *made = orders_find(orders, request->ref);
        uint32_t made_ref = request->ref;
        if (request->kind == INTENT_CANCEL)
            orders->counts.accepted++;
        else
            orders->counts.rejected++; // a replace whose new order could not be: it only canceled
        answered(orders, at, ANSWER_CANCELED, now_ns);
        if (made) { // so OUCH is silent on what was asked of the new order since
            made->open = 0;
            die(orders, made, made_ref);
        }
        return;
    }
}

static void take_canceled(struct orders *orders, const struct xw_ouch *message, uint64_t now_ns)
{
    struct order *order = orders_find(orders, message->user_ref);
    if (message->user_ref < orders->first_ref)
        return;
    if (!order || order->state != ORDER_LIVE || message->quantity > order->open) {
        violation(orders, "canceled %u of order %u, which has %u open", message->quantity, message->user_ref,
                  order ? order->open : 0);
        return;
    }
    order->open -= message->quantity;
    if (message->reason == 'Q') // a decrement without details counts as executed; any other prevention ends the chain
        order->executed += message->quantity;
    if (order->asked && message->reason == 'U')
        answer_cancel(orders, message->user_ref, now_ns);
    if (order->open == 0)
        die(orders, order, message->user_ref);
}

static void take_executed(struct orders *orders, const struct xw_ouch *message)
{
    struct order *order = orders_find(orders, message->user_ref);
    if (message->user_ref < orders->first_ref)
        return;
    if (!order || order->state != ORDER_LIVE || message->quantity > order->open || message->quantity == 0) {
        violation(orders, "executed %u of order %u, which has %u open", message->quantity, message->user_ref,
                  order ? order->open : 0);
        return;
    }
    bool market = order->price >= PRICE_MARKET;
    if (!market && (order->side == 'B' ? message->price > order->price : message->price < order->price))
        violation(orders, "order %u executed beyond its limit", message->user_ref);
    order->open -= message->quantity;
    order->executed += message->quantity;
    if (orders->hooks.fill) {
        struct fill fill = {.match = message->match,
                            .id = order->id,
                            .quantity = message->quantity,
                            .price = (uint32_t)message->price,
                            .liquidity = message->liquidity};
        orders->hooks.fill(orders->hooks.context, &fill);
    }
    if (order->open == 0)
        die(orders, order, message->user_ref);
}

// Self-match prevention takes from both orders what they would have traded; for the chain it counts as executed.
static void take_decremented(struct orders *orders, const struct xw_ouch *message)
{
    struct order *order = orders_find(orders, message->user_ref);
    if (message->user_ref < orders->first_ref)
        return;
    if (!order || order->state != ORDER_LIVE || message->quantity > order->open || message->quantity == 0 ||
        message->prevented != message->quantity) {
        violation(orders, "self-match prevention took %u (%u prevented) of order %u, which has %u open",
                  message->quantity, message->prevented, message->user_ref, order ? order->open : 0);
        return;
    }
    order->open -= message->quantity;
    order->executed += message->quantity;
    if (order->open == 0)
        die(orders, order, message->user_ref);
}

// R, a reserve order's new display, and T, a stop's release: of live orders only, and nothing changes hands.
static void take_restated(struct orders *orders, const struct xw_ouch *message)
{
    const struct order *order = orders_find(orders, message->user_ref);
    if (message->user_ref < orders->first_ref)
        return;
    if (!order || order->state != ORDER_LIVE || message->order_ref == 0)
        violation(orders, "%c for order %u, which is not live, or without a new reference", message->type,
                  message->user_ref);
    else if (message->type == 'R' && (message->display_quantity == 0 || message->display_quantity > order->open))
        violation(orders, "order %u restated to show %u, it has %u open", message->user_ref, message->display_quantity,
                  order->open);
}

// A trade that was taken back: the order's quantities stay as they are.
static void take_broken(struct orders *orders, const struct xw_ouch *message)
{
    const struct order *order = orders_find(orders, message->user_ref);
    if (message->user_ref >= orders->first_ref && (!order || order->executed == 0))
        violation(orders, "trade %" PRIu64 " of order %u is broken, which had none", message->match, message->user_ref);
}

static void take_rejected(struct orders *orders, const struct xw_ouch *message, uint64_t now_ns)
{
    struct order *order = orders_find(orders, message->user_ref);
    uint64_t position;
    orders->highest = message->user_ref > orders->highest ? message->user_ref : orders->highest;
    if (!order || !asked_for(orders, order, message->user_ref, &position)) {
        violation(orders, "rejected %u, which was not asked for: %s", message->user_ref,
                  xw_ouch_reject_text(message->reject));
        return;
    }
    orders->counts.rejected++;
    order->open = 0;
    order->state = ORDER_DEAD;
    answered(orders, position, ANSWER_REJECTED, now_ns);
}

// An account query is told from an earlier one by its UserRefIdx: an answer that comes late settles no more than it
// should.
static bool answers(const struct xw_ouch *message, const struct request *request)
{
    return request->kind == INTENT_RAW && request->expects == message->type && request->state == REQUEST_OUTSTANDING &&
           (message->type != 'Q' || request->index == message->user_ref_idx);
}

static void take_other(struct orders *orders, const struct xw_ouch *message, uint64_t now_ns)
{
    for (uint64_t at = orders->settled; at < orders->next; at++) {
        if (!answers(message, request_at(orders, at)))
            continue;
        if (message->type != 'Q')
            orders->counts.accepted++;
        answered(orders, at, ANSWER_OTHER, now_ns);
        if (message->type == 'Q' && orders->hooks.query)
            orders->hooks.query(orders->hooks.context, message->user_ref_idx);
        return;
    }
}

void orders_take(struct orders *orders, const uint8_t *bytes, size_t size, uint64_t now_ns)
{
    struct xw_ouch message;
    if (!xw_ouch_decode(bytes, size, &message)) {
        violation(orders, "a message of %zu bytes and type 0x%02x is not OUCH", size, size ? bytes[0] : 0);
        return;
    }
    orders->counts.messages[(uint8_t)message.type & 127]++;
    switch (message.type) {
    case 'A':
        take_accepted(orders, &message, now_ns);
        break;
    case 'U':
        take_replaced(orders, &message, now_ns);
        break;
    case 'C':
        take_canceled(orders, &message, now_ns);
        break;
    case 'E':
        take_executed(orders, &message);
        break;
    case 'J':
        take_rejected(orders, &message, now_ns);
        break;
    case 'D':
        take_decremented(orders, &message);
        break;
    case 'R':
    case 'T':
        take_restated(orders, &message);
        break;
    case 'B':
        take_broken(orders, &message);
        break;
    case 'S':
        break;
    default:
        take_other(orders, &message, now_ns);
        break;
    }
}

bool orders_may_trade(struct orders *orders, uint32_t ref)
{
    struct order *order = orders_find(orders, ref);
    if (!order || order->state == ORDER_DEAD)
        return false;
    if (order->state == ORDER_SENT)
        return true;
    for (uint64_t at = orders->settled; at < orders->next; at++) {
        const struct request *request = request_at(orders, at);
        struct order *other = orders_find(orders, request->ref);
        // Its own entry may not have told all of its trades yet, nor any that crosses it.
        if (!other || other->state == ORDER_DEAD || other->symbol != order->symbol)
            continue;
        if (other == order)
            return true;
        if (other->side != order->side &&
            (order->side == 'B' ? other->price <= order->price : other->price >= order->price))
            return true;
    }
    return false;
}

void orders_close(struct orders *orders)
{
    for (uint32_t ref = 1; ref < orders->room; ref++) {
        const struct order *order = &orders->table[ref];
        if (order->state == ORDER_LIVE && order->open == 0)
            violation(orders, "order %u is live with nothing open", ref);
        if (order->state == ORDER_DEAD && order->open != 0 && order->request < orders->next)
            violation(orders, "order %u is gone, but %u of it are unaccounted for", ref, order->open);
    }
}
