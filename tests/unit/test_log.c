// SPDX-License-Identifier: Apache-2.0
// Log lines are JSON whatever is put into them; a failing process says one line and leaves with its code.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "contract/log.h"

static char output[65536];

// Runs `write` in a process of its own, keeps what it says on standard error in `output` and returns its wait status.
static int capture(void (*write_lines)(void))
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        write_lines();
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(ends[0], output + used, sizeof output - 1 - used)) > 0)
        used += (size_t)got;
    output[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static json_t *only_line(void)
{
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    json_error_t problem;
    json_t *line = json_loads(output, JSON_REJECT_DUPLICATES, &problem);
    if (!line)
        fail_msg("not JSON: %s in %s", problem.text, output);
    return line;
}

static const char *text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    assert_non_null(text);
    return text;
}

static void log_plain(void)
{
    log_open("crosswire-control", "venue");
    log_event(LOG_XW2009, "\"generation\":%d,\"path\":%s", 7, log_quote("/run/x"));
}

static void a_line_names_time_level_code_event_process_and_fields(void **state)
{
    (void)state;
    assert_int_equal(capture(log_plain), 0);
    json_t *line = only_line();
    assert_string_equal(text_of(line, "level"), "warning");
    assert_string_equal(text_of(line, "code"), "XW2009");
    assert_string_equal(text_of(line, "event"), "control.dataplane_lost");
    assert_string_equal(text_of(line, "process"), "crosswire-control");
    assert_string_equal(text_of(line, "instance"), "venue");
    assert_string_equal(text_of(line, "path"), "/run/x");
    assert_int_equal(json_integer_value(json_object_get(line, "generation")), 7);
    assert_int_equal(strlen(text_of(line, "time")), strlen("2024-03-29T13:30:00.123456789Z"));
    json_decref(line);
}

static void log_without_fields(void)
{
    log_open("p", "i");
    log_event(LOG_XW1004, NULL);
}

static void a_line_without_fields_is_json_too(void **state)
{
    (void)state;
    assert_int_equal(capture(log_without_fields), 0);
    json_decref(only_line());
}

static void log_nasty(void)
{
    log_open("p\"q", "a\\b");
    log_event(LOG_XW4002, "\"user\":%s,\"bytes\":%s,\"good\":%s", log_quote("a\"b\\c\n\t\x01\x7f"),
              log_quote("\xff\xc0\xaf\xed\xa0\x80\xe2\x82"), log_quote("\xe2\x82\xac\xf0\x9f\x98\x80"));
}

static void text_from_outside_can_not_break_a_line(void **state)
{
    (void)state;
    assert_int_equal(capture(log_nasty), 0);
    json_t *line = only_line();
    assert_string_equal(text_of(line, "process"), "p\"q");
    assert_string_equal(text_of(line, "user"), "a\"b\\c\n\t\x01\x7f");
    assert_string_equal(text_of(line, "good"), "\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_int_equal(strlen(text_of(line, "bytes")), 8 * 3); // each bad byte became U+FFFD
    json_decref(line);
}

static void log_too_much(void)
{
    static char big[20000];
    memset(big, 'x', sizeof big - 1);
    log_open("p", "i");
    log_event(LOG_XW1006, "\"big\":\"%s\"", big);
}

static void fields_that_do_not_fit_are_left_out_whole(void **state)
{
    (void)state;
    assert_int_equal(capture(log_too_much), 0);
    json_t *line = only_line();
    assert_true(json_is_true(json_object_get(line, "fields_too_long")));
    assert_null(json_object_get(line, "big"));
    json_decref(line);
}

static void log_all(void)
{
    log_open("p", "i");
    for (int code = 0; code < LOG_CODE_COUNT; code++)
        log_event((enum log_code)code, "\"n\":%d", code);
}

static void every_code_writes_a_line_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(capture(log_all), 0);
    int lines = 0;
    for (char *at = strtok(output, "\n"); at; at = strtok(NULL, "\n"), lines++) {
        json_t *line = json_loads(at, 0, NULL);
        assert_non_null(line);
        assert_int_equal(json_integer_value(json_object_get(line, "n")), lines);
        json_decref(line);
    }
    assert_int_equal(lines, LOG_CODE_COUNT);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    char text[6001];
    for (int i = 0; i < 6000; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[6000] = '\0';
    const char *quoted = log_quote(text);
    json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    assert_int_equal(json_string_length(value) % 3, 0);
    json_decref(value);
}

static void four_quotes_stand_side_by_side(void **state)
{
    (void)state;
    const char *a = log_quote("a"), *b = log_quote("b"), *c = log_quote("c"), *d = log_quote(NULL);
    assert_string_equal(a, "\"a\"");
    assert_string_equal(b, "\"b\"");
    assert_string_equal(c, "\"c\"");
    assert_string_equal(d, "null");
}

static void log_to_nowhere(void)
{
    close(STDERR_FILENO);
    errno = ENOSPC;
    log_event(LOG_XW1001, NULL);
    _exit(errno == ENOSPC ? 0 : 1);
}

static void a_log_call_keeps_errno_even_when_it_can_not_write(void **state)
{
    (void)state;
    assert_int_equal(capture(log_to_nowhere), 0);
    assert_string_equal(output, "");
}

static void die(void)
{
    log_open("crosswire-dataplane", "venue");
    fail_with(EX_CONFIG, "port %s is\nbusy: stop the other one", "wire");
}

static void a_failing_process_says_one_line_and_leaves_with_its_code(void **state)
{
    (void)state;
    int status = capture(die);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EX_CONFIG);
    assert_string_equal(output, "crosswire-dataplane: port wire is busy: stop the other one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_time_level_code_event_process_and_fields),
        cmocka_unit_test(a_line_without_fields_is_json_too),
        cmocka_unit_test(text_from_outside_can_not_break_a_line),
        cmocka_unit_test(fields_that_do_not_fit_are_left_out_whole),
        cmocka_unit_test(every_code_writes_a_line_of_its_own),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(four_quotes_stand_side_by_side),
        cmocka_unit_test(a_log_call_keeps_errno_even_when_it_can_not_write),
        cmocka_unit_test(a_failing_process_says_one_line_and_leaves_with_its_code),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
