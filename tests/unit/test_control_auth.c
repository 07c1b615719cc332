// SPDX-License-Identifier: Apache-2.0
// Logins: right and wrong, case, rates, and requests that survive control.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/auth.h"

static char hash[crypto_pwhash_STRBYTES];
static struct config_session session = {.user = "alice", .wire_user = {'A', 'L', 'I', 'C', 'E', ' '}};
static struct config config = {.sessions = &session, .sessions_count = 1, .control = {.login_attempts_per_minute = 6}};

static int set_up(void **state)
{
    (void)state;
    // The log of refused logins is not what is tested here.
    if (!freopen("/dev/null", "w", stderr))
        return -1;
    if (sodium_init() < 0)
        return -1;
    session.password_hash = hash;
    return crypto_pwhash_str(hash, "SECRET", 6, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN);
}

static struct auth_ask ask(const char *user, const char *password, uint32_t ip)
{
    struct auth_ask made = {.generation = 7, .position = 9, .gateway = 3, .source_ip = ip};
    memcpy(made.user, user, 6);
    memcpy(made.password, password, 10);
    return made;
}

static enum login_verdict verdict_of(struct auth *auth, struct auth_ask made, uint64_t now_ns)
{
    struct auth_answer answer;
    assert_true(auth_submit(auth, &made, now_ns));
    while (!auth_take(auth, &answer))
        sched_yield();
    assert_int_equal(answer.generation, 7);
    assert_int_equal(answer.position, 9);
    assert_int_equal(answer.gateway, 3);
    return answer.verdict;
}

static void the_right_password_is_right_in_any_case(void **state)
{
    (void)state;
    struct auth *auth = auth_new(&config);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 1), 1), LOGIN_RIGHT);
    assert_int_equal(verdict_of(auth, ask("alice ", "sEcReT    ", 1), 1), LOGIN_RIGHT);
    assert_int_equal(verdict_of(auth, ask("alice ", "SECRET\0\0\0\0", 1), 1), LOGIN_RIGHT);
    auth_free(auth);
}

static void another_hash_counts_from_the_next_verification_on(void **state)
{
    (void)state;
    char other[crypto_pwhash_STRBYTES];
    assert_int_equal(crypto_pwhash_str(other, "SECRET2", 7, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN), 0);
    struct auth *auth = auth_new(&config);
    assert_false(auth_set_hash(auth, 0, hash));
    assert_true(auth_set_hash(auth, 0, other));
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 1), 1), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET2   ", 1), 1), LOGIN_RIGHT);
    auth_free(auth);
}

static void anything_else_is_wrong(void **state)
{
    (void)state;
    struct auth *auth = auth_new(&config);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET2   ", 1), 1), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("ALICE ", " SECRET   ", 1), 1), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "          ", 1), 1), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("BOB   ", "SECRET    ", 1), 1), LOGIN_WRONG);
    struct auth_ask other = ask("ALICE ", "SECRET    ", 1);
    other.session = 1; // no such session
    assert_int_equal(verdict_of(auth, other, 1), LOGIN_WRONG);
    auth_free(auth);
}

static void a_source_that_guesses_is_limited_and_recovers(void **state)
{
    (void)state;
    const uint64_t s = UINT64_C(1000000000);
    struct auth *auth = auth_new(&config);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(verdict_of(auth, ask("ALICE ", "GUESS     ", 9), s), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 9), s), LOGIN_LIMITED);
    // Six a minute: one more every ten seconds.
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 9), 11 * s), LOGIN_RIGHT);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 9), 11 * s), LOGIN_LIMITED);
    auth_free(auth);
}

static void one_user_is_limited_over_all_sources(void **state)
{
    (void)state;
    struct auth *auth = auth_new(&config);
    for (uint32_t ip = 0; ip < 6; ip++)
        assert_int_equal(verdict_of(auth, ask("ALICE ", "GUESS     ", ip), 1), LOGIN_WRONG);
    assert_int_equal(verdict_of(auth, ask("ALICE ", "SECRET    ", 77), 1), LOGIN_LIMITED);
    auth_free(auth);
}

static void a_bucket_refills_evenly_and_not_beyond_its_size(void **state)
{
    (void)state;
    struct auth_bucket bucket = {0};
    const uint64_t s = UINT64_C(1000000000);
    for (unsigned i = 0; i < 60; i++)
        assert_true(auth_bucket_take(&bucket, 60, s));
    assert_false(auth_bucket_take(&bucket, 60, s));
    assert_true(auth_bucket_take(&bucket, 60, 2 * s));
    assert_false(auth_bucket_take(&bucket, 60, 2 * s));
    for (unsigned i = 0; i < 60; i++)
        assert_true(auth_bucket_take(&bucket, 60, 100000 * s));
    assert_false(auth_bucket_take(&bucket, 60, 100000 * s));
    for (unsigned i = 0; i < 1000; i++)
        assert_true(auth_bucket_take(&bucket, 0, 100000 * s));
}

static void a_full_queue_takes_no_more_and_gives_all_answers(void **state)
{
    (void)state;
    struct config unlimited = config;
    unlimited.control.login_attempts_per_minute = 0;
    struct auth *auth = auth_new(&unlimited);
    struct auth_ask made = ask("ALICE ", "SECRET    ", 1);
    for (unsigned i = 0; i < AUTH_QUEUE; i++)
        assert_true(auth_submit(auth, &made, 1));
    assert_false(auth_submit(auth, &made, 1));
    struct auth_answer answer;
    for (unsigned i = 0; i < AUTH_QUEUE; i++) {
        while (!auth_take(auth, &answer))
            sched_yield();
        assert_int_equal(answer.verdict, LOGIN_RIGHT);
    }
    assert_false(auth_take(auth, &answer));
    assert_true(auth_submit(auth, &made, 1));
    auth_free(auth); // with one still queued
}

static void passwords_are_hashed_in_capitals_without_trailing_blanks(void **state)
{
    (void)state;
    char out[AUTH_PASSWORD + 1];
    assert_int_equal(auth_canonical("a b  ", 5, out), 3);
    assert_string_equal(out, "A B");
    assert_int_equal(auth_canonical("0123456789", 10, out), 10);
    assert_string_equal(out, "0123456789");
    assert_int_equal(auth_canonical("     ", 5, out), 0);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_is_right_in_any_case),
        cmocka_unit_test(another_hash_counts_from_the_next_verification_on),
        cmocka_unit_test(anything_else_is_wrong),
        cmocka_unit_test(a_source_that_guesses_is_limited_and_recovers),
        cmocka_unit_test(one_user_is_limited_over_all_sources),
        cmocka_unit_test(a_bucket_refills_evenly_and_not_beyond_its_size),
        cmocka_unit_test(a_full_queue_takes_no_more_and_gives_all_answers),
        cmocka_unit_test(passwords_are_hashed_in_capitals_without_trailing_blanks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
