// SPDX-License-Identifier: Apache-2.0
// Source of the file names: Documentation/ABI/testing/sysfs-bus-pci and sysfs-devices-node of the kernel.
#include "contract/nic_device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_ETHERNET 0x0200u // base class 02, subclass 00 (PCI Code and ID Assignment)

bool nic_is_address(const char *text)
{
    static const char form[] = "hhhh:hh:hh.o";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (unsigned i = 0; i < sizeof form - 1; i++) {
        bool good = form[i] == 'h'   ? strchr("0123456789abcdef", text[i]) != NULL
                    : form[i] == 'o' ? text[i] >= '0' && text[i] <= '7'
                                     : text[i] == form[i];
        if (!good)
            return false;
    }
    return true;
}

// The number in a file, `otherwise` when there is none.
static long read_number(const char *directory, const char *name, long otherwise)
{
    char path[PATH_MAX];
    long number = otherwise;
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return otherwise;
    FILE *file = fopen(path, "re");
    if (!file)
        return otherwise;
    if (fscanf(file, "%li", &number) != 1)
        number = otherwise;
    fclose(file);
    return number;
}

// The last part of where a link leads, empty when there is no link.
static void read_link(const char *directory, const char *name, char *to, size_t size)
{
    char path[PATH_MAX], target[PATH_MAX];
    to[0] = '\0';
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return;
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return;
    target[length] = '\0';
    const char *last = strrchr(target, '/');
    snprintf(to, size, "%.*s", (int)size - 1, last ? last + 1 : target);
}

// Calls `take` for each entry of a directory.
static unsigned each_entry(const char *directory, const char *name, void (*take)(void *to, const char *entry), void *to)
{
    char path[PATH_MAX];
    unsigned count = 0;
    DIR *open = snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path ? opendir(path) : NULL;
    if (!open)
        return 0;
    for (struct dirent *entry; (entry = readdir(open));) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (take)
            take(to, entry->d_name);
    }
    closedir(open);
    return count;
}

static void add_interface(void *to, const char *entry)
{
    struct nic_device *device = to;
    size_t used = strlen(device->interfaces);
    snprintf(device->interfaces + used, sizeof device->interfaces - used, "%s%s", used ? " " : "", entry);
}

bool nic_device_read(const char *sysfs, const char *address, struct nic_device *device)
{
    char directory[PATH_MAX];
    *device = (struct nic_device){.node = -1};
    if (!nic_is_address(address) ||
        snprintf(directory, sizeof directory, "%s/bus/pci/devices/%s", sysfs, address) >= (int)sizeof directory)
        return false;
    long vendor = read_number(directory, "vendor", -1), id = read_number(directory, "device", -1);
    if (vendor < 0 || id < 0)
        return false;
    snprintf(device->address, sizeof device->address, "%s", address);
    device->vendor = (uint16_t)vendor;
    device->device = (uint16_t)id;
    device->class = (uint32_t)read_number(directory, "class", 0);
    device->node = (int)read_number(directory, "numa_node", -1);
    read_link(directory, "driver", device->driver, sizeof device->driver);
    read_link(directory, "iommu_group", device->iommu_group, sizeof device->iommu_group);
    if (device->iommu_group[0])
        device->group_devices = each_entry(directory, "iommu_group/devices", NULL, NULL);
    if (each_entry(directory, "net", add_interface, device) > 0)
        return true;
    // virtio: the interface hangs below the device virtioN.
    DIR *open = opendir(directory);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        char below[PATH_MAX];
        if (strncmp(entry->d_name, "virtio", 6) == 0 &&
            snprintf(below, sizeof below, "%s/net", entry->d_name) < (int)sizeof below)
            each_entry(directory, below, add_interface, device);
    }
    if (open)
        closedir(open);
    return true;
}

