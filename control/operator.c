// SPDX-License-Identifier: Apache-2.0
#include "control/operator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/command.h"
#include "contract/log.h"
#include "contract/wire.h"
#include "control/recovery/opening.h"
#include "control/recovery/trade_search.h"

#define MS_NS UINT64_C(1000000)

enum { CALLERS = 8, LINE_MAX_BYTES = 1024, REPLY_MAX_BYTES = 2048, LISTEN_MS = 5 };
enum { IDLE_MS = 10000, CONFIRM_MS = 10000, AGAIN_MS = 20 };

enum ask { ASK_SHOW, ASK_BREAK, ASK_ADJUST, ASK_PHASE };
enum stage { STAGE_NONE, STAGE_SEARCH, STAGE_GIVE, STAGE_TAKEN, STAGE_CONFIRM };

struct caller {
    int fd; // -1: free
    uint64_t heard_ns;
    uint32_t in_bytes, out_bytes;
    bool closes; // when its reply is out
    char in[LINE_MAX_BYTES], out[REPLY_MAX_BYTES];
};

struct request {
    enum stage stage;
    struct caller *caller; // NULL: has gone, the answer is for nobody
    enum ask ask;
    char reason, phase;
    char by[17];
    uint64_t match;
    uint32_t price, quantity;
    struct trade_search search;
    uint32_t given_to; // cores, a bit each
    uint64_t deadline_ns, again_ns;
    unsigned walks; // over the journal, that have ended since
    uint32_t told;  // messages of the taker's session before the command
};

struct operator_desk {
    const struct config *config;
    struct outbound *outbound;
    const struct journal_writer *writer;
    int listener, directory;
    uint64_t listen_due_ns;
    char name[64];
    struct caller callers[CALLERS];
    unsigned turn;
    struct request request;
};

// ---- the socket -----------------------------------------------------------------------------------------------------

// run_directory may be longer than a socket's address: both ends go through a descriptor of it.
static void socket_address(int directory, const char *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory, name);
}

