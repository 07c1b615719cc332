// SPDX-License-Identifier: Apache-2.0
// The matcher role: takes inputs in turn, puts them in sequence, steps the engine.
//
// Fairness: control's commands go first, all of them. Then each gateway in turn may give up to INPUT_BURST commands,
// and the next round begins with the next gateway. Priority in the book is the sequence taken here.
#include "cores/matcher.h"

#include <stdio.h>
#include <string.h>

#include "contract/fault.h"
#include "cores/clock.h"
#include "engine/capacity.h"

#define INPUT_BURST 64 // commands of one gateway in a row
#define AHEAD_LEAST 8  // of which that many are looked ahead at
#define BURST_POINTERS (ENGINE_AHEAD_BEFORE + INPUT_BURST + ENGINE_AHEAD_BEHIND)
#define JOURNAL_AHEAD 8    // cells between the one that is written and the one that is fetched
#define PUBLISH_EVERY 8    // commands: so long their events wait, at the most
#define CONTROL_BURST 256  // commands of control in a round
#define CONTINUE_BURST 256 // continuations of one long step in a round

static bool is_message(uint8_t type)
{
    return type >= CMD_ENTER && type <= CMD_QUERY;
}

// Which limit the message was rejected for.
static __attribute__((noinline, cold)) void count_limit(struct matcher *matcher)
{
    enum limit limit = engine_limit_refused(matcher->engine);
    if (limit != LIMITS)
        matcher->counters[COUNT_MATCHER_refused_first + limit]++;
}

static void count_outcome(struct matcher *matcher)
{
    switch (engine_outcome(matcher->engine)) {
    case OUTCOME_ACCEPTED:
        matcher->counters[COUNT_MATCHER_accepted]++;
        break;
    case OUTCOME_REJECTED:
        matcher->counters[COUNT_MATCHER_rejected]++;
        count_limit(matcher);
        break;
    case OUTCOME_DUPLICATE:
        matcher->counters[COUNT_MATCHER_duplicates]++;
        break;
    default:
        matcher->counters[COUNT_MATCHER_no_effect]++;
        break;
    }
}

static inline void finish_step(struct matcher *matcher)
{
    if (__builtin_expect(engine_unfinished(matcher->engine), 0)) {
        matcher->credit = 0; // it goes on before any input
    } else if (matcher->message_open) {
        matcher->message_open = false;
        count_outcome(matcher);
    }
}

static inline void hand_out(struct matcher *matcher, unsigned count)
{
    if (__builtin_expect(matcher->count_until != 0, 0))
        matcher_count(matcher, count);
    else if (count)
        matcher_emit(matcher, count);
}

void matcher_step(struct matcher *matcher, const struct command *command)
{
    unsigned count = engine_step(matcher->engine, command, matcher->events);
    matcher->counters[COUNT_MATCHER_commands]++;
    hand_out(matcher, count);
    finish_step(matcher);
}

// Goes on with a long step. False while it is not finished: no input may be taken.
static bool continue_step(struct matcher *matcher)
{
    for (unsigned i = 0; engine_unfinished(matcher->engine); i++) {
        if (i == CONTINUE_BURST || matcher_steps_left(matcher) == 0)
            return false;
        hand_out(matcher, engine_continue(matcher->engine, matcher->events));
        finish_step(matcher);
    }
    return true;
}

// Finishes a long step, then looks at every output.
static bool renew_credit(struct matcher *matcher)
{
    if (engine_unfinished(matcher->engine) && !continue_step(matcher))
        return false;
    if (matcher->journal.room == 0 && writer_look(&matcher->journal) == 0) {
        matcher->counters[COUNT_MATCHER_backpressure]++;
        return false;
    }
    uint32_t steps = matcher_steps_left(matcher);
    matcher->credit = steps < matcher->journal.room ? steps : matcher->journal.room;
    return matcher->credit > 0;
}

static inline bool has_credit(struct matcher *matcher)
{
    return matcher->credit > 0 || renew_credit(matcher);
}

static inline bool can_take_input(struct matcher *matcher)
{
    if (!has_credit(matcher))
        return false;
    matcher->credit--;
    return true;
}

bool matcher_can_take(struct matcher *matcher)
{
    return can_take_input(matcher);
}

