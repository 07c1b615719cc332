// SPDX-License-Identifier: Apache-2.0
// control.password_file: password hashes that do not stand in the configuration. A line is `USER HASH`; blank lines and
// lines that begin with # are passed over.
#ifndef CROSSWIRE_CONTROL_PASSWORDS_H
#define CROSSWIRE_CONTROL_PASSWORDS_H

#include <stddef.h>

#include "contract/config.h"

// One text a session of the configuration, owned by the caller.
struct passwords {
    unsigned count;
    char (*hash)[128];
};

// Takes each session's hash from the configuration, or where it has none from the file, which is read now. Returns 0,
// or a sysexits code with one line in `error`: the file can not be read (66), a line is none or names no session of the
// configuration (78), a session is left without a hash (78).
int passwords_read(const struct config *config, struct passwords *passwords, char *error, size_t error_size);

void passwords_free(struct passwords *passwords);

#endif
