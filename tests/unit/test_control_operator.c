// SPDX-License-Identifier: Apache-2.0
// The operator's socket against callers of every kind: one clear answer a line, and nobody can keep control from its
// work. What becomes of trades is tested with the real processes (tests/scenario/order_types.sh).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "control/operator/operator.h"
#include "tests/support/control_stage.h"

static struct stage stage;
static struct desk_context context;
static struct operator_desk *desk;
static uint64_t now_ns = 1000000000;

static int set_up(void **state)
{
    char error[512];
    (void)state;
    stage_open(&stage, 1, "durable", 256);
    context.config = stage.config;
    desk = operator_new(&context, error, sizeof error); // no request here gets as far as the journal
    return desk == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    operator_free(desk);
    stage_close(&stage);
    return 0;
}

static void poll_desk(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        operator_poll(desk, NULL, now_ns);
        now_ns += 6000000;
    }
}

static int dial_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int directory = open(stage.config->run_directory, O_PATH | O_DIRECTORY);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/stage.%s.sock", directory, name);
    int connected = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(directory);
    if (connected == 0)
        return fd;
    close(fd);
    return -1;
}

static int dial(void)
{
    return dial_at("control");
}

// What comes back: the exit code of an answer, 0 for ok, -1 for none, -2 when the line was cut.
static int answer(int fd, char *text, size_t size)
{
    ssize_t got = recv(fd, text, size - 1, 0);
    if (got < 0)
        return -1;
    text[got] = '\0';
    json_t *root = got ? json_loads(text, 0, NULL) : NULL;
    if (!root)
        return -2;
    int code = json_is_true(json_object_get(root, "ok")) ? 0 : (int)json_integer_value(json_object_get(root, "exit"));
    assert_true(code == 0 || json_is_string(json_object_get(root, "error")));
    json_decref(root);
    return code;
}

static int asked(int fd, const char *line)
{
    char text[2048];
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
    poll_desk(4);
    return answer(fd, text, sizeof text);
}

static void requests_that_make_no_sense_get_one_line_and_the_usage_code(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\n",
        "show me\n",
        "[1,2]\n",
        "{}\n",
        "{\"ask\":7}\n",
        "{\"ask\":\"trade_show\"}\n",
        "{\"ask\":\"trade_show\",\"match\":\"1\"}\n",
        "{\"ask\":\"trade_show\",\"match\":-1}\n",
        "{\"ask\":\"trade_show\",\"match\":99999999999999999999999}\n",
        "{\"ask\":\"trade_break\",\"match\":1099511627777,\"reason\":\"E\"}\n",
        "{\"ask\":\"trade_break\",\"match\":1099511627777,\"reason\":\"E\",\"by\":\"seventeen letters\"}\n",
        "{\"ask\":\"trade_break\",\"match\":1099511627777,\"reason\":\"Q\",\"by\":\"ME\"}\n",
        "{\"ask\":\"trade_break\",\"match\":1099511627777,\"by\":\"ME\"}\n",
        "{\"ask\":\"trade_adjust\",\"match\":1099511627777,\"price\":0,\"quantity\":1,\"by\":\"ME\"}\n",
        "{\"ask\":\"trade_adjust\",\"match\":1099511627777,\"price\":1.5,\"quantity\":1,\"by\":\"ME\"}\n",
        "{\"ask\":\"trade_adjust\",\"match\":1099511627777,\"price\":1999999901,\"quantity\":1,\"by\":\"ME\"}\n",
        "{\"ask\":\"trade_adjust\",\"match\":1099511627777,\"price\":1,\"quantity\":1000000,\"by\":\"ME\"}\n",
        "{\"ask\":\"phase\",\"phase\":\"Z\",\"by\":\"ME\"}\n",
        "{\"ask\":\"phase\",\"phase\":\"RA\",\"by\":\"ME\"}\n",
        "{\"ask\":\"phase\",\"phase\":\"R\",\"phase\":\"A\",\"by\":\"ME\"}\n",
    };
    int fd = dial();
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(asked(fd, lines[i]), EX_USAGE);
    close(fd);
    poll_desk(1);
}

