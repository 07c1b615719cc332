// SPDX-License-Identifier: Apache-2.0
// A configuration to make mistakes in, and what becomes of it.
#ifndef CROSSWIRE_TESTS_SUPPORT_CONFIG_TEXT_H
#define CROSSWIRE_TESTS_SUPPORT_CONFIG_TEXT_H

#include <stddef.h>

#include "contract/config.h"

extern const char config_base[]; // whose line numbers the tests count in
extern char config_path[64];     // the file, from config_make to config_drop
extern char config_error[512];   // of the last load

// Set-up and end of a test.
int config_make(void **state);
int config_drop(void **state);

// Writes a configuration and loads it. config_free it; NULL with config_error.
struct config *config_take(const void *bytes, size_t size);

// The same of the base text with the first `from` replaced.
struct config *config_with(const char *from, const char *to);

// Fails unless the replacement is refused at `position` ("line:column") with words that `says` is part of.
void config_refused(const char *from, const char *to, const char *position, const char *says);

// Fails unless it is taken.
struct config *config_accepted(const char *from, const char *to);

#endif
