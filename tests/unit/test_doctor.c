// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks against made-up trees of /sys and /proc: each with values at, below and above what it wants.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/doctor/disk.h"
#include "control/doctor/doctor.h"
#include "tests/support/made_up_tree.h"

static struct doctor doctor;
static struct config config;
static struct config_port ports[2];
static struct config_gateway gateways[2];
static struct config_matcher matchers[1];
static struct config_publisher publishers[1];

// ---- the tree -------------------------------------------------------------------------------------------------------

static void drop(const char *name)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", tree_at(name));
    assert_int_equal(system(command), 0);
}

static int fresh(void **state)
{
    (void)state;
    if (tree_make() != 0)
        return -1;
    ports[0] = (struct config_port){.name = "wire", .profile = "vhost", .device = "", .address = "10.0.0.1"};
    ports[1] = (struct config_port){.name = "other", .profile = "vhost", .device = "", .address = "10.0.0.2"};
    gateways[0] = (struct config_gateway){.lcore = 2, .port = "wire", .udp_port = 4000};
    gateways[1] = (struct config_gateway){.lcore = 4, .port = "other", .udp_port = 4000, .port_index = 1};
    matchers[0] = (struct config_matcher){.lcore = 3};
    publishers[0] = (struct config_publisher){.lcore = 3, .port = "wire"};
    config = (struct config){.instance = "test",
                             .run_directory = tree_root,
                             .journal_directory = tree_root,
                             .profile_directory = "nic_profiles",
                             .ports = ports,
                             .ports_count = 1,
                             .gateways = gateways,
                             .gateways_count = 2,
                             .matchers = matchers,
                             .matchers_count = 1,
                             .publishers = publishers,
                             .publishers_count = 1};
    config.dataplane.main_lcore = 0;
    config.dataplane.huge_pages = true;
    doctor = (struct doctor){
        .root = tree_root, .config = &config, .config_path = "x.yaml", .host_tool = "host", .check = "it"};
    doctor_collect_lcores(&doctor);
    tree_put("/sys/devices/system/cpu/online", "0-5");
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    return tree_remove();
}

// Runs a check; fails unless it finds exactly one thing of this kind, whose text or mend holds `words`.
static void finds(void (*check)(struct doctor *doctor), enum doctor_result result, const char *words)
{
    unsigned found = 0;
    doctor.findings_count = 0;
    check(&doctor);
    assert_true(doctor.findings_count > 0);
    for (unsigned i = 0; i < doctor.findings_count; i++) {
        const struct doctor_finding *finding = &doctor.findings[i];
        bool has = strstr(finding->text, words) || strstr(finding->mend, words);
        found += finding->result == result && has;
        assert_true(finding->result == DOCTOR_PASS || finding->mend[0] || strchr(finding->text, ':'));
    }
    if (found != 1) {
        for (unsigned i = 0; i < doctor.findings_count; i++)
            print_message("%d %s | %s\n", doctor.findings[i].result, doctor.findings[i].text, doctor.findings[i].mend);
        fail_msg("found %u times %d with '%s'", found, result, words);
    }
}

static void passes(void (*check)(struct doctor *doctor))
{
    doctor.findings_count = 0;
    check(&doctor);
    assert_true(doctor.findings_count > 0);
    for (unsigned i = 0; i < doctor.findings_count; i++) {
        if (doctor.findings[i].result != DOCTOR_PASS)
            fail_msg("%s", doctor.findings[i].text);
    }
}

// ---- words ----------------------------------------------------------------------------------------------------------

static void lists_of_cpus_are_read(void **state)
{
    (void)state;
    assert_true(doctor_in_list("2-5,8", 2) && doctor_in_list("2-5,8", 5) && doctor_in_list("2-5,8", 8));
    assert_false(doctor_in_list("2-5,8", 1) || doctor_in_list("2-5,8", 6) || doctor_in_list("2-5,8", 9));
    assert_false(doctor_in_list("", 0) || doctor_in_list("domain,2", 2) || doctor_in_list("(null)", 0));
}

