// SPDX-License-Identifier: Apache-2.0
#include "control/risk/logins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/log.h"

#define SECOND_NS UINT64_C(1000000000)
#define LOOK_NS (SECOND_NS / 5)

enum { WAIT_LEAST_S = 60, WAIT_MOST_S = 3600, ROOM_LEFT = 128 };

//   idle --refused--> due at once --note--> counts for wait_s --note, wait_s doubled--> counts .. --none came--> idle
struct tally {
    uint64_t since_ns, until_ns; // of what is counted
    uint32_t wait_s;             // 0: idle
    uint32_t count;
    uint32_t ip;
    uint16_t port;
    char user[6];
};

struct logins {
    const struct config *config;
    struct audit *audit;
    uint64_t due_ns;
    uint32_t active; // tallies that are not idle
    uint32_t rows;   // one a stream, and one of users that nobody is
    struct tally tallies[][LOGIN_WHYS];
};

static const char *const whys[LOGIN_WHYS] = {
    [LOGIN_WHY_PASSWORD] = "wrong password",       [LOGIN_WHY_RATE] = "too many attempts",
    [LOGIN_WHY_CLOSED] = "its port is closed",     [LOGIN_WHY_USER] = "no such user",
    [LOGIN_WHY_SESSION] = "asked for another day", [LOGIN_WHY_ENDED] = "the day has ended",
};

struct logins *logins_new(const struct config *config, struct audit *audit)
{
    const uint32_t rows = config_streams(config) + 1;
    struct logins *logins = calloc(1, sizeof *logins + rows * sizeof logins->tallies[0]);
    if (!logins)
        return NULL;
    logins->config = config;
    logins->audit = audit;
    logins->rows = rows;
    return logins;
}

void logins_free(struct logins *logins)
{
    free(logins);
}

void logins_refused(struct logins *logins, const struct login_refusal *refusal)
{
    const uint32_t row = refusal->session < logins->rows - 1 ? refusal->session : logins->rows - 1;
    struct tally *tally = &logins->tallies[row][refusal->why];
    if (tally->wait_s == 0 && tally->count == 0)
        logins->active++;
    tally->count = tally->count > UINT32_MAX - refusal->count ? UINT32_MAX : tally->count + refusal->count;
    tally->ip = refusal->ip;
    tally->port = refusal->port;
    memcpy(tally->user, refusal->user, sizeof tally->user);
}

static void write_note(const struct logins *logins, const struct tally *tally, uint32_t row, enum login_why why,
                       uint64_t now_ns)
{
    char user[sizeof tally->user + 1] = "", source[32], text[80];
    memcpy(user, tally->user, sizeof tally->user);
    for (size_t end = sizeof tally->user; end > 0 && user[end - 1] == ' '; end--)
        user[end - 1] = '\0';
    snprintf(source, sizeof source, "%u.%u.%u.%u:%u", tally->ip >> 24, tally->ip >> 16 & 255, tally->ip >> 8 & 255,
             tally->ip & 255, tally->port);
    snprintf(text, sizeof text, "%s, %sfrom %s", whys[why], tally->count > 1 ? "last " : "", source);
    const uint32_t within_s = tally->wait_s ? (uint32_t)((now_ns - tally->since_ns) / SECOND_NS) : 0;
    const bool known = row < logins->rows - 1;
    audit_note(logins->audit, &(struct audit_entry){.what = NOTE_LOGIN_REFUSED,
                                                    .scope = known ? SCOPE_SESSION : SCOPE_NONE,
                                                    .index = known ? (uint16_t)row : 0,
                                                    .number = tally->count,
                                                    .after = within_s,
                                                    .by = user,
                                                    .why = text});
    if (why != LOGIN_WHY_PASSWORD) // those are logged one by one
        log_event(why == LOGIN_WHY_RATE || why == LOGIN_WHY_CLOSED ? LOG_XW4003 : LOG_XW4002,
                  "\"user\":%s,\"count\":%u,\"within_s\":%u,\"source\":\"%s\",\"why\":\"%s\"", log_quote(user),
                  tally->count, within_s, source, whys[why]);
}

// Returns whether it wrote a note.
static bool look(struct logins *logins, uint32_t row, enum login_why why, uint64_t now_ns)
{
    struct tally *tally = &logins->tallies[row][why];
    if ((tally->wait_s == 0 && tally->count == 0) || now_ns < tally->until_ns)
        return false;
    if (tally->count == 0) {
        *tally = (struct tally){0};
        logins->active--;
        return false;
    }
    if (audit_room(logins->audit) <= ROOM_LEFT)
        return false;
    write_note(logins, tally, row, why, now_ns);
    const uint32_t longer = tally->wait_s ? 2 * tally->wait_s : WAIT_LEAST_S;
    tally->wait_s = longer < WAIT_MOST_S ? longer : WAIT_MOST_S;
    tally->since_ns = now_ns;
    tally->until_ns = now_ns + tally->wait_s * SECOND_NS;
    tally->count = 0;
    return true;
}

unsigned logins_poll(struct logins *logins, uint64_t now_ns)
{
    unsigned written = 0;
    if (logins->active == 0 || now_ns < logins->due_ns)
        return 0;
    logins->due_ns = now_ns + LOOK_NS;
    for (uint32_t row = 0; row < logins->rows; row++)
        for (unsigned why = 0; why < LOGIN_WHYS; why++)
            written += look(logins, row, (enum login_why)why, now_ns);
    return written;
}

void logins_flush(struct logins *logins)
{
    logins->due_ns = 0;
    for (uint32_t row = 0; row < logins->rows; row++)
        for (unsigned why = 0; why < LOGIN_WHYS; why++)
            logins->tallies[row][why].until_ns = 0;
}
