// SPDX-License-Identifier: Apache-2.0
#include "engine/settle_snapshot.h"

#include "engine/losses.h"
#include "engine/mode.h"
#include "engine/risk_limits.h"
#include "engine/settle.h"

#define LOOKS 512u // entries without anything that one call passes over

enum kind { KIND_MODES, KIND_SYMBOLS, KIND_PACES, KIND_ALIKE, KIND_HOLDINGS, KIND_PARTIES, KIND_MARKS, KINDS };

enum { TOLD_ORDER_RATE = 1 << 0, TOLD_MESSAGE_RATE = 1 << 1 };

static uint32_t count_of(const struct engine *e, uint32_t kind)
{
    switch (kind) {
    case KIND_MODES:
        return MODES;
    case KIND_SYMBOLS:
        return e->limit.max_symbols + 1u;
    case KIND_PACES:
    case KIND_ALIKE:
        return e->limit.max_sessions;
    case KIND_HOLDINGS:
        return e->risk.positions_count + 1;
    case KIND_PARTIES:
        return 2 * (uint32_t)e->limit.max_accounts + e->limit.max_sessions;
    default:
        return 1;
    }
}

// ---- one entry each: true when there is something to say ------------------------------------------------------------

static bool put_mode(const struct engine *e, uint32_t at, struct command *c)
{
    const struct mode *mode = &e->modes[at];
    c->restore_rates.values[0] = mode->percent;
    c->restore_rates.values[1] = mode->rate;
    c->restore_rates.values[2] = mode->block;
    return mode->on;
}

static bool put_symbol(const struct engine *e, uint32_t at, struct command *c)
{
    const struct symbol_pace *symbol = &e->symbol_paces[at];
    c->restore_rates.values[0] = symbol->orders.due;
    c->restore_rates.values[1] = symbol->group;
    c->restore_rates.told = symbol->rest.low != 0;
    return symbol->orders.due || symbol->group;
}

static bool put_pace(const struct engine *e, uint32_t at, struct command *c)
{
    const uint64_t *due = e->sessions[at].paced.due;
    const struct pace *pace = &e->paces[at];
    c->restore_rates.values[0] = due[PACED_ORDERS];
    c->restore_rates.values[1] = due[PACED_MESSAGES];
    c->restore_rates.values[2] = pace->slowed.due;
    c->restore_rates.values[3] = pace->slow_rate;
    c->restore_rates.values[4] = e->risk.lines[at].alike.next;
    c->restore_rates.values[5] = e->singles[at].until_ns;
    c->restore_rates.told =
        (pace->orders.low != 0 ? TOLD_ORDER_RATE : 0) | (pace->messages.low != 0 ? TOLD_MESSAGE_RATE : 0);
    return (due[PACED_ORDERS] | due[PACED_MESSAGES] | e->singles[at].until_ns) != 0;
}

#define ALIKE_A_RECORD 3u

static bool put_alike(const struct engine *e, uint32_t at, uint32_t place, struct command *c)
{
    const struct alike_place *from = &e->alikes[at].places[place];
    uint32_t count = 0;
    c->restore_rates.place = (uint8_t)place;
    for (; count < ALIKE_A_RECORD && place + count < ALIKE_PLACES && from[count].instrument; count++) {
        c->restore_rates.values[3 * count] = from[count].began;
        c->restore_rates.values[3 * count + 1] = from[count].amount;
        c->restore_rates.values[3 * count + 2] = from[count].instrument | (uint64_t)from[count].count << 32;
    }
    return count != 0;
}

static bool put_holding(const struct engine *e, uint32_t at, struct command *c)
{
    const struct position *position = &e->risk.positions[e->risk.begun[at]];
    const struct holding *holding = &position->holding;
    c->restore_rates.values[0] = position->marked;
    c->restore_rates.values[2] = holding->repeated_began;
    c->restore_rates.values[3] = holding->quiet_from;
    c->restore_rates.values[4] = holding->mmp_began;
    c->restore_rates.values[5] = holding->mmp_quantity;
    c->restore_rates.values[6] = holding->mmp_fills | (uint64_t)holding->repeated << 32;
    c->restore_rates.told = (position->state & POSITION_WAITS) != 0;
    return (position->marked | holding->mmp_began | holding->repeated_began) != 0;
}

static bool put_party(const struct engine *e, uint32_t at, struct command *c)
{
    wide_money peak = at < 2u * e->limit.max_accounts ? e->standings[at].peak : 0;
    c->restore_rates.values[0] = (uint64_t)peak;
    c->restore_rates.values[1] = (uint64_t)(peak >> 64);
    c->restore_rates.told = (uint16_t)e->told[at];
    return peak || e->told[at];
}

static bool put_entry(const struct engine *e, const struct settle_walk *walk, struct command *c)
{
    switch ((enum kind)walk->kind) {
    case KIND_MODES:
        return put_mode(e, walk->at, c);
    case KIND_SYMBOLS:
        return put_symbol(e, walk->at, c);
    case KIND_PACES:
        return put_pace(e, walk->at, c);
    case KIND_ALIKE:
        return put_alike(e, walk->at, walk->place, c);
    case KIND_HOLDINGS:
        return put_holding(e, walk->at, c);
    case KIND_PARTIES:
        return put_party(e, walk->at, c);
    default:
        c->restore_rates.values[0] = e->settling.marks_next;
        return true;
    }
}

static void advance(const struct engine *e, struct settle_walk *walk)
{
    walk->place =
        walk->kind == KIND_ALIKE && walk->place + ALIKE_A_RECORD < ALIKE_PLACES ? walk->place + ALIKE_A_RECORD : 0;
    walk->at += walk->place == 0;
    while (walk->kind < KINDS && walk->at >= count_of(e, walk->kind)) {
        walk->kind++;
        walk->at = 0;
    }
}

