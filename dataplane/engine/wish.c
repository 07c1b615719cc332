// SPDX-License-Identifier: Apache-2.0
#include "engine/wish.h"

#include "engine/aiq.h"
#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/unsupported.h"

#define NS_A_SECOND UINT64_C(1000000000)

static bool sent(const struct command *c, unsigned tag)
{
    return (c->options & OPTION(tag)) != 0;
}

static char strategy_of(const struct session *session, char asked)
{
    if (asked && asked != '*')
        return asked;
    return session->aiq_default && session->aiq_default != '*' ? session->aiq_default : 'N';
}

// What the order that is replaced had; a plain one has none but TIF and display, which a Replace always says.
static struct special inherited(const struct engine *e, const struct wish *wish)
{
    const struct order *order = &e->orders[wish->original];
    if (wish->original && order->special) {
        struct special s = e->specials[order->special];
        s.slot = s.reserve = s.stop = s.extreme = s.heap = s.next = s.prev = 0;
        s.kinds = s.triggered = s.refreshes = 0;
        if (order->tif != '6')
            s.expire_ns = s.expire_s = 0;
        return s;
    }
    return (struct special){.price_type = 'L',
                            .discretion_type = 'L',
                            .post_only = 'N',
                            .aiq_strategy = wish->original ? 'N' : strategy_of(wish->session, 0)};
}

static void overlay(const struct engine *e, struct wish *wish, struct special *s)
{
    const struct command *c = wish->command;
    s->min_qty = sent(c, TAG_MIN_QTY) ? c->min_qty : s->min_qty;
    s->max_floor = sent(c, TAG_MAX_FLOOR) ? c->max_floor : s->max_floor;
    s->random_reserves = sent(c, TAG_RANDOM_RESERVES) ? c->random_reserves : s->random_reserves;
    s->price_type = sent(c, TAG_PRICE_TYPE) ? c->price_type : s->price_type;
    s->peg_offset = sent(c, TAG_PEG_OFFSET) ? c->peg_offset : s->peg_offset;
    s->discretion_price = sent(c, TAG_DISCRETION_PRICE) ? c->discretion_price : s->discretion_price;
    s->discretion_type = sent(c, TAG_DISCRETION_PRICE_TYPE) ? c->discretion_price_type : s->discretion_type;
    s->discretion_peg_offset = sent(c, TAG_DISCRETION_PEG_OFFSET) ? c->discretion_peg_offset : s->discretion_peg_offset;
    s->post_only = sent(c, TAG_POST_ONLY) ? c->post_only : s->post_only;
    if (sent(c, TAG_AIQ_STRATEGY))
        s->aiq_strategy = strategy_of(wish->session, c->aiq_strategy);
    if (sent(c, TAG_AIQ_GROUP))
        memcpy(s->aiq_group, c->aiq_group, sizeof s->aiq_group);
    if (sent(c, TAG_STOP_PRICE) || sent(c, TAG_TRAIL_AMOUNT)) {
        s->trigger_type = sent(c, TAG_STOP_PRICE) ? 'S' : 'T';
        s->trigger = c->trigger;
    }
    wish->both_triggers = sent(c, TAG_STOP_PRICE) && sent(c, TAG_TRAIL_AMOUNT);
    if (sent(c, TAG_EXPIRE_TIME)) {
        s->expire_s = c->expire_s;
        s->expire_ns = e->time_ns + c->expire_s * NS_A_SECOND;
    }
}

static bool discretionary(const struct special *s)
{
    return s->discretion_price || s->discretion_type != 'L' || s->discretion_peg_offset;
}

void wish_fill(struct engine *e, struct wish *wish, const struct command *c, uint32_t original, char side_name)
{
    *wish = (struct wish){.command = c, .session = &e->sessions[c->session], .original = original};
    struct special *s = &e->specials[0];
    *s = inherited(e, wish);
    overlay(e, wish, s);
    s->entered = e->sequence;
    wish->locate = original ? e->orders[original].locate : c->locate;
    wish->side_name = side_name;
    wish->side = side_of(side_name);
    wish->quantity = c->quantity - (original ? e->orders[original].executed : 0);
    wish->market = c->price == PRICE_MARKET || c->price == PRICE_MARKET_CROSS;
    wish->price = wish->limit = c->price;
    if (wish->market)
        wish->limit = wish->side == BUY ? LIMIT_MARKET_BUY : LIMIT_MARKET_SELL;
    s->limit = wish->limit;
    s->asked = c->price;
    s->refreshes = s->max_floor != 0 && s->max_floor < wish->quantity;
    wish->peg = s->price_type == 'P' || s->price_type == 'R' || s->price_type == 'M' || s->price_type == 'm';
    wish->display = wish->peg ? 'N' : c->display;
    wish->kinds =
        (wish->peg ? KIND_PEG : 0) | (discretionary(s) ? KIND_DISCRETION : 0) | (s->trigger_type ? KIND_STOP : 0);
    wish->plain = wish->display == 'Y' && !s->min_qty && !s->max_floor && !wish->kinds && s->post_only != 'P' &&
                  s->aiq_strategy == 'N' && c->tif != '6';
}

