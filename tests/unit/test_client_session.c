// SPDX-License-Identifier: Apache-2.0
// The client's UFO session: what it sends, step by step against the text, and a venue behind a bad network.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/ufo_session.h"
#include "contract/wire.h"
#include "tests/unit/bytes.h"

#define MS UINT64_C(1000000)
#define LOGIN_TEXT "001B 'L' 'ALICE ' 'secret    ' '          '"

// What the session delivered: message n must come n-th.
struct inbox {
    uint64_t first, next;
    unsigned states;
    enum xw_session_state last_state;
    uint64_t last_value; // first 8 bytes of the last message
};

static void take(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct inbox *inbox = context;
    assert_int_equal(sequence, inbox->next);
    inbox->next++;
    inbox->last_value = size >= 8 ? get_be64(message) : 0;
}

static void note_state(void *context, enum xw_session_state session_state)
{
    struct inbox *inbox = context;
    inbox->states++;
    inbox->last_state = session_state;
}

static struct xw_session *open_session(struct inbox *inbox, bool relogin)
{
    struct xw_session_config config = {.user = "ALICE",
                                       .password = "secret",
                                       .login_ns = 100 * MS,
                                       .heartbeat_ns = 200 * MS,
                                       .timeout_ns = 1000 * MS,
                                       .retransmit_ns = 50 * MS,
                                       .relogin_after_end = relogin,
                                       .context = inbox,
                                       .on_message = take,
                                       .on_state = note_state};
    *inbox = (struct inbox){.next = 1};
    struct xw_session *session = xw_session_open(&config);
    assert_non_null(session);
    return session;
}

static void assert_sends(struct xw_session *session, uint64_t now, const char *text)
{
    uint8_t expected[XW_DATAGRAM_MAX], out[XW_DATAGRAM_MAX];
    size_t size = bytes(text, expected);
    assert_int_equal(xw_session_poll(session, now, out), size);
    assert_memory_equal(out, expected, size);
}

static void assert_silent(struct xw_session *session, uint64_t now)
{
    assert_sends(session, now, "");
}

static void receives(struct xw_session *session, uint64_t now, const char *text)
{
    uint8_t datagram[XW_DATAGRAM_MAX];
    xw_session_receive(session, now, datagram, bytes(text, datagram));
}

// Logs in at `now`; the day has `next` - 1 messages.
static void log_in(struct xw_session *session, uint64_t now, unsigned next)
{
    char text[64];
    xw_session_login(session);
    assert_sends(session, now, LOGIN_TEXT);
    snprintf(text, sizeof text, "'A' '261121XW00' %08X", next);
    receives(session, now, text);
    assert_int_equal(xw_session_state(session), XW_SESSION_ON);
}

static void a_login_is_repeated_until_it_is_answered(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    assert_silent(s, 0);
    assert_int_equal(xw_session_deadline(s), UINT64_MAX);
    xw_session_login(s);
    assert_int_equal(xw_session_state(s), XW_SESSION_LOGIN);
    assert_int_equal(xw_session_deadline(s), 0);
    assert_sends(s, 10 * MS, LOGIN_TEXT);
    assert_int_equal(xw_session_deadline(s), 110 * MS);
    assert_silent(s, 109 * MS);
    assert_sends(s, 110 * MS, LOGIN_TEXT);
    receives(s, 120 * MS, "'A' '261121XW00' 00000001");
    assert_int_equal(xw_session_state(s), XW_SESSION_ON);
    assert_string_equal(xw_session_name(s), "261121XW00");
    assert_silent(s, 120 * MS);
    receives(s, 130 * MS, "'A' '261121XW00' 00000001"); // the answer to the second login
    assert_int_equal(xw_session_stats(s)->logins, 1);
    assert_int_equal(inbox.states, 2);
    xw_session_close(s);
}

static void a_late_client_asks_for_the_day_so_far(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 4);
    assert_int_equal(xw_session_missing(s), 3);
    assert_sends(s, 0, "0007 'T' 00000001 0003");
    receives(s, MS, "'S' 00000001 0002 0001 'a' 0000");
    assert_int_equal(inbox.next, 3);
    assert_sends(s, MS, "0007 'T' 00000003 0001"); // the rest, at once
    assert_silent(s, 50 * MS);
    assert_sends(s, 51 * MS, "0007 'T' 00000003 0001"); // unanswered
    receives(s, 52 * MS, "'S' 00000003 0001 0008 0000000000000007");
    assert_int_equal(inbox.next, 4);
    assert_int_equal(inbox.last_value, 7);
    assert_int_equal(xw_session_missing(s), 0);
    assert_silent(s, 53 * MS);
    xw_session_close(s);
}

