// SPDX-License-Identifier: Apache-2.0
// Sessions come and go: login, take-over, logoff. UFO 1.0 names no take-over: a login that is verified from a new
// address moves the session there, so that a client that crashed need not wait for its own time-out.
#include <sodium.h>

#include "cores/gateway.h"

#include "contract/session_name.h"

#define LINKS_PER_LOGIN 2 // a DOWN that is owed or that a take-over makes, and the UP
#define REFUSALS_MOST 64  // a second, of logins that nobody verifies

static bool push_link(struct gateway *gateway, const struct session *session, enum command_type type, uint8_t reason)
{
    struct ring_writer *orders = &gateway->cores[session->matcher].orders;
    if (orders->room == 0 && writer_look(orders) == 0)
        return false;
    struct command *command = writer_slot(orders);
    memset((char *)command + sizeof command->seq, 0, sizeof *command - sizeof command->seq);
    command->type = (uint8_t)type;
    command->session = session->index;
    command->link.down_reason = reason;
    writer_fill(orders);
    return true;
}

bool gateway_push_down(struct gateway *gateway, struct session *session, enum down_reason reason)
{
    if (!session->up && !session->down_owed)
        return true;
    if (session->down_owed)
        reason = (enum down_reason)session->down_owed; // what happened first stands
    session->up = false;
    session->down_owed = (uint8_t)reason;
    if (!push_link(gateway, session, CMD_SESSION_DOWN, (uint8_t)reason))
        return false;
    session->down_owed = 0;
    return true;
}

static void unbind(struct gateway *gateway, struct session *session)
{
    if (!session->connected)
        return;
    source_remove(&gateway->sources, session->source);
    session->connected = false;
    session->source = 0;
    session->pack_count = 0;
    session->fetch.id = 0;
    gateway->counters[COUNT_GATEWAY_sessions_up]--;
}

void gateway_disconnect(struct gateway *gateway, struct session *session, enum down_reason reason)
{
    unbind(gateway, session);
    gateway_push_down(gateway, session, reason);
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
    return a->ip == b->ip && a->port == b->port;
}

static void bind_source(struct gateway *gateway, struct session *session, const struct peer *peer)
{
    uint64_t key = source_key(peer->ip, peer->port);
    uint32_t row = source_find(&gateway->sources, key);
    if (row != SOURCE_NONE) // a connection belongs to one session
        gateway_disconnect(gateway, &gateway->sessions[row], DOWN_LOGOFF);
    source_add(&gateway->sources, key, session->row);
    session->source = key;
    session->peer = *peer;
    session->connected = true;
    session->pack_count = 0;
    session->heard_tsc = gateway->now;
    gateway->counters[COUNT_GATEWAY_sessions_up]++;
}

static bool room_for_login(struct gateway *gateway, const struct session *session)
{
    return writer_look(&gateway->cores[session->matcher].orders) >= LINKS_PER_LOGIN;
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ')
            return false;
    }
    return true;
}

// A login that control is not asked about is refused.
static void note_refused(struct gateway *gateway, enum login_why why, const struct session *session,
                         const char user[UFO_USER], const struct peer *from)
{
    struct refused *refused = &gateway->refused[why];
    refused->count++;
    refused->ip = from->ip;
    refused->port = from->port;
    refused->session = session ? session->index : SESSION_NONE;
    memcpy(refused->user, user, UFO_USER);
}

void gateway_report_refused(struct gateway *gateway)
{
    if (gateway->refused_tsc && gateway->now - gateway->refused_tsc < gateway->refusals_tsc)
        return;
    for (unsigned why = LOGIN_WHY_USER; why < LOGIN_WHYS; why++) {
        struct refused *refused = &gateway->refused[why];
        const uint32_t half = gateway->requests->depth / 2;
        if (refused->count == 0 || ring_room(gateway->requests, half) < half)
            continue;
        struct gateway_request *request = ring_slot(gateway->requests, 0);
        memset((char *)request + sizeof request->word, 0, sizeof *request - sizeof request->word);
        request->kind = REPORT_REFUSED;
        request->session = refused->session;
        request->count = refused->count < UINT16_MAX ? (uint16_t)refused->count : UINT16_MAX;
        request->first = why;
        request->source_ip = refused->ip;
        request->source_port = refused->port;
        memcpy(request->user, refused->user, UFO_USER);
        ring_publish(gateway->requests, 1);
        refused->count -= request->count;
        gateway->refused_tsc = gateway->now;
    }
}

