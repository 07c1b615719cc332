// SPDX-License-Identifier: Apache-2.0
// Reads the book for tools, and walks every invariant for tests and debug builds.
#include "engine/book.h"
#include "engine/conditional.h"
#include "engine/kill.h"
#include "engine/lookup.h"
#include "engine/market.h"
#include "engine/phases.h"
#include "engine/place.h"
#include "engine/special.h"
#include "engine/trades.h"
#include "engine/wish.h"

static const struct level *level_at(const struct engine *e, uint32_t page, unsigned offset)
{
    return &e->levels[page << PAGE_SHIFT | offset];
}

static uint32_t lowest_page(const struct engine *e, uint32_t root)
{
    while (root && e->pages[root].left)
        root = e->pages[root].left;
    return root;
}

static uint32_t highest_page(const struct engine *e, uint32_t root)
{
    while (root && e->pages[root].right)
        root = e->pages[root].right;
    return root;
}

static uint32_t count_orders(const struct engine *e, const struct level *level)
{
    uint32_t count = 0;
    for (uint32_t slot = level->head; slot; slot = e->orders[slot].next)
        count++;
    return count;
}

unsigned engine_levels(const struct engine *e, uint16_t locate, char side_name, struct engine_level *levels,
                       unsigned depth)
{
    if (locate == LOCATE_NONE || locate > e->limit.max_symbols)
        return 0;
    const struct book *book = &e->books[locate];
    unsigned side = side_name == 'B' ? BUY : SELL;
    uint32_t page =
        side == BUY ? highest_page(e, e->backs[locate].roots[BUY]) : lowest_page(e, e->backs[locate].roots[SELL]);
    unsigned count = 0;
    while (page && count < depth) {
        for (unsigned i = 0; i < PAGE_LEVELS && count < depth; i++) {
            unsigned offset = side == BUY ? PAGE_LEVELS - 1 - i : i;
            const struct level *level = level_at(e, page, offset);
            if (level->head)
                levels[count++] =
                    (struct engine_level){.price = (e->pages[page].number << PAGE_SHIFT | offset) * book->tick,
                                          .orders = count_orders(e, level),
                                          .quantity = level->quantity};
        }
        page = side == BUY ? e->pages[page].prev : e->pages[page].next;
    }
    return count;
}

struct tally {
    uint32_t orders;
    uint32_t levels;
    uint32_t kept; // pages
};

static const char *check_order(const struct engine *e, uint32_t slot, uint32_t prev, uint32_t level, uint32_t price,
                               const struct page *page)
{
    const struct order *order = &e->orders[slot];
    if (order->key == ORDER_FREE || slot > e->limit.max_orders)
        return "a free slot stands in a level";
    if (order->prev != prev)
        return "a level's queue is not linked both ways";
    if (order->level != level || order->price != price || order->locate != page->locate ||
        order_side(order) != page->side)
        return "an order stands in a level that is not its own";
    if (order->quantity == 0 || order->quantity > QUANTITY_MAX || order->executed > QUANTITY_MAX - order_open(e, order))
        return "an order's chain may execute more than OUCH allows, or has nothing open";
    if (lookup_slot(e, order->key) != slot)
        return "a resting order is not found by its number";
    return NULL;
}

static const char *check_level(const struct engine *e, uint32_t page_index, unsigned offset, struct tally *tally)
{
    const struct page *page = &e->pages[page_index];
    const struct level *level = level_at(e, page_index, offset);
    uint32_t price = book_level_price(e, &e->books[page->locate], page_index << PAGE_SHIFT | offset);
    bool occupied = page->occupied >> offset & 1;
    if (occupied != (level->head != 0) || (level->head == 0) != (level->tail == 0))
        return "a page's bitmap disagrees with its levels";
    uint64_t quantity = 0;
    uint32_t prev = 0;
    for (uint32_t slot = level->head; slot; prev = slot, slot = e->orders[slot].next) {
        const char *broken = check_order(e, slot, prev, page_index << PAGE_SHIFT | offset, price, page);
        if (broken)
            return broken;
        quantity += e->orders[slot].quantity;
        if (++tally->orders > e->limit.max_orders)
            return "a level's queue has no end";
    }
    if (level->tail != prev)
        return "a level's tail is not its last order";
    if (level->quantity != quantity)
        return "a level's quantity is not the sum of its orders";
    tally->levels += occupied;
    return NULL;
}

