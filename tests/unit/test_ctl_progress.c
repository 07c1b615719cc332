// SPDX-License-Identifier: Apache-2.0
// The bar of xwctl's walks over a journal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/ctl/progress.h"

// What is drawn on standard error for these counts.
static void draw(struct ctl_progress *progress, const struct journal_report *report, char *out, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    ctl_progress_show(progress, report);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void the_bar_shows_how_much_of_the_journal_has_been_read(void **state)
{
    (void)state;
    char text[256];
    struct ctl_progress progress = {.shown = true, .blocks = 200000};
    struct journal_report report = {.records = 3000000, .blocks = 100000};
    draw(&progress, &report, text, sizeof text);
    assert_non_null(strstr(text, "[############............]  50 %  3.0 M records"));
    draw(&progress, &report, text, sizeof text);
    assert_string_equal(text, ""); // not at every record
    report.records += 1000000;
    report.blocks = 250000; // it has grown since
    draw(&progress, &report, text, sizeof text);
    assert_non_null(strstr(text, "[########################] 100 %"));
}

static void where_nobody_looks_no_bar_is_drawn(void **state)
{
    (void)state;
    char text[256];
    struct ctl_progress progress = {.shown = false, .blocks = 10};
    struct journal_report report = {.records = 3000000, .blocks = 5};
    draw(&progress, &report, text, sizeof text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_shows_how_much_of_the_journal_has_been_read),
        cmocka_unit_test(where_nobody_looks_no_bar_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
