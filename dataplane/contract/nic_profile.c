// SPDX-License-Identifier: Apache-2.0
#include "contract/nic_profile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/assert.h"
#include "contract/nic_profile_file.h"

// Words by value: of CHOICE keys the first stands for "not set", of FLAGS keys the place is the bit.
static const char *const kind_words[] = {"", "vdev", "pci", "vmbus", NULL};
static const char *const device_is_words[] = {"",     "pci",         "vmbus",         "interface",
                                              "file", "socket_made", "socket_joined", NULL};
static const char *const binding_words[] = {"", "none", "vfio-pci", "bifurcated", "uio_hv_generic", NULL};
static const char *const steering_words[] = {"", "none", "flow", "software", NULL};
static const char *const rx_offloads_words[] = {"IPV4_CKSUM", "UDP_CKSUM", NULL};
static const char *const tx_offloads_words[] = {"MBUF_FAST_FREE", NULL};

#define WORDS_TEXT(key) NULL
#define WORDS_NUMBER(key) NULL
#define WORDS_CHOICE(key) key##_words
#define WORDS_FLAGS(key) key##_words
#define WORDS_IDS(key) NULL
#define WORDS_LINES(key) NULL
#define WORDS_FAULTS(key) NULL

const struct nic_key nic_keys[NIC_KEYS] = {
#define NIC_KEY(key, kind, least, most, help) \
    {#key, NIC_KEY_##kind, offsetof(struct nic_profile, key), least, most, WORDS_##kind(key), help},
#include "contract/nic_profile.def"
#undef NIC_KEY
};

const char *nic_word(enum nic_key_index key, unsigned value)
{
    return nic_keys[key].words[value];
}

// ---- reading --------------------------------------------------------------------------------------------------------

static bool is_plain(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= NIC_NAME_MOST && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == length;
}

// What is still missing once all files are read, and what would mend it; NULL when nothing is.
static const char *incomplete(const struct nic_profile *profile)
{
    const int8_t *from = profile->from;
    if (from[NIC_KEY_kind] < 0)
        return "kind: vdev, pci or vmbus";
    if (profile->kind == NIC_VDEV && from[NIC_KEY_driver] < 0)
        return "driver: the vdev's driver";
    if (profile->kind != NIC_VDEV && from[NIC_KEY_binding] < 0)
        return "binding: vfio-pci, bifurcated or uio_hv_generic";
    if (from[NIC_KEY_device_is] < 0)
        return "device_is: what the port's device names";
    if (from[NIC_KEY_rx_descriptors] < 0 || from[NIC_KEY_tx_descriptors] < 0)
        return "rx_descriptors and tx_descriptors";
    if (from[NIC_KEY_buffers] < 0)
        return "buffers: the frames of a queue's pool";
    return NULL;
}

static int read_files(const char *directory, const char *name, struct nic_profile *profile, char *error,
                      size_t error_size)
{
    char next[NIC_NAME_MOST + 1];
    snprintf(next, sizeof next, "%s", name);
    while (next[0]) {
        char path[512];
        if (!is_plain(next) || snprintf(path, sizeof path, "%s/%s.yaml", directory, next) >= (int)sizeof path) {
            snprintf(error, error_size, "NIC profile '%s' is not a plain name: name a file of %s without .yaml", next,
                     directory);
            return EX_CONFIG;
        }
        for (unsigned i = 0; i < profile->files_count; i++) {
            if (strcmp(profile->files[i], next) == 0 || profile->files_count == NIC_INHERIT_MOST) {
                snprintf(error, error_size, "%s/%s.yaml inherits itself, or more than %u files: break the circle",
                         directory, profile->files[profile->files_count - 1], NIC_INHERIT_MOST);
                return EX_CONFIG;
            }
        }
        unsigned file = profile->files_count++;
        memcpy(profile->files[file], next, sizeof next);
        int result = nic_profile_file(path, profile, file, next, error, error_size);
        if (result == EX_NOINPUT && file > 0)
            snprintf(error, error_size, "%s/%s.yaml inherits '%s', and there is no %s: name a profile of the directory",
                     directory, profile->files[file - 1], profile->files[file], path);
        if (result != 0)
            return result;
    }
    return 0;
}

int nic_profile_load(const char *directory, const char *name, struct nic_profile *profile, char *error,
                     size_t error_size)
{
    memset(profile, 0, sizeof *profile);
    memset(profile->from, -1, sizeof profile->from);
    if (!is_plain(name)) {
        snprintf(error, error_size, "NIC profile '%s' is not a plain name: name a file of %s without .yaml", name,
                 directory);
        return EX_CONFIG;
    }
    int result = read_files(directory, name, profile, error, error_size);
    if (result != 0)
        return result;
    memcpy(profile->name, profile->files[0], sizeof profile->name);
    if (profile->from[NIC_KEY_plugin] < 0)
        snprintf(profile->plugin, sizeof profile->plugin, "%.*s", (int)sizeof profile->plugin - 1, profile->driver);
    if (profile->from[NIC_KEY_burst] < 0)
        profile->burst = 1;
    if (profile->from[NIC_KEY_steering] < 0)
        profile->steering = NIC_STEERING_NONE;
    const char *missing = profile->base ? NULL : incomplete(profile);
    if (!missing)
        return 0;
    snprintf(error, error_size, "NIC profile %s/%s.yaml does not set %s", directory, name, missing);
    return EX_CONFIG;
}

int nic_profile_load_port(const char *directory, const char *name, struct nic_profile *profile, char *error,
                          size_t error_size)
{
    int result = nic_profile_load(directory, name, profile, error, error_size);
    if (result != 0 || !profile->base)
        return result;
    snprintf(error, error_size, "NIC profile %s is only there to be inherited: name one of `xwctl nic list`", name);
    return EX_CONFIG;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

int nic_profile_names(const char *directory, char (*names)[NIC_NAME_MOST + 1], unsigned most)
{
    DIR *open = opendir(directory);
    unsigned count = 0;
    if (!open)
        return -1;
    for (struct dirent *entry; (entry = readdir(open));) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || length - 5 > NIC_NAME_MOST || strcmp(entry->d_name + length - 5, ".yaml") != 0)
            continue;
        if (count < most)
            snprintf(names[count], sizeof names[count], "%.*s", (int)length - 5, entry->d_name);
        count++;
    }
    closedir(open);
    qsort(names, count < most ? count : most, sizeof *names, by_name);
    return (int)count;
}