// What a VMBus device's class_id says of a network device: drivers/hv/vmbus_drv.c and include/linux/hyperv.h of Linux.
static const char vmbus_network[] = "{f8615163-df3e-46c5-913f-f2d2f965ed0e}";

static bool read_vmbus(const char *sysfs, const char *uuid, struct nic_device *device)
{
    char directory[PATH_MAX], path[PATH_MAX + 16], class[sizeof vmbus_network] = "";
    *device = (struct nic_device){.on_vmbus = true, .node = -1};
    if (snprintf(device->address, sizeof device->address, "%s", uuid) >= (int)sizeof device->address ||
        snprintf(directory, sizeof directory, "%s/bus/vmbus/devices/%s", sysfs, uuid) >= (int)sizeof directory)
        return false;
    snprintf(path, sizeof path, "%s/class_id", directory);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool is_network = fgets(class, sizeof class, file) && strcmp(class, vmbus_network) == 0;
    fclose(file);
    device->node = (int)read_number(directory, "numa_node", -1);
    read_link(directory, "driver", device->driver, sizeof device->driver);
    each_entry(directory, "net", add_interface, device);
    return is_network;
}

static bool read_ethernet(const char *sysfs, const char *address, struct nic_device *device)
{
    return nic_device_read(sysfs, address, device) && device->class >> 8 == CLASS_ETHERNET;
}

static int by_address(const void *a, const void *b)
{
    return strcmp(((const struct nic_device *)a)->address, ((const struct nic_device *)b)->address);
}

int nic_devices(const char *sysfs, struct nic_device *list, unsigned most)
{
    static const struct {
        const char *name;
        bool (*read)(const char *sysfs, const char *address, struct nic_device *device);
    } buses[] = {{"pci", read_ethernet}, {"vmbus", read_vmbus}};
    unsigned count = 0, opened = 0;
    for (unsigned i = 0; i < sizeof buses / sizeof buses[0]; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/bus/%s/devices", sysfs, buses[i].name);
        DIR *open = opendir(path);
        for (struct dirent *entry; open && (entry = readdir(open));) {
            struct nic_device device;
            if (!buses[i].read(sysfs, entry->d_name, &device))
                continue;
            if (count < most)
                list[count] = device;
            count++;
        }
        if (open)
            closedir(open);
        opened += open != NULL;
    }
    qsort(list, count < most ? count : most, sizeof *list, by_address);
    return opened ? (int)count : -1;
}

// ---- NUMA -----------------------------------------------------------------------------------------------------------

int nic_port_node(const char *sysfs, const struct nic_profile *profile, const char *device)
{
    char directory[PATH_MAX];
    if (profile->device_is == NIC_DEVICE_PCI && nic_is_address(device))
        snprintf(directory, sizeof directory, "%s/bus/pci/devices/%s", sysfs, device);
    else if (profile->device_is == NIC_DEVICE_INTERFACE && !strchr(device, '/') && device[0] != '.')
        snprintf(directory, sizeof directory, "%s/class/net/%s/device", sysfs, device);
    else
        return -1;
    return (int)read_number(directory, "numa_node", -1);
}

static void take_node(void *to, const char *entry)
{
    int node;
    if (sscanf(entry, "node%d", &node) == 1)
        *(int *)to = node;
}

int nic_cpu_node(const char *sysfs, unsigned cpu)
{
    char name[64];
    int node = -1;
    snprintf(name, sizeof name, "devices/system/cpu/cpu%u", cpu);
    each_entry(sysfs, name, take_node, &node);
    return node;
}

// The role of that number, gateways first, then publishers. False when there is no such.
static bool role_at(const struct config *config, unsigned role, const char **name, unsigned *index, uint32_t *lcore,
                    uint32_t *port)
{
    if (role < config->gateways_count) {
        *name = "gateway";
        *index = role;
        *lcore = config->gateways[role].lcore;
        *port = config->gateways[role].port_index;
        return true;
    }
    role -= config->gateways_count;
    if (role >= config->publishers_count)
        return false;
    *name = "publisher";
    *index = role;
    *lcore = config->publishers[role].lcore;
    *port = config->publishers[role].port_index;
    return true;
}

