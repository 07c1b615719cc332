// SPDX-License-Identifier: Apache-2.0
// The client's MoldUDP64 receiver: order, gaps, requests, end of session, and a bad network.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/mold.h"
#include "client/ufo_session.h"
#include "contract/wire.h"
#include "tests/unit/bytes.h"

#define MS UINT64_C(1000000)
#define NAME "'261121XW00' "

struct inbox {
    uint64_t next, last_value;
};

static void take(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct inbox *inbox = context;
    assert_int_equal(sequence, inbox->next);
    inbox->next++;
    inbox->last_value = size >= 8 ? get_be64(message) : 0;
}

static struct xw_mold *open_mold(struct inbox *inbox, uint64_t next_sequence)
{
    struct xw_mold_config config = {
        .next_sequence = next_sequence, .retransmit_ns = 50 * MS, .context = inbox, .on_message = take};
    *inbox = (struct inbox){.next = next_sequence};
    struct xw_mold *mold = xw_mold_open(&config);
    assert_non_null(mold);
    return mold;
}

static void receives(struct xw_mold *mold, const char *text)
{
    uint8_t packet[XW_DATAGRAM_MAX];
    xw_mold_receive(mold, 0, packet, bytes(text, packet));
}

static void assert_asks(struct xw_mold *mold, uint64_t now, const char *text)
{
    uint8_t expected[64], out[XW_MOLD_REQUEST];
    size_t size = bytes(text, expected);
    assert_int_equal(xw_mold_poll(mold, now, out), size);
    assert_memory_equal(out, expected, size);
}

static void messages_come_in_order_and_a_gap_is_asked_for(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    assert_int_equal(xw_mold_state(m), XW_MOLD_WAITING);
    receives(m, NAME "0000000000000001 0002 0001 'a' 0000");
    assert_int_equal(xw_mold_state(m), XW_MOLD_RUNNING);
    assert_string_equal(xw_mold_name(m), "261121XW00");
    assert_int_equal(inbox.next, 3);
    assert_asks(m, 0, "");
    receives(m, NAME "0000000000000005 0001 0008 0000000000000005");
    assert_int_equal(xw_mold_missing(m), 3);
    assert_asks(m, MS, NAME "0000000000000003 0002");
    assert_asks(m, 50 * MS, "");
    assert_asks(m, 51 * MS, NAME "0000000000000003 0002");
    receives(m, NAME "0000000000000003 0001 0001 'c'");
    assert_asks(m, 52 * MS, NAME "0000000000000004 0001");
    receives(m, NAME "0000000000000004 0001 0001 'd'");
    assert_int_equal(inbox.next, 6);
    assert_int_equal(inbox.last_value, 5);
    assert_asks(m, 53 * MS, "");
    xw_mold_close(m);
}

static void a_heartbeat_and_the_end_tell_of_a_loss_at_the_end(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    receives(m, NAME "0000000000000002 0000");
    assert_asks(m, 0, NAME "0000000000000001 0001");
    receives(m, NAME "0000000000000001 0001 0000");
    receives(m, NAME "0000000000000003 FFFF");
    assert_int_equal(xw_mold_state(m), XW_MOLD_RUNNING);
    assert_asks(m, 0, NAME "0000000000000002 0001");
    receives(m, NAME "0000000000000002 0001 0000");
    assert_int_equal(xw_mold_state(m), XW_MOLD_ENDED);
    assert_asks(m, 1000 * MS, "");
    xw_mold_close(m);
}

static void a_request_of_everything_does_not_read_as_an_end_of_session(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    receives(m, NAME "0000000000100000 0000");
    assert_asks(m, 0, NAME "0000000000000001 FFFE");
    xw_mold_close(m);
}

static void a_late_receiver_may_begin_where_the_stream_is(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 0);
    inbox.next = 77;
    receives(m, NAME "000000000000004D 0001 0000");
    assert_int_equal(xw_mold_next_sequence(m), 78);
    assert_int_equal(xw_mold_stats(m)->gaps, 0);
    receives(m, NAME "0000000000000050 0001 0000"); // from here on a gap is a gap
    assert_int_equal(xw_mold_missing(m), 3);
    xw_mold_close(m);
}

