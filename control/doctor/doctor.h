// SPDX-License-Identifier: Apache-2.0
// xwctl doctor: what would keep the appliance from starting or make it slow, looked at before anything starts. A check
// is one function that says what it found; the table of them stands in ctl_doctor.c. Checks read, and need no root;
// what they can not see they say. The one that writes is the disk's, into a file that has no name.
#ifndef CROSSWIRE_CONTROL_DOCTOR_DOCTOR_H
#define CROSSWIRE_CONTROL_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"

#define DOCTOR_FINDINGS_MOST 256
#define DOCTOR_LCORES_MOST 64
#define DOCTOR_PAGES_MOST 128

enum doctor_result { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_finding {
    const char *check;
    enum doctor_result result;
    char text[400];
    char mend[320]; // a command or a change; empty: nothing to do
};

// What `crosswire-dataplane CONFIG --needs` prints.
struct doctor_needs {
    struct {
        unsigned node;
        uint64_t kib, count;
    } pages[DOCTOR_PAGES_MOST];
    unsigned pages_count;
    uint64_t region_bytes, locked_bytes;
};

struct doctor {
    const char *root;                    // "", or a made-up tree that holds /sys, /proc and /etc
    const char *config_path;             // NULL: no configuration is given
    const struct config *config;         // NULL: there is none, or it does not load
    const char *config_error;            // why it does not load
    const char *host_tool;               // path of hugepage_setup/host
    uint32_t lcores[DOCTOR_LCORES_MOST]; // of roles, ascending, each once
    unsigned lcores_count;
    bool is_live;            // a data plane runs this instance now,
    uint64_t live_pid;       // as this process
    const char *needs_error; // why there are no needs, NULL: there are
    struct doctor_needs needs;
    char built[32], running[32]; // DPDK, empty: not known

    const char *check; // that is running
    struct doctor_finding findings[DOCTOR_FINDINGS_MOST];
    unsigned findings_count;
};

// Records a finding of the running check. `mend` may be NULL; "HOST .." in it stands for the host preparation with this
// configuration, and "AS USER" for a doctor as that user.
void doctor_say(struct doctor *doctor, enum doctor_result result, const char *mend, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Lcores of all roles into doctor->lcores.
void doctor_collect_lcores(struct doctor *doctor);

// Reads what `crosswire-dataplane CONFIG --needs` printed. False when a line is not understood.
bool doctor_read_needs(struct doctor_needs *needs, const char *text);

// Runs the program with its arguments, both outputs into `text`. Returns its exit code, or -1 when it did not run.
int doctor_run(const char *const *arguments, char *text, size_t size);

// ---- files of the tree ----------------------------------------------------------------------------------------------

// The path below the root, in one of four rotating buffers.
const char *doctor_path(const struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));

// First line of a file, without its end. False when it can not be read.
bool doctor_line(const char *path, char *line, size_t size);
bool doctor_number(const char *path, int64_t *number);

// Whether `list` (2-5,8) holds the CPU.
bool doctor_in_list(const char *list, unsigned cpu);

// Whether `word` stands in `text` between blanks.
bool doctor_has_word(const char *text, const char *word);

// "2, 3 and 5" of the lcores for which `is` holds; empty when it holds for none. In a static buffer.
const char *doctor_lcores_that(const struct doctor *doctor, bool (*is)(const struct doctor *doctor, uint32_t lcore));

// ---- the checks -----------------------------------------------------------------------------------------------------

void doctor_config(struct doctor *doctor);
void doctor_cpu_flags(struct doctor *doctor);
void doctor_tsc(struct doctor *doctor);
void doctor_lcores(struct doctor *doctor);
void doctor_isolation(struct doctor *doctor);
void doctor_governor(struct doctor *doctor);
void doctor_idle_states(struct doctor *doctor);
void doctor_smt(struct doctor *doctor);
void doctor_interrupts(struct doctor *doctor);
void doctor_numa(struct doctor *doctor);
void doctor_huge_pages(struct doctor *doctor);
void doctor_memlock(struct doctor *doctor);
void doctor_kernel(struct doctor *doctor);
void doctor_swap(struct doctor *doctor);
void doctor_io_uring(struct doctor *doctor);
void doctor_time(struct doctor *doctor);
void doctor_instance(struct doctor *doctor);
void doctor_ports(struct doctor *doctor);
void doctor_vfio(struct doctor *doctor);
void doctor_nics(struct doctor *doctor);
void doctor_dpdk(struct doctor *doctor);
void doctor_disk(struct doctor *doctor);
void doctor_space(struct doctor *doctor);

#endif