bool nic_far_role(const char *sysfs, const struct config *config, unsigned *role, char *line, size_t size)
{
    const char *name;
    unsigned index;
    uint32_t lcore, port;
    while (role_at(config, (*role)++, &name, &index, &lcore, &port)) {
        struct nic_profile profile;
        char error[512];
        if (nic_profile_load_port(config->profile_directory, config->ports[port].profile, &profile, error,
                                  sizeof error) != 0)
            continue;
        int of_port = nic_port_node(sysfs, &profile, config->ports[port].device);
        int of_cpu = nic_cpu_node(sysfs, lcore);
        if (of_port < 0 || of_cpu < 0 || of_port == of_cpu)
            continue;
        snprintf(line, size,
                 "%s %u polls port %s from NUMA node %d, and the NIC sits on node %d: give it an lcore of node %d "
                 "(cat /sys/devices/system/node/node%d/cpulist)",
                 name, index, config->ports[port].name, of_cpu, of_port, of_port, of_port);
        return true;
    }
    return false;
}

// ---- profiles and devices -------------------------------------------------------------------------------------------

bool nic_profile_for(const char *directory, const struct nic_device *device, struct nic_profile *profile)
{
    char names[128][NIC_NAME_MOST + 1], error[512];
    int count = nic_profile_names(directory, names, 128);
    for (int i = 0; i < count && i < 128; i++) {
        if (nic_profile_load(directory, names[i], profile, error, sizeof error) == 0 && !profile->base &&
            (device->on_vmbus ? profile->kind == NIC_VMBUS
                              : profile->kind == NIC_PCI && nic_profile_fits(profile, device->vendor, device->device)))
            return true;
    }
    return false;
}

bool nic_is_bound(const struct nic_profile *profile, const struct nic_device *device)
{
    if (profile->binding == NIC_BINDING_BIFURCATED)
        return strcmp(device->driver, profile->kernel_driver) == 0;
    if (profile->binding == NIC_BINDING_UIO_HV)
        return strcmp(device->driver, "uio_hv_generic") == 0;
    // uio_pci_generic and igb_uio serve DPDK too, where there is no IOMMU.
    return strcmp(device->driver, "vfio-pci") == 0 || strcmp(device->driver, "uio_pci_generic") == 0 ||
           strcmp(device->driver, "igb_uio") == 0;
}

bool nic_port_fits(const char *sysfs, const char *directory, const struct nic_profile *profile, const char *device,
                   char *error, size_t error_size)
{
    struct nic_device found;
    struct nic_profile other;
    if (profile->kind != NIC_PCI || !nic_device_read(sysfs, device, &found))
        return true;
    if (profile->pci_ids_count > 0 && !nic_profile_fits(profile, found.vendor, found.device)) {
        bool known = nic_profile_for(directory, &found, &other);
        snprintf(error, error_size, "the device is %04x:%04x, none of this profile's: %s%s", found.vendor, found.device,
                 known ? "set the port's profile to " : "see `xwctl nic match`; `physical` takes any",
                 known ? other.name : "");
        return false;
    }
    if (nic_is_bound(profile, &found))
        return true;
    if (profile->binding == NIC_BINDING_BIFURCATED)
        snprintf(error, error_size, "the device is bound to %s and DPDK shares it with %s: give it back to %s",
                 found.driver[0] ? found.driver : "no driver", profile->kernel_driver, profile->kernel_driver);
    else
        snprintf(error, error_size, "the device is bound to %s, not to vfio-pci: %s",
                 found.driver[0] ? found.driver : "no driver", profile->needs);
    return false;
}

int nic_group_try(const char *dev, const struct nic_device *device)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/vfio/%s", dev, device->iommu_group);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}
