// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include <errno.h>
#include <linux/mman.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "contract/assert.h"
#include "contract/log.h"
#include "io/eal.h"

#define PAGE_BYTES ((size_t)4096)
#define HUGE_BYTES MEMORY_HUGE_BYTES
#define PURPOSES_MOST 64
#define NODES_MOST 64 // NUMA nodes of higher numbers share the last one's

static struct {
    bool huge_pages;
    bool sealed;
    void (*failed)(const char *text);
    struct memory_rest { // of a NUMA node's last mapping: small requests share huge pages
        char *at;
        size_t left;
    } rests[NODES_MOST];
    size_t mapped;
    struct {
        const char *purpose;
        size_t bytes;
    } list[PURPOSES_MOST];
    unsigned count;
} memory;

void memory_open(bool huge_pages, void (*failed)(const char *text))
{
    memory.huge_pages = huge_pages;
    memory.failed = failed;
}

static size_t round_up(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

static void note(const char *purpose, size_t bytes)
{
    unsigned i = 0;
    while (i < memory.count && strcmp(memory.list[i].purpose, purpose) != 0)
        i++;
    if (i == memory.count) {
        xw_assert(memory.count < PURPOSES_MOST);
        memory.list[memory.count++].purpose = purpose;
    }
    memory.list[i].bytes += bytes;
}

// Bytes that the kernel could give without killing anybody; SIZE_MAX when it does not say.
static size_t available(void)
{
    size_t kilobytes = SIZE_MAX >> 10;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    if (!file)
        return SIZE_MAX;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemAvailable: %zu kB", &kilobytes) == 1)
            break;
    }
    fclose(file);
    return kilobytes << 10;
}

// Ordinary pages, on a boundary where the kernel can put transparent huge ones.
static char *map_ordinary(size_t size)
{
    if (size > available()) // the kernel would promise it, and stop some process when it is touched
        return NULL;
    char *wide = mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (wide == MAP_FAILED)
        return NULL;
    char *start = (char *)round_up((uintptr_t)wide, HUGE_BYTES);
    if (start > wide)
        munmap(wide, (size_t)(start - wide));
    munmap(start + size, (size_t)(wide + HUGE_BYTES - start));
    madvise(start, size, MADV_HUGEPAGE);
    if (madvise(start, size, MADV_POPULATE_WRITE) != 0) // kernels before 5.14: touch
        memset(start, 0, size);
    return start;
}

static char *map_huge(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB | MAP_POPULATE, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

static struct memory_rest *rest_of_here(void)
{
    unsigned node = 0;
    getcpu(NULL, &node);
    return &memory.rests[node < NODES_MOST ? node : NODES_MOST - 1];
}

static void refill(struct memory_rest *rest, size_t size, const char *purpose)
{
    size_t whole = round_up(size, HUGE_BYTES);
    char *start = memory.huge_pages ? map_huge(whole) : map_ordinary(whole);
    if (!start) {
        char text[320];
        if (memory.huge_pages)
            snprintf(
                text, sizeof text,
                "no %zu huge pages of 2 MB for the %s: hugepage_setup/host apply hugepages --config CONFIG (or raise "
                "vm.nr_hugepages by that many), or set dataplane.huge_pages: false",
                whole / HUGE_BYTES, purpose);
        else
            snprintf(text, sizeof text, "no %zu MB for the %s: lower the capacities of the configuration", whole >> 20,
                     purpose);
        memory.failed(text);
        xw_assert(!"failed returns");
    }
    memory.mapped += whole;
    rest->at = start;
    rest->left = whole; // of the mapping before, less than 2 MB stays unused
}

void *memory_take(size_t size, const char *purpose)
{
    xw_assert(!memory.sealed && size > 0 && memory.failed);
    size = round_up(size, PAGE_BYTES);
    struct memory_rest *rest = rest_of_here();
    if (size > rest->left)
        refill(rest, size, purpose);
    void *taken = rest->at;
    rest->at += size;
    rest->left -= size;
    note(purpose, size);
    return taken;
}

void memory_need_add(struct memory_need *need, size_t size)
{
    size = round_up(size, PAGE_BYTES);
    if (size > need->left) {
        need->left = round_up(size, HUGE_BYTES);
        need->pages += need->left / HUGE_BYTES;
    }
    need->left -= size;
}

void memory_seal(void)
{
    char list[4096];
    size_t used = 0;
    memory.sealed = true;
    list[0] = '\0';
    for (unsigned i = 0; i < memory.count && used < sizeof list - 128; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s:%zu", i ? "," : "",
                                 log_quote(memory.list[i].purpose), memory.list[i].bytes);
    log_event(LOG_XW1006, "\"huge_pages\":%s,\"mapped_bytes\":%zu,\"eal_heap_bytes\":%zu,\"by_purpose\":{%s}",
              memory.huge_pages ? "true" : "false", memory.mapped, (size_t)eal_heap_bytes(), list);
    if (mlockall(MCL_CURRENT) != 0)
        log_event(LOG_XW1007, "\"error\":%s,\"mend\":\"raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)\"",
                  log_quote(strerror(errno)));
}
