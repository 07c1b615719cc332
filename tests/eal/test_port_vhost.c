// SPDX-License-Identifier: Apache-2.0
// Two processes over vhost-user: this one makes the port, a child (this program again, with arguments) joins it.
// Neither pins a thread of its own; each polls and yields.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "io/eal.h"
#include "io/packet.h"
#include "io/port.h"
#include "tests/eal/eal_stage.h"

#define CLIENT_FRAMES 2000u
#define FLOOD_FRAMES 63u
#define GIVE_UP_SECONDS 240 // only a broken build waits that long

static char directory[] = "/tmp/xw-vhost-XXXXXX";
static char socket_path[64];
static struct config_port server_port = {.name = "wire", .profile = "vhost", .device = socket_path};
static struct config server = {.instance = "test",
                               .profile_directory = "nic_profiles",
                               .ports = &server_port,
                               .ports_count = 1,
                               .dataplane = {.memory_mb = 64}};
static const struct endpoint us = {{2, 0, 0, 0, 0, 1}, 0x0A000001, 0};
static const struct endpoint client_is = {{2, 0, 0, 0, 0, 2}, 0x0A000002, 0};

static bool too_late(time_t began)
{
    return time(NULL) - began > GIVE_UP_SECONDS;
}

// ---- the child
// -------------------------------------------------------------------------------------------------------

static void send_one(struct port_queue *queue, uint32_t number)
{
    struct frame frame;
    struct peer to = {.port = 4000, .ip = us.ip};
    size_t size = 4 + number % 1400;
    memcpy(to.mac, us.mac, 6);
    if (!port_new_frame(queue, &frame))
        exit(3);
    uint8_t *payload = packet_udp_payload(&client_is, &frame);
    memset(payload, (int)(number & 255), size);
    memcpy(payload, &number, 4);
    packet_finish_udp(&client_is, &to, 5000, size, &frame);
    port_send(queue, &frame, 1);
}

// The answer to frame `number`, whole and unchanged, or the client fails.
static void check_answer(struct frame *frame, uint32_t number)
{
    struct packet packet;
    packet_parse(&client_is, frame, &packet);
    if (packet.kind != PACKET_UDP || packet.size != 4 + number % 1400 || packet.to_port != 5000)
        exit(4);
    if (memcmp(packet.payload, &number, 4) != 0)
        exit(5);
    for (size_t i = 4; i < packet.size; i++) {
        if (packet.payload[i] != (uint8_t)number)
            exit(6);
    }
}

static void exchange(struct port_queue *queue, uint32_t number)
{
    time_t began = time(NULL);
    struct frame frame;
    send_one(queue, number);
    while (port_receive(queue, &frame, 1) == 0) {
        if (too_late(began))
            exit(7);
        sched_yield();
    }
    check_answer(&frame, number);
    port_release(queue, &frame, 1);
}

// Exchanges one frame, sends FLOOD_FRAMES, says so and stays.
static int flood(void)
{
    exchange(port_queue(0, 0), 0);
    for (uint32_t number = 0; number < FLOOD_FRAMES; number++)
        send_one(port_queue(0, 0), number);
    if (write(STDOUT_FILENO, "!", 1) != 1)
        return 8;
    for (;;)
        pause();
}

// "once": exchanges CLIENT_FRAMES frames, then leaves. "for-ever": says so on standard output after as many and never
// stops. "flood": above.
static int client(const char *path, const char *how)
{
    bool for_ever = strcmp(how, "for-ever") == 0;
    char error[512];
    struct config_port port = {.name = "client", .profile = "virtio_user", .device = path};
    struct config config = {.instance = "test-client",
                            .profile_directory = "nic_profiles",
                            .ports = &port,
                            .ports_count = 1,
                            .dataplane = {.memory_mb = 64}};
    if (eal_start(&config, error, sizeof error) != 0 || ports_open(&config, error, sizeof error) != 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    if (strcmp(how, "flood") == 0)
        return flood();
    for (uint32_t number = 0; for_ever || number < CLIENT_FRAMES; number++) {
        exchange(port_queue(0, 0), number);
        if (number == CLIENT_FRAMES && write(STDOUT_FILENO, "!", 1) != 1)
            return 8;
    }
    ports_close();
    return 0;
}

// ---- the server
// ------------------------------------------------------------------------------------------------------

static pid_t start_client(const char *how, int *ready)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // nothing is left of a test that fails
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl("/proc/self/exe", "client", how, socket_path, (char *)NULL);
        _exit(9);
    }
    close(ends[1]);
    *ready = ends[0];
    return pid;
}

// Sends every datagram back to where it came from.
static unsigned echo(struct port_queue *queue)
{
    struct frame frames[32];
    unsigned count = port_receive(queue, frames, 32);
    for (unsigned i = 0; i < count; i++) {
        struct packet packet;
        packet_parse(&us, &frames[i], &packet);
        if (packet.kind != PACKET_UDP) {
            port_release(queue, &frames[i], 1);
            continue;
        }
        packet_finish_udp(&us, &packet.from, packet.to_port, packet.size,
                          &frames[i]); // the payload stands where it is wanted
        port_send(queue, &frames[i], 1);
    }
    if (count == 0)
        sched_yield();
    return count;
}

static int serve_until_exit(pid_t pid)
{
    time_t began = time(NULL);
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        echo(port_queue(0, 0));
        if (too_late(began))
            kill(pid, SIGKILL);
    }
    return status;
}

