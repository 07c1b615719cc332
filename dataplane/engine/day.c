// SPDX-License-Identifier: Apache-2.0
#include "engine/day.h"

#include "engine/book.h"
#include "engine/kill.h"
#include "engine/market.h"
#include "engine/phases.h"
#include "engine/risk_limits.h"
#include "engine/sessions.h"
#include "engine/slots.h"

void emit_system(struct out *out, char code, uint8_t flags)
{
    emit_one(out, (struct head){.type = EV_SYSTEM, .lines = 1, .flags = flags, .reason = code, .key = KEY_NOBODY});
}

static void emit_day(struct out *out, uint8_t type, uint32_t date)
{
    emit_one(out, (struct head){.type = type, .lines = 1, .flags = EV_MD_OTHER, .key = KEY_NOBODY, .quantity = date});
}

static uint64_t mix_key(uint64_t key, uint64_t salt)
{
    key = event_mix(key ^ salt, UINT64_C(0x9E3779B97F4A7C15));
    return event_mix(key ^ UINT64_C(0xD6E8FEB86659FD93), UINT64_C(0xC2B2AE3D27D4EB4F) ^ salt);
}

static bool capacity_fits(const struct engine_capacity *have, const struct command *c)
{
    return c->day.max_orders > 0 && c->day.max_orders <= have->max_orders && c->day.max_levels > 0 &&
           c->day.max_levels <= have->max_levels && c->day.max_symbols <= have->max_symbols &&
           c->day.max_accounts <= have->max_accounts && c->day.max_sessions <= have->max_sessions &&
           c->day.max_trades <= have->max_trades && c->day.max_special <= have->max_special &&
           c->day.max_conditional <= have->max_conditional && c->day.max_positions <= have->max_positions &&
           c->day.core == have->core;
}

void day_open(struct engine *e, const struct command *c, struct out *out)
{
    if (e->day != DAY_NONE || c->day.engine_version != CROSSWIRE_ENGINE_VERSION || !capacity_fits(&e->memory, c))
        return;
    e->day = DAY_OPENING;
    e->date = c->day.trading_date;
    e->limit = (struct engine_capacity){.max_orders = c->day.max_orders,
                                        .max_levels = c->day.max_levels,
                                        .max_trades = c->day.max_trades,
                                        .max_special = c->day.max_special,
                                        .max_conditional = c->day.max_conditional,
                                        .max_positions = c->day.max_positions,
                                        .max_symbols = c->day.max_symbols,
                                        .max_accounts = c->day.max_accounts,
                                        .max_sessions = c->day.max_sessions,
                                        .core = c->day.core};
    e->key0 = mix_key(c->day.lookup_key, 1);
    e->key1 = mix_key(c->day.lookup_key, 2) | 1;
    // From the command, not from the memory: the answer "full" must be the same in every engine that takes this day.
    e->bucket_mask = bucket_count(e->limit.max_orders) - 1;
    e->next_ref = e->next_match = e->first_match = ((uint64_t)c->day.core + 1) << 40 | 1;
    e->trades_limit = e->limit.max_trades;
    e->fresh_limit = e->limit.max_orders;
    e->levels_limit = e->limit.max_levels;
    e->symbols_limit = e->limit.max_symbols;
    e->orders[0].key = ORDER_FREE;
    e->generator = c->day.seed;
    e->market.due_ns = UINT64_MAX;
    risk_open_day(e);
    emit_day(out, EV_DAY_OPEN, e->date);
    emit_system(out, 'O', EV_MD_OTHER);
}

void day_open_symbol(struct engine *e, const struct command *c, struct out *out)
{
    uint16_t locate = c->open_symbol.locate;
    uint32_t tick = c->open_symbol.tick;
    if (e->day != DAY_OPENING || locate == LOCATE_NONE || locate > e->limit.max_symbols || tick == 0 ||
        e->books[locate].tick != 0)
        return;
    struct book *book = &e->books[locate];
    *book = (struct book){.best = {NO_BID, NO_ASK, NO_BID, NO_ASK}, .tick = tick};
    e->backs[locate] = (struct book_back){.looked = {NO_BID, NO_ASK}, .round_lot = c->open_symbol.round_lot};
    market_opened(&e->markets[locate]);
    book->reciprocal = ((UINT64_C(1) << 63) + tick - 1) / tick;
    memcpy(book->name, c->open_symbol.name, sizeof book->name);
    struct directory_entry *directory = book_directory(e, locate, BUY, 0); // both sides
    for (unsigned i = 0; i < 2 * DIRECTORY; i++)
        directory[i] = (struct directory_entry){NO_PAGE, 0};
    risk_open_symbol(e, locate);
    struct event event = {
        .type = EV_SYMBOL, .lines = 3, .flags = EV_MD_OTHER, .session = SESSION_NONE, .locate = locate};
    memcpy(event.symbol, book->name, sizeof event.symbol);
    event.round_lot = c->open_symbol.round_lot;
    emit_event(out, &event);
}

