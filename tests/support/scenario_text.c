// SPDX-License-Identifier: Apache-2.0
// Events and commands as the tables write them.
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/command.h"
#include "tests/support/scenario.h"

// ---- events to text
// --------------------------------------------------------------------------------------------------

struct text {
    char *at;
    size_t left;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text->at, text->left, format, list);
    va_end(list);
    if (length > 0 && (size_t)length < text->left) {
        text->at += length;
        text->left -= (size_t)length;
    }
}

// A space-padded field; "-" when blank.
static void say_alpha(struct text *text, const char *field, int size)
{
    while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == 0))
        size--;
    say(text, size ? " %.*s" : " -", size, field);
}

static void say_amount(struct text *text, uint32_t price)
{
    say(text, "%u.%04u", price / 10000, price % 10000);
}

static void say_price(struct text *text, uint32_t price)
{
    say(text, " ");
    say_amount(text, price);
}

static unsigned low(uint64_t reference)
{
    return (unsigned)(reference & 0xFFFFFF);
}

static void say_market_data(struct text *text, uint8_t flags)
{
    say(text, "%s",
        flags & EV_MD_ADD       ? " add"
        : flags & EV_MD_REPLACE ? " replace"
        : flags & EV_MD_DELETE  ? " delete"
        : flags & EV_MD_REDUCE  ? " reduce"
        : flags & EV_MD_EXECUTE ? " execute"
        : flags & EV_MD_OTHER   ? " md"
                                : "");
}

enum form { UNSAID, CHAR, TEXT, UNSIGNED, SIGNED, SHORT, AMOUNT };

struct spelling {
    const char *name;
    uint8_t form; // enum form; UNSAID: in the body of a Restated, or said for every event
    uint8_t size; // of a TEXT
    uint8_t field;
};
#define SPELLING(name, form, field)                                                 \
    {                                                                               \
        name, form, sizeof((struct event *)0)->field, offsetof(struct event, field) \
    }

// What an event echoes, by tag.
static const struct spelling spellings[] = {
    [TAG_FIRM] = SPELLING("firm", TEXT, firm),
    [TAG_MIN_QTY] = SPELLING("min", UNSIGNED, min_qty),
    [TAG_CUSTOMER_TYPE] = SPELLING("customer", CHAR, customer_type),
    [TAG_MAX_FLOOR] = SPELLING("floor", UNSIGNED, max_floor),
    [TAG_PRICE_TYPE] = SPELLING("type", CHAR, price_type),
    [TAG_PEG_OFFSET] = SPELLING("peg", SIGNED, peg_offset),
    [TAG_DISCRETION_PRICE] = SPELLING("discretion", AMOUNT, discretion_price),
    [TAG_DISCRETION_PRICE_TYPE] = SPELLING("discretiontype", CHAR, discretion_price_type),
    [TAG_DISCRETION_PEG_OFFSET] = SPELLING("discretionpeg", SIGNED, discretion_peg_offset),
    [TAG_POST_ONLY] = SPELLING("post", CHAR, post_only),
    [TAG_RANDOM_RESERVES] = SPELLING("reserves", UNSIGNED, random_reserves),
    [TAG_EXPIRE_TIME] = SPELLING("expire", UNSIGNED, expire_s),
    [TAG_TRADE_NOW] = SPELLING("tradenow", CHAR, trade_now),
    [TAG_HANDLE_INST] = SPELLING("handle", CHAR, handle_inst),
    [TAG_STOP_PRICE] = SPELLING("stop", AMOUNT, trigger),
    [TAG_TRAIL_AMOUNT] = SPELLING("trail", AMOUNT, trigger),
    [TAG_GROUP_ID] = SPELLING("group", SHORT, group_id),
    [TAG_SHARES_LOCATED] = SPELLING("located", CHAR, shares_located),
    [TAG_LOCATE_BROKER] = SPELLING("broker", TEXT, locate_broker),
    [TAG_SIDE] = SPELLING("side", CHAR, side),
    [TAG_AIQ_STRATEGY] = SPELLING("aiq", CHAR, aiq_strategy),
    [TAG_AIQ_GROUP] = SPELLING("aiqgroup", TEXT, aiq_group),
};

