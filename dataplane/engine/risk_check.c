// SPDX-License-Identifier: Apache-2.0
// The checks of an order that is about to be taken, in the order of risk.md.
#include "engine/collar.h"
#include "engine/place.h"
#include "engine/risk_limits.h"
#include "engine/risk_plain.h"
#include "engine/single.h"

#define UNLIKELY(condition) __builtin_expect((condition), 0)
#define PPM UINT64_C(1000000)

static uint8_t refuse(struct engine *e, enum limit limit, uint8_t reason)
{
    e->risk.refused = limit;
    return reason;
}

// ---- 3: what is not permitted
// ----------------------------------------------------------------------------------------

// Open quantity of the account's stops that wait on that side of the symbol.
static uint64_t stops_waiting(const struct engine *e, uint16_t account, uint16_t locate, unsigned side)
{
    uint64_t quantity = 0;
    for (uint32_t stop = e->backs[locate].stops[side]; stop; stop = e->specials[stop].next) {
        const struct order *order = &e->orders[e->specials[stop].slot];
        if (e->sessions[key_session(order->key)].account == account)
            quantity += order_open(e, order);
    }
    return quantity;
}

// Whether the order would leave its account a position, all orders of its side but stops filled, that is larger than
// its stops on the other side. Orders with a trigger, and so replacements of such, do not ask.
static bool uncovered(const struct engine *e, const struct risk_order *o)
{
    uint32_t number = position_find(e, o->account, o->locate);
    const struct position *position = &e->risk.positions[number];
    int64_t held = side_turn(o->side, position->quantity);
    int64_t open = (int64_t)position->working[o->side] - (int64_t)stops_waiting(e, o->account, o->locate, o->side) +
                   (int64_t)o->quantity;
    if (o->original)
        open -= order_open(e, &e->orders[o->original]);
    return held + open > 0 && held + open > (int64_t)stops_waiting(e, o->account, o->locate, o->side ^ 1);
}

static __attribute__((noinline)) uint8_t check_permitted(struct engine *e, const struct risk_order *o,
                                                         uint32_t forbidden)
{
    static const struct {
        uint32_t bit;
        uint8_t reason;
    } rejects[] = {{FORBID_ALL, REJECT_RESTRICTED_STOCK},
                   {FORBID_MARKET, REJECT_MARKET_ORDER},
                   {FORBID_ISO, REJECT_ISO},
                   {FORBID_PRE_MARKET, REJECT_PRE_MARKET},
                   {FORBID_POST_MARKET, REJECT_POST_MARKET},
                   {FORBID_HIDDEN | FORBID_PEG | FORBID_STOP | FORBID_RESERVE | FORBID_IOC, REJECT_ORDER_TYPE},
                   {FORBID_SHORT, REJECT_SHORT_SELL},
                   {FORBID_SHORT_EXEMPT, REJECT_SHORT_EXEMPT},
                   {FORBID_SHORT_UNLOCATED, REJECT_LOCATE_REQUIRED}};
    for (unsigned i = 0; i < sizeof rejects / sizeof *rejects; i++)
        if (forbidden & o->asks & rejects[i].bit)
            return refuse(e, LIMIT_FORBIDDEN, rejects[i].reason);
    return uncovered(e, o) ? refuse(e, LIMIT_FORBIDDEN, REJECT_OTHER) : REJECT_NONE; // FORBID_WITHOUT_STOP_LOSS
}

// ---- 6: the order alone
// ----------------------------------------------------------------------------------------------

static inline uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The price that an order is counted at: no lower than the one it may trade at on entry.
static inline uint32_t counted_price(const struct engine *e, const struct risk_order *o)
{
    const struct book *book = &e->books[o->locate];
    uint32_t price = o->reach;
    if (UNLIKELY(price > PRICE_MAX)) {
        price = risk_mark(e, o->locate);
        if (o->side == BUY) {
            price = larger(price, book->best[SELL] == NO_ASK ? 0 : book->best[SELL]);
            price = larger(price, book->best[SELL | HIDDEN] == NO_ASK ? 0 : book->best[SELL | HIDDEN]);
        }
    }
    uint32_t sells = 0u - o->side; // a mask: sides can not be foreseen
    return larger(price, larger(book->best[BUY], book->best[BUY | HIDDEN]) & sells);
}

