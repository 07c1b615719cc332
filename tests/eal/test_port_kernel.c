// SPDX-License-Identifier: Apache-2.0
// Ports whose other end is the kernel's own network stack: it must resolve us by ARP, ping us and get its datagrams
// back. In a network namespace of its own, so that nothing of the machine is touched and nothing is left behind. Needs
// root.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "contract/wire.h"
#include "io/eal.h"
#include "io/packet.h"
#include "io/port.h"
#include "tests/eal/eal_stage.h"

#define GIVE_UP_SECONDS 120 // only a broken build waits that long

static const char *no_namespace; // why the kernel's tests are skipped, or NULL
static char directory[] = "/tmp/xw-kernel-XXXXXX";

static struct config_port port = {
    .name = "wire", .mac = "02:00:00:00:00:01", .mac_bytes = {2, 0, 0, 0, 0, 1}, .has_mac = true};
static struct config config = {.instance = "test",
                               .profile_directory = "nic_profiles",
                               .ports = &port,
                               .ports_count = 1,
                               .dataplane = {.memory_mb = 64}};
static const struct endpoint us = {{2, 0, 0, 0, 0, 1}, 0x0AC74D01, 0}; // 10.199.77.1

static unsigned replies;   // ARP and echo requests that we have answered
static unsigned datagrams; // sent back

static void serve(void)
{
    struct port_queue *queue = port_queue(0, 0);
    struct frame frames[32];
    unsigned count = port_receive(queue, frames, 32);
    for (unsigned i = 0; i < count; i++) {
        struct packet packet;
        packet_parse(&us, &frames[i], &packet);
        if (packet.kind == PACKET_UDP)
            packet_finish_udp(&us, &packet.from, packet.to_port, packet.size, &frames[i]);
        if (packet.kind == PACKET_UDP || packet.kind == PACKET_REPLY) {
            replies += packet.kind == PACKET_REPLY;
            datagrams += packet.kind == PACKET_UDP;
            port_send(queue, &frames[i], 1);
        } else {
            port_release(queue, &frames[i], 1);
        }
    }
    if (count == 0)
        sched_yield();
}

// Serves until the socket has something; returns its size, -1 when nothing comes.
static ssize_t serve_until(int fd, void *data, size_t size)
{
    time_t began = time(NULL);
    while (time(NULL) - began < GIVE_UP_SECONDS) {
        serve();
        ssize_t got = recv(fd, data, size, MSG_DONTWAIT);
        if (got >= 0)
            return got;
    }
    return -1;
}

static int connected(int type, int protocol)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4000), .sin_addr.s_addr = htonl(us.ip)};
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, protocol);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void datagrams_come_back(void)
{
    int fd = connected(SOCK_DGRAM, 0);
    for (int i = 0; i < 100; i++) {
        char sent[1472], got[1500];
        size_t size = (size_t)(i * 14 + 1);
        memset(sent, i, size);
        assert_int_equal(send(fd, sent, size, 0), size);
        assert_int_equal(serve_until(fd, got, sizeof got), size);
        assert_memory_equal(sent, got, size);
    }
    close(fd);
    assert_true(datagrams >= 100);
}

static uint16_t sum(const uint8_t *at, size_t size)
{
    uint32_t total = 0;
    for (size_t i = 0; i < size; i += 2)
        total += get_be16(at + i);
    while (total >> 16)
        total = (total & 0xFFFF) + (total >> 16);
    return (uint16_t)~total;
}

static void pings_are_answered(void)
{
    int fd = connected(SOCK_RAW, IPPROTO_ICMP);
    for (unsigned i = 0; i < 10; i++) {
        uint8_t request[64] = {ICMP_ECHO}, got[256];
        put_be16(request + 6, (uint16_t)i);
        memset(request + 8, (int)i, sizeof request - 8);
        put_be16(request + 2, sum(request, sizeof request));
        assert_int_equal(send(fd, request, sizeof request, 0), sizeof request);
        assert_int_equal(serve_until(fd, got, sizeof got), 20 + sizeof request);
        assert_int_equal(got[20], ICMP_ECHOREPLY);
        assert_memory_equal(got + 24, request + 4, sizeof request - 4);
    }
    close(fd);
    assert_true(replies > 10); // the pings, and at least one ARP request before
}

static void make_veth(void)
{
    stage_run("ip link add xwport type veth peer name xwhost && ip link set xwport up && ip link set xwhost up && "
              "ip addr add 10.199.77.2/24 dev xwhost");
    stage_checksum_in_software("xwhost");
}

