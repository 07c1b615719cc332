// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "perf/transport.h"

#define DATAGRAM_ROOM 2048
#define SOCKET_BUFFER (8 << 20)

struct udp_transport {
    struct transport base;
    unsigned count;
    unsigned next; // channel to look at first
    int sockets[CHANNELS_MAX];
    struct channel_address channels[CHANNELS_MAX];
    uint8_t buffers[TRANSPORT_BURST][DATAGRAM_ROOM];
};

static bool udp_send(struct transport *transport, unsigned channel, const void *payload, size_t size)
{
    struct udp_transport *udp = (struct udp_transport *)transport;
    if (send(udp->sockets[channel], payload, size, MSG_DONTWAIT) < 0) {
        // Refused: nobody listens at the moment. The datagram is lost, as any other may be.
        if (errno == EAGAIN || errno == ENOBUFS) {
            transport->send_refused++;
            return false;
        }
    }
    transport->sent++;
    const struct channel_address *at = &udp->channels[channel];
    if (transport->capture)
        capture_datagram(transport->capture, at->local_ip, at->local_port, at->remote_ip, at->remote_port, payload,
                         size);
    return true;
}

static void udp_flush(struct transport *transport)
{
    (void)transport;
}

static unsigned udp_receive(struct transport *transport, struct datagram *datagrams, unsigned most)
{
    struct udp_transport *udp = (struct udp_transport *)transport;
    unsigned count = 0, empty = 0;
    while (count < most && empty < udp->count) {
        unsigned channel = udp->next;
        ssize_t size = recv(udp->sockets[channel], udp->buffers[count], DATAGRAM_ROOM, MSG_DONTWAIT);
        if (size < 0) {
            empty++;
            udp->next = (channel + 1) % udp->count;
            continue;
        }
        datagrams[count] = (struct datagram){udp->buffers[count], (uint32_t)size, channel};
        const struct channel_address *at = &udp->channels[channel];
        if (transport->capture)
            capture_datagram(transport->capture, at->remote_ip, at->remote_port, at->local_ip, at->local_port,
                             udp->buffers[count], (size_t)size);
        count++;
    }
    transport->received += count;
    return count;
}

static void udp_done(struct transport *transport)
{
    (void)transport;
}

static bool udp_tend(struct transport *transport, uint64_t now_ns)
{
    (void)transport;
    (void)now_ns;
    return true;
}

static void udp_close(struct transport *transport)
{
    struct udp_transport *udp = (struct udp_transport *)transport;
    for (unsigned i = 0; i < udp->count; i++)
        close(udp->sockets[i]);
    free(udp);
}

static const struct transport_operations udp_operations = {udp_send, udp_flush, udp_receive,
                                                           udp_done, udp_tend,  udp_close};

static int open_socket(struct channel_address *at)
{
    int buffer = SOCKET_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    // Best effort: the kernel caps it at net.core.rmem_max, and what is lost is asked for again.
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(at->local_port), .sin_addr.s_addr = htonl(at->local_ip)};
    struct sockaddr_in remote = {
        .sin_family = AF_INET, .sin_port = htons(at->remote_port), .sin_addr.s_addr = htonl(at->remote_ip)};
    socklen_t size = sizeof local;
    if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0 ||
        connect(fd, (struct sockaddr *)&remote, sizeof remote) != 0 ||
        getsockname(fd, (struct sockaddr *)&local, &size) != 0) {
        close(fd);
        return -1;
    }
    at->local_ip = ntohl(local.sin_addr.s_addr);
    at->local_port = ntohs(local.sin_port);
    return fd;
}

struct transport *transport_udp_open(const struct channel_address *channels, unsigned count, struct capture *capture,
                                     char *error, size_t error_size)
{
    struct udp_transport *udp = calloc(1, sizeof *udp);
    if (!udp) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    udp->base = (struct transport){.operations = &udp_operations, .capture = capture};
    for (unsigned i = 0; i < count; i++) {
        udp->channels[i] = channels[i];
        udp->sockets[i] = open_socket(&udp->channels[i]);
        if (udp->sockets[i] < 0) {
            snprintf(error, error_size, "UDP socket for channel %u: %s", i, strerror(errno));
            udp_close(&udp->base);
            return NULL;
        }
        udp->count++;
    }
    return &udp->base;
}
