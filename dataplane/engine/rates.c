// SPDX-License-Identifier: Apache-2.0
#include "engine/rates.h"

#include "contract/reject.h"
#include "engine/mode.h"
#include "engine/risk_limits.h"
#include "engine/settle.h"

#define MS_NS UINT64_C(1000000)

static uint64_t session_limit(const struct engine *e, uint16_t session, enum limit limit)
{
    return risk_limit(e, SCOPE_SESSION, session, limit);
}

// The tighter of the session's and its account's.
static uint64_t tighter(const struct engine *e, uint16_t session, enum limit limit)
{
    uint64_t own = session_limit(e, session, limit);
    uint64_t above = risk_limit(e, SCOPE_ACCOUNT, e->sessions[session].account, limit);
    return own < above ? own : above;
}

static uint64_t window_ns(uint64_t ms)
{
    return (ms == LIMIT_UNSET ? WINDOW_MS_DEFAULT : ms) * MS_NS;
}

// The session's own time, else its account's.
static uint64_t alike_ns(const struct engine *e, uint16_t session)
{
    uint64_t own = session_limit(e, session, LIMIT_DUPLICATE_MS);
    return window_ns(
        own != LIMIT_UNSET ? own : risk_limit(e, SCOPE_ACCOUNT, e->sessions[session].account, LIMIT_DUPLICATE_MS));
}

static void alike_set(struct engine *e, uint16_t session)
{
    struct alike_limit *alike = &e->risk.lines[session].alike;
    uint64_t most = tighter(e, session, LIMIT_DUPLICATES);
    alike->most = most < ALIKE_ANY ? (uint32_t)most : ALIKE_ANY;
    alike->window_ns = alike_ns(e, session);
    uint64_t ppm = settle_alert_ppm(e, SCOPE_ACCOUNT, e->sessions[session].account);
    e->paces[session].alike_tell = alike->most == ALIKE_ANY ? 0 : (uint32_t)((alike->most * ppm + 999999) / 1000000);
}

void rates_session(struct engine *e, uint16_t session)
{
    struct tokens_pair *paced = &e->sessions[session].paced;
    struct pace *pace = &e->paces[session];
    uint64_t ppm = settle_alert_ppm(e, SCOPE_ACCOUNT, e->sessions[session].account);
    struct tokens orders = tokens_of(paced, PACED_ORDERS), messages = tokens_of(paced, PACED_MESSAGES);
    tokens_set(&orders, &pace->orders, session_limit(e, session, LIMIT_ORDER_RATE),
               session_limit(e, session, LIMIT_ORDER_BURST), e->time_ns);
    tokens_watch(&orders, &pace->orders, ppm);
    tokens_set(&messages, &pace->messages, session_limit(e, session, LIMIT_MESSAGE_RATE), LIMIT_UNSET, e->time_ns);
    tokens_watch(&messages, &pace->messages, ppm);
    tokens_put(paced, PACED_ORDERS, orders);
    tokens_put(paced, PACED_MESSAGES, messages);
    alike_set(e, session);
    pace->mmp_ns = window_ns(session_limit(e, session, LIMIT_MMP_MS));
    pace->mmp_fills = session_limit(e, session, LIMIT_MMP_FILLS);
    pace->mmp_quantity = session_limit(e, session, LIMIT_MMP_QUANTITY);
}

void rates_symbol(struct engine *e, uint16_t locate)
{
    struct symbol_pace *symbol = &e->symbol_paces[locate];
    tokens_set(&symbol->orders, &symbol->rest, risk_limit(e, SCOPE_SYMBOL, locate, LIMIT_SYMBOL_RATE), LIMIT_UNSET,
               e->time_ns);
    tokens_watch(&symbol->orders, &symbol->rest, settle_alert_ppm(e, SCOPE_VENUE, 0));
}

// ---- orders a second of a session that is slowed --------------------------------------------------------------------

// What the session's account and firm, and the modes, slow it down to; LIMIT_UNSET: nothing does.
static uint64_t slow_rate(const struct engine *e, uint16_t session)
{
    uint64_t rate = settle_slow_rate(e, e->sessions[session].account), mode = mode_rate(e);
    return rate < mode ? rate : mode;
}

// The bucket of a session that is slowed; NULL: it is not.
static __attribute__((noinline)) struct tokens *slowed_bucket(struct engine *e, uint16_t session)
{
    struct pace *pace = &e->paces[session];
    uint64_t rate = slow_rate(e, session);
    if (rate == LIMIT_UNSET)
        return NULL;
    xw_assert(rate <= UINT32_MAX); // as a limit and as a mode's
    if (pace->slow_rate != rate) {
        pace->slow_rate = (uint32_t)rate;
        tokens_set(&pace->slowed, &pace->slowed_rest, rate, LIMIT_UNSET, e->time_ns);
        pace->slowed_rest.low = 0;
        pace->slowed_rest.span = UINT64_MAX;
    }
    return &pace->slowed;
}