static void a_request_never_asks_for_more_than_its_count_can_say(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 100000);
    assert_sends(s, 0, "0007 'T' 00000001 FFFF");
    xw_session_close(s);
}

static void a_gap_is_asked_for_and_what_came_early_is_kept(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000001 0001 0001 'a'");
    receives(s, MS, "'S' 00000004 0002 0001 'd' 0001 'e'");
    receives(s, MS, "'S' 00000006 0001 0001 'f'");
    assert_int_equal(inbox.next, 2);
    assert_int_equal(xw_session_missing(s), 5);
    assert_sends(s, MS, "0007 'T' 00000002 0002");
    receives(s, 2 * MS, "'S' 00000002 0002 0001 'b' 0001 'c'");
    assert_int_equal(inbox.next, 7);
    assert_silent(s, 60 * MS);
    assert_int_equal(xw_session_stats(s)->gaps, 1);
    assert_int_equal(xw_session_stats(s)->requests, 1);
    assert_int_equal(xw_session_stats(s)->messages, 6);
    xw_session_close(s);
}

static void an_early_packet_that_comes_again_takes_no_second_place(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    for (unsigned i = 0; i < XW_EARLY_PACKETS * 2; i++)
        receives(s, MS, "'S' 00000003 0001 0001 'c'");
    receives(s, MS, "'S' 00000002 0001 0001 'b'");
    assert_int_equal(xw_session_stats(s)->early_dropped, 0);
    receives(s, MS, "'S' 00000001 0001 0001 'a'");
    assert_int_equal(inbox.next, 4);
    xw_session_close(s);
}

static void a_client_that_knows_part_of_the_day_asks_for_the_rest_only(void **state)
{
    (void)state;
    struct inbox inbox = {.next = 5};
    struct xw_session_config config = {
        .user = "ALICE", .password = "secret", .next_sequence = 5, .context = &inbox, .on_message = take};
    struct xw_session *s = xw_session_open(&config);
    log_in(s, 0, 7);
    assert_sends(s, 0, "0007 'T' 00000005 0002");
    receives(s, MS, "'S' 00000005 0002 0000 0000");
    assert_int_equal(inbox.next, 7);
    xw_session_close(s);
}

static void a_heartbeat_tells_of_a_loss_at_the_end(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000003 0000");
    assert_sends(s, MS, "0007 'T' 00000001 0002");
    receives(s, 2 * MS, "'S' 00000001 0002 0000 0000");
    receives(s, 3 * MS, "'S' 00000002 0000"); // an old heartbeat, late
    assert_silent(s, 3 * MS);
    xw_session_close(s);
}

static void a_message_that_comes_again_is_dropped(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000001 0002 0001 'a' 0001 'b'");
    receives(s, MS, "'S' 00000001 0002 0001 'a' 0001 'b'");
    receives(s, MS, "'S' 00000002 0002 0001 'b' 0001 'c'");
    assert_int_equal(inbox.next, 4);
    assert_int_equal(xw_session_stats(s)->duplicates, 3);
    xw_session_close(s);
}

static void messages_between_two_polls_share_a_datagram(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    uint8_t order[47] = "O", out[XW_DATAGRAM_MAX];
    assert_false(xw_session_send(s, order, sizeof order)); // not logged in
    log_in(s, 0, 1);
    for (unsigned i = 0; i < 29; i++)
        assert_true(xw_session_send(s, order, sizeof order));
    assert_false(xw_session_send(s, order, sizeof order));
    assert_int_equal(xw_session_poll(s, 0, out), 29 * 50);
    for (unsigned i = 0; i < 29; i++) {
        assert_int_equal(get_be16(out + (size_t)i * 50), 48);
        assert_int_equal(out[i * 50 + 2], 'U');
        assert_memory_equal(out + (size_t)i * 50 + 3, order, sizeof order);
    }
    assert_silent(s, 0);
    uint8_t largest[1469] = {1};
    assert_true(xw_session_send(s, largest, sizeof largest));
    assert_int_equal(xw_session_poll(s, 0, out), XW_DATAGRAM_MAX);
    xw_session_close(s);
}

