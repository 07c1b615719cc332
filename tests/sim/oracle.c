// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/oracle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "contract/command.h"
#include "contract/drop_copy.h"
#include "contract/itch_out.h"
#include "contract/ouch_out.h"
#include "contract/ring.h"
#include "contract/wire.h"
#include "control/journal/format.h"
#include "engine/capacity.h"
#include "tests/sim/client.h"
#include "tests/sim/ledger.h"
#include "tests/sim/net.h"
#include "tests/sim/operators.h"
#include "tests/sim/sim.h"

struct message {
    uint64_t cmd_seq;
    uint32_t at;
    uint16_t size;
};

// A numbered stream: message n is list[n - 1].
struct told {
    struct message *list;
    uint64_t count, room;
    uint8_t *bytes;
    size_t used, bytes_room;
    uint64_t *sent; // what left the box as message n: a hash, 0 for nothing
    uint64_t sent_room, sent_highest;
};

struct truth { // of a matching core
    struct command *history;
    uint64_t count, room;
    struct engine *engine;
    void *memory;
    size_t memory_size;
    struct engine_capacity capacity;
    struct told market;
    uint8_t *durable; // by sequence
    uint64_t durable_room, durable_upto;
    uint64_t released; // highest command that the outside has been told of
    bool recovered;    // this generation
};

static bool again; // what is stepped has been stepped before

static const struct config *config;
static struct truth truths[ORACLE_CORES];
static struct told streams[ORACLE_STREAMS]; // of sessions, then of drop copies
static struct region region;
static struct inode *region_file;
static uint64_t region_of_start;
static bool may_lose; // the host has crashed since the last recovery
static bool lost;     // what was told: the disk had lied

static void *enlarge(void *at, uint64_t *room, uint64_t want, size_t size)
{
    uint64_t was = *room;
    if (want < was)
        return at;
    *room = want + want / 2 + 1024;
    char *more = realloc(at, *room * size);
    if (!more)
        sim_fail("no memory");
    memset(more + was * size, 0, (*room - was) * size);
    return more;
}

// ---- streams --------------------------------------------------------------------------------------------------------

static void append(struct told *told, uint64_t cmd_seq, const uint8_t *bytes, size_t size)
{
    uint64_t room = told->bytes_room;
    told->list = enlarge(told->list, &told->room, told->count + 1, sizeof *told->list);
    told->bytes = enlarge(told->bytes, &room, told->used + size, 1);
    told->bytes_room = room;
    memcpy(told->bytes + told->used, bytes, size);
    told->list[told->count++] =
        (struct message){.cmd_seq = cmd_seq, .at = (uint32_t)told->used, .size = (uint16_t)size};
    told->used += size;
}

// The envelope of the session's last message, in every drop copy that carries it.
static void append_copies(unsigned session, uint64_t cmd_seq, const uint8_t *bytes, size_t size)
{
    uint8_t envelope[STREAM_MESSAGE_MAX];
    char names[DROP_COPY_NAMES];
    drop_copy_names(config, session, names);
    drop_copy_head(envelope, names, (uint32_t)streams[session].count);
    memcpy(envelope + DROP_COPY_HEADER, bytes, size);
    for (unsigned copy = 0; copy < config->drop_copies_count; copy++) {
        if (drop_copy_carries(config, copy, session))
            append(&streams[config->sessions_count + copy], cmd_seq, envelope, DROP_COPY_HEADER + size);
    }
}

static void append_ouch(unsigned session, const struct event *event, enum ouch_party party)
{
    uint8_t bytes[OUCH_OUT_MAX];
    if (session >= config->sessions_count)
        return;
    size_t size = ouch_out_encode(event, party, bytes);
    if (!size)
        return;
    append(&streams[session], event->cmd_seq, bytes, size);
    append_copies(session, event->cmd_seq, bytes, size);
}

