// SPDX-License-Identifier: Apache-2.0
// Recovery as the matching core sees it: a snapshot, if there is one, then history in order, every command with the
// hash that stood before it. The first one that does not fit stops the core for good.
//
//   FRESH --CMD_RESTORE_*--> RESTORING --CMD_RESTORE_END--> RESTORED --history-->
//     ^                        |  a record that does not fit
//     +----DIRECTIVE_RESET--- REFUSED: everything is passed over
#include "cores/matcher.h"

#include <string.h>

#include "contract/told.h"

#define HISTORY_BURST 256 // cells of the command ring in a round
#define RESTORE_AHEAD 10  // records between the one that is taken and the one whose memory is fetched

static void fail(struct matcher *matcher, uint64_t seq, uint64_t want, uint64_t got)
{
    atomic_store_explicit(&matcher->port->diverged_want, want, memory_order_relaxed);
    atomic_store_explicit(&matcher->port->diverged_got, got, memory_order_relaxed);
    // Release: who sees the sequence sees the hashes.
    atomic_store_explicit(&matcher->port->diverged_seq, seq, memory_order_release);
    matcher->state = CORE_FAIL;
    atomic_store_explicit(&matcher->block->state, CORE_FAIL, memory_order_release);
}

// ---- streams that are only counted
// -----------------------------------------------------------------------------------

static void count_one(struct matcher *matcher, uint32_t session)
{
    if (session >= matcher->sessions_count)
        return;
    matcher->told[session]++;
    for (uint32_t i = matcher->told_at ? matcher->copies.first[session] : 0;
         matcher->told_at && i < matcher->copies.first[session + 1]; i++)
        matcher->told[matcher->copies.streams[i]]++;
}

void matcher_count(struct matcher *matcher, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = &matcher->events[i];
        matcher->told_feed += told_feed(event);
        if (told_session(event)) {
            count_one(matcher, event->session);
            if (event->type == EV_TRADE)
                count_one(matcher, event->other_session);
        } else if (told_all(event)) {
            for (uint32_t s = 0; s < matcher->sessions_count; s++) {
                if (matcher->told[s] != TOLD_ELSEWHERE)
                    count_one(matcher, s);
            }
        } else if (event->type == EV_DAY_OPEN || event->type == EV_DAY_END) {
            struct event day = *event;
            matcher->events[0] = day; // what stood there has been counted
            matcher_emit(matcher, 1);
        }
        matcher->counters[COUNT_MATCHER_executions] += event->type == EV_TRADE;
    }
}

// ---- a snapshot -----------------------------------------------------------------------------------------------------

static void set_restore(struct matcher *matcher, enum restore_state state)
{
    matcher->restore = state;
    // Release pairs with control's acquire: applied_seq stands.
    atomic_store_explicit(&matcher->port->restore, state, memory_order_release);
}

// An event that the engine does not make: outside of its hash, and released whatever is durable.
static void tell(struct matcher *matcher, const struct event *event)
{
    matcher->events[0] = *event;
    matcher_emit(matcher, 1);
}

static void tell_stream(struct matcher *matcher, uint16_t session, uint64_t next)
{
    struct event event = {.type = EV_RESTORE_STREAM,
                          .lines = 1,
                          .flags = session == SESSION_NONE ? EV_MD_OTHER : 0,
                          .session = session,
                          .ref = next};
    tell(matcher, &event);
}

// Counting is over: gateways and publisher go on from there. As many as there is credit for; false while some are left.
static bool tell_counts(struct matcher *matcher)
{
    for (; matcher->telling < matcher->streams_count; matcher->telling++) {
        if (matcher->told[matcher->telling] == TOLD_ELSEWHERE)
            continue;
        if (!matcher_can_take(matcher))
            return false;
        tell_stream(matcher, (uint16_t)matcher->telling, matcher->told[matcher->telling] + 1);
    }
    if (!matcher_can_take(matcher))
        return false;
    tell_stream(matcher, SESSION_NONE, matcher->told_feed + 1);
    matcher->count_until = 0;
    return true;
}

// Only before any history: what was told since would not be counted.
static void begin_count(struct matcher *matcher, uint64_t until)
{
    if (!matcher->history && until > engine_sequence(matcher->engine))
        matcher->count_until = until;
}