// How far the price goes beyond the last sale.
static __attribute__((noinline)) uint8_t check_fat_finger(struct engine *e, const struct risk_order *o, uint32_t ppm,
                                                          uint32_t ticks)
{
    uint32_t from = o->waits ? o->stop : risk_mark(e, o->locate);
    if (from == 0 || o->reach > PRICE_MAX)
        return REJECT_NONE;
    int64_t beyond = side_turn(o->side, (int64_t)o->reach - from);
    if (beyond <= 0)
        return REJECT_NONE;
    uint8_t refused = REJECT_NONE;
    if (ppm != LIMIT_UNSET32 && (uint64_t)beyond * PPM > (uint64_t)from * ppm) // rounded up: it is above when that is
        refused =
            single_reached(e, o, LIMIT_FAT_FINGER, ((uint64_t)beyond * PPM + from - 1) / from, REJECT_RISK_FAT_FINGER);
    const uint32_t tick = e->books[o->locate].tick;
    if (refused == REJECT_NONE && ticks != LIMIT_UNSET32 && (uint64_t)beyond > (uint64_t)ticks * tick)
        refused =
            single_reached(e, o, LIMIT_FAT_FINGER_TICKS, ((uint64_t)beyond + tick - 1) / tick, REJECT_RISK_FAT_FINGER);
    return refused;
}

// While a mark moves by no more than this part of it, what is kept ready stands: it is so much tighter.
#define MARK_STEADY 64u

__attribute__((noinline)) void risk_symbol_refresh(struct engine *e, uint16_t locate)
{
    const struct tightest *tightest = &e->risk.tightest;
    struct symbol_pace *symbol = &e->symbol_paces[locate];
    const uint32_t ppm = smaller(tightest->fat.ppm, symbol->fat.ppm);
    const uint32_t ticks = smaller(tightest->fat.ticks, symbol->fat.ticks);
    const uint32_t mark = risk_mark(e, locate), about = mark / MARK_STEADY;
    symbol->mark_from = mark - about;
    symbol->mark_span = 2 * about;
    symbol->reach = INT32_MAX; // without a mark nobody is asked
    if (mark) {
        const uint64_t edge = (uint64_t)(mark - about) * ppm / PPM, by_ticks = (uint64_t)ticks * e->books[locate].tick;
        symbol->reach = (uint32_t)least(INT32_MAX, least(edge, by_ticks));
    }
    const bool bounded = symbol->adv && tightest->adv_ppm != LIMIT_UNSET32;
    symbol->volume = bounded ? (uint32_t)least(UINT32_MAX, symbol->adv * tightest->adv_ppm / PPM) : UINT32_MAX;
}

// Above what is watched: a limit, or an alert level.
static __attribute__((noinline)) uint8_t check_size(struct engine *e, const struct risk_order *o, uint64_t notional)
{
    uint8_t reason = single_reached(e, o, LIMIT_MAX_QUANTITY, o->quantity, REJECT_MAX_QUANTITY);
    return reason == REJECT_NONE ? single_reached(e, o, LIMIT_MAX_NOTIONAL, notional, REJECT_SINGLE_NOTIONAL) : reason;
}

static inline uint8_t check_alone(struct engine *e, const struct risk_order *o, const struct session_line *line,
                                  uint64_t notional)
{
    const struct order_limits *session = &line->limits, *symbol = &e->symbol_paces[o->locate].limits;
    const struct fat_finger *fat = &e->symbol_paces[o->locate].fat;
    if (UNLIKELY(o->quantity > smaller(session->quantity, symbol->quantity)) ||
        UNLIKELY(notional > session->notional) || UNLIKELY(notional > symbol->notional)) {
        uint8_t reason = check_size(e, o, notional);
        if (reason != REJECT_NONE)
            return reason;
    }
    uint32_t ppm = smaller(line->fat.ppm, fat->ppm), ticks = smaller(line->fat.ticks, fat->ticks);
    if ((ppm & ticks) != LIMIT_UNSET32) {
        uint8_t reason = check_fat_finger(e, o, ppm, ticks);
        if (UNLIKELY(reason != REJECT_NONE))
            return reason;
    }
    if (UNLIKELY((session->forbidden | symbol->forbidden) & LOOK_COLLAR)) {
        uint8_t reason = collar_check(e, o);
        if (reason != REJECT_NONE)
            return reason;
    }
    return hook_market(e, o);
}

// ---- 7: what its session, account and firm come to
// -------------------------------------------------------------------

// What the order adds, a replace as the difference.
struct added {
    int64_t quantity, notional;
    unsigned side;
    struct lease_change taken; // of room
};

// Whether a figure is above what is watched with the order. Of parties without leases.
static inline bool above(const struct party *party, const struct added *added)
{
    return lease_exceeded((party->lanes[0] + added->taken.low) | (party->lanes[1] + added->taken.high));
}

