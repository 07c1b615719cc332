// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks of what the ports stand on: sockets, interfaces, PCI devices, DPDK.
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "contract/nic_device.h"
#include "control/doctor/doctor.h"

// The profile of a port; false once that it can not be had is said.
static bool load_profile(struct doctor *doctor, const struct config_port *port, struct nic_profile *profile)
{
    char error[400];
    if (nic_profile_load_port(doctor->config->profile_directory, port->profile, profile, error, sizeof error) == 0)
        return true;
    doctor_say(doctor, DOCTOR_FAIL, NULL, "port %s: %s", port->name, error);
    return false;
}

// ---- sockets and interfaces -----------------------------------------------------------------------------------------

static void look_at_socket(struct doctor *doctor, const struct config_port *port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat file;
    char directory[256], mend[320];
    const char *slash = strrchr(port->device, '/');
    snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - port->device) : 1, slash ? port->device : ".");
    snprintf(mend, sizeof mend, "mkdir -p %s", directory);
    if (strlen(port->device) >= sizeof address.sun_path) {
        doctor_say(doctor, DOCTOR_FAIL, "shorten the port's device",
                   "port %s: the path of its socket is longer than %zu bytes", port->name, sizeof address.sun_path - 1);
    } else if (directory[0] && access(directory, F_OK) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, mend, "port %s: %s: %s", port->name, directory, strerror(errno));
    } else if (lstat(port->device, &file) != 0) {
        doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: its socket can be made", port->name);
    } else if (!S_ISSOCK(file.st_mode)) {
        doctor_say(doctor, DOCTOR_FAIL, "name another path as the port's device", "port %s: %s is no socket",
                   port->name, port->device);
    } else {
        memcpy(address.sun_path, port->device, strlen(port->device));
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int result = connect(probe, (struct sockaddr *)&address, sizeof address), reason = errno;
        close(probe);
        if (result == 0 || reason == EAGAIN) {
            snprintf(mend, sizeof mend, "fuser -v %s; stop it, or name another path as the port's device",
                     port->device);
            doctor_say(doctor, doctor->is_live ? DOCTOR_PASS : DOCTOR_FAIL, doctor->is_live ? NULL : mend,
                       "port %s: a live process holds %s", port->name, port->device);
        } else if (reason == ECONNREFUSED) {
            doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: %s is left from a dead process; the next start replaces it",
                       port->name, port->device);
        } else {
            doctor_say(doctor, DOCTOR_WARN, "AS crosswire-dataplane", "port %s: %s: %s", port->name, port->device,
                       strerror(reason));
        }
    }
}

// Whether a UDP socket of the kernel has the port. Table: proc(5), /proc/net/udp.
static bool kernel_has_udp(const struct doctor *doctor, uint32_t port)
{
    char line[512];
    bool found = false;
    FILE *file = fopen(doctor_path(doctor, "/proc/net/udp"), "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        unsigned address, number;
        found = sscanf(line, " %*u: %x:%x", &address, &number) == 2 && number == port;
    }
    if (file)
        fclose(file);
    return found;
}

static bool kernel_has_address(uint32_t ip)
{
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list) != 0)
        return false;
    for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
        if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
            found = ntohl(((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr.s_addr) == ip;
    }
    freeifaddrs(list);
    return found;
}

// A frame that comes to such an interface is seen by the kernel too: what it knows it answers.
static void look_at_interface(struct doctor *doctor, const struct config_port *port, uint32_t index)
{
    char mend[320];
    bool good = true;
    if (access(doctor_path(doctor, "/sys/class/net/%s", port->device), F_OK) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, "ip link; name one of these as the port's device",
                   "port %s: there is no interface %s", port->name, port->device);
        return;
    }
    if (!doctor->root[0] && kernel_has_address(port->ip)) {
        snprintf(mend, sizeof mend, "ip addr del %s dev %s", port->address, port->device);
        doctor_say(doctor, DOCTOR_WARN, mend,
                   "port %s: the kernel has the address %s too, and answers what comes to it", port->name,
                   port->address);
        good = false;
    }
    for (uint32_t i = 0; i < doctor->config->gateways_count; i++) {
        const struct config_gateway *gateway = &doctor->config->gateways[i];
        if (gateway->port_index != index || !kernel_has_udp(doctor, gateway->udp_port))
            continue;
        snprintf(mend, sizeof mend, "ss -lunp 'sport = :%u'; stop it, or change the gateway's udp_port",
                 gateway->udp_port);
        doctor_say(doctor, DOCTOR_WARN, mend, "port %s: a program on this host listens at UDP port %u, gateway %u's",
                   port->name, gateway->udp_port, i);
        good = false;
    }
    if (good)
        doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: interface %s is there", port->name, port->device);
}

