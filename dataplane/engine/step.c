// SPDX-License-Identifier: Apache-2.0
// The engine's front: a command in, its events out, many in a row, and whatever a command leaves for later steps.
#include "engine/afterwork.h"
#include "engine/day.h"
#include "engine/kill.h"
#include "engine/lookup.h"
#include "engine/market.h"
#include "engine/match_general.h"
#include "engine/numbers.h"
#include "engine/orders.h"
#include "engine/phases.h"
#include "engine/plain.h"
#include "engine/risk_limits.h"
#include "engine/sessions.h"
#include "engine/special.h"
#include "engine/trades.h"

// Debug builds walk the invariants after every step, less often where that would take minutes.
static inline void check(const struct engine *e)
{
#ifdef CROSSWIRE_CHECK
    if (e->limit.max_orders <= 4096 || e->sequence % 4096 == 0) {
        const char *broken = engine_check(e);
        if (broken)
            xw_assert_failed(broken, __FILE__, __LINE__);
    }
#endif
    (void)e;
}

static __attribute__((noinline)) unsigned other_order(struct engine *e, const struct command *c, struct event *events)
{
    if (c->type == CMD_ENTER)
        return order_enter_any(e, c, events);
    if (c->type == CMD_REPLACE)
        return risk_on(e) ? order_replace_risk(e, c, NULL, events) : order_replace(e, c, events);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_NO_EFFECT;
    if (!session_may_trade(e, c))
        return 0;
    if (risk_on(e))
        rates_message(e, c);
    switch (c->type) {
    case CMD_MODIFY:
        order_modify(e, c, &out);
        break;
    case CMD_MASS_CANCEL:
        session_mass_cancel(e, c, &out);
        break;
    case CMD_DISABLE:
    case CMD_ENABLE:
        session_entry_control(e, c, &out);
        break;
    case CMD_QUERY:
        session_query(e, c, &out);
        break;
    }
    return step_close(e, &out);
}

// What time brings: orders that expire first, then the market.
static void tick_run(struct engine *e, struct out *out)
{
    expiry_run(e, out);
    if (e->left.work == WORK_NONE)
        market_tick(e, out);
}

static void dispatch_control(struct engine *e, const struct command *c, struct out *out)
{
    e->outcome = OUTCOME_NONE;
    switch (c->type) {
    case CMD_SESSION_UP:
        session_up(e, c);
        return;
    case CMD_SESSION_DOWN:
        session_down(e, c, out);
        return;
    case CMD_OPEN_DAY:
        day_open(e, c, out);
        return;
    case CMD_OPEN_SYMBOL:
        day_open_symbol(e, c, out);
        return;
    case CMD_OPEN_ACCOUNT:
        day_open_account(e, c);
        return;
    case CMD_OPEN_SESSION:
        day_open_session(e, c);
        return;
    case CMD_START:
        day_start(e, c, out);
        return;
    case CMD_END_DAY:
        day_end(e, out);
        return;
    case CMD_PHASE:
        phase_change(e, c, out);
        return;
    case CMD_BREAK:
        trade_break(e, c, out);
        return;
    case CMD_ADJUST:
        trade_adjust(e, c, out);
        return;
    case CMD_KILL:
        kill_command(e, c, out);
        return;
    case CMD_RESET:
        kill_reset(e, c, out);
        return;
    case CMD_LIMIT:
        risk_limit_set(e, c, out);
        return;
    case CMD_POSITION:
        risk_position(e, c);
        return;
    case CMD_MODE:
        mode_change(e, c, out);
        return;
    case CMD_GROUP:
        group_set(e, c);
        return;
    case CMD_TICK:
        settle_tick(e);
        tick_run(e, out);
        return;
    case CMD_REFERENCE:
    case CMD_HALT:
    case CMD_INDEX:
    case CMD_BANDS:
        market_command(e, c, out);
        return;
    default: // CLOCK: time has moved, nothing waits for it; unknown types: nothing
        return;
    }
}

static __attribute__((noinline, cold)) unsigned control_command(struct engine *e, const struct command *c,
                                                                struct event *events)
{
    struct out out = out_open(e, events);
    dispatch_control(e, c, &out);
    return step_close(e, &out);
}

// Type and refusal as one word: what the gateway has refused has none of these.
static inline uint16_t kind_of(const struct command *c)
{
    uint16_t kind;
    memcpy(&kind, &c->type, sizeof kind);
    return kind;
}

// What is none of the three frequent types, or was refused by the gateway.
static inline unsigned dispatch_rest(struct engine *e, const struct command *c, struct event *events)
{
    if ((uint8_t)(c->type - CMD_ENTER) > CMD_QUERY - CMD_ENTER)
        return control_command(e, c, events);
    return other_order(e, c, events);
}

// The most frequent type first.
static inline __attribute__((always_inline)) unsigned dispatch(struct engine *e, const struct command *c,
                                                               struct event *events)
{
    uint16_t kind = kind_of(c);
    if (kind == CMD_ENTER)
        return order_enter(e, c, events);
    if (kind == CMD_CANCEL)
        return order_cancel(e, c, events);
    if (kind == CMD_REPLACE)
        return order_replace(e, c, events);
    return dispatch_rest(e, c, events);
}

static __attribute__((noinline)) unsigned dispatch_risk(struct engine *e, const struct command *c,
                                                        const struct engine_aim *aim, struct event *events)
{
    uint16_t kind = kind_of(c);
    if (kind == CMD_ENTER)
        return order_enter_risk(e, c, aim, events);
    if (kind == CMD_CANCEL)
        return order_cancel_risk(e, c, aim, events);
    if (kind == CMD_REPLACE)
        return order_replace_risk(e, c, aim, events);
    return dispatch_rest(e, c, events);
}