static void open_port(const char *profile, const char *device)
{
    port.profile = profile;
    port.device = device;
    replies = datagrams = 0;
    stage_open_ports(&config);
}

static void the_kernel_reaches_us_over_af_packet(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    make_veth();
    open_port("af_packet", "xwport");
    datagrams_come_back();
    pings_are_answered();
    ports_close();
    stage_run("ip link del xwhost");
}

static void the_kernel_reaches_us_over_af_xdp(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    int fd = socket(AF_XDP, SOCK_RAW, 0);
    if (fd < 0) {
        print_message("skipped because this kernel has no AF_XDP\n");
        skip();
    }
    close(fd);
    make_veth();
    open_port("af_xdp", "xwport");
    datagrams_come_back();
    pings_are_answered();
    ports_close();
    stage_run("ip link del xwhost");
}

static void the_kernel_reaches_us_over_tap(void **state)
{
    (void)state;
    stage_skip_for(no_namespace);
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        print_message("skipped because /dev/net/tun is missing: modprobe tun\n");
        skip();
    }
    open_port("tap", "xwtap");
    stage_run("ip addr add 10.199.77.2/24 dev xwtap && ip link set xwtap up");
    datagrams_come_back();
    pings_are_answered();
    ports_close();
}

static void an_interface_that_is_not_there_is_refused_with_the_mend(void **state)
{
    (void)state;
    char error[512] = "";
    port.profile = "af_packet";
    port.device = "xwnone";
    assert_int_not_equal(ports_open(&config, error, sizeof error), 0);
    assert_non_null(strstr(error, "xwnone"));
    assert_non_null(strstr(error, "ip link set"));
}

#define CAPTURED 50u

static void write_capture(const char *path)
{
    const struct endpoint client = {{2, 0, 0, 0, 0, 2}, 0x0AC74D02, 0};
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t *file = pcap_dump_open(pcap, path);
    assert_non_null(file);
    for (unsigned i = 0; i < CAPTURED; i++) {
        uint8_t bytes[FRAME_MAX];
        struct frame frame = {.data = bytes};
        struct peer to = {.mac = {2, 0, 0, 0, 0, 1}, .port = 4000, .ip = us.ip};
        memset(packet_udp_payload(&client, &frame), (int)i, i + 1);
        packet_finish_udp(&client, &to, 5000, i + 1, &frame);
        struct pcap_pkthdr head = {.caplen = frame.length, .len = frame.length};
        pcap_dump((u_char *)file, &head, bytes);
    }
    pcap_dump_close(file);
    pcap_close(pcap);
}

static void check_answers(const char *path)
{
    const struct endpoint client = {{2, 0, 0, 0, 0, 2}, 0x0AC74D02, 0};
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    assert_non_null(pcap);
    for (unsigned i = 0; i < CAPTURED; i++) {
        struct pcap_pkthdr *head;
        const u_char *data;
        uint8_t bytes[FRAME_MAX];
        struct packet packet;
        assert_int_equal(pcap_next_ex(pcap, &head, &data), 1);
        memcpy(bytes, data, head->caplen);
        struct frame frame = {.data = bytes, .length = head->caplen};
        packet_parse(&client, &frame, &packet);
        assert_int_equal(packet.kind, PACKET_UDP);
        assert_int_equal(packet.size, i + 1);
        assert_int_equal(packet.payload[i], i);
        assert_int_equal(packet.to_port, 5000);
    }
    pcap_close(pcap);
}

static void a_capture_is_played_and_the_answers_are_captured(void **state)
{
    (void)state;
    char path[64], answers[80];
    snprintf(path, sizeof path, "%s/orders.pcap", directory);
    snprintf(answers, sizeof answers, "%s.out.pcap", path);
    write_capture(path);
    open_port("pcap", path);
    time_t began = time(NULL);
    while (datagrams < CAPTURED && time(NULL) - began < GIVE_UP_SECONDS)
        serve();
    assert_int_equal(datagrams, CAPTURED);
    ports_close();
    check_answers(answers);
    unlink(path);
    unlink(answers);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_is_played_and_the_answers_are_captured),
        cmocka_unit_test(an_interface_that_is_not_there_is_refused_with_the_mend),
        cmocka_unit_test(the_kernel_reaches_us_over_af_packet),
        cmocka_unit_test(the_kernel_reaches_us_over_af_xdp),
        cmocka_unit_test(the_kernel_reaches_us_over_tap),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
