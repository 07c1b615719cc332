// SPDX-License-Identifier: Apache-2.0
#include "engine/trades.h"

#include "engine/risk.h"

// A trade of the table that stands; NULL when there is none.
static struct trade *trade_find(struct engine *e, uint64_t match)
{
    uint64_t first = e->first_match;
    if (e->day != DAY_OPEN || match < first || match >= e->next_match || match - first >= e->trades_limit)
        return NULL;
    struct trade *trade = &e->trades[match - first];
    return trade->broken ? NULL : trade;
}

static void emit_broken(struct out *out, const struct engine *e, const struct trade *trade, const struct command *c,
                        bool taker, char reason)
{
    uint64_t key = taker ? trade->taker : trade->maker;
    struct event event = {.type = EV_BROKEN,
                          .lines = 2,
                          .flags = taker ? EV_MD_OTHER : 0,
                          .reason = reason,
                          .session = key_session(key),
                          .locate = trade->locate,
                          .user_ref = key_user_ref(key),
                          .quantity = trade->quantity,
                          .price = trade->price,
                          .user_ref_idx = key_channel(key),
                          .side = taker ? trade->taker_side : trade->maker_side};
    event.match = c->trade.match;
    memcpy(event.trade_symbol, e->books[trade->locate].name, sizeof event.trade_symbol);
    memcpy(event.broken_cl_ord_id, taker ? c->trade.taker_cl_ord_id : c->trade.maker_cl_ord_id,
           sizeof event.broken_cl_ord_id);
    emit_event(out, &event);
}

static void break_with(struct engine *e, struct trade *trade, const struct command *c, char reason, struct out *out)
{
    trade->broken = true;
    risk_trade_undo(e, trade);
    emit_broken(out, e, trade, c, true, reason);
    emit_broken(out, e, trade, c, false, reason);
}

void trade_break(struct engine *e, const struct command *c, struct out *out)
{
    char reason = c->trade.reason;
    struct trade *trade = trade_find(e, c->trade.match);
    if (trade && (reason == 'E' || reason == 'C' || reason == 'S' || reason == 'X'))
        break_with(e, trade, c, reason, out);
}

void trade_adjust(struct engine *e, const struct command *c, struct out *out)
{
    struct trade *old = trade_find(e, c->trade.match);
    if (!old || c->trade.price - 1 >= PRICE_MAX || c->trade.quantity - 1 >= QUANTITY_MAX ||
        !risk_trade_fits(e, old, c->trade.quantity))
        return;
    break_with(e, old, c, 'S', out);
    struct trade trade = *old;
    trade.broken = false;
    trade.price = c->trade.price;
    trade.quantity = c->trade.quantity;
    uint64_t match = trade_keep(e, trade);
    risk_trade_redo(e, &trade);
    char taker_liquidity = trade.maker_liquidity == 'k' ? 'm' : 'R';
    struct line second = {{match, word_at(e->books[trade.locate].name),
                           (uint64_t)(uint8_t)taker_liquidity | (uint64_t)(uint8_t)trade.maker_liquidity << 8 |
                               (uint64_t)(uint8_t)trade.maker_side << 16}};
    emit_two(out,
             (struct head){.type = EV_TRADE,
                           .lines = 2,
                           .flags = EV_MD_OTHER,
                           .terms = trade.locate | (uint64_t)(uint8_t)trade.taker_side << 16,
                           .key = trade.taker,
                           .other = trade.maker,
                           .quantity = trade.quantity,
                           .price = trade.price},
             second);
}