static void a_silence_of_ours_is_broken_by_a_heartbeat(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    assert_int_equal(xw_session_deadline(s), 200 * MS);
    assert_silent(s, 199 * MS);
    assert_sends(s, 200 * MS, "0001 'R'");
    assert_true(xw_session_send(s, (const uint8_t *)"Q", 1));
    assert_sends(s, 399 * MS, "0002 'U' 'Q'");
    assert_silent(s, 400 * MS);
    assert_sends(s, 599 * MS, "0001 'R'");
    receives(s, 799 * MS, "'S' 00000002 0000");
    assert_sends(s, 799 * MS, "0007 'T' 00000001 0001"); // says as much as a heartbeat
    xw_session_close(s);
}

static void a_silent_venue_is_logged_in_to_again_and_the_stream_goes_on(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000001 0001 0000");
    for (uint64_t at = 200 * MS; at <= 1000 * MS; at += 200 * MS)
        assert_sends(s, at, "0001 'R'");
    assert_true(xw_session_send(s, (const uint8_t *)"Q", 1));
    assert_sends(s, 1001 * MS, LOGIN_TEXT); // what was queued is not sent to a venue that may be another
    assert_int_equal(xw_session_state(s), XW_SESSION_LOGIN);
    assert_false(xw_session_send(s, (const uint8_t *)"Q", 1));
    receives(s, 1002 * MS, "'S' 00000002 0001 0000"); // not logged in: of which session is it?
    assert_int_equal(inbox.next, 2);
    receives(s, 1003 * MS, "'A' '261121XW00' 00000003");
    assert_sends(s, 1003 * MS, "0007 'T' 00000002 0001");
    receives(s, 1004 * MS, "'S' 00000002 0001 0000");
    assert_int_equal(inbox.next, 3);
    assert_int_equal(xw_session_stats(s)->timeouts, 1);
    assert_int_equal(xw_session_stats(s)->went_back, 0);
    xw_session_close(s);
}

static void a_client_that_begins_now_asks_for_nothing_older(void **state)
{
    (void)state;
    struct inbox inbox = {.next = 500};
    struct xw_session_config config = {
        .user = "ALICE", .password = "secret", .from_now = true, .context = &inbox, .on_message = take};
    struct xw_session *session = xw_session_open(&config);
    assert_non_null(session);
    xw_session_login(session);
    log_in(session, 0, 500);
    assert_int_equal(xw_session_missing(session), 0);
    assert_silent(session, 100 * MS);
    assert_int_equal(xw_session_next_sequence(session), 500);
    xw_session_close(session);
}

static void a_request_lost_with_the_venue_is_sent_again_after_the_login(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 3);
    assert_sends(s, 0, "0007 'T' 00000001 0002");
    xw_session_login(s);
    assert_sends(s, MS, LOGIN_TEXT);
    receives(s, 2 * MS, "'A' '261121XW00' 00000003");
    assert_sends(s, 2 * MS, "0007 'T' 00000001 0002"); // not only after retransmit_ns
    xw_session_close(s);
}

static void another_session_name_is_another_day(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000001 0001 0000");
    receives(s, MS, "'S' 00000009 0001 0000"); // early, of the old day
    xw_session_login(s);
    assert_sends(s, 2 * MS, LOGIN_TEXT);
    inbox.next = 1;
    receives(s, 3 * MS, "'A' '261122XW00' 00000002");
    assert_int_equal(xw_session_next_sequence(s), 1);
    assert_int_equal(xw_session_missing(s), 1);
    assert_string_equal(xw_session_name(s), "261122XW00");
    receives(s, 4 * MS, "'S' 00000001 0001 0000");
    assert_int_equal(xw_session_missing(s), 0);
    assert_int_equal(xw_session_stats(s)->went_back, 0);
    xw_session_close(s);
}

static void a_venue_that_lost_messages_is_noticed(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'S' 00000001 0002 0000 0000");
    xw_session_login(s);
    assert_sends(s, 2 * MS, LOGIN_TEXT);
    receives(s, 3 * MS, "'A' '261121XW00' 00000002");
    assert_int_equal(xw_session_stats(s)->went_back, 1);
    assert_int_equal(xw_session_next_sequence(s), 3);
    xw_session_close(s);
}