void doctor_ports(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    for (uint32_t i = 0; i < config->ports_count; i++) {
        static struct nic_profile profile;
        const struct config_port *port = &config->ports[i];
        if (!load_profile(doctor, port, &profile))
            continue;
        if (profile.device_is == NIC_DEVICE_SOCKET_MADE)
            look_at_socket(doctor, port);
        else if (profile.device_is == NIC_DEVICE_INTERFACE && strcmp(profile.driver, "net_tap") != 0)
            look_at_interface(doctor, port, i);
        else if (profile.device_is == NIC_DEVICE_FILE && access(port->device, R_OK) != 0)
            doctor_say(doctor, DOCTOR_FAIL, "name a capture that there is", "port %s: %s: %s", port->name, port->device,
                       strerror(errno));
        else
            doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: profile %s", port->name, profile.name);
    }
}

// ---- PCI devices ----------------------------------------------------------------------------------------------------

// A port that is a PCI device.
struct pci_port {
    const struct config_port *port;
    struct nic_profile profile;
    bool is_there;
    struct nic_device device; // when it is there
};

// The next one from port *at on, which goes behind it; NULL: there is none any more. In static memory. A profile that
// can not be had doctor_ports has told.
static const struct pci_port *next_pci_port(const struct doctor *doctor, uint32_t *at)
{
    static struct pci_port pci;
    const struct config *config = doctor->config;
    char error[400];
    while (*at < config->ports_count) {
        pci.port = &config->ports[(*at)++];
        if (nic_profile_load_port(config->profile_directory, pci.port->profile, &pci.profile, error, sizeof error) ||
            pci.profile.kind != NIC_PCI)
            continue;
        pci.is_there = nic_device_read(doctor_path(doctor, "/sys"), pci.port->device, &pci.device);
        return &pci;
    }
    return NULL;
}

// Who has a file open: "PID (NAME)"; empty when that can not be seen.
static void find_holder(const struct doctor *doctor, const char *path, char *holder, size_t size)
{
    holder[0] = '\0';
    DIR *processes = opendir(doctor_path(doctor, "/proc"));
    for (struct dirent *process; processes && !holder[0] && (process = readdir(processes));) {
        if (process->d_name[0] < '1' || process->d_name[0] > '9')
            continue;
        DIR *files = opendir(doctor_path(doctor, "/proc/%s/fd", process->d_name));
        for (struct dirent *file; files && !holder[0] && (file = readdir(files));) {
            char target[1024], name[32] = "?";
            ssize_t length = readlinkat(dirfd(files), file->d_name, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
            if (strcmp(target, path) != 0)
                continue;
            doctor_line(doctor_path(doctor, "/proc/%s/comm", process->d_name), name, sizeof name);
            snprintf(holder, size, "%.16s (%s)", process->d_name, name);
        }
        if (files)
            closedir(files);
    }
    if (processes)
        closedir(processes);
}

// The group's device node: whether this user may open it, and nobody else has.
static void look_at_group(struct doctor *doctor, const struct config_port *port, const struct nic_device *device)
{
    char path[1024], holder[64], mend[320];
    snprintf(path, sizeof path, "%s", doctor_path(doctor, "/dev/vfio/%s", device->iommu_group));
    int reason = nic_group_try(doctor_path(doctor, "/dev"), device);
    if (reason == 0 || doctor->is_live) {
        doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: %s is bound to vfio-pci, IOMMU group %s", port->name,
                   port->device, device->iommu_group);
    } else if (reason == EBUSY) {
        find_holder(doctor, path, holder, sizeof holder);
        if (holder[0])
            snprintf(mend, sizeof mend, "kill %.*s", (int)strcspn(holder, " "), holder);
        else
            snprintf(mend, sizeof mend, "fuser -v /dev/vfio/%s (as root); stop what it names", device->iommu_group);
        doctor_say(doctor, DOCTOR_FAIL, mend, "port %s: IOMMU group %s of %s is in use by %s", port->name,
                   device->iommu_group, port->device, holder[0] ? holder : "another process");
    } else if (reason == EACCES || reason == EPERM) {
        doctor_say(doctor, DOCTOR_WARN, "HOST apply vfio (its udev rule), or run doctor as crosswire-dataplane",
                   "port %s: %s: this user may not open it", port->name, path);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "HOST apply vfio", "port %s: %s: %s", port->name, path, strerror(reason));
    }
}

// Whether the device is the profile's, and only bound otherwise.
static bool mends_by_binding(const struct nic_profile *profile, const struct nic_device *device)
{
    return profile->binding == NIC_BINDING_VFIO && !nic_is_bound(profile, device) &&
           (profile->pci_ids_count == 0 || nic_profile_fits(profile, device->vendor, device->device));
}

static void look_at_binding(struct doctor *doctor, const struct pci_port *pci)
{
    const struct config_port *port = pci->port;
    char error[400];
    if (!pci->is_there)
        doctor_say(doctor, DOCTOR_FAIL, "lspci -D; name one of these as the port's device",
                   "port %s: there is no PCI device %s", port->name, port->device);
    else if (!nic_port_fits(doctor_path(doctor, "/sys"), doctor->config->profile_directory, &pci->profile, port->device,
                            error, sizeof error))
        doctor_say(doctor, DOCTOR_FAIL, mends_by_binding(&pci->profile, &pci->device) ? "HOST apply vfio" : NULL,
                   "port %s: %s", port->name, error);
    else if (pci->profile.binding != NIC_BINDING_VFIO)
        doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: %s stays with %s, which shares it", port->name, port->device,
                   pci->device.driver);
    else if (!pci->device.iommu_group[0])
        doctor_say(doctor, DOCTOR_FAIL, "turn the IOMMU on in the firmware; HOST apply boot; then reboot",
                   "port %s: %s is in no IOMMU group", port->name, port->device);
    else
        look_at_group(doctor, port, &pci->device);
}