// What time it is for the commands of this round, and from a CLOCK on anew. Never before an earlier one's.
static void stamp(struct matcher *matcher)
{
    uint64_t time_ns = tsc_ns(matcher->now, matcher->tsc_factor) + (uint64_t)matcher->offset_ns;
    if ((int64_t)(time_ns - matcher->previous_ns) < 0 && !FAULT(time_runs_backwards))
        time_ns = matcher->previous_ns;
    matcher->time_ns = time_ns;
}

// The journal ring's cell that is filled as the index-th from now: the private copy of a command. Its word becomes the
// sequence, and nobody else writes it.
static inline struct command *copy_to_journal(struct matcher *matcher, unsigned index, const struct command *input)
{
    struct command *command = writer_cell(&matcher->journal, matcher->journal.position + index);
    writer_fetch((const char *)command, JOURNAL_AHEAD * sizeof *command);
    memcpy((char *)command + sizeof command->seq, (const char *)input + sizeof input->seq,
           sizeof *command - sizeof command->seq);
    command->time_ns = matcher->time_ns;
    return command;
}

// Takes one input into the sequence. can_take_input() has been true since the last one.
static void take(struct matcher *matcher, const struct command *input)
{
    if (__builtin_expect(input->type == CMD_CLOCK, 0)) {
        matcher->offset_ns = input->clock.offset_ns;
        atomic_store_explicit(&matcher->port->offset_ns, matcher->offset_ns, memory_order_relaxed);
        matcher->clocked = true;
        matcher->next_tick_tsc = matcher->now + matcher->tick_tsc;
        stamp(matcher);
    }
    struct command *command = copy_to_journal(matcher, 0, input);
    matcher->previous_ns = matcher->time_ns;
    command->prev_hash = (uint32_t)engine_event_hash(matcher->engine);
    writer_fill(&matcher->journal);
    writer_publish(&matcher->journal);
    matcher_step(matcher, command);
    if (++matcher->unpublished == PUBLISH_EVERY)
        matcher_publish(matcher);
}

static void publish_progress(struct matcher *matcher)
{
    struct matcher_port *port = matcher->port;
    atomic_store_explicit(&port->event_hash, engine_event_hash(matcher->engine), memory_order_relaxed);
    uint32_t day = engine_day_open(matcher->engine);
    // Release pairs with the acquire of a login: the day's first events have been pushed.
    if (atomic_load_explicit(&port->day_open, memory_order_relaxed) != day)
        atomic_store_explicit(&port->day_open, day, memory_order_release);
    atomic_store_explicit(&port->applied_seq, engine_sequence(matcher->engine), memory_order_release);
}

// One of control's, or one of this core's own.
static void take_command(struct matcher *matcher, const struct command *command)
{
    take(matcher, command);
}

// Control's commands. False when some are left: gateways wait, so that a session is not brought up before what control
// has to say about its past.
static bool take_commands(struct matcher *matcher, unsigned *work)
{
    const struct command *cell;
    if (__builtin_expect(matcher->state != CORE_RUN, 0))
        return matcher_take_history(matcher, work) && matcher->state == CORE_RUN;
    for (unsigned i = 0; (cell = ring_peek(matcher->commands, 0)) != NULL; i++) {
        if (i == CONTROL_BURST || !can_take_input(matcher))
            return false;
        if (cell->type == DIRECTIVE_DRAIN)
            matcher->told_to_drain = true;
        else if (cell->type < DIRECTIVE_RECOVERED)
            take_command(matcher, cell);
        ring_release(matcher->commands, 1);
        ++*work;
    }
    return true;
}

static void make_tick(struct matcher *matcher)
{
    struct command tick;
    memset(&tick, 0, sizeof tick);
    tick.type = CMD_TICK;
    tick.session = SESSION_NONE;
    tick.tick.event_hash = engine_event_hash(matcher->engine);
    take(matcher, &tick);
    matcher->counters[COUNT_MATCHER_ticks]++;
    if (matcher->members_count)
        matcher_index_tell(matcher);
    matcher->next_tick_tsc += matcher->tick_tsc;
    if ((int64_t)(matcher->next_tick_tsc - matcher->now) < 0)
        matcher->next_tick_tsc = matcher->now + matcher->tick_tsc;
}

