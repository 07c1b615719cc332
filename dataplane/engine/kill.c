// SPDX-License-Identifier: Apache-2.0
#include "engine/kill.h"

#include "contract/fault.h"
#include "engine/alert.h"
#include "engine/lookup.h"
#include "engine/risk.h"
#include "engine/settle.h"
#include "engine/slots.h"
#include "engine/special.h"

// Orders that a step looks at before it pauses.
#define KILL_LOOKS 2048u

#define PREFETCH_NEAR 4u // orders ahead

#define ACCOUNT_BLOCKS 1u // blocks[0] is the venue's

enum stage { STAGE_CANCEL, STAGE_PEGS, STAGE_TRIGGERED, STAGE_COUNT, STAGE_SAY };

// ---- scopes and blocks ----------------------------------------------------------------------------------------------

static bool is_account(const struct engine *e, uint16_t index)
{
    return index < e->limit.max_accounts && e->accounts[index].open;
}

// Where the scope's blocks stand, UINT32_MAX when there is no such scope.
static uint32_t place_of(const struct engine *e, enum scope scope, uint16_t index)
{
    uint32_t accounts = e->memory.max_accounts;
    switch (scope) {
    case SCOPE_VENUE:
        return 0;
    case SCOPE_ACCOUNT:
        return is_account(e, index) ? ACCOUNT_BLOCKS + index : UINT32_MAX;
    case SCOPE_FIRM:
        return is_account(e, index) && e->accounts[index].firm_index == index ? ACCOUNT_BLOCKS + accounts + index
                                                                              : UINT32_MAX;
    case SCOPE_SESSION:
        return index < e->limit.max_sessions && e->sessions[index].open ? e->session_blocks + index : UINT32_MAX;
    case SCOPE_SYMBOL:
        return index != LOCATE_NONE && index <= e->limit.max_symbols && e->books[index].tick ? e->symbol_blocks + index
                                                                                             : UINT32_MAX;
    default:
        return UINT32_MAX;
    }
}

unsigned engine_venue_blocked(const struct engine *e)
{
    unsigned sources = 0;
    for (unsigned i = 0; i < KILL_SOURCES; i++)
        sources |= (e->blocks[0] >> 2 * i & 3) ? 1u << i : 0;
    return sources;
}

static unsigned sides_of(char side)
{
    return side == 0 ? 3u : side == 'B' ? 1u << BUY : 1u << SELL;
}

// The bits of these sources and sides.
static uint8_t block_bits(unsigned sources, unsigned sides)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < KILL_SOURCES; i++)
        bits |= sources >> i & 1 ? sides << 2 * i : 0;
    return (uint8_t)bits;
}

static unsigned session_sides(const struct engine *e, uint32_t session)
{
    uint32_t account = e->sessions[session].account, firm = e->accounts[account].firm_index;
    return kill_sides(e->blocks[0] | e->blocks[ACCOUNT_BLOCKS + account] |
                      e->blocks[ACCOUNT_BLOCKS + e->memory.max_accounts + firm] |
                      e->blocks[e->session_blocks + session]);
}

static void mark_session(struct engine *e, uint32_t session)
{
    if (!e->sessions[session].open)
        return;
    struct session *at = &e->sessions[session];
    at->disabled = (uint8_t)((at->disabled & DISABLED_BY_USER) | session_sides(e, session) << DISABLED_KILL_SHIFT);
}

static void mark_symbol(struct engine *e, uint32_t locate)
{
    struct book *book = &e->books[locate];
    uint8_t mark = kill_sides(e->blocks[e->symbol_blocks + locate]) ? UNCOMMON_KILLED : 0;
    for (unsigned side = BUY; side <= SELL; side++)
        book->uncommon[side] = (uint8_t)((book->uncommon[side] & ~UNCOMMON_KILLED) | mark);
}

void kill_session_opened(struct engine *e, uint16_t session)
{
    mark_session(e, session);
}

static void mark_sessions(struct engine *e)
{
    for (uint32_t session = 0; session < e->limit.max_sessions; session++)
        mark_session(e, session);
}

static void settle(struct engine *e, enum scope scope, uint16_t index)
{
    if (scope == SCOPE_SYMBOL)
        mark_symbol(e, index);
    else if (scope == SCOPE_SESSION)
        mark_session(e, index);
    else
        mark_sessions(e);
}