static void forget_counts(struct matcher *matcher)
{
    matcher->history = false;
    matcher->count_until = matcher->told_feed = matcher->telling = 0;
    for (uint32_t s = 0; s < matcher->streams_count; s++)
        matcher->told[s] = matcher->told[s] == TOLD_ELSEWHERE ? TOLD_ELSEWHERE : 0;
}

static void restore_stream(struct matcher *matcher, const struct command *cell)
{
    uint64_t next = cell->restore_stream.next;
    if (cell->session < matcher->streams_count && matcher->told[cell->session] != TOLD_ELSEWHERE)
        matcher->told[cell->session] = next - 1;
    else
        matcher->told_feed = next - 1;
    tell_stream(matcher, cell->session, next);
}

static void tell_messages(struct matcher *matcher, const struct command *cell)
{
    const uint8_t *blocks = cell->restore_messages.blocks;
    for (size_t at = 0; at + 2 < RESTORE_BLOCKS && (blocks[at] | blocks[at + 1]); matcher->told_feed++)
        at += 2u + (size_t)(blocks[at] << 8 | blocks[at + 1]);
    struct event event = {.type = EV_RESTORE_MESSAGES, .lines = 3, .flags = EV_MD_OTHER, .session = SESSION_NONE};
    memcpy((char *)&event + EVENT_BLOCKS_AT, cell->restore_messages.blocks, sizeof cell->restore_messages.blocks);
    tell(matcher, &event);
}

static void tell_day(struct matcher *matcher)
{
    struct event event = {.type = EV_DAY_OPEN,
                          .lines = 1,
                          .flags = EV_MD_OTHER,
                          .session = SESSION_NONE,
                          .quantity = matcher->restoring.date};
    tell(matcher, &event);
    event.type = EV_DAY_END;
    if (matcher->restoring.ended)
        tell(matcher, &event);
}

static void restore(struct matcher *matcher, const struct command *cell)
{
    if (matcher->restore == CORE_FRESH)
        set_restore(matcher, CORE_RESTORING);
    if (matcher->restore != CORE_RESTORING) {
        if (matcher->restore == CORE_RESTORED)
            set_restore(matcher, CORE_REFUSED);
        return;
    }
    if (cell->type == CMD_RESTORE_STREAM) {
        restore_stream(matcher, cell);
        return;
    }
    if (cell->type == CMD_RESTORE_MESSAGES) {
        tell_messages(matcher, cell);
        return;
    }
    switch (restore_take(&matcher->restoring, cell)) {
    case RESTORE_MORE:
        break;
    case RESTORE_DONE:
        tell_day(matcher);
        atomic_store_explicit(&matcher->port->applied_seq, engine_sequence(matcher->engine), memory_order_release);
        set_restore(matcher, CORE_RESTORED);
        break;
    case RESTORE_REFUSED:
        set_restore(matcher, CORE_REFUSED);
        break;
    }
}

// As just started: what gateways and publisher have taken from a half snapshot is void too.
static void reset(struct matcher *matcher)
{
    struct event event = {.type = EV_RESTORE_NOTHING, .lines = 1, .flags = EV_MD_OTHER, .session = SESSION_NONE};
    memset((void *)matcher->engine, 0, engine_footprint(&matcher->capacity));
    matcher->engine = engine_new(matcher->engine, &matcher->capacity);
    restore_begin(&matcher->restoring, matcher->engine);
    forget_counts(matcher);
    tell(matcher, &event);
    atomic_store_explicit(&matcher->port->applied_seq, 0, memory_order_release);
    set_restore(matcher, CORE_FRESH);
}

// ---- history --------------------------------------------------------------------------------------------------------

// History is complete. The journal ring goes on where the journal ends.
static void recovered(struct matcher *matcher, uint64_t seq)
{
    uint64_t have = engine_sequence(matcher->engine);
    if (seq != have) {
        fail(matcher, have + 1, seq, have);
        return;
    }
    matcher_publish(matcher); // the last of what was replayed
    ring_rebase(matcher->journal.ring, seq);
    writer_new(&matcher->journal, matcher->journal.ring);
    matcher->credit = 0;
    matcher->previous_ns = engine_time_ns(matcher->engine);
    matcher->state = CORE_RUN;
    atomic_store_explicit(&matcher->port->applied_seq, seq, memory_order_release);
    // Release pairs with the acquire in gateways and publishers: all that was replayed has been pushed.
    atomic_store_explicit(&matcher->block->state, CORE_RUN, memory_order_release);
}

