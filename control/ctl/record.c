// SPDX-License-Identifier: Apache-2.0
// What records of the journal and events of the engine say, as rows.
#include "contract/reject.h"
#include "control/ctl/ctl.h"
#include "control/ctl/row.h"
#include "control/limits/table.h"

// ---- options --------------------------------------------------------------------------------------------------------

// One way to show each kind of ouch_options.def.
static void option_CHAR(struct row *row, enum row_column column, char value)
{
    row_character(row, column, value);
}

#define option_ALPHA(row, column, value) row_text(row, column, value, sizeof(value))

static void option_U32(struct row *row, enum row_column column, uint32_t value)
{
    row_number(row, column,
               column == ROW_OPTION_PEG_OFFSET || column == ROW_OPTION_DISCRETION_PEG_OFFSET ? (int32_t)value
                                                                                             : (int64_t)value);
}

static void option_U64(struct row *row, enum row_column column, uint64_t value)
{
    row_number(row, column, (int64_t)value);
}

static void option_PRICE(struct row *row, enum row_column column, uint32_t value)
{
    row_price(row, column, value);
}

#define option_U8(row, column, value) option_U32(row, column, value)
#define option_U16(row, column, value) option_U32(row, column, value)

static void command_options(struct row *row, const struct command *c)
{
#define OUCH_OPTION(tag, name, kind, size, field, ...) \
    if (c->options & OPTION(tag))                      \
        option_##kind(row, ROW_OPTION_##name, c->field);
#define OUCH_OPTION_OUT(...)
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
}

static void event_options(struct row *row, const struct event *e)
{
#define OUCH_OPTION(tag, name, kind, size, command, field, ...) \
    if (e->options & OPTION(tag))                               \
        option_##kind(row, ROW_OPTION_##name, e->field);
#define OUCH_OPTION_OUT(tag, name, kind, size, field, ...) \
    if (e->options & OPTION(tag))                          \
        option_##kind(row, ROW_OPTION_##name, e->field);
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
}

// ---- records --------------------------------------------------------------------------------------------------------

static void session(struct row *row, enum row_column number, enum row_column user, uint16_t index, char (*users)[7])
{
    if (index == SESSION_NONE)
        return;
    row_number(row, number, index);
    if (users)
        row_text(row, user, users[index], sizeof *users);
}

static void order(struct row *row, const struct command *c)
{
    row_number(row, ROW_user_ref, c->user_ref);
    if (c->type == CMD_REPLACE)
        row_number(row, ROW_orig_user_ref, c->orig_user_ref);
    if (c->user_ref_idx)
        row_number(row, ROW_index, c->user_ref_idx);
    row_character(row, ROW_side, c->side);
    if (c->type != CMD_QUERY && c->type < CMD_MASS_CANCEL)
        row_number(row, ROW_quantity, c->quantity);
    row_text(row, ROW_symbol, c->symbol, sizeof c->symbol);
    if (c->type <= CMD_REPLACE) {
        row_price(row, ROW_price, c->price);
        row_character(row, ROW_tif, c->tif);
        row_character(row, ROW_display, c->display);
        row_character(row, ROW_capacity, c->capacity);
        row_character(row, ROW_iso, c->iso);
        row_character(row, ROW_cross, c->cross);
        row_text(row, ROW_cl_ord_id, c->cl_ord_id, sizeof c->cl_ord_id);
    } else {
        row_text(row, ROW_OPTION_FIRM, c->firm, sizeof c->firm);
    }
    if (c->refuse)
        row_text(row, ROW_refuse, reject_text(c->refuse), ROW_VALUE_BYTES);
    command_options(row, c);
}

static void trade(struct row *row, const struct command *c)
{
    row_number(row, ROW_match, (int64_t)c->trade.match);
    row_character(row, ROW_reason, c->trade.reason);
    if (c->type == CMD_ADJUST) {
        row_price(row, ROW_price, c->trade.price);
        row_number(row, ROW_quantity, c->trade.quantity);
    }
    row_text(row, ROW_taker_cl_ord_id, c->trade.taker_cl_ord_id, sizeof c->trade.taker_cl_ord_id);
    row_text(row, ROW_maker_cl_ord_id, c->trade.maker_cl_ord_id, sizeof c->trade.maker_cl_ord_id);
    row_text(row, ROW_by, c->trade.by, sizeof c->trade.by);
}