// The published inputs of one gateway, INPUT_BURST at the most. Returns how many.
static unsigned gather(const struct ring_reader *orders, const struct command *burst[BURST_POINTERS])
{
    const struct command **inputs = &burst[ENGINE_AHEAD_BEFORE];
    unsigned count = 0;
    while (count < INPUT_BURST && (inputs[count] = reader_peek(orders, count)) != NULL)
        count++;
    return count;
}

// Of a run that was taken all but the last were accepted. When that one has not finished, nothing else may be taken.
static void finish_run(struct matcher *matcher, const struct command *last, unsigned taken, unsigned count)
{
    matcher->counters[COUNT_MATCHER_commands] += taken;
    matcher->counters[COUNT_MATCHER_messages] += taken - 1;
    matcher->counters[COUNT_MATCHER_accepted] += taken - 1;
    if (is_message(last->type)) {
        matcher->counters[COUNT_MATCHER_messages]++;
        matcher->message_open = true;
    }
    hand_out(matcher, count);
    finish_step(matcher);
    matcher->unpublished += taken;
    if (matcher->unpublished >= PUBLISH_EVERY)
        matcher_publish(matcher);
}

// Takes the first of `most` inputs into the sequence, the first being step `at` of the burst. Their events are seen
// when the journal's ring has them. Returns how many.
static unsigned take_run(struct matcher *matcher, const struct command *const *inputs, unsigned most,
                         const struct engine_ahead *ahead, unsigned at)
{
    struct command *commands[ENGINE_RUN_MOST];
    unsigned count, events;
    for (count = 0; count < most && inputs[count]->type != DIRECTIVE_DRAIN; count++)
        commands[count] = copy_to_journal(matcher, count, inputs[count]);
    matcher->previous_ns = matcher->time_ns;
    xw_assert(matcher->journal.position == engine_sequence(matcher->engine));
    unsigned taken = engine_run(matcher->engine, commands, count, ahead, at, matcher->events, &events);
    for (unsigned i = 0; i < taken; i++)
        writer_fill(&matcher->journal);
    writer_publish(&matcher->journal);
    matcher->credit -= taken;
    finish_run(matcher, commands[taken - 1], taken, events);
    return taken;
}

// How many inputs may be taken in a row: up to where the burst is to be looked at again, ENGINE_RUN_MOST in all.
static unsigned run_most(struct matcher *matcher, unsigned at, unsigned count)
{
    unsigned most = ENGINE_RUN_MOST - at % ENGINE_AHEAD_AT_ONCE;
    if (!has_credit(matcher))
        return 0;
    if (matcher->credit < most)
        most = matcher->credit;
    return count - at < most ? count - at : most;
}

// Up to INPUT_BURST commands of one gateway. False when an output is full.
static bool take_orders(struct matcher *matcher, uint32_t gateway, unsigned *work)
{
    struct ring_reader *orders = &matcher->orders[gateway];
    const struct command *burst[BURST_POINTERS], *const *inputs = &burst[ENGINE_AHEAD_BEFORE];
    unsigned count = gather(orders, burst), done = 0, most;
    if (count == 0)
        return true;
    // A few are stepped sooner than they are looked at.
    bool ahead = count >= AHEAD_LEAST && engine_looks_ahead(matcher->engine);
    struct engine_ahead aims;
    if (ahead) {
        memset(&aims, 0, sizeof aims);
        memset(burst, 0, ENGINE_AHEAD_BEFORE * sizeof *burst);
        memset(&burst[ENGINE_AHEAD_BEFORE + count], 0, ENGINE_AHEAD_BEHIND * sizeof *burst);
    }
    unsigned looked = -ENGINE_AHEAD_FAR;
    while (done < count && (most = run_most(matcher, done, count)) > 0) {
        for (; ahead && (int)(looked - done - most) < 0; looked += ENGINE_AHEAD_AT_ONCE)
            engine_look_ahead(matcher->engine, &aims, looked, burst);
        if (__builtin_expect(inputs[done]->type == DIRECTIVE_DRAIN, 0)) {
            matcher->drained_gateways |= 1u << gateway;
            done++;
        } else {
            done += take_run(matcher, &inputs[done], most, ahead ? &aims : NULL, done);
        }
    }
    if (done)
        reader_release(orders, done);
    *work += done;
    return done == count;
}

