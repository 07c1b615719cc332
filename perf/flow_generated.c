// SPDX-License-Identifier: Apache-2.0
// A day made up: a small model of every symbol's book keeps passive orders passive and cancels alive, as real flow is.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "perf/flow.h"

#define DEPTH_MAX 1500u // deepest placement, ticks from the touch
#define LEVELS 8192     // price levels that a symbol's model covers
#define MARGIN 8
#define TICK 100u // 0.01
#define ASIDE_MAX 64u

struct model_order {
    uint32_t quantity;       // 0: gone
    uint32_t previous, next; // of its level, 0: none
    uint16_t level;
    uint16_t symbol;
    char side;
    uint8_t session;
    uint8_t type; // enum intent_type
};

struct model_level {
    uint32_t first, last;
};

struct model_book {
    struct model_level *side[2]; // buys, sells; LEVELS of each
    int best[2];                 // best level of buys (-1: none) and sells (LEVELS: none)
    int32_t base;                // price in ticks of level 0
    double fair;                 // as a level
    uint32_t *entered;           // every order that ever rested, oldest first
    uint32_t entered_count, entered_room;
    uint32_t live, target;
    uint32_t aside[ASIDE_MAX]; // pegs and stops that were not canceled yet, oldest first from aside_first
    uint32_t aside_first, aside_count;
};

struct model {
    uint64_t random;
    struct model_book *books;
    struct model_order *orders; // by id
    double depth_share[DEPTH_MAX + 1];
    double symbol_share[UINT8_MAX + 1];
    const struct flow_plan *plan;
    struct flow *flow;
};

// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, the same everywhere.
static uint64_t draw(struct model *model)
{
    uint64_t z = model->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t draw_below(struct model *model, uint32_t bound)
{
    return (uint32_t)((draw(model) >> 32) * bound >> 32);
}

static double draw_share(struct model *model)
{
    return (double)(draw(model) >> 11) * (1.0 / 9007199254740992.0);
}

// Where a uniform draw falls in a table of cumulative shares.
static uint32_t draw_from(struct model *model, const double *shares, uint32_t count)
{
    double u = draw_share(model);
    uint32_t low = 0, high = count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (shares[middle] < u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Round lots mostly, odd lots sometimes, now and then a block.
static uint32_t draw_quantity(struct model *model)
{
    uint32_t kind = draw_below(model, 100);
    if (kind < 45)
        return 100;
    if (kind < 60)
        return 1 + draw_below(model, 99);
    if (kind < 88)
        return 100 * (1 + draw_below(model, 5));
    return 100 * (1 + draw_below(model, kind < 98 ? 20 : 60));
}

static int side_index(char side)
{
    return side == 'B' ? 0 : 1;
}

static void find_best(struct model_book *book, int side)
{
    int level = book->best[side], step = side == 0 ? -1 : 1;
    while (level >= 0 && level < LEVELS && book->side[side][level].first == 0)
        level += step;
    book->best[side] = level;
}

static void take_out(struct model *model, uint32_t id)
{
    struct model_order *order = &model->orders[id];
    struct model_book *book = &model->books[order->symbol];
    int side = side_index(order->side);
    struct model_level *level = &book->side[side][order->level];
    if (order->previous)
        model->orders[order->previous].next = order->next;
    else
        level->first = order->next;
    if (order->next)
        model->orders[order->next].previous = order->previous;
    else
        level->last = order->previous;
    order->quantity = 0;
    book->live--;
    if (order->level == book->best[side])
        find_best(book, side);
}

static void put_in(struct model *model, uint32_t id)
{
    struct model_order *order = &model->orders[id];
    struct model_book *book = &model->books[order->symbol];
    int side = side_index(order->side);
    struct model_level *level = &book->side[side][order->level];
    order->next = 0;
    order->previous = level->last;
    if (level->last)
        model->orders[level->last].next = id;
    else
        level->first = id;
    level->last = id;
    if (side == 0 ? order->level > book->best[0] : order->level < book->best[1])
        book->best[side] = order->level;
    book->live++;
    if (book->entered_count == book->entered_room) {
        uint32_t room = book->entered_room ? 2 * book->entered_room : 1024;
        uint32_t *bigger = realloc(book->entered, room * sizeof *bigger);
        if (!bigger)
            return; // the order merely can not be picked for a cancel
        book->entered = bigger;
        book->entered_room = room;
    }
    book->entered[book->entered_count++] = id;
}

// Trades an incoming order against the model and returns what is left of it.
static uint32_t trade(struct model *model, struct model_book *book, char side, int level, uint32_t quantity)
{
    int other = 1 - side_index(side);
    while (quantity) {
        int best = book->best[other];
        if (other == 1 ? best >= LEVELS || best > level : best < 0 || best < level)
            break;
        uint32_t id = book->side[other][best].first;
        struct model_order *maker = &model->orders[id];
        if (maker->quantity > quantity) {
            maker->quantity -= quantity;
            return 0;
        }
        quantity -= maker->quantity;
        take_out(model, id);
    }
    return quantity;
}

static int within(int level)
{
    return level < MARGIN ? MARGIN : level > LEVELS - MARGIN ? LEVELS - MARGIN : level;
}

// A level that does not cross: a power-law distance behind the tighter of own touch and fair value.
static int passive_level(struct model *model, const struct model_book *book, char side)
{
    int distance = (int)draw_from(model, model->depth_share, DEPTH_MAX + 1);
    int fair = (int)lround(book->fair);
    int improve = draw_below(model, 100) < 15;
    if (side == 'B') {
        int from = fair - 1;
        if (book->best[0] >= 0 && book->best[0] < from && draw_below(model, 100) < 70)
            from = book->best[0] + improve;
        int level = from - distance;
        return within(level < book->best[1] ? level : book->best[1] - 1);
    }
    int from = fair + 1;
    if (book->best[1] < LEVELS && book->best[1] > from && draw_below(model, 100) < 70)
        from = book->best[1] - improve;
    int level = from + distance;
    return within(level > book->best[0] ? level : book->best[0] + 1);
}

static struct intent *next_intent(struct model *model, enum intent_kind kind, const struct model_book *book)
{
    struct intent *intent = &model->flow->intents[model->flow->count++];
    intent->kind = (uint8_t)kind;
    intent->symbol = (uint16_t)(book - model->books);
    intent->tif = '0';
    return intent;
}

// A session that may trade the symbol.
static uint8_t draw_session(struct model *model, uint16_t symbol)
{
    const struct flow_plan *plan = model->plan;
    for (;;) {
        uint32_t session = draw_below(model, plan->sessions);
        if (plan->reach[session] == 0 || plan->reach[session] >> symbol & 1)
            return (uint8_t)session;
    }
}

static void enter(struct model *model, struct model_book *book, char side, int level, uint32_t quantity, char tif,
                  int session, struct intent *intent)
{
    uint32_t id = ++model->flow->orders;
    uint16_t symbol = intent->symbol;
    intent->side = side;
    intent->id = id;
    intent->price = (uint32_t)(book->base + level) * TICK;
    intent->quantity = quantity;
    intent->tif = tif;
    intent->session = session >= 0 ? (uint8_t)session : draw_session(model, symbol);
    uint32_t left = trade(model, book, side, level, quantity);
    if (left == 0 || tif == '3')
        return;
    model->orders[id] = (struct model_order){.quantity = left,
                                             .level = (uint16_t)level,
                                             .symbol = symbol,
                                             .side = side,
                                             .session = intent->session,
                                             .type = intent->type};
    put_in(model, id);
}

// ---- orders that are not plain --------------------------------------------------------------------------------------

// A type by its share in percent of what is added.
static uint8_t draw_type(struct model *model)
{
    static const uint8_t shares[INTENT_TYPES] = {
        [TYPE_HIDDEN] = 3,    [TYPE_MINIMUM] = 1,  [TYPE_ATTRIBUTED] = 2,  [TYPE_RESERVE] = 3,
        [TYPE_POST_ONLY] = 2, [TYPE_TIMED] = 1,    [TYPE_DISCRETION] = 1,  [TYPE_AIQ] = 6,
        [TYPE_STOP] = 2,      [TYPE_TRAILING] = 1, [TYPE_PRIMARY_PEG] = 1, [TYPE_MIDPOINT_PEG] = 1};
    uint32_t u = draw_below(model, 100);
    for (uint8_t type = TYPE_PLAIN; type < INTENT_TYPES; type++) {
        if (u < shares[type])
            return type;
        u -= shares[type];
    }
    return TYPE_PLAIN;
}

// What the type needs to know besides side, price and quantity.
static uint32_t draw_detail(struct model *model, uint8_t type, char side, uint32_t price)
{
    static const char strategies[] = "DWOY";
    uint32_t ticks = TICK * (1 + draw_below(model, 3));
    switch (type) {
    case TYPE_DISCRETION:
        return side == 'B' ? price + ticks : price - ticks;
    case TYPE_AIQ:
        return (uint32_t)strategies[draw_below(model, 4)];
    case TYPE_TRAILING:
        return TICK * (2 + draw_below(model, 10));
    default:
        return 0;
    }
}

// A peg caps at its limit, a stop waits a few ticks behind the other side's touch and then goes further: neither stands
// in the model.
static void add_aside(struct model *model, struct model_book *book, uint8_t type)
{
    char side = draw_below(model, 2) ? 'S' : 'B';
    bool stop = type == TYPE_STOP || type == TYPE_TRAILING;
    int other = book->best[1 - side_index(side)];
    int touch = other < 0 || other >= LEVELS ? (int)lround(book->fair) : other;
    int off = 1 + (int)draw_below(model, 6);
    int level = within(stop ? (side == 'B' ? touch + off : touch - off) : passive_level(model, book, side));
    int limit = within(stop ? (side == 'B' ? level + 3 : level - 3) : touch);
    struct intent *intent = next_intent(model, INTENT_ENTER, book);
    intent->type = type;
    intent->id = ++model->flow->orders;
    intent->side = side;
    intent->session = draw_session(model, intent->symbol);
    intent->quantity = draw_quantity(model);
    intent->price = (uint32_t)(book->base + limit) * TICK;
    intent->detail =
        type == TYPE_STOP ? (uint32_t)(book->base + level) * TICK : draw_detail(model, type, side, intent->price);
    model->orders[intent->id] =
        (struct model_order){.symbol = intent->symbol, .side = side, .session = intent->session};
    book->aside[(book->aside_first + book->aside_count++) % ASIDE_MAX] = intent->id;
}

static void cancel_aside(struct model *model, struct model_book *book)
{
    uint32_t id = book->aside[book->aside_first];
    struct intent *intent = next_intent(model, INTENT_CANCEL, book);
    intent->target = id;
    intent->side = model->orders[id].side;
    intent->session = model->orders[id].session;
    book->aside_first = (book->aside_first + 1) % ASIDE_MAX;
    book->aside_count--;
}

static void add(struct model *model, struct model_book *book)
{
    uint8_t type = model->plan->all_types ? draw_type(model) : TYPE_PLAIN;
    if (type >= TYPE_PRIMARY_PEG && book->aside_count < ASIDE_MAX && book->live >= 16) {
        add_aside(model, book, type);
        return;
    }
    char side = draw_below(model, 2) ? 'S' : 'B';
    int level = passive_level(model, book, side);
    uint32_t quantity = draw_quantity(model);
    struct intent *intent = next_intent(model, INTENT_ENTER, book);
    if (type < TYPE_PRIMARY_PEG) {
        intent->type = type;
        intent->detail = draw_detail(model, type, side, (uint32_t)(book->base + level) * TICK);
    }
    enter(model, book, side, level, quantity, type == TYPE_TIMED ? '6' : '0', -1, intent);
}

// A live order of the book, recent ones by preference; 0 when there is none.
static uint32_t pick(struct model *model, struct model_book *book)
{
    if (book->live == 0)
        return 0;
    for (int attempt = 0; attempt < 24; attempt++) {
        double span = log((double)book->entered_count + 1.0);
        uint32_t back = (uint32_t)exp(draw_share(model) * span);
        back = back < 1 ? 1 : back > book->entered_count ? book->entered_count : back;
        uint32_t id = book->entered[book->entered_count - back];
        if (model->orders[id].quantity)
            return id;
    }
    int side = book->best[0] >= 0 ? 0 : 1;
    return book->side[side][book->best[side]].first;
}

static void cancel(struct model *model, struct model_book *book)
{
    uint32_t id = pick(model, book);
    // One in a hundred comes too late: its order is gone already.
    if (draw_below(model, 100) == 0 && book->entered_count)
        id = book->entered[draw_below(model, book->entered_count)];
    if (id == 0) {
        add(model, book);
        return;
    }
    struct model_order *order = &model->orders[id];
    struct intent *intent = next_intent(model, INTENT_CANCEL, book);
    intent->target = id;
    intent->side = order->side;
    intent->session = order->session;
    if (order->quantity)
        take_out(model, id);
}

static void replace(struct model *model, struct model_book *book)
{
    uint32_t id = pick(model, book);
    if (id == 0) {
        add(model, book);
        return;
    }
    struct model_order old = model->orders[id];
    take_out(model, id);
    uint32_t kind = draw_below(model, 100);
    int level = kind < 50 ? within(old.level + (int)draw_below(model, 7) - 3) : passive_level(model, book, old.side);
    uint32_t quantity = draw_below(model, 100) < 30 ? draw_quantity(model) : old.quantity;
    struct intent *intent = next_intent(model, INTENT_REPLACE, book);
    intent->target = id;
    intent->type = old.type;
    intent->detail =
        old.type == TYPE_PLAIN ? 0 : draw_detail(model, old.type, old.side, (uint32_t)(book->base + level) * TICK);
    enter(model, book, old.side, level, quantity, old.type == TYPE_TIMED ? '6' : '0', old.session, intent);
}

static void take_liquidity(struct model *model, struct model_book *book)
{
    char side = draw_below(model, 2) ? 'S' : 'B';
    int best = book->best[1 - side_index(side)];
    if (best < 0 || best >= LEVELS) {
        add(model, book);
        return;
    }
    uint32_t kind = draw_below(model, 100);
    int through = kind >= 98 ? 5 + (int)draw_below(model, 20) : kind >= 80 ? 1 + (int)draw_below(model, 5) : 0;
    int level = within(side == 'B' ? best + through : best - through);
    uint32_t quantity = draw_quantity(model);
    char tif = draw_below(model, 2) ? '3' : '0';
    struct intent *intent = next_intent(model, INTENT_ENTER, book);
    uint32_t kind_of_taker = model->plan->all_types ? draw_below(model, 100) : 100;
    if (kind_of_taker < 10) {
        intent->type = tif == '3' ? TYPE_FILL_OR_KILL : TYPE_PLAIN;
    } else if (kind_of_taker < 30) { // what its firm's own orders meet
        intent->type = TYPE_AIQ;
        intent->detail = draw_detail(model, TYPE_AIQ, side, 0);
    }
    enter(model, book, side, level, quantity, tif, -1, intent);
}

static void walk(struct model *model, struct model_book *book)
{
    double step = 0.0; // the sum of twelve uniform draws is near enough to normal
    for (int i = 0; i < 12; i++)
        step += draw_share(model);
    book->fair += 0.1 * (step - 6.0) + (LEVELS / 2.0 - book->fair) * 1e-6;
    if (book->fair < LEVELS / 4.0)
        book->fair = LEVELS / 4.0;
    if (book->fair > LEVELS * 3 / 4.0)
        book->fair = LEVELS * 3 / 4.0;
}

static void one_message(struct model *model, struct model_book *book)
{
    walk(model, book);
    // A book that is too thin gets more adds, one that is too thick more cancels.
    double off = ((double)book->live - book->target) / book->target;
    double lean = off > 0.1 ? 20.0 : off < -0.1 ? -20.0 : off * 200.0;
    if (book->aside_count > ASIDE_MAX / 2 && draw_below(model, 100) < 10) {
        cancel_aside(model, book);
        return;
    }
    double u = draw_share(model) * 100.0;
    if (u < 46.0 - lean / 2 || book->live < 16)
        add(model, book);
    else if (u < 85.0)
        cancel(model, book);
    else if (u < 95.0)
        replace(model, book);
    else
        take_liquidity(model, book);
}

static int open_books(struct model *model)
{
    const struct flow_plan *plan = model->plan;
    double depth_sum = 0.0, symbol_sum = 0.0;
    for (unsigned i = 0; i <= DEPTH_MAX; i++)
        model->depth_share[i] = depth_sum += pow(i + 1.0, -1.6);
    for (unsigned i = 0; i <= DEPTH_MAX; i++)
        model->depth_share[i] /= depth_sum;
    for (unsigned i = 0; i < plan->symbols; i++)
        model->symbol_share[i] = symbol_sum += 1.0 / (i + 1.0);
    for (unsigned i = 0; i < plan->symbols; i++) {
        struct model_book *book = &model->books[i];
        double share = 1.0 / (i + 1.0) / symbol_sum;
        model->symbol_share[i] /= symbol_sum;
        book->target = (uint32_t)(share * plan->resting);
        if (book->target < 64)
            book->target = 64;
        book->best[0] = -1;
        book->best[1] = LEVELS;
        book->fair = LEVELS / 2.0;
        book->base = (int32_t)(1000 + draw_below(model, 20000));
        for (int side = 0; side < 2; side++)
            if (!(book->side[side] = calloc(LEVELS + 1, sizeof(struct model_level))))
                return -1;
    }
    return 0;
}

int flow_generate(struct flow *flow, const struct flow_plan *plan)
{
    xw_assert(plan->sessions >= 1 && plan->sessions <= 64 && plan->symbols >= 1 && plan->symbols <= 64);
    memset(flow, 0, sizeof *flow);
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return -1;
    model->random = plan->seed;
    model->plan = plan;
    model->flow = flow;
    model->books = calloc(plan->symbols, sizeof *model->books);
    model->orders = calloc(plan->orders + 2, sizeof *model->orders);
    flow->intents = calloc(plan->orders + 1, sizeof *flow->intents);
    int result = -1;
    if (model->books && model->orders && flow->intents && open_books(model) == 0) {
        for (unsigned i = 0; i < plan->symbols; i++)
            for (uint32_t n = 0; n < model->books[i].target && flow->count < plan->orders / 4; n++)
                add(model, &model->books[i]);
        uint32_t symbol = 0;
        while (flow->count < plan->orders) {
            if (draw_below(model, 100) >= 30)
                symbol = draw_from(model, model->symbol_share, plan->symbols);
            one_message(model, &model->books[symbol]);
        }
        flow->symbols = plan->symbols;
        flow->sessions = plan->sessions;
        result = 0;
    }
    for (unsigned i = 0; model->books && i < plan->symbols; i++) {
        free(model->books[i].side[0]);
        free(model->books[i].side[1]);
        free(model->books[i].entered);
    }
    free(model->books);
    free(model->orders);
    free(model);
    return result;
}
