// SPDX-License-Identifier: Apache-2.0
// What the kernel's sysfs says of network devices, read from a tree made here as the kernel makes it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/nic_device.h"

static char root[] = "/tmp/xw-sysfs-XXXXXX";

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
    char command[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(command, sizeof command, format, values);
    va_end(values);
    if (system(command) != 0)
        fail();
}

// A PCI device with what is given; driver, group and interface may be empty.
static void make_device(const char *address, const char *id, const char *class, int node, const char *driver,
                        const char *group, const char *interface)
{
    char at[256];
    snprintf(at, sizeof at, "%s/bus/pci/devices/%s", root, address);
    run("mkdir -p %s && echo 0x%.4s >%s/vendor && echo 0x%s >%s/device && echo %s >%s/class && echo %d >%s/numa_node",
        at, id, at, id + 5, at, class, at, node, at);
    if (driver[0])
        run("mkdir -p %s/bus/pci/drivers/%s && ln -s ../../drivers/%s %s/driver", root, driver, driver, at);
    if (group[0])
        run("mkdir -p %s/kernel/iommu_groups/%s/devices && touch %s/kernel/iommu_groups/%s/devices/%s && "
            "ln -s ../../../../kernel/iommu_groups/%s %s/iommu_group",
            root, group, root, group, address, group, at);
    if (interface[0])
        run("mkdir -p %s/net/%s %s/class/net/%s && ln -s ../../../bus/pci/devices/%s %s/class/net/%s/device", at,
            interface, root, interface, address, root, interface);
}

static int make_tree(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    make_device("0000:81:00.0", "8086:1592", "0x020000", 1, "ice", "42", "ens1");
    make_device("0000:81:00.1", "8086:1592", "0x020000", 1, "vfio-pci", "42", "");
    make_device("0000:3b:00.0", "15b3:101d", "0x020000", 0, "mlx5_core", "17", "ens2");
    make_device("0000:3b:00.1", "15b3:101d", "0x020000", 0, "vfio-pci", "18", "");
    make_device("0000:00:1f.0", "8086:a1c8", "0x060100", 0, "", "", "");
    make_device("0000:05:00.0", "10ec:8168", "0x020000", -1, "", "", "");
    make_device("0000:06:00.0", "1af4:1041", "0x020000", -1, "virtio-pci", "", "");
    run("mkdir -p %s/bus/pci/devices/0000:06:00.0/virtio2/net/eth0", root);
    run("mkdir -p %s/devices/system/cpu/cpu0/node0 %s/devices/system/cpu/cpu1/node0 %s/devices/system/cpu/cpu2/node1 "
        "%s/devices/system/cpu/cpu3",
        root, root, root, root);
    return 0;
}

static int remove_tree(void **state)
{
    (void)state;
    run("rm -r %s", root);
    return 0;
}

static void addresses_are_told_from_other_names(void **state)
{
    (void)state;
    assert_true(nic_is_address("0000:3b:00.0"));
    assert_true(nic_is_address("ffff:ff:1f.7"));
    static const char *const wrong[] = {
        "", "3b:00.0", "0000:3B:00.0", "0000:3b:00.8", "0000:3b:00.0 ", "0000-3b:00.0", "eth0", "../../../../x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(nic_is_address(wrong[i]));
}

static void a_device_is_read_whole(void **state)
{
    (void)state;
    struct nic_device device;
    assert_true(nic_device_read(root, "0000:81:00.0", &device));
    assert_int_equal(device.vendor, 0x8086);
    assert_int_equal(device.device, 0x1592);
    assert_int_equal(device.class, 0x020000);
    assert_int_equal(device.node, 1);
    assert_string_equal(device.driver, "ice");
    assert_string_equal(device.interfaces, "ens1");
    assert_string_equal(device.iommu_group, "42");
    assert_int_equal(device.group_devices, 2);
    assert_true(nic_device_read(root, "0000:05:00.0", &device));
    assert_string_equal(device.driver, "");
    assert_string_equal(device.iommu_group, "");
    assert_int_equal(device.node, -1);
    assert_true(nic_device_read(root, "0000:06:00.0", &device));
    assert_string_equal(device.interfaces, "eth0"); // below virtio2
    assert_false(nic_device_read(root, "0000:99:00.0", &device));
    assert_false(nic_device_read(root, "eth0", &device));
}

static void only_ethernet_devices_are_listed_in_their_order(void **state)
{
    (void)state;
    struct nic_device devices[8];
    assert_int_equal(nic_devices(root, devices, 8), 6);
    assert_string_equal(devices[0].address, "0000:05:00.0");
    assert_string_equal(devices[5].address, "0000:81:00.1");
    assert_int_equal(nic_devices(root, devices, 2), 6);
    assert_int_equal(nic_devices("/nonexistent", devices, 8), -1);
}

static void devices_find_their_profiles(void **state)
{
    (void)state;
    struct nic_device device;
    struct nic_profile profile;
    assert_true(nic_device_read(root, "0000:81:00.0", &device));
    assert_true(nic_profile_for("nic_profiles", &device, &profile));
    assert_string_equal(profile.name, "e810");
    assert_false(nic_is_bound(&profile, &device));
    assert_true(nic_device_read(root, "0000:81:00.1", &device));
    assert_true(nic_is_bound(&profile, &device));
    assert_true(nic_device_read(root, "0000:3b:00.0", &device));
    assert_true(nic_profile_for("nic_profiles", &device, &profile));
    assert_string_equal(profile.name, "connectx6");
    assert_true(nic_is_bound(&profile, &device)); // with the kernel's driver
    assert_true(nic_device_read(root, "0000:05:00.0", &device));
    assert_false(nic_profile_for("nic_profiles", &device, &profile));
}

// What a start with this profile and device says, "" when nothing.
static const char *refusal(const char *name, const char *address)
{
    static char line[512];
    struct nic_profile profile;
    assert_int_equal(nic_profile_load_port("nic_profiles", name, &profile, line, sizeof line), 0);
    line[0] = '\0';
    bool fits = nic_port_fits(root, "nic_profiles", &profile, address, line, sizeof line);
    assert_true(fits == (line[0] == '\0'));
    assert_null(strchr(line, '\n'));
    return line;
}

static void a_profile_for_another_device_is_refused_with_the_one_that_fits(void **state)
{
    (void)state;
    assert_string_equal(refusal("e810", "0000:81:00.1"), "");
    assert_string_equal(refusal("connectx6", "0000:3b:00.0"), "");
    assert_non_null(strstr(refusal("x710", "0000:81:00.1"), "8086:1592"));
    assert_non_null(strstr(refusal("x710", "0000:81:00.1"), "set the port's profile to e810"));
    assert_non_null(strstr(refusal("e810", "0000:05:00.0"), "xwctl nic match"));
    assert_string_equal(refusal("physical", "0000:81:00.1"), "");
    assert_string_equal(refusal("vhost", "0000:81:00.1"), "");
    assert_string_equal(refusal("e810", "0000:99:00.0"), ""); // EAL says that it is not there
}

static void a_device_that_is_bound_otherwise_is_refused_with_the_mend(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("e810", "0000:81:00.0"), "bound to ice"));
    assert_non_null(strstr(refusal("e810", "0000:81:00.0"), "hugepage_setup/host apply vfio"));
    assert_non_null(strstr(refusal("physical", "0000:05:00.0"), "no driver"));
    assert_non_null(strstr(refusal("connectx6", "0000:3b:00.1"), "give it back to mlx5_core"));
}

