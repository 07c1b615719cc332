// SPDX-License-Identifier: Apache-2.0
// The gateway role. A round is two halves: poll takes frames and gives the matching cores their commands, flush takes
// their events and sends.
#include "cores/gateway.h"

#include <sodium.h>
#include <stdio.h>

#include "cores/clock.h"

#define LOGIN_RETRY_MS 5000 // a verification that got no verdict may be asked for again
#define FETCH_RETRY_MS 1000
#define REFUSALS_MS 1000

static unsigned gateway_poll(void *instance, uint64_t now)
{
    struct gateway *gateway = instance;
    gateway->now = now;
    unsigned count = inlet_poll(gateway->inlet, gateway, gateway->burst, now, &gateway->sender, &gateway->tally);
    gateway_publish_orders(gateway); // also what another gateway received for this one at a queue that they share
    return count;
}

static unsigned gateway_flush(void *instance, uint64_t now)
{
    struct gateway *gateway = instance;
    gateway->now = now;
    unsigned count = gateway_take_events(gateway);
    if (__builtin_expect(ring_peek(gateway->replies, 0) != NULL, 0)) {
        count += gateway_take_replies(gateway);
        gateway_publish_orders(gateway);
    }
    sender_flush(&gateway->sender);
    return count;
}

static bool gateway_drained(const void *instance)
{
    return ((const struct gateway *)instance)->state == CORE_HALT;
}

static void gateway_fini(void *instance)
{
    struct gateway *gateway = instance;
    inlet_leave(gateway->inlet);
    sodium_memzero(gateway->digest_key, sizeof gateway->digest_key);
}

// ---- set-up ---------------------------------------------------------------------------------------------------------

static bool join_rings(struct gateway *gateway, const struct role_context *context)
{
    const struct region *region = context->region;
    unsigned own = context->index;
    gateway->cores_count = context->config->matchers_count;
    gateway->tallies = region_find(region, OBJECT_TALLIES, 0, own);
    gateway->requests = region_find(region, OBJECT_REQUESTS, 0, own);
    gateway->replies = region_find(region, OBJECT_REPLIES, 0, own);
    if (!gateway->requests || !gateway->replies)
        return false;
    for (uint32_t i = 0; i < gateway->cores_count; i++) {
        struct gateway_core *core = &gateway->cores[i];
        struct ring *orders = region_find(region, OBJECT_ORDERS, own, i);
        struct ring *events = region_find(region, OBJECT_EVENTS, i, own);
        core->port = region_find(region, OBJECT_MATCHER, 0, i);
        core->block = region_find(region, OBJECT_CORE, ROLE_MATCHER, i);
        if (!orders || !events || !core->port || !core->block)
            return false;
        writer_new(&core->orders, orders);
        reader_new(&core->events, events);
        core->reserve = orders->depth / 16;
        core->half = orders->depth / 2;
    }
    return true;
}

static void fill_symbols(struct gateway *gateway, const struct config *config)
{
    for (uint32_t i = 0; i < config->symbols_count; i++)
        symbol_add(&gateway->symbols, config->symbols[i].wire_name, config->symbols[i].matcher,
                   config->symbols[i].locate);
}

static void fill_sessions(struct gateway *gateway, const struct role_context *context, char *windows)
{
    const struct config *config = context->config;
    size_t stride = (window_footprint(config->dataplane.window_messages) + 63) & ~(size_t)63;
    uint32_t row = 0;
    for (uint32_t i = 0; i < config_streams(config); i++) {
        const struct config_stream stream = config_stream(config, i);
        if (stream.gateway != context->index)
            continue;
        struct session *session = &gateway->sessions[row];
        session->index = (uint16_t)i;
        session->matcher = (uint16_t)stream.matcher;
        session->copy = i >= config->sessions_count;
        session->row = row;
        memcpy(session->user, stream.wire_user, sizeof session->user);
        window_new(&session->window, windows + stride * row, config->dataplane.window_messages);
        gateway->by_index[i] = session;
        row++;
    }
}

static void fill_copied(struct gateway *gateway, const struct config *config, unsigned index, void *map)
{
    copy_map_new(&gateway->copies, map, config, index);
    if (!gateway->copies.first) {
        gateway->copied = NULL;
        return;
    }
    gateway->copied_count = config->sessions_count;
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        gateway->copied[i].matcher = (uint16_t)config->sessions[i].matcher;
        drop_copy_names(config, i, gateway->copied[i].names);
    }
}

static uint32_t sessions_of(const struct config *config, unsigned index)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config_streams(config); i++)
        count += config_stream(config, i).gateway == index;
    return count;
}

// Memory of a gateway in one piece: sessions, their tables and windows.
struct layout {
    size_t size;
    char *base; // NULL while only measuring
};

static void *piece(struct layout *layout, size_t size)
{
    void *at = layout->base ? layout->base + layout->size : NULL;
    layout->size += (size + CACHE_PAIR - 1) & ~(size_t)(CACHE_PAIR - 1);
    return at;
}

struct pieces {
    char *windows;
    void *map;
};

