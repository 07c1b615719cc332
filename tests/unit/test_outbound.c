// SPDX-License-Identifier: Apache-2.0
// What sessions were told, made again from the journal: a file without room costs an answer, not the rest of the day.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/recovery/outbound.h"
#include "control/recovery/spill.h"
#include "tests/support/written_day.h"

enum { ORDERS = 3000, ROOM = 1400 };

#define PAUSE_NS UINT64_C(250000000) // after a failure; the next time twice as long

static struct written_day day;
static struct outbound *outbound;
static uint64_t now_ns;
static char log_path[160];
static int stderr_fd;

enum { PARTS = 3 };
static struct part { // of the journal, all of which is written before a file's size is limited
    struct journal_place until;
    uint32_t told; // to session 0 up to there
} parts[PARTS];

static int set_up(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN); // a write beyond the limit fails, EFBIG
    written_day_begin(&day, 0);
    written_day_open(&day);
    for (unsigned i = 0; i < PARTS; i++) {
        written_day_trade(&day, ORDERS, UINT32_MAX);
        parts[i] = (struct part){journal_writer_position(day.writer), (uint32_t)shadow_messages(day.venue, 0)};
    }
    outbound = outbound_new(day.stage.config, &day.identity);
    assert_non_null(outbound);
    snprintf(log_path, sizeof log_path, "%s/log", day.stage.directory);
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    stderr_fd = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    outbound_free(outbound);
    written_day_free(&day);
    return 0;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// As a gateway's request is answered: asked again as long as the answer is "later".
static unsigned fetch(struct outbound *from, unsigned part, uint32_t first, uint8_t *out)
{
    enum outbound_result result;
    unsigned messages;
    do
        result = outbound_fetch(from, 0, first, 8, &parts[part].until, now_ns, out, ROOM, &messages);
    while (result == OUTBOUND_LATER);
    return messages;
}

static unsigned complaints(void)
{
    char line[512];
    unsigned count = 0;
    FILE *log = fopen(log_path, "re");
    assert_non_null(log);
    while (fgets(line, sizeof line, log))
        count += strstr(line, "XW2011") != NULL;
    fclose(log);
    return count;
}

// All messages of session 0 are those that nothing ever disturbed.
static void check_all(void)
{
    struct outbound *fresh = outbound_new(day.stage.config, &day.identity);
    uint8_t got[ROOM], want[ROOM];
    uint32_t next = 1;
    assert_int_equal(fetch(fresh, PARTS - 1, parts[PARTS - 1].told, want), 1);
    assert_int_equal(fetch(outbound, PARTS - 1, parts[PARTS - 1].told, got), 1);
    for (unsigned count; (count = fetch(fresh, PARTS - 1, next, want)) > 0; next += count) {
        memset(got, 0, sizeof got);
        assert_int_equal(fetch(outbound, PARTS - 1, next, got), count);
        size_t size = 0;
        for (unsigned i = 0; i < count; i++)
            size += 2u + (size_t)(want[size] << 8 | want[size + 1]);
        assert_memory_equal(got, want, size);
    }
    assert_int_equal(next - 1, shadow_messages(day.venue, 0));
    outbound_free(fresh);
}

static void a_file_without_room_is_made_again_once_there_is_some(void **state)
{
    (void)state;
    uint8_t out[ROOM];
    limit_files(2 * SPILL_BUFFER);
    assert_int_equal(fetch(outbound, 0, ORDERS, out), 0);
    for (unsigned again = 0; again < 4; again++) { // each time without success
        now_ns += PAUSE_NS << again;
        assert_int_equal(fetch(outbound, 0, ORDERS, out), 0);
    }
    limit_files(RLIM_INFINITY);
    now_ns += (PAUSE_NS << 4) - 1;
    assert_int_equal(fetch(outbound, 0, ORDERS, out), 0); // not begun again yet
    now_ns++;
    assert_int_not_equal(fetch(outbound, 0, ORDERS, out), 0);
    assert_int_equal(complaints(), 1);
    check_all();
}

static void trouble_that_comes_again_is_said_again(void **state)
{
    (void)state;
    uint8_t out[ROOM];
    assert_int_equal(fetch(outbound, 0, parts[0].told, out), 1);
    for (unsigned part = 1; part < PARTS; part++) {
        limit_files(SPILL_BUFFER);
        assert_int_equal(fetch(outbound, part, parts[part].told, out), 0);
        now_ns += PAUSE_NS - 1;
        assert_int_equal(fetch(outbound, part, 1, out), 0); // its file is gone, and is not begun again at once
        limit_files(RLIM_INFINITY);
        now_ns++;
        assert_int_equal(fetch(outbound, part, parts[part].told, out), 1);
        assert_int_equal(complaints(), part);
        while (outbound_follow(outbound, 0, &parts[part].until, now_ns) != OUTBOUND_OK) // to its end: all is well again
            ;
    }
    check_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_without_room_is_made_again_once_there_is_some, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_that_comes_again_is_said_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
