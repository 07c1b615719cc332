// SPDX-License-Identifier: Apache-2.0
// What clients get: events encoded into their sessions' windows, sent from there, and sent again on request.
#include "contract/fault.h"
#include "contract/ouch_out.h"
#include "contract/session_name.h"
#include "cores/clock.h"
#include "cores/gateway.h"

#define EVENTS_PER_ROUND 256
#define FETCH_MESSAGES_MAX 64 // what one datagram holds, roughly: no more is asked of control at once

static void send_sequenced(struct gateway *gateway, struct session *session, uint64_t first, uint32_t count,
                           const uint8_t *body, uint32_t bytes)
{
    uint8_t *packet = sender_begin(&gateway->sender);
    if (!packet)
        return;
    packet[0] = 'S';
    put_be32(packet + 1, (uint32_t)first);
    put_be16(packet + 5, (uint16_t)count);
    memcpy(packet + UFO_SEQUENCED_HEADER, body, bytes);
    sender_end(&gateway->sender, &session->peer, gateway->udp_port, UFO_SEQUENCED_HEADER + bytes);
}

static void send_pack(struct gateway *gateway, struct session *session)
{
    send_sequenced(gateway, session, session->pack_first, session->pack_count, session->pack_at, session->pack_bytes);
    session->sent_tsc = gateway->now;
    session->pack_count = 0;
}

// The message of `bytes` that stands behind its length at `at`, which window_reserve gave, is the stream's next.
static inline void take_in(struct gateway *gateway, struct session *session, uint8_t *at, uint32_t bytes, bool replayed)
{
    put_be16(at, (uint16_t)bytes);
    bytes += 2;
    window_commit(&session->window, bytes);
    if (replayed)
        return;
    gateway->counters[COUNT_GATEWAY_sent_messages]++;
    if (!session->connected)
        return;
    if (session->pack_count &&
        (at != session->pack_at + session->pack_bytes || session->pack_bytes + bytes > UFO_BODY_MAX)) {
        send_pack(gateway, session);
        session->pack_bytes = 0;
    } else if (session->pack_count == 0) {
        gateway->dirty[gateway->dirty_count++] = session->row;
        session->pack_bytes = 0;
    }
    if (session->pack_count++ == 0) {
        session->pack_at = at;
        session->pack_first = session->window.next - 1;
    }
    session->pack_bytes += bytes;
}

static inline void append(struct gateway *gateway, struct session *session, const struct event *event,
                          enum ouch_party party)
{
    uint8_t *at = window_reserve(&session->window);
    uint32_t bytes = (uint32_t)ouch_out_encode(event, party, at + 2);
    if (bytes)
        take_in(gateway, session, at, bytes, event->flags & EV_REPLAYED);
}

// ---- drop copies, where this gateway has some -----------------------------------------------------------------------

static __attribute__((noinline)) void copy_one(struct gateway *gateway, uint16_t index, const struct event *event,
                                               enum ouch_party party)
{
    uint8_t message[STREAM_MESSAGE_MAX];
    if (index >= gateway->copied_count)
        return;
    struct copied *copied = &gateway->copied[index];
    const uint32_t first = gateway->copies.first[index], end = gateway->copies.first[index + 1];
    const uint32_t bytes = first == end ? 0 : (uint32_t)ouch_out_encode(event, party, message + DROP_COPY_HEADER);
    if (bytes == 0)
        return;
    drop_copy_head(message, copied->names, ++copied->told);
    for (uint32_t i = first; i < end; i++) {
        struct session *copy = gateway->by_index[gateway->copies.streams[i]];
        if (session_is_used_up(copy)) { // its stream ends here: nobody could ask for more
            gateway->counters[COUNT_GATEWAY_copies_lost]++;
            continue;
        }
        uint8_t *at = window_reserve(&copy->window);
        memcpy(at + 2, message, DROP_COPY_HEADER + bytes);
        take_in(gateway, copy, at, DROP_COPY_HEADER + bytes, event->flags & EV_REPLAYED);
    }
}

static __attribute__((noinline)) void copy_to_all(struct gateway *gateway, uint32_t matcher, const struct event *event)
{
    for (uint32_t i = 0; i < gateway->copied_count; i++) {
        if (gateway->copied[i].matcher == matcher)
            copy_one(gateway, (uint16_t)i, event, OUCH_TAKER);
    }
}

static struct session *session_of(const struct gateway *gateway, uint16_t index)
{
    return index < gateway->by_index_count ? gateway->by_index[index] : NULL;
}

