// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks of memory, of the kernel's switches and of the clock.
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include "control/doctor/doctor.h"

#define CAP_IPC_LOCK_BIT 14 // linux/capability.h
#define CAP_SYS_ADMIN_BIT 21
#define TIME_ERROR_MOST_US 1000

// Of a process' status, the text behind "NAME:". False when it can not be seen.
static bool status_of(const struct doctor *doctor, const char *process, const char *name, char *text, size_t size)
{
    char line[256];
    size_t length = strlen(name);
    bool found = false;
    FILE *file = fopen(doctor_path(doctor, "/proc/%s/status", process), "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, name, length) == 0 && line[length] == ':';
        if (found)
            snprintf(text, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
    }
    if (file)
        fclose(file);
    return found;
}

static bool has_capability(const struct doctor *doctor, unsigned bit)
{
    char text[64];
    return status_of(doctor, "self", "CapEff", text, sizeof text) && strtoull(text, NULL, 16) >> bit & 1;
}

// ---- memory ---------------------------------------------------------------------------------------------------------

void doctor_huge_pages(struct doctor *doctor)
{
    if (!doctor->config->dataplane.huge_pages)
        doctor_say(doctor, DOCTOR_WARN, "dataplane.huge_pages: true in the configuration; HOST apply hugepages",
                   "the data plane runs on ordinary pages (dataplane.huge_pages: false): for a test only");
    if (doctor->needs_error) {
        doctor_say(doctor, DOCTOR_WARN, NULL, "what is needed is not known: %s", doctor->needs_error);
        return;
    }
    for (unsigned i = 0; i < doctor->needs.pages_count; i++) {
        unsigned node = doctor->needs.pages[i].node;
        uint64_t kib = doctor->needs.pages[i].kib, want = doctor->needs.pages[i].count;
        int64_t unused = 0;
        bool seen = doctor_number(
            doctor_path(doctor, "/sys/devices/system/node/node%u/hugepages/hugepages-%" PRIu64 "kB/free_hugepages",
                        node, kib),
            &unused);
        if (doctor->is_live)
            doctor_say(doctor, DOCTOR_PASS, NULL,
                       "node %u: %" PRIu64 " huge pages of %" PRIu64
                       " KiB are wanted; the running data plane has its own",
                       node, want, kib);
        else if (!seen)
            doctor_say(doctor, DOCTOR_FAIL, "HOST apply hugepages",
                       "node %u has no huge pages of %" PRIu64 " KiB, and %" PRIu64 " are wanted", node, kib, want);
        else if ((uint64_t)unused < want)
            doctor_say(doctor, DOCTOR_FAIL, "HOST apply hugepages",
                       "node %u: %" PRIu64 " huge pages of %" PRIu64 " KiB are wanted, %" PRId64 " are free", node,
                       want, kib, unused);
        else
            doctor_say(doctor, DOCTOR_PASS, NULL,
                       "node %u: %" PRIu64 " huge pages of %" PRIu64 " KiB are wanted, %" PRId64 " are free", node,
                       want, kib, unused);
    }
}

// What a live data plane has locked; huge pages are not counted there, because they are never swapped out.
static void look_at_locked(struct doctor *doctor)
{
    char process[24], text[64];
    snprintf(process, sizeof process, "%" PRIu64, doctor->live_pid);
    if (!status_of(doctor, process, "VmLck", text, sizeof text))
        doctor_say(doctor, DOCTOR_WARN, "AS root", "what the data plane, pid %s, has locked can not be seen", process);
    else if (strtoull(text, NULL, 10) == 0)
        doctor_say(doctor, DOCTOR_WARN,
                   "systemctl edit crosswire-dataplane: LimitMEMLOCK=infinity (by hand: ulimit -l unlimited), then "
                   "restart it",
                   "the data plane, pid %s, has locked nothing: its pages may be swapped out", process);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "the data plane, pid %s, has locked %llu MiB beside its huge pages",
                   process, strtoull(text, NULL, 10) >> 10);
}

void doctor_memlock(struct doctor *doctor)
{
    struct rlimit limit;
    if (doctor->is_live) {
        look_at_locked(doctor);
        return;
    }
    if (doctor->needs_error || getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        doctor_say(doctor, DOCTOR_WARN, NULL, "how much memory is to be locked is not known");
        return;
    }
    uint64_t want = doctor->needs.locked_bytes;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= want || has_capability(doctor, CAP_IPC_LOCK_BIT))
        doctor_say(doctor, DOCTOR_PASS, NULL, "%" PRIu64 " MiB may be locked", want >> 20);
    else
        doctor_say(doctor, DOCTOR_WARN, "ulimit -l unlimited (the service units have LimitMEMLOCK=infinity)",
                   "%" PRIu64 " MiB are to be locked, and this shell may lock %" PRIu64 " MiB", want >> 20,
                   (uint64_t)limit.rlim_cur >> 20);
}

void doctor_swap(struct doctor *doctor)
{
    char line[512];
    unsigned areas = 0;
    FILE *file = fopen(doctor_path(doctor, "/proc/swaps"), "re");
    if (!file) {
        doctor_say(doctor, DOCTOR_PASS, NULL, "this kernel has no swap");
        return;
    }
    while (fgets(line, sizeof line, file))
        areas += line[0] == '/';
    fclose(file);
    if (areas)
        doctor_say(doctor, DOCTOR_WARN, "HOST apply swap", "%u swap areas are in use: what is swapped out is late",
                   areas);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "no swap is in use");
}

