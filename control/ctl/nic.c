// SPDX-License-Identifier: Apache-2.0
// xwctl nic list | show NAME | match: NIC profiles, and which of them fit the devices of this host.
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "contract/nic_device.h"
#include "contract/nic_profile.h"
#include "control/ctl/ctl.h"

enum { PROFILES_MOST = 128, DEVICES_MOST = 256 };

// Beside this program, as make install lays both out under any prefix.
static const char *installed(char *path, size_t size)
{
    char folder[400];
    ctl_own_folder(folder, sizeof folder);
    snprintf(path, size, "%s../share/crosswire/nic_profiles", folder);
    return path;
}

// Where the profiles are: as --profiles says, as the configuration says, here, or where they are installed.
static const char *directory_of(const struct ctl *ctl, char *kept, size_t size)
{
    if (ctl->profiles)
        return ctl->profiles;
    if (!ctl->config_path)
        return access("nic_profiles", R_OK | X_OK) == 0 ? "nic_profiles" : installed(kept, size);
    struct config *config = ctl_load_config(ctl);
    snprintf(kept, size, "%s", config->profile_directory);
    config_free(config);
    return kept;
}

static void print_json(json_t *tree)
{
    json_dumpf(tree, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(tree);
}

// ---- list -----------------------------------------------------------------------------------------------------------

static bool is_tested(const struct nic_profile *profile)
{
    return profile->tested[0] && strncmp(profile->tested, "not ", 4) != 0;
}

static json_t *list_entry(const struct nic_profile *profile)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "name", profile->name, "family", profile->family, "kind",
                     nic_word(NIC_KEY_kind, profile->kind), "binding", nic_word(NIC_KEY_binding, profile->binding),
                     "steering", nic_word(NIC_KEY_steering, profile->steering), "tested", is_tested(profile),
                     "tested_on", profile->tested);
}

// A file that is wrong does not hide the others, but the command ends with its line.
static int list(const struct ctl *ctl, const char *directory)
{
    char names[PROFILES_MOST][NIC_NAME_MOST + 1], error[1024] = "";
    int count = nic_profile_names(directory, names, PROFILES_MOST), failed = 0;
    json_t *all = json_array();
    if (count < 0)
        fail_with(EX_NOINPUT, "%s: %s: give the directory of the profiles: --profiles DIR", directory, strerror(errno));
    if (!ctl->json)
        printf("%-12s %-50s %-6s %-15s %-9s %s\n", "name", "family", "kind", "binding", "steering", "tested");
    for (int i = 0; i < count && i < PROFILES_MOST; i++) {
        struct nic_profile profile;
        char line[1024];
        int result = nic_profile_load(directory, names[i], &profile, line, sizeof line);
        if (result != 0 && failed == 0) {
            failed = result;
            memcpy(error, line, sizeof error);
        }
        if (result != 0 || profile.base)
            continue;
        if (ctl->json)
            json_array_append_new(all, list_entry(&profile));
        else
            printf("%-12s %-50s %-6s %-15s %-9s %s\n", profile.name, profile.family,
                   nic_word(NIC_KEY_kind, profile.kind), nic_word(NIC_KEY_binding, profile.binding),
                   nic_word(NIC_KEY_steering, profile.steering), is_tested(&profile) ? "yes" : "no");
    }
    if (ctl->json)
        print_json(all);
    else
        json_decref(all);
    if (failed)
        fail_with(failed, "%s", error);
    return EX_OK;
}

// ---- show -----------------------------------------------------------------------------------------------------------

static json_t *flags_json(const struct nic_key *key, uint32_t bits)
{
    json_t *words = json_array();
    for (unsigned i = 0; key->words[i]; i++)
        if (bits & 1u << i)
            json_array_append_new(words, json_string(key->words[i]));
    return words;
}

static json_t *ids_json(const struct nic_profile *profile)
{
    json_t *ids = json_array();
    for (unsigned i = 0; i < profile->pci_ids_count; i++) {
        char text[10];
        snprintf(text, sizeof text, "%04x:%04x", profile->pci_ids[i].vendor, profile->pci_ids[i].device);
        json_array_append_new(ids, json_string(text));
    }
    return ids;
}

static json_t *value_json(const struct nic_profile *profile, enum nic_key_index index)
{
    const struct nic_key *key = &nic_keys[index];
    const void *field = (const char *)profile + key->offset;
    json_t *lines = NULL;
    switch (key->kind) {
    case NIC_KEY_TEXT:
        return json_string(field);
    case NIC_KEY_NUMBER:
        return json_integer(*(const uint32_t *)field);
    case NIC_KEY_CHOICE:
        return json_string(key->words[*(const unsigned *)field]);
    case NIC_KEY_FLAGS:
        return flags_json(key, *(const uint32_t *)field);
    case NIC_KEY_IDS:
        return ids_json(profile);
    case NIC_KEY_LINES:
        lines = json_array();
        for (unsigned i = 0; i < profile->host_count; i++)
            json_array_append_new(lines, json_string(profile->host[i]));
        return lines;
    default:
        lines = json_array();
        for (unsigned i = 0; i < profile->faults_count; i++)
            json_array_append_new(
                lines, json_pack("{s:s, s:s}", "what", profile->faults[i].what, "source", profile->faults[i].source));
        return lines;
    }
}