static void say_option(struct text *text, const struct spelling *spelling, const char *field)
{
    uint32_t word;
    uint16_t half;
    memcpy(&word, field, sizeof word);
    memcpy(&half, field, sizeof half);
    if (spelling->form != UNSAID)
        say(text, " %s=", spelling->name);
    switch ((enum form)spelling->form) {
    case UNSAID:
        break;
    case CHAR:
        say(text, "%c", *field);
        break;
    case TEXT:
        say(text, "%.*s", spelling->size, memcmp(field, "    ", spelling->size) == 0 ? "-" : field);
        break;
    case UNSIGNED:
        say(text, "%u", word);
        break;
    case SIGNED:
        say(text, "%d", (int)word);
        break;
    case SHORT:
        say(text, "%u", half);
        break;
    case AMOUNT:
        say_amount(text, word);
        break;
    }
}

static void say_options(struct text *text, const struct event *e)
{
    if (e->user_ref_idx)
        say(text, " idx=%u", e->user_ref_idx);
    if (e->lines < 2 || e->type == EV_TRADE || e->type == EV_BROKEN || e->type == EV_AIQ_CANCELED)
        return;
    for (unsigned tag = 0; tag < sizeof spellings / sizeof *spellings; tag++)
        if (e->options >> tag & 1)
            say_option(text, &spellings[tag], (const char *)e + spellings[tag].field);
}

static void say_display(struct text *text, char display)
{
    if (display != 'Y')
        say(text, " display=%c", display);
}

// The firm that market data names for an attributable order.
static void say_attribution(struct text *text, const struct event *e)
{
    if (e->display)
        say(text, " %c of %.4s", e->display, e->firm);
}

static void say_before_after(struct text *text, uint64_t value)
{
    if (value == LIMIT_UNSET)
        say(text, "none");
    else
        say(text, "%llu", (unsigned long long)value);
}

static void say_alert(struct text *text, const struct event *e)
{
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
        "-"};
    say(text, "! %c %c%u", e->reason, "?vfasSp"[e->alert_scope % 7], e -> price);
    if (e->alert_scope == SCOPE_POSITION)
        say(text, ":S%u", e->locate);
    say(text, " %s ", keys[e->quantity <= LIMITS ? e->quantity : LIMITS]);
    say_before_after(text, e->alert_before);
    say(text, " > ");
    say_before_after(text, e->alert_after);
    if (e->alert_scope != SCOPE_POSITION && e->alert_scope != SCOPE_SYMBOL && e->locate != LOCATE_NONE)
        say(text, " S%u", e->locate);
    if (e->alert_reason)
        say(text, " %c", e->alert_reason);
}

static const char *const scopes[] = {"none", "venue", "firm", "account", "session", "symbol", "position"};

