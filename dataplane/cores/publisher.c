// SPDX-License-Identifier: Apache-2.0
// The publisher role: what a matching core's book does, as ITCH 5.0 over MoldUDP64, and the answers to requests for
// what a receiver missed. One stream a matching core; its session is named as the core's UFO sessions are.
//
// The stream's messages are numbered from the day's first on, also through a restart: history rebuilds the window and
// the number, and nothing of it is sent again. After the day's end, and at a stop, end-of-session packets.
#include <stdio.h>

#include "contract/command.h"
#include "contract/event.h"
#include "contract/fault.h"
#include "contract/itch_out.h"
#include "contract/session_name.h"
#include "cores/clock.h"
#include "cores/inlet.h"
#include "cores/ring_ends.h"
#include "cores/role.h"
#include "cores/sender.h"
#include "cores/window.h"

#define EVENTS_PER_ROUND 256
#define MOLD_BODY_MAX (MOLD_PACKET_MAX - MOLD_HEADER)
#define HEARTBEAT_MS 1000
#define END_ROUNDS 3
#define BUSY_EVENTS 8 // a round that brought so many is followed by another one with more: they share a packet

struct publisher {
    uint64_t counters[COUNT_PUBLISHER_END];
    enum core_state state;
    uint32_t matcher; // its matching core; the publisher's own number too
    struct ring_reader events;
    struct matcher_port *port;
    struct core_block *matcher_block, *block;
    const struct region_header *header;
    uint32_t date; // 0: no day yet
    char name[10]; // of the day's session
    bool ended;
    uint32_t ends_sent;
    uint16_t from_port;
    struct peer group;
    struct window window;
    const uint8_t *pack_at; // messages not yet sent: a run of the window
    uint64_t pack_first;
    uint32_t pack_bytes, pack_count;
    bool held; // the pack has waited for a round
    uint64_t now, sent_tsc, heartbeat_tsc;
    struct inlet *inlet;
    struct inlet_tally tally; // of an inlet without gateways
    struct sender sender;
};

static void send_packet(struct publisher *publisher, const struct peer *to, uint64_t first, uint16_t count,
                        const uint8_t *body, uint32_t bytes)
{
    uint8_t *packet = sender_begin(&publisher->sender);
    if (!packet)
        return;
    mold_header(packet, publisher->name, first, count);
    memcpy(packet + MOLD_HEADER, body, bytes);
    sender_end(&publisher->sender, to, publisher->from_port, MOLD_HEADER + bytes);
    publisher->counters[COUNT_PUBLISHER_packets]++;
}

static void send_pack(struct publisher *publisher)
{
    send_packet(publisher, &publisher->group, publisher->pack_first, (uint16_t)publisher->pack_count,
                publisher->pack_at, publisher->pack_bytes);
    publisher->pack_count = 0;
    publisher->pack_bytes = 0;
    publisher->held = false;
    publisher->sent_tsc = publisher->now;
}

// A packet without messages to the group: a heartbeat, or the end of the session.
static void send_mark(struct publisher *publisher, uint16_t count)
{
    if (publisher->pack_count)
        send_pack(publisher); // it names the sequence behind all that was sent
    send_packet(publisher, &publisher->group, publisher->window.next, count, publisher->window.bytes, 0);
    publisher->sent_tsc = publisher->now;
}

static void append(struct publisher *publisher, const struct event *event)
{
    uint8_t *at = window_reserve(&publisher->window);
    uint32_t bytes = (uint32_t)itch_out_encode(event, at + 2);
    if (bytes == 0)
        return;
    put_be16(at, (uint16_t)bytes);
    bytes += 2;
    window_commit(&publisher->window, bytes);
    if (event->flags & EV_REPLAYED)
        return;
    publisher->counters[COUNT_PUBLISHER_messages]++;
    if (publisher->pack_count &&
        (at != publisher->pack_at + publisher->pack_bytes || publisher->pack_bytes + bytes > MOLD_BODY_MAX))
        send_pack(publisher);
    if (publisher->pack_count++ == 0) {
        publisher->pack_at = at;
        publisher->pack_first = publisher->window.next - 1;
    }
    publisher->pack_bytes += bytes;
}

static void open_day(struct publisher *publisher, uint32_t date)
{
    publisher->date = date;
    session_name(date, publisher->matcher, publisher->name);
}