static inline void begin(struct engine *e, const struct command *c)
{
    e->sequence++;
    e->time_ns = c->time_ns > e->time_ns ? c->time_ns : e->time_ns;
}

unsigned engine_step(struct engine *e, const struct command *c, struct event *events)
{
    // The next in sequence, and nothing is left of the last.
    xw_assert(((c->seq ^ (e->sequence + 1)) << (64 - COMMAND_SEQ_BITS) | e->left.work) == 0);
    begin(e, c);
    unsigned count = __builtin_expect(risk_on(e), 0) ? dispatch_risk(e, c, NULL, events) : dispatch(e, c, events);
    check(e);
    return count;
}

// The same with the straight ways in place of their calls.
static inline __attribute__((always_inline)) unsigned dispatch_inline(struct engine *e, const struct command *c,
                                                                      const struct engine_aim *aim,
                                                                      struct event *events, bool *straight)
{
    uint16_t kind = kind_of(c);
    if (kind == CMD_ENTER)
        return plain_enter(e, c, aim, events, false, straight);
    if (kind == CMD_CANCEL)
        return plain_cancel(e, c, aim, events, false, straight);
    if (kind == CMD_REPLACE)
        return plain_replace(e, c, aim, events, false, straight);
    return dispatch_rest(e, c, events);
}

// `aimed` and `risk` are constants. Who has come straight to his end is not asked how he ended.
static inline __attribute__((always_inline)) unsigned run(struct engine *e, struct command *const *commands,
                                                          unsigned commands_count, const struct engine_ahead *ahead,
                                                          unsigned at, struct event *events, unsigned *count,
                                                          bool aimed, bool risk)
{
    struct command *const *next = commands, *const *const stop = commands + commands_count;
    struct event *end = events, *const last = events + ENGINE_RUN_EVENTS - ENGINE_EVENTS_MAX - ENGINE_RUN_MOST;
    for (;;) {
        struct command *c = *next++;
        const struct engine_aim *aim = aimed ? &ahead->aims[at++ % ENGINE_AHEAD_AIMS] : NULL;
        bool straight = false;
        c->prev_hash = (uint32_t)e->lanes.a; // the hash's low half
        begin(e, c);
        end += risk ? dispatch_risk(e, c, aim, end) : dispatch_inline(e, c, aim, end, &straight);
        check(e);
        if (!straight && (e->outcome != OUTCOME_ACCEPTED || e->left.work != WORK_NONE || end > last))
            break;
        if (next == stop)
            break;
    }
    *count = (unsigned)(end - events);
    return (unsigned)(next - commands);
}

static __attribute__((noinline)) unsigned run_risk(struct engine *e, struct command *const *commands,
                                                   unsigned commands_count, const struct engine_ahead *ahead,
                                                   unsigned at, struct event *events, unsigned *count)
{
    return ahead ? run(e, commands, commands_count, ahead, at, events, count, true, true)
                 : run(e, commands, commands_count, NULL, 0, events, count, false, true);
}

unsigned engine_run(struct engine *e, struct command *const *commands, unsigned commands_count,
                    const struct engine_ahead *ahead, unsigned at, struct event *events, unsigned *count)
{
    xw_assert(e->left.work == WORK_NONE && commands_count - 1 < ENGINE_RUN_MOST);
    if (__builtin_expect(risk_on(e), 0))
        return run_risk(e, commands, commands_count, ahead, at, events, count);
    return ahead ? run(e, commands, commands_count, ahead, at, events, count, true, false)
                 : run(e, commands, commands_count, NULL, 0, events, count, false, false);
}

unsigned engine_continue(struct engine *e, struct event *events)
{
    struct out out = out_open(e, events);
    switch (e->left.work) {
    case WORK_NONE:
        break;
    case WORK_MATCH:
        order_match(e, &out);
        break;
    case WORK_GENERAL:
        if (match_general(e, &out))
            e->left.work = WORK_NONE;
        break;
    case WORK_ENTRY:
        special_resume(e, &out);
        break;
    case WORK_SESSION:
        if (session_walk(e, &out))
            e->left.work = WORK_NONE;
        break;
    case WORK_START:
        day_start_continue(e, &out);
        break;
    case WORK_END:
        day_end_continue(e, &out);
        break;
    case WORK_PHASE:
        phase_continue(e, &out);
        break;
    case WORK_EXPIRY:
        tick_run(e, &out);
        break;
    case WORK_MARKET:
        market_continue(e, &out);
        break;
    case WORK_AFTER:
        e->left.work = WORK_NONE;
        break;
    case WORK_KILL:
        kill_continue(e, &out);
        break;
    case WORK_LIMITS:
        risk_limits_continue(e);
        break;
    }
    unsigned count = step_close(e, &out);
    check(e);
    return count;
}

uint64_t engine_sequence(const struct engine *e)
{
    return e->sequence;
}

uint64_t engine_event_hash(const struct engine *e)
{
    return event_lanes_hash(e->lanes);
}

uint64_t engine_time_ns(const struct engine *e)
{
    return e->time_ns;
}

uint32_t engine_live_orders(const struct engine *e)
{
    return live_orders(e);
}

uint32_t engine_day_open(const struct engine *e)
{
    return e->day == DAY_OPEN ? e->date : 0;
}

enum engine_outcome engine_outcome(const struct engine *e)
{
    return e->outcome;
}

bool engine_session_up(const struct engine *e, uint16_t session)
{
    return session < e->limit.max_sessions && e->sessions[session].up;
}