bool settle_next(const struct engine *e, struct settle_walk *walk, struct command *c)
{
    if (e->risk.positions_limit == 0)
        return false;
    for (unsigned looked = 0; walk->kind < KINDS && looked < LOOKS; looked++) {
        struct settle_walk at = *walk;
        bool any = put_entry(e, walk, c);
        advance(e, walk);
        if (!any) {
            memset(&c->restore_rates, 0, sizeof c->restore_rates);
            continue;
        }
        c->type = CMD_RESTORE_RATES;
        c->restore_rates.kind = (uint8_t)at.kind;
        c->restore_rates.index = at.at;
        return true;
    }
    return walk->kind < KINDS;
}

// ---- back -----------------------------------------------------------------------------------------------------------

static wide_money money_of(const uint64_t words[2])
{
    return (wide_money)((unsigned __int128)words[1] << 64 | words[0]);
}

static void take_due(uint64_t *to, struct tokens_rest *rest, uint64_t due, bool told)
{
    *to = due;
    rest->low = told; // tokens_watch makes of it what it is
}

static void take_pace(struct engine *e, uint16_t session, const struct command *c)
{
    uint64_t *due = e->sessions[session].paced.due;
    struct pace *pace = &e->paces[session];
    const uint64_t *values = c->restore_rates.values;
    take_due(&due[PACED_ORDERS], &pace->orders, values[0], c->restore_rates.told & TOLD_ORDER_RATE);
    take_due(&due[PACED_MESSAGES], &pace->messages, values[1], c->restore_rates.told & TOLD_MESSAGE_RATE);
    pace->slow_rate = (uint32_t)values[3];
    if (pace->slow_rate)
        tokens_set(&pace->slowed, &pace->slowed_rest, pace->slow_rate, LIMIT_UNSET, 0);
    pace->slowed_rest.span = UINT64_MAX;
    pace->slowed.due = values[2];
    e->risk.lines[session].alike.next = values[4] % ALIKE_PLACES;
    e->singles[session].until_ns = values[5];
}

static void take_alike(struct engine *e, uint16_t session, const struct command *c)
{
    struct alike *alike = &e->alikes[session];
    const uint64_t *values = c->restore_rates.values;
    for (uint32_t i = 0; i < ALIKE_A_RECORD && c->restore_rates.place + i < ALIKE_PLACES; i++, values += 3) {
        struct alike_place *place = &alike->places[c->restore_rates.place + i];
        *place = (struct alike_place){.began = values[0],
                                      .amount = values[1],
                                      .instrument = (uint32_t)values[2],
                                      .count = (uint32_t)(values[2] >> 32)};
        if (place->instrument)
            e->risk.lines[session].tags.tags[place - alike->places] = alike_tag(place);
    }
}

static void take_holding(struct engine *e, uint32_t number, const struct command *c)
{
    struct position *position = &e->risk.positions[number];
    const uint64_t *values = c->restore_rates.values;
    position->holding = (struct holding){.repeated_began = values[2],
                                         .quiet_from = values[3],
                                         .mmp_began = values[4],
                                         .mmp_quantity = values[5],
                                         .mmp_fills = (uint32_t)values[6],
                                         .repeated = (uint32_t)(values[6] >> 32)};
    if (c->restore_rates.told)
        position->state |= POSITION_WAITS;
    position->marked = (uint32_t)values[0];
    e->standings[position->account].result += position_result(position);
    e->standings[party_of_firm(e, risk_firm(e, position->account))].result += position_result(position);
}

bool settle_take(struct engine *e, const struct command *c)
{
    uint32_t kind = c->restore_rates.kind, index = c->restore_rates.index;
    const uint64_t *values = c->restore_rates.values;
    if (e->risk.positions_limit == 0 || kind >= KINDS || index >= count_of(e, kind))
        return false;
    switch ((enum kind)kind) {
    case KIND_MODES:
        e->modes[index] = (struct mode){
            .percent = (uint32_t)values[0], .rate = (uint32_t)values[1], .block = values[2] != 0, .on = true};
        return values[0] <= 100;
    case KIND_SYMBOLS:
        take_due(&e->symbol_paces[index].orders.due, &e->symbol_paces[index].rest, values[0], c->restore_rates.told);
        e->symbol_paces[index].group = (uint32_t)values[1];
        return values[1] <= RISK_GROUPS;
    case KIND_PACES:
        take_pace(e, (uint16_t)index, c);
        return true;
    case KIND_ALIKE:
        take_alike(e, (uint16_t)index, c);
        return true;
    case KIND_HOLDINGS:
        take_holding(e, e->risk.begun[index], c);
        return index != 0;
    case KIND_PARTIES:
        e->told[index] = c->restore_rates.told;
        if (index < 2u * e->limit.max_accounts)
            e->standings[index].peak = money_of(values);
        return true;
    default:
        e->settling.marks_next = (uint32_t)values[0];
        return values[0] <= e->risk.positions_count;
    }
}

void settle_taken(struct engine *e)
{
    if (e->risk.positions_limit == 0)
        return;
    mode_work_out(e);
    e->slowing = e->mode.rate != 0;
    for (uint32_t party = 0; party < count_of(e, KIND_PARTIES); party++) {
        uint32_t told = e->told[party];
        e->settling.told += told != 0;
        e->slowing += (told & TOLD_SLOWED_ANY) != 0;
    }
    // With modes and what is told at hand, all lines are what they were.
    risk_limits_work_out(e);
    for (uint32_t party = 0; party < 2u * e->limit.max_accounts; party++)
        losses_watch(e, party);
    settle_forget(e);
}
