// SPDX-License-Identifier: Apache-2.0
// Sockets: the desks of control, at which the simulator's operators call.
#include "tests/sim/posix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { CALLS = 16, LINE_BYTES = 512, ANSWER_BYTES = 4096 };

struct call {
    bool used, connected;
    char name[48]; // of the socket
    char line[LINE_BYTES];
    size_t size, read;
    char answer[ANSWER_BYTES];
    size_t answered;
    posix_answer *tell; // NULL: it has been told
    void *context;
};

static struct call calls[CALLS];

// Tells who called, once.
static void end_call(struct call *call, const char *line)
{
    posix_answer *tell = call->tell;
    call->tell = NULL;
    if (tell)
        tell(call->context, line, call->read > 0);
}

bool posix_call(const char *name, const char *line, posix_answer *tell, void *context)
{
    for (struct call *call = calls; call < calls + CALLS; call++) {
        if (call->used)
            continue;
        *call = (struct call){.used = true, .size = strlen(line), .tell = tell, .context = context};
        strncpy(call->name, name, sizeof call->name - 1);
        strncpy(call->line, line, sizeof call->line - 1);
        if (call->size >= sizeof call->line)
            sim_fail("a request of %zu bytes", call->size);
        return true;
    }
    return false;
}

void posix_hang_up(const void *context)
{
    for (struct call *call = calls; call < calls + CALLS; call++) {
        if (!call->used || call->context != context)
            continue;
        call->tell = NULL;
        call->read = call->size;
        call->used = call->connected; // else nobody will ever close it
    }
}

// A socket is closed, also because its process has ended.
void socket_closed(struct open_file *file)
{
    if (file->call) {
        end_call(file->call, NULL);
        file->call->used = false;
    }
    for (struct call *call = calls; file->name[0] && call < calls + CALLS; call++) {
        if (!call->used || call->connected || strcmp(call->name, file->name) != 0)
            continue;
        end_call(call, NULL);
        call->used = false;
    }
}

int sys_socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    return posix_new_file((struct open_file){.is_socket = true});
}

int sys_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    const struct sockaddr_un *path = (const void *)address;
    struct open_file *file = posix_file(fd);
    const char *last = strrchr(path->sun_path, '/');
    (void)size;
    snprintf(file->name, sizeof file->name, "%.47s", last ? last + 1 : path->sun_path);
    return 0;
}

int sys_listen(int fd, int backlog)
{
    (void)fd, (void)backlog;
    return 0;
}

int sys_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    const struct open_file *file = posix_file(fd);
    (void)address, (void)size, (void)flags;
    for (struct call *call = calls; file && call < calls + CALLS; call++) {
        if (!call->used || call->connected || strcmp(call->name, file->name) != 0)
            continue;
        int accepted = posix_new_file((struct open_file){.is_socket = true, .call = call});
        call->connected = accepted >= 0;
        return accepted;
    }
    errno = EAGAIN;
    return -1;
}

// A stream: it may come in parts.
ssize_t sys_recv(int fd, void *out, size_t size, int flags)
{
    struct open_file *file = posix_file(fd);
    struct call *call = file ? file->call : NULL;
    (void)flags;
    if (!call || (call->read == call->size && call->tell)) {
        errno = EAGAIN;
        return -1;
    }
    if (call->read == call->size)
        return 0; // it has its answer, and goes
    size_t left = call->size - call->read, part = 1 + (size_t)random_below(&sim.chaos, 2 * left);
    part = part < left ? part : left;
    part = part < size ? part : size;
    memcpy(out, call->line + call->read, part);
    call->read += part;
    return (ssize_t)part;
}

ssize_t sys_send(int fd, const void *bytes, size_t size, int flags)
{
    struct open_file *file = posix_file(fd);
    struct call *call = file ? file->call : NULL;
    (void)flags;
    if (!call || call->answered + size >= sizeof call->answer)
        return (ssize_t)size;
    memcpy(call->answer + call->answered, bytes, size);
    call->answered += size;
    char *end = memchr(call->answer, '\n', call->answered);
    if (end) {
        *end = '\0';
        end_call(call, call->answer);
    }
    return (ssize_t)size;
}

// Everybody is root, and no desk is for a group.
int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    (void)fd, (void)level, (void)name;
    *(struct ucred *)value = (struct ucred){0};
    *size = sizeof(struct ucred);
    return 0;
}

const struct group *sys_getgrnam(const char *name)
{
    (void)name;
    return NULL;
}

int sys_fchownat(int directory, const char *path, uid_t owner, gid_t group, int flags)
{
    (void)directory, (void)path, (void)owner, (void)group, (void)flags;
    return 0;
}

int sys_fchmodat(int directory, const char *path, mode_t mode, int flags)
{
    (void)directory, (void)path, (void)mode, (void)flags;
    return 0;
}
