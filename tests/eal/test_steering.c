// SPDX-License-Identifier: Apache-2.0
// Two gateways at one port, a queue each: however the device deals its frames out, each gets the datagrams to its own
// UDP port and no other, in their order, and ARP and ICMP are answered. The kernel's network stack is the other end, in
// a network namespace of its own (needs root); over vhost it is a child (this program again, with an argument).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "io/eal.h"
#include "io/packet.h"
#include "io/port.h"
#include "tests/eal/eal_stage.h"

#define GIVE_UP_SECONDS 120 // only a broken build waits that long
#define FLOWS 16            // sources, dealt out by the device as it likes
#define EACH 40             // datagrams of a source to each gateway

static const char *no_namespace; // why the kernel's tests are skipped, or NULL
static char directory[] = "/tmp/xw-steering-XXXXXX";
static struct config_port port = {
    .name = "wire", .mac = "02:00:00:00:00:01", .mac_bytes = {2, 0, 0, 0, 0, 1}, .has_mac = true, .ip = 0x0AC74D01};
static struct config_gateway gateways[2] = {{.port = "wire", .udp_port = 4000, .queue = 0},
                                            {.port = "wire", .udp_port = 4001, .queue = 1}};
static struct config config = {.instance = "test",
                               .profile_directory = "nic_profiles",
                               .ports = &port,
                               .ports_count = 1,
                               .gateways = gateways,
                               .gateways_count = 2,
                               .dataplane = {.memory_mb = 96, .burst = 32}};
static const struct endpoint us = {{2, 0, 0, 0, 0, 1}, 0x0AC74D01, 0}; // 10.199.77.1

// By queue, so that two threads may count.
static unsigned got[2];     // datagrams
static unsigned strayed[2]; // of them, those that are the other's
static unsigned replies[2]; // ARP and echo requests answered

static void serve_queue(unsigned number)
{
    struct port_queue *queue = port_queue(0, number);
    struct frame frames[32];
    unsigned count = port_receive(queue, frames, 32);
    for (unsigned i = 0; i < count; i++) {
        struct packet packet;
        packet_parse(&us, &frames[i], &packet);
        if (packet.kind == PACKET_UDP) {
            strayed[number] += packet.to_port != gateways[number].udp_port;
            got[number]++;
            packet_finish_udp(&us, &packet.from, packet.to_port, packet.size, &frames[i]);
        }
        replies[number] += packet.kind == PACKET_REPLY;
        if (packet.kind == PACKET_UDP || packet.kind == PACKET_REPLY)
            port_send(queue, &frames[i], 1);
        else
            port_release(queue, &frames[i], 1);
    }
}

static void serve(void)
{
    serve_queue(0);
    serve_queue(1);
    sched_yield();
}

// The next eight answers at the socket are `first` and the seven after it, each once, and in their order where the
// device keeps it.
static bool take_answers(int fd, unsigned first, bool in_order)
{
    time_t began = time(NULL);
    unsigned seen = 0;
    for (unsigned count = 0; count < 8;) {
        unsigned number = UINT32_MAX;
        serve();
        if (time(NULL) - began > GIVE_UP_SECONDS)
            return false;
        if (recv(fd, &number, sizeof number, MSG_DONTWAIT) < 0)
            continue;
        if (number - first >= 8 || (in_order && number != first + count))
            return false;
        seen |= 1u << (number - first);
        count++;
    }
    return seen == 0xFF;
}