static struct pieces lay_out(struct gateway *gateway, const struct config *config, unsigned index,
                             struct layout *layout)
{
    uint32_t sessions = gateway->sessions_count;
    const size_t map = copy_map_footprint(config, index);
    size_t stride = (window_footprint(config->dataplane.window_messages) + 63) & ~(size_t)63;
    gateway->sources.mask = source_slots(sessions) - 1;
    gateway->sources.slots = piece(layout, source_slots(sessions) * sizeof *gateway->sources.slots);
    gateway->symbols.mask = symbol_slots(config->symbols_count) - 1;
    gateway->symbols.slots = piece(layout, symbol_slots(config->symbols_count) * sizeof *gateway->symbols.slots);
    gateway->sessions = piece(layout, (sessions + 1) * sizeof *gateway->sessions);
    gateway->by_index = piece(layout, config_streams(config) * sizeof(struct session *));
    gateway->dirty = piece(layout, (sessions + 1) * sizeof *gateway->dirty);
    gateway->copied = piece(layout, map ? config->sessions_count * sizeof *gateway->copied : 0);
    struct pieces pieces = {.map = piece(layout, map)};
    pieces.windows = piece(layout, stride * sessions);
    return pieces;
}

static bool take_memory(struct gateway *gateway, const struct role_context *context)
{
    struct layout measure = {0}, layout = {0};
    gateway->sessions_count = sessions_of(context->config, context->index);
    gateway->by_index_count = config_streams(context->config);
    lay_out(gateway, context->config, context->index, &measure);
    layout.base = context->take_memory(measure.size, "gateway sessions and windows");
    if (!layout.base)
        return false;
    const struct pieces pieces = lay_out(gateway, context->config, context->index, &layout);
    fill_symbols(gateway, context->config);
    fill_sessions(gateway, context, pieces.windows);
    fill_copied(gateway, context->config, context->index, pieces.map);
    return true;
}

static unsigned gateway_takes(const struct config *config, unsigned index, size_t *sizes)
{
    static struct gateway measured; // only its counts are looked at
    struct layout measure = {0};
    measured.sessions_count = sessions_of(config, index);
    lay_out(&measured, config, index, &measure);
    sizes[0] = sizeof measured;
    sizes[1] = measure.size;
    return 2;
}

static bool join_inlet(struct gateway *gateway, const struct role_context *context, char *error, size_t error_size)
{
    const struct config_gateway *config = &context->config->gateways[context->index];
    gateway->inlet = inlet_join(context->config, config->port_index, config->queue, config->lcore, error, error_size);
    if (!gateway->inlet)
        return false;
    if (!inlet_add_gateway(gateway->inlet, gateway, (uint16_t)config->udp_port, error, error_size)) {
        inlet_leave(gateway->inlet);
        return false;
    }
    gateway->sender.queue = inlet_queue(gateway->inlet);
    gateway->sender.us = *inlet_endpoint(gateway->inlet);
    return true;
}

static void *gateway_init(const struct role_context *context, char *error, size_t error_size)
{
    const struct config *config = context->config;
    struct gateway *gateway = context->take_memory(sizeof *gateway, "gateway");
    if (!gateway || config->matchers_count > GATEWAY_MATCHERS_MAX || sodium_init() < 0) {
        snprintf(error, error_size, "gateway %u: no memory, or more than %u matching cores", context->index,
                 GATEWAY_MATCHERS_MAX);
        return NULL;
    }
    gateway->index = context->index;
    gateway->udp_port = (uint16_t)config->gateways[context->index].udp_port;
    gateway->burst = config->dataplane.burst < PORT_BURST_MAX ? config->dataplane.burst : PORT_BURST_MAX;
    gateway->heartbeat_tsc = tsc_of_ms(config->dataplane.heartbeat_ms, context->tsc_hz);
    gateway->timeout_tsc = tsc_of_ms(config->dataplane.session_timeout_ms, context->tsc_hz);
    gateway->retry_tsc = tsc_of_ms(LOGIN_RETRY_MS, context->tsc_hz);
    gateway->fetch_retry_tsc = tsc_of_ms(FETCH_RETRY_MS, context->tsc_hz);
    gateway->refusals_tsc = tsc_of_ms(REFUSALS_MS, context->tsc_hz);
    gateway->tsc_factor = tsc_factor(context->tsc_hz);
    gateway->header = context->region->header;
    gateway->block = context->block;
    randombytes_buf(gateway->digest_key, sizeof gateway->digest_key);
    if (!join_rings(gateway, context)) {
        snprintf(error, error_size, "gateway %u: its rings are not in the region", context->index);
        return NULL;
    }
    if (!take_memory(gateway, context)) {
        snprintf(error, error_size, "gateway %u: no memory for %u sessions: lower dataplane.window_messages",
                 context->index, gateway->sessions_count);
        return NULL;
    }
    return join_inlet(gateway, context, error, error_size) ? gateway : NULL;
}

const struct role_descriptor gateway_role = {
    .name = "gateway",
    .role = ROLE_GATEWAY,
    .takes = gateway_takes,
    .init = gateway_init,
    .poll = gateway_poll,
    .flush = gateway_flush,
    .housekeep = gateway_housekeep,
    .fini = gateway_fini,
    .drained = gateway_drained,
};