// The matching core begins again: its sessions have been told nothing.
static void forget_core(struct gateway *gateway, uint32_t matcher)
{
    gateway->cores[matcher].date = 0;
    gateway->cores[matcher].ended = false;
    for (uint32_t i = 0; i < gateway->sessions_count; i++) {
        if (gateway->sessions[i].matcher == matcher)
            window_restart(&gateway->sessions[i].window, 1);
    }
    for (uint32_t i = 0; i < gateway->copied_count; i++) {
        if (gateway->copied[i].matcher == matcher)
            gateway->copied[i].told = 0;
    }
}

static void take_event(struct gateway *gateway, uint32_t matcher, const struct event *event)
{
    struct session *session;
    switch (event->type) {
    case EV_DAY_OPEN:
        gateway->cores[matcher].date = event->quantity;
        break;
    case EV_DAY_END:
        gateway->cores[matcher].ended = true;
        gateway->next_scan_tsc = 0; // say so at once
        break;
    case EV_RESTORE_STREAM:
        if ((session = session_of(gateway, event->session)) != NULL)
            window_restart(&session->window, session->copy && event->ref > SESSION_MESSAGES_MOST + 1
                                                 ? SESSION_MESSAGES_MOST + 1
                                                 : event->ref);
        if (event->session < gateway->copied_count)
            gateway->copied[event->session].told = FAULT(copy_numbers_again) ? 0 : (uint32_t)(event->ref - 1);
        break;
    case EV_RESTORE_NOTHING:
        forget_core(gateway, matcher);
        break;
    case EV_SYSTEM:
        if (event->flags & EV_MD_ANY)
            break; // an ITCH code
        for (uint32_t i = 0; i < gateway->sessions_count; i++) {
            if (gateway->sessions[i].matcher == matcher && !gateway->sessions[i].copy)
                append(gateway, &gateway->sessions[i], event, OUCH_TAKER);
        }
        copy_to_all(gateway, matcher, event);
        break;
    default:
        if ((session = session_of(gateway, event->session)) != NULL) {
            append(gateway, session, event, OUCH_TAKER);
            session->rejected += event->type == EV_REJECTED && !(event->flags & EV_REPLAYED);
        }
        if (event->type == EV_TRADE && !FAULT(maker_not_told) &&
            (session = session_of(gateway, event->other_session)) != NULL)
            append(gateway, session, event, OUCH_MAKER);
        if (__builtin_expect(gateway->copied != NULL, 0)) {
            copy_one(gateway, event->session, event, OUCH_TAKER);
            if (event->type == EV_TRADE && !FAULT(copy_without_maker))
                copy_one(gateway, event->other_session, event, OUCH_MAKER);
        }
        break;
    }
}

// Whether the answer leaves later after its command's time than is allowed; history is never late.
static bool is_late(const struct event *event, uint64_t now_ns, uint64_t limit_ns)
{
    return (int64_t)(now_ns - event->time_ns) > (int64_t)limit_ns && !(event->flags & EV_REPLAYED);
}

unsigned gateway_take_events(struct gateway *gateway)
{
    unsigned total = 0;
    const uint64_t limit_ns = gateway->answer_limit_ns ? gateway->answer_limit_ns : INT64_MAX;
    for (uint32_t matcher = 0; matcher < gateway->cores_count; matcher++) {
        struct gateway_core *core = &gateway->cores[matcher];
        const struct event *event = reader_peek(&core->events, 0);
        if (!event)
            continue;
        // Acquire pairs with the release of the journal's owner: what may leave is on disk.
        uint64_t durable = atomic_load_explicit(&core->port->durable_seq, memory_order_acquire);
        const uint64_t now_ns = tsc_ns(gateway->now, gateway->tsc_factor) + core->offset_ns;
        unsigned count = 0, late = 0;
        while (count < EVENTS_PER_ROUND && gateway_released(event, durable)) {
            late += is_late(event, now_ns, limit_ns);
            __builtin_prefetch(event + 2);
            take_event(gateway, matcher, event);
            event = reader_peek(&core->events, ++count);
        }
        if (count)
            reader_release(&core->events, count);
        total += count;
        gateway->counters[COUNT_GATEWAY_late] += late;
    }
    for (uint32_t i = 0; i < gateway->dirty_count; i++) {
        struct session *session = &gateway->sessions[gateway->dirty[i]];
        if (session->pack_count)
            send_pack(gateway, session);
    }
    gateway->dirty_count = 0;
    gateway->counters[COUNT_GATEWAY_events] += total;
    return total;
}

// ---- retransmission -------------------------------------------------------------------------------------------------