static void take_event(struct truth *truth, unsigned core, const struct command *command, const struct event *event)
{
    uint8_t bytes[256];
    ledger_event(core, event, command, again);
    operators_event(core, event, again);
    if (event->flags & EV_MD_ANY) {
        size_t size = itch_out_encode(event, bytes);
        if (size)
            append(&truth->market, event->cmd_seq, bytes, size);
    }
    if (event->type == EV_SYSTEM) {
        for (unsigned i = 0; !(event->flags & EV_MD_ANY) && i < config->sessions_count; i++) {
            if (config->sessions[i].matcher == core)
                append_ouch(i, event, OUCH_TAKER);
        }
        return;
    }
    append_ouch(event->session, event, OUCH_TAKER);
    if (event->type == EV_TRADE)
        append_ouch(event->other_session, event, OUCH_MAKER);
}

static void step(struct truth *truth, unsigned core, const struct command *command)
{
    static struct event events[ENGINE_EVENTS_MAX];
    unsigned count = engine_step(truth->engine, command, events);
    for (;;) {
        for (unsigned i = 0; i < count; i++)
            take_event(truth, core, command, &events[i]);
        if (!engine_unfinished(truth->engine))
            return;
        count = engine_continue(truth->engine, events);
    }
}

static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) + size;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash ? hash : 1;
}

// ---- what is put in sequence ----------------------------------------------------------------------------------------

static void start_engine(struct truth *truth, unsigned core)
{
    memset(truth->memory, 0, truth->memory_size);
    truth->engine = engine_new(truth->memory, &truth->capacity);
    truth->market.count = truth->market.used = 0;
    for (unsigned i = 0; i < config_streams(config); i++) {
        if (config_stream(config, i).matcher == core)
            streams[i].count = streams[i].used = 0;
    }
}

// A day that has ended is told nothing more by control; orders and sessions were under way, and notes are for the
// audit.
static void check_over(unsigned core, const struct command *command)
{
    switch ((enum command_type)command->type) {
    case CMD_KILL:
    case CMD_RESET:
    case CMD_LIMIT:
    case CMD_REFERENCE:
    case CMD_GROUP:
    case CMD_POSITION:
    case CMD_HALT:
    case CMD_BANDS:
    case CMD_INDEX:
    case CMD_MODE:
    case CMD_PHASE:
    case CMD_END_DAY:
    case CMD_BREAK:
    case CMD_ADJUST:
        sim_fail("core %u: command %u comes when the day has ended", core, command->type);
    default:
        return;
    }
}

// What must hold of a command whatever it says.
static void check_command(const struct truth *truth, unsigned core, const struct command *command)
{
    if (truth->count > 1 && command->time_ns < truth->history[truth->count - 2].time_ns)
        sim_fail("core %u: the time of command %llu lies before that of the one before it", core,
                 (unsigned long long)truth->count);
    if (operators_ended(core))
        check_over(core, command);
    if (command->type != CMD_SESSION_DOWN || command->link.down_reason != DOWN_TIMEOUT)
        return;
    uint64_t silent_ns = sim.now_ns - net_heard_ns(0x0A010001u + command->session);
    if (silent_ns < (config->dataplane.session_timeout_ms - 20) * SIM_MS && !client_moved(command->session))
        sim_fail("session %u is taken down for silence, %.3f ms after it was heard", command->session,
                 (double)silent_ns / 1e6);
}

static void put_in_sequence(struct truth *truth, unsigned core, const struct command *cell)
{
    truth->history = enlarge(truth->history, &truth->room, truth->count + 1, sizeof *truth->history);
    struct command *command = &truth->history[truth->count++];
    sim.stats[STAT_COMMANDS]++;
    sim.stats[STAT_MODES] += cell->type == CMD_MODE;
    check_command(truth, core, cell);
    memcpy(command, cell, sizeof *command);
    command->seq = truth->count;
    if (command->prev_hash != (uint32_t)engine_event_hash(truth->engine))
        sim_fail("core %u, command %llu: the data plane's event hash %08x is not the replica's %08x", core,
                 (unsigned long long)truth->count, command->prev_hash, (uint32_t)engine_event_hash(truth->engine));
    step(truth, core, command);
}