static void day(struct row *row, const struct command *c)
{
    row_number(row, ROW_trading_date, c->day.trading_date);
    row_number(row, ROW_engine_version, c->day.engine_version);
    row_number(row, ROW_max_orders, c->day.max_orders);
    row_number(row, ROW_max_levels, c->day.max_levels);
    row_number(row, ROW_max_trades, c->day.max_trades);
    row_number(row, ROW_max_special, c->day.max_special);
    row_number(row, ROW_max_conditional, c->day.max_conditional);
    row_number(row, ROW_max_positions, c->day.max_positions);
    row_number(row, ROW_max_symbols, c->day.max_symbols);
    row_number(row, ROW_max_accounts, c->day.max_accounts);
    row_number(row, ROW_max_sessions, c->day.max_sessions);
    row_hash(row, ROW_seed, c->day.seed, 16);
}

static void open_symbol(struct row *row, const struct command *c)
{
    row_text(row, ROW_symbol, c->open_symbol.name, sizeof c->open_symbol.name);
    row_number(row, ROW_locate, c->open_symbol.locate);
    row_price(row, ROW_tick, c->open_symbol.tick);
    row_number(row, ROW_round_lot, c->open_symbol.round_lot);
}

static void open_account(struct row *row, const struct command *c)
{
    row_number(row, ROW_account, c->open_account.account);
    row_text(row, ROW_name, c->open_account.name, sizeof c->open_account.name);
    row_text(row, ROW_OPTION_FIRM, c->open_account.firm, sizeof c->open_account.firm);
    row_text(row, ROW_organisation, c->open_account.organisation, sizeof c->open_account.organisation);
}

static void open_session(struct row *row, const struct command *c)
{
    row_text(row, ROW_user, c->open_session.user, sizeof c->open_session.user);
    row_number(row, ROW_account, c->open_session.account);
    row_number(row, ROW_cancel_on_disconnect, c->open_session.cancel_on_disconnect);
    row_text(row, ROW_post_only_way, c->open_session.post_only_cancels ? "cancel" : "slide", ROW_VALUE_BYTES);
    row_character(row, ROW_aiq, c->open_session.aiq_default ? c->open_session.aiq_default : 'N');
}

static void session_down(struct row *row, const struct command *c)
{
    static const char *const reasons[] = {
        [DOWN_LOGOFF] = "logoff",   [DOWN_TIMEOUT] = "timeout",   [DOWN_RESTART] = "restart",
        [DOWN_RELOGIN] = "relogin", [DOWN_SHUTDOWN] = "shutdown",
    };
    unsigned reason = c->link.down_reason;
    if (reason < sizeof reasons / sizeof reasons[0] && reasons[reason])
        row_text(row, ROW_reason, reasons[reason], ROW_VALUE_BYTES);
    else
        row_number(row, ROW_reason, reason);
}

// Values as they are told, in the limit's unit: this core's part, and the whole where it is another number.
static void limit(struct row *row, const struct command *c)
{
    const char *scope = scope_name((enum scope)c->limit.scope);
    row_text(row, ROW_scope, scope ? scope : "none", ROW_VALUE_BYTES);
    if (c->limit.scope != SCOPE_VENUE)
        row_number(row, c->limit.scope == SCOPE_SYMBOL ? ROW_locate : ROW_of, c->limit.index);
    if (c->limit.scope == SCOPE_POSITION)
        row_number(row, ROW_locate, c->limit.locate);
    if (c->limit.limit < LIMITS)
        row_text(row, ROW_limit, limit_info((enum limit)c->limit.limit).key, ROW_VALUE_BYTES);
    if (c->limit.value == LIMIT_UNSET)
        row_text(row, ROW_value, "none", ROW_VALUE_BYTES);
    else
        row_number(row, ROW_value, (int64_t)c->limit.value);
    if (c->limit.whole != c->limit.value && c->limit.change)
        row_number(row, ROW_whole, (int64_t)c->limit.whole);
    row_number(row, ROW_change, c->limit.change);
    row_text(row, ROW_by, c->limit.by, sizeof c->limit.by);
    row_text(row, ROW_second, c->limit.second, sizeof c->limit.second);
}

