// SPDX-License-Identifier: Apache-2.0
// Hints only: nothing here changes a result, whatever the command holds. Each stage is kept to a few instructions, and
// to few branches: of a real flow the next type is a guess, and a wrong one costs more than what it would save.
#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/risk.h"

// Up to this many buckets all tables together are smaller than a second-level cache: some 8,000 orders.
#define RESIDENT_BUCKETS 2048u
#define RESIDENT_POSITIONS 8192u // the same, of a day with risk

bool engine_looks_ahead(const struct engine *e)
{
    return e->bucket_mask >= RESIDENT_BUCKETS || e->limit.max_positions > RESIDENT_POSITIONS;
}

// A function that holds nothing but hints has no effect in a compiler's eyes: it takes the calls away, unless it has
// inlined them before it comes to know.
#define LOOK inline __attribute__((always_inline))

static LOOK bool is_order(const struct command *c)
{
    return (uint8_t)(c->type - CMD_ENTER) <= CMD_MODIFY - CMD_ENTER;
}

// The first bucket of the order that a command is about: of the one to come of an Enter.
static LOOK struct bucket *target(const struct engine *e, const struct command *c, uint16_t *tag)
{
    uint64_t own = command_key(c), original = original_key(c);
    struct lookup_place place = lookup_place(e, own ^ ((own ^ original) & -(uint64_t)(c->type == CMD_REPLACE)));
    *tag = lookup_tag(place);
    return &e->buckets[lookup_first(e, place)];
}

// The end of the queue that a new order will join, when its page is in the directory.
static LOOK void look_at_queue(const struct engine *e, const struct command *c)
{
    if (c->locate > e->limit.max_symbols)
        return;
    uint32_t tick_index = book_tick_index(&e->books[c->locate], c->price);
    const struct directory_entry *entry = book_directory(e, c->locate, side_of(c->side), tick_index >> PAGE_SHIFT);
    const struct level *level = &e->levels[entry->page << PAGE_SHIFT | (tick_index & (PAGE_LEVELS - 1))];
    __builtin_prefetch(&e->orders[level->tail], 1);
}

static LOOK uint32_t look_at_order(const struct engine *e, const struct command *c)
{
    uint16_t tag;
    const struct bucket *bucket = target(e, c, &tag);
    uint32_t match = bucket_match(bucket, tag);
    unsigned last = BUCKET_WAYS - 1;
    uint32_t slot = bucket->slots[__builtin_ctz(match | 1u << 2 * last) / 2] & -(uint32_t)(match != 0);
    __builtin_prefetch(&e->orders[slot], 1);
    __builtin_prefetch(&e->links[slot], 1);
    return slot;
}

static LOOK void look_at_neighbours(const struct engine *e, uint32_t hint)
{
    const struct order *order = &e->orders[hint];
    __builtin_prefetch(&e->orders[order->next], 1);
    __builtin_prefetch(&e->orders[order->prev], 1);
    __builtin_prefetch(&e->levels[order->level], 1);
    __builtin_prefetch(&e->links[e->links[hint].next], 1);
    __builtin_prefetch(&e->links[e->links[hint].prev], 1);
}

// ---- what risk looks at, on a day with it ---------------------------------------------------------------------------

static LOOK bool counted(const struct engine *e, const struct command *c)
{
    return e->risk.positions_limit && c->session < e->limit.max_sessions;
}

// Where a position stands when each has a place of its own; else, and for a command without a symbol, nobody's.
static LOOK struct position *look_at_position(const struct engine *e, uint16_t session, uint16_t locate)
{
    return &e->risk.positions[position_own(&e->risk, e->sessions[session].account, locate) &
                              -(uint32_t)(locate - 1u < e->risk.row)];
}

// An Enter's lines, for all others those of session 0: selected without a branch.
static LOOK void look_at_line(const struct engine *e, const struct command *c)
{
    uint32_t entering = c->session & -(uint32_t)(c->type == CMD_ENTER);
    __builtin_prefetch(&e->risk.lines[c->session], 1);
    __builtin_prefetch(&e->risk.lines[entering].limits, 1);
    __builtin_prefetch(&e->alikes[entering], 1);
    __builtin_prefetch(look_at_position(e, c->session, c->locate), 1);
}

static LOOK void look_at_figures(const struct engine *e, const struct session_line *line)
{
    __builtin_prefetch(&e->parties[line->own], 1);
    __builtin_prefetch(&e->parties[line->account], 1);
    __builtin_prefetch(&e->parties[line->firm], 1);
}

// What an execution counts in besides.
static LOOK void look_at_result(const struct engine *e, const struct session_line *line,
                                const struct position *position)
{
    __builtin_prefetch(&e->holdings[position - e->risk.positions], 1);
    __builtin_prefetch(&e->standings[line->account], 1);
    __builtin_prefetch(&e->standings[line->firm], 1);
}

// Whom an order that takes will meet first.
static LOOK void look_at_maker(const struct engine *e, const struct command *c)
{
    if (c->locate > e->limit.max_symbols)
        return;
    const struct book *book = &e->books[c->locate];
    unsigned side = side_of(c->side);
    if (!((c->type == CMD_ENTER) & book_crosses(book, side, c->price)))
        return;
    const struct order *maker = &e->orders[e->levels[book->best_level[side ^ 1]].head];
    uint16_t session = key_session(maker->key);
    const struct position *position = &e->risk.positions[maker->position];
    __builtin_prefetch(position, 1);
    look_at_result(e, &e->risk.lines[c->session], look_at_position(e, c->session, c->locate));
    if (session >= e->limit.max_sessions)
        return;
    __builtin_prefetch(&e->paces[session]);
    look_at_figures(e, &e->risk.lines[session]);
    look_at_result(e, &e->risk.lines[session], position);
}

static LOOK void look_at_parties(const struct engine *e, const struct command *c)
{
    const struct session_line *line = &e->risk.lines[c->session];
    look_at_figures(e, line);
    uint32_t entering = c->session & -(uint32_t)(c->type == CMD_ENTER);
    __builtin_prefetch(&e->alikes[entering].places[line->alike.next], 1);
    look_at_maker(e, c);
}

uint32_t engine_look_ahead(const struct engine *e, const struct command *far, const struct command *near, uint32_t hint)
{
    uint16_t tag;
    if (far && is_order(far)) {
        __builtin_prefetch(target(e, far, &tag), 1);
        if (counted(e, far))
            look_at_line(e, far);
    }
    hint &= -(uint32_t)(hint <= e->limit.max_orders);
    look_at_neighbours(e, hint);
    if (e->risk.positions_limit)
        __builtin_prefetch(&e->risk.positions[e->orders[hint].position], 1);
    if (!near || !is_order(near))
        return 0;
    if (counted(e, near))
        look_at_parties(e, near);
    if (near->type != CMD_ENTER)
        return look_at_order(e, near);
    look_at_queue(e, near);
    return 0;
}