// Whether a file gives the key, or the reader's own default.
static bool is_set(const struct nic_profile *profile, unsigned index)
{
    const struct nic_key *key = &nic_keys[index];
    const char *field = (const char *)profile + key->offset;
    if (key->kind == NIC_KEY_TEXT)
        return *field != '\0';
    if (key->kind == NIC_KEY_NUMBER || key->kind == NIC_KEY_CHOICE)
        return *(const uint32_t *)(const void *)field != 0;
    return profile->from[index] >= 0;
}

static const char *from_of(const struct nic_profile *profile, unsigned index)
{
    return profile->from[index] >= 0 ? profile->files[profile->from[index]] : "default";
}

static json_t *show_json(const struct nic_profile *profile)
{
    json_t *files = json_array(), *keys = json_object();
    for (unsigned i = 0; i < profile->files_count; i++)
        json_array_append_new(files, json_string(profile->files[i]));
    for (unsigned i = 0; i < NIC_KEYS; i++) {
        if (is_set(profile, i))
            json_object_set_new(keys, nic_keys[i].name,
                                json_pack("{s:o, s:s}", "value", value_json(profile, (enum nic_key_index)i), "from",
                                          from_of(profile, i)));
    }
    return json_pack("{s:s, s:o, s:b, s:o}", "name", profile->name, "files", files, "base", profile->base, "keys",
                     keys);
}

// One entry of a list a line; `head` stands before the first.
static void print_lines(const char *name, const char *from, const json_t *list_of)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list_of, i, entry)
    {
        const char *text =
            json_is_object(entry) ? json_string_value(json_object_get(entry, "what")) : json_string_value(entry);
        printf("%-15s %-12s %s\n", i ? "" : name, i ? "" : from, text);
        if (json_is_object(entry))
            printf("%-28s (%s)\n", "", json_string_value(json_object_get(entry, "source")));
    }
    if (json_array_size(list_of) == 0)
        printf("%-15s %-12s none\n", name, from);
}

// Short entries, on one line.
static void print_row(const char *name, const char *from, const json_t *list_of)
{
    size_t i;
    json_t *entry;
    printf("%-15s %-12s", name, from);
    json_array_foreach((json_t *)list_of, i, entry)
    {
        printf(" %s", json_string_value(entry));
    }
    puts(json_array_size(list_of) == 0 ? " none" : "");
}

static void print_show(const struct nic_profile *profile)
{
    printf("%-15s %-12s %s%s\n", "key", "from", "value", profile->base ? " (a base: only there to be inherited)" : "");
    for (unsigned i = 0; i < NIC_KEYS; i++) {
        if (!is_set(profile, i))
            continue;
        const char *name = nic_keys[i].name, *from = from_of(profile, i);
        json_t *value = value_json(profile, (enum nic_key_index)i);
        if (json_is_integer(value))
            printf("%-15s %-12s %" JSON_INTEGER_FORMAT "\n", name, from, json_integer_value(value));
        else if (json_is_string(value))
            printf("%-15s %-12s %s\n", name, from, json_string_value(value));
        else if (nic_keys[i].kind == NIC_KEY_LINES || nic_keys[i].kind == NIC_KEY_FAULTS)
            print_lines(name, from, value);
        else
            print_row(name, from, value);
        json_decref(value);
    }
}

static int show(const struct ctl *ctl, const char *directory, const char *name)
{
    struct nic_profile profile;
    char error[1024];
    int result = nic_profile_load(directory, name, &profile, error, sizeof error);
    if (result != 0)
        fail_with(result, "%s", error);
    if (ctl->json)
        print_json(show_json(&profile));
    else
        print_show(&profile);
    return EX_OK;
}

// ---- match ----------------------------------------------------------------------------------------------------------

// Whether one of the device's interfaces carries a default route (proc(5): /proc/net/route).
static bool carries_default_route(const struct nic_device *device, const char *root)
{
    char path[512], line[256], interface[64];
    unsigned long destination, gateway, mask;
    bool carries = false;
    snprintf(path, sizeof path, "%s/proc/net/route", root);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%63s %lx %lx %*s %*s %*s %*s %lx", interface, &destination, &gateway, &mask) == 4)
            carries = carries || (destination == 0 && mask == 0 && strcmp(interface, device->interfaces) == 0);
    }
    if (file)
        fclose(file);
    return carries;
}

