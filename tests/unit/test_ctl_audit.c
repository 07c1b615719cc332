// SPDX-License-Identifier: Apache-2.0
// xwctl audit over a day that was written: who, why, before and after of what nobody but the journal says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "control/ctl/ctl.h"
#include "control/risk/audit.h"
#include "tests/support/written_day.h"

#define BLANKS "        "

enum { USER0 = 0, OUTPUT = 16384 };

static struct written_day day;
static char output[OUTPUT];

static int set_up(void **state)
{
    (void)state;
    written_day_begin(&day, 64);
    day.stage.config->sessions[USER0].cancel_on_disconnect = true;
    written_day_open(&day);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    written_day_free(&day);
    return 0;
}

// What the command prints is in `output`.
static void run_audit(bool json)
{
    char directory[192];
    char *arguments[] = {directory};
    struct ctl ctl = {.json = json};
    FILE *file = tmpfile();
    assert_non_null(file);
    snprintf(directory, sizeof directory, "%s/%08u", day.identity.directory, day.identity.date);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    ctl_audit(&ctl, 1, arguments);
    fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    rewind(file);
    size_t size = fread(output, 1, sizeof output - 1, file);
    output[size] = '\0';
    fclose(file);
}

static void prints(const char *text)
{
    if (!strstr(output, text))
        fail_msg("the audit has no `%s`:\n%s", text, output);
}

static void prints_not(const char *text)
{
    if (strstr(output, text))
        fail_msg("the audit has `%s`:\n%s", text, output);
}

static void give(enum command_type type, struct command command)
{
    command.type = (uint8_t)type;
    written_day_give(&day, command);
}

// What session 0 sends for its whole port.
static void give_message(enum command_type type)
{
    give(type, (struct command){.session = USER0, .user_ref = ++day.user_ref, .symbol = BLANKS, .firm = "    "});
}

static void give_limit(enum scope scope, enum limit limit, uint64_t value)
{
    struct command command = {.session = SESSION_NONE,
                              .limit = {.scope = (uint8_t)scope, .limit = (uint8_t)limit, .value = value}};
    memcpy(command.limit.by, "ALICE", 5);
    give(CMD_LIMIT, command);
}

static void a_session_that_disables_itself_and_cancels_all_is_listed_with_what_it_canceled(void **state)
{
    (void)state;
    written_day_trade(&day, 1, UINT32_MAX);
    give_message(CMD_DISABLE);
    day.user_ref--; // a second time: no effect
    give_message(CMD_DISABLE);
    give_message(CMD_MASS_CANCEL);
    give_message(CMD_ENABLE);
    give_message(CMD_MASS_CANCEL); // nothing is left
    run_audit(false);
    prints(" disable core=0 sequence=13 scope=session USER0 by=USER0 before=entry enabled after=entry disabled\n");
    prints(" mass_cancel core=0 sequence=15 scope=session USER0 by=USER0 canceled=1\n");
    prints(" enable core=0 sequence=16 scope=session USER0 by=USER0 before=entry disabled after=entry enabled\n");
    prints_not("sequence=14 ");
    prints_not("canceled=0");
    run_audit(true);
    prints("\"what\":\"mass_cancel\",\"scope\":\"session USER0\",\"by\":\"USER0\",\"canceled\":1}");
}

static void a_session_that_is_lost_is_listed_with_why_and_what_was_canceled(void **state)
{
    (void)state;
    static const struct {
        uint8_t reason;
        const char *line;
    } downs[] = {
        {DOWN_TIMEOUT,
         "session_down core=0 sequence=13 scope=session USER0 why=it was not heard any more canceled=1\n"},
        {DOWN_RESTART,
         "session_down core=0 sequence=16 scope=session USER0 why=the data plane was started again canceled=1\n"},
        {DOWN_LOGOFF, "why=it logged off"}, // which cancels nothing
    };
    for (unsigned i = 0; i < sizeof downs / sizeof downs[0]; i++) {
        written_day_trade(&day, 1, UINT32_MAX);
        give(CMD_SESSION_DOWN, (struct command){.session = USER0, .link = {.down_reason = downs[i].reason}});
        give(CMD_SESSION_UP, (struct command){.session = USER0});
    }
    run_audit(false);
    prints(downs[0].line);
    prints(downs[1].line);
    prints_not(downs[2].line);
}

