// SPDX-License-Identifier: Apache-2.0
#include "perf/capture.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/packet.h"

struct capture {
    pcap_t *format;
    pcap_dumper_t *file;
};

struct capture *capture_open(const char *path, char *error, size_t error_size)
{
    struct capture *capture = calloc(1, sizeof *capture);
    if (!capture) {
        snprintf(error, error_size, "%s: no memory", path);
        return NULL;
    }
    capture->format = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
    if (capture->format)
        capture->file = pcap_dump_open(capture->format, path);
    if (!capture->file) {
        snprintf(error, error_size, "%s", capture->format ? pcap_geterr(capture->format) : "libpcap refused");
        if (capture->format)
            pcap_close(capture->format);
        free(capture);
        return NULL;
    }
    return capture;
}

void capture_frame(struct capture *capture, const void *frame, size_t size)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    // With nanosecond precision libpcap takes the nanoseconds in tv_usec.
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec}, .caplen = (bpf_u_int32)size, .len = (bpf_u_int32)size};
    pcap_dump((u_char *)capture->file, &header, frame);
}

// Sockets show no MAC addresses: these are made from the IPv4 address, locally administered.
static void made_up_mac(uint8_t mac[6], uint32_t ip)
{
    mac[0] = 0x02;
    mac[1] = 0x00;
    for (int i = 0; i < 4; i++)
        mac[2 + i] = (uint8_t)(ip >> (24 - 8 * i));
}

void capture_datagram(struct capture *capture, uint32_t from_ip, uint16_t from_port, uint32_t to_ip, uint16_t to_port,
                      const void *payload, size_t size)
{
    uint8_t bytes[FRAME_MAX];
    struct endpoint us = {.ip = from_ip};
    struct peer them = {.ip = to_ip, .port = to_port};
    struct frame frame = {.data = bytes};
    memset(bytes, 0, sizeof bytes);
    made_up_mac(us.mac, from_ip);
    made_up_mac(them.mac, to_ip);
    memcpy(packet_udp_payload(&us, &frame), payload, size);
    packet_finish_udp(&us, &them, from_port, size, &frame);
    capture_frame(capture, frame.data, frame.length);
}

int capture_close(struct capture *capture)
{
    int result = pcap_dump_flush(capture->file) == 0 ? 0 : -1;
    pcap_dump_close(capture->file);
    pcap_close(capture->format);
    free(capture);
    return result;
}