// ---- switches -------------------------------------------------------------------------------------------------------

static bool yields(const struct doctor *doctor)
{
    return doctor->config && doctor->config->journal.yield;
}

static bool always(const struct doctor *doctor)
{
    (void)doctor;
    return true;
}

// Switches of the kernel that cost time in one position; a kernel without the switch does not do it.
static const struct {
    const char *path;
    const char *bad; // stands in the file
    const char *stage;
    const char *text;
    bool (*matters)(const struct doctor *doctor);
} switches[] = {
    {"/proc/sys/kernel/sched_autogroup_enabled", "1", "HOST apply autogroup",
     "autogroups are on and journal.yield is true: the kernel's own workers, which complete the journal's writes, "
     "starve",
     yields},
    {"/sys/kernel/mm/transparent_hugepage/enabled", "[always]", "HOST apply thp",
     "transparent huge pages are made everywhere, behind the back of who uses the memory", always},
    {"/proc/sys/kernel/numa_balancing", "1", "HOST apply noise",
     "NUMA balancing unmaps pages to see who uses them: faults in the order path", always},
};

void doctor_kernel(struct doctor *doctor)
{
    bool good = true;
    for (unsigned i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        char line[128];
        if (!switches[i].matters(doctor) ||
            !doctor_line(doctor_path(doctor, "%s", switches[i].path), line, sizeof line) ||
            !doctor_has_word(line, switches[i].bad))
            continue;
        doctor_say(doctor, DOCTOR_WARN, switches[i].stage, "%s", switches[i].text);
        good = false;
    }
    if (good)
        doctor_say(doctor, DOCTOR_PASS, NULL, "no switch of the kernel costs time");
}

// Whether a ring can be made, by this process now.
static int try_io_uring(void)
{
    struct io_uring ring;
    int result = io_uring_queue_init(2, &ring, 0);
    if (result == 0)
        io_uring_queue_exit(&ring);
    return -result;
}

void doctor_io_uring(struct doctor *doctor)
{
    int64_t disabled = 0;
    if (!doctor_number(doctor_path(doctor, "/proc/sys/kernel/io_uring_disabled"), &disabled))
        disabled = 0; // kernels before 6.6 have no switch
    if (disabled == 2) {
        doctor_say(doctor, DOCTOR_FAIL, "HOST apply iouring",
                   "kernel.io_uring_disabled is 2: nobody may use io_uring, and the journal is written through it");
        return;
    }
    if (disabled == 1 && !has_capability(doctor, CAP_SYS_ADMIN_BIT)) {
        doctor_say(doctor, DOCTOR_WARN,
                   "HOST apply iouring; or sysctl -w kernel.io_uring_group=$(getent group crosswire | cut -d: -f3)",
                   "kernel.io_uring_disabled is 1: only members of kernel.io_uring_group may use io_uring");
        return;
    }
    int error = doctor->root[0] ? 0 : try_io_uring();
    if (error)
        doctor_say(doctor, DOCTOR_FAIL, "allow the io_uring calls in the container's or unit's system call filter",
                   "io_uring can not be used here: %s", strerror(error));
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "io_uring can be used");
}

// ---- time -----------------------------------------------------------------------------------------------------------

// Who keeps the clock, NULL when nobody is seen.
static const char *time_keeper(const struct doctor *doctor)
{
    static const char *const keepers[] = {"chronyd", "ptp4l", "phc2sys", "ntpd", "systemd-timesyn"};
    const char *found = NULL;
    DIR *directory = opendir(doctor_path(doctor, "/proc"));
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        char name[64];
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !doctor_line(doctor_path(doctor, "/proc/%s/comm", entry->d_name), name, sizeof name))
            continue;
        for (unsigned i = 0; i < sizeof keepers / sizeof keepers[0]; i++) {
            if (strcmp(name, keepers[i]) == 0)
                found = keepers[i];
        }
    }
    if (directory)
        closedir(directory);
    return found;
}

void doctor_time(struct doctor *doctor)
{
    const char *const install = "apt-get install chrony && systemctl enable --now chrony (with a NIC that has a clock: "
                                "linuxptp, ptp4l and phc2sys)";
    const char *keeper = time_keeper(doctor);
    struct timex now = {.modes = 0};
    if (!keeper) {
        doctor_say(doctor, DOCTOR_WARN, install,
                   "nothing keeps the clock: times of orders are not those of anybody else");
    } else if (doctor->root[0]) {
        doctor_say(doctor, DOCTOR_PASS, NULL, "the clock is kept by %s", keeper);
    } else if (adjtimex(&now) < 0 || now.status & STA_UNSYNC) {
        doctor_say(doctor, DOCTOR_WARN, "chronyc tracking; chronyc waitsync",
                   "%s runs, and the clock is not synchronised", keeper);
    } else if (now.maxerror > TIME_ERROR_MOST_US) {
        doctor_say(doctor, DOCTOR_WARN, "chronyc sources -v: use nearer or more servers, or PTP",
                   "%s keeps the clock to %ld us, more than %d us", keeper, now.maxerror, TIME_ERROR_MOST_US);
    } else {
        doctor_say(doctor, DOCTOR_PASS, NULL, "%s keeps the clock to %ld us", keeper, now.maxerror);
    }
}