void risk_look(struct engine *e, uint16_t session)
{
    static const struct added none;
    if (e->sessions[session].risk == 0 || lease_holds(e, &e->risk.lines[session]))
        return;
    const struct session_line *line = &e->risk.lines[session];
    uint32_t parties[] = {party_of_session(e, session), line->account, line->firm};
    for (unsigned i = 0; i < 3; i++)
        if (above(&e->parties[parties[i]], &none))
            hook_stage_reached(e, parties[i]);
}

// Something is above what is watched: a limit, or the level of an alert.
static __attribute__((noinline)) uint8_t check_uses(struct engine *e, uint16_t session, const struct added *added)
{
    const struct {
        enum use use;
        enum figure figure;
        uint8_t reason;
    } order[] = {{USE_DAY_QUANTITY, FIGURE_DAY_QUANTITY, REJECT_SHARE_THRESHOLD},
                 {USE_DAY_VALUE, FIGURE_DAY_VALUE, REJECT_NOTIONAL_THRESHOLD},
                 {USE_ORDERS, FIGURE_ORDERS, REJECT_OTHER},
                 {USE_GROSS, FIGURE_GROSS, REJECT_AGGREGATE_EXPOSURE},
                 {USE_NET, FIGURE_NET_BUY + added->side, REJECT_AGGREGATE_EXPOSURE}};
    const struct session_line *line = &e->risk.lines[session];
    const uint32_t parties[] = {party_of_session(e, session), line->account, line->firm};
    for (unsigned k = 0; k < USES; k++) {
        for (unsigned i = 0; i < 3; i++) {
            unsigned figure = order[k].figure;
            const risk_lanes *taken = figure < 4 ? &added->taken.low : &added->taken.high;
            int64_t used = party_figure(&e->parties[parties[i]], figure) - (int64_t)(*taken)[figure % 4];
            if (used > 0 && (uint64_t)used > party_most(e, parties[i], order[k].use))
                return refuse(e, use_limit(order[k].use), order[k].reason);
        }
    }
    for (unsigned i = 0; i < 3; i++)
        if (above(&e->parties[parties[i]], added))
            hook_stage_reached(e, parties[i]);
    return REJECT_NONE;
}

// What of the position's side there is when all orders of the side are filled.
static inline int64_t held_with(const struct position *position, const struct added *added)
{
    return side_turn(added->side, position->quantity) + position->working[added->side] + added->quantity;
}

// The account's limit of a symbol and the position's own; their alert level.
static __attribute__((noinline)) uint8_t check_position(struct engine *e, const struct risk_order *o,
                                                        const struct added *added)
{
    const struct position *position = &e->risk.positions[o->position];
    const enum limit limit = added->side == BUY ? LIMIT_LONG_POSITION : LIMIT_SHORT_POSITION;
    const uint64_t own = hook_scaled(e, limit, e->risk.backs[o->position].most[added->side]);
    const uint64_t most = least(own, risk_limit(e, SCOPE_ACCOUNT, o->account, limit));
    const int64_t held = held_with(position, added);
    if (held <= 0)
        return REJECT_NONE;
    if ((uint64_t)held > most)
        return refuse(e, limit, REJECT_SHARE_THRESHOLD);
    single_near(e, o->session, o->locate, limit, most, (uint64_t)held);
    return REJECT_NONE;
}

// One position's value against the capital; what only closes is not asked.
static inline uint64_t share_value(const struct position *position, const struct added *added)
{
    int64_t cost = side_turn(added->side, position->cost);
    uint64_t opened = cost > 0 ? (uint64_t)cost : 0; // none when it is of the other side
    return opened + position->notional[added->side] + (uint64_t)added->notional;
}

static __attribute__((noinline)) uint8_t check_share(struct engine *e, const struct risk_order *o,
                                                     const struct added *added, uint64_t value)
{
    const uint64_t most = risk_share(e, o->account);
    if (held_with(&e->risk.positions[o->position], added) <= 0)
        return REJECT_NONE;
    if (value > most)
        return refuse(e, LIMIT_POSITION_SHARE, REJECT_AGGREGATE_EXPOSURE);
    single_near(e, o->session, o->locate, LIMIT_POSITION_SHARE, most, value);
    return REJECT_NONE;
}

static uint64_t volume_of(const struct position *position)
{
    return (uint64_t)position->day + position->working[BUY] + position->working[SELL];
}

// What all accounts of a firm have in a symbol: at most a look at each.
static uint64_t firm_volume(const struct engine *e, uint16_t firm, uint16_t locate)
{
    uint64_t volume = 0;
    for (uint32_t account = firm; account < e->limit.max_accounts; account++)
        if (e->accounts[account].open && risk_firm(e, (uint16_t)account) == firm)
            volume += volume_of(&e->risk.positions[position_find(e, (uint16_t)account, locate)]);
    return volume;
}