// ---- what rests -----------------------------------------------------------------------------------------------------

static bool has_session(const struct engine *e, const struct kill *kill, uint32_t session)
{
    const struct session *at = &e->sessions[session];
    if (!at->open)
        return false;
    switch (kill->scope) {
    case SCOPE_ACCOUNT:
        return at->account == kill->index;
    case SCOPE_FIRM:
        return e->accounts[at->account].firm_index == kill->index;
    case SCOPE_SESSION:
        return session == kill->index;
    default:
        return true;
    }
}

// The oldest order of the next session of the scope that has orders; 0 behind the last.
static uint32_t next_list(const struct engine *e, struct kill *kill)
{
    uint32_t slot = 0;
    for (; slot == 0 && kill->session < e->limit.max_sessions; kill->session++)
        if (has_session(e, kill, kill->session))
            slot = session_oldest(e, kill->session);
    return slot;
}

static bool is_meant(const struct kill *kill, const struct order *order)
{
    return kill->sides >> side_of(order->side) & 1;
}

static void cancel(struct engine *e, struct out *out, uint32_t slot)
{
    order_cancel_whole(e, out, slot, 'S');
    e->kill.canceled++;
}

// Brings closer what canceling an order touches, when the order itself is there. Inlined at once: compilers take a call
// of a function that holds nothing but hints away.
static inline __attribute__((always_inline)) void prefetch_around(const struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    __builtin_prefetch(&e->buckets[lookup_first(e, lookup_place(e, order->key))], 1);
    __builtin_prefetch(&e->levels[order->level], 1);
    __builtin_prefetch(&e->orders[order->next], 1);
    __builtin_prefetch(&e->orders[order->prev], 1);
}

// The order that stands `distance` behind this one in its session's list, 0 for none.
static inline uint32_t ahead_of(const struct engine *e, uint32_t slot, unsigned distance)
{
    uint32_t member = e->orders[slot].member;
    for (; member && distance; distance--)
        member = member_next(e, member);
    return e->members[member];
}

// Cancels or counts, session by session. True behind the last.
static bool walk_sessions(struct engine *e, struct out *out, bool counts)
{
    struct kill *kill = &e->kill;
    for (unsigned looked = 0; looked < KILL_LOOKS && !out_full(out); looked++) {
        if (kill->slot == 0)
            kill->slot = next_list(e, kill);
        if (kill->slot == 0)
            return true;
        uint32_t slot = kill->slot;
        kill->slot = session_next(e, slot);
        uint32_t near = ahead_of(e, slot, PREFETCH_NEAR), far = ahead_of(e, near, PREFETCH_NEAR);
        prefetch_around(e, near); // of 0 too, which is nobody's
        __builtin_prefetch(&e->orders[far], 1);
        if (!is_meant(kill, &e->orders[slot]))
            continue;
        if (counts)
            kill->counted++;
        else
            cancel(e, out, slot);
    }
    return false;
}

// The first order of the symbol's book that is meant: buys before sells, displayed before non-displayed, best first.
static uint32_t first_in_book(const struct engine *e, const struct kill *kill)
{
    const struct book *book = &e->books[kill->index];
    for (unsigned side = BUY; side <= SELL; side++) {
        if ((kill->sides >> side & 1) == 0)
            continue;
        uint32_t level = book->best_level[side] ? book->best_level[side] : book->best_level[side | HIDDEN];
        if (level)
            return e->levels[level].head;
    }
    return 0;
}

// A list of conditional orders of the symbol, whose next is kill->slot, a pool index: what waits outside the book.
static bool walk_list(struct engine *e, struct out *out)
{
    struct kill *kill = &e->kill;
    for (unsigned looked = 0; kill->slot; looked++) {
        if (looked == KILL_LOOKS || out_full(out))
            return false;
        uint32_t slot = e->specials[kill->slot].slot;
        kill->slot = e->specials[kill->slot].next;
        if (is_meant(kill, &e->orders[slot]))
            cancel(e, out, slot);
    }
    return true;
}

