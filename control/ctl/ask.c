// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"

enum { ANSWER_SECONDS = 120 }; // a long day's journal may have to be followed first

// Of the directory and the name of a socket.
static int dial(const char *where, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int directory = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int wrong = errno;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    if (fd < 0)
        fail_with(EX_OSERR, "no socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name);
    if (directory >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        close(directory);
        return fd;
    }
    if (directory >= 0)
        wrong = errno;
    if (wrong == EACCES || wrong == EPERM)
        fail_with(EX_NOPERM,
                  "%s/%s: %s: ask as root, or as the user of crosswire-control; kills: as a member of "
                  "control.kill_group",
                  where, name, strerror(wrong));
    fail_with(EX_UNAVAILABLE, "%s/%s: %s: start crosswire-control, or name the configuration that it runs with", where,
              name, strerror(wrong));
}

// At the socket that --socket names, else at that of the configuration.
static int dial_desk(const struct ctl *ctl, const char *desk)
{
    char where[400], name[100];
    if (ctl->socket) {
        const char *slash = strrchr(ctl->socket, '/');
        const int length = slash && slash > ctl->socket ? (int)(slash - ctl->socket) : 1; // of the folder, or of / or .
        snprintf(where, sizeof where, "%.*s", length, slash ? ctl->socket : ".");
        snprintf(name, sizeof name, "%s", slash ? slash + 1 : ctl->socket);
        return dial(where, name);
    }
    struct config *config = ctl_load_config(ctl);
    snprintf(where, sizeof where, "%s", config->run_directory);
    snprintf(name, sizeof name, "%s.%s.sock", config->instance, desk);
    config_free(config);
    return dial(where, name);
}

// Reads a line; takes away what is behind it.
static char *read_line(int fd, size_t *size)
{
    size_t used = 0, room = 4096;
    char *line = malloc(room);
    if (!line)
        fail_with(EX_OSERR, "no memory");
    while (used == 0 || line[used - 1] != '\n') {
        if (used == room) {
            room += 4096;
            char *longer = realloc(line, room);
            if (!longer)
                fail_with(EX_OSERR, "no memory");
            line = longer;
        }
        ssize_t got = recv(fd, line + used, room - used, 0);
        if (got <= 0)
            fail_with(EX_TEMPFAIL, "crosswire-control went away without an answer: look for it in xwctl "
                                   "audit, or kills");
        used += (size_t)got;
    }
    *size = used;
    return line;
}

json_t *ctl_ask(const struct ctl *ctl, const char *desk, json_t *request)
{
    int fd = dial_desk(ctl, desk);
    char line[1024];
    size_t used, size = request ? json_dumpb(request, line, sizeof line - 1, JSON_COMPACT) : 0;
    if (size == 0 || size >= sizeof line)
        fail_with(EX_OSERR, "no memory");
    line[size++] = '\n';
    json_decref(request);
    if (send(fd, line, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail_with(EX_UNAVAILABLE, "crosswire-control does not take the request: %s: ask again", strerror(errno));
    char *answer = read_line(fd, &used);
    close(fd);
    json_t *root = json_loadb(answer, used, 0, NULL);
    free(answer);
    if (!root)
        fail_with(EX_PROTOCOL, "crosswire-control answers what is no JSON: start both programs of one build");
    if (!json_is_true(json_object_get(root, "ok"))) {
        const char *text = json_string_value(json_object_get(root, "error"));
        fail_with((int)json_integer_value(json_object_get(root, "exit")), "%s", text ? text : "refused");
    }
    return root;
}
