// SPDX-License-Identifier: Apache-2.0
// What the service manager is told, by systemd's notification protocol. Every call does nothing when nobody listens
// (NOTIFY_SOCKET is not set). Each is a system call or some: not for pinned cores.
#ifndef CROSSWIRE_CONTRACT_NOTIFY_H
#define CROSSWIRE_CONTRACT_NOTIFY_H

#include <stdint.h>

// READY=1 with a status line: a start, or a reload, is complete.
void notify_ready(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The line that `systemctl status` shows.
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

// RELOADING=1 with the time of now; notify_ready ends it.
void notify_reloading(void);

// STOPPING=1 with a status line.
void notify_stopping(const char *format, ...) __attribute__((format(printf, 1, 2)));

// WATCHDOG=1: everything that must move has moved.
void notify_alive(void);

// The interval within which notify_alive is waited for, ns; 0: it is not.
uint64_t notify_watchdog_ns(void);

// EXTEND_TIMEOUT_USEC: what is under way, a start or a stop, goes on and is to be given `seconds` more from now.
void notify_patience(unsigned seconds);

#endif
