// SPDX-License-Identifier: Apache-2.0
// Memory of the roles: taken at start, touched, and never given back before the process ends.
#ifndef CROSSWIRE_MEMORY_H
#define CROSSWIRE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

// Chooses the pages, and who is told (one line, with the mend) when there is no memory; `failed` does not return.
void memory_open(bool huge_pages, void (*failed)(const char *text));

// `size` bytes, zeroed, page aligned, present, on the NUMA node of the CPU that asks as long as that has some.
// `purpose` must live for ever; equal purposes are summed. Never NULL.
void *memory_take(size_t size, const char *purpose);

// What a sequence of memory_take's would map in huge pages, without taking anything. Begin with zeros.
struct memory_need {
    size_t pages; // of MEMORY_HUGE_BYTES
    size_t left;  // bytes of the last mapping
};
#define MEMORY_HUGE_BYTES ((size_t)2 << 20)
void memory_need_add(struct memory_need *need, size_t size);

// From now on nothing may be taken; logs what was, by purpose (XW1006), and locks all pages if allowed (else XW1007).
void memory_seal(void);

#endif
