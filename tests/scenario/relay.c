// SPDX-License-Identifier: Apache-2.0
// For unkind_network.sh.
//   relay relay PORT IP PORT2 SEED      carries datagrams between 127.0.0.1:PORT and IP:PORT2, with a socket towards
//   there for
//                                       each source here: loses some, doubles some, swaps some, and repeats some much
//                                       later. SIGTERM: says what it did and ends.
//   relay storm IP PORT SECONDS SEED    sends junk, and blocks that look right, from sockets that never logged in;
//                                       so long, and 20,000 of them at least
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16, OLD = 256, BYTES = 2048, STORM_SOCKETS = 8, STORM_LEAST = 20000 };
enum { LOST = 3, DOUBLED = 50, SWAPPED = 30, REPEATED = 20, OF = 1000 };

struct datagram {
    size_t size; // 0: none
    char bytes[BYTES];
};

struct way {              // one direction of one client
    struct datagram held; // goes out behind the next one
    struct datagram old[OLD];
    uint64_t count;
};

struct client {
    struct sockaddr_in from;
    int far; // socket towards the server
    struct way up, down;
};

static struct client clients[CLIENTS_MAX];
static unsigned clients_count;
static int near;
static volatile sig_atomic_t stopped;
static uint64_t state, carried, lost, doubled, swapped, repeated;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % below);
}

static struct sockaddr_in address(const char *ip, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, ip, &at.sin_addr);
    return at;
}

static void put(const struct client *client, bool up, const struct datagram *datagram)
{
    // What can not be sent is lost, as on any network.
    ssize_t sent =
        up ? send(client->far, datagram->bytes, datagram->size, 0)
           : sendto(near, datagram->bytes, datagram->size, 0, (const void *)&client->from, sizeof client->from);
    carried += sent >= 0;
}

static void let_go(struct client *client, bool up)
{
    struct way *way = up ? &client->up : &client->down;
    if (way->held.size)
        put(client, up, &way->held);
    way->held.size = 0;
}

static void carry(struct client *client, bool up, const struct datagram *datagram)
{
    struct way *way = up ? &client->up : &client->down;
    uint32_t fate = draw(OF);
    way->old[way->count++ % OLD] = *datagram;
    if (fate < LOST) {
        lost++;
        return;
    }
    if (fate < LOST + SWAPPED && !way->held.size) {
        way->held = *datagram;
        swapped++;
        return;
    }
    put(client, up, datagram);
    let_go(client, up);
    fate = draw(OF);
    if (fate < DOUBLED) {
        put(client, up, datagram);
        doubled++;
    } else if (fate < DOUBLED + REPEATED && way->count > OLD) {
        put(client, up, &way->old[draw(OLD)]);
        repeated++;
    }
}

static struct client *client_of(const struct sockaddr_in *from, const struct sockaddr_in *server)
{
    for (unsigned i = 0; i < clients_count; i++)
        if (clients[i].from.sin_port == from->sin_port && clients[i].from.sin_addr.s_addr == from->sin_addr.s_addr)
            return &clients[i];
    if (clients_count == CLIENTS_MAX)
        return NULL;
    struct client *client = &clients[clients_count];
    client->from = *from;
    client->far = socket(AF_INET, SOCK_DGRAM, 0);
    if (client->far < 0 || connect(client->far, (const void *)server, sizeof *server) != 0)
        return NULL;
    clients_count++;
    return client;
}

static void take_all(const struct sockaddr_in *server)
{
    static struct datagram datagram;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t got;
    while ((got = recvfrom(near, datagram.bytes, BYTES, MSG_DONTWAIT, (void *)&from, &length)) > 0) {
        struct client *client = client_of(&from, server);
        datagram.size = (size_t)got;
        length = sizeof from;
        if (client)
            carry(client, true, &datagram);
    }
    for (unsigned i = 0; i < clients_count; i++) {
        while ((got = recv(clients[i].far, datagram.bytes, BYTES, MSG_DONTWAIT)) > 0) {
            datagram.size = (size_t)got;
            carry(&clients[i], false, &datagram);
        }
    }
}

static int relay(char **arguments)
{
    struct sockaddr_in here = address("127.0.0.1", arguments[0]), server = address(arguments[1], arguments[2]);
    state = strtoull(arguments[3], NULL, 10) * 2654435761u + 1;
    near = socket(AF_INET, SOCK_DGRAM, 0);
    if (near < 0 || bind(near, (const void *)&here, sizeof here) != 0) {
        perror("relay");
        return 1;
    }
    signal(SIGTERM, stop);
    while (!stopped) {
        struct pollfd fds[CLIENTS_MAX + 1] = {{.fd = near, .events = POLLIN}};
        for (unsigned i = 0; i < clients_count; i++)
            fds[i + 1] = (struct pollfd){.fd = clients[i].far, .events = POLLIN};
        if (poll(fds, clients_count + 1, 2) == 0) {
            for (unsigned i = 0; i < clients_count; i++) {
                let_go(&clients[i], true);
                let_go(&clients[i], false);
            }
        }
        take_all(&server);
    }
    printf("carried %llu, lost %llu, doubled %llu, swapped %llu, repeated late %llu\n", (unsigned long long)carried,
           (unsigned long long)lost, (unsigned long long)doubled, (unsigned long long)swapped,
           (unsigned long long)repeated);
    return 0;
}

// ---- the storm ------------------------------------------------------------------------------------------------------

// Blocks as a client would send them, or anything.
static size_t make_up(uint8_t *out)
{
    static const char types[] = "ULTRO";
    size_t size = draw(8) == 0 ? draw(1400) : 0;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)draw(256);
    while (size < 1000 && draw(4)) {
        size_t length = 1 + draw(60);
        out[size++] = 0;
        out[size++] = (uint8_t)length;
        for (size_t i = 0; i < length; i++)
            out[size + i] = (uint8_t)draw(256);
        out[size] = (uint8_t)types[draw(5)];
        size += length;
    }
    return size;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int storm(char **arguments)
{
    struct sockaddr_in server = address(arguments[0], arguments[1]);
    int sockets[STORM_SOCKETS];
    state = strtoull(arguments[3], NULL, 10) * 2654435761u + 1;
    for (unsigned i = 0; i < STORM_SOCKETS; i++) {
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (sockets[i] < 0 || connect(sockets[i], (const void *)&server, sizeof server) != 0) {
            perror("storm");
            return 1;
        }
    }
    double end = seconds_now() + atof(arguments[2]);
    uint64_t sent = 0;
    while (seconds_now() < end || sent < STORM_LEAST) {
        for (unsigned i = 0; i < 64; i++) {
            uint8_t bytes[BYTES];
            size_t size = make_up(bytes);
            sent += send(sockets[draw(STORM_SOCKETS)], bytes, size, MSG_DONTWAIT) >= 0;
        }
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL); // the others need this core, too
    }
    printf("%llu datagrams of junk\n", (unsigned long long)sent);
    return 0;
}

int main(int count, char **list)
{
    if (count == 6 && strcmp(list[1], "relay") == 0)
        return relay(list + 2);
    if (count == 6 && strcmp(list[1], "storm") == 0)
        return storm(list + 2);
    fputs("usage: relay relay PORT IP PORT2 SEED | storm IP PORT SECONDS SEED\n", stderr);
    return 64;
}
