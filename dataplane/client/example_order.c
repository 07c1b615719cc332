// SPDX-License-Identifier: Apache-2.0
// The shortest whole client: logs in, buys 100 at a limit, prints what the venue says, logs off.
//   example_order HOST PORT USER PASSWORD SYMBOL PRICE        PRICE in units of the currency, e.g. 10.05
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/crosswire_client.h"

static uint32_t next_user_ref; // 0: the venue has not told it yet

static void print_answer(void *context, uint64_t sequence, const uint8_t *bytes, size_t size)
{
    struct xw_ouch message;
    (void)context;
    if (!xw_ouch_decode(bytes, size, &message))
        return;
    if (message.type == 'Q')
        next_user_ref = message.user_ref;
    printf("%6lu %c", (unsigned long)sequence, message.type);
    if (message.type != 'S')
        printf(" number %u", message.user_ref);
    if (message.type == 'A' || message.type == 'E')
        printf(": %u at %.4f", message.quantity, (double)message.price / 10000);
    if (message.type == 'J')
        printf(": %s", xw_ouch_reject_text(message.reject));
    putchar('\n');
}

// Receives and sends until `until_ns`.
static void pump(struct xw_session *session, int socket, uint64_t until_ns)
{
    uint8_t datagram[XW_DATAGRAM_MAX];
    for (uint64_t now = xw_now_ns(); now < until_ns; now = xw_now_ns()) {
        for (size_t size; (size = xw_session_poll(session, now, datagram)) > 0;)
            xw_udp_send(socket, datagram, size);
        ssize_t got = xw_udp_receive(socket, 10000000, datagram, sizeof datagram);
        if (got > 0)
            xw_session_receive(session, xw_now_ns(), datagram, (size_t)got);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return fprintf(stderr, "usage: example_order HOST PORT USER PASSWORD SYMBOL PRICE\n"), 64;
    int socket = xw_udp_open(argv[1], (uint16_t)atoi(argv[2]));
    // from_now: what the day has brought so far is of no interest here. A trading system leaves it out and catches up.
    struct xw_session_config config = {
        .user = argv[3], .password = argv[4], .from_now = true, .on_message = print_answer};
    struct xw_session *session = xw_session_open(&config);
    if (socket < 0 || session == NULL)
        return fprintf(stderr, "example_order: cannot reach %s\n", argv[1]), 69;

    xw_session_login(session);
    pump(session, socket, xw_now_ns() + 1000000000);
    if (xw_session_state(session) == XW_SESSION_REFUSED)
        return fprintf(stderr, "example_order: user or password is refused\n"), 77;
    uint8_t message[XW_OUCH_REQUEST_MAX];
    xw_session_send(session, message, xw_ouch_query(message, NULL)); // which number may we use?
    pump(session, socket, xw_now_ns() + 500000000);
    struct xw_enter order = {.user_ref = next_user_ref, .side = 'B', .quantity = 100, .symbol = argv[5]};
    order.price = (uint64_t)(atof(argv[6]) * 10000 + 0.5);
    if (next_user_ref == 0 || !xw_session_send(session, message, xw_ouch_enter(message, &order, NULL)))
        return fprintf(stderr, "example_order: %s does not answer\n", argv[1]), 75;
    pump(session, socket, xw_now_ns() + 2000000000);
    xw_session_logoff(session);
    pump(session, socket, xw_now_ns() + 10000000);
    xw_session_close(session);
    return close(socket);
}