static void say_body(struct text *text, const struct event *e)
{
    switch (e->type) {
    case EV_ACCEPTED:
        say(text, "A s%u %u %c %u", e->session, e->user_ref, e->side, e->quantity);
        say_alpha(text, e->symbol, 8);
        say_price(text, e->price);
        say(text, " #%u", low(e->ref));
        say_display(text, e->display);
        break;
    case EV_REPLACED:
        say(text, "U s%u %u>%u %c %u", e->session, e->other_user_ref, e->user_ref, e->side, e->quantity);
        say_price(text, e->price);
        say(text, " #%u>#%u", low(e->old_ref), low(e->ref));
        say_display(text, e->display);
        break;
    case EV_CANCELED:
        if (e->session == SESSION_NONE)
            say(text, "- #%u %u", low(e->ref), e->quantity);
        else
            say(text, "C s%u %u %u %c #%u", e->session, e->user_ref, e->quantity, e->reason, low(e->ref));
        break;
    case EV_TRADE:
        say(text, "E s%u:%u%c s%u:%u%c %u", e->session, e->user_ref, e->taker_liquidity, e->other_session,
            e->other_user_ref, e->maker_liquidity, e->quantity);
        say_price(text, e->price);
        say(text, " #%u @%u%s", low(e->ref), low(e->match), e->off_price ? " off" : "");
        break;
    case EV_REJECTED:
        say(text, "J s%u %u %02X", e->session, e->user_ref, (uint8_t)e->reason);
        break;
    case EV_MODIFIED:
        say(text, "M s%u %u %c %u", e->session, e->user_ref, e->side, e->quantity);
        break;
    case EV_MASS_CANCEL:
        say(text, "X s%u %u", e->session, e->user_ref);
        say_alpha(text, e->firm, 4);
        say_alpha(text, e->symbol, 8);
        break;
    case EV_DISABLED:
    case EV_ENABLED:
        say(text, "%c s%u %u", e->type == EV_DISABLED ? 'G' : 'K', e->session, e->user_ref);
        say_alpha(text, e->firm, 4);
        break;
    case EV_QUERY:
        say(text, "Q s%u %u", e->session, e->user_ref);
        break;
    case EV_BOOK_ADD:
        say(text, "+ #%u %c %u", low(e->ref), e->side, e->quantity);
        say_price(text, e->price);
        say_attribution(text, e);
        break;
    case EV_RESTATED:
        say(text, "R s%u %u %c %u of #%u", e->session, e->user_ref, e->reason, e->display_quantity,
            low(e->secondary_ref));
        say_price(text, e->price);
        say_attribution(text, e);
        break;
    case EV_PRIORITY:
        say(text, "T s%u %u #%u", e->session, e->user_ref, low(e->ref));
        say_price(text, e->price);
        say_display(text, e->display);
        break;
    case EV_AIQ_CANCELED:
        say(text, "D s%u %u %u %c", e->session, e->user_ref, e->quantity, e->reason);
        say_price(text, e->price);
        say(text, " #%u %c aiq=%c", low(e->ref), e->taker_liquidity, e->aiq_strategy);
        break;
    case EV_BROKEN:
        say(text, "B s%u %u %c %u", e->session, e->user_ref, e->reason, e->quantity);
        say_price(text, e->price);
        say(text, " @%u", low(e->match));
        break;
    case EV_SYSTEM:
        say(text, "S %c", e->reason);
        break;
    case EV_TRADING_ACTION:
        say(text, "H S%u %c", e->locate, e->reason);
        if (e->action_reason[0] > ' ')
            say_alpha(text, e->action_reason, 4);
        break;
    case EV_BAND:
        say(text, "J S%u", e->locate);
        say_price(text, e->price);
        say_price(text, e->lower);
        say_price(text, e->upper);
        break;
    case EV_MARKET_WIDE:
        if (e->reason)
            say(text, "W %c", e->reason);
        else
            say(text, "V %u %u %u", low(e->levels[0]), low(e->levels[1]), low(e->levels[2]));
        break;
    case EV_REG_SHO:
        say(text, "Y S%u %c", e->locate, e->reason);
        break;
    case EV_ALERT:
        say_alert(text, e);
        break;
    default:
        say(text, "event%u", e->type);
    }
}

void scenario_event_text(const struct event *event, char *text, size_t size)
{
    struct text out = {text, size};
    say_body(&out, event);
    if (event->type != EV_BOOK_ADD || event->user_ref_idx == 0)
        say_options(&out, event);
    say_market_data(&out, event->flags);
}

// ---- commands to text
// ------------------------------------------------------------------------------------------------

static void say_command_price(struct text *text, uint32_t price)
{
    if (price == PRICE_MARKET)
        say(text, " market");
    else if (price == PRICE_MARKET_CROSS)
        say(text, " cross");
    else
        say_price(text, price);
}

static void say_tif(struct text *text, char tif)
{
    if (tif == '0' || tif == '3')
        say(text, tif == '0' ? " day" : " ioc");
    else
        say(text, " %c", tif);
}

