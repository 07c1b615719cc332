// SPDX-License-Identifier: Apache-2.0
// A whole data plane on a bench: the real roles and engine, a real region and rings, real ports (two rte_rings each),
// run by hand on one thread with a clock that the test moves. The rig plays control (opening, journal, logins, old
// messages) and the clients (raw frames). An engine of its own steps what was journaled and says, byte for byte, what
// every session and the market data stream must hold.
//
// In a header because only tests/eal may include DPDK's, and each test is one program.
#ifndef CROSSWIRE_TESTS_CORES_RIG_H
#define CROSSWIRE_TESTS_CORES_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <unistd.h>

#include "contract/drop_copy.h"
#include "contract/itch_out.h"
#include "contract/ouch_out.h"
#include "contract/session_name.h"
#include "contract/ufo.h"
#include "control/recovery/fan_out.h"
#include "control/recovery/opening.h"
#include "cores/role.h"
#include "engine/capacity.h"
#include "io/eal.h"
#include "io/packet.h"
#include "io/port.h"

#define RIG_MOST 4 // gateways, matchers
#define RIG_SESSIONS 12
#define RIG_COPIES 2
#define RIG_HZ UINT64_C(1000000000) // a cycle is a nanosecond
#define RIG_MS UINT64_C(1000000)
#define RIG_DATE 20261102u
#define RIG_GROUP 0xEF000101u
#define RIG_UNUSED __attribute__((unused)) static

struct rig_message {
    uint64_t cmd_seq;
    uint16_t size;
    uint8_t bytes[STREAM_MESSAGE_MAX];
};

struct rig_stream { // what must be sent, from the rig's own engine
    struct rig_message *list;
    size_t count, room;
};

struct rig_packet { // what was sent
    unsigned port;
    uint32_t from_ip, to_ip;
    uint16_t from_port, to_port;
    uint16_t size;
    uint8_t bytes[1500];
};

struct rig_options {
    unsigned gateways, matchers;
    uint32_t window_messages, order_depth, event_depth, journal_depth;
    bool one_queue; // gateways and publishers all share the first port's queue
    bool own_port;  // publishers have a port of their own, the last
    bool copies;    // drop copies: of the first firm and of the second account, each at the last gateway, of core 0
};

struct rig {
    struct config config;
    struct config_port ports[RIG_MOST];
    struct config_gateway gateways[RIG_MOST];
    struct config_matcher matchers[RIG_MOST];
    struct config_publisher publishers[RIG_MOST];
    struct config_symbol symbols[2 * RIG_MOST];
    struct config_account accounts[2];
    struct config_session sessions[RIG_SESSIONS];
    struct config_drop_copy copies[RIG_COPIES];
    char names[64][32];
    char directory[64];
    struct region region;
    struct role_context contexts[3 * RIG_MOST];
    void *gateway[RIG_MOST], *matcher[RIG_MOST], *publisher[RIG_MOST];
    struct rte_ring *to_port[RIG_MOST], *from_port[RIG_MOST];
    uint64_t now;
    bool still; // matchers are not polled
    // control's part
    bool hold_durable;  // nothing becomes durable
    bool control_away;  // requests stay unanswered
    bool journal_stuck; // the journal rings are not drained
    uint16_t verdict;   // for a wrong password: LOGIN_WRONG or LOGIN_LIMITED
    unsigned logins_asked;
    unsigned refused[LOGIN_WHYS]; // that control was told of
    struct gateway_request refused_last;
    unsigned reports;
    struct command *history[RIG_MOST];
    size_t history_count[RIG_MOST];
    struct engine *engine[RIG_MOST];
    void *engine_memory[RIG_MOST];
    struct rig_stream expected[RIG_SESSIONS + RIG_COPIES], market_data[RIG_MOST];
    // the clients' part
    struct rig_packet *inbox;
    size_t inbox_count, inbox_room;
};

RIG_UNUSED struct rte_mempool *rig_pool;
RIG_UNUSED unsigned rig_number;
static void *rig_memory[256];
static unsigned rig_memory_count;