static void a_wrong_password_ends_in_a_refusal(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    xw_session_login(s);
    assert_sends(s, 0, LOGIN_TEXT);
    receives(s, MS, "'J' 'A'");
    assert_int_equal(xw_session_state(s), XW_SESSION_REFUSED);
    assert_int_equal(xw_session_refusal(s), 'A');
    assert_silent(s, 10000 * MS);
    receives(s, MS, "'A' '261121XW00' 00000001");
    assert_int_equal(xw_session_state(s), XW_SESSION_REFUSED);
    xw_session_login(s);
    assert_sends(s, 10000 * MS, LOGIN_TEXT);
    xw_session_close(s);
}

static void a_session_that_is_gone_is_asked_for_with_blanks(void **state)
{
    (void)state;
    struct inbox inbox = {.next = 1};
    struct xw_session_config config = {
        .user = "ALICE", .password = "secret", .session = "261120XW00", .context = &inbox, .on_message = take};
    struct xw_session *s = xw_session_open(&config);
    xw_session_login(s);
    assert_sends(s, 0, "001B 'L' 'ALICE ' 'secret    ' '261120XW00'");
    receives(s, MS, "'J' 'S'");
    assert_sends(s, MS, LOGIN_TEXT);
    receives(s, 2 * MS, "'J' 'S'");
    assert_int_equal(xw_session_state(s), XW_SESSION_REFUSED);
    assert_int_equal(xw_session_refusal(s), 'S');
    xw_session_close(s);
}

static void the_end_of_session_waits_for_the_whole_stream(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    receives(s, MS, "'E' 00000002");
    assert_int_equal(xw_session_state(s), XW_SESSION_ON);
    assert_sends(s, MS, "0007 'T' 00000001 0002");
    receives(s, 2 * MS, "'S' 00000001 0002 0000 0000");
    assert_int_equal(xw_session_state(s), XW_SESSION_ENDED);
    assert_silent(s, 20000 * MS);
    xw_session_logoff(s);
    assert_sends(s, 20000 * MS, "0001 'O'");
    assert_int_equal(xw_session_state(s), XW_SESSION_OFF);
    xw_session_close(s);
}

static void after_an_end_that_is_a_restart_the_client_logs_in_again(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, true);
    log_in(s, 0, 1);
    receives(s, MS, "'E' 00000000");
    assert_int_equal(xw_session_state(s), XW_SESSION_LOGIN);
    assert_silent(s, 100 * MS);
    receives(s, 100 * MS, "'E' 00000000"); // it is said three times
    assert_sends(s, 101 * MS, LOGIN_TEXT);
    xw_session_close(s);
}

static void a_logoff_goes_out_behind_what_is_queued(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    assert_true(xw_session_send(s, (const uint8_t *)"Q", 1));
    xw_session_logoff(s);
    assert_int_equal(xw_session_deadline(s), 0);
    assert_sends(s, MS, "0002 'U' 'Q'");
    assert_sends(s, MS, "0001 'O'");
    assert_silent(s, 100000 * MS);
    xw_session_close(s);
}

static void malformed_datagrams_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "'Z'",
        "'A'",
        "'A' '261121XW00' 000000",
        "'A' '261121XW00' 00000000",
        "'A' '261121XW00' 00000009 00",
        "'J'",
        "'J' 'A' 'A'",
        "'E' 000000",
        "'E' 00000001 00",
        "'S' 00000000 0000",             // sequence 0
        "'S' 00000002 0000 00",          // a heartbeat with a rest
        "'S' 00000001 0001",             // no message
        "'S' 00000001 0001 0002 'a'",    // cut
        "'S' 00000001 0001 0001 'a' 00", // a rest
        "'S' 00000001 FFFF 0001 'a'",    // fewer than it says
        "'S' 00000001 0002 0001 'a' 00",
    };
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        receives(s, MS, bad[i]);
        assert_int_equal(xw_session_stats(s)->malformed, i + 1);
    }
    assert_int_equal(inbox.next, 1);
    assert_int_equal(xw_session_state(s), XW_SESSION_ON);
    assert_silent(s, MS);
    xw_session_close(s);
}

