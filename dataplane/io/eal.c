// SPDX-License-Identifier: Apache-2.0
#include "io/eal.h"

#include <dirent.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/nic_device.h"
#include "contract/nic_profile.h"
#include "io/tsc.h"

#define ARGUMENTS_MOST 96
#define ARGUMENT_BYTES 8192

// The argument vector of rte_eal_init, which keeps pointers into it.
struct arguments {
    char *list[ARGUMENTS_MOST + 1];
    int count;
    char bytes[ARGUMENT_BYTES];
    size_t used;
    bool overflow;
};

// EAL's lcore ids are positions in this list, so that any CPU number can be a role's lcore.
static struct {
    uint32_t cpus[EAL_LCORES_MAX];
    unsigned count;
    uint64_t tsc_hz;
    struct arguments arguments;
} eal;

__attribute__((format(printf, 2, 3))) static void add(struct arguments *to, const char *format, ...)
{
    va_list values;
    size_t left = sizeof to->bytes - to->used;
    va_start(values, format);
    int length = vsnprintf(to->bytes + to->used, left, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= left || to->count == ARGUMENTS_MOST) {
        to->overflow = true;
        return;
    }
    to->list[to->count++] = to->bytes + to->used;
    to->used += (size_t)length + 1;
}

static unsigned add_lcore(uint32_t *lcores, unsigned count, unsigned most, uint32_t lcore)
{
    unsigned at = 1;
    if (lcores[0] == lcore)
        return count;
    while (at < count && lcores[at] < lcore)
        at++;
    if ((at < count && lcores[at] == lcore) || count == most)
        return count;
    memmove(lcores + at + 1, lcores + at, (count - at) * sizeof *lcores);
    lcores[at] = lcore;
    return count + 1;
}

unsigned eal_lcores(const struct config *config, uint32_t *lcores, unsigned most)
{
    xw_assert(most > 0);
    unsigned count = 1;
    lcores[0] = config->dataplane.main_lcore;
    for (uint32_t i = 0; i < config->gateways_count; i++)
        count = add_lcore(lcores, count, most, config->gateways[i].lcore);
    for (uint32_t i = 0; i < config->matchers_count; i++)
        count = add_lcore(lcores, count, most, config->matchers[i].lcore);
    for (uint32_t i = 0; i < config->publishers_count; i++)
        count = add_lcore(lcores, count, most, config->publishers[i].lcore);
    return count;
}

static int check_lcores(char *error, size_t error_size)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (unsigned i = 0; i < eal.count; i++) {
        uint32_t cpu = eal.cpus[i];
        if (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &allowed))
            continue;
        snprintf(error, error_size,
                 "lcore %u is not a CPU that this process may use: choose among %d (see nproc, taskset -p)", cpu,
                 CPU_COUNT(&allowed));
        return EX_CONFIG;
    }
    return 0;
}

// Bytes of free huge pages of all sizes.
static uint64_t free_huge_bytes(void)
{
    uint64_t bytes = 0;
    DIR *directory = opendir("/sys/kernel/mm/hugepages");
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[384];
        unsigned long kilobytes = 0, pages = 0;
        if (sscanf(entry->d_name, "hugepages-%lukB", &kilobytes) != 1)
            continue;
        snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/%s/free_hugepages", entry->d_name);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        if (fscanf(file, "%lu", &pages) == 1)
            bytes += (uint64_t)pages * kilobytes * 1024;
        fclose(file);
    }
    closedir(directory);
    return bytes;
}

static int check_memory(const struct config *config, char *error, size_t error_size)
{
    uint64_t want = (uint64_t)config->dataplane.memory_mb << 20;
    if (!config->dataplane.huge_pages || free_huge_bytes() >= want)
        return 0;
    snprintf(error, error_size,
             "%u MB of huge pages wanted (dataplane.memory_mb), %u MB are free: sysctl -w vm.nr_hugepages=%u, or set "
             "dataplane.huge_pages: false",
             config->dataplane.memory_mb, (unsigned)(free_huge_bytes() >> 20), config->dataplane.memory_mb);
    return EX_UNAVAILABLE;
}

// One device that EAL shall probe, with the arguments of its profile.
static int add_device(const struct config *config, uint32_t port, const struct nic_profile *profile,
                      struct arguments *arguments, char *error, size_t error_size)
{
    const struct config_port *at = &config->ports[port];
    char line[512], args[512];
    if (!nic_port_fits("/sys", config->profile_directory, profile, at->device, line, sizeof line)) {
        snprintf(error, error_size, "port %s (%s %s): %s", at->name, profile->name, at->device, line);
        return EX_CONFIG;
    }
    if (!nic_profile_arguments(profile, at->device, 1, at->has_mac ? at->mac : NULL, args, sizeof args)) {
        snprintf(error, error_size, "port %s: device arguments too long: shorten the profile's args", at->name);
        return EX_CONFIG;
    }
    add(arguments, "-a");
    add(arguments, "%s%s%s", at->device, args[0] ? "," : "", args);
    return 0;
}

// Only the PCI devices that the configuration names are probed: EAL would take the machine's own NIC otherwise.
static int add_devices(const struct config *config, struct arguments *arguments, char *error, size_t error_size)
{
    unsigned physical = 0;
    for (uint32_t i = 0; i < config->ports_count; i++) {
        struct nic_profile profile;
        int result =
            nic_profile_load_port(config->profile_directory, config->ports[i].profile, &profile, error, error_size);
        if (result != 0)
            return result;
        if (profile.kind == NIC_VDEV)
            continue;
        physical++;
        result = add_device(config, i, &profile, arguments, error, error_size);
        if (result != 0)
            return result;
    }
    if (physical == 0)
        add(arguments, "--no-pci");
    return 0;
}

