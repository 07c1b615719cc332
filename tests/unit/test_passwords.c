// SPDX-License-Identifier: Apache-2.0
// control.password_file: every hash reaches its session, and a mistake is one line that shows nothing secret.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/passwords.h"

#define HASH "$argon2id$v=19$m=8,t=1,p=1$ab$cd"

static struct config_session sessions[] = {{.user = "Trade1", .password_hash = ""},
                                           {.user = "TRADE2", .password_hash = HASH "2"},
                                           {.user = "TRADE3", .password_hash = ""}};
static struct config config = {.sessions = sessions, .sessions_count = 3};
static struct passwords passwords;
static char error[512], path[64];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    config.control.password_file = path;
}

static int name_file(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/xw-passwords-%d", (int)getpid());
    return 0;
}

static int drop_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void every_session_gets_its_hash(void **state)
{
    (void)state;
    write_file("# the firms\n\ntrade3 \t " HASH "3\r\nTRADE1 " HASH "1\n");
    assert_int_equal(passwords_read(&config, &passwords, error, sizeof error), 0);
    assert_string_equal(passwords.hash[0], HASH "1");
    assert_string_equal(passwords.hash[1], HASH "2");
    assert_string_equal(passwords.hash[2], HASH "3");
    passwords_free(&passwords);
}

static void a_bare_name_is_a_credential(void **state)
{
    (void)state;
    write_file("trade3 " HASH "3\nTRADE1 " HASH "1\n");
    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    config.control.password_file = strrchr(path, '/') + 1;
    assert_int_equal(passwords_read(&config, &passwords, error, sizeof error), 0);
    passwords_free(&passwords);
    unsetenv("CREDENTIALS_DIRECTORY");
    config.control.password_file = "/tmp/there-is-none";
    assert_int_equal(passwords_read(&config, &passwords, error, sizeof error), EX_NOINPUT);
    assert_non_null(strstr(error, "LoadCredential="));
}

static void refused(const char *text, const char *position, const char *says)
{
    char where[128];
    write_file(text);
    assert_int_equal(passwords_read(&config, &passwords, error, sizeof error), EX_CONFIG);
    snprintf(where, sizeof where, "%s%s", path, position);
    if (strncmp(error, where, strlen(where)) != 0 || !strstr(error, says) || strchr(error, '\n'))
        fail_msg("%s gave %s", text, error);
    assert_null(strstr(error, "SECRET"));
    assert_null(passwords.hash);
}

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    refused("TRADE1 " HASH "\n", ": ", "user TRADE3");
    refused("TRADE1 SECRET\n", ":1: ", "xwctl hash-password");
    refused("TRADE1\n", ":1: ", "USER HASH");
    refused("\nSECRET " HASH "\n", ":2: ", "no session has the user");
    refused("TRADE1 " HASH "\nTRADE1 " HASH "\n", ":2: ", "keep one");
    refused("TRADE2 " HASH "\n", ":1: ", "keep one");
    char text[1000] = "TRADE1 $argon2";
    memset(text + strlen(text), 'S', 800);
    refused(text, ":1: ", "keep it on one line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_session_gets_its_hash, name_file, drop_file),
        cmocka_unit_test_setup_teardown(a_bare_name_is_a_credential, name_file, drop_file),
        cmocka_unit_test_setup_teardown(a_mistake_is_told_with_its_line, name_file, drop_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
