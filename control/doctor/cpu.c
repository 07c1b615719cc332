// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks of the CPUs: what the build needs of them, and whether the roles have theirs for themselves.
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/nic_device.h"
#include "control/doctor/doctor.h"

#define IDLE_LATENCY_MOST_US 2

// ---- what the build needs -------------------------------------------------------------------------------------------

// As /proc/cpuinfo names what -march=ARCH has let the compiler use (System V ABI for x86-64, micro-architecture
// levels).
static const char *const needed_flags[] = {
    "cx16",
#ifdef __SSE4_2__
    "lahf_lm",       "popcnt",   "sse4_1",   "sse4_2",   "ssse3",
#endif
#ifdef __AVX2__
    "avx",           "avx2",     "bmi1",     "bmi2",     "f16c",  "fma", "abm", "movbe", "xsave",
#endif
#ifdef __AVX512F__
    "avx512f",
#endif
#ifdef __AVX512BW__
    "avx512bw",      "avx512cd", "avx512dq", "avx512vl",
#endif
    "3dnowprefetch", // -mprfchw
};

// The line of flags of the first CPU.
static bool read_flags(const struct doctor *doctor, char *flags, size_t size)
{
    FILE *file = fopen(doctor_path(doctor, "/proc/cpuinfo"), "re");
    bool found = false;
    while (file && !found && fgets(flags, (int)size, file))
        found = strncmp(flags, "flags\t", 6) == 0 || strncmp(flags, "flags ", 6) == 0;
    if (file)
        fclose(file);
    return found;
}

void doctor_cpu_flags(struct doctor *doctor)
{
    static char flags[8192];
    char missing[256] = "";
    size_t used = 0;
    if (!read_flags(doctor, flags, sizeof flags)) {
        doctor_say(doctor, DOCTOR_WARN, NULL, "/proc/cpuinfo tells no flags: not looked at");
        return;
    }
    for (unsigned i = 0; i < sizeof needed_flags / sizeof needed_flags[0]; i++) {
        if (!doctor_has_word(flags, needed_flags[i]) && used < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, " %s", needed_flags[i]);
    }
    if (missing[0])
        doctor_say(doctor, DOCTOR_FAIL, "make clean && make ARCH=x86-64-v2, or run it on a newer CPU",
                   "this build uses what the CPU does not have:%s", missing);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "the CPU has all that this build uses");
}

void doctor_tsc(struct doctor *doctor)
{
    static char flags[8192];
    char source[64];
    if (!read_flags(doctor, flags, sizeof flags))
        doctor_say(doctor, DOCTOR_WARN, NULL,
                   "/proc/cpuinfo tells no flags: whether the TSC is invariant is not known");
    else if (!doctor_has_word(flags, "constant_tsc") || !doctor_has_word(flags, "nonstop_tsc"))
        doctor_say(doctor, DOCTOR_FAIL,
                   "run it on a CPU, or a virtual machine with the host's TSC passed on, that has one",
                   "the TSC is not invariant, and every time of the appliance comes from it");
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "the TSC is invariant");
    const char *path = doctor_path(doctor, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
    if (!doctor_line(path, source, sizeof source))
        doctor_say(doctor, DOCTOR_WARN, NULL, "the clock source can not be seen");
    else if (strcmp(source, "tsc") != 0)
        doctor_say(doctor, DOCTOR_WARN, "HOST apply clocksource", "the kernel's clock source is %s, not tsc", source);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "the kernel's clock source is tsc");
}

// ---- the roles' lcores ----------------------------------------------------------------------------------------------

static bool is_offline(const struct doctor *doctor, uint32_t lcore)
{
    char online[1024];
    return doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/online"), online, sizeof online) &&
           !doctor_in_list(online, lcore);
}

static bool is_forbidden(const struct doctor *doctor, uint32_t lcore)
{
    cpu_set_t allowed;
    (void)doctor;
    CPU_ZERO(&allowed);
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && (lcore >= CPU_SETSIZE || !CPU_ISSET(lcore, &allowed));
}