static void say_command_options(struct text *text, const struct command *c)
{
    if (c->refuse)
        say(text, " refuse=%02X", c->refuse);
    for (int tag = 0; tag < 32; tag++) {
        if (!(c->options >> tag & 1))
            continue;
        switch (tag) {
#define SAY(which, format, value)     \
    case which:                       \
        say(text, " " format, value); \
        break;
            SAY(TAG_FIRM, "firm=%.4s", memcmp(c->firm, "    ", 4) == 0 ? "-" : c->firm)
            SAY(TAG_MIN_QTY, "min=%u", c->min_qty)
            SAY(TAG_CUSTOMER_TYPE, "customer=%c", c->customer_type)
            SAY(TAG_MAX_FLOOR, "floor=%u", c->max_floor)
            SAY(TAG_PRICE_TYPE, "type=%c", c->price_type)
            SAY(TAG_PEG_OFFSET, "peg=%d", c->peg_offset)
            SAY(TAG_DISCRETION_PRICE_TYPE, "discretiontype=%c", c->discretion_price_type)
            SAY(TAG_DISCRETION_PEG_OFFSET, "discretionpeg=%d", c->discretion_peg_offset)
            SAY(TAG_POST_ONLY, "post=%c", c->post_only)
            SAY(TAG_RANDOM_RESERVES, "reserves=%u", c->random_reserves)
            SAY(TAG_ROUTE, "route=%c", 'X')
            SAY(TAG_EXPIRE_TIME, "expire=%u", c->expire_s)
            SAY(TAG_TRADE_NOW, "tradenow=%c", c->trade_now)
            SAY(TAG_HANDLE_INST, "handle=%c", c->handle_inst)
            SAY(TAG_GROUP_ID, "group=%u", c->group_id)
            SAY(TAG_SHARES_LOCATED, "located=%c", c->shares_located)
            SAY(TAG_LOCATE_BROKER, "broker=%.4s", c->locate_broker)
            SAY(TAG_SIDE, "side=%c", c->side)
            SAY(TAG_AIQ_STRATEGY, "aiq=%c", c->aiq_strategy)
            SAY(TAG_AIQ_GROUP, "aiqgroup=%.2s", c->aiq_group)
#undef SAY
        case TAG_DISCRETION_PRICE:
        case TAG_STOP_PRICE:
        case TAG_TRAIL_AMOUNT:
            say(text, tag == TAG_STOP_PRICE ? " stop=" : tag == TAG_TRAIL_AMOUNT ? " trail=" : " discretion=");
            say_amount(text, tag == TAG_DISCRETION_PRICE ? c->discretion_price : c->trigger);
        }
    }
    if (c->user_ref_idx)
        say(text, " idx=%u", c->user_ref_idx);
    if (c->time_ns)
        say(text, " at=%lluns", (unsigned long long)c->time_ns);
}

static void say_fields(struct text *text, const struct command *c)
{
    if (c->display != 'Y')
        say(text, " display=%c", c->display);
    if (c->iso != 'N')
        say(text, " iso=%c", c->iso);
    if (c->type == CMD_ENTER && c->cross != 'N')
        say(text, " cross=%c", c->cross);
}

static void say_enter(struct text *text, const struct command *c)
{
    say(text, "O s%u %u %c %u", c->session, c->user_ref, c->side, c->quantity);
    say_alpha(text, c->locate ? c->symbol : "NONE    ", 8);
    say_command_price(text, c->price);
    say_tif(text, c->tif);
    say_fields(text, c);
}

static void say_replace(struct text *text, const struct command *c)
{
    say(text, "U s%u %u>%u %u", c->session, c->orig_user_ref, c->user_ref, c->quantity);
    say_command_price(text, c->price);
    say_tif(text, c->tif);
    say_fields(text, c);
}

static void say_limit(struct text *text, const struct command *c)
{
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
    };
    say(text, "LIMIT %c%u", "?vfasSa?"[c->limit.scope % 8], c -> limit.index);
    if (c->limit.scope == SCOPE_POSITION)
        say(text, ":S%u", c->limit.locate);
    say(text, " %s ", c->limit.limit < LIMITS ? keys[c->limit.limit] : "nothing");
    say_before_after(text, c->limit.value);
}

static void say_bands(struct text *text, const struct command *c)
{
    say(text, "BANDS S%u percent=%u.%04u wide=%u.%04u", c->bands.locate, c->bands.percent / 10000,
        c->bands.percent % 10000, c->bands.wide_percent / 10000, c->bands.wide_percent % 10000);
    say(text, " limit=%ums pause=%ums velocity=%u.%04u within=%ums", c->bands.limit_state_ms, c->bands.pause_ms,
        c->bands.velocity_percent / 10000, c->bands.velocity_percent % 10000, c->bands.velocity_ms);
    say(text, " until=%lluns from=%lluns", (unsigned long long)c->bands.wide_until_ns,
        (unsigned long long)c->bands.wide_from_ns);
}

