// SPDX-License-Identifier: Apache-2.0
#include "client/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int xw_udp_open(const char *host, uint16_t port)
{
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *address;
    if (getaddrinfo(host, service, &hints, &address) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(address);
    return fd;
}

static bool join(int fd, const char *group, const char *interface)
{
    struct ip_mreq request = {.imr_interface.s_addr = htonl(INADDR_ANY)};
    if (inet_pton(AF_INET, group, &request.imr_multiaddr) != 1 ||
        (interface != NULL && inet_pton(AF_INET, interface, &request.imr_interface) != 1)) {
        errno = EINVAL;
        return false;
    }
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

int xw_udp_listen(const char *group, const char *interface, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0 || (group != NULL && !join(fd, group, interface))) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

ssize_t xw_udp_receive(int socket, uint64_t timeout_ns, void *datagram, size_t size)
{
    struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000), (long)(timeout_ns % 1000000000)};
    int ready = ppoll(&poll_fd, 1, &timeout, NULL);
    if (ready <= 0)
        return ready == 0 || errno == EINTR ? 0 : -1;
    ssize_t got = recv(socket, datagram, size, MSG_DONTWAIT);
    if (got < 0 && (errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR))
        return 0;
    return got;
}

bool xw_udp_send(int socket, const void *datagram, size_t size)
{
    return send(socket, datagram, size, MSG_NOSIGNAL) >= 0 || errno == ECONNREFUSED || errno == EAGAIN ||
           errno == ENOBUFS || errno == EINTR;
}

uint64_t xw_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