// Number of pages below `at`, or UINT32_MAX when the subtree breaks a rule of AA trees.
static uint32_t check_tree(const struct engine *e, uint32_t at, uint64_t low, uint64_t high)
{
    if (at == 0)
        return 0;
    const struct page *pages = e->pages, *page = &pages[at];
    if (page->number < low || page->number > high || page->rank == 0)
        return UINT32_MAX;
    if (pages[page->left].rank != page->rank - 1u || page->rank - pages[page->right].rank > 1 ||
        pages[page->right].rank > page->rank || pages[pages[page->right].right].rank >= page->rank)
        return UINT32_MAX;
    uint32_t left = page->number ? check_tree(e, page->left, low, page->number - 1ull) : 0;
    uint32_t right = check_tree(e, page->right, page->number + 1ull, high);
    return left == UINT32_MAX || right == UINT32_MAX ? UINT32_MAX : left + right + 1;
}

static const char *check_side(const struct engine *e, uint16_t locate, unsigned side, struct tally *tally)
{
    const struct book *book = &e->books[locate];
    uint32_t pages = check_tree(e, e->backs[locate].roots[side], 0, UINT32_MAX);
    if (pages == UINT32_MAX)
        return "a tree of pages is out of order or out of balance";
    uint32_t listed = 0, prev = 0, best = 0;
    for (uint32_t page = lowest_page(e, e->backs[locate].roots[side]); page; prev = page, page = e->pages[page].next) {
        const struct page *at = &e->pages[page];
        if (++listed > pages || at->prev != prev || at->locate != locate || at->side != side)
            return "a side's list of pages disagrees with its tree";
        if (at->occupied == 0 && !at->kept)
            return "a page without orders stays";
        tally->kept += at->kept;
        for (unsigned offset = 0; offset < PAGE_LEVELS; offset++) {
            const char *broken = check_level(e, page, offset, tally);
            if (broken)
                return broken;
            if (at->occupied >> offset & 1 && ((side & SELL) == 0 || best == 0))
                best = page << PAGE_SHIFT | offset;
        }
    }
    if (listed != pages)
        return "a side's list of pages disagrees with its tree";
    uint32_t price = side & SELL ? NO_ASK : NO_BID;
    if (best)
        price = book_level_price(e, book, best);
    if (book->best_level[side] != best || book->best[side] != price)
        return "a best price is not the best price";
    return NULL;
}

// Of a session's newest block, places that no order has had yet are marked and hold none.
static bool newest_in_order(const struct engine *e, const struct session_orders *own)
{
    uint32_t behind = own->next - 1, way = behind % MEMBER_WAYS;
    if (behind >> MEMBER_SHIFT != own->newest || e->members_live[own->newest] >> way >> 1 != UINT64_MAX >> way >> 1)
        return false;
    for (way++; way < MEMBER_WAYS; way++)
        if (e->members[own->newest << MEMBER_SHIFT | way] != 0)
            return false;
    return true;
}

static const char *check_sessions(const struct engine *e)
{
    uint32_t listed = 0, blocks = 0;
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        if (!e->sessions[session].open)
            continue;
        uint32_t last = 0;
        for (uint32_t slot = session_oldest(e, session); slot; slot = session_next(e, slot)) {
            const struct order *order = &e->orders[slot];
            if (order->key == ORDER_FREE || key_session(order->key) != session || e->members[order->member] != slot)
                return "a session's list holds what is not its order";
            if (key_user_ref(order->key) > e->last_ref[session * 256 + key_channel(order->key)])
                return "an order rests under a number that its channel has not used";
            if (order->member >> MEMBER_SHIFT != last && e->member_blocks[order->member >> MEMBER_SHIFT].prev != last)
                return "a session's blocks are not joined both ways";
            last = order->member >> MEMBER_SHIFT;
            if (++listed > live_orders(e))
                return "a session's list has no end";
        }
        const struct session_orders *own = &e->sessions[session].orders;
        if (last != own->newest && last != e->member_blocks[own->newest].prev)
            return "a session's newest order is not the last of its list";
        if (own->newest && !newest_in_order(e, own))
            return "a session's next place is not behind its newest order";
        for (uint32_t block = own->oldest; block && blocks <= e->member_blocks_used; blocks++)
            block = e->member_blocks[block].next;
    }
    if (listed != live_orders(e))
        return "sessions do not list every live order";
    return blocks == e->member_blocks_used ? NULL : "sessions have not as many blocks as are in use";
}

// What the accounts have at risk is what their orders come to.
static const char *check_risk(const struct engine *e)
{
    for (uint32_t account = 0; account < e->limit.max_accounts; account++) {
        uint64_t quantity[2] = {0}, notional[2] = {0};
        for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
            if (!e->sessions[session].open || e->sessions[session].account != account)
                continue;
            for (uint32_t slot = session_oldest(e, session); slot; slot = session_next(e, slot)) {
                const struct order *order = &e->orders[slot];
                quantity[side_of(order->side)] += order_open(e, order);
                notional[side_of(order->side)] += (uint64_t)order_open(e, order) * risk_price(order);
            }
        }
        for (unsigned side = BUY; side <= SELL; side++) {
            struct engine_exposure has = engine_exposure(e, (uint16_t)account, side == BUY ? 'B' : 'S');
            if (has.quantity != quantity[side] || has.notional != notional[side])
                return "an account's exposure is not the sum of its orders";
        }
    }
    return NULL;
}