static void what_can_not_be_is_told_apart(void **state)
{
    (void)state;
    int fd = dial();
    assert_int_equal(asked(fd, "{\"ask\":\"trade_show\",\"match\":5}\n"), EX_DATAERR);             // of no core
    assert_int_equal(asked(fd, "{\"ask\":\"trade_show\",\"match\":2199023255553}\n"), EX_DATAERR); // of core 1
    assert_int_equal(asked(fd, "{\"ask\":\"phase\",\"phase\":\"A\",\"by\":\"ME\"}\n"), EX_UNAVAILABLE);
    close(fd);
    poll_desk(1);
}

// Wrong names are answered with the right ones, on either socket.
static void a_name_that_there_is_not_is_answered_with_those_that_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *desk, *line, *words;
    } asks[] = {
        {"kill",
         "{\"ask\":\"kill\",\"scope\":\"account\",\"name\":\"NORHT\",\"actions\":3,\"by\":\"ME\",\"why\":\"w\"}\n",
         "no account `NORHT`: it has "},
        {"kill", "{\"ask\":\"reset\",\"scope\":\"session\",\"name\":\"\\u001b[2J\",\"by\":\"ME\",\"why\":\"w\"}\n",
         "no session `?[2J`: it has "},
        {"kill",
         "{\"ask\":\"kill\",\"scope\":\"symbol\",\"name\":\"NONE\",\"actions\":3,\"by\":\"ME\",\"why\":\"w\"}\n",
         "no symbol `NONE`: it has SYM0, SYM1"},
        {"control", "{\"ask\":\"halt\",\"symbol\":\"NONE\",\"state\":\"H\",\"reason\":\"T1\",\"by\":\"ME\"}\n",
         "no symbol `NONE`: it has SYM0, SYM1"},
        {"control", "{\"ask\":\"bands\",\"symbol\":\"\",\"parts\":0,\"by\":\"ME\"}\n",
         "no symbol ``: it has SYM0, SYM1"},
        {"kill", "{\"ask\":\"kill\",\"scope\":\"venue\",\"side\":\"X\",\"actions\":3,\"by\":\"ME\",\"why\":\"w\"}\n",
         "none of B (buys), S (sales)"},
        {"kill",
         "{\"ask\":\"kill\",\"scope\":\"venue\",\"actions\":3,\"by\":\"ME\",\"why\":\"longer than any of forty "
         "characters would be\"}\n",
         "longer than the 40 characters"},
    };
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        char text[2048];
        int fd = dial_at(asks[i].desk);
        assert_true(fd >= 0);
        assert_int_equal(send(fd, asks[i].line, strlen(asks[i].line), MSG_NOSIGNAL), strlen(asks[i].line));
        poll_desk(4);
        ssize_t got = recv(fd, text, sizeof text - 1, 0);
        assert_true(got > 0);
        text[got] = '\0';
        if (!strstr(text, asks[i].words) || !strstr(text, "\"exit\":64"))
            fail_msg("%s: %s", asks[i].line, text);
        close(fd);
        poll_desk(1);
    }
}

static void a_line_may_come_in_pieces_and_several_at_once(void **state)
{
    (void)state;
    char text[2048];
    int fd = dial();
    assert_int_equal(asked(fd, "{\"ask\":"), -1);
    assert_int_equal(asked(fd, "\"nothing\"}"), -1);
    assert_int_equal(asked(fd, "\n"), EX_USAGE);
    send(fd, "{}\n{}\n", 6, MSG_NOSIGNAL);
    poll_desk(8);
    ssize_t got = recv(fd, text, sizeof text - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    char *second = strchr(text, '\n');
    assert_true(second != NULL && second[1] == '{' && strchr(second + 1, '\n') != NULL);
    close(fd);
    poll_desk(1);
}

static void an_endless_line_and_a_silent_caller_are_hung_up_on(void **state)
{
    (void)state;
    char flood[4096], text[64];
    memset(flood, 'x', sizeof flood);
    int fd = dial(), silent = dial();
    send(fd, flood, sizeof flood, MSG_NOSIGNAL);
    poll_desk(4);
    ssize_t got = recv(fd, text, sizeof text, 0);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    assert_int_equal(recv(silent, text, sizeof text, 0), -1);
    now_ns += UINT64_C(11000000000);
    poll_desk(2);
    assert_int_equal(recv(silent, text, sizeof text, 0), 0);
    close(fd);
    close(silent);
}

static void as_many_callers_as_like_leave_room_for_the_next(void **state)
{
    (void)state;
    int fds[8 + 4];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 12; i++) {
            fds[i] = dial();
            poll_desk(1);
        }
        assert_int_equal(asked(fds[0], "{}\n"), EX_USAGE);
        for (unsigned i = 0; i < 12; i++) {
            if (fds[i] < 0)
                continue;
            if (i % 2) // with its request on the way
                send(fds[i], "{}\n", 3, MSG_NOSIGNAL);
            close(fds[i]);
        }
        poll_desk(12);
    }
    int fd = dial();
    assert_int_equal(asked(fd, "{}\n"), EX_USAGE);
    close(fd);
    poll_desk(1);
}

