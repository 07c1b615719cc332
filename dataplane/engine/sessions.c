// SPDX-License-Identifier: Apache-2.0
#include "engine/sessions.h"

#include "engine/numbers.h"
#include "engine/slots.h"
#include "engine/special.h"

// Orders that a step looks at before it pauses, also when the filters let few through.
#define WALK_MAX 2048

void emit_rejected(struct out *out, const struct command *c, uint8_t reason)
{
    struct event event = {.type = EV_REJECTED,
                          .lines = 2,
                          .reason = (char)reason,
                          .session = c->session,
                          .user_ref = c->user_ref,
                          .user_ref_idx = c->user_ref_idx};
    if (c->type == CMD_ENTER || c->type == CMD_REPLACE)
        memcpy(event.cl_ord_id, c->cl_ord_id, sizeof event.cl_ord_id);
    else // mass cancel, disable and enable have no ClOrdID
        memset(event.cl_ord_id, ' ', sizeof event.cl_ord_id);
    emit_event(out, &event);
}

static bool walk_matches(const struct unfinished *left, const struct order *order)
{
    if (left->locate && left->locate != order->locate)
        return false;
    if (left->by_group && left->group_id != order->group_id)
        return false;
    if (left->side == 'S')
        return order->side != 'B';
    return left->side == 0 || left->side == order->side;
}

bool session_walk(struct engine *e, struct out *out)
{
    struct unfinished *left = &e->left;
    for (unsigned looked = 0; left->cursor && !out_full(out) && looked < WALK_MAX; looked++) {
        uint32_t slot = left->cursor;
        left->cursor = session_next(e, slot);
        if (left->cursor)
            __builtin_prefetch(&e->orders[left->cursor], 1);
        const struct order *order = &e->orders[slot];
        if (!walk_matches(left, order))
            continue;
        order_cancel_whole(e, out, slot, left->reason);
    }
    return left->cursor == 0;
}

// Uses the number and checks firm and refusal, as all messages that name a firm do. False: answered, or dropped
// silently.
static bool firm_message(struct engine *e, const struct command *c, struct out *out)
{
    if (!number_take(e, c)) {
        e->outcome = OUTCOME_DUPLICATE;
        return false;
    }
    uint8_t reason = c->refuse;
    if (reason == REJECT_NONE && !firm_permitted(e, &e->sessions[c->session], c->firm))
        reason = REJECT_FIRM;
    if (reason == REJECT_NONE) {
        e->outcome = OUTCOME_ACCEPTED;
        return true;
    }
    emit_rejected(out, c, reason);
    e->outcome = OUTCOME_REJECTED;
    return false;
}

static void emit_response(struct out *out, uint8_t type, const struct command *c)
{
    struct event event = {
        .type = type, .lines = 2, .session = c->session, .user_ref = c->user_ref, .user_ref_idx = c->user_ref_idx};
    memcpy(event.firm, c->firm, sizeof event.firm);
    if (type == EV_MASS_CANCEL) {
        memcpy(event.symbol, c->symbol, sizeof event.symbol);
        event.locate = c->locate;
        event.options = c->options & (OPTION(TAG_GROUP_ID) | OPTION(TAG_SIDE));
        event.group_id = c->options & OPTION(TAG_GROUP_ID) ? c->group_id : 0;
        event.side = c->options & OPTION(TAG_SIDE) ? c->side : 0;
    }
    emit_event(out, &event);
}

void session_mass_cancel(struct engine *e, const struct command *c, struct out *out)
{
    if (!firm_message(e, c, out))
        return;
    bool any_symbol = memcmp(c->symbol, "        ", 8) == 0;
    bool known = c->locate != LOCATE_NONE && c->locate <= e->limit.max_symbols && e->books[c->locate].tick != 0 &&
                 memcmp(e->books[c->locate].name, c->symbol, 8) == 0;
    if (!any_symbol && !known) {
        emit_rejected(out, c, REJECT_SYMBOL);
        e->outcome = OUTCOME_REJECTED;
        return;
    }
    emit_response(out, EV_MASS_CANCEL, c);
    e->left = (struct unfinished){.work = WORK_SESSION,
                                  .session = c->session,
                                  .locate = any_symbol ? LOCATE_NONE : c->locate,
                                  .cursor = session_oldest(e, c->session),
                                  .side = c->options & OPTION(TAG_SIDE) ? c->side : 0,
                                  .reason = 'U',
                                  .by_group = (c->options & OPTION(TAG_GROUP_ID)) != 0,
                                  .group_id = c->group_id};
    if (session_walk(e, out))
        e->left.work = WORK_NONE;
}

void session_entry_control(struct engine *e, const struct command *c, struct out *out)
{
    if (!firm_message(e, c, out))
        return;
    struct session *session = &e->sessions[c->session];
    session->disabled = (uint8_t)((session->disabled & ~DISABLED_BY_USER) | (c->type == CMD_DISABLE));
    emit_response(out, c->type == CMD_DISABLE ? EV_DISABLED : EV_ENABLED, c);
}

void session_query(struct engine *e, const struct command *c, struct out *out)
{
    if (c->refuse != REJECT_NONE) {
        e->outcome = OUTCOME_NO_EFFECT;
        return;
    }
    e->outcome = OUTCOME_ACCEPTED;
    uint64_t key = order_key(c->session, c->user_ref_idx, *number_last(e, c) + 1);
    emit_one(out, (struct head){.type = EV_QUERY, .lines = 1, .key = key});
}

void session_up(struct engine *e, const struct command *c)
{
    if (c->session < e->limit.max_sessions && e->sessions[c->session].open)
        e->sessions[c->session].up = true;
}

void session_down(struct engine *e, const struct command *c, struct out *out)
{
    if (c->session >= e->limit.max_sessions || !e->sessions[c->session].up)
        return;
    struct session *session = &e->sessions[c->session];
    session->up = false;
    enum cancel_when when = c->link.down_reason == DOWN_LOGOFF ? CANCEL_WHEN_OFF : CANCEL_WHEN_LOST;
    if ((session->cancel_on_disconnect & when) == 0)
        return;
    e->left = (struct unfinished){
        .work = WORK_SESSION, .session = c->session, .cursor = session_oldest(e, c->session), .reason = 'Z'};
    if (session_walk(e, out))
        e->left.work = WORK_NONE;
}
