// SPDX-License-Identifier: Apache-2.0
// The socket helper over loopback.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/udp.h"

#define SECOND UINT64_C(1000000000)

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void a_datagram_comes_through_as_it_was_sent(void **state)
{
    (void)state;
    int to = xw_udp_listen(NULL, NULL, 0);
    assert_true(to >= 0);
    int from = xw_udp_open("127.0.0.1", port_of(to));
    assert_true(from >= 0);
    char buffer[16];
    assert_int_equal(xw_udp_receive(to, 0, buffer, sizeof buffer), 0);
    assert_true(xw_udp_send(from, "hello", 5));
    assert_int_equal(xw_udp_receive(to, SECOND, buffer, sizeof buffer), 5);
    assert_memory_equal(buffer, "hello", 5);
    assert_int_equal(xw_udp_receive(to, 0, buffer, sizeof buffer), 0);
    close(from);
    close(to);
}

static void a_venue_that_is_not_there_is_silence_and_no_error(void **state)
{
    (void)state;
    int gone = xw_udp_listen(NULL, NULL, 0);
    uint16_t port = port_of(gone);
    int from = xw_udp_open("127.0.0.1", port);
    close(gone);
    char buffer[16];
    for (int i = 0; i < 3; i++) {
        assert_true(xw_udp_send(from, "hello", 5));
        assert_int_equal(xw_udp_receive(from, SECOND / 1000, buffer, sizeof buffer), 0);
    }
    close(from);
}

static void a_bad_address_is_told(void **state)
{
    (void)state;
    char name[512]; // longer than any name, so that no resolver is asked
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(xw_udp_open(name, 1), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(xw_udp_listen("not a group", NULL, 0), -1);
    assert_int_equal(errno, EINVAL);
}

static void the_clock_does_not_run_backwards(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = xw_now_ns();
        assert_true(now >= last);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_comes_through_as_it_was_sent),
        cmocka_unit_test(a_venue_that_is_not_there_is_silence_and_no_error),
        cmocka_unit_test(a_bad_address_is_told),
        cmocka_unit_test(the_clock_does_not_run_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
