// SPDX-License-Identifier: Apache-2.0
// Network devices as the kernel shows them in sysfs: what a profile is matched with, and where a device sits. `sysfs`
// is the root of the tree, "/sys" but for tests.
#ifndef CROSSWIRE_CONTRACT_NIC_DEVICE_H
#define CROSSWIRE_CONTRACT_NIC_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/nic_profile.h"

#define NIC_ADDRESS_MOST 36 // 0000:3b:00.0, or a UUID on VMBus

struct nic_device {
    char address[NIC_ADDRESS_MOST + 1];
    bool on_vmbus; // Hyper-V's bus: it has no ids
    uint16_t vendor, device;
    uint32_t class;         // 0x020000: an Ethernet controller
    char driver[32];        // that the device is bound to, empty: none
    char interfaces[128];   // of the kernel, blank separated
    char iommu_group[16];   // empty: no IOMMU
    unsigned group_devices; // in that group, this one included
    int node;               // NUMA node, -1: not known
};

// Whether `text` has the form of a PCI address, dddd:bb:dd.f in lower case.
bool nic_is_address(const char *text);

// Reads one PCI device. False when there is none of that address.
bool nic_device_read(const char *sysfs, const char *address, struct nic_device *device);

// The PCI devices that are Ethernet controllers and the network devices on VMBus, by address, at most `most` into
// `list`. Returns how many there are; -1 with errno when neither bus can be read.
int nic_devices(const char *sysfs, struct nic_device *list, unsigned most);

// The NUMA node of what a port's `device` names: a PCI device, or an interface of the kernel on top of one. -1: not
// known, or there is no device.
int nic_port_node(const char *sysfs, const struct nic_profile *profile, const char *device);

// The NUMA node of a CPU, -1: not known.
int nic_cpu_node(const char *sysfs, unsigned cpu);

// Whether a profile may drive the PCI device that a port names. False with one line in `error` when the device is there
// and is another one, or is bound to a driver that DPDK can not use it with; the line names the profile of `directory`
// that fits, or what binds it. True when sysfs knows no such device: who opens it says so.
bool nic_port_fits(const char *sysfs, const char *directory, const struct nic_profile *profile, const char *device,
                   char *error, size_t error_size);

// The name of the profile of `directory` that names this device, false when there is none. Files that can not be read
// are passed over.
bool nic_profile_for(const char *directory, const struct nic_device *device, struct nic_profile *profile);

// Whether the device is bound as the profile wants it.
bool nic_is_bound(const struct nic_profile *profile, const struct nic_device *device);

// Tries to open the device's VFIO group below `dev` ("/dev" but for tests), as DPDK does. Returns 0, or errno: EBUSY
// when another process has it.
int nic_group_try(const char *dev, const struct nic_device *device);

// The first role, from *role on, whose lcore sits on another NUMA node than the port that it polls: one line with the
// mend in `line`, and *role is where to go on. False when there is none left. Start with *role = 0.
bool nic_far_role(const char *sysfs, const struct config *config, unsigned *role, char *line, size_t size);

#endif