static void fetch(struct gateway *gateway, struct session *session, uint32_t first, uint32_t count)
{
    struct gateway_request *request = NULL;
    if (!gateway_awaits(gateway, &session->fetch, gateway->fetch_retry_tsc))
        request = gateway_ask(gateway, session, REQUEST_MESSAGES, &session->fetch);
    if (!request) {
        gateway->counters[COUNT_GATEWAY_retransmit_unanswered]++; // asked already, or control is away
        return;
    }
    request->first = first;
    request->count = (uint16_t)count;
    ring_publish(gateway->requests, 1);
    gateway->counters[COUNT_GATEWAY_retransmit_old]++;
}

void gateway_retransmit(struct gateway *gateway, struct session *session, uint32_t first, uint32_t count)
{
    struct window *window = &session->window;
    if (count == 0 || first == 0 || first >= window->next) {
        gateway->counters[COUNT_GATEWAY_retransmit_unanswered]++;
        return;
    }
    if (first < window->first) {
        uint64_t older = window->first - first;
        if (count > older)
            count = (uint32_t)older;
        fetch(gateway, session, first, count < FETCH_MESSAGES_MAX ? count : FETCH_MESSAGES_MAX);
        return;
    }
    struct window_run run = window_find(window, first + FAULT(retransmission_shifted), count, UFO_BODY_MAX);
    send_sequenced(gateway, session, first, run.count, run.at, run.bytes);
    gateway->counters[COUNT_GATEWAY_retransmitted] += run.count;
}

void gateway_take_message(struct gateway *gateway, const struct gateway_reply *reply)
{
    struct gateway_fetch *fetch = &gateway->fetch;
    struct session *session = session_of(gateway, reply->session);
    if (!session || session->fetch.id != reply->id)
        return; // asked again since, or logged off
    if (reply->length == 0 || reply->length > REPLY_BYTES) {
        session->fetch.id = 0;
        gateway->counters[COUNT_GATEWAY_retransmit_unanswered]++;
        return;
    }
    if (fetch->id != reply->id) {
        fetch->id = reply->id;
        fetch->first = reply->sequence;
        fetch->count = fetch->bytes = 0;
        fetch->full = false;
    }
    if (fetch->bytes + 2u + reply->length > UFO_BODY_MAX || reply->sequence != fetch->first + fetch->count)
        fetch->full = true;
    if (!fetch->full) {
        put_be16(fetch->body + fetch->bytes, reply->length);
        memcpy(fetch->body + fetch->bytes + 2, reply->message, reply->length);
        fetch->bytes += 2u + reply->length;
        fetch->count++;
    }
    if (reply->verdict == 0) { // no cell follows
        session->fetch.id = 0;
        if (session->connected)
            send_sequenced(gateway, session, fetch->first, fetch->count, fetch->body, fetch->bytes);
    }
}

// ---- small packets --------------------------------------------------------------------------------------------------

void gateway_send_accept(struct gateway *gateway, struct session *session)
{
    uint8_t *packet = sender_begin(&gateway->sender);
    if (!packet)
        return;
    char name[UFO_SESSION];
    session_name(gateway->cores[session->matcher].date, session->matcher, name);
    packet[0] = 'A';
    memcpy(packet + 1, name, sizeof name);
    put_be32(packet + 11, (uint32_t)session->window.next);
    sender_end(&gateway->sender, &session->peer, gateway->udp_port, UFO_LOGIN_ACCEPT_SIZE);
    session->sent_tsc = gateway->now;
    gateway->counters[COUNT_GATEWAY_logins_accepted]++;
}

void gateway_send_reject(struct gateway *gateway, const struct peer *to, char reason)
{
    uint8_t *packet = sender_begin(&gateway->sender);
    if (!packet)
        return;
    packet[0] = 'J';
    packet[1] = (uint8_t)reason;
    sender_end(&gateway->sender, to, gateway->udp_port, UFO_LOGIN_REJECT_SIZE);
    gateway->counters[COUNT_GATEWAY_logins_rejected]++;
}

void gateway_send_heartbeat(struct gateway *gateway, struct session *session)
{
    uint64_t next = session->window.next;
    const struct ring_reader *events = &gateway->cores[session->matcher].events;
    const struct event *event;
    for (uint64_t i = 0; FAULT(heartbeat_unreleased) && (event = reader_peek(events, i)) != NULL; i++)
        next += event->session == session->index;
    send_sequenced(gateway, session, next, 0, session->window.bytes, 0);
    session->sent_tsc = gateway->now;
}

void gateway_send_end(struct gateway *gateway, struct session *session)
{
    uint8_t *packet = sender_begin(&gateway->sender);
    if (!packet)
        return;
    packet[0] = 'E';
    put_be32(packet + 1, (uint32_t)(session->window.next - 1));
    sender_end(&gateway->sender, &session->peer, gateway->udp_port, UFO_END_SIZE);
    session->sent_tsc = gateway->now;
}
