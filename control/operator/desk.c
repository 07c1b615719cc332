// SPDX-License-Identifier: Apache-2.0
#include "control/operator/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/log.h"

enum { LINE_MAX_BYTES = 1024, LISTEN_MS = 5, IDLE_MS = 10000 };

struct caller {
    int fd; // -1: free
    uint64_t heard_ns;
    uint32_t in_bytes;
    bool closes; // when its reply is out
    char in[LINE_MAX_BYTES];
    char *out; // what is left of its reply, NULL: nothing
    size_t out_bytes, sent_bytes;
};

struct desk {
    const struct desk_context *context;
    struct desk_options options;
    int listener, directory;
    uint64_t listen_due_ns;
    char name[80];
    struct caller callers[DESK_CALLERS];
    unsigned turn;
    struct request requests[DESK_CALLERS];
};

// ---- the socket -----------------------------------------------------------------------------------------------------

// run_directory may be longer than a socket's address: both ends go through a descriptor of it.
static void socket_address(int directory, const char *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory, name);
}

static bool has_group(const struct desk *desk)
{
    return desk->options.group && desk->options.group[0];
}

// The socket's mode is who may connect: the owner, and the group where there is one.
static bool give_to_group(const struct desk *desk)
{
    if (!has_group(desk))
        return true;
    errno = 0;
    const struct group *group = getgrnam(desk->options.group);
    if (!group) {
        errno = errno ? errno : ESRCH;
        return false;
    }
    return fchownat(desk->directory, desk->name, (uid_t)-1, group->gr_gid, AT_SYMLINK_NOFOLLOW) == 0 &&
           fchmodat(desk->directory, desk->name, 0660, 0) == 0;
}

static bool listen_at(struct desk *desk)
{
    const struct config *config = desk->context->config;
    struct sockaddr_un address;
    desk->directory = open(config->run_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    desk->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (desk->directory < 0 || desk->listener < 0)
        return false;
    socket_address(desk->directory, desk->name, &address);
    unlinkat(desk->directory, desk->name, 0); // of a control that was killed: the lock says that none runs
    mode_t mask = umask(0177);
    int bound = bind(desk->listener, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    return bound == 0 && give_to_group(desk) && listen(desk->listener, DESK_CALLERS) == 0;
}

struct desk *desk_new(const struct desk_context *context, const struct desk_options *options, char *error,
                      size_t error_size)
{
    xw_assert(options->requests >= 1 && options->requests <= DESK_CALLERS);
    struct desk *desk = calloc(1, sizeof *desk);
    if (!desk) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    desk->context = context;
    desk->options = *options;
    desk->listener = desk->directory = -1;
    for (unsigned i = 0; i < DESK_CALLERS; i++)
        desk->callers[i].fd = -1;
    snprintf(desk->name, sizeof desk->name, "%s.%s.sock", context->config->instance, options->name);
    if (listen_at(desk))
        return desk;
    if (has_group(desk) && errno == ESRCH)
        snprintf(error, error_size, "group %s, who may ask at %s, is not known: make it with groupadd, or name another",
                 desk->options.group, desk->name);
    else
        snprintf(error, error_size, "%s/%s: %s: remove it, or give this user the right to make a socket there%s",
                 context->config->run_directory, desk->name, strerror(errno),
                 has_group(desk) ? " for its group (it must be a member)" : "");
    desk_free(desk);
    return NULL;
}

static void hang_up(struct desk *desk, struct caller *caller)
{
    close(caller->fd);
    free(caller->out);
    *caller = (struct caller){.fd = -1};
    for (unsigned i = 0; i < DESK_CALLERS; i++) {
        if (desk->requests[i].caller == caller)
            desk->requests[i].caller = NULL;
    }
}

void desk_free(struct desk *desk)
{
    if (!desk)
        return;
    for (unsigned i = 0; i < DESK_CALLERS; i++) {
        if (desk->callers[i].fd >= 0)
            hang_up(desk, &desk->callers[i]);
        free(desk->requests[i].state);
    }
    if (desk->listener >= 0) {
        close(desk->listener);
        unlinkat(desk->directory, desk->name, 0);
    }
    if (desk->directory >= 0)
        close(desk->directory);
    free(desk);
}

// ---- callers --------------------------------------------------------------------------------------------------------

static void send_reply(struct desk *desk, struct caller *caller)
{
    if (!caller->out)
        return;
    ssize_t sent =
        send(caller->fd, caller->out + caller->sent_bytes, caller->out_bytes - caller->sent_bytes, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    caller->sent_bytes += sent > 0 ? (size_t)sent : 0;
    bool whole = caller->sent_bytes == caller->out_bytes;
    if (sent <= 0 || (whole && caller->closes)) {
        hang_up(desk, caller);
    } else if (whole) {
        free(caller->out);
        caller->out = NULL;
    }
}

// Takes the reply; NULL for nobody.
static void reply(struct desk *desk, struct caller *caller, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    size_t size = text ? strlen(text) : 0;
    char *line = caller ? malloc(size + 2) : NULL;
    if (line && text) {
        memcpy(line, text, size);
        memcpy(line + size, "\n", 2);
        caller->out = line;
        caller->out_bytes = size + 1;
        caller->sent_bytes = 0;
        send_reply(desk, caller);
    } else if (caller) { // no memory: it sees that there is no answer
        free(line);
        hang_up(desk, caller);
    }
    free(text);
}

static json_t *refusal(int exit_code, const char *text)
{
    log_event(LOG_XW2014, "\"exit\":%d,\"text\":%s", exit_code, log_quote(text));
    return json_pack("{s:b, s:i, s:s}", "ok", 0, "exit", exit_code, "error", text);
}

static void welcome(struct desk *desk, int fd, uint64_t now_ns)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;
    struct caller *caller = NULL;
    for (unsigned i = 0; i < DESK_CALLERS && !caller; i++)
        caller = desk->callers[i].fd < 0 ? &desk->callers[i] : NULL;
    if (!caller) {
        close(fd); // as many as can be: the next one after this
        return;
    }
    *caller = (struct caller){.fd = fd, .heard_ns = now_ns};
    if (has_group(desk)) // the socket's mode has decided
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid()))
        return;
    char text[128];
    snprintf(text, sizeof text, "user %u may not operate this instance: ask as root, or as its own user",
             (unsigned)peer.uid);
    caller->closes = true;
    reply(desk, caller, refusal(EX_NOPERM, text));
}

