// SPDX-License-Identifier: Apache-2.0
// A made-up /sys, /proc and /dev below a folder of its own, for what reads a host.
#ifndef CROSSWIRE_TESTS_SUPPORT_MADE_UP_TREE_H
#define CROSSWIRE_TESTS_SUPPORT_MADE_UP_TREE_H

// Where it stands, without a slash at the end; valid between tree_make and tree_remove.
extern char tree_root[64];

// Makes the folder, empty. 0, or -1 with errno.
int tree_make(void);

// Removes it with all that is in it. 0 when it is gone.
int tree_remove(void);

// The path of `name`, which begins with a slash, in one of four buffers that are used in turn.
const char *tree_at(const char *name);

// Writes a file of one line, and makes the folders above it.
__attribute__((format(printf, 2, 3))) void tree_put(const char *name, const char *format, ...);

// A symbolic link, and the folders above it.
void tree_link(const char *name, const char *target);

#endif