// The volume as a share of the average day's, in millionths rounded up; whether that is above the limit, or at its
// level.
static bool share_of_volume_above(struct engine *e, const struct risk_order *o, uint64_t volume, uint64_t adv,
                                  uint64_t most)
{
    const uint64_t share = (volume * PPM + adv - 1) / adv;
    if (share <= most)
        single_near(e, o->session, o->locate, LIMIT_ADV, most, share);
    return share > most;
}

// Where all that the firm has today, in whatever symbol, is less than any level, nothing has to be added up.
static __attribute__((noinline)) bool volume_above(struct engine *e, const struct risk_order *o,
                                                   const struct session_line *line, const struct added *added)
{
    const uint64_t adv = hook_adv(e, o->locate), more = (uint64_t)added->quantity;
    const uint16_t firm = risk_firm(e, o->account);
    const uint64_t account_most = risk_limit(e, SCOPE_ACCOUNT, o->account, LIMIT_ADV);
    const uint64_t firm_most = risk_limit(e, SCOPE_FIRM, firm, LIMIT_ADV);
    if (adv == 0 || (line->firm_quantity + more) * PPM <= adv * line->adv_ppm)
        return false;
    lease_end_party(e, line->firm);
    if ((party_used(e, line->firm, USE_DAY_QUANTITY) + more) * PPM <= adv * line->adv_ppm)
        return false;
    if (account_most != LIMIT_UNSET &&
        share_of_volume_above(e, o, volume_of(&e->risk.positions[o->position]) + more, adv, account_most))
        return true;
    return firm_most != LIMIT_UNSET &&
           share_of_volume_above(e, o, firm_volume(e, firm, o->locate) + more, adv, firm_most);
}

static inline uint8_t check_holding(struct engine *e, struct risk_order *o, struct session_line *line,
                                    uint64_t notional)
{
    struct added added = {.quantity = o->quantity, .notional = (int64_t)notional, .side = o->side};
    if (o->original) {
        const struct order *original = &e->orders[o->original];
        uint32_t open = order_open(e, original);
        added.quantity -= open;
        added.notional -= (int64_t)((uint64_t)open * risk_price(original));
    }
    added.taken = taken_lanes(o->side, added.quantity, added.notional, o->original == 0);
    const struct position *position = &e->risk.positions[o->position];
    if (UNLIKELY(held_with(position, &added) > line->most[o->side]) || UNLIKELY(position->state & POSITION_BOUNDED)) {
        uint8_t reason = check_position(e, o, &added);
        if (reason != REJECT_NONE)
            return reason;
    }
    if (UNLIKELY(!lease_fits(e, line, added.taken))) {
        uint8_t reason = check_uses(e, o->session, &added);
        if (reason != REJECT_NONE)
            return reason;
    }
    if (line->adv_ppm != LIMIT_UNSET32 && volume_above(e, o, line, &added))
        return refuse(e, LIMIT_ADV, REJECT_ADV_LIMIT);
    const uint64_t value = share_value(position, &added);
    if (UNLIKELY(value > line->share)) {
        uint8_t reason = check_share(e, o, &added, value);
        if (reason != REJECT_NONE)
            return reason;
    }
    return hook_holding(e, o, (int64_t)added.notional);
}

uint8_t risk_check(struct engine *e, struct risk_order *o)
{
    struct session_line *line = &e->risk.lines[o->session];
    const struct order_limits *symbol = &e->symbol_paces[o->locate].limits;
    e->risk.refused = LIMITS;
    e->risk.checked = e->sequence;
    uint8_t reason = hook_blocked(e, o);
    if (UNLIKELY(reason != REJECT_NONE))
        return reason;
    uint32_t forbidden = line->limits.forbidden | symbol->forbidden;
    if (UNLIKELY(forbidden & o->asks)) {
        reason = check_permitted(e, o, forbidden);
        if (reason != REJECT_NONE)
            return reason;
    }
    reason = hook_rates(e, o);
    if (UNLIKELY(reason != REJECT_NONE))
        return reason;
    uint64_t notional = (uint64_t)o->quantity * counted_price(e, o);
    reason = check_alone(e, o, line, notional);
    if (UNLIKELY(reason != REJECT_NONE))
        return reason;
    o->position = o->original ? e->orders[o->original].position : position_find(e, o->account, o->locate);
    if (UNLIKELY(o->position == 0)) {
        o->position = position_take(e, o->account, o->locate);
        if (o->position == 0)
            return REJECT_PROCESSING;
    }
    return check_holding(e, o, line, notional);
}
