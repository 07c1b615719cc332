// SPDX-License-Identifier: Apache-2.0
#include "io/profile.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/assert.h"

#define INHERIT_MOST 8 // deeper is a cycle
#define COUNT_MOST 65536

// One file as libcyaml reads it: pointers are NULL where the key is absent.
struct profile_file {
    char *name;
    char *inherits;
    enum profile_kind *kind;
    char *driver;
    char *args;
    enum profile_device *device_is;
    uint32_t *rx_descriptors;
    uint32_t *tx_descriptors;
    uint32_t *buffers;
    bool *checksums;
    char *needs;
    char *notes;
};

static const cyaml_strval_t kinds[] = {{"vdev", PROFILE_VDEV}, {"pci", PROFILE_PCI}};
static const cyaml_strval_t devices[] = {
    {"pci", DEVICE_PCI},
    {"interface", DEVICE_INTERFACE},
    {"file", DEVICE_FILE},
    {"socket_made", DEVICE_SOCKET_MADE},
    {"socket_joined", DEVICE_SOCKET_JOINED},
};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, most) CYAML_FIELD_STRING_PTR(#key, OPTIONAL, struct profile_file, key, 0, most)

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct profile_file, name, 1, 63),
    TEXT(inherits, 63),
    CYAML_FIELD_ENUM_PTR("kind", OPTIONAL | CYAML_FLAG_STRICT, struct profile_file, kind, kinds,
                         CYAML_ARRAY_LEN(kinds)),
    TEXT(driver, 63),
    TEXT(args, PROFILE_TEXT - 1),
    CYAML_FIELD_ENUM_PTR("device_is", OPTIONAL | CYAML_FLAG_STRICT, struct profile_file, device_is, devices,
                         CYAML_ARRAY_LEN(devices)),
    CYAML_FIELD_UINT_PTR("rx_descriptors", OPTIONAL, struct profile_file, rx_descriptors),
    CYAML_FIELD_UINT_PTR("tx_descriptors", OPTIONAL, struct profile_file, tx_descriptors),
    CYAML_FIELD_UINT_PTR("buffers", OPTIONAL, struct profile_file, buffers),
    CYAML_FIELD_BOOL_PTR("checksums", OPTIONAL, struct profile_file, checksums),
    TEXT(needs, PROFILE_TEXT - 1),
    TEXT(notes, 4096),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile_file, fields),
};

struct complaint {
    char text[200];
};

// Keeps libcyaml's error lines, which carry line and column, as one line.
static void keep_complaint(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    size_t used = strlen(complaint->text);
    if (level < CYAML_LOG_ERROR || used + 2 >= sizeof complaint->text)
        return;
    vsnprintf(complaint->text + used, sizeof complaint->text - used, format, arguments);
    for (char *at = complaint->text + used; *at; at++) {
        if (*at == '\n')
            *at = at[1] ? ',' : ' ';
    }
}

static int read_file(const char *path, struct profile_file **file, char *error, size_t error_size)
{
    struct complaint complaint = {""};
    cyaml_config_t how = {
        .log_fn = keep_complaint,
        .log_ctx = &complaint,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
    };
    if (access(path, R_OK) != 0) {
        snprintf(error, error_size, "no NIC profile %s: set profile_directory, and the port's profile to a file in it",
                 path);
        return EX_NOINPUT;
    }
    cyaml_err_t result = cyaml_load_file(path, &how, &schema, (cyaml_data_t **)file, NULL);
    if (result == CYAML_OK)
        return 0;
    snprintf(error, error_size, "NIC profile %s: %s: correct the file", path,
             complaint.text[0] ? complaint.text : cyaml_strerror(result));
    return EX_CONFIG;
}

static void take_text(char *to, size_t size, const char *from)
{
    if (from && !to[0])
        snprintf(to, size, "%s", from);
}

static void take_number(uint32_t *to, const uint32_t *from)
{
    if (from && *to == UINT32_MAX)
        *to = *from;
}

struct pending { // what no file has set so far
    bool checksums;
};

// Takes from `file` what the files before it (the heirs) left open.
static void inherit(struct profile *profile, struct pending *open, const struct profile_file *file)
{
    take_text(profile->name, sizeof profile->name, file->name);
    take_text(profile->driver, sizeof profile->driver, file->driver);
    take_text(profile->args, sizeof profile->args, file->args);
    take_text(profile->needs, sizeof profile->needs, file->needs);
    if (file->kind && profile->kind == PROFILE_KIND_UNSET)
        profile->kind = *file->kind;
    if (file->device_is && profile->device_is == DEVICE_UNSET)
        profile->device_is = *file->device_is;
    take_number(&profile->rx_descriptors, file->rx_descriptors);
    take_number(&profile->tx_descriptors, file->tx_descriptors);
    take_number(&profile->buffers, file->buffers);
    if (file->checksums && open->checksums) {
        profile->checksums = *file->checksums;
        open->checksums = false;
    }
}

// What is still missing or out of bounds once all files are read; NULL when nothing is.
static const char *incomplete(const struct profile *profile)
{
    if (profile->kind == PROFILE_KIND_UNSET)
        return "kind: vdev or pci";
    if (profile->kind == PROFILE_VDEV && !profile->driver[0])
        return "driver: the vdev's driver";
    if (profile->device_is == DEVICE_UNSET)
        return "device_is: what the port's device names";
    if (profile->rx_descriptors - 1 >= COUNT_MOST || profile->tx_descriptors - 1 >= COUNT_MOST)
        return "rx_descriptors and tx_descriptors: 1 to 65536";
    if (profile->buffers - 1 >= COUNT_MOST)
        return "buffers: 1 to 65536";
    return NULL;
}

int profile_load(const char *directory, const char *name, struct profile *profile, char *error, size_t error_size)
{
    *profile = (struct profile){.rx_descriptors = UINT32_MAX, .tx_descriptors = UINT32_MAX, .buffers = UINT32_MAX};
    struct pending open = {.checksums = true};
    char next[64];
    snprintf(next, sizeof next, "%s", name);
    for (int depth = 0; next[0]; depth++) {
        char path[512];
        if (strchr(next, '/') || snprintf(path, sizeof path, "%s/%s.yaml", directory, next) >= (int)sizeof path) {
            snprintf(error, error_size, "NIC profile '%s' is not a plain name: name a file of %s without .yaml", next,
                     directory);
            return EX_CONFIG;
        }
        if (depth == INHERIT_MOST) {
            snprintf(error, error_size, "NIC profile %s inherits itself: break the circle", path);
            return EX_CONFIG;
        }
        struct profile_file *file = NULL;
        int result = read_file(path, &file, error, error_size);
        if (result != 0)
            return result;
        bool named = strcmp(file->name, next) == 0;
        inherit(profile, &open, file);
        snprintf(next, sizeof next, "%s", file->inherits ? file->inherits : "");
        cyaml_config_t how = {.mem_fn = cyaml_mem};
        cyaml_free(&how, &schema, file, 0);
        if (!named) {
            snprintf(error, error_size, "NIC profile %s: name is not the file's name: make them equal", path);
            return EX_CONFIG;
        }
    }
    const char *missing = incomplete(profile);
    if (missing) {
        snprintf(error, error_size, "NIC profile %s/%s.yaml does not set %s", directory, name, missing);
        return EX_CONFIG;
    }
    return 0;
}

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

bool profile_arguments(const struct profile *profile, const char *device, uint32_t queues, const char *mac, char *args,
                       size_t size)
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
