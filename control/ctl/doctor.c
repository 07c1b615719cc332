// SPDX-License-Identifier: Apache-2.0
// xwctl doctor: runs the table of checks and prints what they found, with what mends it.
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/ctl/ctl.h"
#include "control/doctor/doctor.h"

#define DEFAULT_CONFIG "/etc/crosswire/crosswire.yaml"
#define SICK 1 // exit code when a check fails

static const struct check {
    const char *name;
    void (*run)(struct doctor *doctor);
    bool needs_config;
} checks[] = {
    {"config", doctor_config, false},
    {"cpu", doctor_cpu_flags, false},
    {"tsc", doctor_tsc, false},
    {"instance", doctor_instance, true}, // says whether this one lives: before those that look at what it takes
    {"lcores", doctor_lcores, true},
    {"isolation", doctor_isolation, true},
    {"governor", doctor_governor, true},
    {"idle", doctor_idle_states, true},
    {"smt", doctor_smt, true},
    {"interrupts", doctor_interrupts, true},
    {"numa", doctor_numa, true},
    {"huge_pages", doctor_huge_pages, true},
    {"memlock", doctor_memlock, true},
    {"kernel", doctor_kernel, false},
    {"swap", doctor_swap, false},
    {"io_uring", doctor_io_uring, false},
    {"time", doctor_time, false},
    {"ports", doctor_ports, true},
    {"vfio", doctor_vfio, true},
    {"nic", doctor_nics, true},
    {"dpdk", doctor_dpdk, false},
    {"disk", doctor_disk, true},
    {"space", doctor_space, true},
};

static const char *const result_names[] = {[DOCTOR_PASS] = "PASS", [DOCTOR_WARN] = "WARN", [DOCTOR_FAIL] = "FAIL"};

// As a shell takes it: between quotes where it has anything but plain characters.
static const char *quoted(const char *path, char *text, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    size_t used = 1;
    if (*path && path[strspn(path, plain)] == '\0')
        return path;
    text[0] = '\'';
    for (; *path && used + 6 < size; path++)
        used += (size_t)snprintf(text + used, size - used, *path == '\'' ? "'\\''" : "%c", *path);
    snprintf(text + used, size - used, "'");
    return text;
}

// "AS crosswire-control" becomes a doctor as that user, "HOST apply boot; then reboot" becomes
// "hugepage_setup/host apply boot --config CONFIG; then reboot".
static void write_mend(const struct doctor *doctor, const char *mend, char *to, size_t size)
{
    char tool_text[512], config_text[512];
    const char *host = strstr(mend, "HOST ");
    const char *config = doctor->config_path ? quoted(doctor->config_path, config_text, sizeof config_text) : NULL;
    if (strncmp(mend, "AS ", 3) == 0) {
        const bool as_root = strcmp(mend + 3, "root") == 0;
        snprintf(to, size, "%s%s%s xwctl%s%s doctor", as_root ? "sudo" : "setpriv --reuid ", as_root ? "" : mend + 3,
                 as_root ? "" : " --regid crosswire --init-groups", config ? " -c " : "", config ? config : "");
        return;
    }
    if (!host) {
        snprintf(to, size, "%s", mend);
        return;
    }
    const char *words = host + strlen("HOST ");
    size_t length = strcspn(words, ";,(");
    while (length && words[length - 1] == ' ')
        length--;
    snprintf(to, size, "%.*s%s %.*s%s%s%s", (int)(host - mend), mend,
             quoted(doctor->host_tool, tool_text, sizeof tool_text), (int)length, words, config ? " --config " : "",
             config ? config : "", words + length);
}

void doctor_say(struct doctor *doctor, enum doctor_result result, const char *mend, const char *format, ...)
{
    if (doctor->findings_count == DOCTOR_FINDINGS_MOST)
        return;
    struct doctor_finding *finding = &doctor->findings[doctor->findings_count++];
    *finding = (struct doctor_finding){.check = doctor->check, .result = result};
    va_list values;
    va_start(values, format);
    vsnprintf(finding->text, sizeof finding->text, format, values);
    va_end(values);
    if (mend)
        write_mend(doctor, mend, finding->mend, sizeof finding->mend);
}

// ---- what the checks look at ----------------------------------------------------------------------------------------