static bool listen_at(struct operator_desk *desk)
{
    struct sockaddr_un address;
    desk->directory = open(desk->config->run_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    desk->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (desk->directory < 0 || desk->listener < 0)
        return false;
    snprintf(desk->name, sizeof desk->name, "%s.control.sock", desk->config->instance);
    socket_address(desk->directory, desk->name, &address);
    unlinkat(desk->directory, desk->name, 0); // of a control that was killed: the lock says that none runs
    mode_t mask = umask(0177);
    int bound = bind(desk->listener, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    return bound == 0 && listen(desk->listener, CALLERS) == 0;
}

struct operator_desk *operator_new(const struct config *config, struct outbound *outbound,
                                   const struct journal_writer *writer, char *error, size_t error_size)
{
    struct operator_desk *desk = calloc(1, sizeof *desk);
    if (!desk) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    desk->config = config;
    desk->outbound = outbound;
    desk->writer = writer;
    desk->listener = desk->directory = -1;
    for (unsigned i = 0; i < CALLERS; i++)
        desk->callers[i].fd = -1;
    if (listen_at(desk))
        return desk;
    snprintf(error, error_size, "%s/%s: %s: remove it, or give this user the right to make a socket there",
             config->run_directory, desk->name, strerror(errno));
    operator_free(desk);
    return NULL;
}

void operator_free(struct operator_desk *desk)
{
    if (!desk)
        return;
    for (unsigned i = 0; i < CALLERS; i++) {
        if (desk->callers[i].fd >= 0)
            close(desk->callers[i].fd);
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

static void hang_up(struct operator_desk *desk, struct caller *caller)
{
    close(caller->fd);
    caller->fd = -1;
    if (desk->request.caller == caller)
        desk->request.caller = NULL;
}

static void send_reply(struct operator_desk *desk, struct caller *caller)
{
    if (caller->out_bytes == 0)
        return;
    ssize_t sent = send(caller->fd, caller->out, caller->out_bytes, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent <= 0 || ((uint32_t)sent == caller->out_bytes && caller->closes)) {
        hang_up(desk, caller);
        return;
    }
    caller->out_bytes -= (uint32_t)sent;
    memmove(caller->out, caller->out + sent, caller->out_bytes);
}

// Takes the reply; NULL for nobody.
static void reply(struct operator_desk *desk, struct caller *caller, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (caller) {
        int size = snprintf(caller->out, sizeof caller->out, "%s\n",
                            text ? text : "{\"ok\":false,\"exit\":71,\"error\":\"no memory\"}");
        caller->out_bytes = (uint32_t)size < sizeof caller->out ? (uint32_t)size : 0;
        send_reply(desk, caller);
    }
    free(text);
}

__attribute__((format(printf, 4, 5))) static void refuse(struct operator_desk *desk, struct caller *caller,
                                                         int exit_code, const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    log_event(LOG_XW2014, "\"exit\":%d,\"text\":%s", exit_code, log_quote(text));
    reply(desk, caller, json_pack("{s:b, s:i, s:s}", "ok", 0, "exit", exit_code, "error", text));
}

static void welcome(struct operator_desk *desk, int fd, uint64_t now_ns)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;
    struct caller *caller = NULL;
    for (unsigned i = 0; i < CALLERS && !caller; i++)
        caller = desk->callers[i].fd < 0 ? &desk->callers[i] : NULL;
    if (!caller) {
        close(fd); // as many as can be: the next one after this
        return;
    }
    *caller = (struct caller){.fd = fd, .heard_ns = now_ns};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid()))
        return;
    caller->closes = true;
    refuse(desk, caller, EX_NOPERM, "user %u may not operate this instance: ask as root, or as its own user",
           (unsigned)peer.uid);
}

static unsigned hear_callers(struct operator_desk *desk, uint64_t now_ns)
{
    unsigned done = 0;
    // cppcheck-suppress nullPointer; accept4 takes NULL for an address that nobody asks for
    for (int fd; (fd = accept4(desk->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; done++)
        welcome(desk, fd, now_ns);
    for (unsigned i = 0; i < CALLERS; i++) {
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
        bool waits = desk->request.stage != STAGE_NONE && desk->request.caller == caller;
        bool lost =
            caller->in_bytes < sizeof caller->in && (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR));
        bool endless = caller->in_bytes == sizeof caller->in && !memchr(caller->in, '\n', caller->in_bytes);
        if (lost || endless || (!waits && now_ns - caller->heard_ns > IDLE_MS * MS_NS))
            hang_up(desk, caller);
    }
    return done;
}

// ---- requests -------------------------------------------------------------------------------------------------------

static void finish(struct operator_desk *desk, json_t *root)
{
    desk->request.stage = STAGE_NONE;
    reply(desk, desk->request.caller, root);
}

#define FINISH_REFUSED(desk, ...)                            \
    do {                                                     \
        (desk)->request.stage = STAGE_NONE;                  \
        refuse((desk), (desk)->request.caller, __VA_ARGS__); \
    } while (0)

static char letter(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text && text[0] && !text[1] ? text[0] : 0;
}

// A name of 1 to 16 printable characters.
static bool read_by(struct request *request, const json_t *root)
{
    const char *by = json_string_value(json_object_get(root, "by"));
    size_t length = by ? strlen(by) : 0;
    for (size_t i = 0; i < length; i++)
        if (by[i] <= ' ' || by[i] > '~')
            return false;
    if (length == 0 || length > 16)
        return false;
    memcpy(request->by, by, length + 1);
    return true;
}

static bool read_number(const json_t *root, const char *key, json_int_t most, json_int_t *number)
{
    const json_t *value = json_object_get(root, key);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 1 && *number <= most;
}

// NULL, or what is wrong with the request.
static const char *read_request(struct request *request, const json_t *root)
{
    static const char *const asks[] = {"trade_show", "trade_break", "trade_adjust", "phase"};
    const char *ask = json_string_value(json_object_get(root, "ask"));
    json_int_t match = 0, price = 0, quantity = 0;
    unsigned kind = 0;
    while (kind < 4 && (!ask || strcmp(ask, asks[kind]) != 0))
        kind++;
    if (kind == 4)
        return "no such request: start control and xwctl of one build";
    request->ask = (enum ask)kind;
    if (request->ask != ASK_PHASE && !read_number(root, "match", INT64_MAX, &match))
        return "the match number is none: give it as the E message does";
    if (request->ask != ASK_SHOW && !read_by(request, root))
        return "who asks is not said: give --by NAME, 1 to 16 printable characters";
    request->reason = letter(root, "reason");
    if (request->ask == ASK_BREAK && (!request->reason || !strchr("ECSX", request->reason)))
        return "the reason is none of E (erroneous), C (consent), S (supervisory), X (external)";
    if (request->ask == ASK_ADJUST && !read_number(root, "price", PRICE_MAX, &price))
        return "the price is none: give 0.0001 to 199999.99";
    if (request->ask == ASK_ADJUST && !read_number(root, "quantity", QUANTITY_MAX, &quantity))
        return "the quantity is none: give 1 to 999999";
    request->phase = letter(root, "phase");
    if (request->ask == ASK_PHASE && opening_phase_rank(request->phase) == 0)
        return "the phase is none of pre, regular, after, closed, ended";
    request->match = (uint64_t)match;
    request->price = (uint32_t)price;
    request->quantity = (uint32_t)quantity;
    return NULL;
}

// Takes the next caller's line, if there is one.
static unsigned begin_request(struct operator_desk *desk)
{
    for (unsigned i = 0; i < CALLERS; i++) {
        struct caller *caller = &desk->callers[(desk->turn + i) % CALLERS];
        char *end = caller->fd < 0 || caller->out_bytes ? NULL : memchr(caller->in, '\n', caller->in_bytes);
        if (!end)
            continue;
        desk->turn = (desk->turn + i + 1) % CALLERS;
        json_t *root = json_loadb(caller->in, (size_t)(end - caller->in), JSON_REJECT_DUPLICATES, NULL);
        caller->in_bytes -= (uint32_t)(end + 1 - caller->in);
        memmove(caller->in, end + 1, caller->in_bytes);
        struct request *request = &desk->request;
        *request = (struct request){.caller = caller};
        const char *wrong = root ? read_request(request, root) : "the request is no JSON object on a line";
        json_decref(root);
        if (wrong)
            FINISH_REFUSED(desk, EX_USAGE, "%s", wrong);
        else if (request->ask == ASK_PHASE)
            request->stage = STAGE_GIVE;
        else if (trade_search_begin(&request->search, desk->config, request->match))
            request->stage = STAGE_SEARCH;
        else
            FINISH_REFUSED(desk, EX_DATAERR, "%" PRIu64 " is no match number of this instance: see the E message",
                           request->match);
        return 1;
    }
    return 0;
}

// ---- answers --------------------------------------------------------------------------------------------------------

// Text that came from outside, without its padding; what JSON can not hold is shown as ?.
static json_t *text_json(const char *text, size_t size)
{
    char copy[17];
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\0'))
        size--;
    for (size_t i = 0; i < size; i++)
        copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    return json_stringn(copy, size);
}

static json_t *party_json(const struct config *config, const struct trade_party *party)
{
    return json_pack("{s:s, s:I, s:i, s:o, s:o}", "user", config->sessions[party->session].user, "user_ref",
                     (json_int_t)party->user_ref, "user_ref_idx", (int)party->user_ref_idx, "side",
                     text_json(&party->side, 1), "cl_ord_id", text_json(party->cl_ord_id, sizeof party->cl_ord_id));
}

static json_t *trade_json(const struct operator_desk *desk, const struct trade_search *search)
{
    return json_pack("{s:b, s:I, s:o, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "ok", 1, "match", (json_int_t)search->match,
                     "symbol", text_json(search->taker.symbol, sizeof search->taker.symbol), "price",
                     (json_int_t)search->price, "quantity", (json_int_t)search->quantity, "time_ns",
                     (json_int_t)search->time_ns, "broken", search->broken != 0, "reason",
                     text_json(&search->broken, 1), "taker", party_json(desk->config, &search->taker), "maker",
                     party_json(desk->config, &search->maker));
}

// ---- what a request goes through ------------------------------------------------------------------------------------

static void search_on(struct operator_desk *desk)
{
    struct request *request = &desk->request;
    struct journal_place until = journal_writer_position(desk->writer);
    switch (trade_search_go_on(&request->search, desk->config, desk->outbound, &until)) {
    case TRADE_SEARCHING:
        return;
    case TRADE_SEARCH_FAILED:
        FINISH_REFUSED(desk, EX_SOFTWARE, "the journal can not be followed: see control's log for XW2011");
        return;
    case TRADE_ABSENT:
        FINISH_REFUSED(desk, EX_DATAERR, "match %" PRIu64 " is no trade of this day: see the E message",
                       request->match);
        return;
    case TRADE_FOUND:
        break;
    }
    if (request->ask == ASK_SHOW)
        finish(desk, trade_json(desk, &request->search));
    else if (request->search.broken)
        FINISH_REFUSED(desk, EX_DATAERR, "match %" PRIu64 " is broken already (%c): nothing is left to change",
                       request->match, request->search.broken);
    else if ((request->match & ((UINT64_C(1) << 40) - 1)) > desk->config->engine.max_trades)
        FINISH_REFUSED(desk, EX_UNAVAILABLE,
                       "match %" PRIu64 " came after the day's first %u trades: raise engine.max_trades for next time",
                       request->match, desk->config->engine.max_trades);
    else
        request->stage = STAGE_GIVE;
}

static struct command trade_command(const struct request *request)
{
    struct command command = {.session = SESSION_NONE};
    command.type = request->ask == ASK_BREAK ? CMD_BREAK : CMD_ADJUST;
    command.trade.match = request->match;
    command.trade.price = request->price;
    command.trade.quantity = request->quantity;
    command.trade.reason = request->ask == ASK_BREAK ? request->reason : 'S';
    memcpy(command.trade.taker_cl_ord_id, request->search.taker.cl_ord_id, sizeof command.trade.taker_cl_ord_id);
    memcpy(command.trade.maker_cl_ord_id, request->search.maker.cl_ord_id, sizeof command.trade.maker_cl_ord_id);
    memcpy(command.trade.by, request->by, sizeof command.trade.by);
    return command;
}

static void give_trade(struct operator_desk *desk, struct recovery *recovery, uint64_t now_ns)
{
    struct request *request = &desk->request;
    struct command command = trade_command(request);
    request->told = outbound_count(desk->outbound, request->search.taker.session);
    if (!recovery_give(recovery, request->search.core, &command)) {
        FINISH_REFUSED(desk, EX_TEMPFAIL, "matching core %u takes nothing now: ask again", request->search.core);
        return;
    }
    request->given_to = 1u << request->search.core;
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_MS * MS_NS;
    log_event(LOG_XW2013,
              "\"what\":\"%s\",\"match\":%" PRIu64 ",\"reason\":\"%c\",\"price\":%u,\"quantity\":%u,\"by\":%s",
              request->ask == ASK_BREAK ? "break" : "adjust", request->match, command.trade.reason, request->price,
              request->quantity, log_quote(request->by));
}

static void give_phase(struct operator_desk *desk, struct recovery *recovery, uint64_t now_ns)
{
    struct request *request = &desk->request;
    unsigned wanted = opening_phase_rank(request->phase);
    char present = 0;
    for (unsigned core = 0; core < desk->config->matchers_count; core++) {
        char phase = recovery_phase(recovery, core);
        if (phase == 0) {
            FINISH_REFUSED(desk, EX_UNAVAILABLE, "the day has not started on matching core %u: ask again then", core);
            return;
        }
        if (present == 0 || opening_phase_rank(phase) < opening_phase_rank(present))
            present = phase;
    }
    if (opening_phase_rank(present) >= wanted) {
        FINISH_REFUSED(desk, EX_DATAERR, "the venue is in phase %c already, and phases go forward only: nothing to do",
                       present);
        return;
    }
    const bool ends = request->phase == PHASE_DAY_END;
    struct command command = {
        .type = ends ? CMD_END_DAY : CMD_PHASE, .session = SESSION_NONE, .phase.phase = ends ? 0 : request->phase};
    memcpy(command.phase.by, request->by, sizeof command.phase.by);
    for (unsigned core = 0; core < desk->config->matchers_count; core++) {
        if (opening_phase_rank(recovery_phase(recovery, core)) >= wanted || !recovery_give(recovery, core, &command))
            continue; // a core without room stays behind: the operator is told
        request->given_to |= 1u << core;
        log_event(LOG_XW2012, "\"core\":%u,\"phase\":\"%c\",\"by\":%s", core, request->phase, log_quote(request->by));
    }
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_MS * MS_NS;
}

static void finish_phase(struct operator_desk *desk, const struct recovery *recovery)
{
    unsigned behind = 0;
    for (unsigned core = 0; core < desk->config->matchers_count; core++)
        behind += opening_phase_rank(recovery_phase(recovery, core)) < opening_phase_rank(desk->request.phase);
    if (behind)
        FINISH_REFUSED(desk, EX_TEMPFAIL, "%u matching cores took nothing just now: ask again", behind);
    else
        finish(desk, json_pack("{s:b, s:o}", "ok", 1, "phase", text_json(&desk->request.phase, 1)));
}

// The command rings are empty again: what was given stands in the journal ring.
static bool is_taken(const struct operator_desk *desk, const struct recovery *recovery)
{
    for (unsigned core = 0; core < desk->config->matchers_count; core++) {
        if (desk->request.given_to & 1u << core && !recovery_taken(recovery, core))
            return false;
    }
    return true;
}

// Looks for the Broken Trade among what the taker was told since; `adjusted` gets the new trade's match number.
static bool find_broken(struct operator_desk *desk, uint64_t *adjusted)
{
    const struct request *request = &desk->request;
    struct trade_party taker = request->search.taker;
    uint8_t blocks[4096];
    size_t bytes;
    bool broken = false;
    *adjusted = 0;
    for (uint32_t next = request->told + 1;;) {
        unsigned count = outbound_read(desk->outbound, taker.session, next, UINT16_MAX, blocks, sizeof blocks, &bytes);
        if (count == 0)
            return broken && (request->ask == ASK_BREAK || *adjusted);
        const uint8_t *at = blocks;
        for (unsigned i = 0; i < count; i++, at += 2 + get_be16(at)) {
            const uint8_t *message = at + 2;
            if (message[0] == 'B' && get_be64(message + 13) == request->match)
                broken = true;
            else if (broken && !*adjusted && message[0] == 'E' && get_be32(message + 9) == taker.user_ref)
                *adjusted = get_be64(message + 26);
        }
        next += count;
    }
}

static void confirm_on(struct operator_desk *desk, uint64_t now_ns)
{
    struct request *request = &desk->request;
    struct journal_place until = journal_writer_position(desk->writer);
    uint64_t adjusted;
    enum outbound_result result = OUTBOUND_LATER;
    if (now_ns >= request->again_ns)
        result = outbound_follow(desk->outbound, request->search.core, &until);
    request->walks += result == OUTBOUND_OK;
    if (result == OUTBOUND_OK && find_broken(desk, &adjusted)) {
        json_t *root = trade_json(desk, &request->search);
        json_object_set_new(root, "broken", json_true());
        json_object_set_new(root, "reason", json_stringn(request->ask == ASK_BREAK ? &request->reason : "S", 1));
        if (adjusted)
            json_object_set_new(root, "new_match", json_integer((json_int_t)adjusted));
        finish(desk, root);
    } else if (result == OUTBOUND_NONE || (request->walks > 1 && now_ns > request->deadline_ns)) {
        FINISH_REFUSED(desk, EX_TEMPFAIL, "it is not known yet whether match %" PRIu64 " changed: ask trade show",
                       request->match);
    } else if (result == OUTBOUND_OK) {
        request->again_ns = now_ns + AGAIN_MS * MS_NS;
    }
}

static void go_on(struct operator_desk *desk, struct recovery *recovery, uint64_t now_ns)
{
    struct request *request = &desk->request;
    switch (request->stage) {
    case STAGE_NONE:
        break;
    case STAGE_SEARCH:
        search_on(desk);
        break;
    case STAGE_GIVE:
        if (!recovery)
            FINISH_REFUSED(desk, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        else if (request->ask == ASK_PHASE)
            give_phase(desk, recovery, now_ns);
        else
            give_trade(desk, recovery, now_ns);
        break;
    case STAGE_TAKEN:
        if (request->ask == ASK_PHASE && recovery && is_taken(desk, recovery))
            finish_phase(desk, recovery);
        else if (request->ask != ASK_PHASE && (!recovery || is_taken(desk, recovery)))
            request->stage = STAGE_CONFIRM;
        else if (!recovery || now_ns > request->deadline_ns)
            FINISH_REFUSED(desk, EX_TEMPFAIL, "it is not known whether that was taken: see xwctl journal dump");
        break;
    case STAGE_CONFIRM:
        confirm_on(desk, now_ns);
        break;
    }
}

unsigned operator_poll(struct operator_desk *desk, struct recovery *recovery, uint64_t now_ns)
{
    unsigned done = 0;
    if (now_ns >= desk->listen_due_ns) {
        done += hear_callers(desk, now_ns);
        desk->listen_due_ns = now_ns + LISTEN_MS * MS_NS;
    }
    if (desk->request.stage == STAGE_NONE)
        return done + begin_request(desk);
    go_on(desk, recovery, now_ns);
    return done + (now_ns >= desk->request.again_ns);
}