static bool cancel_book(struct engine *e, struct out *out)
{
    struct kill *kill = &e->kill;
    const struct book_back *back = &e->backs[kill->index];
    for (uint32_t slot; (slot = first_in_book(e, kill)) != 0;) {
        if (out_full(out))
            return false;
        cancel(e, out, slot);
    }
    for (unsigned side = BUY; side <= SELL; side++) {
        while (kill->sides >> side & 1 && back->stops[side]) {
            if (out_full(out))
                return false;
            cancel(e, out, e->specials[back->stops[side]].slot);
        }
    }
    return true;
}

static uint32_t count_list(const struct engine *e, const struct kill *kill, uint32_t special)
{
    uint32_t count = 0;
    for (; special; special = e->specials[special].next)
        count += is_meant(kill, &e->orders[e->specials[special].slot]);
    return count;
}

// How many orders of the symbol that are meant are left, levels counted for one: the question is whether it is none.
static uint32_t count_book(const struct engine *e, const struct kill *kill)
{
    const struct book *book = &e->books[kill->index];
    const struct book_back *back = &e->backs[kill->index];
    uint32_t count = count_list(e, kill, back->pegs) + count_list(e, kill, back->triggered);
    for (unsigned side = BUY; side <= SELL; side++) {
        if ((kill->sides >> side & 1) == 0)
            continue;
        count += (book->best_level[side] != 0) + (book->best_level[side | HIDDEN] != 0) + (back->stops[side] != 0);
    }
    return count;
}

// ---- the way of a kill ----------------------------------------------------------------------------------------------

// The stages of a symbol up to STAGE_SAY. False: goes on in a later step.
static bool symbol_stages(struct engine *e, struct out *out)
{
    struct kill *kill = &e->kill;
    const struct book_back *back = &e->backs[kill->index];
    if (kill->stage == STAGE_CANCEL) {
        if (!cancel_book(e, out))
            return false;
        kill->stage = STAGE_PEGS;
        kill->slot = back->pegs;
    }
    if (kill->stage == STAGE_PEGS) {
        if (!walk_list(e, out))
            return false;
        kill->stage = STAGE_TRIGGERED;
        kill->slot = back->triggered;
    }
    if (!walk_list(e, out)) // STAGE_TRIGGERED
        return false;
    kill->counted = count_book(e, kill);
    return true;
}

static bool session_stages(struct engine *e, struct out *out)
{
    struct kill *kill = &e->kill;
    uint32_t first = kill->scope == SCOPE_SESSION ? kill->index : 0;
    if (kill->stage == STAGE_CANCEL) {
        if (!walk_sessions(e, out, false))
            return false;
        kill->stage = STAGE_COUNT;
        kill->session = first;
    }
    return walk_sessions(e, out, true);
}

// The end: the scope is empty from now on where it is blocked.
static void say_zero(struct engine *e, struct out *out)
{
    const struct kill *kill = &e->kill;
    uint8_t *blocks = &e->blocks[place_of(e, (enum scope)kill->scope, kill->index)];
    e->left.work = WORK_NONE;
    if (kill->counted)
        return; // not zero: nobody is told that it is
    *blocks |= (uint8_t)((kill_sides(*blocks) & kill->sides) << KILL_EMPTY_SHIFT);
    emit_alert(out, ALERT_ZERO, (enum scope)kill->scope, kill->index, LOCATE_NONE, (enum limit)kill->limit, kill->id,
               kill->canceled, kill->side);
}

void kill_continue(struct engine *e, struct out *out)
{
    struct kill *kill = &e->kill;
    if (kill->stage != STAGE_SAY) {
        if (!(kill->scope == SCOPE_SYMBOL ? symbol_stages(e, out) : session_stages(e, out)))
            return;
        kill->stage = STAGE_SAY;
    }
    if (!out_full(out))
        say_zero(e, out);
}

static void begin(struct engine *e, struct out *out, const struct kill *kill)
{
    e->kill = *kill;
    e->kill.session = kill->scope == SCOPE_SESSION ? kill->index : 0;
    e->left = (struct unfinished){.work = WORK_KILL};
    kill_continue(e, out);
}