// The first of `places` below the folder that is an executable file; `otherwise` when none is.
static const char *find_program(const char *const *places, char *path, size_t size, const char *otherwise)
{
    char folder[2048];
    ctl_own_folder(folder, sizeof folder);
    for (; *places; places++) {
        snprintf(path, size, "%s%s", folder, *places);
        char *whole = realpath(path, NULL);
        bool found = whole && access(whole, X_OK) == 0;
        if (found)
            snprintf(path, size, "%s", whole);
        free(whole);
        if (found)
            return path;
    }
    return otherwise;
}

// What the data plane itself says: its DPDK, and what it needs for this configuration.
static void ask_dataplane(struct doctor *doctor)
{
    static const char *const places[] = {"crosswire-dataplane", "../sbin/crosswire-dataplane", NULL};
    static char path[4096], text[8192];
    const char *program = find_program(places, path, sizeof path, "crosswire-dataplane");
    if (doctor_run((const char *const[]){program, "--version", NULL}, text, sizeof text) == EX_OK) {
        const char *line = strstr(text, "\nDPDK ");
        if (line)
            sscanf(line, "\nDPDK %31s built against, %31s running", doctor->built, doctor->running);
    }
    if (!doctor->config)
        return;
    int result = doctor_run((const char *const[]){program, doctor->config_path, "--needs", NULL}, text, sizeof text);
    text[strcspn(text, "\n")] = result == EX_OK ? '\n' : '\0';
    if (result < 0 || result == 127)
        doctor->needs_error = "there is no crosswire-dataplane beside xwctl or in PATH: make all, or make install";
    else if (result != EX_OK)
        doctor->needs_error = text;
    else if (!doctor_read_needs(&doctor->needs, text))
        doctor->needs_error = "crosswire-dataplane is of another version: make all, or make install";
}

static void prepare(struct doctor *doctor, const struct ctl *ctl)
{
    static const char *const places[] = {"../share/crosswire/hugepage_setup/host", "../hugepage_setup/host",
                                         "../../hugepage_setup/host", NULL};
    static char path[4096], error[1024];
    doctor->root = ctl->root ? ctl->root : "";
    doctor->host_tool = find_program(places, path, sizeof path, "hugepage_setup/host");
    doctor->config_path = ctl->config_path;
    if (!doctor->config_path && access(DEFAULT_CONFIG, R_OK) == 0)
        doctor->config_path = DEFAULT_CONFIG;
    if (doctor->config_path)
        doctor->config = config_load(doctor->config_path, error, sizeof error);
    doctor->config_error = error;
    if (doctor->config)
        doctor_collect_lcores(doctor);
    ask_dataplane(doctor);
}

// ---- printed --------------------------------------------------------------------------------------------------------

static void print_text(const struct doctor *doctor, const unsigned *counts)
{
    for (unsigned i = 0; i < doctor->findings_count; i++) {
        const struct doctor_finding *finding = &doctor->findings[i];
        printf("%s  %-10s  %s\n", result_names[finding->result], finding->check, finding->text);
        if (finding->mend[0])
            printf("      mend:       %s\n", finding->mend);
    }
    printf("%u pass, %u warn, %u fail\n", counts[DOCTOR_PASS], counts[DOCTOR_WARN], counts[DOCTOR_FAIL]);
}

static void print_json(const struct doctor *doctor, const unsigned *counts)
{
    json_t *findings = json_array();
    for (unsigned i = 0; i < doctor->findings_count; i++) {
        const struct doctor_finding *finding = &doctor->findings[i];
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:s}", "check", finding->check, "result",
                                        result_names[finding->result], "text", finding->text, "mend", finding->mend));
    }
    json_t *all = json_pack("{s:i, s:i, s:i, s:o}", "pass", (int)counts[DOCTOR_PASS], "warn", (int)counts[DOCTOR_WARN],
                            "fail", (int)counts[DOCTOR_FAIL], "findings", findings);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

int ctl_doctor(const struct ctl *ctl, int argc, char **argv)
{
    static struct doctor doctor;
    unsigned counts[3] = {0};
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl [-c CONFIG] doctor [--json] [--root DIR]");
    prepare(&doctor, ctl);
    for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        doctor.check = checks[i].name;
        if (doctor.config || !checks[i].needs_config)
            checks[i].run(&doctor);
    }
    for (unsigned i = 0; i < doctor.findings_count; i++)
        counts[doctor.findings[i].result]++;
    if (ctl->json)
        print_json(&doctor, counts);
    else
        print_text(&doctor, counts);
    config_free((struct config *)doctor.config);
    return counts[DOCTOR_FAIL] ? SICK : EX_OK;
}
