// SPDX-License-Identifier: Apache-2.0
// What an order asks for: which terms are valid, what follows from them, where a post-only order stands.
#include <string.h>

#include "tests/support/naive_state.h"

static bool is_market(uint32_t price)
{
    return price == 2000000000u || price == 0x7FFFFFFFu;
}

static bool one_of(char c, const char *list)
{
    return c && strchr(list, c);
}

// Options left out count as their default.
struct asks {
    uint32_t min, floor, random, discretion_price;
    int32_t peg, discretion_peg;
    char type, discretion_type, strategy;
    bool post, discretion, pegged, stop, trail, market;
};

static struct asks asks_of(const struct command *t, uint32_t price)
{
    struct asks a = {.type = 'L', .discretion_type = 'L', .market = is_market(price)};
    if (naive_has(t, 3))
        a.min = t->min_qty;
    if (naive_has(t, 5))
        a.floor = t->max_floor;
    if (naive_has(t, 6))
        a.type = t->price_type;
    if (naive_has(t, 7))
        a.peg = t->peg_offset;
    if (naive_has(t, 9))
        a.discretion_price = t->discretion_price;
    if (naive_has(t, 10))
        a.discretion_type = t->discretion_price_type;
    if (naive_has(t, 11))
        a.discretion_peg = t->discretion_peg_offset;
    if (naive_has(t, 13))
        a.random = t->random_reserves;
    a.post = naive_has(t, 12) && t->post_only == 'P';
    a.discretion = a.discretion_price || a.discretion_type != 'L' || a.discretion_peg;
    a.pegged = one_of(a.type, "RPMm");
    a.stop = naive_has(t, 19);
    a.trail = naive_has(t, 20);
    a.strategy = naive_has(t, 29) ? t->aiq_strategy : '*';
    return a;
}

static int time_code(struct naive_venue *v, const struct command *c, bool has_time)
{
    if (v->phase == 'X')
        return 0x02;
    if (c->tif == '0' && v->phase != 'R')
        return v->phase == 'P' ? 0x2D : 0x2E;
    if ((c->tif == 'E' && v->phase != 'A') || !one_of(c->tif, "0356E"))
        return 0x0F;
    return c->tif == '6' ? has_time || naive_has(c, 15) ? 0 : 0x0F : naive_has(c, 15) ? 0x0F : 0;
}

static bool bad_price(uint32_t price, uint32_t tick)
{
    return price == 0 || price > 1999999900 || price % tick;
}

static int shape_code(const struct command *c, const struct asks *a, char handle)
{
    if (!one_of(c->display, "YNA"))
        return 0x03;
    if (c->iso == 'Y' && a->type != 'L')
        return 0x08;
    if (c->type == CMD_ENTER && c->cross != 'N')
        return c->cross == 'R' ? 0x1A : 0x14;
    if (handle != ' ')
        return one_of(handle, "OTQ") ? 0x1A : 0x14;
    return naive_has(c, 14) ? 0x16 : 0;
}

static int amount_code(const struct command *c, const struct asks *a)
{
    if (a->min && (a->min > c->quantity || (c->tif != '3' && c->display != 'N' && !a->pegged)))
        return 0x0D;
    if (a->floor && (c->display == 'N' || a->pegged || a->min || a->post))
        return 0x04;
    return a->random && a->random >= a->floor ? 0x04 : 0;
}

static int peg_code(const struct asks *a, uint32_t tick)
{
    bool mid = a->type == 'M' || a->type == 'm';
    if (a->type == 'Q')
        return 0x05;
    if (a->peg && (a->type == 'L' || mid || a->peg % (int64_t)tick))
        return 0x11;
    return a->pegged && a->post ? mid ? 0x1B : 0x11 : 0;
}

static int discretion_code(const struct command *c, const struct asks *a, bool buys, uint32_t tick)
{
    uint32_t price = a->discretion_price;
    if (!a->discretion)
        return 0;
    if (a->type != 'L' || (a->discretion_peg && a->discretion_type == 'L') || a->discretion_peg % (int64_t)tick)
        return 0x11;
    if (a->post || a->min || a->floor || c->tif == '3' || a->stop || a->trail || a->market)
        return 0x0F;
    if (price > 1999999900 || price % tick)
        return 0x1D;
    return a->discretion_type == 'L' && (buys ? price <= c->price : price >= c->price) ? 0x1D : 0;
}

static int trigger_code(const struct command *c, const struct asks *a, uint32_t trigger, uint32_t tick)
{
    if (a->post && (c->tif == '3' || a->market || a->stop || a->trail))
        return 0x0F;
    if (!a->stop && !a->trail)
        return 0;
    if ((a->stop && a->trail) || a->min || a->floor || a->type != 'L')
        return 0x0F;
    return bad_price(trigger, tick) ? 0x1D : 0;
}

int naive_terms_code(struct naive_venue *v, const struct command *c, const struct resting *o, bool has_time)
{
    struct asks a = asks_of(&o->terms, c->price);
    uint32_t tick = v->symbols[o->locate].tick;
    int code = time_code(v, c, has_time);
    if (!code && !a.market && bad_price(c->price, tick))
        code = 0x1D;
    if (!code)
        code = shape_code(c, &a, naive_has(&o->terms, 17) ? o->terms.handle_inst : ' ');
    if (!code)
        code = amount_code(c, &a);
    if (!code)
        code = peg_code(&a, tick);
    if (!code)
        code = discretion_code(c, &a, naive_buys(o), tick);
    if (!code)
        code = trigger_code(c, &a, o->terms.trigger, tick);
    if (!code && !one_of(a.strategy, "N*YDOWRydowrZEPXS01245"))
        code = 0x40;
    return code;
}

void naive_settle_terms(struct naive_venue *v, struct resting *o, const struct command *c)
{
    struct asks a = asks_of(&o->terms, c->price);
    o->price = o->asked = c->price;
    o->tif = c->tif;
    o->display = a.pegged ? 'N' : c->display;
    o->displayed = o->display != 'N';
    o->type = a.type;
    o->market = a.market && !a.pegged;
    o->min = a.min;
    o->floor = a.floor < o->open ? a.floor : 0;
    o->post = a.post;
    o->discretion = a.discretion;
    o->trigger = a.stop ? 'S' : a.trail ? 'T' : 0;
    o->strategy = a.strategy == '*' ? v->clients[o->session]->strategy : a.strategy;
    o->conditional = a.pegged || a.discretion || o->trigger;
    o->plain =
        o->display == 'Y' && !o->min && !a.floor && !o->conditional && !o->post && o->strategy == 'N' && o->tif != '6';
}

bool naive_slides(struct naive_venue *v, struct resting *o)
{
    uint32_t best = 0, tick = v->symbols[o->locate].tick;
    for (size_t i = 0; o->post && i < v->live; i++) {
        const struct resting *m = v->orders[i];
        if (m->in_book && m->locate == o->locate && naive_buys(m) != naive_buys(o) && !m->min &&
            (naive_buys(o) ? m->price <= o->price && (!best || m->price < best)
                           : m->price >= o->price && m->price > best))
            best = m->price;
    }
    if (!best)
        return true;
    uint32_t price = naive_buys(o) ? (best - 1) / tick * tick : (best / tick + 1) * tick;
    if (v->clients[o->session]->post_only_cancels || bad_price(price, tick))
        return false;
    o->price = price;
    return true;
}
