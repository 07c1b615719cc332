// SPDX-License-Identifier: Apache-2.0
// The line of one stream's receiver, session or drop copy, to its gateway: the client library's session and its timer.
#ifndef CROSSWIRE_TESTS_SIM_CALLER_H
#define CROSSWIRE_TESTS_SIM_CALLER_H

#include "client/ufo_session.h"
#include "contract/config.h"

struct caller {
    const struct config *config;
    unsigned stream; // sessions, then drop copies, as config_stream counts them
    uint16_t udp_port;
    struct xw_session *session;
    uint64_t deadline_ns; // timer that is set
};

// Opens, or opens anew, a session that calls back with `context`.
void caller_open(struct caller *caller, void *context,
                 void (*on_message)(void *context, uint64_t sequence, const uint8_t *bytes, size_t size),
                 void (*on_state)(void *context, enum xw_session_state state));

// The same with another password than the stream's, for the next login.
void caller_open_wrongly(struct caller *caller, void *context,
                         void (*on_message)(void *context, uint64_t sequence, const uint8_t *bytes, size_t size),
                         void (*on_state)(void *context, enum xw_session_state state));

// Sends what the session has to send, and sets its timer.
void caller_pump(struct caller *caller);

// A UDP datagram to `to_port`; one to a port that it has left is lost.
void caller_receive(struct caller *caller, uint16_t to_port, const uint8_t *payload, size_t size);

#endif
