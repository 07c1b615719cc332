// SPDX-License-Identifier: Apache-2.0
// Inside the gateway role. A gateway serves the UFO sessions that the configuration gives it: it checks and decodes
// what they send, and numbers, keeps and sends what the matching cores answer.
//
//   inlet --> gateway_input --> orders ring --> matcher
//                  |  gateway_session: login, up, down        requests ring --> control
//                  v                                           replies ring <-- control
//   inlet <-- gateway_output <-- events ring <-- matcher
//
// A session as the gateway sees it:
//
//             login verified: UP pushed
//   [away] ------------------------------> [connected, up]
//      ^ logoff, silence: DOWN pushed         |     |  login from elsewhere: DOWN(RELOGIN), UP
//      +--------------------------------------+     +--> (the same, bound to the new source)
//
// The day's end and a stop of the data plane leave it connected, so that it can fetch what it missed; only orders are
// no longer taken.
#ifndef CROSSWIRE_CORES_GATEWAY_H
#define CROSSWIRE_CORES_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "contract/drop_copy.h"
#include "contract/event.h"
#include "contract/ring.h"
#include "contract/ufo.h"
#include "cores/inlet.h"
#include "cores/ring_ends.h"
#include "cores/role.h"
#include "cores/sender.h"
#include "cores/source_table.h"
#include "cores/symbol_table.h"
#include "cores/window.h"

#define GATEWAY_MATCHERS_MAX 16u
#define LOGIN_DIGEST 16
#define UFO_BODY_MAX (UFO_DATAGRAM_MAX - UFO_SEQUENCED_HEADER)

// What a session has asked control for and not had yet.
struct question {
    uint64_t id; // echoed in replies; 0: nothing
    uint64_t at; // position in the ring of requests
    uint64_t tsc;
};

struct session {
    // what an order needs
    uint64_t source; // key of the bound source while connected
    uint64_t heard_tsc;
    uint16_t index; // in the configuration
    uint16_t matcher;
    bool connected;
    bool up;                      // the matching core has been told UP and not DOWN
    bool copy;                    // a drop copy: never up, its orders are discarded
    bool sent_end;                // end of session has been said
    bool choked;                  // order messages are lost since a ring was full: gateway_input.c says until when
    uint8_t down_owed;            // enum down_reason of a DOWN that found no room yet
    uint8_t lost_idx;             // UserRefIdx of lost_ref
    uint32_t row;                 // in gateway.sessions
    uint32_t lost_ref;            // first UserRefNum that was lost, 0: none yet
    uint64_t full_tsc;            // when the ring last was more than half full for it
    uint32_t messages, malformed; // since they were added to the tally

    // what an answer needs
    struct window window;
    const uint8_t *pack_at; // messages not yet sent: a run of the window
    uint64_t pack_first;
    uint32_t pack_bytes;
    uint32_t pack_count;
    uint64_t sent_tsc;
    uint32_t rejected; // since it was added to the tally
    struct peer peer;

    // login
    char user[UFO_USER];
    bool has_digest; // of what control has verified
    uint8_t digest[LOGIN_DIGEST];
    uint8_t pending_digest[LOGIN_DIGEST];
    char pending_session[UFO_SESSION];
    struct peer pending_peer;
    struct question login;
    struct question fetch; // of messages
};

_Static_assert(2 + STREAM_MESSAGE_MAX <= WINDOW_MESSAGE_MAX && STREAM_MESSAGE_MAX <= REPLY_BYTES, "room for envelopes");

// A session as drop copies of this gateway see it; it may be another gateway's.
struct copied {
    uint32_t told; // messages
    uint16_t matcher;
    char names[DROP_COPY_NAMES];
};

// Towards one matching core, and from it.
struct gateway_core {
    struct ring_writer orders;
    uint32_t reserve; // orders leave so much for refusals, ups and downs
    uint32_t half;    // low water: room for orders again
    struct ring_reader events;
    struct matcher_port *port;
    struct core_block *block;
    uint64_t offset_ns; // of its clock, as of the last housekeeping
    uint32_t date;      // of the day opened, 0: none yet
    bool ended;         // the day is over
    bool closed;        // our last command, DIRECTIVE_DRAIN, has been pushed
};

// Messages from control on their way into one packet.
struct gateway_fetch {
    uint64_t id;
    uint32_t first, count, bytes;
    bool full; // what follows is left for the client's next request
    uint8_t body[UFO_BODY_MAX];
};

// Logins that were refused here and that control is still to be told of.
struct refused {
    uint32_t count;
    uint32_t ip; // of the last, as what follows
    uint16_t port;
    uint16_t session; // SESSION_NONE: no such user
    char user[UFO_USER];
};