static void the_socket_is_its_owners_alone_and_goes_with_the_process(void **state)
{
    (void)state;
    struct stat status;
    char path[512], error[512];
    snprintf(path, sizeof path, "%s/stage.control.sock", stage.config->run_directory);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    operator_free(desk);
    assert_int_equal(stat(path, &status), -1);
    // One that a killed control left behind is replaced.
    FILE *left = fopen(path, "w");
    assert_non_null(left);
    fclose(left);
    desk = operator_new(&context, error, sizeof error);
    assert_non_null(desk);
    int fd = dial();
    assert_int_equal(asked(fd, "{}\n"), EX_USAGE);
    close(fd);
}

// The kill switch may be given to a group: ours here, which needs no right to be given to.
static void the_kill_switch_is_a_groups_where_one_is_named(void **state)
{
    (void)state;
    struct config *config = stage.config;
    const char *before = config->control.kill_group;
    const struct group *group = getgrgid(getegid());
    char error[512] = "", path[256], text[2048];
    struct stat socket_is;
    if (!group)
        skip();
    char name[64];
    snprintf(name, sizeof name, "%s", group->gr_name);
    operator_free(desk);
    config->control.kill_group = name;
    desk = operator_new(&context, error, sizeof error);
    assert_non_null(desk);
    snprintf(path, sizeof path, "%s/stage.kill.sock", config->run_directory);
    assert_int_equal(stat(path, &socket_is), 0);
    assert_int_equal(socket_is.st_mode & 0777, 0660);
    assert_int_equal(socket_is.st_gid, getegid());
    snprintf(path, sizeof path, "%s/stage.control.sock", config->run_directory);
    assert_int_equal(stat(path, &socket_is), 0);
    assert_int_equal(socket_is.st_mode & 0777, 0600); // the rest is not
    int fd = dial_at("kill");
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "{\"ask\":\"kills\"}\n", 16, MSG_NOSIGNAL), 16);
    poll_desk(4);
    assert_int_equal(answer(fd, text, sizeof text), 0);
    assert_int_equal(send(fd, "{\"ask\":\"phase\"}\n", 16, MSG_NOSIGNAL), 16);
    poll_desk(4);
    assert_int_equal(answer(fd, text, sizeof text), EX_USAGE); // nothing but the kill switch there
    close(fd);
    operator_free(desk);
    config->control.kill_group = "no-such-group-here";
    assert_null(operator_new(&context, error, sizeof error));
    assert_non_null(strstr(error, "no-such-group-here"));
    assert_non_null(strstr(error, "groupadd"));
    config->control.kill_group = before;
    desk = operator_new(&context, error, sizeof error);
    assert_non_null(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_that_make_no_sense_get_one_line_and_the_usage_code),
        cmocka_unit_test(what_can_not_be_is_told_apart),
        cmocka_unit_test(a_name_that_there_is_not_is_answered_with_those_that_there_are),
        cmocka_unit_test(a_line_may_come_in_pieces_and_several_at_once),
        cmocka_unit_test(an_endless_line_and_a_silent_caller_are_hung_up_on),
        cmocka_unit_test(as_many_callers_as_like_leave_room_for_the_next),
        cmocka_unit_test(the_kill_switch_is_a_groups_where_one_is_named),
        cmocka_unit_test(the_socket_is_its_owners_alone_and_goes_with_the_process),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