// ---- checks ---------------------------------------------------------------------------------------------------------

__attribute__((noinline, cold)) void rates_turned(struct engine *e, uint16_t session, enum pace_told what)
{
    e->paces[session].turned |= (uint16_t)what;
    settle_party(e, party_of_session(e, session));
}

static uint8_t refuse(struct engine *e, enum limit limit, uint8_t reason)
{
    e->risk.refused = limit;
    return reason;
}

// Check 4: the first of the reasons, or all buckets give a token.
static uint8_t take_tokens(struct engine *e, uint16_t session, uint16_t locate)
{
    struct tokens_pair *paced = &e->sessions[session].paced;
    struct pace *pace = &e->paces[session];
    struct symbol_pace *symbol = &e->symbol_paces[locate];
    struct tokens *slowed = NULL;
    struct tokens orders = tokens_of(paced, PACED_ORDERS), messages = tokens_of(paced, PACED_MESSAGES);
    uint64_t now = e->time_ns;
    if (!tokens_pass(&orders, &pace->orders, now))
        return refuse(e, LIMIT_ORDER_RATE, REJECT_PORT_RATE);
    if (!tokens_pass(&messages, &pace->messages, now))
        return refuse(e, LIMIT_MESSAGE_RATE, REJECT_PORT_RATE);
    if (__builtin_expect(e->slowing != 0, 0)) {
        slowed = slowed_bucket(e, session);
        if (slowed && !tokens_pass(slowed, &pace->slowed_rest, now))
            return refuse(e, LIMIT_SLOW_RATE, REJECT_PORT_RATE);
    }
    if (!tokens_pass(&symbol->orders, &symbol->rest, now))
        return refuse(e, LIMIT_SYMBOL_RATE, REJECT_SYMBOL_RATE);
    if (slowed)
        tokens_take(slowed, &pace->slowed_rest, now);
    if (tokens_take(&orders, &pace->orders, now))
        rates_turned(e, session, TOLD_ORDERS);
    if (tokens_take(&messages, &pace->messages, now))
        rates_turned(e, session, TOLD_MESSAGES);
    paced->due[PACED_ORDERS] = orders.due;
    paced->due[PACED_MESSAGES] = messages.due;
    if (tokens_take(&symbol->orders, &symbol->rest, now))
        settle_symbol(e, locate);
    return REJECT_NONE;
}

uint8_t rates_enter(struct engine *e, uint16_t session, uint16_t locate, char side, uint32_t quantity, uint32_t price)
{
    uint8_t reason = take_tokens(e, session, locate);
    struct alike_limit *alike = &e->risk.lines[session].alike;
    if (reason != REJECT_NONE || alike->most == ALIKE_ANY)
        return reason;
    uint32_t count = alike_take(&e->risk.lines[session].tags, &e->alikes[session], alike,
                                rates_instrument(locate, side), quantity, price, e->time_ns);
    if (count == 0)
        return refuse(e, LIMIT_DUPLICATES, REJECT_DUPLICATE_RATE);
    if (count > 1 && count == e->paces[session].alike_tell)
        rates_turned(e, session, TOLD_ALIKE);
    return REJECT_NONE;
}

__attribute__((noinline, cold)) void rates_message_closely(struct engine *e, uint16_t session)
{
    struct tokens_pair *paced = &e->sessions[session].paced;
    const struct tokens_rest *rest = &e->paces[session].messages;
    struct tokens messages = tokens_of(paced, PACED_MESSAGES);
    if (tokens_pass(&messages, rest, e->time_ns) && tokens_take(&messages, rest, e->time_ns))
        rates_turned(e, session, TOLD_MESSAGES);
    paced->due[PACED_MESSAGES] = messages.due;
}

uint8_t rates_replace(struct engine *e, uint16_t session, uint16_t locate)
{
    return take_tokens(e, session, locate);
}

const char *rates_check(const struct engine *e)
{
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        const struct session_line *line = &e->risk.lines[session];
        const struct pace *pace = &e->paces[session];
        const struct alike *alike = &e->alikes[session];
        if (line->alike.next >= ALIKE_PLACES)
            return "a session's places of orders alike have no next";
        for (unsigned i = 0; i < ALIKE_PLACES; i++)
            if (alike->places[i].instrument && line->tags.tags[i] != alike_tag(&alike->places[i]))
                return "a place of orders alike has the tag of another kind";
        if (e->left.work == WORK_NONE && pace->turned)
            return "a session waits to be settled between two commands";
        const struct tokens orders = tokens_of(&e->sessions[session].paced, PACED_ORDERS);
        if (orders.step && orders.due > e->time_ns + (uint64_t)pace->orders.slack + orders.step)
            return "a session has taken more orders than its burst";
    }
    return NULL;
}