void kill_command(struct engine *e, const struct command *c, struct out *out)
{
    enum scope scope = (enum scope)c->kill.scope;
    uint16_t index = scope == SCOPE_VENUE ? 0 : c->kill.index;
    uint32_t place = place_of(e, scope, index);
    unsigned source = c->kill.source ? c->kill.source : KILL_BY_OPERATOR;
    uint8_t actions = c->kill.actions;
    bool known = c->kill.side == 0 || c->kill.side == 'B' || c->kill.side == 'S';
    if ((e->day != DAY_OPENING && e->day != DAY_OPEN) || place == UINT32_MAX || !known || actions == 0 ||
        actions > (KILL_BLOCK | KILL_CANCEL) || source >= 1u << KILL_SOURCES)
        return;
    emit_alert(out, ALERT_KILLED, scope, index, LOCATE_NONE, LIMITS, c->kill.id, actions | source << 8, c->kill.side);
    unsigned sides = sides_of(c->kill.side);
    if (actions & KILL_BLOCK) {
        e->blocks[place] |= block_bits(source, sides);
        settle(e, scope, index);
    }
    if (actions & KILL_CANCEL)
        begin(e, out,
              &(struct kill){.id = c->kill.id,
                             .scope = (uint8_t)scope,
                             .index = index,
                             .sides = (uint8_t)sides,
                             .side = c->kill.side,
                             .limit = LIMITS});
}

// A loss limit that is still reached kills again at once. Before the day's start nobody is looked at.
static void look_again(struct engine *e, enum scope scope, uint16_t index)
{
    if (e->day != DAY_OPEN)
        return;
    if (e->risk.positions_limit && scope == SCOPE_ACCOUNT)
        settle_party(e, party_of_account(index));
    if (e->risk.positions_limit && scope == SCOPE_FIRM)
        settle_party(e, party_of_firm(e, index));
}

void kill_reset(struct engine *e, const struct command *c, struct out *out)
{
    enum scope scope = (enum scope)c->kill.scope;
    uint16_t index = scope == SCOPE_VENUE ? 0 : c->kill.index;
    uint32_t place = place_of(e, scope, index);
    unsigned sources = c->kill.source ? c->kill.source : (1u << KILL_SOURCES) - 1;
    bool known = c->kill.side == 0 || c->kill.side == 'B' || c->kill.side == 'S';
    if ((e->day != DAY_OPENING && e->day != DAY_OPEN) || place == UINT32_MAX || !known)
        return;
    uint8_t lifted = e->blocks[place] & block_bits(sources, sides_of(c->kill.side));
    uint8_t blocks = e->blocks[place] & (uint8_t)~lifted;
    if (FAULT(reset_frees_account) && scope == SCOPE_SESSION)
        e->blocks[place_of(e, SCOPE_ACCOUNT, e->sessions[index].account)] = 0;
    // Empty only as long as nothing could come.
    e->blocks[place] = blocks & (uint8_t)(kill_sides(blocks) << KILL_EMPTY_SHIFT | ((1u << KILL_EMPTY_SHIFT) - 1));
    settle(e, scope, index);
    look_again(e, scope, index);
    emit_alert(out, ALERT_RESET, scope, index, LOCATE_NONE, LIMITS, c->kill.id, lifted, c->kill.side);
}

// ---- kills by limits ------------------------------------------------------------------------------------------------

static struct kill_cause *cause_of(const struct engine *e, enum scope scope, uint16_t index)
{
    return &e->kill_causes[2 * (uint32_t)index + (scope == SCOPE_FIRM)];
}

void kill_request(struct engine *e, enum scope scope, uint16_t index, enum limit limit, uint64_t before, uint64_t after)
{
    uint32_t place = place_of(e, scope, index);
    uint8_t bits = block_bits(KILL_BY_LIMIT, 3u);
    xw_assert((scope == SCOPE_ACCOUNT || scope == SCOPE_FIRM) && place != UINT32_MAX);
    if ((e->blocks[place] & bits) == bits)
        return;
    e->blocks[place] |= bits;
    mark_sessions(e);
    *cause_of(e, scope, index) = (struct kill_cause){.before = before, .after = after, .limit = limit, .pending = true};
    e->kills_pending++;
}

