// SPDX-License-Identifier: Apache-2.0
// NIC profiles: what differs between devices, one YAML file a family, inheriting from a wider one. Keys not set in a
// file are taken from the profile that it inherits.
//
//   name        the file's own name, without .yaml
//   inherits    another profile of the same directory
//   kind        vdev | pci
//   driver      vdev: the EAL driver, e.g. net_vhost; pci: the driver expected, for the log
//   args        device arguments; {device} {queues} {mac} are replaced, an argument whose {mac} is not configured is
//   left out device_is   what {device} names: pci, interface, file, socket_made (the port listens there), socket_joined
//   rx_descriptors, tx_descriptors   a queue
//   buffers     frames in a queue's pool beyond its descriptors
//   checksums   true: have the port check and fill IPv4 and UDP checksums as far as it reports that it can
//   needs       the mend, when the port does not open
//   notes       for people
#ifndef CROSSWIRE_IO_PROFILE_H
#define CROSSWIRE_IO_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum profile_kind { PROFILE_KIND_UNSET, PROFILE_VDEV, PROFILE_PCI };

enum profile_device {
    DEVICE_UNSET,
    DEVICE_PCI,
    DEVICE_INTERFACE,
    DEVICE_FILE,
    DEVICE_SOCKET_MADE,
    DEVICE_SOCKET_JOINED,
};

#define PROFILE_TEXT 256

struct profile {
    char name[64];
    char driver[64];
    char args[PROFILE_TEXT];
    char needs[PROFILE_TEXT];
    enum profile_kind kind;
    enum profile_device device_is;
    uint32_t rx_descriptors;
    uint32_t tx_descriptors;
    uint32_t buffers;
    bool checksums;
};

// Reads DIRECTORY/NAME.yaml and all that it inherits. Returns 0, or a sysexits code (66 no such file, 78 a mistake in
// it) with one line in `error`.
int profile_load(const char *directory, const char *name, struct profile *profile, char *error, size_t error_size);

// Writes the device arguments for a port into `args`. mac: NULL when the configuration names none. Returns false when
// they do not fit.
bool profile_arguments(const struct profile *profile, const char *device, uint32_t queues, const char *mac, char *args,
                       size_t size);

#endif