void doctor_lcores(struct doctor *doctor)
{
    char online[1024] = "?";
    doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/online"), online, sizeof online);
    const char *missing = doctor_lcores_that(doctor, is_offline);
    if (missing[0]) {
        doctor_say(doctor, DOCTOR_FAIL, "give its roles lcores that are online in the configuration",
                   "lcore %s is not there: online are %s", missing, online);
        return;
    }
    if (is_offline(doctor, doctor->config->dataplane.main_lcore)) {
        doctor_say(doctor, DOCTOR_FAIL, "change dataplane.main_lcore", "main_lcore %u is not there: online are %s",
                   doctor->config->dataplane.main_lcore, online);
        return;
    }
    missing = doctor->root[0] ? "" : doctor_lcores_that(doctor, is_forbidden);
    if (missing[0])
        doctor_say(doctor, DOCTOR_FAIL, "taskset -cp ALL-CPUS $$, or AllowedCPUs= of the unit's slice",
                   "lcore %s is not one that this shell may use, and what it starts may not either", missing);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "all lcores of the configuration are there");
}

static bool parameter_lacks(const struct doctor *doctor, const char *name, uint32_t lcore)
{
    char line[4096];
    size_t length = strlen(name);
    if (!doctor_line(doctor_path(doctor, "/proc/cmdline"), line, sizeof line))
        return true;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        if (strncmp(word, name, length) == 0 && word[length] == '=' && doctor_in_list(word + length + 1, lcore))
            return false;
    }
    return true;
}

static bool is_scheduled(const struct doctor *doctor, uint32_t lcore)
{
    char list[1024];
    return !doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/isolated"), list, sizeof list) ||
           !doctor_in_list(list, lcore);
}

static bool ticks(const struct doctor *doctor, uint32_t lcore)
{
    char list[1024];
    return !doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/nohz_full"), list, sizeof list) ||
           !doctor_in_list(list, lcore);
}

static bool runs_rcu(const struct doctor *doctor, uint32_t lcore)
{
    return parameter_lacks(doctor, "rcu_nocbs", lcore) && ticks(doctor, lcore); // nohz_full has it too
}

void doctor_isolation(struct doctor *doctor)
{
    static const struct {
        bool (*is)(const struct doctor *doctor, uint32_t lcore);
        const char *text;
    } kinds[] = {
        {is_scheduled, "the scheduler puts other tasks on lcore %s (isolcpus)"},
        {ticks, "the timer tick interrupts lcore %s (nohz_full)"},
        {runs_rcu, "RCU callbacks run on lcore %s (rcu_nocbs)"},
    };
    bool good = true;
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char text[256];
        const char *lcores = doctor_lcores_that(doctor, kinds[i].is);
        if (!lcores[0])
            continue;
        snprintf(text, sizeof text, "%.*s%s%s", (int)(strstr(kinds[i].text, "%s") - kinds[i].text), kinds[i].text,
                 lcores, strstr(kinds[i].text, "%s") + 2);
        doctor_say(doctor, DOCTOR_WARN, "HOST apply boot; then reboot", "%s", text);
        good = false;
    }
    if (good)
        doctor_say(doctor, DOCTOR_PASS, NULL, "the roles' lcores are isolated");
}

static bool scales(const struct doctor *doctor, uint32_t lcore)
{
    char governor[64];
    const char *path = doctor_path(doctor, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", lcore);
    return doctor_line(path, governor, sizeof governor) && strcmp(governor, "performance") != 0;
}

static bool has_governor(const struct doctor *doctor, uint32_t lcore)
{
    char governor[64];
    return doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", lcore), governor,
                       sizeof governor);
}

void doctor_governor(struct doctor *doctor)
{
    const char *lcores = doctor_lcores_that(doctor, scales);
    if (lcores[0])
        doctor_say(doctor, DOCTOR_WARN, "HOST apply governor", "the clock of lcore %s follows its load", lcores);
    else if (!doctor_lcores_that(doctor, has_governor)[0])
        doctor_say(doctor, DOCTOR_PASS, NULL,
                   "the kernel scales no frequency here (what a hypervisor does can not be seen)");
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "the governor of the roles' lcores is performance");
}

static bool sleeps_deeply(const struct doctor *doctor, uint32_t lcore)
{
    for (unsigned state = 0; state < 16; state++) {
        int64_t latency, disabled = 0;
        if (!doctor_number(doctor_path(doctor, "/sys/devices/system/cpu/cpu%u/cpuidle/state%u/latency", lcore, state),
                           &latency))
            continue;
        doctor_number(doctor_path(doctor, "/sys/devices/system/cpu/cpu%u/cpuidle/state%u/disable", lcore, state),
                      &disabled);
        if (latency > IDLE_LATENCY_MOST_US && !disabled)
            return true;
    }
    return false;
}

