// SPDX-License-Identifier: Apache-2.0
// confine UNIT UID GID PROGRAM..: runs the program as the unit file would: that user and group, no capabilities, no new
// privileges, the unit's umask, and the system-call filter of its own SystemCallFilter= lines, whose groups are
// resolved by systemd-analyze. One difference: a call that the unit refuses ends the program, so that none goes unseen.
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CALLS = 1024 };

static char calls[CALLS][64];
static unsigned count;
static mode_t mask = 022;

static void put(const char *name, bool allowed)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(calls[i], name) == 0) {
            if (!allowed)
                memcpy(calls[i], calls[--count], sizeof calls[i]);
            return;
        }
    }
    if (allowed && count < CALLS)
        snprintf(calls[count++], sizeof calls[0], "%s", name);
}

// One word of a SystemCallFilter= line: a call, or a group and what is in it.
static void take(const char *word, bool allowed)
{
    char line[256], name[64], command[128];
    if (word[0] != '@') {
        put(word, allowed);
        return;
    }
    snprintf(command, sizeof command, "systemd-analyze --no-pager syscall-filter %s", word);
    FILE *group = popen(command, "r");
    unsigned lines = 0;
    while (group && fgets(line, sizeof line, group)) {
        if (isspace((unsigned char)line[0]) && sscanf(line, " %63s", name) == 1 && name[0] != '#') {
            take(name, allowed);
            lines++;
        }
    }
    if (!group || pclose(group) != 0 || lines == 0)
        errx(1, "systemd-analyze does not know %s", word);
}

static void read_unit(const char *path)
{
    static const char filter[] = "SystemCallFilter=", umask_key[] = "UMask=";
    char line[1024];
    FILE *unit = fopen(path, "r");
    if (!unit)
        err(1, "%s", path);
    while (fgets(line, sizeof line, unit)) {
        if (strncmp(line, umask_key, sizeof umask_key - 1) == 0)
            mask = (mode_t)strtoul(line + sizeof umask_key - 1, NULL, 8);
        if (strncmp(line, filter, sizeof filter - 1) != 0)
            continue;
        char *at = line + sizeof filter - 1;
        bool allowed = *at != '~';
        for (char *word = strtok(at + !allowed, " \n"); word; word = strtok(NULL, " \n"))
            take(word, allowed);
    }
    fclose(unit);
    if (count < 50)
        errx(1, "%s: only %u system calls: this is no filter that we know", path, count);
}

static void load_filter(void)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!context)
        errx(1, "seccomp_init");
    for (unsigned i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(calls[i]);
        if (number >= 0 && seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0) != 0)
            errx(1, "no rule for %s", calls[i]);
    }
    if (seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(iopl), 0) != 0)
        errx(1, "no rule for iopl");
    if (seccomp_load(context) != 0)
        errx(1, "seccomp_load");
    seccomp_release(context);
}

int main(int words, char **list)
{
    if (words < 5)
        errx(64, "usage: confine UNIT UID GID PROGRAM..");
    uid_t user = (uid_t)atoi(list[2]);
    gid_t group = (gid_t)atoi(list[3]);
    read_unit(list[1]);
    umask(mask);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) != 0)
            err(1, "capability %d", capability);
    }
    if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
        err(1, "user %u", user);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        err(1, "no new privileges");
    load_filter();
    execv(list[4], list + 4);
    err(1, "%s", list[4]);
}
