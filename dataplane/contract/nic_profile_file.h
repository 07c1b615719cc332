// SPDX-License-Identifier: Apache-2.0
// One file of a NIC profile, checked against nic_profile.def.
#ifndef CROSSWIRE_CONTRACT_NIC_PROFILE_FILE_H
#define CROSSWIRE_CONTRACT_NIC_PROFILE_FILE_H

#include "contract/nic_profile.h"

// Takes from the file what `profile` has not yet, as `files[file]`; what it inherits goes to `inherits`, empty for
// nothing. Returns 0, or a sysexits code with one line in `error`.
int nic_profile_file(const char *path, struct nic_profile *profile, unsigned file, char inherits[NIC_NAME_MOST + 1],
                     char *error, size_t error_size);

#endif