static void take_inputs(struct matcher *matcher, unsigned *work)
{
    stamp(matcher);
    if (!take_commands(matcher, work) || matcher->state != CORE_RUN || !matcher->clocked)
        return;
    if (__builtin_expect((int64_t)(matcher->now - matcher->next_tick_tsc) >= 0, 0)) {
        if (!can_take_input(matcher))
            return;
        make_tick(matcher);
        ++*work;
    }
    if (__builtin_expect(matcher->lost_due, 0) && !matcher_act_alone(matcher, take_command))
        return;
    uint32_t first = matcher->turn;
    matcher->turn = first + 1 < matcher->gateways_count ? first + 1 : 0;
    for (uint32_t i = 0, at = first; i < matcher->gateways_count; i++) {
        if (!take_orders(matcher, at, work))
            return;
        at = at + 1 < matcher->gateways_count ? at + 1 : 0;
    }
}

static unsigned matcher_poll(void *instance, uint64_t now)
{
    struct matcher *matcher = instance;
    unsigned work = 0;
    if (__builtin_expect(matcher->state > CORE_RUN, 0))
        return 0;
    matcher->now = now;
    bool goes_on = matcher->credit == 0 && engine_unfinished(matcher->engine);
    work += goes_on;
    if (!goes_on || continue_step(matcher))
        take_inputs(matcher, &work);
    matcher_publish(matcher);
    if (work)
        publish_progress(matcher);
    return work;
}

// Nothing will come any more: every gateway has said so, control has nothing waiting, no step is open.
static bool is_done(struct matcher *matcher)
{
    if (!atomic_load_explicit(&matcher->header->stop, memory_order_relaxed) && !matcher->told_to_drain)
        return false;
    if (matcher->state == CORE_BOOT)
        return true; // nothing of this generation was ever acknowledged
    uint32_t all = (1u << matcher->gateways_count) - 1;
    return matcher->state == CORE_RUN && (matcher->drained_gateways == all || matcher->told_to_drain) &&
           !engine_unfinished(matcher->engine) && !ring_peek(matcher->commands, 0);
}

static void matcher_housekeep(void *instance, uint64_t now)
{
    struct matcher *matcher = instance;
    matcher->now = now;
    if (is_done(matcher))
        matcher->state = CORE_HALT;
    matcher_watch_control(matcher);
    atomic_store_explicit(&matcher->port->modes, matcher->modes, memory_order_relaxed);
    matcher->counters[COUNT_MATCHER_live_orders] = engine_live_orders(matcher->engine);
    for (unsigned i = 0; i < COUNT_MATCHER_END; i++)
        atomic_store_explicit(&matcher->block->counters[i], matcher->counters[i], memory_order_relaxed);
    // Release: who sees the state sees what was pushed before it.
    atomic_store_explicit(&matcher->block->state, matcher->state, memory_order_release);
}

static bool matcher_drained(const void *instance)
{
    return ((const struct matcher *)instance)->state > CORE_RUN;
}

static void matcher_fini(void *instance)
{
    (void)instance; // its memory is the process's, its rings the region's
}

// ---- set-up ---------------------------------------------------------------------------------------------------------

static bool join_rings(struct matcher *matcher, const struct role_context *context)
{
    const struct region *region = context->region;
    unsigned own = context->index;
    matcher->port = region_find(region, OBJECT_MATCHER, 0, own);
    matcher->commands = region_find(region, OBJECT_COMMANDS, 0, own);
    struct ring *journal = region_find(region, OBJECT_JOURNAL, 0, own);
    matcher->alerts = region_find(region, OBJECT_ALERTS, 0, own);
    matcher->gateways_count = context->config->gateways_count;
    if (!matcher->port || !matcher->commands || !journal || matcher->gateways_count > MATCHER_GATEWAYS_MAX)
        return false;
    for (uint32_t i = 0; i < matcher->gateways_count; i++) {
        struct ring *orders = region_find(region, OBJECT_ORDERS, i, own);
        struct ring *events = region_find(region, OBJECT_EVENTS, own, i);
        if (!orders || !events || events->depth < ENGINE_EVENTS_MAX)
            return false;
        reader_new(&matcher->orders[i], orders);
        writer_new(&matcher->outlets[i], events);
    }
    struct ring *market_data = region_find(region, OBJECT_MARKET_DATA, own, own);
    matcher->has_publisher = market_data != NULL;
    if (market_data && market_data->depth < ENGINE_EVENTS_MAX)
        return false;
    if (market_data)
        writer_new(&matcher->outlets[matcher->gateways_count], market_data);
    matcher->outlets_count = matcher->gateways_count + matcher->has_publisher;
    writer_new(&matcher->journal, journal);
    return true;
}