static int connected(uint16_t to_port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(to_port), .sin_addr.s_addr = htonl(us.ip)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

// Bursts of eight from every source, so that frames of both gateways stand in one burst of the device.
static void each_gets_its_own(bool in_order)
{
    int fds[2][FLOWS];
    for (unsigned i = 0; i < 2 * FLOWS; i++)
        fds[i % 2][i / 2] = connected(gateways[i % 2].udp_port);
    for (unsigned number = 0; number < EACH; number += 8) {
        for (unsigned i = 0; i < 2 * FLOWS; i++) {
            for (unsigned k = number; k < number + 8; k++)
                assert_int_equal(send(fds[i % 2][i / 2], &k, sizeof k, 0), sizeof k);
            serve();
        }
        for (unsigned i = 0; i < 2 * FLOWS; i++)
            assert_true(take_answers(fds[i % 2][i / 2], number, in_order));
    }
    for (unsigned i = 0; i < 2 * FLOWS; i++)
        close(fds[i % 2][i / 2]);
    assert_int_equal(got[0], FLOWS * EACH);
    assert_int_equal(got[1], FLOWS * EACH);
    assert_int_equal(strayed[0] + strayed[1], 0);
    assert_true(replies[0] + replies[1] > 0); // ARP at least
}

static void pings_are_answered(void)
{
    unsigned before = replies[0] + replies[1];
    pid_t pid = fork();
    int status = -1;
    if (pid == 0) {
        execlp("ping", "ping", "-n", "-q", "-c", "3", "-i", "0.01", "-W", "5", "10.199.77.1", (char *)NULL);
        _exit(127);
    }
    while (waitpid(pid, &status, WNOHANG) == 0)
        serve();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return; // no ping here; ARP was answered
    assert_int_equal(status, 0);
    assert_true(replies[0] + replies[1] >= before + 3);
}

static void make_veth(void)
{
    struct ethtool_channels two = {.cmd = ETHTOOL_SCHANNELS, .rx_count = 2, .tx_count = 2};
    stage_run(
        "ip link add xwport numrxqueues 2 numtxqueues 2 type veth peer name xwhost numrxqueues 2 numtxqueues 2 && "
        "ip link set xwport up && ip link set xwhost up && ip addr add 10.199.77.2/24 dev xwhost");
    stage_checksum_in_software("xwhost");
    stage_ethtool("xwport", &two);
    stage_ethtool("xwhost", &two);
}

static void open_port(const char *profile, const char *device)
{
    port.profile = profile;
    port.device = device;
    memset(got, 0, sizeof got);
    memset(strayed, 0, sizeof strayed);
    memset(replies, 0, sizeof replies);
    stage_open_ports(&config);
}

static void each_gateway_gets_its_own_over_af_packet(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    make_veth();
    open_port("af_packet", "xwport");
    each_gets_its_own(true);
    pings_are_answered();
    ports_close();
    stage_run("ip link del xwhost");
}

// One queue of a kernel interface that has two: what is written to it the interface receives at that queue.
static int tun_queue(const char *interface)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
    return fd;
}

static void write_number(int fd, uint16_t from_port, uint16_t to_port, unsigned number)
{
    const struct endpoint me = {{2, 0, 0, 0, 0, 2}, 0x0AC74D02, 0};
    uint8_t bytes[FRAME_MAX];
    struct frame frame = {.data = bytes};
    struct peer to = {.mac = {2, 0, 0, 0, 0, 1}, .port = to_port, .ip = us.ip};
    memcpy(packet_udp_payload(&me, &frame), &number, sizeof number);
    packet_finish_udp(&me, &to, from_port, sizeof number, &frame);
    assert_int_equal(write(fd, bytes, frame.length), frame.length);
}

// Counts the answers that wait at either queue.
static unsigned read_answers(const int *fds)
{
    const struct endpoint me = {{2, 0, 0, 0, 0, 2}, 0x0AC74D02, 0};
    unsigned count = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[FRAME_MAX];
        ssize_t size = read(fds[i], bytes, sizeof bytes);
        struct frame frame = {.data = bytes, .length = size > 0 ? (uint32_t)size : 0};
        struct packet packet;
        packet_parse(&me, &frame, &packet);
        count += packet.kind == PACKET_UDP;
    }
    return count;
}

static void each_gateway_gets_its_own_over_af_xdp(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    int fd = socket(AF_XDP, SOCK_RAW, 0);
    if (fd < 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("skipped because this kernel has no AF_XDP, or no /dev/net/tun\n");
        skip();
    }
    close(fd);
    const int fds[2] = {tun_queue("xwtun"), tun_queue("xwtun")};
    time_t began = time(NULL);
    unsigned answers = 0;
    stage_run("ip link set xwtun up");
    open_port("af_xdp", "xwtun");
    for (unsigned number = 0; number < 2 * FLOWS * EACH; number++) {
        write_number(fds[number / 2 % 2], (uint16_t)(5000 + number % FLOWS), gateways[number % 2].udp_port, number);
        serve();
        answers += read_answers(fds);
    }
    while (answers < 2 * FLOWS * EACH && time(NULL) - began < GIVE_UP_SECONDS) {
        serve();
        answers += read_answers(fds);
    }
    assert_int_equal(answers, 2 * FLOWS * EACH);
    assert_int_equal(got[0], FLOWS * EACH);
    assert_int_equal(got[1], FLOWS * EACH);
    assert_int_equal(strayed[0] + strayed[1], 0);
    ports_close();
    close(fds[0]);
    close(fds[1]);
}