static void a_mend_names_the_host_preparation_and_the_configuration(void **state)
{
    (void)state;
    doctor.findings_count = 0;
    doctor_say(&doctor, DOCTOR_WARN, "turn it on; HOST apply boot; then reboot", "text");
    assert_string_equal(doctor.findings[0].mend, "turn it on; host apply boot --config x.yaml; then reboot");
    doctor_say(&doctor, DOCTOR_WARN, "HOST apply vfio (its rule)", "text");
    assert_string_equal(doctor.findings[1].mend, "host apply vfio --config x.yaml (its rule)");
    doctor_say(&doctor, DOCTOR_WARN, "AS crosswire-control", "text");
    assert_string_equal(doctor.findings[2].mend,
                        "setpriv --reuid crosswire-control --regid crosswire --init-groups xwctl -c x.yaml doctor");
    doctor.config_path = "it's mine.yaml";
    doctor_say(&doctor, DOCTOR_WARN, "AS root", "text");
    assert_string_equal(doctor.findings[3].mend, "sudo xwctl -c 'it'\\''s mine.yaml' doctor");
    doctor.config_path = NULL;
    doctor_say(&doctor, DOCTOR_WARN, "HOST apply irq", "text");
    assert_string_equal(doctor.findings[4].mend, "host apply irq");
}

static void needs_are_read_or_refused(void **state)
{
    (void)state;
    struct doctor_needs needs;
    assert_true(
        doctor_read_needs(&needs, "instance a\npages 0 2048 93\npages 1 1048576 2\nregion_bytes 5\nlocked_bytes 7\n"));
    assert_int_equal(needs.pages_count, 2);
    assert_int_equal(needs.pages[1].node, 1);
    assert_int_equal(needs.pages[1].kib, 1048576);
    assert_int_equal(needs.pages[1].count, 2);
    assert_int_equal(needs.region_bytes, 5);
    assert_int_equal(needs.locked_bytes, 7);
    assert_false(doctor_read_needs(&needs, ""));
    assert_false(doctor_read_needs(&needs, "pages 0 2048 93\n"));
    assert_false(doctor_read_needs(&needs, "usage\nlocked_bytes 7\n"));
}

// ---- CPUs -----------------------------------------------------------------------------------------------------------

#define FLAGS                                                                                                        \
    "processor : 0\nflags\t\t: cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave " \
    "avx512f avx512bw avx512cd avx512dq avx512vl "

static void a_cpu_without_what_the_build_uses_is_named(void **state)
{
    (void)state;
    finds(doctor_cpu_flags, DOCTOR_WARN, "tells no flags");
    tree_put("/proc/cpuinfo", FLAGS "3dnowprefetch");
    passes(doctor_cpu_flags);
    tree_put("/proc/cpuinfo", FLAGS "3dnowprefetched");
    finds(doctor_cpu_flags, DOCTOR_FAIL, "does not have: 3dnowprefetch");
    tree_put("/proc/cpuinfo", "flags : fpu cx16");
    finds(doctor_cpu_flags, DOCTOR_FAIL, "make ARCH=");
}

static void the_tsc_is_invariant_and_the_clock_source(void **state)
{
    (void)state;
    tree_put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
    tree_put("/proc/cpuinfo", "flags : constant_tsc nonstop_tsc");
    passes(doctor_tsc);
    tree_put("/proc/cpuinfo", "flags : constant_tsc");
    finds(doctor_tsc, DOCTOR_FAIL, "not invariant");
    tree_put("/proc/cpuinfo", "flags : constant_tsc nonstop_tsc");
    tree_put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
    finds(doctor_tsc, DOCTOR_WARN, "host apply clocksource --config x.yaml");
}

static void an_lcore_that_is_not_there_fails(void **state)
{
    (void)state;
    passes(doctor_lcores);
    tree_put("/sys/devices/system/cpu/online", "0-4");
    passes(doctor_lcores);
    tree_put("/sys/devices/system/cpu/online", "0-3");
    finds(doctor_lcores, DOCTOR_FAIL, "lcore 4 is not there: online are 0-3");
    tree_put("/sys/devices/system/cpu/online", "1-4");
    finds(doctor_lcores, DOCTOR_FAIL, "main_lcore 0 is not there");
}