// What was sent must still be what the stream says.
static void check_sent(const struct told *told, const char *what, unsigned number)
{
    for (uint64_t n = 1; n <= told->sent_highest; n++) {
        if (!told->sent[n])
            continue;
        if (n > told->count)
            sim_fail("%s %u was told message %llu, and after recovery there are %llu", what, number,
                     (unsigned long long)n, (unsigned long long)told->count);
        const struct message *message = &told->list[n - 1];
        if (hash_of(told->bytes + message->at, message->size) != told->sent[n])
            sim_fail("%s %u: message %llu is not what it was before the recovery", what, number, (unsigned long long)n);
    }
}

static void recovered(struct truth *truth, unsigned core, uint64_t last)
{
    truth->recovered = true;
    sim.stats[STAT_RECOVERIES]++;
    sim.stats[STAT_LOST] += truth->count - last;
    sim_say("core %u recovered %llu of %llu commands", core, (unsigned long long)last,
            (unsigned long long)truth->count);
    if (last > truth->count)
        sim_fail("core %u recovers %llu commands, of which only %llu were ever put in sequence", core,
                 (unsigned long long)last, (unsigned long long)truth->count);
    if (last < truth->count && !may_lose)
        sim_fail("core %u recovers %llu commands of %llu, and the host has not crashed", core, (unsigned long long)last,
                 (unsigned long long)truth->count);
    lost |= last < truth->released;
    if (last < truth->released && !disk.lies)
        sim_fail("core %u recovers %llu commands, and the outside was told of %llu", core, (unsigned long long)last,
                 (unsigned long long)truth->released);
    if (truth->released > last)
        truth->released = last;
    for (uint64_t n = last + 1; n < truth->durable_room; n++)
        truth->durable[n] = 0;
    truth->durable_upto = last;
    if (last == truth->count || lost)
        return;
    uint64_t count = truth->count = last;
    start_engine(truth, core);
    operators_went_back(core);
    ledger_went_back(core);
    again = true;
    for (uint64_t n = 0; n < count; n++)
        step(truth, core, &truth->history[n]);
    again = false;
    for (unsigned i = 0; i < config_streams(config); i++) {
        if (config_stream(config, i).matcher == core)
            check_sent(&streams[i], "stream", i);
    }
    check_sent(&truth->market, "market data of core", core);
}

// ---- the region -----------------------------------------------------------------------------------------------------

static void leave_region(void)
{
    if (region_file)
        disk_drop(region_file);
    region_file = NULL;
    region = (struct region){0};
}

static void find_region(void)
{
    const struct inode *run = disk_find(disk.root, "run");
    const struct sim_process *process = &sim_processes[SIM_DATAPLANE];
    struct inode *newest = NULL;
    for (unsigned i = 0; i < run->entries.count; i++) {
        struct inode *inode = run->entries.list[i].inode;
        size_t length = strlen(run->entries.list[i].name);
        if (length == strlen("sim.g000000") && strncmp(run->entries.list[i].name, "sim.g", 5) == 0 &&
            inode->lock_owner && (!newest || strcmp(inode->name, newest->name) > 0))
            newest = inode;
    }
    const struct region_header *header = newest ? (const void *)newest->data : NULL;
    if (!header || header->magic != REGION_MAGIC)
        return;
    leave_region();
    region_file = newest;
    disk_hold(newest);
    region = (struct region){.header = (struct region_header *)newest->data, .size = newest->size};
    region_of_start = process->starts;
    for (unsigned core = 0; core < config->matchers_count; core++)
        truths[core].recovered = false;
}

const struct region *oracle_region(void)
{
    return region_file && region_of_start == sim_processes[SIM_DATAPLANE].starts ? &region : NULL;
}

static void observe_core(unsigned core)
{
    struct truth *truth = &truths[core];
    struct ring *journal = region_find(&region, OBJECT_JOURNAL, 0, core);
    const struct core_block *block = region_find(&region, OBJECT_CORE, ROLE_MATCHER, core);
    if (!truth->recovered) {
        if (block->state != CORE_RUN)
            return;
        recovered(truth, core, journal->consumed);
    }
    const struct command *cell;
    while ((cell = ring_cell(journal, truth->count))->seq == truth->count + 1) {
        sim_is_active();
        put_in_sequence(truth, core, cell);
    }
}

