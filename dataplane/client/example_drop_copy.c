// SPDX-License-Identifier: Apache-2.0
// A drop copy's receiver: logs in, prints what its sessions were told today and are told from now on, a line each, and
// ends with the day, or when all of it is there and nothing more has come for QUIET_MS (0: never).
//   example_drop_copy HOST PORT USER PASSWORD QUIET_MS [hex]        hex: the messages' bytes as well
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/crosswire_client.h"

#define MS UINT64_C(1000000)
#define PATIENCE (10000 * MS) // without a message, while some are still to come

static bool with_bytes;
static uint64_t heard_ns;

static void print_copy(void *context, uint64_t sequence, const uint8_t *bytes, size_t size)
{
    struct xw_drop_copy copy;
    char line[160];
    (void)context;
    heard_ns = xw_now_ns();
    if (!xw_drop_copy_decode(bytes, size, &copy))
        return;
    xw_drop_copy_print(&copy, line, sizeof line);
    printf("%lu %s", (unsigned long)sequence, line);
    for (size_t i = 0; with_bytes && i < copy.size; i++)
        printf("%s%02x", i == 0 ? " | " : "", copy.message[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    if (argc != 6 && !(argc == 7 && strcmp(argv[6], "hex") == 0))
        return fprintf(stderr, "usage: example_drop_copy HOST PORT USER PASSWORD QUIET_MS [hex]\n"), 64;
    with_bytes = argc == 7;
    const uint64_t quiet_ns = strtoul(argv[5], NULL, 10) * MS;
    int socket = xw_udp_open(argv[1], (uint16_t)atoi(argv[2]));
    struct xw_session_config config = {
        .user = argv[3], .password = argv[4], .timeout_ns = 2000 * MS, .on_message = print_copy};
    struct xw_session *session = xw_session_open(&config);
    if (socket < 0 || session == NULL)
        return fprintf(stderr, "example_drop_copy: cannot reach %s\n", argv[1]), 69;

    xw_session_login(session);
    bool all = false;
    heard_ns = xw_now_ns();
    for (uint64_t now = heard_ns; quiet_ns == 0 || now < heard_ns + (all ? quiet_ns : PATIENCE); now = xw_now_ns()) {
        uint8_t datagram[XW_DATAGRAM_MAX];
        for (size_t size; (size = xw_session_poll(session, now, datagram)) > 0;)
            xw_udp_send(socket, datagram, size);
        ssize_t got = xw_udp_receive(socket, 10 * MS, datagram, sizeof datagram);
        if (got > 0)
            xw_session_receive(session, xw_now_ns(), datagram, (size_t)got);
        const bool before = all;
        all = xw_session_state(session) >= XW_SESSION_ON && xw_session_missing(session) == 0;
        if (all && !before)
            heard_ns = xw_now_ns();
        if (xw_session_state(session) == XW_SESSION_ENDED)
            break;
        if (xw_session_state(session) == XW_SESSION_REFUSED)
            return fprintf(stderr, "example_drop_copy: user or password is refused\n"), 77;
    }
    xw_session_logoff(session);
    uint8_t datagram[XW_DATAGRAM_MAX];
    for (size_t size; (size = xw_session_poll(session, xw_now_ns(), datagram)) > 0;)
        xw_udp_send(socket, datagram, size);
    xw_session_close(session);
    close(socket);
    if (!all)
        return fprintf(stderr, "example_drop_copy: %s has not told everything\n", argv[1]), 75;
    return 0;
}