// One piece: messages by stream, the map of drop copies, who is told of them, gateways.
static size_t streams_bytes(const struct config *config)
{
    const size_t streams = config_streams(config), map = copy_map_footprint(config, COPY_MAP_ALL);
    return streams * (sizeof(uint64_t) + sizeof(uint8_t)) + (map ? map + streams * sizeof(uint16_t) : 0);
}

// Which gateways hear of a session: its own, and those of the drop copies that carry it.
static void fill_told_at(struct matcher *matcher)
{
    for (uint32_t i = 0; i < matcher->streams_count; i++)
        matcher->told_at[i] = (uint16_t)(1u << matcher->gateway_of[i]);
    for (uint32_t i = 0; i < matcher->sessions_count; i++) {
        for (uint32_t at = matcher->copies.first[i]; at < matcher->copies.first[i + 1]; at++)
            matcher->told_at[i] |= matcher->told_at[matcher->copies.streams[at]];
    }
}

static bool make_streams(struct matcher *matcher, const struct role_context *context)
{
    const struct config *config = context->config;
    const uint32_t streams = config_streams(config);
    const size_t map = copy_map_footprint(config, COPY_MAP_ALL);
    char *memory = context->take_memory(streams_bytes(config), "streams");
    if (!memory)
        return false;
    matcher->sessions_count = config->sessions_count;
    matcher->streams_count = streams;
    matcher->told = (uint64_t *)memory;
    memory += streams * sizeof *matcher->told;
    copy_map_new(&matcher->copies, memory, config, COPY_MAP_ALL);
    memory += map;
    matcher->told_at = map ? (uint16_t *)memory : NULL;
    matcher->gateway_of = (uint8_t *)(memory + (map ? streams * sizeof *matcher->told_at : 0));
    for (uint32_t i = 0; i < streams; i++) {
        const struct config_stream stream = config_stream(config, i);
        matcher->gateway_of[i] = (uint8_t)stream.gateway;
        matcher->told[i] = stream.matcher == context->index ? 0 : TOLD_ELSEWHERE;
    }
    if (matcher->told_at)
        fill_told_at(matcher);
    return true;
}

static bool make_engine(struct matcher *matcher, const struct role_context *context)
{
    matcher->capacity = engine_capacity_of(context->config, context->index);
    void *memory = context->take_memory(engine_footprint(&matcher->capacity), "engine");
    if (!memory || !make_streams(matcher, context) || !matcher_index_init(matcher, context))
        return false;
    matcher->engine = engine_new(memory, &matcher->capacity);
    restore_begin(&matcher->restoring, matcher->engine);
    return matcher->engine != NULL;
}

static unsigned matcher_takes(const struct config *config, unsigned index, size_t *sizes)
{
    struct engine_capacity capacity = engine_capacity_of(config, index);
    sizes[0] = sizeof(struct matcher);
    sizes[1] = engine_footprint(&capacity);
    sizes[2] = streams_bytes(config);
    return 3;
}

static void *matcher_init(const struct role_context *context, char *error, size_t error_size)
{
    struct matcher *matcher = context->take_memory(sizeof *matcher, "matcher");
    if (!matcher || !join_rings(matcher, context)) {
        snprintf(error, error_size, "matcher %u: no memory, or its rings are not in the region", context->index);
        return NULL;
    }
    if (!make_engine(matcher, context)) {
        snprintf(error, error_size, "matcher %u: no memory for its book: lower engine.max_orders or max_levels",
                 context->index);
        return NULL;
    }
    matcher->index = context->index;
    matcher->tsc_hz = context->tsc_hz;
    matcher->tsc_factor = tsc_factor(context->tsc_hz);
    matcher->tick_tsc = tsc_of_ms(context->config->engine.tick_ms, context->tsc_hz);
    matcher->block = context->block;
    matcher->header = context->region->header;
    return matcher;
}

const struct role_descriptor matcher_role = {
    .name = "matcher",
    .role = ROLE_MATCHER,
    .takes = matcher_takes,
    .init = matcher_init,
    .poll = matcher_poll,
    .flush = NULL,
    .housekeep = matcher_housekeep,
    .fini = matcher_fini,
    .drained = matcher_drained,
};
