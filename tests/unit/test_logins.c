// SPDX-License-Identifier: Apache-2.0
// Refused logins in the audit: the first at once, a flood in few notes, and never at the cost of other notes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "control/risk/logins.h"

#define SECOND UINT64_C(1000000000)

enum { SESSIONS = 3, GIVEN_MOST = 4096 };

static struct config_session sessions[SESSIONS];
static struct config config = {.sessions = sessions, .sessions_count = SESSIONS};
static struct audit *audit;
static struct logins *logins;
static struct command given[GIVEN_MOST]; // in the place of recovery.c
static unsigned given_count;
static bool ring_full;

bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    assert_int_equal(core, 0);
    assert_true(given_count < GIVEN_MOST);
    if (ring_full)
        return false;
    given[given_count++] = *command;
    return true;
}

static int set_up(void **state)
{
    (void)state;
    given_count = 0;
    ring_full = false;
    audit = audit_new();
    logins = logins_new(&config, audit);
    return audit && logins ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    logins_free(logins);
    audit_free(audit);
    return 0;
}

static void refuse(uint16_t session, enum login_why why, uint32_t count)
{
    logins_refused(logins, &(struct login_refusal){.session = session,
                                                   .why = why,
                                                   .user = {'T', 'R', 'A', 'D', 'E', '1'},
                                                   .ip = 0x0A000002,
                                                   .port = 4321,
                                                   .count = count});
}

// How many notes are written at this time.
static unsigned poll(uint64_t now_ns)
{
    unsigned before = given_count;
    logins_poll(logins, now_ns);
    audit_poll(audit, (struct recovery *)&config);
    return given_count - before;
}

static void the_first_refusal_is_a_note_at_once_with_who_from_where_and_why(void **state)
{
    (void)state;
    assert_int_equal(poll(SECOND), 0);
    refuse(1, LOGIN_WHY_PASSWORD, 1);
    assert_int_equal(poll(2 * SECOND), 1);
    assert_int_equal(given[0].type, CMD_NOTE);
    assert_int_equal(given[0].note.what, NOTE_LOGIN_REFUSED);
    assert_int_equal(given[0].note.scope, SCOPE_SESSION);
    assert_int_equal(given[0].note.index, 1);
    assert_int_equal(given[0].note.number, 1);
    assert_int_equal(given[0].note.after, 0);
    assert_memory_equal(given[0].note.by, "TRADE1\0", 7);
    assert_string_equal(given[0].note.why, "wrong password, from 10.0.0.2:4321");
    // Nobody's, and another reason of the same session, are counted by themselves.
    refuse(SESSION_NONE, LOGIN_WHY_USER, 70);
    refuse(1, LOGIN_WHY_CLOSED, 1);
    assert_int_equal(poll(3 * SECOND), 2);
    assert_string_equal(given[1].note.why, "its port is closed, from 10.0.0.2:4321");
    assert_int_equal(given[2].note.scope, SCOPE_NONE);
    assert_int_equal(given[2].note.number, 70);
    assert_string_equal(given[2].note.why, "no such user, last from 10.0.0.2:4321");
}

static void what_follows_is_counted_and_told_once_a_minute_at_first(void **state)
{
    (void)state;
    refuse(0, LOGIN_WHY_RATE, 1);
    assert_int_equal(poll(SECOND), 1);
    refuse(0, LOGIN_WHY_RATE, 40);
    assert_int_equal(poll(60 * SECOND), 0);
    refuse(0, LOGIN_WHY_RATE, 2);
    assert_int_equal(poll(61 * SECOND), 1);
    assert_int_equal(given[1].note.number, 42);
    assert_int_equal(given[1].note.after, 60);
    // Two minutes without any: the next one is the first again.
    assert_int_equal(poll(181 * SECOND), 0);
    refuse(0, LOGIN_WHY_RATE, 1);
    assert_int_equal(poll(182 * SECOND), 1);
    assert_int_equal(given[2].note.after, 0);
}

static void a_day_of_a_flood_is_thirty_notes_of_a_session_and_reason_and_loses_no_count(void **state)
{
    (void)state;
    uint64_t sent = 0, told = 0;
    for (uint64_t second = 1; second <= 86400; second++) {
        for (uint16_t session = 0; session < SESSIONS; session++)
            refuse(session, LOGIN_WHY_PASSWORD, 1000);
        sent += SESSIONS * 1000;
        poll(second * SECOND);
    }
    assert_in_range(given_count, SESSIONS * 24, SESSIONS * 30);
    logins_flush(logins); // control ends
    poll(86401 * SECOND);
    for (unsigned i = 0; i < given_count; i++)
        told += given[i].note.number;
    assert_int_equal(told, sent);
}

static void no_flood_takes_the_room_of_other_notes(void **state)
{
    (void)state;
    struct config_session many[600] = {{0}};
    struct config large = {.sessions = many, .sessions_count = 600};
    struct logins *of_many = logins_new(&large, audit);
    assert_non_null(of_many);
    ring_full = true;
    for (uint16_t session = 0; session < 600; session++)
        logins_refused(of_many, &(struct login_refusal){.session = session, .why = LOGIN_WHY_RATE, .count = 1});
    logins_poll(of_many, SECOND);
    assert_in_range(audit_room(audit), 100, 255);
    ring_full = false;
    for (unsigned round = 2; round < 20; round++) {
        audit_poll(audit, (struct recovery *)&config);
        logins_poll(of_many, round * SECOND);
    }
    audit_poll(audit, (struct recovery *)&config);
    assert_int_equal(given_count, 600); // later, but all of them
    logins_free(of_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_refusal_is_a_note_at_once_with_who_from_where_and_why, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_follows_is_counted_and_told_once_a_minute_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_day_of_a_flood_is_thirty_notes_of_a_session_and_reason_and_loses_no_count,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_flood_takes_the_room_of_other_notes, set_up, tear_down),
    };
    return freopen("/dev/null", "w", stderr) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
