// SPDX-License-Identifier: Apache-2.0
// Memory of the roles: taken at start, touched, and never given back before the process ends.
#ifndef CROSSWIRE_MEMORY_H
#define CROSSWIRE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

// Chooses the pages, and who is told (one line, with the mend) when there is no memory; `failed` does not return.
void memory_open(bool huge_pages, void (*failed)(const char *text));

// `size` bytes, zeroed, page aligned, present. `purpose` must live for ever; equal purposes are summed. Never NULL.
void *memory_take(size_t size, const char *purpose);

// From now on nothing may be taken; logs what was, by purpose (XW1006), and locks all pages if allowed (else XW1007).
void memory_seal(void);

#endif