// The password was right: answers, and brings the session up where it is not. Without room towards the matching core
// the login stays unanswered, and the client repeats it.
static void admit(struct gateway *gateway, struct session *session, const struct peer *peer,
                  const char requested[UFO_SESSION])
{
    struct gateway_core *core = &gateway->cores[session->matcher];
    char name[UFO_SESSION];
    session_name(core->date, session->matcher, name);
    if (!is_blank(requested, UFO_SESSION) && memcmp(requested, name, UFO_SESSION) != 0) {
        note_refused(gateway, LOGIN_WHY_SESSION, session, session->user, peer);
        gateway_send_reject(gateway, peer, 'S');
        return;
    }
    if (!session->connected || !same_peer(&session->peer, peer)) {
        if (!session->copy && !room_for_login(gateway, session))
            return;
        unbind(gateway, session);
        if (!gateway_push_down(gateway, session, DOWN_RELOGIN))
            return;
        bind_source(gateway, session, peer);
    }
    if (!session->up && !session->copy && !session_is_used_up(session)) {
        if (!push_link(gateway, session, CMD_SESSION_UP, 0))
            return;
        session->up = true;
    }
    session->choked = false; // who logs in looks at where his session stands
    memcpy(session->peer.mac, peer->mac, sizeof peer->mac);
    gateway_send_accept(gateway, session);
}

static void to_upper(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
    }
}

static void make_digest(const struct gateway *gateway, const char user[UFO_USER], const char password[UFO_PASSWORD],
                        uint8_t digest[LOGIN_DIGEST])
{
    uint8_t text[UFO_USER + UFO_PASSWORD];
    memcpy(text, user, UFO_USER);
    memcpy(text + UFO_USER, password, UFO_PASSWORD);
    crypto_generichash(digest, LOGIN_DIGEST, text, sizeof text, gateway->digest_key, sizeof gateway->digest_key);
    sodium_memzero(text, sizeof text);
}

bool gateway_awaits(const struct gateway *gateway, const struct question *question, uint64_t retry_tsc)
{
    if (question->id == 0)
        return false;
    return atomic_load_explicit(&gateway->requests->consumed, memory_order_relaxed) <= question->at ||
           gateway->now - question->tsc < retry_tsc;
}

struct gateway_request *gateway_ask(struct gateway *gateway, const struct session *session,
                                    enum gateway_request_kind kind, struct question *question)
{
    if (ring_room(gateway->requests, 1) == 0)
        return NULL;
    struct gateway_request *request = ring_slot(gateway->requests, 0);
    memset((char *)request + sizeof request->word, 0, sizeof *request - sizeof request->word);
    request->id = ++gateway->next_id;
    request->kind = kind;
    request->session = session->index;
    *question = (struct question){
        .id = request->id,
        .at = atomic_load_explicit(&gateway->requests->produced, memory_order_relaxed),
        .tsc = gateway->now,
    };
    return request;
}

static void ask_to_verify(struct gateway *gateway, struct session *session, const struct packet *packet,
                          const char password[UFO_PASSWORD], const uint8_t *digest, const char *requested)
{
    if (gateway_awaits(gateway, &session->login, gateway->retry_tsc)) {
        // One at a time. The same password from elsewhere has the same verdict: a client that is back on another port.
        if (sodium_memcmp(digest, session->pending_digest, LOGIN_DIGEST) == 0) {
            session->pending_peer = packet->from;
            memcpy(session->pending_session, requested, UFO_SESSION);
        }
        return;
    }
    struct gateway_request *request = gateway_ask(gateway, session, REQUEST_LOGIN, &session->login);
    if (!request)
        return;
    request->source_ip = packet->from.ip;
    request->source_port = packet->from.port;
    memcpy(request->user, session->user, UFO_USER);
    memcpy(request->password, password, UFO_PASSWORD);
    ring_publish(gateway->requests, 1);
    session->pending_peer = packet->from;
    memcpy(session->pending_digest, digest, LOGIN_DIGEST);
    memcpy(session->pending_session, requested, UFO_SESSION);
}

static struct session *find_user(const struct gateway *gateway, const char user[UFO_USER])
{
    for (uint32_t i = 0; i < gateway->sessions_count; i++) {
        if (memcmp(gateway->sessions[i].user, user, UFO_USER) == 0)
            return &gateway->sessions[i];
    }
    return NULL;
}