static void nodes_of_ports_and_cpus_are_found(void **state)
{
    (void)state;
    const struct nic_profile pci = {.device_is = NIC_DEVICE_PCI}, interface = {.device_is = NIC_DEVICE_INTERFACE},
                             file = {.device_is = NIC_DEVICE_FILE};
    assert_int_equal(nic_port_node(root, &pci, "0000:81:00.0"), 1);
    assert_int_equal(nic_port_node(root, &pci, "0000:05:00.0"), -1);
    assert_int_equal(nic_port_node(root, &pci, "0000:99:00.0"), -1);
    assert_int_equal(nic_port_node(root, &interface, "ens1"), 1);
    assert_int_equal(nic_port_node(root, &interface, "none"), -1);
    assert_int_equal(nic_port_node(root, &interface, "../net/ens1"), -1);
    assert_int_equal(nic_port_node(root, &file, "0000:81:00.0"), -1);
    assert_int_equal(nic_cpu_node(root, 0), 0);
    assert_int_equal(nic_cpu_node(root, 2), 1);
    assert_int_equal(nic_cpu_node(root, 3), -1);
    assert_int_equal(nic_cpu_node(root, 99), -1);
}

static void roles_far_from_their_nic_are_named_with_the_mend(void **state)
{
    (void)state;
    struct config_port ports[2] = {{.name = "orders", .profile = "e810", .device = "0000:81:00.1"},
                                   {.name = "data", .profile = "connectx6", .device = "0000:3b:00.0"}};
    struct config_gateway gateways[3] = {{.lcore = 2}, {.lcore = 1}, {.lcore = 3}};
    struct config_publisher publishers[2] = {{.lcore = 0, .port_index = 1}, {.lcore = 2, .port_index = 1}};
    struct config config = {.profile_directory = "nic_profiles",
                            .ports = ports,
                            .ports_count = 2,
                            .gateways = gateways,
                            .gateways_count = 3,
                            .publishers = publishers,
                            .publishers_count = 2};
    char line[320];
    unsigned role = 0;
    assert_true(nic_far_role(root, &config, &role, line, sizeof line));
    assert_non_null(strstr(line, "gateway 1 polls port orders from NUMA node 0"));
    assert_non_null(strstr(line, "give it an lcore of node 1"));
    assert_null(strchr(line, '\n'));
    assert_true(nic_far_role(root, &config, &role, line, sizeof line));
    assert_non_null(strstr(line, "publisher 1 polls port data from NUMA node 1"));
    assert_false(nic_far_role(root, &config, &role, line, sizeof line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_told_from_other_names),
        cmocka_unit_test(a_device_is_read_whole),
        cmocka_unit_test(only_ethernet_devices_are_listed_in_their_order),
        cmocka_unit_test(devices_find_their_profiles),
        cmocka_unit_test(a_profile_for_another_device_is_refused_with_the_one_that_fits),
        cmocka_unit_test(a_device_that_is_bound_otherwise_is_refused_with_the_mend),
        cmocka_unit_test(nodes_of_ports_and_cpus_are_found),
        cmocka_unit_test(roles_far_from_their_nic_are_named_with_the_mend),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
