// SPDX-License-Identifier: Apache-2.0
// The client's end of a UFO 1.0 session, without a transport: datagrams and the time go in, messages and datagrams come
// out.
//
//            xw_session_login             A                       hears nothing for timeout_ns
//   OFF -----------------------> LOGIN -------> ON --------------------------------------------> LOGIN
//    ^                           ^   | J         | xw_session_logoff: OFF
//    |                           |   v           | E, once all of the stream is here: ENDED
//    +---- xw_session_logoff   REFUSED           |        (or LOGIN again, with relogin_after_end)
//
// The stream's next expected sequence survives every login: each message is delivered exactly once, in order. What is
// missing is asked for again, at once, and again after retransmit_ns. What arrives early is kept (up to
// XW_EARLY_PACKETS packets).
#ifndef CROSSWIRE_CLIENT_UFO_SESSION_H
#define CROSSWIRE_CLIENT_UFO_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XW_DATAGRAM_MAX 1472
#define XW_EARLY_PACKETS 64

enum xw_session_state { XW_SESSION_OFF, XW_SESSION_LOGIN, XW_SESSION_ON, XW_SESSION_REFUSED, XW_SESSION_ENDED };

// Times left 0 get the value in brackets. Texts are copied.
struct xw_session_config {
    const char *user;       // up to 6 characters
    const char *password;   // up to 10
    const char *session;    // up to 10; NULL or "": the current one
    uint64_t next_sequence; // first message wanted [1]
    bool from_now;          // begin with what follows the first login: the stream before it is never asked for
    uint64_t login_ns;      // repeats an unanswered login [1 s]
    uint64_t heartbeat_ns;  // longest silence of ours [1 s]
    uint64_t timeout_ns;    // longest silence of the venue's [10 s]
    uint64_t retransmit_ns; // repeats an unanswered retransmission request [250 ms]
    bool relogin_after_end; // an end of session is a restart: log in again
    void *context;          // of the calls below
    // One message of the stream, in order; it lies in the library's memory until the call returns.
    void (*on_message)(void *context, uint64_t sequence, const uint8_t *message, size_t size);
    // The state has changed (may be NULL). Not to be answered with calls that change it again.
    void (*on_state)(void *context, enum xw_session_state state);
};

struct xw_session_stats {
    uint64_t datagrams_in, datagrams_out, malformed;
    uint64_t messages;         // delivered
    uint64_t duplicates;       // messages that came again
    uint64_t gaps;             // times that something was missing
    uint64_t requests;         // retransmission requests sent
    uint64_t early_dropped;    // early packets that found no room; they are asked for again
    uint64_t logins, timeouts; // logins accepted; silences that made us log in again
    uint64_t went_back;        // the venue named a next sequence below what it had sent: it lost messages
};

struct xw_session;

// A session that is OFF. NULL when there is no memory. The caller closes it.
struct xw_session *xw_session_open(const struct xw_session_config *config);
void xw_session_close(struct xw_session *session);

// Starts to log in; the login itself comes out of xw_session_poll. From any state.
void xw_session_login(struct xw_session *session);

// Puts a logoff behind what is still to be sent; OFF at once. The next poll sends it.
void xw_session_logoff(struct xw_session *session);

// One datagram from the venue.
void xw_session_receive(struct xw_session *session, uint64_t now_ns, const uint8_t *datagram, size_t size);

// Queues one OUCH message (at most 1469 bytes) for the next datagram: messages queued between two polls share one.
// False: the session is not ON, or the datagram is full (poll first).
bool xw_session_send(struct xw_session *session, const uint8_t *message, size_t size);

// The next datagram to send, into `out` (room for XW_DATAGRAM_MAX): its size, 0 when there is none. Call until 0, after
// every receive, after sends, and whenever xw_session_deadline passes.
size_t xw_session_poll(struct xw_session *session, uint64_t now_ns, uint8_t *out);

// When a timer is due next, UINT64_MAX for never.
uint64_t xw_session_deadline(const struct xw_session *session);

enum xw_session_state xw_session_state(const struct xw_session *session);
uint64_t xw_session_next_sequence(const struct xw_session *session); // next expected
uint64_t xw_session_missing(const struct xw_session *session);       // messages known to exist and not yet delivered
const char *xw_session_name(const struct xw_session *session);       // of the last login accepted, "" before
char xw_session_refusal(const struct xw_session *session);           // A or S when REFUSED, else 0
const struct xw_session_stats *xw_session_stats(const struct xw_session *session);

#endif