static void add_extra(struct arguments *arguments, const char *extra)
{
    for (const char *at = extra ? extra : ""; *at;) {
        size_t length = strcspn(at, " \t");
        if (length)
            add(arguments, "%.*s", (int)length, at);
        at += length + strspn(at + length, " \t");
    }
}

static int build(const struct config *config, struct arguments *arguments, char *error, size_t error_size)
{
    char lcores[EAL_LCORES_MAX * 16];
    size_t used = 0;
    for (unsigned i = 0; i < eal.count; i++)
        used += (size_t)snprintf(lcores + used, sizeof lcores - used, "%s%u@%u", i ? "," : "", i, eal.cpus[i]);
    add(arguments, "crosswire");
    add(arguments, "--lcores=%s", lcores);
    add(arguments, "--main-lcore=0");
    add(arguments, "--file-prefix=%s", config->instance ? config->instance : "crosswire");
    add(arguments, "--no-telemetry");
    add(arguments, "--log-level=alert");
    add(arguments, "-m");
    add(arguments, "%u", config->dataplane.memory_mb);
    if (config->dataplane.huge_pages) {
        add(arguments, "--in-memory"); // no mount needed, and nothing of EAL is left behind
        add(arguments,
            "--single-file-segments"); // vhost-user passes memory as files, and its messages carry only a few
    } else {
        add(arguments, "--no-huge"); // EAL has it exclude --in-memory
        add(arguments, "--no-shconf");
    }
    int result = add_devices(config, arguments, error, error_size);
    if (result != 0)
        return result;
    if (strcmp(arguments->list[arguments->count - 1], "--no-pci") == 0)
        add(arguments, "--iova-mode=va");
    add_extra(arguments, config->dataplane.eal);
    if (!arguments->overflow)
        return 0;
    snprintf(error, error_size, "EAL's arguments are too long: shorten dataplane.eal");
    return EX_CONFIG;
}

// rte_eal_init writes of its own to standard error. We keep that, and show of a failure only what fits our one line,
// unless dataplane.eal asks for a log.
struct kept_output {
    int original; // standard error as it was, or -1: nothing is kept
    int file;
};

static void keep_output(struct kept_output *kept, const char *extra)
{
    kept->original = -1;
    if (extra && strstr(extra, "--log-level"))
        return;
    kept->file = memfd_create("eal", MFD_CLOEXEC);
    if (kept->file < 0)
        return;
    fflush(stderr);
    kept->original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(kept->file, STDERR_FILENO);
}

// Standard error is itself again. `reason` becomes the first line kept, without "EAL: FATAL:", or stays as it is.
static void release_output(struct kept_output *kept, char *reason, size_t size)
{
    char text[256];
    if (kept->original < 0)
        return;
    fflush(stderr);
    dup2(kept->original, STDERR_FILENO);
    close(kept->original);
    ssize_t length = pread(kept->file, text, sizeof text - 1, 0);
    close(kept->file);
    if (length <= 0)
        return;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    const char *at = strstr(text, "FATAL: ");
    snprintf(reason, size, "%s", at ? at + strlen("FATAL: ") : text);
}

// The rate since `start`, which lies TSC_MEASURE_NS back at least when this returns.
static uint64_t measure_tsc(struct tsc_reading start)
{
    struct tsc_reading now = tsc_read();
    if (now.ns - start.ns < TSC_MEASURE_NS) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(TSC_MEASURE_NS - (now.ns - start.ns))}, NULL);
        now = tsc_read();
    }
    return tsc_rate(start, now, rte_get_tsc_hz());
}

int eal_start(const struct config *config, char *error, size_t error_size)
{
    const struct tsc_reading start = tsc_read();
    eal.count = eal_lcores(config, eal.cpus, EAL_LCORES_MAX);
    eal.arguments = (struct arguments){.count = 0};
    signal(SIGPIPE, SIG_IGN); // a vhost peer that dies must not take us along
    int result = check_lcores(error, error_size);
    if (result == 0)
        result = check_memory(config, error, error_size);
    if (result == 0)
        result = build(config, &eal.arguments, error, error_size);
    if (result != 0)
        return result;
    rte_openlog_stream(stderr); // not to syslog
    struct kept_output kept;
    char reason[256];
    keep_output(&kept, config->dataplane.eal);
    int started = rte_eal_init(eal.arguments.count, eal.arguments.list);
    snprintf(reason, sizeof reason, "%s", started < 0 ? rte_strerror(rte_errno) : "");
    release_output(&kept, reason, sizeof reason);
    if (started >= 0) {
        eal.tsc_hz = measure_tsc(start);
        return 0;
    }
    snprintf(error, error_size, "EAL did not start: %s: see why with dataplane.eal: \"--log-level=debug\"", reason);
    return EX_OSERR;
}

void eal_stop(void)
{
    rte_eal_cleanup();
}

static unsigned lcore_id(uint32_t cpu)
{
    for (unsigned i = 1; i < eal.count; i++) {
        if (eal.cpus[i] == cpu)
            return i;
    }
    return 0;
}

bool eal_launch(uint32_t lcore, int (*run)(void *argument), void *argument)
{
    unsigned id = lcore_id(lcore);
    return id != 0 && rte_eal_remote_launch(run, argument, id) == 0;
}

int eal_join(uint32_t lcore)
{
    unsigned id = lcore_id(lcore);
    xw_assert(id != 0);
    return rte_eal_wait_lcore(id);
}

uint64_t eal_tsc_hz(void)
{
    return eal.tsc_hz;
}

uint64_t eal_heap_bytes(void)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < rte_socket_count(); i++) {
        struct rte_malloc_socket_stats stats;
        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &stats) == 0)
            bytes += stats.heap_allocsz_bytes;
    }
    return bytes;
}