static uint8_t check_tif(const struct engine *e, const struct wish *wish)
{
    const struct command *c = wish->command;
    if (e->phase == PHASE_CLOSED)
        return REJECT_DESTINATION_CLOSED;
    if (c->tif == '0' && e->phase != PHASE_REGULAR)
        return e->phase == PHASE_PRE ? REJECT_PRE_MARKET : REJECT_POST_MARKET;
    if (c->tif == 'E' && e->phase != PHASE_AFTER)
        return REJECT_OTHER;
    if (c->tif == '6') {
        bool kept = wish->original && e->orders[wish->original].tif == '6';
        return kept || sent(c, TAG_EXPIRE_TIME) ? REJECT_NONE : REJECT_OTHER;
    }
    bool known = c->tif == '0' || c->tif == '3' || c->tif == '5' || c->tif == 'E';
    return known && !sent(c, TAG_EXPIRE_TIME) ? REJECT_NONE : REJECT_OTHER;
}

static bool on_tick(const struct book *book, uint32_t price)
{
    return price <= PRICE_MAX && book_tick_index(book, price) != 0;
}

static bool offset_on_tick(const struct book *book, int32_t offset)
{
    return (int64_t)offset % (int64_t)book->tick == 0;
}

static uint8_t check_quantities(const struct wish *wish, const struct special *s)
{
    const struct command *c = wish->command;
    if (s->min_qty > c->quantity || (s->min_qty && c->tif != '3' && wish->display != 'N'))
        return REJECT_MIN_QUANTITY;
    if (s->max_floor && (wish->display == 'N' || s->min_qty || s->post_only == 'P'))
        return REJECT_MAX_FLOOR;
    if (s->random_reserves && s->random_reserves >= s->max_floor)
        return REJECT_MAX_FLOOR;
    return REJECT_NONE;
}

static uint8_t check_peg(const struct wish *wish, const struct special *s, const struct book *book)
{
    bool midpoint = s->price_type == 'M' || s->price_type == 'm';
    if (!wish->peg && s->price_type != 'L')
        return REJECT_PEG_TYPE;
    if (s->peg_offset && (!wish->peg || midpoint || !offset_on_tick(book, s->peg_offset)))
        return REJECT_PEGGING;
    if (wish->peg && s->post_only == 'P')
        return midpoint ? REJECT_MIDPOINT_POST_ONLY : REJECT_PEGGING;
    return REJECT_NONE;
}

static uint8_t check_discretion(const struct wish *wish, const struct special *s, const struct book *book)
{
    if (!discretionary(s))
        return REJECT_NONE;
    if (wish->peg || (s->discretion_peg_offset && s->discretion_type == 'L') ||
        !offset_on_tick(book, s->discretion_peg_offset))
        return REJECT_PEGGING;
    if (s->post_only == 'P' || s->min_qty || s->max_floor || wish->command->tif == '3' || s->trigger_type ||
        wish->market)
        return REJECT_OTHER;
    if (s->discretion_price && !on_tick(book, s->discretion_price))
        return REJECT_PRICE;
    if (s->discretion_type == 'L' && price_rank(wish->side, s->discretion_price) <= price_rank(wish->side, wish->price))
        return REJECT_PRICE;
    return REJECT_NONE;
}

static uint8_t check_trigger(const struct wish *wish, const struct special *s, const struct book *book)
{
    if (s->post_only == 'P' && (wish->command->tif == '3' || wish->market || s->trigger_type))
        return REJECT_OTHER;
    if (!s->trigger_type)
        return REJECT_NONE;
    if (wish->both_triggers || s->min_qty || s->max_floor || wish->peg)
        return REJECT_OTHER;
    return on_tick(book, s->trigger) ? REJECT_NONE : REJECT_PRICE;
}

// The market maker peg's turn comes with the other pegs'.
static uint8_t check_unsupported(const struct command *c)
{
    uint8_t reason = unsupported_reason(c);
    return reason == REJECT_PEG_TYPE ? REJECT_NONE : reason;
}