static bool waits_for_answer(const struct desk *desk, const struct caller *caller)
{
    for (unsigned i = 0; i < DESK_CALLERS; i++) {
        if (desk->requests[i].subject && desk->requests[i].caller == caller)
            return true;
    }
    return false;
}

static unsigned hear_callers(struct desk *desk, uint64_t now_ns)
{
    unsigned done = 0;
    // cppcheck-suppress nullPointer; accept4 takes NULL for an address that nobody asks for
    for (int fd; (fd = accept4(desk->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; done++)
        welcome(desk, fd, now_ns);
    for (unsigned i = 0; i < DESK_CALLERS; i++) {
        struct caller *caller = &desk->callers[i];
        if (caller->fd < 0)
            continue;
        send_reply(desk, caller);
        if (caller->fd < 0)
            continue;
        ssize_t got = recv(caller->fd, caller->in + caller->in_bytes, sizeof caller->in - caller->in_bytes, 0);
        if (got > 0) {
            caller->in_bytes += (uint32_t)got;
            caller->heard_ns = now_ns;
            done++;
        }
        bool lost =
            caller->in_bytes < sizeof caller->in && (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR));
        bool endless = caller->in_bytes == sizeof caller->in && !memchr(caller->in, '\n', caller->in_bytes);
        bool silent = !waits_for_answer(desk, caller) && now_ns - caller->heard_ns > IDLE_MS * DESK_MS;
        if (lost || endless || silent)
            hang_up(desk, caller);
    }
    return done;
}

// ---- requests -------------------------------------------------------------------------------------------------------

static void end_request(struct request *request)
{
    free(request->state);
    *request = (struct request){0};
}

void desk_answer(struct request *request, json_t *root)
{
    struct desk *desk = request->desk;
    struct caller *caller = request->caller;
    end_request(request);
    reply(desk, caller, root);
}

// Who was refused what: only what would have changed something.
static void note_refusal(const struct request *request, int exit_code, const char *text)
{
    char what[64];
    if (!request->context->audit || !request->by[0])
        return;
    snprintf(what, sizeof what, "%.16s%s%.44s", request->subject ? request->subject->ask : "",
             request->subject ? ": " : "", text);
    audit_note(request->context->audit,
               &(struct audit_entry){
                   .what = NOTE_REQUEST_REFUSED, .after = (uint64_t)exit_code, .by = request->by, .why = what});
}

void desk_refuse(struct request *request, int exit_code, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    note_refusal(request, exit_code, text);
    desk_answer(request, refusal(exit_code, text));
}

static const char *read_request(struct request *request, const json_t *root)
{
    const char *ask = json_string_value(json_object_get(root, "ask"));
    const struct desk_subject *const *subjects = request->desk->options.subjects;
    while (*subjects && (!ask || strcmp(ask, (*subjects)->ask) != 0))
        subjects++;
    const struct desk_subject *subject = *subjects;
    if (!subject)
        return "no such request here: start control and xwctl of one build";
    request->state = calloc(1, subject->size ? subject->size : 1);
    if (!request->state)
        return "no memory: ask again";
    request->subject = subject;
    if (!desk_by(root, request->by))
        request->by[0] = '\0';
    return subject->read(request, root);
}

static void take_line(struct desk *desk, struct request *request, struct caller *caller, size_t length)
{
    json_t *root = json_loadb(caller->in, length, JSON_REJECT_DUPLICATES, NULL);
    caller->in_bytes -= (uint32_t)(length + 1);
    memmove(caller->in, caller->in + length + 1, caller->in_bytes);
    *request = (struct request){.desk = desk, .context = desk->context, .caller = caller};
    const char *wrong = root ? read_request(request, root) : "the request is no JSON object on a line";
    json_decref(root);
    if (wrong)
        desk_refuse(request, EX_USAGE, "%s", wrong);
}

// A place for one more request, NULL when there is none.
static struct request *free_request(struct desk *desk)
{
    for (unsigned i = 0; i < desk->options.requests; i++) {
        if (!desk->requests[i].subject)
            return &desk->requests[i];
    }
    return NULL;
}

// Takes the next caller's line, if there is one, and room for it.
static unsigned begin_request(struct desk *desk)
{
    struct request *request = free_request(desk);
    for (unsigned i = 0; request && i < DESK_CALLERS; i++) {
        struct caller *caller = &desk->callers[(desk->turn + i) % DESK_CALLERS];
        char *end = caller->fd < 0 || caller->out ? NULL : memchr(caller->in, '\n', caller->in_bytes);
        if (!end || waits_for_answer(desk, caller))
            continue;
        desk->turn = (desk->turn + i + 1) % DESK_CALLERS;
        take_line(desk, request, caller, (size_t)(end - caller->in));
        return 1;
    }
    return 0;
}

unsigned desk_poll(struct desk *desk, struct recovery *recovery, uint64_t now_ns)
{
    unsigned done = 0;
    if (now_ns >= desk->listen_due_ns) {
        done += hear_callers(desk, now_ns);
        desk->listen_due_ns = now_ns + LISTEN_MS * DESK_MS;
    }
    for (unsigned i = 0; i < DESK_CALLERS; i++) {
        struct request *request = &desk->requests[i];
        if (!request->subject || now_ns < request->again_ns)
            continue;
        request->subject->go_on(request, recovery, now_ns);
        done++;
    }
    return done + begin_request(desk);
}

// ---- helpers of subjects --------------------------------------------------------------------------------------------

char desk_letter(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text && text[0] && !text[1] ? text[0] : 0;
}

bool desk_number(const json_t *root, const char *key, json_int_t most, json_int_t *number)
{
    const json_t *value = json_object_get(root, key);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 1 && *number <= most;
}

bool desk_by(const json_t *root, char by[17])
{
    const char *name = json_string_value(json_object_get(root, "by"));
    size_t length = name ? strlen(name) : 0;
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    if (length == 0 || length > 16)
        return false;
    memcpy(by, name, length + 1);
    return true;
}

json_t *desk_text(const char *text, size_t size)
{
    char copy[64];
    size = size < sizeof copy ? size : sizeof copy;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\0'))
        size--;
    for (size_t i = 0; i < size; i++)
        copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    return json_stringn(copy, size);
}

bool desk_taken(const struct request *request, const struct recovery *recovery, uint32_t given_to)
{
    for (unsigned core = 0; core < request->context->config->matchers_count; core++) {
        if (given_to & 1u << core && !recovery_taken(recovery, core))
            return false;
    }
    return true;
}

uint32_t desk_all_cores(const struct config *config)
{
    return (uint32_t)((UINT64_C(1) << config->matchers_count) - 1);
}

bool desk_all_ended(const struct request *request, const struct recovery *recovery, uint32_t cores)
{
    for (unsigned core = 0; core < request->context->config->matchers_count; core++) {
        if (cores & 1u << core && !recovery_ended(recovery, core))
            return false;
    }
    return true;
}

bool desk_day_over(struct request *request, const struct recovery *recovery, uint32_t cores, const char *why)
{
    const uint32_t date = request->context->config->date;
    if (!desk_all_ended(request, recovery, cores))
        return false;
    desk_refuse(request, EX_UNAVAILABLE, "the day %u-%02u-%02u has ended: %s", date / 10000, date / 100 % 100,
                date % 100, why);
    return true;
}
