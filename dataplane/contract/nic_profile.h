// SPDX-License-Identifier: Apache-2.0
// NIC profiles: what differs between devices, one YAML file a family, inheriting from a wider one, so that a file holds
// only what differs. Keys: nic_profile.def. Beside them a file has
//
//   name       its own name, without .yaml
//   inherits   another profile of the same directory
//   base       true: only there to be inherited, no port may name it
#ifndef CROSSWIRE_CONTRACT_NIC_PROFILE_H
#define CROSSWIRE_CONTRACT_NIC_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_NAME_MOST 63
#define NIC_ARGS_MOST 255
#define NIC_IDS_MOST 64
#define NIC_LINES_MOST 12
#define NIC_FAULTS_MOST 12
#define NIC_INHERIT_MOST 8 // files of one profile; more is a circle

enum nic_kind { NIC_KIND_UNSET, NIC_VDEV, NIC_PCI, NIC_VMBUS };

enum nic_device_is {
    NIC_DEVICE_UNSET,
    NIC_DEVICE_PCI,           // a PCI address such as 0000:3b:00.0
    NIC_DEVICE_VMBUS,         // the UUID of a VMBus device
    NIC_DEVICE_INTERFACE,     // a network interface of the kernel
    NIC_DEVICE_FILE,          // a capture file
    NIC_DEVICE_SOCKET_MADE,   // a socket that the port listens at
    NIC_DEVICE_SOCKET_JOINED, // a socket that somebody else listens at
};

enum nic_binding {
    NIC_BINDING_UNSET,
    NIC_BINDING_NONE,       // there is nothing to bind
    NIC_BINDING_VFIO,       // vfio-pci takes the device from the kernel
    NIC_BINDING_BIFURCATED, // it stays with the kernel's driver, which shares it
    NIC_BINDING_UIO_HV,     // uio_hv_generic, of Hyper-V
};

enum nic_steering {
    NIC_STEERING_UNSET,
    NIC_STEERING_NONE,     // one queue only
    NIC_STEERING_FLOW,     // rte_flow rules in the device; in software where it takes none
    NIC_STEERING_SOFTWARE, // whoever receives a frame hands it to the queue that it is for
};

enum { NIC_RX_IPV4_CKSUM = 1, NIC_RX_UDP_CKSUM = 2 }; // rx_offloads
enum { NIC_TX_MBUF_FAST_FREE = 1 };                   // tx_offloads

struct nic_pci_id {
    uint16_t vendor, device;
};

struct nic_fault {
    char what[400];
    char source[200];
};

enum nic_key_index {
#define NIC_KEY(key, kind, least, most, help) NIC_KEY_##key,
#include "contract/nic_profile.def"
#undef NIC_KEY
    NIC_KEYS
};

struct nic_profile {
    char name[NIC_NAME_MOST + 1];
    char family[64];
    char kernel_driver[32];
    char driver[64];
    char plugin[32]; // as `driver` when no file gives one
    char args[NIC_ARGS_MOST + 1];
    char timestamps[512], link[512];
    char firmware[256], firmware_least[128], tested[256], needs[256];
    char notes[2048];
    enum nic_kind kind;
    enum nic_device_is device_is;
    enum nic_binding binding;
    enum nic_steering steering;
    uint32_t rx_descriptors, tx_descriptors; // a queue
    uint32_t buffers;
    uint32_t burst;
    uint32_t rx_offloads, tx_offloads; // bits NIC_RX_.., NIC_TX_..
    struct nic_pci_id pci_ids[NIC_IDS_MOST];
    unsigned pci_ids_count; // 0: it fits any
    char host[NIC_LINES_MOST][256];
    unsigned host_count;
    struct nic_fault faults[NIC_FAULTS_MOST];
    unsigned faults_count;
    bool base;
    // Where each value came from: an index into files, the profile's own first; -1: no file gives it.
    int8_t from[NIC_KEYS];
    char files[NIC_INHERIT_MOST][NIC_NAME_MOST + 1];
    unsigned files_count;
};

enum nic_key_kind {
    NIC_KEY_TEXT,
    NIC_KEY_NUMBER,
    NIC_KEY_CHOICE,
    NIC_KEY_FLAGS,
    NIC_KEY_IDS,
    NIC_KEY_LINES,
    NIC_KEY_FAULTS
};

// A key of the table, for tools that show profiles.
struct nic_key {
    const char *name;
    enum nic_key_kind kind;
    size_t offset; // in struct nic_profile
    uint32_t least, most;
    const char *const *words; // of CHOICE by value, of FLAGS by bit; ends with NULL
    const char *help;
};
extern const struct nic_key nic_keys[NIC_KEYS];

// The word of a CHOICE key's value.
const char *nic_word(enum nic_key_index key, unsigned value);

// Reads DIRECTORY/NAME.yaml and all that it inherits. A base is read too: its `base` is set and keys may be missing.
// Returns 0, or a sysexits code (66 no such file, 78 a mistake in it) with one line in `error`: file:line:column, what
// is wrong and what mends it.
int nic_profile_load(const char *directory, const char *name, struct nic_profile *profile, char *error,
                     size_t error_size);

// As nic_profile_load, for a port: refuses a base.
int nic_profile_load_port(const char *directory, const char *name, struct nic_profile *profile, char *error,
                          size_t error_size);

// The names of DIRECTORY's profiles, sorted, at most `most` into `names`. Returns how many there are; -1 with errno
// when the directory can not be read.
int nic_profile_names(const char *directory, char (*names)[NIC_NAME_MOST + 1], unsigned most);

// Whether the profile names this PCI device.
bool nic_profile_fits(const struct nic_profile *profile, uint16_t vendor, uint16_t device);

// Writes the device arguments for a port into `args`. An argument whose {mac} is not configured (NULL) is left out.
// Returns false when they do not fit.
bool nic_profile_arguments(const struct nic_profile *profile, const char *device, uint32_t queues, const char *mac,
                           char *args, size_t size);

#endif