static void early_packets_beyond_the_room_are_asked_for_again(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_session *s = open_session(&inbox, false);
    log_in(s, 0, 1);
    unsigned last = XW_EARLY_PACKETS + 20;
    for (unsigned n = last; n >= 2; n--) { // the furthest first: they give way to nearer ones
        char text[64];
        snprintf(text, sizeof text, "'S' %08X 0001 0008 %016X", n, n);
        receives(s, MS, text);
    }
    assert_int_equal(xw_session_stats(s)->early_dropped, last - 1 - XW_EARLY_PACKETS);
    assert_sends(s, MS, "0007 'T' 00000001 0001");
    receives(s, 2 * MS, "'S' 00000001 0001 0008 0000000000000001");
    assert_int_equal(inbox.next, XW_EARLY_PACKETS + 2);
    char request[64];
    snprintf(request, sizeof request, "0007 'T' %08X %04X", XW_EARLY_PACKETS + 2, last - XW_EARLY_PACKETS - 1);
    assert_sends(s, 2 * MS, request);
    xw_session_close(s);
}

// ---- a venue behind a bad network ----

#define FLIGHTS 512

struct flight {
    uint64_t arrives; // 0: the place is free
    bool to_venue;
    size_t size;
    uint8_t bytes[XW_DATAGRAM_MAX];
};

struct world {
    uint64_t seed, now;
    struct xw_session *session;
    struct inbox inbox;
    struct flight flights[FLIGHTS];
    // The venue: message n holds the number n, 8 to 400 bytes.
    bool logged_in;
    uint64_t next, total, heard, said;
    uint64_t orders_in, orders_out;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->seed >> 33) % below;
}

// One datagram in ten is lost, one in ten comes twice, any may overtake.
static void fly(struct world *w, bool to_venue, const uint8_t *datagram, size_t size)
{
    for (uint32_t copies = draw(w, 10), n = copies == 0 ? 0 : copies == 1 ? 2 : 1; n > 0; n--)
        for (unsigned i = 0; i < FLIGHTS; i++)
            if (w->flights[i].arrives == 0) {
                w->flights[i].arrives = w->now + MS / 10 + draw(w, 3 * (uint32_t)MS);
                w->flights[i].to_venue = to_venue;
                w->flights[i].size = size;
                memcpy(w->flights[i].bytes, datagram, size);
                break;
            }
}

static size_t message_size(uint64_t n)
{
    return 8 + (size_t)(n * 7919 % 393);
}

// A packet of the messages from `first`, at most `count` and as many as fit.
static void venue_sends(struct world *w, uint64_t first, uint64_t count)
{
    uint8_t packet[XW_DATAGRAM_MAX] = "S";
    size_t size = 7;
    uint16_t packed = 0;
    for (uint64_t n = first; n < first + count && n < w->next; n++, packed++) {
        if (size + 2 + message_size(n) > sizeof packet)
            break;
        put_be16(packet + size, (uint16_t)message_size(n));
        memset(packet + size + 2, 0, message_size(n));
        put_be64(packet + size + 2, n);
        size += 2 + message_size(n);
    }
    put_be32(packet + 1, (uint32_t)first);
    put_be16(packet + 5, packed);
    w->said = w->now;
    fly(w, false, packet, size);
}

static void venue_takes_block(struct world *w, const uint8_t *block)
{
    uint8_t accept[15] = "A261121XW00";
    w->heard = w->now;
    switch (block[0]) {
    case 'L':
        w->logged_in = true;
        put_be32(accept + 11, (uint32_t)w->next);
        fly(w, false, accept, sizeof accept);
        break;
    case 'T':
        if (w->logged_in)
            venue_sends(w, get_be32(block + 1), get_be16(block + 5));
        break;
    case 'U':
        w->orders_in += w->logged_in;
        break;
    default:
        break;
    }
}

static void venue_takes(struct world *w, const uint8_t *datagram, size_t size)
{
    for (size_t at = 0; at < size; at += 2u + get_be16(datagram + at)) {
        assert_true(at + 3 <= size && at + 2 + get_be16(datagram + at) <= size);
        venue_takes_block(w, datagram + at + 2);
    }
}

// The venue makes messages now and then, heartbeats, and once in a while it dies and comes back.
static void venue_acts(struct world *w)
{
    if (w->next <= w->total && draw(w, 3) == 0) {
        uint64_t first = w->next;
        w->next += 1 + draw(w, 3);
        if (w->logged_in)
            venue_sends(w, first, w->next - first);
    }
    if (w->logged_in && w->now >= w->said + 20 * MS)
        venue_sends(w, w->next, 0);
    if (draw(w, 4000) == 0)
        w->logged_in = false;
    if (w->now >= w->heard + 1000 * MS)
        w->logged_in = false;
}

