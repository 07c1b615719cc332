// SPDX-License-Identifier: Apache-2.0
// What stands in the datagrams that the service manager gets, and that nothing happens where there is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/notify.h"

static int listener;
static char got[1024];

static int open_listener(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/xw-notify-%d", (int)getpid());
    unlink(address.sun_path);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return 0;
}

static int close_listener(void **state)
{
    (void)state;
    unlink(getenv("NOTIFY_SOCKET"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return close(listener);
}

static const char *next(void)
{
    ssize_t size = recv(listener, got, sizeof got - 1, 0);
    got[size > 0 ? size : 0] = '\0';
    return size > 0 ? got : NULL;
}

static void each_message_is_one_datagram(void **state)
{
    (void)state;
    notify_ready("generation %d", 7);
    assert_string_equal(next(), "READY=1\nSTATUS=generation 7");
    notify_status("waits");
    assert_string_equal(next(), "STATUS=waits");
    notify_alive();
    assert_string_equal(next(), "WATCHDOG=1");
    notify_patience(30);
    assert_string_equal(next(), "EXTEND_TIMEOUT_USEC=30000000");
    notify_stopping("drains");
    assert_string_equal(next(), "STOPPING=1\nSTATUS=drains");
    notify_reloading();
    assert_non_null(next());
    assert_int_equal(strncmp(got, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    assert_true(atoll(got + 27) > 0);
    assert_null(next());
}

static void a_long_status_is_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    notify_status("%s", text);
    assert_true(strlen(next()) < 600);
}

static void the_interval_is_the_units(void **state)
{
    (void)state;
    char pid[32];
    assert_int_equal(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "10000000", 1);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ns(), UINT64_C(10000000000));
    setenv("WATCHDOG_PID", "1", 1); // somebody else's
    assert_int_equal(notify_watchdog_ns(), 0);
}

static void without_a_service_manager_nothing_is_said(void **state)
{
    (void)state;
    char socket_path[108];
    snprintf(socket_path, sizeof socket_path, "%s", getenv("NOTIFY_SOCKET"));
    unsetenv("NOTIFY_SOCKET");
    notify_ready("x");
    notify_alive();
    notify_stopping("x");
    assert_null(next());
    setenv("NOTIFY_SOCKET", "/tmp/xw-notify-nobody-listens", 1);
    notify_ready("x"); // one that has gone away is no reason to stop
    setenv("NOTIFY_SOCKET", socket_path, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_message_is_one_datagram, open_listener, close_listener),
        cmocka_unit_test_setup_teardown(a_long_status_is_cut, open_listener, close_listener),
        cmocka_unit_test_setup_teardown(the_interval_is_the_units, open_listener, close_listener),
        cmocka_unit_test_setup_teardown(without_a_service_manager_nothing_is_said, open_listener, close_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