static void reference(struct row *row, const struct command *c)
{
    row_number(row, ROW_locate, c->reference.locate);
    if (c->reference.reference)
        row_price(row, ROW_price, c->reference.reference);
    if (c->reference.adv)
        row_number(row, ROW_adv, (int64_t)c->reference.adv);
    row_character(row, ROW_reg_sho, c->reference.reg_sho);
    if (c->reference.tier)
        row_number(row, ROW_tier, c->reference.tier);
    row_text(row, ROW_by, c->reference.by, sizeof c->reference.by);
}

static void position(struct row *row, const struct command *c)
{
    row_number(row, ROW_account, c->position.account);
    row_number(row, ROW_locate, c->position.locate);
    row_number(row, ROW_quantity, c->position.quantity);
    row_number(row, ROW_cost, c->position.cost);
    row_text(row, ROW_by, c->position.by, sizeof c->position.by);
}

static void payload(struct row *row, const struct command *c)
{
    switch (c->type) {
    case CMD_SESSION_DOWN:
        session_down(row, c);
        break;
    case CMD_OPEN_DAY:
        day(row, c);
        break;
    case CMD_OPEN_SYMBOL:
        open_symbol(row, c);
        break;
    case CMD_OPEN_ACCOUNT:
        open_account(row, c);
        break;
    case CMD_OPEN_SESSION:
        open_session(row, c);
        break;
    case CMD_OPEN_COPY:
        row_text(row, ROW_user, c->open_copy.user, sizeof c->open_copy.user);
        break;
    case CMD_END_DAY:
        row_text(row, ROW_by, c->phase.by, sizeof c->phase.by);
        break;
    case CMD_START:
    case CMD_PHASE:
        row_character(row, ROW_phase, c->phase.phase ? c->phase.phase : PHASE_REGULAR);
        row_text(row, ROW_by, c->phase.by, sizeof c->phase.by);
        break;
    case CMD_BREAK:
    case CMD_ADJUST:
        trade(row, c);
        break;
    case CMD_LIMIT:
        limit(row, c);
        break;
    case CMD_REFERENCE:
        reference(row, c);
        break;
    case CMD_POSITION:
        position(row, c);
        break;
    case CMD_GROUP:
        row_number(row, ROW_locate, c->group.locate);
        row_number(row, ROW_group, c->group.group);
        break;
    case CMD_TICK:
        row_hash(row, ROW_event_hash, c->tick.event_hash, 16);
        break;
    case CMD_CLOCK:
        row_number(row, ROW_offset_ns, c->clock.offset_ns);
        break;
    default:
        if (c->type <= CMD_QUERY)
            order(row, c);
    }
}

void row_of_record(struct row *row, const struct command *c, char (*users)[7])
{
    char unknown[16];
    const char *name = ctl_command_name(c->type);
    snprintf(unknown, sizeof unknown, "type_%u", c->type);
    row_number(row, ROW_core, journal_core(c));
    row_number(row, ROW_seq, (int64_t)journal_sequence(c));
    row_number(row, ROW_time, (int64_t)c->time_ns);
    row_text(row, ROW_type, name ? name : unknown, ROW_VALUE_BYTES);
    row_hash(row, ROW_prev_hash, c->prev_hash, 8);
    session(row, ROW_session, ROW_user, c->session, users);
    payload(row, c);
}

// ---- events ---------------------------------------------------------------------------------------------------------

static const char *event_name(unsigned type)
{
    static const char *const names[] = {
        [EV_ACCEPTED] = "accepted",
        [EV_REPLACED] = "replaced",
        [EV_CANCELED] = "canceled",
        [EV_TRADE] = "trade",
        [EV_REJECTED] = "rejected",
        [EV_MODIFIED] = "modified",
        [EV_RESTATED] = "restated",
        [EV_PRIORITY] = "priority",
        [EV_AIQ_CANCELED] = "aiq_canceled",
        [EV_BROKEN] = "broken",
        [EV_CANCEL_PENDING] = "cancel_pending",
        [EV_CANCEL_REJECT] = "cancel_reject",
        [EV_MASS_CANCEL] = "mass_canceled",
        [EV_DISABLED] = "disabled",
        [EV_ENABLED] = "enabled",
        [EV_QUERY] = "query_answer",
        [EV_SYSTEM] = "system",
        [EV_BOOK_ADD] = "book_add",
        [EV_SYMBOL] = "symbol",
        [EV_TRADING_ACTION] = "trading_action",
        [EV_ALERT] = "alert",
        [EV_DAY_OPEN] = "day_open",
        [EV_DAY_END] = "day_end",
    };
    return type < sizeof names / sizeof names[0] && names[type] ? names[type] : "event";
}

