// SPDX-License-Identifier: Apache-2.0
#include "tests/support/made_up_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char tree_root[64];

int tree_make(void)
{
    snprintf(tree_root, sizeof tree_root, "/tmp/crosswire-tree-XXXXXX");
    return mkdtemp(tree_root) ? 0 : -1;
}

int tree_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", tree_root);
    return system(command);
}

const char *tree_at(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s%s", tree_root, name);
    return path;
}

static void make_folders_above(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s", tree_at(name));
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
}

void tree_put(const char *name, const char *format, ...)
{
    make_folders_above(name);
    FILE *file = fopen(tree_at(name), "w");
    assert_non_null(file);
    va_list list;
    va_start(list, format);
    vfprintf(file, format, list);
    va_end(list);
    fputc('\n', file);
    assert_int_equal(fclose(file), 0);
}

void tree_link(const char *name, const char *target)
{
    make_folders_above(name);
    assert_int_equal(symlink(target, tree_at(name)), 0);
}