static void what_nobody_answers_can_be_given_up(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    receives(m, NAME "0000000000000004 0001 0000");
    receives(m, NAME "0000000000000007 0000");
    inbox.next = 4;
    assert_int_equal(xw_mold_skip(m), 3);
    assert_int_equal(inbox.next, 5);
    assert_int_equal(xw_mold_missing(m), 2);
    assert_int_equal(xw_mold_skip(m), 2);
    assert_int_equal(xw_mold_missing(m), 0);
    assert_int_equal(xw_mold_skip(m), 0);
    assert_int_equal(xw_mold_stats(m)->lost, 5);
    xw_mold_close(m);
}

static void another_session_name_stops_the_receiver(void **state)
{
    (void)state;
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    receives(m, NAME "0000000000000001 0001 0000");
    receives(m, "'261122XW00' 0000000000000002 0001 0000");
    assert_int_equal(xw_mold_state(m), XW_MOLD_OTHER_SESSION);
    receives(m, NAME "0000000000000002 0001 0000");
    assert_int_equal(inbox.next, 2);
    xw_mold_close(m);
}

static void malformed_packets_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        NAME "0000000000000001 00",
        NAME "0000000000000000 0000",
        NAME "FFFFFFFFFFFFFFFF 0000",
        NAME "0000000000000001 0001",
        NAME "0000000000000001 0001 0002 'a'",
        NAME "0000000000000001 0001 0001 'a' 00",
        NAME "0000000000000001 0000 00",
        NAME "0000000000000001 FFFF 0001 'a'",
    };
    struct inbox inbox;
    struct xw_mold *m = open_mold(&inbox, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        receives(m, bad[i]);
        assert_int_equal(xw_mold_stats(m)->malformed, i + 1);
    }
    assert_int_equal(xw_mold_state(m), XW_MOLD_WAITING);
    assert_int_equal(xw_mold_next_sequence(m), 1);
    xw_mold_close(m);
}

// ---- a stream of numbered messages through loss, with a request server that may be deaf ----

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static size_t packet_of(uint8_t *packet, uint64_t first, unsigned count)
{
    size_t size = 20;
    memcpy(packet, "261121XW00", 10);
    put_be64(packet + 10, first);
    put_be16(packet + 18, (uint16_t)count);
    for (unsigned i = 0; i < count; i++, size += 10) {
        put_be16(packet + size, 8);
        put_be64(packet + size + 2, first + i);
    }
    return size;
}

static void every_message_comes_once_and_in_order_through_loss_and_reordering(void **state)
{
    (void)state;
    for (uint64_t seed_start = 1; seed_start <= 10; seed_start++) {
        uint64_t seed = seed_start, made = 1, total = 5000;
        struct inbox inbox;
        struct xw_mold *m = open_mold(&inbox, 1);
        uint8_t held[XW_DATAGRAM_MAX], packet[XW_DATAGRAM_MAX], request[XW_MOLD_REQUEST];
        size_t held_size = 0;
        for (uint64_t now = 0; inbox.next < total; now += MS) {
            assert_true(now < 100000 * MS);
            unsigned count = made < total ? draw(&seed, 4) : 0;
            size_t size = packet_of(packet, made, count);
            made += count;
            uint32_t fate = draw(&seed, 6);
            if (fate == 0 && held_size == 0) { // overtaken by what follows
                memcpy(held, packet, size);
                held_size = size;
            } else if (fate != 1) {
                xw_mold_receive(m, now, packet, size);
            }
            if (held_size > 0 && draw(&seed, 3) == 0) {
                xw_mold_receive(m, now, held, held_size);
                held_size = 0;
            }
            if (xw_mold_poll(m, now, request) > 0 && draw(&seed, 3) != 0) {
                unsigned asked = get_be16(request + 18);
                xw_mold_receive(m, now, packet, packet_of(packet, get_be64(request + 10), asked < 5 ? asked : 5));
            }
        }
        assert_int_equal(inbox.last_value, inbox.next - 1);
        assert_true(xw_mold_stats(m)->gaps > 0 && xw_mold_stats(m)->requests > 0);
        xw_mold_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order_and_a_gap_is_asked_for),
        cmocka_unit_test(a_heartbeat_and_the_end_tell_of_a_loss_at_the_end),
        cmocka_unit_test(a_request_of_everything_does_not_read_as_an_end_of_session),
        cmocka_unit_test(a_late_receiver_may_begin_where_the_stream_is),
        cmocka_unit_test(what_nobody_answers_can_be_given_up),
        cmocka_unit_test(another_session_name_stops_the_receiver),
        cmocka_unit_test(malformed_packets_change_nothing),
        cmocka_unit_test(every_message_comes_once_and_in_order_through_loss_and_reordering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
