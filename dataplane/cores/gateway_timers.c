// SPDX-License-Identifier: Apache-2.0
// What a gateway does by the clock: heartbeats, time-outs, debts to the matching cores, its state, the stop.
//
//   stop asked: orders and logins are discarded -> DOWN(SHUTDOWN) for every session that is up -> DIRECTIVE_DRAIN as
//   the last command to every matching core -> they halt -> their last events are sent -> end of session three times ->
//   HALT
#include "cores/gateway.h"

#define END_ROUNDS 3
#define SCANS_PER_HEARTBEAT 16

// Everything that was replayed has been taken from this ring.
static bool history_taken(const struct gateway_core *core)
{
    const struct event *event = reader_peek(&core->events, 0);
    return !event || !(event->flags & EV_REPLAYED);
}

static void become_running(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->cores_count; i++) {
        // Acquire pairs with the matching core's release: its replayed events were pushed before it ran.
        if (atomic_load_explicit(&gateway->cores[i].block->state, memory_order_acquire) != CORE_RUN ||
            !history_taken(&gateway->cores[i]))
            return;
    }
    gateway->state = CORE_RUN;
}

static void add(_Atomic uint64_t *sum, uint32_t *count)
{
    if (*count)
        atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + *count, memory_order_relaxed);
    *count = 0;
}

static void publish_tally(struct gateway *gateway, struct session *session)
{
    struct session_tally *tally = &gateway->tallies[session->index];
    add(&tally->messages, &session->messages);
    add(&tally->malformed, &session->malformed);
    add(&tally->rejected, &session->rejected);
}

static void scan_session(struct gateway *gateway, struct session *session)
{
    if (!session->copy)
        publish_tally(gateway, session);
    if (session->down_owed)
        gateway_push_down(gateway, session, DOWN_LOGOFF);
    if (!session->connected)
        return;
    if (gateway->now - session->heard_tsc > gateway->timeout_tsc && gateway->now > session->heard_tsc) {
        gateway_disconnect(gateway, session, DOWN_TIMEOUT);
        return;
    }
    if (gateway->stopping || session_is_used_up(session)) {
        gateway_push_down(gateway, session, DOWN_SHUTDOWN);
    } else if (gateway->cores[session->matcher].ended) {
        if (session->sent_end && gateway->now - session->sent_tsc < gateway->heartbeat_tsc)
            return;
        session->sent_end = true;
        gateway_send_end(gateway, session);
        return;
    }
    if (gateway->now - session->sent_tsc >= gateway->heartbeat_tsc)
        gateway_send_heartbeat(gateway, session);
}

static void push_drain(struct gateway *gateway, uint32_t matcher)
{
    struct gateway_core *core = &gateway->cores[matcher];
    for (uint32_t i = 0; i < gateway->sessions_count; i++) {
        const struct session *session = &gateway->sessions[i];
        if (session->matcher == matcher && (session->up || session->down_owed))
            return;
    }
    if (writer_look(&core->orders) == 0)
        return;
    struct command *command = writer_slot(&core->orders);
    memset((char *)command + sizeof command->seq, 0, sizeof *command - sizeof command->seq);
    command->type = DIRECTIVE_DRAIN;
    command->session = SESSION_NONE;
    writer_fill(&core->orders);
    core->closed = true;
}

static bool all_taken(const struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->cores_count; i++) {
        const struct gateway_core *core = &gateway->cores[i];
        // Acquire pairs with the matching core's release: it pushed its last event before it halted.
        if (atomic_load_explicit(&core->block->state, memory_order_acquire) < CORE_HALT ||
            reader_peek(&core->events, 0))
            return false;
    }
    return true;
}

static void stop(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->cores_count; i++) {
        if (!gateway->cores[i].closed)
            push_drain(gateway, i);
    }
    if (!all_taken(gateway) || gateway->now < gateway->next_end_tsc)
        return;
    if (gateway->ends_sent == END_ROUNDS || gateway->counters[COUNT_GATEWAY_sessions_up] == 0) {
        gateway->state = CORE_HALT;
        return;
    }
    for (uint32_t i = 0; i < gateway->sessions_count; i++) {
        if (gateway->sessions[i].connected)
            gateway_send_end(gateway, &gateway->sessions[i]);
    }
    gateway->ends_sent++;
    gateway->next_end_tsc = gateway->now + gateway->heartbeat_tsc / 16;
}

// What control and the matching cores say that every answer is compared with.
static void read_limits(struct gateway *gateway)
{
    gateway->answer_limit_ns = atomic_load_explicit(&gateway->header->answer_limit_ns, memory_order_relaxed);
    for (uint32_t i = 0; i < gateway->cores_count; i++)
        gateway->cores[i].offset_ns =
            (uint64_t)atomic_load_explicit(&gateway->cores[i].port->offset_ns, memory_order_relaxed);
}

static void publish_counters(struct gateway *gateway)
{
    uint64_t *counters = gateway->counters;
    for (unsigned i = 0; i < DISCARD_COUNT; i++) {
        uint64_t count = gateway->tally.discards[i];
        counters[COUNT_GATEWAY_received] += count;
        counters[COUNT_GATEWAY_discarded] += count;
        counters[COUNT_GATEWAY_discard_first + i] += count;
        gateway->tally.discards[i] = 0;
    }
    counters[COUNT_GATEWAY_rx_frames] = gateway->tally.frames;
    counters[COUNT_GATEWAY_rx_bytes] = gateway->tally.bytes;
    counters[COUNT_GATEWAY_arp_echo] = gateway->tally.replies;
    counters[COUNT_GATEWAY_tx_frames] = gateway->sender.sent_frames;
    counters[COUNT_GATEWAY_tx_bytes] = gateway->sender.sent_bytes;
    counters[COUNT_GATEWAY_tx_dropped] = gateway->sender.dropped;
    for (unsigned i = 0; i < COUNT_GATEWAY_END; i++)
        atomic_store_explicit(&gateway->block->counters[i], counters[i], memory_order_relaxed);
    // Release: who sees the state sees what was pushed before it.
    atomic_store_explicit(&gateway->block->state, gateway->state, memory_order_release);
}

void gateway_housekeep(void *instance, uint64_t now)
{
    struct gateway *gateway = instance;
    gateway->now = now;
    read_limits(gateway);
    if (gateway->state == CORE_BOOT)
        become_running(gateway);
    if (!gateway->stopping && atomic_load_explicit(&gateway->header->stop, memory_order_relaxed)) {
        gateway->stopping = true;
        gateway->next_scan_tsc = 0;
    }
    if (gateway->state != CORE_HALT && now >= gateway->next_scan_tsc) {
        gateway->next_scan_tsc = now + gateway->heartbeat_tsc / SCANS_PER_HEARTBEAT;
        for (uint32_t i = 0; i < gateway->sessions_count; i++)
            scan_session(gateway, &gateway->sessions[i]);
    }
    if (gateway->stopping && gateway->state != CORE_HALT)
        stop(gateway);
    gateway_report_refused(gateway);
    gateway_publish_orders(gateway);
    sender_flush(&gateway->sender);
    publish_counters(gateway);
}
