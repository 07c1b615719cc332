// SPDX-License-Identifier: Apache-2.0
// What several checks of xwctl doctor need: files of the tree, lists of CPUs, programs.
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/doctor/doctor.h"

extern char **environ;

const char *doctor_path(const struct doctor *doctor, const char *format, ...)
{
    static char paths[4][1024];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    size_t used = (size_t)snprintf(path, sizeof paths[0], "%s", doctor->root);
    va_list values;
    va_start(values, format);
    if (used < sizeof paths[0])
        vsnprintf(path + used, sizeof paths[0] - used, format, values);
    va_end(values);
    return path;
}

bool doctor_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(line, (int)size, file) != NULL;
    fclose(file);
    if (read)
        line[strcspn(line, "\n")] = '\0';
    return read;
}

bool doctor_number(const char *path, int64_t *number)
{
    char line[64], *end;
    if (!doctor_line(path, line, sizeof line))
        return false;
    *number = strtoll(line, &end, 10);
    return end != line && *end == '\0';
}

bool doctor_in_list(const char *list, unsigned cpu)
{
    for (const char *at = list; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return false;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (cpu >= first && cpu <= last)
            return true;
        at = end + strspn(end, ", ");
        if (at == end && *at)
            return false;
    }
    return false;
}

bool doctor_has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length) {
        bool begins = at == text || at[-1] == ' ' || at[-1] == '\t';
        if (begins && strchr(" \t\n", at[length]))
            return true;
    }
    return false;
}

const char *doctor_lcores_that(const struct doctor *doctor, bool (*is)(const struct doctor *doctor, uint32_t lcore))
{
    static char text[DOCTOR_LCORES_MOST * 6];
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < doctor->lcores_count; i++) {
        if (is(doctor, doctor->lcores[i]))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%u", used ? "," : "", doctor->lcores[i]);
    }
    return text;
}

static void add_lcore(struct doctor *doctor, uint32_t lcore)
{
    unsigned at = 0;
    while (at < doctor->lcores_count && doctor->lcores[at] < lcore)
        at++;
    if ((at < doctor->lcores_count && doctor->lcores[at] == lcore) || doctor->lcores_count == DOCTOR_LCORES_MOST)
        return;
    memmove(doctor->lcores + at + 1, doctor->lcores + at, (doctor->lcores_count - at) * sizeof *doctor->lcores);
    doctor->lcores[at] = lcore;
    doctor->lcores_count++;
}

void doctor_collect_lcores(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    for (uint32_t i = 0; i < config->gateways_count; i++)
        add_lcore(doctor, config->gateways[i].lcore);
    for (uint32_t i = 0; i < config->matchers_count; i++)
        add_lcore(doctor, config->matchers[i].lcore);
    for (uint32_t i = 0; i < config->publishers_count; i++)
        add_lcore(doctor, config->publishers[i].lcore);
}

static bool read_need(struct doctor_needs *needs, const char *line)
{
    unsigned node;
    uint64_t kib, count;
    if (sscanf(line, "pages %u %" SCNu64 " %" SCNu64, &node, &kib, &count) == 3) {
        if (needs->pages_count == DOCTOR_PAGES_MOST)
            return false;
        needs->pages[needs->pages_count].node = node;
        needs->pages[needs->pages_count].kib = kib;
        needs->pages[needs->pages_count++].count = count;
        return true;
    }
    return sscanf(line, "region_bytes %" SCNu64, &needs->region_bytes) == 1 ||
           sscanf(line, "locked_bytes %" SCNu64, &needs->locked_bytes) == 1 || strchr(line, ' ') != NULL;
}

bool doctor_read_needs(struct doctor_needs *needs, const char *text)
{
    *needs = (struct doctor_needs){.pages_count = 0};
    while (*text) {
        char line[512];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (!read_need(needs, line))
            return false;
        text += length + (text[length] == '\n');
    }
    return needs->locked_bytes > 0;
}

// Everything up to the end of the pipe; of what does not fit, the last part is written over and over.
static void read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    for (;;) {
        if (used + 1 == size)
            used /= 2;
        ssize_t got = read(fd, text + used, size - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
}

int doctor_run(const char *const *arguments, char *text, size_t size)
{
    int ends[2], status;
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int failed = posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed == 0)
        read_all(ends[0], text, size);
    close(ends[0]);
    if (failed != 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
