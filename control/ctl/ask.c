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

enum { ANSWER_SECONDS = 120, SOFT_SECONDS = 2 }; // a long day's journal may have to be followed first

struct address {
    char where[400], name[80]; // the directory and the name of a socket
};

// The socket that --socket names, else that of the configuration.
static struct address address_of(const struct ctl *ctl, const char *desk)
{
    struct address address;
    if (ctl->socket) {
        const char *slash = strrchr(ctl->socket, '/');
        const int length = slash && slash > ctl->socket ? (int)(slash - ctl->socket) : 1; // of the folder, or of / or .
        snprintf(address.where, sizeof address.where, "%.*s", length, slash ? ctl->socket : ".");
        snprintf(address.name, sizeof address.name, "%s", slash ? slash + 1 : ctl->socket);
        return address;
    }
    struct config *config = ctl_load_config(ctl);
    snprintf(address.where, sizeof address.where, "%s", config->run_directory);
    snprintf(address.name, sizeof address.name, "%s.%s.sock", config->instance, desk);
    config_free(config);
    return address;
}

// -1 with errno.
static int dial(const struct address *to, int seconds)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int directory = open(to->where, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int wrong = errno;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = seconds};
    if (fd < 0)
        fail_with(EX_OSERR, "no socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, to->name);
    bool connected = directory >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (directory >= 0) {
        wrong = errno;
        close(directory);
    }
    if (connected)
        return fd;
    close(fd);
    errno = wrong;
    return -1;
}

// A line, without what is behind it; NULL: the other end has gone, or says nothing.
static char *read_line(int fd, size_t *size)
{
    size_t used = 0, room = 4096;
    char *line = malloc(room);
    while (line && (used == 0 || line[used - 1] != '\n')) {
        if (used == room) {
            room += 4096;
            char *longer = realloc(line, room);
            if (!longer)
                free(line);
            line = longer;
            continue;
        }
        ssize_t got = recv(fd, line + used, room - used, 0);
        if (got <= 0) {
            free(line);
            return NULL;
        }
        used += (size_t)got;
    }
    if (!line)
        fail_with(EX_OSERR, "no memory");
    *size = used;
    return line;
}

// Takes `request`, and closes `fd`. NULL: no answer.
static json_t *exchange(int fd, json_t *request)
{
    char line[1024];
    size_t used = 0, size = request ? json_dumpb(request, line, sizeof line - 1, JSON_COMPACT) : 0;
    if (size == 0 || size >= sizeof line)
        fail_with(EX_OSERR, "no memory");
    line[size++] = '\n';
    json_decref(request);
    char *answer = send(fd, line, size, MSG_NOSIGNAL) == (ssize_t)size ? read_line(fd, &used) : NULL;
    close(fd);
    if (!answer)
        return NULL;
    json_t *root = json_loadb(answer, used, 0, NULL);
    free(answer);
    if (!root)
        fail_with(EX_PROTOCOL, "crosswire-control answers what is no JSON: start both programs of one build");
    return root;
}

json_t *ctl_ask(const struct ctl *ctl, const char *desk, json_t *request)
{
    const struct address address = address_of(ctl, desk);
    int fd = dial(&address, ANSWER_SECONDS);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        fail_with(EX_NOPERM,
                  "%s/%s: %s: ask as root, or as the user of crosswire-control; kills: as a member of "
                  "control.kill_group",
                  address.where, address.name, strerror(errno));
    if (fd < 0)
        fail_with(EX_UNAVAILABLE, "%s/%s: %s: start crosswire-control, or name the configuration that it runs with",
                  address.where, address.name, strerror(errno));
    json_t *root = exchange(fd, request);
    if (!root)
        fail_with(EX_TEMPFAIL, "crosswire-control went away without an answer: look for it in xwctl "
                               "audit, or kills");
    if (!json_is_true(json_object_get(root, "ok"))) {
        const char *text = json_string_value(json_object_get(root, "error"));
        fail_with((int)json_integer_value(json_object_get(root, "exit")), "%s", text ? text : "refused");
    }
    return root;
}

json_t *ctl_ask_if_up(const struct ctl *ctl, const char *desk, json_t *request)
{
    const struct address address = address_of(ctl, desk);
    int fd = dial(&address, SOFT_SECONDS);
    if (fd < 0) {
        json_decref(request);
        return NULL;
    }
    json_t *root = exchange(fd, request);
    if (root && !json_is_true(json_object_get(root, "ok"))) {
        json_decref(root);
        root = NULL;
    }
    return root;
}