void kill_pending(struct engine *e, struct out *out)
{
    if (out_full(out)) {
        e->left.work = WORK_AFTER; // comes back here
        return;
    }
    uint32_t at = 0;
    while (!e->kill_causes[at].pending)
        at++;
    struct kill_cause *cause = &e->kill_causes[at];
    enum scope scope = at % 2 ? SCOPE_FIRM : SCOPE_ACCOUNT;
    uint16_t index = (uint16_t)(at / 2);
    cause->pending = false;
    e->kills_pending--;
    emit_alert(out, ALERT_KILLED, scope, index, LOCATE_NONE, (enum limit)cause->limit, cause->before, cause->after, 0);
    begin(e, out, &(struct kill){.scope = (uint8_t)scope, .index = index, .sides = 3, .limit = cause->limit});
    if (FAULT(limit_kill_without_block))
        e->blocks[place_of(e, scope, index)] = 0;
}

// ---- snapshots and the invariant ------------------------------------------------------------------------------------

static uint32_t blocks_count(const struct engine *e)
{
    return e->symbol_blocks + e->limit.max_symbols + 1;
}

bool kill_next_blocks(const struct engine *e, uint32_t *at, enum scope *scope, uint16_t *index, uint8_t *blocks)
{
    uint32_t accounts = e->memory.max_accounts;
    while (*at < blocks_count(e) && e->blocks[*at] == 0)
        ++*at;
    if (*at >= blocks_count(e))
        return false;
    const struct {
        enum scope scope;
        uint32_t from;
    } kinds[] = {{SCOPE_SYMBOL, e->symbol_blocks},
                 {SCOPE_SESSION, e->session_blocks},
                 {SCOPE_FIRM, ACCOUNT_BLOCKS + accounts},
                 {SCOPE_ACCOUNT, ACCOUNT_BLOCKS},
                 {SCOPE_VENUE, 0}};
    unsigned kind = 0;
    while (*at < kinds[kind].from)
        kind++;
    *scope = kinds[kind].scope;
    *index = (uint16_t)(*at - kinds[kind].from);
    *blocks = e->blocks[(*at)++];
    return true;
}

bool kill_restore_blocks(struct engine *e, enum scope scope, uint16_t index, uint8_t blocks)
{
    uint32_t place = place_of(e, scope, index);
    if (place == UINT32_MAX || blocks == 0 || e->blocks[place] != 0)
        return false;
    e->blocks[place] = blocks;
    settle(e, scope, index);
    return true;
}

// Nothing may rest where a scope says so.
static const char *check_empty(const struct engine *e, enum scope scope, uint16_t index, unsigned sides)
{
    struct kill kill = {.scope = (uint8_t)scope, .index = index, .sides = (uint8_t)sides};
    const char *broken = "an order rests in a scope that is killed";
    if (scope == SCOPE_SYMBOL)
        return count_book(e, &kill) ? broken : NULL;
    for (uint32_t slot; (slot = next_list(e, &kill)) != 0;) {
        for (; slot; slot = session_next(e, slot))
            if (is_meant(&kill, &e->orders[slot]))
                return broken;
    }
    return NULL;
}

const char *kill_check(const struct engine *e)
{
    enum scope scope;
    uint16_t index;
    uint8_t blocks;
    for (uint32_t at = 0; kill_next_blocks(e, &at, &scope, &index, &blocks);) {
        unsigned empty = blocks >> KILL_EMPTY_SHIFT;
        if (empty & ~kill_sides(blocks))
            return "a scope that is not blocked is said to stay empty";
        const char *broken = empty ? check_empty(e, scope, index, empty) : NULL;
        if (broken)
            return broken;
    }
    for (uint32_t session = 0; session < e->limit.max_sessions; session++)
        if (e->sessions[session].open &&
            e->sessions[session].disabled >> DISABLED_KILL_SHIFT != session_sides(e, session))
            return "a session does not say which kills concern it";
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        bool killed = kill_sides(e->blocks[e->symbol_blocks + locate]) != 0;
        for (unsigned side = BUY; side <= SELL; side++)
            if (((e->books[locate].uncommon[side] & UNCOMMON_KILLED) != 0) != killed)
                return "a book does not say whether its symbol is killed";
    }
    return e->kills_pending && e->left.work == WORK_NONE ? "a kill has not been carried out" : NULL;
}