static void lcores_that_are_not_isolated_are_named(void **state)
{
    (void)state;
    tree_put("/proc/cmdline", "quiet isolcpus=2-4");
    finds(doctor_isolation, DOCTOR_WARN, "lcore 2,3,4 (isolcpus)");
    finds(doctor_isolation, DOCTOR_WARN, "lcore 2,3,4 (rcu_nocbs)");
    tree_put("/sys/devices/system/cpu/isolated", "2-3");
    tree_put("/sys/devices/system/cpu/nohz_full", "2,4");
    tree_put("/proc/cmdline", "rcu_nocbs=2-3 quiet");
    finds(doctor_isolation, DOCTOR_WARN, "lcore 4 (isolcpus)");
    finds(doctor_isolation, DOCTOR_WARN, "lcore 3 (nohz_full)");
    assert_int_equal(doctor.findings_count, 2);
    tree_put("/sys/devices/system/cpu/isolated", "2-4");
    tree_put("/sys/devices/system/cpu/nohz_full", "2-4");
    passes(doctor_isolation);
}

static void governor_and_idle_states_of_the_roles_alone_count(void **state)
{
    (void)state;
    passes(doctor_governor);
    tree_put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
    tree_put("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance");
    passes(doctor_governor);
    tree_put("/sys/devices/system/cpu/cpu4/cpufreq/scaling_governor", "schedutil");
    finds(doctor_governor, DOCTOR_WARN, "lcore 4 follows");
    passes(doctor_idle_states);
    tree_put("/sys/devices/system/cpu/cpu2/cpuidle/state0/latency", "0");
    tree_put("/sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "2");
    passes(doctor_idle_states);
    tree_put("/sys/devices/system/cpu/cpu2/cpuidle/state2/latency", "3");
    finds(doctor_idle_states, DOCTOR_WARN, "lcore 2 may go");
    tree_put("/sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "1");
    passes(doctor_idle_states);
}

static void a_sibling_that_works_is_named_and_two_roles_on_a_core_once(void **state)
{
    (void)state;
    passes(doctor_smt);
    tree_put("/sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,5");
    finds(doctor_smt, DOCTOR_WARN, "echo 0 > /sys/devices/system/cpu/cpu5/online");
    tree_put("/sys/devices/system/cpu/online", "0-4");
    passes(doctor_smt);
    tree_put("/sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3-4");
    tree_put("/sys/devices/system/cpu/cpu4/topology/thread_siblings_list", "3-4");
    finds(doctor_smt, DOCTOR_WARN, "lcores 3 and 4 are threads of one core");
    assert_int_equal(doctor.findings_count, 1);
}

static void interrupts_on_roles_are_counted(void **state)
{
    (void)state;
    finds(doctor_interrupts, DOCTOR_WARN, "shows no interrupt");
    tree_put("/proc/irq/24/smp_affinity_list", "0-1");
    tree_put("/proc/irq/25/smp_affinity_list", "0-5");
    tree_put("/proc/irq/25/effective_affinity_list", "5");
    passes(doctor_interrupts);
    tree_put("/proc/irq/26/smp_affinity_list", "1-2");
    finds(doctor_interrupts, DOCTOR_WARN, "1 interrupts reach the roles' lcores, as number 26 on lcore 2");
}

// ---- memory and switches --------------------------------------------------------------------------------------------

static void huge_pages_one_too_few_fail(void **state)
{
    (void)state;
    doctor.needs.pages_count = 1;
    doctor.needs.pages[0].node = 1;
    doctor.needs.pages[0].kib = 2048;
    doctor.needs.pages[0].count = 100;
    finds(doctor_huge_pages, DOCTOR_FAIL, "node 1 has no huge pages");
    tree_put("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "99");
    finds(doctor_huge_pages, DOCTOR_FAIL, "host apply hugepages --config x.yaml");
    tree_put("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "100");
    passes(doctor_huge_pages);
    tree_put("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages", "0");
    doctor.is_live = true;
    passes(doctor_huge_pages);
    doctor.needs_error = "nobody knows";
    finds(doctor_huge_pages, DOCTOR_WARN, "nobody knows");
    config.dataplane.huge_pages = false;
    finds(doctor_huge_pages, DOCTOR_WARN, "for a test only");
}

static void memory_that_may_not_be_locked_is_told(void **state)
{
    (void)state;
    struct rlimit before, limit;
    getrlimit(RLIMIT_MEMLOCK, &before);
    limit = before;
    limit.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    tree_put("/proc/self/status", "Name: x\nCapEff:\t0000000000000000");
    doctor.needs.locked_bytes = 1 << 20;
    passes(doctor_memlock);
    doctor.needs.locked_bytes++;
    finds(doctor_memlock, DOCTOR_WARN, "ulimit -l unlimited");
    tree_put("/proc/self/status", "Name: x\nCapEff:\t0000000000004000"); // CAP_IPC_LOCK
    passes(doctor_memlock);
    setrlimit(RLIMIT_MEMLOCK, &before);
}

static void what_a_live_data_plane_has_locked_is_told(void **state)
{
    (void)state;
    doctor.is_live = true;
    doctor.live_pid = 77;
    finds(doctor_memlock, DOCTOR_WARN, "pid 77, has locked can not be seen");
    tree_put("/proc/77/status", "Name: x\nVmLck:\t       0 kB\nVmPin:\t 9 kB");
    finds(doctor_memlock, DOCTOR_WARN, "LimitMEMLOCK=infinity");
    tree_put("/proc/77/status", "Name: x\nVmLck:\t  204800 kB");
    finds(doctor_memlock, DOCTOR_PASS, "has locked 200 MiB");
}

static void switches_of_the_kernel_that_cost_time(void **state)
{
    (void)state;
    passes(doctor_kernel);
    tree_put("/proc/sys/kernel/sched_autogroup_enabled", "1");
    passes(doctor_kernel);
    config.journal.yield = true;
    finds(doctor_kernel, DOCTOR_WARN, "host apply autogroup");
    tree_put("/proc/sys/kernel/sched_autogroup_enabled", "0");
    tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    passes(doctor_kernel);
    tree_put("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never");
    finds(doctor_kernel, DOCTOR_WARN, "host apply thp");
    tree_put("/proc/sys/kernel/numa_balancing", "1");
    finds(doctor_kernel, DOCTOR_WARN, "host apply noise");
    passes(doctor_swap);
    tree_put("/proc/swaps", "Filename Type Size Used Priority");
    passes(doctor_swap);
    tree_put("/proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2");
    finds(doctor_swap, DOCTOR_WARN, "1 swap areas");
}

static void the_switch_of_io_uring(void **state)
{
    (void)state;
    passes(doctor_io_uring);
    tree_put("/proc/sys/kernel/io_uring_disabled", "0");
    passes(doctor_io_uring);
    tree_put("/proc/sys/kernel/io_uring_disabled", "1");
    tree_put("/proc/self/status", "CapEff:\t0000000000000000");
    finds(doctor_io_uring, DOCTOR_WARN, "io_uring_group");
    tree_put("/proc/self/status", "CapEff:\t0000000000200000"); // CAP_SYS_ADMIN
    passes(doctor_io_uring);
    tree_put("/proc/sys/kernel/io_uring_disabled", "2");
    finds(doctor_io_uring, DOCTOR_FAIL, "host apply iouring");
}

static void somebody_has_to_keep_the_clock(void **state)
{
    (void)state;
    tree_put("/proc/1/comm", "systemd");
    finds(doctor_time, DOCTOR_WARN, "apt-get install chrony");
    tree_put("/proc/77/comm", "chronyd");
    passes(doctor_time);
}

// ---- disk -----------------------------------------------------------------------------------------------------------

static void a_disk_is_slow_above_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(doctor_disk_verdict(DOCTOR_DISK_P50_NS, DOCTOR_DISK_P99_NS), DOCTOR_PASS);
    assert_int_equal(doctor_disk_verdict(DOCTOR_DISK_P50_NS + 1, 0), DOCTOR_WARN);
    assert_int_equal(doctor_disk_verdict(0, DOCTOR_DISK_P99_NS + 1), DOCTOR_WARN);
    assert_int_equal(doctor_space_verdict(99, 100, 1000), DOCTOR_FAIL);
    assert_int_equal(doctor_space_verdict(100, 100, 1000), DOCTOR_WARN);
    assert_int_equal(doctor_space_verdict(999, 100, 1000), DOCTOR_WARN);
    assert_int_equal(doctor_space_verdict(1000, 100, 1000), DOCTOR_PASS);
}

static void the_disk_is_measured_and_nothing_is_left_of_it(void **state)
{
    (void)state;
    char deep[128];
    struct stat before, after;
    snprintf(deep, sizeof deep, "%s/journal/of/tomorrow", tree_root); // control makes the last folder itself
    config.journal_directory = deep;
    assert_int_equal(stat(tree_root, &before), 0);
    doctor.findings_count = 0;
    doctor_disk(&doctor);
    assert_int_equal(doctor.findings_count, 1);
    assert_true(strstr(doctor.findings[0].text, tree_root));
    assert_true(strstr(doctor.findings[0].text, " us (p99)") || strstr(doctor.findings[0].text, "is memory"));
    assert_int_equal(stat(tree_root, &after), 0);
    assert_int_equal(before.st_nlink, after.st_nlink);
    drop("/sys");
    assert_int_equal(rmdir(tree_root), 0); // empty
    config.journal_directory = "/proc";
    finds(doctor_disk, DOCTOR_FAIL, "can not be made");
    mkdir(tree_root, 0755);
}

static void the_largest_day_so_far_is_the_measure_of_a_day(void **state)
{
    (void)state;
    config.journal.segment_mb = 1;
    finds(doctor_space, DOCTOR_PASS, "a day is reckoned as 2 MiB, the least are 2");
    tree_put("/20260101/000001.xwj", "%s", "");
    tree_put("/20260102/000001.xwj", "%s", "");
    tree_put("/2026010x/000001.xwj", "%s", "");
    assert_int_equal(truncate(tree_at("/20260101/000001.xwj"), 3 << 20), 0);
    assert_int_equal(truncate(tree_at("/20260102/000001.xwj"), 7 << 20), 0);
    assert_int_equal(truncate(tree_at("/2026010x/000001.xwj"), 9 << 20), 0);
    finds(doctor_space, DOCTOR_PASS, "a day is reckoned as 9 MiB");
    config.engine.max_orders = 1 << 20;
    finds(doctor_space, DOCTOR_PASS, "a day is reckoned as 134 MiB");
    config.journal.segment_mb = UINT32_MAX; // more than any disk
    finds(doctor_space, DOCTOR_FAIL, "make room");
}

// ---- ports ----------------------------------------------------------------------------------------------------------

static int listen_at(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void a_socket_is_free_stale_or_taken(void **state)
{
    (void)state;
    char path[100];
    snprintf(path, sizeof path, "%s/wire.sock", tree_root);
    ports[0].device = path;
    finds(doctor_ports, DOCTOR_PASS, "can be made");
    int fd = listen_at(path, 1);
    finds(doctor_ports, DOCTOR_FAIL, "a live process holds");
    doctor.is_live = true; // it is this instance's own
    passes(doctor_ports);
    doctor.is_live = false;
    close(fd);
    finds(doctor_ports, DOCTOR_PASS, "left from a dead process");
    unlink(path);
    tree_put("/wire.sock", "no socket");
    finds(doctor_ports, DOCTOR_FAIL, "is no socket");
    ports[0].device = "/nonexistent/wire.sock";
    finds(doctor_ports, DOCTOR_FAIL, "mkdir -p /nonexistent");
    ports[0].profile = "absent";
    finds(doctor_ports, DOCTOR_FAIL, "absent.yaml");
}

static void an_interface_is_there_and_the_kernel_leaves_its_port_alone(void **state)
{
    (void)state;
    ports[0] = (struct config_port){.name = "wire", .profile = "af_packet", .device = "ens9", .address = "10.0.0.1"};
    finds(doctor_ports, DOCTOR_FAIL, "there is no interface ens9");
    tree_put("/sys/class/net/ens9/address", "02:00:00:00:00:01");
    tree_put("/proc/net/udp", "  sl  local_address rem_address\n  12: 00000000:0FA1 00000000:0000 07");
    passes(doctor_ports);
    tree_put("/proc/net/udp", "  sl  local_address rem_address\n  12: 00000000:0FA0 00000000:0000 07");
    finds(doctor_ports, DOCTOR_WARN, "UDP port 4000, gateway 0's");
}

#define DEVICE "/sys/bus/pci/devices/0000:5e:00.0"

static void a_device_is_bound_grouped_and_free(void **state)
{
    (void)state;
    ports[0] = (struct config_port){.name = "wire", .profile = "physical", .device = "0000:5e:00.0"};
    finds(doctor_vfio, DOCTOR_FAIL, "there is no PCI device 0000:5e:00.0");
    tree_put(DEVICE "/vendor", "0x8086");
    tree_put(DEVICE "/device", "0x1592");
    tree_put(DEVICE "/class", "0x020000");
    tree_link(DEVICE "/driver", "../../drivers/ice");
    finds(doctor_vfio, DOCTOR_FAIL, "host apply vfio --config x.yaml");
    unlink(tree_at(DEVICE "/driver"));
    tree_link(DEVICE "/driver", "../../drivers/vfio-pci");
    finds(doctor_vfio, DOCTOR_FAIL, "no IOMMU group");
    tree_put("/sys/kernel/iommu_groups/8/devices/0000:5e:00.0/class", "0x020000");
    tree_link(DEVICE "/iommu_group", "../../../../kernel/iommu_groups/8");
    finds(doctor_vfio, DOCTOR_FAIL, "/dev/vfio/8: No such file");
    tree_put("/dev/vfio/8", "%s", "");
    passes(doctor_vfio);
    finds(doctor_nics, DOCTOR_WARN, "firmware can not be seen (driver vfio-pci)");
    tree_put(DEVICE "/infiniband/mlx5_0/fw_ver", "16.35.2000");
    finds(doctor_nics, DOCTOR_PASS, "firmware 16.35.2000");
}

static void firmware_is_held_against_the_least_of_its_own_line(void **state)
{
    static const struct {
        const char *profile, *version;
        enum doctor_result result;
        const char *words;
    } rows[] = {
        {"connectx5", "16.21.1000", DOCTOR_PASS, "firmware 16.21.1000"},
        {"connectx5", "16.21.999", DOCTOR_WARN, "16.21.999 is older than 16.21.1000"},
        {"connectx5", "16.21", DOCTOR_WARN, "older than 16.21.1000"},
        {"connectx5", "16.100.1", DOCTOR_PASS, "firmware 16.100.1"},
        {"connectx6", "22.27.0089", DOCTOR_WARN, "older than 22.27.0090"},
        {"connectx6", "22.27.0090", DOCTOR_PASS, "firmware 22.27.0090"},
        {"connectx6", "20.28.1002", DOCTOR_PASS, "firmware 20.28.1002"},
        {"connectx6", "27.1", DOCTOR_PASS, "firmware 27.1"}, // of no line that the profile knows
        {"e810", "0.1", DOCTOR_PASS, "firmware 0.1"},        // which has no least
    };
    (void)state;
    tree_put(DEVICE "/vendor", "0x15b3");
    tree_put(DEVICE "/device", "0x1017");
    tree_put(DEVICE "/class", "0x020000");
    tree_link(DEVICE "/driver", "../../drivers/mlx5_core");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ports[0] = (struct config_port){.name = "wire", .profile = rows[i].profile, .device = "0000:5e:00.0"};
        tree_put(DEVICE "/infiniband/mlx5_0/fw_ver", "%s", rows[i].version);
        finds(doctor_nics, rows[i].result, rows[i].words);
    }
}

// A terminal that somebody has for himself alone: the kernel refuses to open it once more, as it does with a VFIO group
// in use. Root may all the same, so we are nobody for the check.
static void a_group_in_use_fails(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    a_device_is_bound_grouped_and_free(state);
    unlink(tree_at("/dev/vfio/8"));
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        print_message("skipped because there is no terminal to make\n");
        skip();
    }
    tree_link("/dev/vfio/8", ptsname(master));
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_int_equal(ioctl(slave, TIOCEXCL), 0);
    bool is_root = geteuid() == 0;
    if (is_root) {
        assert_int_equal(chmod(tree_root, 0755) | fchown(slave, 65534, (gid_t)-1) | seteuid(65534), 0);
        if (access("nic_profiles/physical.yaml", R_OK) != 0) {
            assert_int_equal(seteuid(0), 0);
            print_message("skipped because others can not read this source tree\n");
            skip();
        }
    }
    finds(doctor_vfio, DOCTOR_FAIL, "IOMMU group 8 of 0000:5e:00.0 is in use by another process");
    doctor.is_live = true;
    passes(doctor_vfio);
    doctor.is_live = false;
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    tree_put("/proc/4711/comm", "qemu");
    mkdir(tree_at("/proc/4711/fd"), 0755);
    tree_link("/proc/4711/fd/3", tree_at("/dev/vfio/8"));
    assert_int_equal(is_root ? seteuid(65534) : 0, 0);
    finds(doctor_vfio, DOCTOR_FAIL, "in use by 4711 (qemu)");
    finds(doctor_vfio, DOCTOR_FAIL, "kill 4711");
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    close(slave);
    close(master);
}

static void dpdk_is_the_one_built_against(void **state)
{
    (void)state;
    finds(doctor_dpdk, DOCTOR_FAIL, "make all");
    strcpy(doctor.built, "22.11.9");
    strcpy(doctor.running, "22.11.9");
    passes(doctor_dpdk);
    strcpy(doctor.running, "22.11.10");
    finds(doctor_dpdk, DOCTOR_WARN, "the library here is 22.11.10");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_of_cpus_are_read),
        TEST(a_mend_names_the_host_preparation_and_the_configuration),
        TEST(needs_are_read_or_refused),
        TEST(a_cpu_without_what_the_build_uses_is_named),
        TEST(the_tsc_is_invariant_and_the_clock_source),
        TEST(an_lcore_that_is_not_there_fails),
        TEST(lcores_that_are_not_isolated_are_named),
        TEST(governor_and_idle_states_of_the_roles_alone_count),
        TEST(a_sibling_that_works_is_named_and_two_roles_on_a_core_once),
        TEST(interrupts_on_roles_are_counted),
        TEST(huge_pages_one_too_few_fail),
        TEST(memory_that_may_not_be_locked_is_told),
        TEST(what_a_live_data_plane_has_locked_is_told),
        TEST(switches_of_the_kernel_that_cost_time),
        TEST(the_switch_of_io_uring),
        TEST(somebody_has_to_keep_the_clock),
        TEST(a_disk_is_slow_above_its_bounds),
        TEST(the_disk_is_measured_and_nothing_is_left_of_it),
        TEST(the_largest_day_so_far_is_the_measure_of_a_day),
        TEST(a_socket_is_free_stale_or_taken),
        TEST(an_interface_is_there_and_the_kernel_leaves_its_port_alone),
        TEST(a_device_is_bound_grouped_and_free),
        TEST(firmware_is_held_against_the_least_of_its_own_line),
        TEST(a_group_in_use_fails),
        TEST(dpdk_is_the_one_built_against),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