void day_open_account(struct engine *e, const struct command *c)
{
    uint16_t index = c->open_account.account;
    if (e->day != DAY_OPENING || index >= e->limit.max_accounts || e->accounts[index].open)
        return;
    struct account *account = &e->accounts[index];
    memcpy(account->name, c->open_account.name, sizeof account->name);
    memcpy(account->firm, c->open_account.firm, sizeof account->firm);
    memcpy(account->organisation, c->open_account.organisation, sizeof account->organisation);
    account->open = true;
    account->firm_index = index;
    for (uint16_t other = 0; other < index; other++) {
        if (!e->accounts[other].open || memcmp(e->accounts[other].firm, account->firm, sizeof account->firm) != 0)
            continue;
        account->firm_index = other;
        break;
    }
    risk_open_account(e, index);
}

void day_open_session(struct engine *e, const struct command *c)
{
    uint16_t account = c->open_session.account;
    if (e->day != DAY_OPENING || c->session >= e->limit.max_sessions || e->sessions[c->session].open ||
        account >= e->limit.max_accounts || !e->accounts[account].open)
        return;
    e->sessions[c->session] =
        (struct session){.open = true,
                         .account = account,
                         .cancel_on_disconnect = c->open_session.cancel_on_disconnect,
                         .post_only_cancels = c->open_session.post_only_cancels != 0,
                         .aiq_default = c->open_session.aiq_default == 'N' ? 0 : c->open_session.aiq_default};
    kill_session_opened(e, c->session);
    risk_open_session(e, c->session);
}

void day_start(struct engine *e, const struct command *c, struct out *out)
{
    int phase = phase_rank(c->phase.phase ? c->phase.phase : PHASE_REGULAR);
    if (e->day != DAY_OPENING || phase < 0 || phase == phase_rank(PHASE_CLOSED))
        return;
    phase_set(e, c->phase.phase);
    risk_limits_work_out(e);
    e->left = (struct unfinished){.work = WORK_START, .cursor = 1};
    day_start_continue(e, out);
}

#define START_CLOSING_EVENTS 3

void day_start_continue(struct engine *e, struct out *out)
{
    uint32_t *locate = &e->left.cursor;
    for (; *locate <= e->limit.max_symbols && !out_full(out); ++*locate) {
        if (e->books[*locate].tick == 0)
            continue;
        market_tell(e, (uint16_t)*locate, out);
    }
    if (*locate <= e->limit.max_symbols || out->count + START_CLOSING_EVENTS > ENGINE_EVENTS_MAX)
        return;
    emit_system(out, 'S', EV_MD_OTHER);
    if (e->phase == PHASE_REGULAR)
        emit_system(out, 'Q', EV_MD_OTHER);
    emit_system(out, 'S', 0);
    e->day = DAY_OPEN;
    e->trading_sessions = e->limit.max_sessions;
    e->left.work = WORK_NONE;
    market_phase(e, out);
}

void day_end(struct engine *e, struct out *out)
{
    if (e->day != DAY_OPEN)
        return;
    e->day = DAY_ENDED;
    e->trading_sessions = 0;
    e->left = (struct unfinished){.work = WORK_END, .reason = 'E'};
    if (e->limit.max_sessions)
        e->left.cursor = session_oldest(e, 0);
    day_end_continue(e, out);
}

#define END_CLOSING_EVENTS 5

void day_end_continue(struct engine *e, struct out *out)
{
    struct unfinished *left = &e->left;
    for (;;) {
        if (left->session < e->limit.max_sessions && !session_walk(e, out))
            return;
        if ((uint32_t)left->session + 1 >= e->limit.max_sessions)
            break;
        left->session++;
        left->cursor = session_oldest(e, left->session);
    }
    if (out->count + END_CLOSING_EVENTS > ENGINE_EVENTS_MAX)
        return;
    if (e->phase == PHASE_REGULAR)
        emit_system(out, 'M', EV_MD_OTHER);
    if (e->phase != PHASE_CLOSED)
        emit_system(out, 'E', EV_MD_OTHER);
    emit_system(out, 'C', EV_MD_OTHER);
    emit_system(out, 'E', 0);
    emit_day(out, EV_DAY_END, e->date);
    left->work = WORK_NONE;
}