static bool is_open(const struct gateway *gateway, const struct gateway_core *core)
{
    if (gateway->state != CORE_RUN || gateway->stopping || core->date == 0)
        return false;
    // Acquire pairs with the matching core's release: the day is open only after its first events were pushed.
    return core->ended || atomic_load_explicit(&core->port->day_open, memory_order_acquire) != 0;
}

// Whether one more login may be refused that no verification stands before. Source addresses cost a sender nothing, so
// all share one allowance: no flood makes the gateway send much, and logins of known users are not touched by it.
static bool may_refuse(struct gateway *gateway)
{
    if (gateway->now - gateway->refusals_since >= gateway->refusals_tsc) {
        gateway->refusals_since = gateway->now;
        gateway->refusals = 0;
    }
    return gateway->refusals++ < REFUSALS_MOST;
}

void gateway_login(struct gateway *gateway, const struct packet *packet, const uint8_t *message)
{
    char user[UFO_USER], password[UFO_PASSWORD], requested[UFO_SESSION];
    uint8_t digest[LOGIN_DIGEST];
    memcpy(user, message + 1, sizeof user);
    memcpy(password, message + 7, sizeof password);
    memcpy(requested, message + 17, sizeof requested);
    to_upper(user, sizeof user);
    to_upper(password, sizeof password);
    to_upper(requested, sizeof requested);
    struct session *session = find_user(gateway, user);
    if (gateway->state != CORE_RUN || gateway->stopping ||
        (session && !is_open(gateway, &gateway->cores[session->matcher]))) {
        gateway_discard(gateway, DISCARD_NOT_OPEN);
        return;
    }
    if (!session || gateway->cores[session->matcher].ended)
        note_refused(gateway, session ? LOGIN_WHY_ENDED : LOGIN_WHY_USER, session, user, &packet->from);
    if ((!session || gateway->cores[session->matcher].ended) && !may_refuse(gateway)) {
        gateway_discard(gateway, DISCARD_LOGIN_RATE);
        return;
    }
    gateway->counters[COUNT_GATEWAY_session_messages]++;
    if (!session) {
        gateway_send_reject(gateway, &packet->from, 'A');
    } else if (gateway->cores[session->matcher].ended) {
        gateway_send_reject(gateway, &packet->from, 'S');
    } else {
        make_digest(gateway, user, password, digest);
        if (session->has_digest && sodium_memcmp(digest, session->digest, LOGIN_DIGEST) == 0)
            admit(gateway, session, &packet->from, requested);
        else
            ask_to_verify(gateway, session, packet, password, digest, requested);
    }
    sodium_memzero(password, sizeof password);
}

static void take_verdict(struct gateway *gateway, const struct gateway_reply *reply)
{
    struct session *session = reply->session < gateway->by_index_count ? gateway->by_index[reply->session] : NULL;
    if (!session || session->login.id == 0 || session->login.id != reply->id)
        return; // of an earlier control, or asked again since
    session->login.id = 0;
    const struct gateway_core *core = &gateway->cores[session->matcher];
    switch (reply->verdict) {
    case LOGIN_RIGHT:
        memcpy(session->digest, session->pending_digest, LOGIN_DIGEST);
        session->has_digest = true;
        if (core->ended)
            gateway_send_reject(gateway, &session->pending_peer, 'S');
        else if (is_open(gateway, core))
            admit(gateway, session, &session->pending_peer, session->pending_session);
        break;
    case LOGIN_LIMITED: // not handled after all: it moves to where discarded messages are counted
        gateway->counters[COUNT_GATEWAY_session_messages]--;
        gateway_discard(gateway, DISCARD_LOGIN_RATE);
        break;
    default:
        gateway_send_reject(gateway, &session->pending_peer, 'A');
        break;
    }
}

unsigned gateway_take_replies(struct gateway *gateway)
{
    unsigned count = 0;
    const struct gateway_reply *reply;
    while (count < 64 && (reply = ring_peek(gateway->replies, 0)) != NULL) {
        if (reply->kind == REQUEST_LOGIN)
            take_verdict(gateway, reply);
        else if (reply->kind == REQUEST_MESSAGES)
            gateway_take_message(gateway, reply);
        else if (reply->kind == REPLY_FORGET && reply->session < gateway->by_index_count &&
                 gateway->by_index[reply->session])
            gateway->by_index[reply->session]->has_digest = false;
        ring_release(gateway->replies, 1);
        count++;
    }
    return count;
}
