// SPDX-License-Identifier: Apache-2.0
#include "contract/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { LINE = 512 };

// `assignment`, and behind it the status line. What can not be delivered is lost: a service manager that has gone away
// is no reason to stop.
__attribute__((format(printf, 2, 0))) static void tell(const char *assignment, const char *format, va_list values)
{
    char line[LINE];
    vsnprintf(line, sizeof line, format, values);
    sd_notifyf(0, "%sSTATUS=%s", assignment, line);
}

void notify_ready(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell("READY=1\n", format, values);
    va_end(values);
}

void notify_status(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell("", format, values);
    va_end(values);
}

void notify_stopping(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell("STOPPING=1\n", format, values);
    va_end(values);
}

void notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
               (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

uint64_t notify_watchdog_ns(void)
{
    uint64_t interval_us = 0;
    return sd_watchdog_enabled(0, &interval_us) > 0 ? interval_us * 1000 : 0;
}

void notify_patience(unsigned seconds)
{
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t)seconds * 1000000);
}