void oracle_observe(void)
{
    if (lost)
        return;
    const struct sim_process *process = &sim_processes[SIM_DATAPLANE];
    if (process->starts && process->alive && region_of_start != process->starts)
        find_region();
    if (!oracle_region())
        return;
    bool all = true;
    for (unsigned core = 0; core < config->matchers_count; core++) {
        observe_core(core);
        all &= truths[core].recovered;
    }
    if (all)
        may_lose = false;
}

void oracle_host_crashed(void)
{
    may_lose = true;
    operators_host_crashed();
    leave_region();
    region_of_start = 0;
}

bool oracle_lost(void)
{
    return lost;
}

// ---- the journal on disk --------------------------------------------------------------------------------------------

static void mark_durable(const struct command *record)
{
    unsigned core = (unsigned)(record->seq >> COMMAND_SEQ_BITS);
    uint64_t sequence = record->seq & COMMAND_SEQ_MASK;
    if (core >= config->matchers_count || sequence == 0 || sequence > truths[core].count + 1000000)
        return;
    struct truth *truth = &truths[core];
    truth->durable = enlarge(truth->durable, &truth->durable_room, sequence + 1, 1);
    truth->durable[sequence] = 1;
    while (truth->durable_upto + 1 < truth->durable_room && truth->durable[truth->durable_upto + 1])
        truth->durable_upto++;
}

static void watch_disk(struct inode *inode, uint64_t offset, size_t size)
{
    size_t length = strlen(inode->name);
    if (length < 4 || strcmp(inode->name + length - 4, JOURNAL_SUFFIX) != 0)
        return;
    for (uint64_t at = offset / JOURNAL_BLOCK * JOURNAL_BLOCK; at < offset + size; at += JOURNAL_BLOCK) {
        const struct journal_block *block = (const void *)(inode->data + at);
        if (!disk.lies && !disk_is_durable(inode, at, JOURNAL_BLOCK))
            continue;
        if (block->magic != JOURNAL_MAGIC || block->kind != JOURNAL_DATA || block->count > JOURNAL_RECORDS)
            continue;
        const struct command *records = (const void *)(block + 1);
        for (unsigned i = 0; i < block->count; i++)
            mark_durable(&records[i]);
    }
}

// ---- what leaves the box --------------------------------------------------------------------------------------------

static void check_gate(struct truth *truth, unsigned core, uint64_t cmd_seq, const char *what)
{
    if (config->ack_mode == ACK_DURABLE && cmd_seq > truth->durable_upto)
        sim_fail("core %u: %s tells of command %llu, and only %llu are durable", core, what,
                 (unsigned long long)cmd_seq, (unsigned long long)truth->durable_upto);
    if (cmd_seq > truth->released)
        truth->released = cmd_seq;
}

static void check_stream(struct told *told, struct truth *truth, unsigned core, const char *what, unsigned number,
                         uint64_t first, unsigned count, const uint8_t *at)
{
    for (uint64_t n = first; n < first + count; n++) {
        size_t size = get_be16(at);
        if (n == 0 || n > told->count)
            sim_fail("%s %u is told message %llu, of %llu that there are", what, number, (unsigned long long)n,
                     (unsigned long long)told->count);
        const struct message *message = &told->list[n - 1];
        if (size != message->size || memcmp(at + 2, told->bytes + message->at, size) != 0)
            sim_fail("%s %u: message %llu has other bytes than the engine's (type %c for %c)", what, number,
                     (unsigned long long)n, at[2], told->bytes[message->at]);
        check_gate(truth, core, message->cmd_seq, what);
        told->sent = enlarge(told->sent, &told->sent_room, n + 1, sizeof *told->sent);
        uint64_t hash = hash_of(at + 2, size);
        if (told->sent[n] && told->sent[n] != hash)
            sim_fail("%s %u: message %llu left the box with other bytes before", what, number, (unsigned long long)n);
        told->sent[n] = hash;
        if (n > told->sent_highest)
            told->sent_highest = n;
        at += 2 + size;
    }
}

