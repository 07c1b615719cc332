// SPDX-License-Identifier: Apache-2.0
// Any bytes as a NIC profile: refused with one line, or read into something whole, whose arguments can be filled in.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/nic_profile_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What every reader relies on.
static void check_whole(const struct nic_profile *profile)
{
    char args[512];
    xw_assert(profile->pci_ids_count <= NIC_IDS_MOST && profile->host_count <= NIC_LINES_MOST &&
              profile->faults_count <= NIC_FAULTS_MOST);
    for (unsigned i = 0; i < NIC_KEYS; i++) {
        const struct nic_key *key = &nic_keys[i];
        const void *field = (const char *)profile + key->offset;
        if (profile->from[i] < 0)
            continue;
        if (key->kind == NIC_KEY_TEXT)
            xw_assert(strlen(field) >= key->least && strlen(field) <= key->most);
        if (key->kind == NIC_KEY_NUMBER)
            xw_assert(*(const uint32_t *)field >= key->least && *(const uint32_t *)field <= key->most);
        if (key->kind == NIC_KEY_CHOICE)
            xw_assert(nic_word((enum nic_key_index)i, *(const unsigned *)field)[0] != '\0');
    }
    if (nic_profile_arguments(profile, "0000:3b:00.0", 3, "02:00:00:00:00:01", args, sizeof args))
        xw_assert(strlen(args) < sizeof args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    static struct nic_profile profile;
    char error[512] = "", inherits[NIC_NAME_MOST + 1];
    if (fd < 0) {
        fd = memfd_create("profile", MFD_CLOEXEC);
        xw_assert(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    xw_assert(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    memset(&profile, 0, sizeof profile);
    memset(profile.from, -1, sizeof profile.from);
    strcpy(profile.files[0], "p");
    if (nic_profile_file(path, &profile, 0, inherits, error, sizeof error) == 0)
        check_whole(&profile);
    else
        xw_assert(strncmp(error, path, strlen(path)) == 0 && !strchr(error, '\n'));
    return 0;
}
