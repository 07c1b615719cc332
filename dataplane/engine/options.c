// SPDX-License-Identifier: Apache-2.0
#include "engine/options.h"

void emit_with_options(struct out *out, struct head head, struct line second, const struct command *c,
                       const struct echo *echo)
{
    struct event event = {0};
    store_line(&event, head_line(out, head));
    store_line((char *)&event + 64, second);
    event.options |= echo->options;
    memcpy(event.firm, echo->firm, sizeof event.firm);
    event.price_type = echo->price_type;
    event.post_only = echo->post_only;
    event.trade_now = echo->trade_now;
    event.handle_inst = echo->handle_inst;
    event.aiq_strategy = echo->aiq_strategy;
    memcpy(event.aiq_group, echo->aiq_group, sizeof event.aiq_group);
    if (head.type == EV_ACCEPTED) {
        event.options |= c->options & TAGS_ON_ACCEPTED;
        event.customer_type = c->customer_type;
        event.shares_located = c->shares_located;
        event.group_id = c->options & OPTION(TAG_GROUP_ID) ? c->group_id : 0;
        event.discretion_price_type = c->discretion_price_type;
    }
    xw_assert((event.options & EVENT_THIRD_LINE_TAGS) == 0);
    emit_event(out, &event);
}

void echo_overlay(struct echo *echo, const struct command *c)
{
    uint32_t sent = c->options & TAGS_ON_REPLACED;
    echo->options |= sent;
    if (sent & OPTION(TAG_FIRM))
        memcpy(echo->firm, c->firm, sizeof echo->firm);
    if (sent & OPTION(TAG_PRICE_TYPE))
        echo->price_type = c->price_type;
    if (sent & OPTION(TAG_POST_ONLY))
        echo->post_only = c->post_only;
    if (sent & OPTION(TAG_TRADE_NOW))
        echo->trade_now = c->trade_now;
    if (sent & OPTION(TAG_HANDLE_INST))
        echo->handle_inst = c->handle_inst;
    if (sent & OPTION(TAG_AIQ_STRATEGY))
        echo->aiq_strategy = c->aiq_strategy;
    if (sent & OPTION(TAG_AIQ_GROUP))
        memcpy(echo->aiq_group, c->aiq_group, sizeof echo->aiq_group);
}
