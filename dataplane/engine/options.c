// SPDX-License-Identifier: Apache-2.0
#include "engine/options.h"

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