bool nic_profile_fits(const struct nic_profile *profile, uint16_t vendor, uint16_t device)
{
    for (unsigned i = 0; i < profile->pci_ids_count; i++)
        if (profile->pci_ids[i].vendor == vendor && profile->pci_ids[i].device == device)
            return true;
    return false;
}

// ---- device arguments -----------------------------------------------------------------------------------------------

// Appends one comma-separated argument with its places filled. Returns 1 done, 0 left out, -1 does not fit.
static int append_argument(const char *from, size_t length, const char *const fill[3], char *to, size_t size)
{
    static const char *const places[3] = {"{device}", "{queues}", "{mac}"};
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        int place = -1;
        for (int i = 0; i < 3; i++) {
            size_t width = strlen(places[i]);
            if (length - at >= width && memcmp(from + at, places[i], width) == 0)
                place = i;
        }
        if (place >= 0 && !fill[place])
            return 0;
        const char *text = place >= 0 ? fill[place] : from + at;
        size_t width = place >= 0 ? strlen(text) : 1;
        if (used + width >= size)
            return -1;
        memcpy(to + used, text, width);
        used += width;
        at += place >= 0 ? strlen(places[place]) : 1;
    }
    to[used] = '\0';
    return 1;
}

bool nic_profile_arguments(const struct nic_profile *profile, const char *device, uint32_t queues, const char *mac,
                           char *args, size_t size)
{
    xw_assert(size > 0);
    char count[16];
    snprintf(count, sizeof count, "%u", queues);
    const char *const fill[3] = {device, count, mac};
    size_t used = 0;
    args[0] = '\0';
    for (const char *at = profile->args; *at;) {
        size_t length = strcspn(at, ",");
        size_t comma = used > 0;
        if (used + comma + 1 >= size)
            return false;
        int done = append_argument(at, length, fill, args + used + comma, size - used - comma);
        if (done < 0)
            return false;
        if (done > 0) {
            if (comma)
                args[used] = ',';
            used += comma + strlen(args + used + comma);
        } else {
            args[used] = '\0';
        }
        at += length + (at[length] == ',');
    }
    return true;
}
