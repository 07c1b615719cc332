// SPDX-License-Identifier: Apache-2.0
// An ordinary blocking UDP socket, for clients that need no more.
#ifndef CROSSWIRE_CLIENT_UDP_H
#define CROSSWIRE_CLIENT_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A socket that talks to `host`:`port` only (name or address). Returns the descriptor, -1 with errno set; a name that
// cannot be resolved is EADDRNOTAVAIL. Close it with close().
int xw_udp_open(const char *host, uint16_t port);

// A socket that receives at local `port`, joining multicast `group` on the interface with address `interface` (either
// may be NULL: no group, any interface). For market data.
int xw_udp_listen(const char *group, const char *interface, uint16_t port);

// Waits for one datagram at most until `timeout_ns` from now (0: does not wait). Its size, 0 for none, -1 with errno. A
// destination that is not there yet (ECONNREFUSED) counts as none.
ssize_t xw_udp_receive(int socket, uint64_t timeout_ns, void *datagram, size_t size);

// Sends one datagram; false with errno set. A full send buffer or a destination that is not there is not an error: the
// session layer repeats what counts.
bool xw_udp_send(int socket, const void *datagram, size_t size);

// A monotonic clock for the sessions, ns.
uint64_t xw_now_ns(void);

#endif