RIG_UNUSED void *rig_take(size_t size, const char *purpose)
{
    (void)purpose;
    size_t whole = (size + 4095) & ~(size_t)4095;
    void *memory = aligned_alloc(4096, whole ? whole : 4096);
    assert_non_null(memory);
    memset(memory, 0, whole);
    assert_true(rig_memory_count < 256);
    return rig_memory[rig_memory_count++] = memory;
}

// ---- set-up ---------------------------------------------------------------------------------------------------------

RIG_UNUSED int rig_start_eal(void **state)
{
    (void)state;
    char error[512] = "";
    static struct config config = {
        .instance = "rig", .profile_directory = "nic_profiles", .dataplane = {.memory_mb = 96}};
    if (eal_start(&config, error, sizeof error) != 0) {
        fprintf(stderr, "%s\n", error);
        return -1;
    }
    rig_pool = rte_pktmbuf_pool_create("rig", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    return rig_pool ? 0 : -1;
}

// The driver is a plug-in that EAL has loaded; its one call for making a port of rings is looked up.
RIG_UNUSED void rig_make_device(struct rig *rig, unsigned port, const char *name)
{
    typedef int from_rings(const char *, struct rte_ring *const[], const unsigned, struct rte_ring *const[],
                           const unsigned, const unsigned);
    char text[32];
    void *library = dlopen("librte_net_ring.so.23", RTLD_NOW);
    assert_non_null(library);
    from_rings *make = NULL;
    *(void **)&make = dlsym(library, "rte_eth_from_rings");
    assert_non_null(make);
    snprintf(text, sizeof text, "to%s", name);
    rig->to_port[port] = rte_ring_create(text, 4096, SOCKET_ID_ANY, 0);
    snprintf(text, sizeof text, "from%s", name);
    rig->from_port[port] = rte_ring_create(text, 4096, SOCKET_ID_ANY, 0);
    assert_true(rig->to_port[port] && rig->from_port[port]);
    assert_true(make(name, &rig->to_port[port], 1, &rig->from_port[port], 1, 0) >= 0);
}

RIG_UNUSED const char *rig_name(struct rig *rig, const char *format, unsigned number)
{
    static unsigned next;
    char *at = rig->names[next++ % 64];
    snprintf(at, sizeof rig->names[0], format, number);
    return at;
}

RIG_UNUSED void rig_write_profile(struct rig *rig)
{
    char path[128];
    snprintf(path, sizeof path, "%s/rings.yaml", rig->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("name: rings\nkind: pci\ndriver: net_ring\nbinding: vfio-pci\ndevice_is: pci\nrx_descriptors: "
          "512\ntx_descriptors: 512\n"
          "buffers: 1024\nneeds: the rig\nnotes: rings\n",
          file);
    fclose(file);
}

RIG_UNUSED void rig_fill_market(struct rig *rig, const struct rig_options *options)
{
    for (unsigned i = 0; i < 2 * options->matchers; i++) {
        struct config_symbol *symbol = &rig->symbols[i];
        symbol->name = rig_name(rig, "SYM%u", i);
        symbol->matcher = i / 2;
        symbol->round_lot = 100;
        symbol->tick_price = 100;
        symbol->locate = (uint16_t)(1 + i % 2);
        memset(symbol->wire_name, ' ', 8);
        memcpy(symbol->wire_name, symbol->name, strlen(symbol->name));
    }
    for (unsigned i = 0; i < 2; i++) {
        rig->accounts[i] = (struct config_account){.name = rig_name(rig, "ACC%u", i), .firm = "FIRM"};
        memcpy(rig->accounts[i].wire_firm, i ? "BETA" : "ALFA", 4);
    }
    for (unsigned i = 0; i < RIG_SESSIONS; i++) {
        struct config_session *session = &rig->sessions[i];
        session->user = rig_name(rig, "USER%u", i);
        memset(session->wire_user, ' ', 6);
        memcpy(session->wire_user, session->user, strlen(session->user) < 6 ? strlen(session->user) : 6);
        if (i >= 10)
            memcpy(session->wire_user, i == 10 ? "TEN   " : "ELEVEN", 6);
        session->gateway = i % options->gateways;
        session->matcher = i / options->gateways % options->matchers;
        session->account_index = (uint16_t)(i % 2);
        session->cancel_on_disconnect = session->cancel_on_logout = i == 2;
    }
}

RIG_UNUSED void rig_fill_copies(struct rig *rig, const struct rig_options *options)
{
    static const char *const users[RIG_COPIES] = {"DROP0", "DROP1"};
    for (unsigned i = 0; i < RIG_COPIES; i++) {
        struct config_drop_copy *copy = &rig->copies[i];
        *copy = (struct config_drop_copy){.user = users[i],
                                          .password_hash = "",
                                          .firm = i == 0 ? "ALFA" : "",
                                          .accounts = i == 0 ? "" : "NOBODY ACC1",
                                          .gateway = options->gateways - 1};
        snprintf(copy->wire_user, sizeof copy->wire_user, "%s", users[i]);
        copy->wire_user[5] = ' ';
        memcpy(copy->wire_firm, i == 0 ? "ALFA" : "    ", 4);
    }
}

RIG_UNUSED void rig_fill_config(struct rig *rig, const struct rig_options *options)
{
    struct config *config = &rig->config;
    *config = (struct config){
        .instance = "rig",
        .run_directory = rig->directory,
        .journal_directory = rig->directory,
        .profile_directory = rig->directory,
        .dataplane = {.burst = 32,
                      .order_ring_depth = options->order_depth ? options->order_depth : 1024,
                      .event_ring_depth = options->event_depth ? options->event_depth : 4096,
                      .command_ring_depth = 1024,
                      .journal_ring_depth = options->journal_depth ? options->journal_depth : 4096,
                      .window_messages = options->window_messages ? options->window_messages : 1024,
                      .session_timeout_ms = 10000,
                      .heartbeat_ms = 1000},
        .engine = {.max_orders = 4096, .max_levels = 1024, .tick_ms = 1000},
        .ports = rig->ports,
        .ports_count = (options->one_queue ? 1 : options->gateways) + options->own_port,
        .gateways = rig->gateways,
        .gateways_count = options->gateways,
        .matchers = rig->matchers,
        .matchers_count = options->matchers,
        .publishers = rig->publishers,
        .publishers_count = options->matchers,
        .symbols = rig->symbols,
        .symbols_count = 2 * options->matchers,
        .accounts = rig->accounts,
        .accounts_count = 2,
        .sessions = rig->sessions,
        .sessions_count = RIG_SESSIONS,
        .drop_copies = rig->copies,
        .drop_copies_count = options->copies ? RIG_COPIES : 0,
        .date = RIG_DATE,
    };
    for (unsigned i = 0; i < config->ports_count; i++)
        rig->ports[i] = (struct config_port){.name = rig_name(rig, "port%u", i),
                                             .profile = "rings",
                                             .device = rig_name(rig, "net_ring_r%u", rig_number++),
                                             .ip = 0x0A000001u + i};
    for (unsigned i = 0; i < options->gateways; i++)
        rig->gateways[i] = (struct config_gateway){.port_index = options->one_queue ? 0 : i, .udp_port = 4000 + i};
    for (unsigned i = 0; i < options->matchers; i++)
        rig->publishers[i] = (struct config_publisher){.port_index = options->own_port    ? config->ports_count - 1
                                                                     : options->one_queue ? 0
                                                                                          : i % options->gateways,
                                                       .group_ip = RIG_GROUP + i,
                                                       .udp_port = 6000 + i,
                                                       .request_port = 6100 + i};
    rig_fill_market(rig, options);
    rig_fill_copies(rig, options);
}

#define RIG_ALERTS 8u

RIG_UNUSED void rig_make_region(struct rig *rig)
{
    static struct region_plan plan;
    const struct config *config = &rig->config;
    plan = (struct region_plan){.count = 0};
    for (unsigned m = 0; m < config->matchers_count; m++) {
        region_plan_add(&plan, OBJECT_CORE, ROLE_MATCHER, m, 0);
        region_plan_add(&plan, OBJECT_CORE, ROLE_PUBLISHER, m, 0);
        region_plan_add(&plan, OBJECT_MATCHER, 0, m, 0);
        region_plan_add(&plan, OBJECT_COMMANDS, 0, m, config->dataplane.command_ring_depth);
        region_plan_add(&plan, OBJECT_JOURNAL, 0, m, config->dataplane.journal_ring_depth);
        region_plan_add(&plan, OBJECT_ALERTS, 0, m, RIG_ALERTS);
        region_plan_add(&plan, OBJECT_MARKET_DATA, m, m, config->dataplane.event_ring_depth);
    }
    for (unsigned g = 0; g < config->gateways_count; g++) {
        region_plan_add(&plan, OBJECT_CORE, ROLE_GATEWAY, g, 0);
        region_plan_add(&plan, OBJECT_REQUESTS, 0, g, 256);
        region_plan_add(&plan, OBJECT_REPLIES, 0, g, 256);
        region_plan_add(&plan, OBJECT_TALLIES, 0, g, config->sessions_count);
        for (unsigned m = 0; m < config->matchers_count; m++) {
            region_plan_add(&plan, OBJECT_ORDERS, g, m, config->dataplane.order_ring_depth);
            region_plan_add(&plan, OBJECT_EVENTS, m, g, config->dataplane.event_ring_depth);
        }
    }
    assert_int_equal(region_create(&rig->region, rig->directory, "rig", &plan, 1), REGION_OK);
}

RIG_UNUSED void *rig_init_role(struct rig *rig, const struct role_descriptor *descriptor, unsigned index,
                               struct role_context *context)
{
    char error[512] = "";
    *context = (struct role_context){.config = &rig->config,
                                     .region = &rig->region,
                                     .index = index,
                                     .block = region_find(&rig->region, OBJECT_CORE, descriptor->role, index),
                                     .take_memory = rig_take,
                                     .tsc_hz = RIG_HZ};
    void *role = descriptor->init(context, error, sizeof error);
    if (!role)
        fail_msg("%s: %s", descriptor->name, error);
    return role;
}

RIG_UNUSED void rig_new(struct rig *rig, const struct rig_options *options)
{
    char error[512] = "";
    *rig = (struct rig){.now = RIG_HZ};
    strcpy(rig->directory, "/tmp/xw-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
    rig_write_profile(rig);
    rig_fill_config(rig, options);
    for (unsigned i = 0; i < rig->config.ports_count; i++)
        rig_make_device(rig, i, rig->ports[i].device + strlen("net_ring_"));
    if (ports_open(&rig->config, error, sizeof error) != 0)
        fail_msg("%s", error);
    rig_make_region(rig);
    struct role_context *context = rig->contexts;
    for (unsigned i = 0; i < options->gateways; i++)
        rig->gateway[i] = rig_init_role(rig, &gateway_role, i, context++);
    for (unsigned i = 0; i < options->matchers; i++) {
        struct engine_capacity capacity = engine_capacity_of(&rig->config, i);
        rig->matcher[i] = rig_init_role(rig, &matcher_role, i, context++);
        rig->publisher[i] = rig_init_role(rig, &publisher_role, i, context++);
        rig->engine_memory[i] = aligned_alloc(4096, (engine_footprint(&capacity) + 4095) & ~(size_t)4095);
        assert_non_null(rig->engine_memory[i]);
        memset(rig->engine_memory[i], 0, engine_footprint(&capacity));
        rig->engine[i] = engine_new(rig->engine_memory[i], &capacity);
    }
}

// Ends the roles and the region, as a kill would; the journaled history, in memory, stays for a next rig_reboot.
RIG_UNUSED void rig_down(struct rig *rig)
{
    struct rte_mbuf *buffer;
    char command[128];
    for (unsigned i = 0; i < rig->config.gateways_count; i++)
        gateway_role.fini(rig->gateway[i]);
    for (unsigned i = 0; i < rig->config.matchers_count; i++) {
        matcher_role.fini(rig->matcher[i]);
        publisher_role.fini(rig->publisher[i]);
    }
    for (unsigned i = 0; i < rig->config.ports_count; i++) {
        while (rte_ring_dequeue(rig->from_port[i], (void **)&buffer) == 0)
            rte_pktmbuf_free(buffer);
        while (rte_ring_dequeue(rig->to_port[i], (void **)&buffer) == 0)
            rte_pktmbuf_free(buffer);
    }
    ports_close();
    uint64_t generation = rig->region.header->generation;
    region_leave(&rig->region);
    region_remove(rig->directory, "rig", generation);
    snprintf(command, sizeof command, "rm -rf '%s'", rig->directory);
    assert_int_equal(system(command), 0);
    while (rig_memory_count)
        free(rig_memory[--rig_memory_count]);
}

RIG_UNUSED void rig_free(struct rig *rig)
{
    rig_down(rig);
    for (unsigned i = 0; i < rig->config.matchers_count; i++) {
        free(rig->engine_memory[i]);
        free(rig->history[i]);
        free(rig->market_data[i].list);
    }
    for (unsigned i = 0; i < RIG_SESSIONS + RIG_COPIES; i++)
        free(rig->expected[i].list);
    free(rig->inbox);
}

// ---- control --------------------------------------------------------------------------------------------------------

RIG_UNUSED struct matcher_port *rig_port(struct rig *rig, unsigned m)
{
    return region_find(&rig->region, OBJECT_MATCHER, 0, m);
}

RIG_UNUSED uint32_t rig_state(struct rig *rig, enum role role, unsigned index)
{
    struct core_block *block = region_find(&rig->region, OBJECT_CORE, role, index);
    return atomic_load(&block->state);
}

RIG_UNUSED uint64_t rig_count(struct rig *rig, enum role role, unsigned index, unsigned counter)
{
    struct core_block *block = region_find(&rig->region, OBJECT_CORE, role, index);
    return atomic_load(&block->counters[counter]);
}

RIG_UNUSED void rig_keep(struct rig_stream *stream, uint64_t cmd_seq, const uint8_t *bytes, size_t size)
{
    if (stream->count == stream->room) {
        stream->room = stream->room ? stream->room * 2 : 256;
        stream->list = realloc(stream->list, stream->room * sizeof *stream->list);
        assert_non_null(stream->list);
    }
    struct rig_message *message = &stream->list[stream->count++];
    message->cmd_seq = cmd_seq;
    message->size = (uint16_t)size;
    memcpy(message->bytes, bytes, size);
}

struct rig_fan {
    struct rig *rig;
    uint64_t cmd_seq;
};

RIG_UNUSED void rig_give(void *context, uint16_t session, const uint8_t *message, size_t length)
{
    struct rig_fan *fan = context;
    struct rig *rig = fan->rig;
    const struct config_session *of = &rig->sessions[session];
    uint8_t envelope[STREAM_MESSAGE_MAX] = "c";
    rig_keep(&rig->expected[session], fan->cmd_seq, message, length);
    if (rig->config.drop_copies_count == 0 || of->matcher != 0)
        return;
    // Each account of the rig has a firm of its own, and each firm or account a drop copy.
    memset(envelope + 1, ' ', 22);
    memcpy(envelope + 1, of->wire_user, 6);
    memcpy(envelope + 7, rig->accounts[of->account_index].name, 4);
    put_be32(envelope + 23, (uint32_t)rig->expected[session].count);
    memcpy(envelope + 27, message, length);
    rig_keep(&rig->expected[RIG_SESSIONS + of->account_index], fan->cmd_seq, envelope, 27 + length);
}

RIG_UNUSED void rig_expect(struct rig *rig, unsigned m, const struct command *command)
{
    struct event events[ENGINE_EVENTS_MAX];
    struct rig_fan fan = {rig, command->seq};
    uint8_t core_of[RIG_SESSIONS];
    const struct fan_out sessions = {RIG_SESSIONS, core_of};
    for (unsigned i = 0; i < RIG_SESSIONS; i++)
        core_of[i] = (uint8_t)rig->config.sessions[i].matcher;
    unsigned count = engine_step(rig->engine[m], command, events);
    for (;;) {
        for (unsigned i = 0; i < count; i++) {
            uint8_t itch[ITCH_OUT_MAX];
            fan_out(&sessions, m, &events[i], rig_give, &fan);
            size_t size = events[i].flags & EV_MD_ANY ? itch_out_encode(&events[i], itch) : 0;
            if (size)
                rig_keep(&rig->market_data[m], command->seq, itch, size);
        }
        if (!engine_unfinished(rig->engine[m]))
            return;
        count = engine_continue(rig->engine[m], events);
    }
}

// The journal: keeps what is published, and says that it is durable.
RIG_UNUSED void rig_drain_journal(struct rig *rig, unsigned m)
{
    struct ring *ring = region_find(&rig->region, OBJECT_JOURNAL, 0, m);
    const struct command *cell;
    while (!rig->journal_stuck && (cell = ring_peek(ring, 0)) != NULL) {
        size_t count = rig->history_count[m];
        if ((count & (count - 1)) == 0) {
            rig->history[m] = realloc(rig->history[m], (count ? count * 2 : 1) * sizeof *cell);
            assert_non_null(rig->history[m]);
        }
        rig->history[m][rig->history_count[m]++] = *cell;
        assert_int_equal(cell->seq, rig->history_count[m]);
        rig_expect(rig, m, cell);
        ring_release(ring, 1);
    }
    if (!rig->hold_durable)
        atomic_store(&rig_port(rig, m)->durable_seq, rig->history_count[m]);
}

RIG_UNUSED void rig_reply_messages(struct rig *rig, struct ring *replies, const struct gateway_request *request)
{
    const struct rig_stream *stream = &rig->expected[request->session];
    assert_true(request->count > 0 && request->first > 0 && request->first + request->count - 1 <= stream->count);
    for (unsigned i = 0; i < request->count; i++) {
        struct gateway_reply *reply = ring_slot(replies, i);
        const struct rig_message *message = &stream->list[request->first - 1 + i];
        reply->id = request->id;
        reply->kind = REQUEST_MESSAGES;
        reply->session = request->session;
        reply->verdict = (uint16_t)(request->count - 1 - i);
        reply->sequence = request->first + i;
        reply->length = message->size;
        memcpy(reply->message, message->bytes, message->size);
    }
    ring_publish(replies, request->count);
}

RIG_UNUSED void rig_answer_requests(struct rig *rig, unsigned g)
{
    struct ring *requests = region_find(&rig->region, OBJECT_REQUESTS, 0, g);
    struct ring *replies = region_find(&rig->region, OBJECT_REPLIES, 0, g);
    const struct gateway_request *request;
    while ((request = ring_peek(requests, 0)) != NULL) {
        if (request->kind == REQUEST_MESSAGES) {
            rig_reply_messages(rig, replies, request);
        } else if (request->kind == REPORT_REFUSED) {
            rig->refused[request->first] += request->count;
            rig->refused_last = *request;
            rig->reports++;
        } else {
            struct gateway_reply *reply = ring_slot(replies, 0);
            reply->id = request->id;
            reply->kind = request->kind;
            reply->session = request->session;
            bool right = memcmp(request->password, "SECRET    ", 10) == 0 &&
                         memcmp(request->user, config_stream(&rig->config, request->session).wire_user, 6) == 0;
            reply->verdict = right ? LOGIN_RIGHT : rig->verdict;
            ring_publish(replies, 1);
            rig->logins_asked++;
        }
        ring_release(requests, 1);
    }
}

RIG_UNUSED void rig_command(struct rig *rig, unsigned m, const struct command *command)
{
    struct ring *ring = region_find(&rig->region, OBJECT_COMMANDS, 0, m);
    assert_true(ring_room(ring, 1) > 0);
    struct command *slot = ring_slot(ring, 0);
    memcpy((char *)slot + 8, (const char *)command + 8, sizeof *slot - 8);
    ring_publish(ring, 1);
}

// ---- the clock ------------------------------------------------------------------------------------------------------

RIG_UNUSED void rig_collect(struct rig *rig); // cores_clients.h

RIG_UNUSED void rig_round(struct rig *rig)
{
    for (unsigned i = 0; i < rig->config.gateways_count; i++)
        gateway_role.poll(rig->gateway[i], rig->now);
    for (unsigned i = 0; i < rig->config.matchers_count && !rig->still; i++)
        matcher_role.poll(rig->matcher[i], rig->now);
    for (unsigned i = 0; i < rig->config.matchers_count; i++)
        rig_drain_journal(rig, i);
    for (unsigned i = 0; i < rig->config.gateways_count; i++) {
        gateway_role.flush(rig->gateway[i], rig->now);
        if (!rig->control_away)
            rig_answer_requests(rig, i);
    }
    for (unsigned i = 0; i < rig->config.matchers_count; i++)
        publisher_role.poll(rig->publisher[i], rig->now);
    for (unsigned i = 0; i < rig->config.gateways_count; i++)
        gateway_role.housekeep(rig->gateway[i], rig->now);
    for (unsigned i = 0; i < rig->config.matchers_count; i++) {
        matcher_role.housekeep(rig->matcher[i], rig->now);
        publisher_role.housekeep(rig->publisher[i], rig->now);
    }
    rig->now += 1000;
    rig_collect(rig);
}

RIG_UNUSED void rig_rounds(struct rig *rig, unsigned count)
{
    while (count--)
        rig_round(rig);
}

RIG_UNUSED void rig_pass_ms(struct rig *rig, unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 10) {
        rig->now += 10 * RIG_MS;
        rig_round(rig);
    }
}

// Feeds what the journal holds, then opens the day, or brings the open one down as control does after a restart.
RIG_UNUSED void rig_boot(struct rig *rig)
{
    for (unsigned m = 0; m < rig->config.matchers_count; m++) {
        struct command command = {.type = DIRECTIVE_RECOVERED, .session = SESSION_NONE};
        struct opening opening;
        size_t count = rig->history_count[m];
        assert_true(opening_init(&opening, &rig->config, m));
        for (size_t i = 0; i < count; i++) {
            opening_note(&opening, &rig->history[m][i]);
            rig_command(rig, m, &rig->history[m][i]);
            atomic_store(&rig_port(rig, m)->durable_seq, count);
            if (i % 256 == 255)
                rig_rounds(rig, 4);
        }
        rig_rounds(rig, 4);
        opening_restart(&opening);
        command.recovered.seq = count;
        rig_command(rig, m, &command);
        while (opening_next(&opening, (int64_t)(9 * 3600) * 1000000000, &command)) {
            rig_command(rig, m, &command);
            opening_note(&opening, &command);
        }
        opening_free(&opening);
    }
    rig_rounds(rig, 8);
}

// Starts another data plane on the same journal, as after a kill, and feeds it nothing yet.
RIG_UNUSED void rig_replace(struct rig *rig, const struct rig_options *options)
{
    struct rig *old = malloc(sizeof *old);
    assert_non_null(old);
    rig_down(rig);
    *old = *rig;
    rig_new(rig, options);
    for (unsigned i = 0; i < options->matchers; i++) {
        free(rig->engine_memory[i]);
        rig->engine_memory[i] = old->engine_memory[i];
        rig->engine[i] = old->engine[i];
        rig->history[i] = old->history[i];
        rig->history_count[i] = old->history_count[i];
        rig->market_data[i] = old->market_data[i];
    }
    memcpy(rig->expected, old->expected, sizeof rig->expected);
    rig->now = old->now;
    free(old->inbox);
    free(old);
}

RIG_UNUSED void rig_reboot(struct rig *rig, const struct rig_options *options)
{
    rig_replace(rig, options);
    rig_boot(rig);
}

#endif