// What a snapshot has kept of the stream: its number, its last messages.
static void take_messages(struct publisher *publisher, const struct event *event)
{
    uint8_t blocks[RESTORE_BLOCKS];
    memcpy(blocks, (const char *)event + EVENT_BLOCKS_AT, sizeof blocks);
    for (size_t at = 0; at + 2 < sizeof blocks;) {
        uint32_t bytes = 2u + get_be16(blocks + at);
        if (bytes == 2 || at + bytes > sizeof blocks)
            return;
        memcpy(window_reserve(&publisher->window), blocks + at, bytes);
        window_commit(&publisher->window, bytes);
        at += bytes;
    }
}

static void take_restored(struct publisher *publisher, const struct event *event)
{
    if (event->type == EV_RESTORE_MESSAGES) {
        take_messages(publisher, event);
        return;
    }
    window_restart(&publisher->window, event->type == EV_RESTORE_STREAM ? event->ref : 1);
    if (event->type == EV_RESTORE_NOTHING) {
        publisher->date = 0;
        publisher->ended = false;
    }
}

static unsigned take_events(struct publisher *publisher)
{
    const struct event *event = reader_peek(&publisher->events, 0);
    unsigned count = 0;
    if (!event && publisher->pack_count == 0)
        return 0;
    // Acquire pairs with the release of the journal's owner: market data waits for the disk as answers do.
    uint64_t durable = atomic_load_explicit(&publisher->port->durable_seq, memory_order_acquire);
    while (count < EVENTS_PER_ROUND && event && (FAULT(market_data_early) || event->cmd_seq <= durable)) {
        if (event->type == EV_DAY_OPEN)
            open_day(publisher, event->quantity);
        if (__builtin_expect(event->type >= EV_RESTORE_STREAM, 0))
            take_restored(publisher, event);
        else
            append(publisher, event);
        if (event->type == EV_DAY_END)
            publisher->ended = true;
        event = reader_peek(&publisher->events, ++count);
    }
    if (count)
        reader_release(&publisher->events, count);
    if (publisher->pack_count && (count < BUSY_EVENTS || publisher->held))
        send_pack(publisher);
    else
        publisher->held = publisher->pack_count != 0;
    publisher->counters[COUNT_PUBLISHER_events] += count;
    return count;
}

// MoldUDP64 names no answer to a request for another session or for what is not there: silence.
void publisher_request(struct publisher *publisher, const struct packet *packet)
{
    struct window_run run = {0};
    uint64_t first = 0;
    if (packet->size == MOLD_HEADER && publisher->date != 0 && publisher->state == CORE_RUN) {
        first = get_be64(packet->payload + 10);
        if (memcmp(packet->payload, publisher->name, sizeof publisher->name) == 0)
            run = window_find(&publisher->window, first, get_be16(packet->payload + 18), MOLD_BODY_MAX);
    }
    if (run.count == 0) {
        publisher->counters[COUNT_PUBLISHER_requests_unanswered]++;
        return;
    }
    send_packet(publisher, &packet->from, first, (uint16_t)run.count, run.at, run.bytes);
    publisher->counters[COUNT_PUBLISHER_requests]++;
}

static unsigned publisher_poll(void *instance, uint64_t now)
{
    struct publisher *publisher = instance;
    unsigned count = 0;
    publisher->now = now;
    count += inlet_poll(publisher->inlet, publisher, 8, now, &publisher->sender, &publisher->tally);
    count += take_events(publisher);
    sender_flush(&publisher->sender);
    return count;
}

static void follow_matcher(struct publisher *publisher)
{
    // Acquire pairs with the matching core's release: what it pushed in its last state is in the ring.
    uint32_t state = atomic_load_explicit(&publisher->matcher_block->state, memory_order_acquire);
    const struct event *event = reader_peek(&publisher->events, 0);
    if (publisher->state == CORE_BOOT && state == CORE_RUN && !(event && (event->flags & EV_REPLAYED)))
        publisher->state = CORE_RUN;
    if (state < CORE_HALT || event || !atomic_load_explicit(&publisher->header->stop, memory_order_relaxed))
        return;
    if (publisher->state == CORE_RUN && publisher->date && publisher->ends_sent < END_ROUNDS) {
        if (publisher->ends_sent && publisher->now - publisher->sent_tsc < publisher->heartbeat_tsc / 16)
            return;
        send_mark(publisher, MOLD_END_OF_SESSION);
        publisher->ends_sent++;
        return;
    }
    publisher->state = CORE_HALT;
}

