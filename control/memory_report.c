// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/log.h"
#include "control/memory_report.h"

// jemalloc's own interface, absent where the C library's allocator serves (tools, sanitizer builds).
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size) __attribute__((weak));

static uint64_t figure(const char *name)
{
    size_t value = 0, size = sizeof value;
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

void memory_report(const char *when)
{
    if (!mallctl) {
        struct mallinfo2 info = mallinfo2();
        log_event(LOG_XW2010, "\"when\":%s,\"allocator\":\"libc\",\"allocated\":%zu,\"mapped\":%zu", log_quote(when),
                  info.uordblks + info.hblkhd, info.arena + info.hblkhd);
        return;
    }
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size); // refreshes the figures
    uint64_t allocated = figure("stats.allocated");
    log_event(LOG_XW2010,
              "\"when\":%s,\"allocator\":\"jemalloc\",\"allocated\":%" PRIu64 ",\"active\":%" PRIu64
              ",\"resident\":%" PRIu64 ",\"mapped\":%" PRIu64 ",\"cap\":%" PRIu64 ",\"over_cap\":%s",
              log_quote(when), allocated, figure("stats.active"), figure("stats.resident"), figure("stats.mapped"),
              MEMORY_CAP_BYTES, allocated > MEMORY_CAP_BYTES ? "true" : "false");
}