// What is to be done before a port can name the device.
static void mend_of(const struct nic_device *device, const struct nic_profile *profile, const char *root, char *mend,
                    size_t size)
{
    if (profile && profile->binding != NIC_BINDING_BIFURCATED && carries_default_route(device, root))
        snprintf(mend, size, "leave it to the kernel: it carries the default route");
    else if (!profile)
        snprintf(mend, size, "no profile names it: try `physical`, or write one");
    else if (nic_is_bound(profile, device))
        snprintf(mend, size, "nothing: it is bound as its profile wants");
    else if (device->on_vmbus)
        snprintf(mend, size,
                 "driverctl -b vmbus set-override %s uio_hv_generic, then give a port `profile: %.63s, device: %s`",
                 device->address, profile->name, device->address);
    else if (profile->binding == NIC_BINDING_BIFURCATED && device->driver[0])
        snprintf(mend, size, "echo %s >/sys/bus/pci/drivers/%.31s/unbind; echo %s >/sys/bus/pci/drivers/%.31s/bind",
                 device->address, device->driver, device->address, profile->kernel_driver);
    else if (profile->binding == NIC_BINDING_BIFURCATED)
        snprintf(mend, size, "echo %s >/sys/bus/pci/drivers/%.31s/bind", device->address, profile->kernel_driver);
    else
        snprintf(mend, size,
                 "give a port `profile: %.63s, device: %s`, then hugepage_setup/host apply vfio --config CONFIG",
                 profile->name, device->address);
}

// "8086:1592", or the bus of a device that has no ids.
static void write_id(const struct nic_device *device, char id[10])
{
    if (device->on_vmbus)
        snprintf(id, 10, "vmbus");
    else
        snprintf(id, 10, "%04x:%04x", device->vendor, device->device);
}

static json_t *match_json(const struct nic_device *device, const struct nic_profile *profile, const char *mend)
{
    char id[10];
    write_id(device, id);
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:i, s:s?, s:b, s:s}", "address", device->address, "id", id,
                     "driver", device->driver, "interfaces", device->interfaces, "numa_node", device->node,
                     "iommu_group", device->iommu_group, "group_devices", (int)device->group_devices, "profile",
                     profile ? profile->name : NULL, "bound", profile && nic_is_bound(profile, device), "mend", mend);
}

static void print_match(const struct nic_device *device, const struct nic_profile *profile, const char *mend)
{
    char node[16] = "-", group[40] = "-", id[10];
    write_id(device, id);
    if (device->node >= 0)
        snprintf(node, sizeof node, "%d", device->node);
    if (device->iommu_group[0])
        snprintf(group, sizeof group, "%s of %u", device->iommu_group, device->group_devices);
    printf("%-12s  %-9s  %-12s %-10s %-10s %4s  %-10s\n    %s\n", device->address, id, profile ? profile->name : "none",
           device->driver[0] ? device->driver : "-", device->interfaces[0] ? device->interfaces : "-", node, group,
           mend);
}

static int match(const struct ctl *ctl, const char *directory)
{
    static struct nic_device devices[DEVICES_MOST];
    char sysfs[512] = "/sys";
    if (ctl->root)
        snprintf(sysfs, sizeof sysfs, "%s/sys", ctl->root);
    int count = nic_devices(sysfs, devices, DEVICES_MOST);
    json_t *all = json_array();
    if (count < 0)
        fail_with(EX_NOINPUT, "%s/bus/pci/devices: %s: this host shows no devices", sysfs, strerror(errno));
    if (access(directory, R_OK | X_OK) != 0)
        fail_with(EX_NOINPUT, "%s: %s: give the directory of the profiles: --profiles DIR", directory, strerror(errno));
    if (!ctl->json)
        printf("%-12s  %-9s  %-12s %-10s %-10s %4s  %s\n", "device", "id", "profile", "driver", "interface", "node",
               "IOMMU group");
    for (int i = 0; i < count && i < DEVICES_MOST; i++) {
        struct nic_profile found;
        const struct nic_profile *profile = nic_profile_for(directory, &devices[i], &found) ? &found : NULL;
        char mend[512];
        mend_of(&devices[i], profile, ctl->root ? ctl->root : "", mend, sizeof mend);
        if (ctl->json)
            json_array_append_new(all, match_json(&devices[i], profile, mend));
        else
            print_match(&devices[i], profile, mend);
    }
    if (!ctl->json && count == 0)
        puts("no network device on PCI or VMBus");
    if (ctl->json)
        print_json(all);
    else
        json_decref(all);
    return EX_OK;
}

int ctl_nic(const struct ctl *ctl, int argc, char **argv)
{
    char kept[512];
    const char *word = argc > 0 ? argv[0] : "";
    if (strcmp(word, "list") == 0 && argc == 1)
        return list(ctl, directory_of(ctl, kept, sizeof kept));
    if (strcmp(word, "show") == 0 && argc == 2)
        return show(ctl, directory_of(ctl, kept, sizeof kept), argv[1]);
    if (strcmp(word, "match") == 0 && argc == 1)
        return match(ctl, directory_of(ctl, kept, sizeof kept));
    fail_with(EX_USAGE, "usage: xwctl nic list | show NAME | match  [--json] [--profiles DIR, or -c CONFIG]");
}