static void replay(struct matcher *matcher, const struct command *cell)
{
    struct command command = *cell;
    uint64_t hash = engine_event_hash(matcher->engine);
    command.seq = engine_sequence(matcher->engine) + 1;
    if (command.prev_hash != (uint32_t)hash) {
        fail(matcher, command.seq, command.prev_hash, (uint32_t)hash);
        return;
    }
    if (command.type == CMD_TICK && command.tick.event_hash != hash) {
        fail(matcher, command.seq, command.tick.event_hash, hash);
        return;
    }
    matcher->history = true;
    matcher->counters[COUNT_MATCHER_replayed]++;
    matcher_step(matcher, &command);
}

static void take_cell(struct matcher *matcher, const struct command *cell)
{
    if (cell->type >= CMD_RESTORE_DAY && cell->type <= CMD_RESTORE_MESSAGES)
        restore(matcher, cell);
    else if (cell->type == DIRECTIVE_RESET)
        reset(matcher);
    else if (cell->type == DIRECTIVE_DRAIN)
        matcher->told_to_drain = true;
    else if (matcher->restore == CORE_RESTORING || matcher->restore == CORE_REFUSED)
        fail(matcher, engine_sequence(matcher->engine) + 1, 0, 0); // half an engine takes no history
    else if (cell->type == DIRECTIVE_RECOVERED)
        recovered(matcher, cell->recovered.seq);
    else if (cell->type == DIRECTIVE_COUNT)
        begin_count(matcher, cell->recovered.seq);
    else
        replay(matcher, cell);
}

// What the cells of a round will touch.
struct history_ahead {
    struct engine_ahead aims;
    const struct command *burst[ENGINE_AHEAD_BEFORE + HISTORY_BURST + ENGINE_AHEAD_BEHIND];
};

static void look_ahead_from(const struct matcher *matcher, unsigned count, struct history_ahead *ahead)
{
    if (count == 0)
        return;
    memset(ahead, 0, sizeof *ahead);
    for (unsigned i = 0; i < count; i++)
        ahead->burst[ENGINE_AHEAD_BEFORE + i] = ring_at(matcher->commands, i);
    for (unsigned at = -ENGINE_AHEAD_FAR; at != 0 && matcher->restore != CORE_RESTORING; at += ENGINE_AHEAD_AT_ONCE)
        engine_look_ahead(matcher->engine, &ahead->aims, at, ahead->burst);
}

static void prefetch(const struct matcher *matcher, unsigned at, unsigned ready, struct history_ahead *ahead)
{
    if (matcher->restore == CORE_RESTORING) {
        if (at + RESTORE_AHEAD < ready)
            restore_prefetch(&matcher->restoring, ring_at(matcher->commands, at + RESTORE_AHEAD));
    } else if (at % ENGINE_AHEAD_AT_ONCE == 0) {
        engine_look_ahead(matcher->engine, &ahead->aims, at, ahead->burst);
    }
}

bool matcher_take_history(struct matcher *matcher, unsigned *work)
{
    struct ring *ring = matcher->commands;
    struct history_ahead ahead;
    // Of a snapshot the memory of the first records of a round is fetched at the end of the one before.
    const unsigned ready = ring_ready(ring, 0, HISTORY_BURST + RESTORE_AHEAD);
    unsigned count = ready < HISTORY_BURST ? ready : HISTORY_BURST, done = 0;
    bool room = true;
    look_ahead_from(matcher, count, &ahead);
    while (done < count && matcher->state == CORE_BOOT) {
        bool counted = matcher->count_until && engine_sequence(matcher->engine) >= matcher->count_until &&
                       !engine_unfinished(matcher->engine);
        room = (!counted || tell_counts(matcher)) && matcher_can_take(matcher);
        if (!room)
            break;
        prefetch(matcher, done, ready, &ahead);
        take_cell(matcher, ring_at(ring, done));
        done += matcher->state != CORE_FAIL; // what can not be applied is left for others to look at
    }
    if (done)
        ring_release(ring, done);
    *work += done;
    return room && count < HISTORY_BURST && matcher->state != CORE_FAIL;
}
