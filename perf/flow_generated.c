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

struct model_order {
    uint32_t quantity;       // 0: gone
    uint32_t previous, next; // of its level, 0: none
    uint16_t level;
    uint16_t symbol;
    char side;
    uint8_t session;
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
    model->orders[id] = (struct model_order){
        .quantity = left, .level = (uint16_t)level, .symbol = symbol, .side = side, .session = intent->session};
    put_in(model, id);
}

static void add(struct model *model, struct model_book *book)
{
    char side = draw_below(model, 2) ? 'S' : 'B';
    int level = passive_level(model, book, side);
    uint32_t quantity = draw_quantity(model);
    enter(model, book, side, level, quantity, '0', -1, next_intent(model, INTENT_ENTER, book));
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
    enter(model, book, old.side, level, quantity, '0', old.session, intent);
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
    enter(model, book, side, level, quantity, draw_below(model, 2) ? '3' : '0', -1,
          next_intent(model, INTENT_ENTER, book));
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