void doctor_idle_states(struct doctor *doctor)
{
    const char *lcores = doctor_lcores_that(doctor, sleeps_deeply);
    if (lcores[0])
        doctor_say(doctor, DOCTOR_WARN, "HOST apply cstates",
                   "lcore %s may go to idle states that take more than %u us", lcores, IDLE_LATENCY_MOST_US);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "no deep idle state is open to the roles' lcores");
}

// ---- what shares a core with a role ---------------------------------------------------------------------------------

static bool is_role_lcore(const struct doctor *doctor, unsigned cpu)
{
    for (unsigned i = 0; i < doctor->lcores_count; i++) {
        if (doctor->lcores[i] == cpu)
            return true;
    }
    return false;
}

// The next online CPU after `after` on the same core as `lcore`; UINT32_MAX when there is none.
static uint32_t next_sibling(const struct doctor *doctor, uint32_t lcore, uint32_t after)
{
    char list[256];
    if (!doctor_line(doctor_path(doctor, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", lcore), list,
                     sizeof list))
        return UINT32_MAX;
    for (uint32_t cpu = after + 1; cpu < CPU_SETSIZE; cpu++) {
        if (cpu != lcore && doctor_in_list(list, cpu) && !is_offline(doctor, cpu))
            return cpu;
    }
    return UINT32_MAX;
}

void doctor_smt(struct doctor *doctor)
{
    bool good = true;
    for (unsigned i = 0; i < doctor->lcores_count; i++) {
        uint32_t lcore = doctor->lcores[i];
        for (uint32_t cpu = next_sibling(doctor, lcore, UINT32_MAX); cpu != UINT32_MAX;
             cpu = next_sibling(doctor, lcore, cpu)) {
            char mend[128];
            bool both = is_role_lcore(doctor, cpu);
            if (both && cpu < lcore)
                continue; // said already, the other way round
            good = false;
            snprintf(mend, sizeof mend, "echo 0 > /sys/devices/system/cpu/cpu%u/online", cpu);
            if (both)
                doctor_say(doctor, DOCTOR_WARN, "give one of them another lcore in the configuration",
                           "lcores %u and %u are threads of one core: two roles share its caches and units", lcore,
                           cpu);
            else
                doctor_say(doctor, DOCTOR_WARN, mend,
                           "CPU %u shares its core with lcore %u, and slows it when it works", cpu, lcore);
        }
    }
    if (good)
        doctor_say(doctor, DOCTOR_PASS, NULL, "no other thread shares a core with a role");
}

void doctor_interrupts(struct doctor *doctor)
{
    unsigned count = 0, looked = 0;
    char example[64] = "";
    DIR *directory = opendir(doctor_path(doctor, "/proc/irq"));
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char list[1024];
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        // Where it goes now says more than where it may go, and old kernels do not say it.
        if (!doctor_line(doctor_path(doctor, "/proc/irq/%s/effective_affinity_list", entry->d_name), list,
                         sizeof list) &&
            !doctor_line(doctor_path(doctor, "/proc/irq/%s/smp_affinity_list", entry->d_name), list, sizeof list))
            continue;
        looked++;
        for (unsigned i = 0; i < doctor->lcores_count; i++) {
            if (!doctor_in_list(list, doctor->lcores[i]))
                continue;
            count++;
            snprintf(example, sizeof example, "%.20s on lcore %u", entry->d_name, doctor->lcores[i]);
            break;
        }
    }
    if (directory)
        closedir(directory);
    if (count)
        doctor_say(doctor, DOCTOR_WARN, "HOST apply irq", "%u interrupts reach the roles' lcores, as number %s", count,
                   example);
    else if (!looked)
        doctor_say(doctor, DOCTOR_WARN, NULL, "/proc/irq shows no interrupt: not looked at");
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "no interrupt goes to the roles' lcores");
}

void doctor_numa(struct doctor *doctor)
{
    char line[320];
    unsigned role = 0;
    bool good = true;
    while (nic_far_role(doctor_path(doctor, "/sys"), doctor->config, &role, line, sizeof line)) {
        doctor_say(doctor, DOCTOR_WARN, NULL, "%s", line);
        good = false;
    }
    if (good)
        doctor_say(doctor, DOCTOR_PASS, NULL, "no role is known to be on another NUMA node than its port");
}