static void a_limit_that_holds_by_default_is_what_was_before_and_what_is_after(void **state)
{
    (void)state;
    give_limit(SCOPE_ACCOUNT, LIMIT_DRAWDOWN, 100000); // without a capital nothing holds by default
    give_limit(SCOPE_ACCOUNT, LIMIT_DRAWDOWN, LIMIT_UNSET);
    give_limit(SCOPE_FIRM, LIMIT_CAPITAL, 10000000); // of the account's firm: its share is known, no drawdown
    give_limit(SCOPE_ACCOUNT, LIMIT_POSITION_SHARE, 30000);
    give_limit(SCOPE_ACCOUNT, LIMIT_CAPITAL, 10000000);
    give_limit(SCOPE_ACCOUNT, LIMIT_DRAWDOWN, 200000);
    give_limit(SCOPE_ACCOUNT, LIMIT_DRAWDOWN, LIMIT_UNSET);
    give_limit(SCOPE_ACCOUNT, LIMIT_GROSS_NOTIONAL, 10000000);
    give_limit(SCOPE_ACCOUNT, LIMIT_CORRELATION, 500000); // no group is declared
    give_limit(SCOPE_ACCOUNT, LIMIT_CORRELATION, LIMIT_UNSET);
    give(CMD_GROUP, (struct command){.session = SESSION_NONE, .group = {.locate = 1, .group = 1}});
    give_limit(SCOPE_ACCOUNT, LIMIT_CORRELATION, 400000);
    give_limit(SCOPE_ACCOUNT, LIMIT_ALERT, 600000);
    give_limit(SCOPE_VENUE, LIMIT_ALERT, 800000);
    give_limit(SCOPE_FIRM, LIMIT_ALERT, 500000); // the venue's held, of which this scope sets nothing
    give_limit(SCOPE_SESSION, LIMIT_ORDER_RATE, 50);
    give_limit(SCOPE_SESSION, LIMIT_ORDER_BURST, 90);
    run_audit(false);
    prints("limit=drawdown_percent before=none after=10 by=ALICE");
    prints("limit=drawdown_percent before=10 after=none by=ALICE");
    prints("limit=position_share_percent before=2 by default after=3 by=ALICE");
    prints("limit=drawdown_percent before=15 by default after=20 by=ALICE");
    prints("limit=drawdown_percent before=20 after=15 by default by=ALICE");
    prints("limit=correlation_percent before=none after=50 by=ALICE");
    prints("limit=correlation_percent before=70 by default after=40 by=ALICE");
    prints("scope=account NORTH limit=alert_percent before=70 by default after=60");
    prints("scope=venue limit=alert_percent before=70 by default after=80");
    prints("limit=alert_percent before=none after=50");
    prints("limit=order_burst before=50 by default after=90");
    run_audit(true);
    prints("\"limit\":\"drawdown_percent\",\"before\":150000,\"before_by_default\":true,\"after\":200000,");
    prints("\"before\":200000,\"after\":150000,\"after_by_default\":true,");
}

static void refused_logins_are_listed_with_who_how_often_and_why(void **state)
{
    (void)state;
    struct command note = {.session = SESSION_NONE};
    note.note.what = NOTE_LOGIN_REFUSED;
    note.note.scope = SCOPE_SESSION;
    note.note.number = 17;
    note.note.after = 60;
    memcpy(note.note.by, "USER0", 5);
    memcpy(note.note.why, "wrong password, last from 10.0.0.2:4000", 39);
    give(CMD_NOTE, note);
    note.note.scope = SCOPE_NONE;
    note.note.number = 1;
    note.note.after = 0;
    memcpy(note.note.by, "A\nB\xFF ", 5); // as it came, from nobody
    give(CMD_NOTE, note);
    run_audit(false);
    prints(
        " note=login refused scope=session USER0 times=17 within_s=60 by=USER0 why=wrong password, last from 10.0.0.2");
    prints(" note=login refused times=1 by=A?B? why=wrong");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_that_disables_itself_and_cancels_all_is_listed_with_what_it_canceled,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_session_that_is_lost_is_listed_with_why_and_what_was_canceled, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refused_logins_are_listed_with_who_how_often_and_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_limit_that_holds_by_default_is_what_was_before_and_what_is_after, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