static void network_delivers(struct world *w)
{
    for (unsigned i = 0; i < FLIGHTS; i++) {
        if (w->flights[i].arrives == 0 || w->flights[i].arrives > w->now)
            continue;
        struct flight flight = w->flights[i]; // answers may take its place
        w->flights[i].arrives = 0;
        if (flight.to_venue)
            venue_takes(w, flight.bytes, flight.size);
        else
            xw_session_receive(w->session, w->now, flight.bytes, flight.size);
    }
}

static void client_acts(struct world *w)
{
    uint8_t out[XW_DATAGRAM_MAX];
    if (draw(w, 5) == 0)
        w->orders_out += xw_session_send(w->session, (const uint8_t *)"O-an-order", 10);
    uint64_t deadline = xw_session_deadline(w->session);
    size_t size = xw_session_poll(w->session, w->now, out);
    assert_int_equal(size > 0, deadline <= w->now); // nothing before its time, nothing late
    for (; size > 0; size = xw_session_poll(w->session, w->now, out))
        fly(w, true, out, size);
}

static void every_message_comes_once_and_in_order_through_loss_reordering_and_duplication(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct world w;
        memset(&w, 0, sizeof w);
        w.seed = seed;
        w.next = 1 + seed * 10;
        w.total = 2000;
        w.session = open_session(&w.inbox, false);
        xw_session_login(w.session);
        while (w.inbox.next <= w.total) {
            w.now += MS / 4;
            if (w.now > 200000 * MS)
                fail_msg("seed %lu: stuck at message %lu of %lu", (unsigned long)seed, (unsigned long)w.inbox.next,
                         (unsigned long)w.total);
            network_delivers(&w);
            venue_acts(&w);
            client_acts(&w);
            if (w.inbox.next > 1)
                assert_int_equal(w.inbox.last_value, w.inbox.next - 1);
        }
        const struct xw_session_stats *stats = xw_session_stats(w.session);
        assert_true(stats->gaps > 0 && stats->duplicates > 0 && stats->requests > 0);
        assert_int_equal(stats->went_back, 0);
        assert_int_equal(stats->malformed, 0);
        assert_true(w.orders_out > 0 && w.orders_in > 0);
        xw_session_close(w.session);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_is_repeated_until_it_is_answered),
        cmocka_unit_test(a_late_client_asks_for_the_day_so_far),
        cmocka_unit_test(a_client_that_begins_now_asks_for_nothing_older),
        cmocka_unit_test(a_request_never_asks_for_more_than_its_count_can_say),
        cmocka_unit_test(a_gap_is_asked_for_and_what_came_early_is_kept),
        cmocka_unit_test(an_early_packet_that_comes_again_takes_no_second_place),
        cmocka_unit_test(a_client_that_knows_part_of_the_day_asks_for_the_rest_only),
        cmocka_unit_test(a_heartbeat_tells_of_a_loss_at_the_end),
        cmocka_unit_test(a_message_that_comes_again_is_dropped),
        cmocka_unit_test(messages_between_two_polls_share_a_datagram),
        cmocka_unit_test(a_silence_of_ours_is_broken_by_a_heartbeat),
        cmocka_unit_test(a_silent_venue_is_logged_in_to_again_and_the_stream_goes_on),
        cmocka_unit_test(a_request_lost_with_the_venue_is_sent_again_after_the_login),
        cmocka_unit_test(another_session_name_is_another_day),
        cmocka_unit_test(a_venue_that_lost_messages_is_noticed),
        cmocka_unit_test(a_wrong_password_ends_in_a_refusal),
        cmocka_unit_test(a_session_that_is_gone_is_asked_for_with_blanks),
        cmocka_unit_test(the_end_of_session_waits_for_the_whole_stream),
        cmocka_unit_test(after_an_end_that_is_a_restart_the_client_logs_in_again),
        cmocka_unit_test(a_logoff_goes_out_behind_what_is_queued),
        cmocka_unit_test(malformed_datagrams_change_nothing),
        cmocka_unit_test(early_packets_beyond_the_room_are_asked_for_again),
        cmocka_unit_test(every_message_comes_once_and_in_order_through_loss_reordering_and_duplication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