static uint32_t order_bucket(const struct engine *e, const struct order *order)
{
    struct lookup_place place = lookup_place(e, order->key);
    return order->flags & ORDER_AWAY ? lookup_second(e, place) : lookup_first(e, place);
}

static const char *check_buckets(const struct engine *e)
{
    uint64_t used = 0, away = 0, standing_away = 0;
    for (uint32_t i = 0; i <= e->bucket_mask; i++) {
        const struct bucket *bucket = &e->buckets[i];
        unsigned taken = 0;
        for (unsigned way = 0; way < BUCKET_WAYS; way++) {
            if (!(bucket->taken >> way & 1))
                continue;
            taken++;
            uint32_t slot = bucket->slots[way];
            if (e->orders[slot].key == ORDER_FREE || order_bucket(e, &e->orders[slot]) != i)
                return "the table of live orders names an order that is not live";
            if (bucket->tags[way] != lookup_tag(lookup_place(e, e->orders[slot].key)))
                return "an order stands under a tag that is not its own";
            standing_away += lookup_first(e, lookup_place(e, e->orders[slot].key)) != i;
        }
        used += taken;
        away += bucket->away;
    }
    if (used != live_orders(e))
        return "the table of live orders does not hold every live order";
    return away == standing_away ? NULL : "buckets miscount the orders that stand elsewhere";
}

static bool matching(const struct engine *e)
{
    return e->left.work == WORK_MATCH || e->left.work == WORK_GENERAL || e->left.work == WORK_AFTER;
}

// The best price of a side, orders with a minimum aside: they alone may cross.
static uint32_t firm_best(const struct engine *e, const struct book *book, unsigned side)
{
    uint32_t best = book->best[side], slot = hidden_first(e, book, side);
    while (slot && e->specials[e->orders[slot].special].min_qty)
        slot = hidden_next(e, slot);
    if (slot && price_rank(side, e->orders[slot].price) > price_rank(side, best))
        best = e->orders[slot].price;
    return best;
}

const char *engine_check(const struct engine *e)
{
    if (e->day == DAY_NONE)
        return live_orders(e) ? "orders live before the day" : NULL;
    struct tally tally = {0};
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        if (e->books[locate].tick == 0)
            continue;
        for (unsigned side = 0; side < BOOK_SIDES; side++) {
            const char *broken = check_side(e, (uint16_t)locate, side, &tally);
            if (broken)
                return broken;
        }
        if (!matching(e) && firm_best(e, &e->books[locate], BUY) >= firm_best(e, &e->books[locate], SELL))
            return "the book is crossed";
    }
    uint32_t waiting;
    const char *broken = special_check(e, &waiting);
    if (broken)
        return broken;
    if (tally.orders + waiting != live_orders(e) || e->fresh_slot > e->fresh_limit)
        return "books, slots and the count of live orders disagree";
    if (tally.kept != (e->kept < KEPT_PAGES ? e->kept : KEPT_PAGES))
        return "pages are kept that nobody knows of";
    if (tally.levels + e->conditional_live != e->levels_used)
        return "the count of levels in use is wrong";
    broken = check_sessions(e);
    if (!broken)
        broken = check_buckets(e);
    if (!broken)
        broken = check_risk(e);
    if (!broken && e->risk.positions_limit)
        broken = rates_check(e);
    if (!broken && e->risk.positions_limit)
        broken = losses_check(e);
    if (!broken && e->risk.positions_limit)
        broken = settle_check(e);
    if (!broken)
        broken = risk_check_sums(e);
    if (!broken)
        broken = conditional_check(e);
    if (!broken)
        broken = expiry_check(e);
    if (!broken)
        broken = market_invariants(e);
    if (!broken)
        broken = kill_check(e);
    return broken ? broken : trades_check(e);
}

struct engine_exposure engine_exposure(const struct engine *e, uint16_t account, char side)
{
    if (account >= e->limit.max_accounts)
        return (struct engine_exposure){0};
    struct engine_exposure exposure = {0};
    for (uint32_t session = 0; !risk_on(e) && session < e->limit.max_sessions; session++) {
        const struct session *own = &e->sessions[session];
        if (own->account != account)
            continue;
        exposure.quantity += own->exposure.quantity[side_of(side)];
        exposure.notional += own->exposure.notional[side_of(side)];
    }
    for (uint32_t locate = 1; risk_on(e) && locate <= e->limit.max_symbols; locate++) {
        const struct position *position = &e->risk.positions[position_find(e, account, (uint16_t)locate)];
        exposure.quantity += position->working[side_of(side)];
        exposure.notional += position->notional[side_of(side)];
    }
    return exposure;
}