// A gateway that stands still holds up to a ring of frames; what is more is its receiver's to discard. Nobody waits.
static void a_queue_that_nobody_polls_does_not_stop_the_other(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("skipped because there is no /dev/net/tun\n");
        skip();
    }
    enum { RING = 2048, MORE = 500 }; // rx_descriptors of the profile
    const int fds[2] = {tun_queue("xwtun"), tun_queue("xwtun")};
    stage_run("ip link set xwtun up");
    open_port("af_xdp", "xwtun");
    for (unsigned number = 0; number < RING + MORE; number++) {
        write_number(fds[0], 5000, 4001, number);
        serve_queue(0);
        read_answers(fds);
    }
    write_number(fds[0], 5000, 4000, 0);
    for (time_t began = time(NULL); got[0] < MORE + 1 && time(NULL) - began < GIVE_UP_SECONDS;)
        serve_queue(0);
    assert_int_equal(strayed[0], MORE);
    assert_int_equal(got[0], MORE + 1);
    for (time_t began = time(NULL); got[1] < RING && time(NULL) - began < GIVE_UP_SECONDS;)
        serve_queue(1);
    assert_int_equal(got[1], RING);
    assert_int_equal(strayed[1], 0);
    ports_close();
    close(fds[0]);
    close(fds[1]);
}

// tap takes flow rules where the kernel has tc's flower classifier; elsewhere software steps in.
static void each_gateway_gets_its_own_over_tap(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("skipped because /dev/net/tun is missing: modprobe tun\n");
        skip();
    }
    open_port("tap", "xwtap");
    stage_run("ip addr add 10.199.77.2/24 dev xwtap && ip link set xwtap up");
    each_gets_its_own(false); // the kernel moves a flow to the queue that it was answered at
    pings_are_answered();
    ports_close();
}

static void a_device_of_one_queue_is_refused_with_the_mend(void **state)
{
    (void)state;
    char error[512] = "";
    port.profile = "pcap";
    port.device = "orders.pcap";
    assert_int_equal(ports_open(&config, error, sizeof error), EX_CONFIG);
    assert_non_null(strstr(error, "2 queues wanted"));
    assert_non_null(strstr(error, "queue 0 and one lcore"));
    assert_null(strchr(error, '\n'));
    assert_null(port_queue(0, 0));
}

static void a_burst_that_the_driver_never_serves_is_refused_with_the_mend(void **state)
{
    (void)state;
    char error[512] = "", path[96];
    struct config small = config;
    snprintf(path, sizeof path, "%s/vector.yaml", directory);
    FILE *file = fopen(path, "w");
    fputs("name: vector\nkind: vdev\ndriver: net_null\ndevice_is: file\nbinding: none\nrx_descriptors: 64\n"
          "tx_descriptors: 64\nbuffers: 1024\nburst: 8\nsteering: software\n",
          file);
    fclose(file);
    small.profile_directory = directory;
    small.dataplane.burst = 7;
    port.profile = "vector";
    port.device = "";
    assert_int_equal(ports_open(&small, error, sizeof error), EX_CONFIG);
    assert_non_null(strstr(error, "raise dataplane.burst"));
    small.dataplane.burst = 8;
    assert_int_equal(ports_open(&small, error, sizeof error), 0);
    ports_close();
    unlink(path);
}

// ---- vhost: the child joins with two queues of its own --------------------------------------------------------------

static void send_number(struct port_queue *queue, const struct endpoint *from, uint16_t from_port, uint16_t to_port,
                        unsigned number)
{
    struct frame frame;
    struct peer to = {.mac = {2, 0, 0, 0, 0, 1}, .port = to_port, .ip = us.ip};
    if (!port_new_frame(queue, &frame))
        exit(3);
    memcpy(packet_udp_payload(from, &frame), &number, sizeof number);
    packet_finish_udp(from, &to, from_port, sizeof number, &frame);
    port_send(queue, &frame, 1);
}