// Commands of risk and of the market; false when it is none.
static bool say_control(struct text *text, const struct command *c)
{
    switch (c->type) {
    case CMD_LIMIT:
        say_limit(text, c);
        break;
    case CMD_POSITION:
        say(text, "POSITION a%u S%u %lld %lld", c->position.account, c->position.locate,
            (long long)c->position.quantity, (long long)c->position.cost);
        return true; // before the start: its time is nothing to anybody
    case CMD_GROUP:
        say(text, "GROUP S%u %u", c->group.locate, c->group.group);
        break;
    case CMD_MODE:
        say(text, "MODE %u %s %u %u %u", c->mode.mode, c->mode.on ? "on" : "off", c->mode.percent, c->mode.rate,
            c->mode.block);
        break;
    case CMD_REFERENCE:
        say(text, "REFERENCE S%u", c->reference.locate);
        say_price(text, c->reference.reference);
        if (c->reference.reg_sho)
            say(text, " sho=%c", c->reference.reg_sho);
        say(text, " adv=%llu", (unsigned long long)c->reference.adv);
        break;
    case CMD_HALT:
        say(text, c->halt.locate ? "HALT S%u %c" : "HALT - %.0u%c", c->halt.locate, c->halt.state);
        say_alpha(text, c->halt.reason, 4);
        break;
    case CMD_BANDS:
        say_bands(text, c);
        break;
    case CMD_INDEX:
        say(text, "INDEX %u %u last=%lluns", c->index.level, c->index.breached, (unsigned long long)c->index.last_ns);
        break;
    default:
        return false;
    }
    if (c->time_ns)
        say(text, " at=%lluns", (unsigned long long)c->time_ns);
    return true;
}

void scenario_command_text(const struct command *c, char *into, size_t size)
{
    struct text text = {into, size};
    if (say_control(&text, c))
        return;
    switch (c->type) {
    case CMD_ENTER:
        say_enter(&text, c);
        break;
    case CMD_REPLACE:
        say_replace(&text, c);
        break;
    case CMD_CANCEL:
        say(&text, "X s%u %u %u", c->session, c->user_ref, c->quantity);
        break;
    case CMD_MODIFY:
        say(&text, "M s%u %u %c %u", c->session, c->user_ref, c->side, c->quantity);
        break;
    case CMD_MASS_CANCEL:
    case CMD_DISABLE:
    case CMD_ENABLE:
        say(&text, "%c s%u %u",
            c->type == CMD_MASS_CANCEL ? 'C'
            : c->type == CMD_DISABLE   ? 'D'
                                       : 'E',
            c->session, c->user_ref);
        say_alpha(&text, c->firm, 4);
        if (c->type == CMD_MASS_CANCEL)
            say_alpha(&text, c->symbol, 8);
        break;
    case CMD_QUERY:
        say(&text, "Q s%u", c->session);
        break;
    case CMD_SESSION_UP:
    case CMD_SESSION_DOWN:
        say(&text, "%s s%u%s", c->type == CMD_SESSION_UP ? "UP" : "DOWN", c->session,
            c->type == CMD_SESSION_DOWN && c->link.down_reason == DOWN_LOGOFF ? " off" : "");
        return;
    case CMD_PHASE:
        say(&text, "PHASE %c", c->phase.phase);
        return;
    case CMD_TICK:
        say(&text, "TICK %lluns", (unsigned long long)c->time_ns);
        return;
    case CMD_BREAK:
        say(&text, "BREAK @%u %c", low(c->trade.match), c->trade.reason);
        return;
    case CMD_ADJUST:
        say(&text, "ADJUST @%u", low(c->trade.match));
        say_price(&text, c->trade.price);
        say(&text, " %u", c->trade.quantity);
        return;
    case CMD_END_DAY:
        say(&text, "END");
        return;
    case CMD_KILL:
    case CMD_RESET:
        say(&text, "%s %s %u side=%c", c->type == CMD_KILL ? "KILL" : "RESET",
            c->kill.scope <= SCOPE_POSITION ? scopes[c->kill.scope] : "none", c->kill.index,
            c->kill.side ? c->kill.side : '-');
        say(&text, " actions=%u source=%u id=%llu", c->kill.actions, c->kill.source, (unsigned long long)c->kill.id);
        return;
    default:
        say(&text, "# command %u", c->type);
        return;
    }
    say_command_options(&text, c);
}