static void trade_event(struct row *row, const struct event *e, char (*users)[7])
{
    char liquidity[3] = {e->taker_liquidity, e->maker_liquidity};
    row_number(row, ROW_match, (int64_t)e->match);
    row_text(row, ROW_symbol, e->trade_symbol, sizeof e->trade_symbol);
    if (e->type != EV_TRADE)
        return;
    row_text(row, ROW_liquidity, liquidity, 2);
    row_number(row, ROW_counterparty_ref, e->other_user_ref);
    if (users)
        row_text(row, ROW_counterparty, users[e->other_session], sizeof *users);
}

static void order_event(struct row *row, const struct event *e)
{
    row_text(row, ROW_symbol, e->symbol, sizeof e->symbol);
    row_text(row, ROW_cl_ord_id, e->cl_ord_id, sizeof e->cl_ord_id);
    if (e->type != EV_ACCEPTED && e->type != EV_REPLACED)
        return;
    row_character(row, ROW_tif, e->tif);
    row_character(row, ROW_display, e->display);
    row_character(row, ROW_capacity, e->capacity);
    if (e->type == EV_REPLACED) {
        row_number(row, ROW_orig_user_ref, e->other_user_ref);
        row_number(row, ROW_old_order_ref, (int64_t)e->old_ref);
    }
    event_options(row, e);
}

// A number in `of` is an index by scope, values are in the limit's unit.
static void alert_event(struct row *row, const struct event *e)
{
    const char *scope = scope_name((enum scope)e->alert_scope);
    row_character(row, ROW_reason, e->reason);
    row_text(row, ROW_scope, scope ? scope : "none", ROW_VALUE_BYTES);
    row_number(row, ROW_of, e->price);
    if (e->locate)
        row_number(row, ROW_locate, e->locate);
    if (e->quantity < LIMITS)
        row_text(row, ROW_limit, limit_info((enum limit)e->quantity).key, ROW_VALUE_BYTES);
    row_number(row, ROW_before, (int64_t)e->alert_before);
    row_number(row, ROW_after, (int64_t)e->alert_after);
}

void row_of_event(struct row *row, const struct event *e, unsigned core, char (*users)[7])
{
    row_number(row, ROW_core, core);
    row_number(row, ROW_seq, (int64_t)e->cmd_seq);
    row_number(row, ROW_time, (int64_t)e->time_ns);
    row_text(row, ROW_type, event_name(e->type), ROW_VALUE_BYTES);
    if (e->type == EV_ALERT) {
        alert_event(row, e);
        return;
    }
    session(row, ROW_session, ROW_user, e->session, users);
    if (e->user_ref)
        row_number(row, ROW_user_ref, e->user_ref);
    if (e->user_ref_idx)
        row_number(row, ROW_index, e->user_ref_idx);
    row_character(row, ROW_side, e->side);
    if (e->quantity)
        row_number(row, ROW_quantity, e->quantity);
    if (e->price)
        row_price(row, ROW_price, e->price);
    if (e->ref)
        row_number(row, ROW_order_ref, (int64_t)e->ref);
    if (e->type == EV_REJECTED)
        row_text(row, ROW_refuse, reject_text((uint8_t)e->reason), ROW_VALUE_BYTES);
    else
        row_character(row, ROW_reason, e->reason);
    if (e->type == EV_AIQ_CANCELED)
        row_number(row, ROW_prevented, e->prevented_qty);
    if (e->lines < 2)
        return;
    if (e->type == EV_TRADE || e->type == EV_BROKEN)
        trade_event(row, e, users);
    else
        order_event(row, e);
}