void doctor_vfio(struct doctor *doctor)
{
    uint32_t at = 0;
    const struct pci_port *pci = next_pci_port(doctor, &at);
    if (!pci)
        doctor_say(doctor, DOCTOR_PASS, NULL, "no port is a PCI device");
    for (; pci; pci = next_pci_port(doctor, &at))
        look_at_binding(doctor, pci);
}

// ---- firmware -------------------------------------------------------------------------------------------------------

// From the kernel's driver of an interface, where the device has one: ethtool -i.
static bool ask_driver(const char *interface, char *firmware, size_t size)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (void *)&info};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%.*s", (int)strcspn(interface, " "), interface);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 && info.fw_version[0];
    if (fd >= 0)
        close(fd);
    if (answered)
        snprintf(firmware, size, "%.*s", (int)sizeof info.fw_version, info.fw_version);
    return answered;
}

static bool read_firmware(const struct doctor *doctor, const struct nic_device *device, char *firmware, size_t size)
{
    bool read = false;
    DIR *list = opendir(doctor_path(doctor, "/sys/bus/pci/devices/%s/infiniband", device->address));
    for (struct dirent *entry; list && !read && (entry = readdir(list));) {
        if (entry->d_name[0] != '.')
            read = doctor_line(
                doctor_path(doctor, "/sys/bus/pci/devices/%s/infiniband/%s/fw_ver", device->address, entry->d_name),
                firmware, size);
    }
    if (list)
        closedir(list);
    return read || (!doctor->root[0] && device->interfaces[0] && ask_driver(device->interfaces, firmware, size));
}

// The number at *at, which goes behind it and a dot; -1 when none stands there.
static long next_number(const char **at)
{
    char *end;
    if (**at < '0' || **at > '9')
        return -1;
    long number = strtol(*at, &end, 10);
    *at = *end == '.' ? end + 1 : end;
    return number;
}

// Dotted numbers, part by part; a part that is missing is the lowest.
static bool is_below(const char *version, const char *least)
{
    for (;;) {
        long has = next_number(&version), wants = next_number(&least);
        if (has != wants)
            return has < wants;
        if (wants < 0)
            return false;
    }
}

// Of a profile's least versions the one that a device's is held against: its own line, by the first number. NULL: none.
static const char *least_of(const char *list, const char *version)
{
    long own = next_number(&version);
    bool several = strchr(list, ' ') != NULL;
    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        const char *first = at;
        if (!several || next_number(&first) == own)
            return at;
    }
    return NULL;
}

static void look_at_firmware(struct doctor *doctor, const struct pci_port *pci)
{
    const struct nic_device *device = &pci->device;
    const char *name = pci->port->name, *least;
    const char *wanted = pci->profile.firmware[0] ? pci->profile.firmware : "none named";
    char text[400];
    if (!read_firmware(doctor, device, text, sizeof text))
        doctor_say(doctor, DOCTOR_WARN, "look at it before the device is bound: ethtool -i INTERFACE",
                   "port %s: the firmware can not be seen (driver %s); the profile wants: %s", name,
                   device->driver[0] ? device->driver : "none", wanted);
    else if ((least = least_of(pci->profile.firmware_least, text)) && is_below(text, least))
        doctor_say(doctor, DOCTOR_WARN, "update it with its maker's tool (mstflint, bnxtnvm, sfupdate), then reboot",
                   "port %s: driver %s, firmware %s is older than %.*s; the profile wants: %s", name, device->driver,
                   text, (int)strcspn(least, " "), least, wanted);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "port %s: driver %s, firmware %s; the profile wants: %s", name,
                   device->driver, text, wanted);
}

void doctor_nics(struct doctor *doctor)
{
    bool looked = false;
    uint32_t at = 0;
    for (const struct pci_port *pci; (pci = next_pci_port(doctor, &at)); looked |= pci->is_there) {
        if (pci->is_there)
            look_at_firmware(doctor, pci);
    }
    if (!looked)
        doctor_say(doctor, DOCTOR_PASS, NULL, "no port has firmware to look at");
}

void doctor_dpdk(struct doctor *doctor)
{
    if (!doctor->built[0] || !doctor->running[0])
        doctor_say(doctor, DOCTOR_FAIL, "make all, or make install", "crosswire-dataplane does not say its DPDK: %s",
                   doctor->needs_error ? doctor->needs_error : "it is of another version");
    else if (strcmp(doctor->built, doctor->running) != 0)
        doctor_say(doctor, DOCTOR_WARN, "make clean all, and install that",
                   "built against DPDK %s, and the library here is %s", doctor->built, doctor->running);
    else
        doctor_say(doctor, DOCTOR_PASS, NULL, "DPDK %s, as it was built against", doctor->running);
}