uint8_t wish_check(const struct engine *e, const struct wish *wish)
{
    const struct command *c = wish->command;
    const struct special *s = &e->specials[0];
    const struct book *book = &e->books[wish->locate];
    uint8_t reason = check_tif(e, wish);
    if (reason == REJECT_NONE && !wish->market && !on_tick(book, c->price))
        reason = REJECT_PRICE;
    if (reason == REJECT_NONE && c->display != 'Y' && c->display != 'N' && c->display != 'A')
        reason = REJECT_DISPLAY;
    if (reason == REJECT_NONE && c->iso == 'Y' && s->price_type != 'L')
        reason = REJECT_ISO;
    if (reason == REJECT_NONE)
        reason = check_unsupported(c);
    if (reason == REJECT_NONE)
        reason = check_quantities(wish, s);
    if (reason == REJECT_NONE)
        reason = check_peg(wish, s, book);
    if (reason == REJECT_NONE)
        reason = check_discretion(wish, s, book);
    if (reason == REJECT_NONE)
        reason = check_trigger(wish, s, book);
    if (reason == REJECT_NONE && !aiq_known(s->aiq_strategy))
        reason = REJECT_AIQ;
    return reason;
}

uint32_t hidden_next(const struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    if (order->next)
        return order->next;
    uint32_t level = book_level_after(e, order->level >> PAGE_SHIFT, order->level & (PAGE_LEVELS - 1));
    return level ? e->levels[level].head : 0;
}

// The nearest tick behind `price` for an order of that side, 0 when there is none.
static uint32_t tick_behind(const struct book *book, unsigned side, uint32_t price)
{
    if (side == BUY)
        return (price - 1) / book->tick * book->tick;
    uint64_t behind = ((uint64_t)price / book->tick + 1) * book->tick;
    return behind <= PRICE_MAX ? (uint32_t)behind : 0;
}

bool wish_slide(struct engine *e, struct wish *wish)
{
    if (e->specials[0].post_only != 'P')
        return true;
    const struct book *book = &e->books[wish->locate];
    unsigned contra = wish->side ^ 1;
    struct walk *walk = &e->walk;
    if (!walk->begun)
        *walk = (struct walk){.begun = true, .hidden = hidden_first(e, book, contra)};
    uint32_t best = book->best[contra];
    for (unsigned looked = 0; walk->hidden; walk->hidden = hidden_next(e, walk->hidden)) {
        const struct order *order = &e->orders[walk->hidden];
        if (price_rank(contra, order->price) <= price_rank(contra, best) ||
            price_rank(wish->side, wish->limit) < price_rank(wish->side, order->price))
            break;
        if (e->specials[order->special].min_qty == 0) {
            best = order->price;
            break;
        }
        if (++looked == WALK_MAX)
            return false;
    }
    walk->begun = false;
    if (price_rank(wish->side, wish->limit) < price_rank(wish->side, best))
        return true;
    uint32_t behind = tick_behind(book, wish->side, best);
    wish->cancels = wish->session->post_only_cancels || behind == 0;
    if (!wish->cancels)
        wish->price = wish->limit = e->specials[0].limit = behind;
    return true;
}

// Whether the order that is replaced is the only one of its level.
static bool alone(const struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    return slot && order->level && (order->next | order->prev) == 0;
}

static bool level_shared(const struct engine *e, const struct wish *wish, bool own)
{
    if (wish->display == 'N')
        return false;
    uint32_t tick_index = book_tick_index(&e->books[wish->locate], wish->price);
    uint32_t page = page_find(e, wish->locate, wish->side, tick_index >> PAGE_SHIFT);
    if (page == 0)
        return false;
    uint32_t level = page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1));
    return e->levels[level].head != 0 && !(own && e->orders[wish->original].level == level);
}

bool wish_full(const struct engine *e, const struct wish *wish)
{
    if (wish->kinds == 0 && (wish->command->tif == '3' || wish->market))
        return false;
    const struct order *original = &e->orders[wish->original];
    const struct special *own = wish->original && original->special ? &e->specials[original->special] : NULL;
    bool own_level = alone(e, wish->original), own_kind = own && own->kinds;
    if (live_orders(e) - (wish->original != 0) >= e->limit.max_orders ||
        lookup_room(e, command_key(wish->command)).way == BUCKET_WAYS)
        return true;
    if (!wish->plain && e->special_live - (own != NULL) >= e->limit.max_special)
        return true;
    if (wish->kinds && e->backs[wish->locate].conditional - own_kind >= e->limit.max_conditional)
        return true;
    if (e->levels_used - own_level - own_kind < e->limit.max_levels)
        return false;
    return wish->kinds || !level_shared(e, wish, own_level);
}
