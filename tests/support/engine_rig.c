// SPDX-License-Identifier: Apache-2.0
#include "tests/support/engine_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "contract/assert.h"
#include "engine/snapshot.h"

#define OR(value, otherwise) ((value) ? (value) : (otherwise))

static struct engine_capacity capacity_of(const struct rig_day *day)
{
    return (struct engine_capacity){.max_orders = day->max_orders,
                                    .max_levels = day->max_levels,
                                    .max_trades = OR(day->max_trades, RIG_TRADES),
                                    .max_special = OR(day->max_special, day->max_orders),
                                    .max_conditional = OR(day->max_conditional, RIG_CONDITIONAL),
                                    .max_positions = day->max_positions,
                                    .max_symbols = day->symbols,
                                    .max_accounts = OR(day->accounts, 2),
                                    .max_sessions = day->sessions,
                                    .core = day->core};
}

void rig_new(struct rig *rig, const struct rig_day *day, size_t shift)
{
    struct engine_capacity capacity = capacity_of(day);
    *rig = (struct rig){.size = engine_footprint(&capacity) + shift, .hash = EVENT_HASH_SEED};
    rig->memory = mmap(NULL, rig->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    xw_assert(rig->memory != MAP_FAILED);
    rig->engine = engine_new((char *)rig->memory + shift, &capacity);
}

void rig_free(struct rig *rig)
{
    munmap(rig->memory, rig->size);
    free(rig->events);
}

static void take_events(struct rig *rig, unsigned count)
{
    xw_assert(count <= ENGINE_EVENTS_MAX);
    for (size_t i = rig->count; i < rig->count + count; i++) {
        struct event *event = &rig->events[i];
        xw_assert(event->word == 0 && event->lines >= 1 && event->lines <= 3);
        rig->hash = event_hash(rig->hash, event);
        memset((char *)event + event->lines * 64, 0, sizeof *event - event->lines * 64u);
    }
    rig->count += count;
    xw_assert(rig->hash == engine_event_hash(rig->engine));
}

static struct event *events_room(struct rig *rig)
{
    if (rig->count + ENGINE_EVENTS_MAX > rig->room) {
        rig->room = rig->room * 2 + ENGINE_EVENTS_MAX;
        rig->events = realloc(rig->events, rig->room * sizeof *rig->events);
    }
    struct event *at = rig->events + rig->count;
    memset(at, 0xA5, ENGINE_EVENTS_MAX * sizeof *at); // what the engine does not write must not be read
    return at;
}

void rig_step(struct rig *rig, struct command *command)
{
    command->seq = engine_sequence(rig->engine) + 1;
    if (command->time_ns <= rig->time_ns)
        command->time_ns = rig->time_ns + 10;
    rig->time_ns = command->time_ns;
    rig->count = 0;
    rig->steps = 1;
    struct event *room = events_room(rig);
    take_events(rig, engine_step(rig->engine, command, room));
    while (engine_unfinished(rig->engine)) {
        room = events_room(rig);
        take_events(rig, engine_continue(rig->engine, room));
        rig->steps++;
        xw_assert(rig->steps < 1000000);
    }
}

void rig_snapshot_take(struct rig_snapshot *snapshot, const struct engine *engine)
{
    struct snapshot_walk walk;
    snapshot->count = 0;
    snapshot_begin(&walk, engine);
    for (;;) {
        if (snapshot->count == snapshot->room) {
            snapshot->room = snapshot->room ? 2 * snapshot->room : 1024;
            snapshot->records = realloc(snapshot->records, snapshot->room * sizeof *snapshot->records);
            xw_assert(snapshot->records);
        }
        if (!snapshot_next(&walk, &snapshot->records[snapshot->count]))
            break;
        snapshot->count++;
    }
    xw_assert(walk.records == snapshot->count);
    xw_assert(!snapshot_next(&walk, &snapshot->records[snapshot->count]));
}

static void restore_failed(size_t record, const struct rig_snapshot *snapshot, const char *why)
{
    fprintf(stderr, "restore, record %zu of %zu: %s\n", record, snapshot->count, why);
    abort();
}

void rig_restore(struct rig *rig, const struct rig_day *day, const struct rig_snapshot *snapshot)
{
    struct restore restore;
    rig_new(rig, day, 0);
    restore_begin(&restore, rig->engine);
    for (size_t i = 0; i < snapshot->count; i++) {
        restore_prefetch(&restore, &snapshot->records[i]);
        enum restore_result result = restore_take(&restore, &snapshot->records[i]);
        if (result == RESTORE_REFUSED)
            restore_failed(i, snapshot, restore.refused);
        if ((result == RESTORE_DONE) != (i + 1 == snapshot->count))
            restore_failed(i, snapshot, "the stream ends elsewhere");
    }
    const char *broken = engine_check(rig->engine);
    if (broken)
        restore_failed(snapshot->count, snapshot, broken);
    rig->hash = engine_event_hash(rig->engine);
    rig->time_ns = engine_time_ns(rig->engine);
}

void rig_symbol(uint16_t locate, char name[8])
{
    char text[16];
    int length = snprintf(text, sizeof text, "S%u", locate);
    memset(name, ' ', 8);
    memcpy(name, text, (size_t)length);
}

void rig_opening(const struct rig_day *day, void (*take)(void *context, struct command *command), void *context)
{
    struct command c = {.type = CMD_CLOCK, .session = SESSION_NONE};
    take(context, &c);
    c = (struct command){.type = CMD_OPEN_DAY, .session = SESSION_NONE};
    c.day.trading_date = 20240304;
    c.day.engine_version = CROSSWIRE_ENGINE_VERSION;
    c.day.lookup_key = day->lookup_key;
    c.day.max_orders = day->max_orders;
    c.day.max_levels = day->max_levels;
    c.day.max_symbols = day->symbols;
    c.day.max_accounts = OR(day->accounts, 2);
    c.day.max_sessions = day->sessions;
    c.day.core = day->core;
    c.day.max_trades = OR(day->max_trades, RIG_TRADES);
    c.day.max_special = OR(day->max_special, day->max_orders);
    c.day.max_conditional = OR(day->max_conditional, RIG_CONDITIONAL);
    c.day.max_positions = day->max_positions;
    c.day.seed = OR(day->seed, day->lookup_key);
    take(context, &c);
    for (uint16_t locate = 1; locate <= day->symbols; locate++) {
        c = (struct command){.type = CMD_OPEN_SYMBOL, .session = SESSION_NONE};
        rig_symbol(locate, c.open_symbol.name);
        c.open_symbol.locate = locate;
        c.open_symbol.round_lot = 100;
        c.open_symbol.tick = day->ticks[(locate - 1) % 4];
        take(context, &c);
    }
    for (uint16_t account = 0; account < OR(day->accounts, 2); account++) {
        c = (struct command){.type = CMD_OPEN_ACCOUNT, .session = SESSION_NONE};
        memcpy(c.open_account.firm, (const char *[]){"ALFA", "BETA", "GAMA", "ALFA"}[account % 4], 4);
        memcpy(c.open_account.organisation,
               account % 4 == 1 || account % 4 == 2 ? "ORG1            " : "                ", 16);
        c.open_account.account = account;
        take(context, &c);
    }
    for (uint16_t session = 0; session < day->sessions; session++) {
        c = (struct command){.type = CMD_OPEN_SESSION, .session = session};
        c.open_session.account = session % OR(day->accounts, 2);
        c.open_session.cancel_on_disconnect = session + 1 == day->sessions   ? CANCEL_WHEN_LOST
                                              : session + 2 == day->sessions ? CANCEL_WHEN_OFF
                                                                             : 0;
        c.open_session.post_only_cancels = session < 32 && day->post_only_cancels >> session & 1;
        c.open_session.aiq_default = session < sizeof day->aiq_default ? day->aiq_default[session] : 0;
        take(context, &c);
    }
    c = (struct command){.type = CMD_START, .session = SESSION_NONE};
    c.phase.phase = day->phase;
    take(context, &c);
    for (uint16_t session = 0; session < day->sessions; session++) {
        c = (struct command){.type = CMD_SESSION_UP, .session = session};
        take(context, &c);
    }
}

static void step_rig(void *context, struct command *command)
{
    rig_step(context, command);
}

void rig_open(struct rig *rig, const struct rig_day *day)
{
    rig_new(rig, day, 0);
    rig_opening(day, step_rig, rig);
}

struct command rig_enter(uint16_t session, uint32_t user_ref, char side, uint32_t quantity, uint16_t locate,
                         uint32_t price)
{
    struct command c = {.type = CMD_ENTER, .session = session};
    c.user_ref = user_ref;
    c.side = side;
    c.quantity = quantity;
    c.locate = locate;
    rig_symbol(locate, c.symbol);
    c.price = price;
    c.tif = '0';
    c.display = 'Y';
    c.capacity = 'A';
    c.iso = 'N';
    c.cross = 'N';
    memset(c.cl_ord_id, ' ', sizeof c.cl_ord_id);
    return c;
}

struct command rig_replace(uint16_t session, uint32_t orig, uint32_t user_ref, uint32_t quantity, uint32_t price)
{
    struct command c = {.type = CMD_REPLACE, .session = session};
    c.orig_user_ref = orig;
    c.user_ref = user_ref;
    c.quantity = quantity;
    c.price = price;
    c.tif = '0';
    c.display = 'Y';
    c.iso = 'N';
    memset(c.cl_ord_id, ' ', sizeof c.cl_ord_id);
    return c;
}

struct command rig_simple(uint8_t type, uint16_t session, uint32_t user_ref, uint32_t quantity)
{
    struct command c = {.type = type, .session = session};
    c.user_ref = user_ref;
    c.quantity = quantity;
    memset(c.symbol, ' ', sizeof c.symbol);
    memset(c.firm, ' ', sizeof c.firm);
    return c;
}

const char *event_difference(const struct event *a, const struct event *b)
{
#define FIELD(name)                                 \
    if (memcmp(&a->name, &b->name, sizeof a->name)) \
        return #name;
    FIELD(cmd_seq)
    FIELD(time_ns)
    FIELD(type)
    FIELD(lines)
    FIELD(flags)
    FIELD(reason)
    FIELD(session)
    FIELD(locate)
    FIELD(user_ref)
    FIELD(other_user_ref)
    FIELD(ref)
    FIELD(quantity)
    FIELD(price)
    FIELD(user_ref_idx)
    FIELD(other_user_ref_idx)
    FIELD(other_session)
    FIELD(side)
    if (a->type == EV_TRADE || a->type == EV_BROKEN) {
        FIELD(match)
        FIELD(trade_symbol)
        FIELD(taker_liquidity)
        FIELD(maker_liquidity)
        FIELD(maker_side)
        FIELD(off_price)
        FIELD(broken_cl_ord_id)
    } else if (a->type == EV_AIQ_CANCELED) {
        FIELD(taker_liquidity)
        FIELD(aiq_strategy)
    } else if (a->lines > 1) {
        FIELD(symbol)
        FIELD(old_ref)
        FIELD(cl_ord_id)
        FIELD(tif)
        FIELD(display)
        FIELD(capacity)
        FIELD(iso)
        FIELD(cross)
        FIELD(options)
        FIELD(firm)
        FIELD(min_qty)
        FIELD(max_floor)
        FIELD(group_id)
        FIELD(price_type)
        FIELD(post_only)
        FIELD(customer_type)
        FIELD(handle_inst)
        FIELD(trade_now)
        FIELD(shares_located)
        FIELD(bbo_weight)
        FIELD(aiq_strategy)
        FIELD(aiq_group)
    }
    FIELD(peg_offset)
    FIELD(discretion_price)
    FIELD(discretion_peg_offset)
    FIELD(random_reserves)
    FIELD(expire_s)
    FIELD(display_quantity)
    FIELD(display_price)
    FIELD(prevented_qty)
    FIELD(discretion_price_type)
    FIELD(secondary_ref)
    FIELD(round_lot)
    FIELD(locate_broker)
    FIELD(trigger)
    FIELD(trigger_type)
#undef FIELD
    return memcmp(a, b, sizeof *a) ? "a byte that no field covers" : NULL;
}