struct gateway {
    uint64_t counters[COUNT_GATEWAY_END];
    enum core_state state;
    bool stopping;
    uint32_t index;
    uint16_t udp_port;
    uint32_t burst;
    struct inlet *inlet;
    struct inlet_tally tally;
    struct source_table sources;
    struct symbol_table symbols;
    struct session *sessions; // of this gateway, drop copies among them
    uint32_t sessions_count;
    struct session **by_index; // by configuration index, NULL when another gateway's
    uint32_t by_index_count;
    struct copied *copied; // by session; NULL: no drop copy is of this gateway
    uint32_t copied_count;
    struct copy_map copies; // of this gateway
    uint32_t cores_count;
    struct gateway_core cores[GATEWAY_MATCHERS_MAX];
    struct ring *requests, *replies;
    uint64_t next_id;
    uint64_t now; // of the round
    uint64_t tsc_factor;
    uint64_t answer_limit_ns;      // as of the last housekeeping; 0: none
    struct session_tally *tallies; // by configuration index
    uint64_t heartbeat_tsc, timeout_tsc, retry_tsc, fetch_retry_tsc, refusals_tsc;
    struct refused refused[LOGIN_WHYS];
    uint64_t refused_tsc;    // when control was told of them last
    uint64_t refusals_since; // logins refused without a verification are counted from then on
    uint32_t refusals;
    uint64_t next_scan_tsc;
    uint32_t *dirty; // rows of sessions with something to send, each once
    uint32_t dirty_count;
    uint32_t ends_sent; // end-of-session rounds while stopping
    uint64_t next_end_tsc;
    uint8_t digest_key[32];
    const struct region_header *header;
    struct core_block *block;
    struct gateway_fetch fetch;
    struct sender sender;
};

// UFO numbers a session's day with 32 bits. Long before they are used up the session is taken down and takes no more
// orders: what it still has in the book gets its messages, and all of them can be asked for.
#define SESSION_MESSAGES_MOST UINT64_C(4000000000)

static inline bool session_is_used_up(const struct session *session)
{
    return session->window.next > SESSION_MESSAGES_MOST;
}

// ---- gateway_input.c
static inline void gateway_discard(struct gateway *gateway, enum discard reason)
{
    gateway->counters[COUNT_GATEWAY_discarded]++;
    gateway->counters[COUNT_GATEWAY_discard_first + reason]++;
}

// Publishes what was decoded in this round.
void gateway_publish_orders(struct gateway *gateway);

// ---- gateway_session.c
// Handles L, from anywhere.
void gateway_login(struct gateway *gateway, const struct packet *packet, const uint8_t *message);
// Tells control what logins were refused here, once a second, as long as that leaves room for logins.
void gateway_report_refused(struct gateway *gateway);
// Takes login verdicts from control. Returns how many replies of all kinds were taken.
unsigned gateway_take_replies(struct gateway *gateway);
// Unbinds the session's source and tells the matching core, at once or when there is room.
void gateway_disconnect(struct gateway *gateway, struct session *session, enum down_reason reason);
// Tells the matching core that an up session is down; keeps it owed while there is no room. True when nothing is owed.
bool gateway_push_down(struct gateway *gateway, struct session *session, enum down_reason reason);

// Whether the answer is still to be waited for: the request lies in the ring, so that control is away or busy and will
// answer it, or is not `retry_tsc` old. Asking again would only make more work for control.
bool gateway_awaits(const struct gateway *gateway, const struct question *question, uint64_t retry_tsc);
// Begins a request of the session to control, noted in `question`: fill what its kind needs and ring_publish it. NULL
// when there is no room: control is away.
struct gateway_request *gateway_ask(struct gateway *gateway, const struct session *session,
                                    enum gateway_request_kind kind, struct question *question);

// ---- gateway_output.c
// Takes released events into the windows and sends what connected sessions have not been sent. Returns how many.
unsigned gateway_take_events(struct gateway *gateway);
// Answers T.
void gateway_retransmit(struct gateway *gateway, struct session *session, uint32_t first, uint32_t count);
// Takes one cell of an answer of control to a MESSAGES request.
void gateway_take_message(struct gateway *gateway, const struct gateway_reply *reply);
// Small packets, each on its own: A, J, S without messages, E.
void gateway_send_accept(struct gateway *gateway, struct session *session);
void gateway_send_reject(struct gateway *gateway, const struct peer *to, char reason);
void gateway_send_heartbeat(struct gateway *gateway, struct session *session);
void gateway_send_end(struct gateway *gateway, struct session *session);

// ---- gateway_timers.c
void gateway_housekeep(void *instance, uint64_t now);

// Whether a cell of the events ring may be taken: it is there, and its command is released.
static inline bool gateway_released(const struct event *event, uint64_t durable_seq)
{
    return event && event->cmd_seq <= durable_seq;
}

#endif