void oracle_told(unsigned stream, uint64_t first, unsigned count, const uint8_t *blocks, size_t size)
{
    unsigned core = config_stream(config, stream).matcher;
    (void)size;
    if (count == 0)
        oracle_told_next(stream, first, "a heartbeat");
    else
        check_stream(&streams[stream], &truths[core], core, stream < config->sessions_count ? "session" : "drop copy",
                     stream, first, count, blocks);
}

void oracle_told_next(unsigned stream, uint64_t next, const char *where)
{
    unsigned core = config_stream(config, stream).matcher;
    const struct told *told = &streams[stream];
    if (next == 0 || next - 1 > told->count)
        sim_fail("stream %u: %s names sequence %llu, of %llu that there are", stream, where, (unsigned long long)next,
                 (unsigned long long)told->count);
    if (next > 1)
        check_gate(&truths[core], core, told->list[next - 2].cmd_seq, where);
}

void oracle_told_market(unsigned core, uint64_t first, unsigned count, const uint8_t *blocks, size_t size)
{
    struct truth *truth = &truths[core];
    (void)size;
    if (count > 0 && count < 0xFFFF) {
        check_stream(&truth->market, truth, core, "market data of core", core, first, count, blocks);
        return;
    }
    if (first == 0 || first - 1 > truth->market.count)
        sim_fail("market data of core %u names sequence %llu, of %llu that there are", core, (unsigned long long)first,
                 (unsigned long long)truth->market.count);
    if (first > 1)
        check_gate(truth, core, truth->market.list[first - 2].cmd_seq, "a market data heartbeat");
}

// ---- the whole ------------------------------------------------------------------------------------------------------

void oracle_open(const struct config *of)
{
    config = of;
    disk_watcher = watch_disk;
    for (unsigned core = 0; core < config->matchers_count; core++) {
        struct truth *truth = &truths[core];
        truth->capacity = engine_capacity_of(config, core);
        truth->memory_size = engine_footprint(&truth->capacity);
        truth->memory =
            mmap(NULL, truth->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (truth->memory == MAP_FAILED)
            sim_fail("no memory");
        start_engine(truth, core);
    }
}

void oracle_check_rest(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        const struct truth *truth = &truths[core];
        const struct matcher_port *port = region_find(&region, OBJECT_MATCHER, 0, core);
        const char *broken = engine_check(truth->engine);
        if (broken)
            sim_fail("core %u: %s", core, broken);
        if (port->applied_seq == truth->count && port->event_hash != engine_event_hash(truth->engine))
            sim_fail("core %u, command %llu: event hash %016llx, the replica has %016llx", core,
                     (unsigned long long)truth->count, (unsigned long long)port->event_hash,
                     (unsigned long long)engine_event_hash(truth->engine));
    }
}

bool oracle_kill_is_durable(unsigned core, uint64_t id)
{
    const struct truth *truth = &truths[core];
    for (uint64_t n = truth->count; n > 0; n--) {
        const struct command *command = &truth->history[n - 1];
        if (command->type == CMD_KILL && command->kill.id == id)
            return n <= truth->durable_upto;
    }
    return false;
}

const struct engine *oracle_engine(unsigned core)
{
    return truths[core].engine;
}

uint64_t oracle_commands(unsigned core)
{
    return truths[core].count;
}

uint64_t oracle_messages(unsigned stream)
{
    return streams[stream].count;
}

const uint8_t *oracle_message(unsigned stream, uint64_t sequence, size_t *size)
{
    const struct told *told = &streams[stream];
    *size = told->list[sequence - 1].size;
    return told->bytes + told->list[sequence - 1].at;
}

uint64_t oracle_market_messages(unsigned core)
{
    return truths[core].market.count;
}

const uint8_t *oracle_market_message(unsigned core, uint64_t sequence, size_t *size)
{
    const struct told *market = &truths[core].market;
    *size = market->list[sequence - 1].size;
    return market->bytes + market->list[sequence - 1].at;
}
