// SPDX-License-Identifier: Apache-2.0
// NIC profiles. Linked with the io folder, but EAL is never started here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/profile.h"

static char directory[] = "/tmp/xw-profile-XXXXXX";

static void write_profile(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.yaml", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "name: %s\n%s", name, text);
    fclose(file);
}

static int clean(void **state)
{
    (void)state;
    DIR *open = opendir(directory);
    if (!open)
        return 0;
    for (struct dirent *entry; (entry = readdir(open));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    closedir(open);
    return 0;
}

static void expect_refusal(const char *name, int code, const char *words)
{
    struct profile profile;
    char error[512] = "";
    assert_int_equal(profile_load(directory, name, &profile, error, sizeof error), code);
    if (!strstr(error, words))
        print_message("%s\n", error);
    assert_non_null(strstr(error, words));
    assert_null(strchr(error, '\n'));
}

#define COMPLETE                                                                             \
    "kind: vdev\ndriver: net_null\ndevice_is: file\nargs: a={device}\nrx_descriptors: 128\n" \
    "tx_descriptors: 256\nbuffers: 512\nchecksums: true\n"

static void every_profile_of_the_repository_loads(void **state)
{
    (void)state;
    DIR *open = opendir("nic_profiles");
    assert_non_null(open);
    unsigned loaded = 0;
    for (struct dirent *entry; (entry = readdir(open));) {
        char name[256], error[512] = "";
        struct profile profile;
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0 ||
            strcmp(entry->d_name, "virtual.yaml") == 0)
            continue; // virtual: only inherited
        snprintf(name, sizeof name, "%.*s", (int)length - 5, entry->d_name);
        int result = profile_load("nic_profiles", name, &profile, error, sizeof error);
        if (result != 0)
            print_message("%s\n", error);
        assert_int_equal(result, 0);
        loaded++;
    }
    closedir(open);
    assert_true(loaded >= 7);
}

static void an_heir_overrides_and_takes_the_rest(void **state)
{
    (void)state;
    struct profile profile;
    char error[512];
    write_profile("wide", COMPLETE);
    write_profile("middle", "inherits: wide\nrx_descriptors: 1024\nchecksums: false\n");
    write_profile("narrow", "inherits: middle\ndriver: net_ring\n");
    assert_int_equal(profile_load(directory, "narrow", &profile, error, sizeof error), 0);
    assert_string_equal(profile.name, "narrow");
    assert_string_equal(profile.driver, "net_ring");
    assert_string_equal(profile.args, "a={device}");
    assert_int_equal(profile.kind, PROFILE_VDEV);
    assert_int_equal(profile.rx_descriptors, 1024);
    assert_int_equal(profile.tx_descriptors, 256);
    assert_int_equal(profile.buffers, 512);
    assert_false(profile.checksums);
}

static void mistakes_are_told_with_the_mend(void **state)
{
    (void)state;
    expect_refusal("absent", EX_NOINPUT, "profile_directory");
    expect_refusal("../nic", EX_CONFIG, "not a plain name");
    write_profile("partial", "kind: vdev\n");
    expect_refusal("partial", EX_CONFIG, "driver");
    write_profile("huge", "inherits: whole\nrx_descriptors: 65537\n");
    write_profile("whole", COMPLETE);
    expect_refusal("huge", EX_CONFIG, "1 to 65536");
    write_profile("zero", "inherits: whole\nbuffers: 0\n");
    expect_refusal("zero", EX_CONFIG, "buffers");
    write_profile("circle", "inherits: circle\n");
    expect_refusal("circle", EX_CONFIG, "break the circle");
    write_profile("unknown", "inherits: whole\ndescriptors: 5\n");
    expect_refusal("unknown", EX_CONFIG, "descriptors");
    write_profile("kind", "kind: usb\n");
    expect_refusal("kind", EX_CONFIG, "kind");
    write_profile("broken", "kind: [vdev\n");
    expect_refusal("broken", EX_CONFIG, "line");
    write_profile("orphan", "inherits: nobody\n");
    expect_refusal("orphan", EX_NOINPUT, "nobody");
}

static void arguments_are_filled_in_and_left_out(void **state)
{
    (void)state;
    struct profile profile = {.args = "path={device},queues={queues},mac={mac},fixed=1"};
    char args[128];
    assert_true(profile_arguments(&profile, "/run/a.sock", 3, "02:00:00:00:00:01", args, sizeof args));
    assert_string_equal(args, "path=/run/a.sock,queues=3,mac=02:00:00:00:00:01,fixed=1");
    assert_true(profile_arguments(&profile, "/run/a.sock", 3, NULL, args, sizeof args));
    assert_string_equal(args, "path=/run/a.sock,queues=3,fixed=1");
    snprintf(profile.args, sizeof profile.args, "mac={mac},tx={device}.out");
    assert_true(profile_arguments(&profile, "x", 1, NULL, args, sizeof args));
    assert_string_equal(args, "tx=x.out");
    snprintf(profile.args, sizeof profile.args, "mac={mac}");
    assert_true(profile_arguments(&profile, "x", 1, NULL, args, sizeof args));
    assert_string_equal(args, "");
}

static void arguments_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct profile profile = {.args = "path={device},queues={queues}"};
    char args[64];
    size_t whole = strlen("path=abc,queues=1") + 1;
    for (size_t size = 1; size < whole; size++)
        assert_false(profile_arguments(&profile, "abc", 1, NULL, args, size));
    assert_true(profile_arguments(&profile, "abc", 1, NULL, args, whole));
    assert_string_equal(args, "path=abc,queues=1");
}

static int make(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int unmake(void **state)
{
    clean(state);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_of_the_repository_loads),
        cmocka_unit_test_teardown(an_heir_overrides_and_takes_the_rest, clean),
        cmocka_unit_test_teardown(mistakes_are_told_with_the_mend, clean),
        cmocka_unit_test(arguments_are_filled_in_and_left_out),
        cmocka_unit_test(arguments_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