static void open_server(void)
{
    char error[512] = "";
    int result = ports_open(&server, error, sizeof error);
    if (result != 0)
        print_message("%s\n", error);
    assert_int_equal(result, 0);
}

static void frames_cross_whole_in_both_directions(void **state)
{
    (void)state;
    int ready;
    open_server();
    assert_int_equal(serve_until_exit(start_client("once", &ready)), 0);
    close(ready);
    ports_close();
}

static bool readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 0) == 1;
}

static void a_peer_that_is_killed_in_full_flow_can_come_back(void **state)
{
    (void)state;
    open_server();
    for (int round = 0; round < 3; round++) {
        int ready;
        char mark;
        time_t began = time(NULL);
        pid_t pid = start_client("for-ever", &ready);
        while (!readable(ready) && !too_late(began))
            echo(port_queue(0, 0));
        assert_int_equal(read(ready, &mark, 1), 1);
        kill(pid, SIGKILL);
        int status = serve_until_exit(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(ready);
    }
    int ready;
    assert_int_equal(serve_until_exit(start_client("once", &ready)), 0);
    close(ready);
    ports_close();
}

static void frames_that_wait_are_taken_in_bursts_that_grow(void **state)
{
    (void)state;
    struct frame frames[PORT_BURST_MAX];
    unsigned taken = 0, looks = 0, count;
    int ready;
    open_server();
    time_t began = time(NULL);
    pid_t pid = start_client("flood", &ready);
    while (echo(port_queue(0, 0)) == 0 && !too_late(began))
        ;
    while (!readable(ready) && !too_late(began))
        sched_yield();
    while ((count = port_receive(port_queue(0, 0), frames, PORT_BURST_MAX)) != 0) {
        port_release(port_queue(0, 0), frames, count);
        taken += count;
        looks++;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready);
    ports_close();
    assert_int_equal(taken, FLOOD_FRAMES);
    assert_in_range(looks, 1, 7); // at the latest from 1 on: 1, 2, 4 .. 32
}

static void sending_without_a_peer_drops_and_leaks_nothing(void **state)
{
    (void)state;
    open_server();
    struct port_queue *queue = port_queue(0, 0);
    for (int i = 0; i < 100000; i++) { // more than the pool holds
        struct frame frame;
        assert_true(port_new_frame(queue, &frame));
        frame.length = 60;
        assert_int_equal(port_send(queue, &frame, 1), 0);
    }
    ports_close();
}

static int bind_there(int listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (listening)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void a_socket_that_a_dead_process_left_is_replaced(void **state)
{
    (void)state;
    close(bind_there(0));
    assert_int_equal(access(socket_path, F_OK), 0);
    open_server();
    ports_close();
    assert_int_not_equal(access(socket_path, F_OK), 0);
}

static void a_socket_that_a_live_process_holds_is_refused_with_the_mend(void **state)
{
    (void)state;
    char error[512] = "";
    int fd = bind_there(1);
    assert_int_equal(ports_open(&server, error, sizeof error), EX_UNAVAILABLE);
    assert_non_null(strstr(error, socket_path));
    assert_non_null(strstr(error, "stop it"));
    assert_int_equal(access(socket_path, F_OK), 0);
    close(fd);
    unlink(socket_path);
}

static void a_file_in_the_sockets_place_is_left_alone(void **state)
{
    (void)state;
    char error[512] = "";
    FILE *file = fopen(socket_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(ports_open(&server, error, sizeof error), EX_CONFIG);
    assert_int_equal(access(socket_path, F_OK), 0);
    unlink(socket_path);
}

static void a_directory_that_is_not_there_is_refused_and_nothing_stays_open(void **state)
{
    (void)state;
    char error[512] = "";
    struct config wrong = server;
    struct config_port ports[2] = {server_port, server_port};
    ports[1].device = "/nonexistent/wire.sock";
    wrong.ports = ports;
    wrong.ports_count = 2;
    assert_int_equal(ports_open(&wrong, error, sizeof error), EX_UNAVAILABLE);
    assert_non_null(strstr(error, "/nonexistent/wire.sock"));
    assert_null(port_queue(0, 0));
    assert_int_not_equal(access(socket_path, F_OK), 0);
}

static int start(void **state)
{
    (void)state;
    int result = stage_start(&server, directory);
    snprintf(socket_path, sizeof socket_path, "%s/wire.sock", directory);
    return result;
}

static int stop(void **state)
{
    (void)state;
    return stage_stop(directory);
}

int main(int count, char **arguments)
{
    if (count == 3)
        return client(arguments[2], arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_cross_whole_in_both_directions),
        cmocka_unit_test(a_peer_that_is_killed_in_full_flow_can_come_back),
        cmocka_unit_test(frames_that_wait_are_taken_in_bursts_that_grow),
        cmocka_unit_test(sending_without_a_peer_drops_and_leaks_nothing),
        cmocka_unit_test(a_socket_that_a_dead_process_left_is_replaced),
        cmocka_unit_test(a_socket_that_a_live_process_holds_is_refused_with_the_mend),
        cmocka_unit_test(a_file_in_the_sockets_place_is_left_alone),
        cmocka_unit_test(a_directory_that_is_not_there_is_refused_and_nothing_stays_open),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