// Sends from each of its queues to each gateway; the answers must come to the queue of the port that they name.
static int client(const char *path)
{
    const struct endpoint me = {{2, 0, 0, 0, 0, 2}, 0x0AC74D02, 0};
    char error[512];
    struct config_port own = {.name = "client", .profile = "virtio_user", .device = path, .ip = me.ip};
    struct config_gateway ends[2] = {{.udp_port = 5000, .queue = 0}, {.udp_port = 5001, .queue = 1}};
    struct config joined = {.instance = "test-client",
                            .profile_directory = "nic_profiles",
                            .ports = &own,
                            .ports_count = 1,
                            .gateways = ends,
                            .gateways_count = 2,
                            .dataplane = {.memory_mb = 96, .burst = 32}};
    if (eal_start(&joined, error, sizeof error) != 0 || ports_open(&joined, error, sizeof error) != 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    for (unsigned number = 0; number < FLOWS * EACH; number++) {
        time_t began = time(NULL);
        unsigned answers = 0;
        for (unsigned queue = 0; queue < 2; queue++)
            send_number(port_queue(0, queue), &me, ends[queue].udp_port, gateways[(number + queue) % 2].udp_port,
                        number);
        while (answers < 2) {
            for (unsigned queue = 0; queue < 2; queue++) {
                struct frame frame;
                struct packet packet;
                if (port_receive(port_queue(0, queue), &frame, 1) == 0)
                    continue;
                packet_parse(&me, &frame, &packet);
                if (packet.kind != PACKET_UDP || packet.to_port != ends[queue].udp_port ||
                    memcmp(packet.payload, &number, sizeof number) != 0)
                    return 4;
                port_release(port_queue(0, queue), &frame, 1);
                answers++;
            }
            if (time(NULL) - began > GIVE_UP_SECONDS)
                return 5;
            sched_yield();
        }
    }
    ports_close();
    return 0;
}

static _Atomic bool stop_polling;

// Polls queue 1 on a thread of its own, as a second lcore would.
static void *poll_queue_1(void *argument)
{
    (void)argument;
    while (!stop_polling) {
        serve_queue(1);
        sched_yield();
    }
    return NULL;
}

static void each_gateway_gets_its_own_over_vhost_on_two_cores(void **state)
{
    (void)state;
    char path[96];
    pthread_t second;
    time_t began = time(NULL);
    int status = -1;
    snprintf(path, sizeof path, "%s/wire.sock", directory);
    open_port("vhost", path);
    stop_polling = false;
    assert_int_equal(pthread_create(&second, NULL, poll_queue_1, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "client", path, (char *)NULL);
        _exit(9);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        serve_queue(0);
        sched_yield();
        if (time(NULL) - began > 2 * GIVE_UP_SECONDS)
            kill(pid, SIGKILL);
    }
    stop_polling = true;
    pthread_join(second, NULL);
    assert_int_equal(status, 0);
    assert_int_equal(got[0], FLOWS * EACH);
    assert_int_equal(got[1], FLOWS * EACH);
    assert_int_equal(strayed[0] + strayed[1], 0);
    ports_close();
}

static int start(void **state)
{
    (void)state;
    no_namespace = stage_own_network();
    port.profile = "pcap";
    port.device = "none";
    return stage_start(&config, directory);
}

static int stop(void **state)
{
    (void)state;
    return stage_stop(directory);
}

int main(int count, char **arguments)
{
    if (count == 2)
        return client(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_of_one_queue_is_refused_with_the_mend),
        cmocka_unit_test(a_burst_that_the_driver_never_serves_is_refused_with_the_mend),
        cmocka_unit_test(each_gateway_gets_its_own_over_vhost_on_two_cores),
        cmocka_unit_test(each_gateway_gets_its_own_over_af_packet),
        cmocka_unit_test(each_gateway_gets_its_own_over_af_xdp),
        cmocka_unit_test(a_queue_that_nobody_polls_does_not_stop_the_other),
        cmocka_unit_test(each_gateway_gets_its_own_over_tap),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
