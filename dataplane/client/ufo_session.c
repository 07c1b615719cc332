// SPDX-License-Identifier: Apache-2.0
// Rules: UFO 1.0. A login accepted for another session name than before is another day: its stream starts at 1.
#include "client/ufo_session.h"

#include <stdlib.h>
#include <string.h>

#include "client/stream.h"
#include "contract/assert.h"
#include "contract/ufo.h"
#include "contract/wire.h"

#define REQUEST_MOST 65535 // the count field of a retransmission request

struct xw_session {
    struct xw_session_config config;
    struct xw_session_stats stats;
    enum xw_session_state state;
    char user[UFO_USER], password[UFO_PASSWORD], wanted[UFO_SESSION]; // as on the wire
    char name[UFO_SESSION + 1];
    char refusal;
    bool ending; // E was seen, the stream is not complete yet
    bool logoff_due;
    uint64_t login_at; // the next login is due
    uint64_t heard_ns, sent_ns;
    size_t queued;
    uint8_t queue[XW_DATAGRAM_MAX];
    struct stream stream;
};

static void pad(char *to, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    xw_assert(length <= size);
    memset(to, ' ', size);
    if (length > 0)
        memcpy(to, text, length);
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

struct xw_session *xw_session_open(const struct xw_session_config *config)
{
    xw_assert(config->on_message != NULL);
    struct xw_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->config = *config;
    session->config.login_ns = or_default(config->login_ns, 1000000000);
    session->config.heartbeat_ns = or_default(config->heartbeat_ns, 1000000000);
    session->config.timeout_ns = or_default(config->timeout_ns, UINT64_C(10000000000));
    session->config.retransmit_ns = or_default(config->retransmit_ns, 250000000);
    pad(session->user, sizeof session->user, config->user);
    pad(session->password, sizeof session->password, config->password);
    pad(session->wanted, sizeof session->wanted, config->session);
    session->stream.on_message = config->on_message;
    session->stream.context = config->context;
    stream_restart(&session->stream, or_default(config->next_sequence, 1));
    return session;
}

void xw_session_close(struct xw_session *session)
{
    free(session);
}

static void enter(struct xw_session *session, enum xw_session_state state)
{
    if (session->state == state)
        return;
    session->state = state;
    if (session->config.on_state != NULL)
        session->config.on_state(session->config.context, state);
}

static void start_login(struct xw_session *session, uint64_t at_ns)
{
    session->queued = 0; // what was not sent is lost: OUCH's user resends
    session->logoff_due = false;
    session->ending = false;
    session->refusal = 0;
    session->login_at = at_ns;
    enter(session, XW_SESSION_LOGIN);
}

void xw_session_login(struct xw_session *session)
{
    start_login(session, 0);
}

void xw_session_logoff(struct xw_session *session)
{
    session->logoff_due = session->state == XW_SESSION_ON || session->state == XW_SESSION_ENDED;
    enter(session, XW_SESSION_OFF);
}

static uint8_t *append_block(struct xw_session *session, size_t size)
{
    uint8_t *block = session->queue + session->queued;
    put_be16(block, (uint16_t)size);
    session->queued += 2 + size;
    return block + 2;
}

static bool has_room(const struct xw_session *session, size_t size)
{
    return session->queued + 2 + size <= sizeof session->queue;
}

bool xw_session_send(struct xw_session *session, const uint8_t *message, size_t size)
{
    xw_assert(size <= XW_DATAGRAM_MAX - 3);
    if (session->state != XW_SESSION_ON || !has_room(session, 1 + size))
        return false;
    uint8_t *block = append_block(session, 1 + size);
    block[0] = 'U';
    memcpy(block + 1, message, size);
    return true;
}

static void append_login(struct xw_session *session)
{
    uint8_t *block = append_block(session, UFO_LOGIN_SIZE);
    block[0] = 'L';
    memcpy(block + 1, session->user, UFO_USER);
    memcpy(block + 7, session->password, UFO_PASSWORD);
    memcpy(block + 17, session->wanted, UFO_SESSION);
}

static void append_request(struct xw_session *session, uint64_t now_ns)
{
    uint64_t first, count;
    if (!has_room(session, UFO_RETRANSMIT_SIZE) ||
        !stream_ask(&session->stream, now_ns, session->config.retransmit_ns, REQUEST_MOST, &first, &count))
        return;
    uint8_t *block = append_block(session, UFO_RETRANSMIT_SIZE);
    block[0] = 'T';
    put_be32(block + 1, (uint32_t)first);
    put_be16(block + 5, (uint16_t)count);
}

static void run_timers(struct xw_session *session, uint64_t now_ns)
{
    if (session->state == XW_SESSION_ON && now_ns >= session->heard_ns + session->config.timeout_ns) {
        session->stats.timeouts++;
        start_login(session, now_ns);
    }
    if (session->state == XW_SESSION_ON) {
        append_request(session, now_ns);
        if (session->queued == 0 && now_ns >= session->sent_ns + session->config.heartbeat_ns)
            *append_block(session, UFO_HEARTBEAT_SIZE) = 'R';
    } else if (session->state == XW_SESSION_LOGIN && now_ns >= session->login_at) {
        append_login(session);
        session->login_at = now_ns + session->config.login_ns;
    } else if (session->logoff_due && session->queued == 0) {
        *append_block(session, UFO_LOGOFF_SIZE) = 'O';
        session->logoff_due = false;
    }
}

// Brings the stream's counters into the session's.
static void count_stream(struct xw_session *session)
{
    session->stats.messages = session->stream.messages;
    session->stats.duplicates = session->stream.duplicates;
    session->stats.gaps = session->stream.gaps;
    session->stats.requests = session->stream.requests;
    session->stats.early_dropped = session->stream.early_dropped;
}

size_t xw_session_poll(struct xw_session *session, uint64_t now_ns, uint8_t *out)
{
    run_timers(session, now_ns);
    size_t size = session->queued;
    if (size == 0)
        return 0;
    memcpy(out, session->queue, size);
    session->queued = 0;
    session->sent_ns = now_ns;
    session->stats.datagrams_out++;
    count_stream(session);
    return size;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t xw_session_deadline(const struct xw_session *session)
{
    if (session->queued > 0 || session->logoff_due)
        return 0;
    if (session->state == XW_SESSION_LOGIN)
        return session->login_at;
    if (session->state != XW_SESSION_ON)
        return UINT64_MAX;
    uint64_t at =
        earlier(session->heard_ns + session->config.timeout_ns, session->sent_ns + session->config.heartbeat_ns);
    return earlier(at, stream_ask_at(&session->stream, session->config.retransmit_ns));
}

static void accept_login(struct xw_session *session, uint64_t now_ns, const uint8_t *packet)
{
    if (session->state != XW_SESSION_LOGIN)
        return; // the answer to a login that was sent twice
    uint64_t next = get_be32(packet + 11);
    bool known = session->name[0] != '\0';
    bool same = memcmp(session->name, packet + 1, UFO_SESSION) == 0;
    memcpy(session->name, packet + 1, UFO_SESSION);
    if (!known && session->config.from_now)
        stream_restart(&session->stream, next);
    if (known && !same)
        stream_restart(&session->stream, 1);
    if (next < session->stream.end)
        session->stats.went_back++;
    session->stream.asked_first = 0; // the venue may have restarted: what was asked for may never come
    stream_know(&session->stream, next);
    session->stats.logins++;
    session->sent_ns = now_ns;
    enter(session, XW_SESSION_ON);
}

static void reject_login(struct xw_session *session, char reason)
{
    static const char blank[UFO_SESSION] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    if (session->state != XW_SESSION_LOGIN)
        return;
    if (reason == 'S' && memcmp(session->wanted, blank, sizeof blank) != 0) {
        memcpy(session->wanted, blank, sizeof blank); // as UFO asks of a client whose session is gone
        session->login_at = 0;
        return;
    }
    session->refusal = reason;
    enter(session, XW_SESSION_REFUSED);
}

static bool take_sequenced(struct xw_session *session, const uint8_t *packet, size_t size)
{
    if (size < UFO_SEQUENCED_HEADER)
        return false;
    uint64_t first = get_be32(packet + 1);
    unsigned count = get_be16(packet + 5);
    const uint8_t *blocks = packet + UFO_SEQUENCED_HEADER;
    if (first == 0 || !stream_blocks_fit(blocks, size - UFO_SEQUENCED_HEADER, count))
        return false;
    if (session->state != XW_SESSION_ON)
        return true; // of which session is not said: only a login accepted tells
    if (count == 0)
        stream_know(&session->stream, first);
    else
        stream_take(&session->stream, first, count, blocks, size - UFO_SEQUENCED_HEADER);
    return true;
}

static void finish_when_complete(struct xw_session *session, uint64_t now_ns)
{
    if (!session->ending || session->state != XW_SESSION_ON || stream_missing(&session->stream) > 0)
        return;
    session->ending = false;
    if (session->config.relogin_after_end)
        start_login(session, now_ns + session->config.login_ns);
    else
        enter(session, XW_SESSION_ENDED);
}

static bool take_packet(struct xw_session *session, uint64_t now_ns, const uint8_t *packet, size_t size)
{
    switch (size > 0 ? packet[0] : 0) {
    case 'S':
        return take_sequenced(session, packet, size);
    case 'A':
        if (size != UFO_LOGIN_ACCEPT_SIZE || get_be32(packet + 11) == 0)
            return false;
        accept_login(session, now_ns, packet);
        return true;
    case 'J':
        if (size != UFO_LOGIN_REJECT_SIZE)
            return false;
        reject_login(session, (char)packet[1]);
        return true;
    case 'E':
        if (size != UFO_END_SIZE)
            return false;
        if (session->state == XW_SESSION_ON) {
            stream_know(&session->stream, (uint64_t)get_be32(packet + 1) + 1);
            session->ending = true;
        }
        return true;
    default:
        return false;
    }
}

void xw_session_receive(struct xw_session *session, uint64_t now_ns, const uint8_t *datagram, size_t size)
{
    session->stats.datagrams_in++;
    if (!take_packet(session, now_ns, datagram, size)) {
        session->stats.malformed++;
        return;
    }
    session->heard_ns = now_ns;
    count_stream(session);
    finish_when_complete(session, now_ns);
}

enum xw_session_state xw_session_state(const struct xw_session *session)
{
    return session->state;
}

uint64_t xw_session_next_sequence(const struct xw_session *session)
{
    return session->stream.expected;
}

uint64_t xw_session_missing(const struct xw_session *session)
{
    return stream_missing(&session->stream);
}

const char *xw_session_name(const struct xw_session *session)
{
    return session->name;
}

char xw_session_refusal(const struct xw_session *session)
{
    return session->refusal;
}

const struct xw_session_stats *xw_session_stats(const struct xw_session *session)
{
    return &session->stats;
}