static void publisher_housekeep(void *instance, uint64_t now)
{
    struct publisher *publisher = instance;
    uint64_t *counters = publisher->counters;
    publisher->now = now;
    if (publisher->state <= CORE_RUN)
        follow_matcher(publisher);
    if (publisher->state == CORE_RUN && publisher->date && now - publisher->sent_tsc >= publisher->heartbeat_tsc)
        send_mark(publisher, publisher->ended ? MOLD_END_OF_SESSION : 0);
    sender_flush(&publisher->sender);
    counters[COUNT_PUBLISHER_tx_dropped] = publisher->sender.dropped;
    for (unsigned i = 0; i < DISCARD_COUNT; i++)
        counters[COUNT_PUBLISHER_discard_first + i] = publisher->tally.discards[i];
    for (unsigned i = 0; i < COUNT_PUBLISHER_END; i++)
        atomic_store_explicit(&publisher->block->counters[i], counters[i], memory_order_relaxed);
    atomic_store_explicit(&publisher->block->state, publisher->state, memory_order_release);
}

static bool publisher_drained(const void *instance)
{
    return ((const struct publisher *)instance)->state == CORE_HALT;
}

static void publisher_fini(void *instance)
{
    inlet_leave(((struct publisher *)instance)->inlet);
}

// ---- set-up ---------------------------------------------------------------------------------------------------------

// A multicast address has its MAC by rule (RFC 1112); any other destination is sent to the Ethernet broadcast address,
// since the data plane asks nobody for addresses.
static struct peer group_peer(uint32_t ip, uint16_t port)
{
    struct peer peer = {.ip = ip, .port = port, .mac = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    if (ip >> 28 == 0xE) {
        peer.mac[0] = 0x01;
        peer.mac[1] = 0x00;
        peer.mac[2] = 0x5E;
        peer.mac[3] = (uint8_t)(ip >> 16 & 0x7F);
        peer.mac[4] = (uint8_t)(ip >> 8);
        peer.mac[5] = (uint8_t)ip;
    }
    return peer;
}

static bool join_inlet(struct publisher *publisher, const struct role_context *context, char *error, size_t error_size)
{
    const struct config_publisher *config = &context->config->publishers[context->index];
    publisher->inlet = inlet_join(context->config, config->port_index, config->queue, config->lcore, error, error_size);
    if (!publisher->inlet)
        return false;
    if (!inlet_add_publisher(publisher->inlet, publisher, (uint16_t)config->request_port, error, error_size)) {
        inlet_leave(publisher->inlet);
        return false;
    }
    publisher->sender.queue = inlet_queue(publisher->inlet);
    publisher->sender.us = *inlet_endpoint(publisher->inlet);
    return true;
}

static bool join_rings(struct publisher *publisher, const struct role_context *context)
{
    unsigned own = context->index;
    publisher->matcher = own;
    struct ring *events = region_find(context->region, OBJECT_MARKET_DATA, own, own);
    if (events)
        reader_new(&publisher->events, events);
    publisher->port = region_find(context->region, OBJECT_MATCHER, 0, own);
    publisher->matcher_block = region_find(context->region, OBJECT_CORE, ROLE_MATCHER, own);
    publisher->block = context->block;
    publisher->header = context->region->header;
    return events && publisher->port && publisher->matcher_block;
}

static unsigned publisher_takes(const struct config *config, unsigned index, size_t *sizes)
{
    (void)index;
    sizes[0] = sizeof(struct publisher);
    sizes[1] = window_footprint(config->dataplane.window_messages);
    return 2;
}

static void *publisher_init(const struct role_context *context, char *error, size_t error_size)
{
    const struct config_publisher *config = &context->config->publishers[context->index];
    uint32_t messages = context->config->dataplane.window_messages;
    struct publisher *publisher = context->take_memory(sizeof *publisher, "publisher");
    void *memory = context->take_memory(window_footprint(messages), "market data window");
    if (!publisher || !memory || !join_rings(publisher, context)) {
        snprintf(error, error_size, "publisher %u: no memory, or its ring is not in the region", context->index);
        return NULL;
    }
    window_new(&publisher->window, memory, messages);
    publisher->heartbeat_tsc = tsc_of_ms(HEARTBEAT_MS, context->tsc_hz);
    publisher->group = group_peer(config->group_ip, (uint16_t)config->udp_port);
    publisher->from_port = (uint16_t)(config->request_port ? config->request_port : config->udp_port);
    return join_inlet(publisher, context, error, error_size) ? publisher : NULL;
}

const struct role_descriptor publisher_role = {
    .name = "publisher",
    .role = ROLE_PUBLISHER,
    .takes = publisher_takes,
    .init = publisher_init,
    .poll = publisher_poll,
    .flush = NULL,
    .housekeep = publisher_housekeep,
    .fini = publisher_fini,
    .drained = publisher_drained,
};
