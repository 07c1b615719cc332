// SPDX-License-Identifier: Apache-2.0
// The reader of NIC profiles: what it makes of the repository's own, and of files that are wrong.
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

#include "contract/nic_profile.h"

static char directory[] = "/tmp/xw-profile-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%.63s.yaml", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

// The file's first line is its name.
static void write_profile(const char *name, const char *text)
{
    char whole[8192];
    snprintf(whole, sizeof whole, "name: %s\n%s", name, text);
    write_file(name, whole);
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
    struct nic_profile profile;
    char error[512] = "";
    assert_int_equal(nic_profile_load_port(directory, name, &profile, error, sizeof error), code);
    if (!strstr(error, words) || strchr(error, '\n'))
        print_message("wanted '%s': %s\n", words, error);
    assert_non_null(strstr(error, words));
    assert_null(strchr(error, '\n'));
}

#define COMPLETE                                                                             \
    "kind: vdev\ndriver: net_null\ndevice_is: file\nargs: a={device}\nrx_descriptors: 128\n" \
    "tx_descriptors: 256\nbuffers: 512\nrx_offloads: [UDP_CKSUM]\n"

static void every_profile_of_the_repository_loads(void **state)
{
    (void)state;
    char names[64][NIC_NAME_MOST + 1];
    int count = nic_profile_names("nic_profiles", names, 64);
    unsigned usable = 0;
    assert_in_range(count, 8, 64);
    for (int i = 0; i < count; i++) {
        char error[512] = "";
        struct nic_profile profile;
        int result = nic_profile_load("nic_profiles", names[i], &profile, error, sizeof error);
        if (result != 0)
            print_message("%s\n", error);
        assert_int_equal(result, 0);
        usable += !profile.base;
    }
    assert_true(usable >= 7);
}

static void an_heir_overrides_and_takes_the_rest(void **state)
{
    (void)state;
    struct nic_profile profile;
    char error[512];
    write_profile("wide", COMPLETE "pci_ids: [\"15b3:101d\", \"15b3:101e\"]\nhost: [a wide one]\n");
    write_profile("middle", "inherits: wide\nrx_descriptors: 1024\nrx_offloads: []\nbase: true\n");
    write_profile("narrow", "inherits: middle\ndriver: net_ring\npci_ids: [\"8086:1592\"]\n");
    assert_int_equal(nic_profile_load_port(directory, "narrow", &profile, error, sizeof error), 0);
    assert_string_equal(profile.name, "narrow");
    assert_string_equal(profile.driver, "net_ring");
    assert_string_equal(profile.plugin, "net_ring");
    assert_string_equal(profile.args, "a={device}");
    assert_int_equal(profile.kind, NIC_VDEV);
    assert_int_equal(profile.rx_descriptors, 1024);
    assert_int_equal(profile.tx_descriptors, 256);
    assert_int_equal(profile.buffers, 512);
    assert_int_equal(profile.rx_offloads, 0);
    assert_int_equal(profile.burst, 1);
    assert_int_equal(profile.steering, NIC_STEERING_NONE);
    assert_int_equal(profile.pci_ids_count, 1);
    assert_true(nic_profile_fits(&profile, 0x8086, 0x1592));
    assert_false(nic_profile_fits(&profile, 0x15b3, 0x101d));
    assert_int_equal(profile.host_count, 1);
    assert_string_equal(profile.host[0], "a wide one");
}

static void every_value_says_which_file_it_came_from(void **state)
{
    (void)state;
    struct nic_profile profile;
    char error[512];
    write_profile("wide", COMPLETE);
    write_profile("narrow", "inherits: wide\nbuffers: 1024\n");
    assert_int_equal(nic_profile_load(directory, "narrow", &profile, error, sizeof error), 0);
    assert_int_equal(profile.files_count, 2);
    assert_string_equal(profile.files[profile.from[NIC_KEY_buffers]], "narrow");
    assert_string_equal(profile.files[profile.from[NIC_KEY_driver]], "wide");
    assert_int_equal(profile.from[NIC_KEY_link], -1);
}

static void a_base_is_read_but_no_port_may_name_it(void **state)
{
    (void)state;
    struct nic_profile profile;
    char error[512];
    write_profile("base", "base: true\nburst: 4\n");
    assert_int_equal(nic_profile_load(directory, "base", &profile, error, sizeof error), 0);
    assert_true(profile.base);
    expect_refusal("base", EX_CONFIG, "xwctl nic list");
}

static void mistakes_of_inheritance_are_told_with_the_mend(void **state)
{
    (void)state;
    expect_refusal("absent", EX_NOINPUT, "profile_directory");
    expect_refusal("../nic", EX_CONFIG, "not a plain name");
    expect_refusal("", EX_CONFIG, "not a plain name");
    expect_refusal(".hidden", EX_CONFIG, "not a plain name");
    write_profile("self", "inherits: self\n");
    expect_refusal("self", EX_CONFIG, "break the circle");
    write_profile("a", "inherits: b\n");
    write_profile("b", "inherits: c\n");
    write_profile("c", "inherits: a\n");
    expect_refusal("a", EX_CONFIG, "c.yaml inherits itself");
    write_profile("orphan", "inherits: nobody\n");
    expect_refusal("orphan", EX_NOINPUT, "orphan.yaml inherits 'nobody'");
    write_profile("escape", "inherits: ../wide\n");
    expect_refusal("escape", EX_CONFIG, "'../wide' is not a plain name");
    write_file("other", "name: another\n" COMPLETE);
    expect_refusal("other", EX_CONFIG, "other.yaml:1:7: `name` is `another`");
    write_file("nameless", COMPLETE);
    expect_refusal("nameless", EX_CONFIG, "`name` is missing");
    for (char name[] = "chain0"; name[5] < '9'; name[5]++) {
        char text[64];
        snprintf(text, sizeof text, "inherits: chain%c\n", name[5] + 1);
        write_profile(name, text);
    }
    write_profile("chain9", COMPLETE);
    expect_refusal("chain0", EX_CONFIG, "more than 8 files");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    write_profile("p", "kind: vdev\n");
    expect_refusal("p", EX_CONFIG, "driver");
    write_profile("p", "driver: net_null\n");
    expect_refusal("p", EX_CONFIG, "kind");
    write_profile("p", "kind: pci\n");
    expect_refusal("p", EX_CONFIG, "binding");
    write_profile("p", "kind: pci\nbinding: vfio-pci\n");
    expect_refusal("p", EX_CONFIG, "device_is");
    write_profile("p", "kind: pci\nbinding: vfio-pci\ndevice_is: pci\nrx_descriptors: 1\n");
    expect_refusal("p", EX_CONFIG, "tx_descriptors");
    write_profile("p", "kind: pci\nbinding: vfio-pci\ndevice_is: pci\nrx_descriptors: 1\ntx_descriptors: 1\n");
    expect_refusal("p", EX_CONFIG, "buffers");
}

// One wrong line, the second of the file, and where it is pointed at.
static const struct {
    const char *line, *at, *words;
} wrong[] = {
    {"descriptors: 5", ":2:1:", "unknown key `descriptors`"},
    {"checksums: true", ":2:1:", "unknown key"},
    {"[a]: 5", ":2:1:", "unknown key"},
    {"kind: usb", ":2:7:", "write one of vdev, pci, vmbus"},
    {"kind: ''", ":2:7:", "write one of"},
    {"kind: [vdev]", ":2:7:", "write one of"},
    {"kind: [vdev", ":", "flow sequence"},
    {"binding: uio", ":2:10:", "vfio-pci"},
    {"steering: rss", ":2:11:", "none, flow, software"},
    {"device_is: pcie", ":2:12:", "socket_made"},
    {"rx_descriptors: 65536", ":2:17:", "1 to 65535"},
    {"rx_descriptors: 99999999999999999999", ":2:17:", "1 to 65535"},
    {"tx_descriptors: 0", ":2:17:", "1 to 65535"},
    {"buffers: 0x10", ":2:10:", "whole number"},
    {"buffers: 010", ":2:10:", "whole number"},
    {"buffers: -1", ":2:10:", "whole number"},
    {"buffers: ''", ":2:10:", "whole number"},
    {"buffers: [1]", ":2:10:", "no number"},
    {"burst: 65", ":2:8:", "1 to 64"},
    {"rx_offloads: IPV4_CKSUM", ":2:14:", "is no list"},
    {"rx_offloads: [TCP_CKSUM]", ":2:15:", "IPV4_CKSUM, UDP_CKSUM"},
    {"tx_offloads: [[MBUF_FAST_FREE]]", ":2:15:", "MBUF_FAST_FREE"},
    {"pci_ids: [15b3:101D]", ":2:11:", "vendor:device"},
    {"pci_ids: [\"15b3-101d\"]", ":2:11:", "vendor:device"},
    {"pci_ids: [\"15b3:101d0\"]", ":2:11:", "vendor:device"},
    {"pci_ids: []", ":2:10:", "1 to 64"},
    {"pci_ids: {a: b}", ":2:10:", "is no list"},
    {"family: ''", ":2:9:", "1 to 63"},
    {"family: [a]", ":2:9:", "write one value"},
    {"family: \"a\\tb\"", ":2:9:", "control character"},
    {"args: {a: b}", ":2:7:", "block of keys"},
    {"host: [[a]]", ":2:8:", "is a list"},
    {"host: []", ":2:7:", "1 to 12"},
    {"faults: [text]", ":2:10:", "two keys"},
    {"faults: [{what: a}]", ":2:10:", "`source:`"},
    {"faults: [{what: a, source: b, more: c}]", ":2:10:", "two keys"},
    {"faults: [{what: a, source: [b]}]", ":2:28:", "write one value"},
    {"base: yes", ":2:7:", "true nor false"},
    {"inherits: [wide]", ":2:11:", "write one value"},
    {"name: twice", ":2:1:", "given twice"},
    {"link: a\nlink: b", ":3:1:", "given twice"},
    {"---\nkind: pci", ":", "second document"},
    {"\tkind: pci", ":", "make it a YAML document"},
};

static void every_wrong_line_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256], place[64];
        snprintf(text, sizeof text, "%s\n", wrong[i].line);
        write_profile("p", text);
        snprintf(place, sizeof place, "/p.yaml%s", wrong[i].at);
        expect_refusal("p", EX_CONFIG, place);
        expect_refusal("p", EX_CONFIG, wrong[i].words);
        // An heir whose own value hides the wrong one does not hide the mistake.
        write_profile("heir", "inherits: p\n" COMPLETE);
        expect_refusal("heir", EX_CONFIG, wrong[i].words);
    }
}

static void whole_files_that_are_no_profile_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"",        "\n", "---\n", "text", "- name: p\n", "name: p\n---\nname: p\n",
                                        "\xff\xfe"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_file("p", files[i]);
        struct nic_profile profile;
        char error[512] = "";
        assert_int_equal(nic_profile_load_port(directory, "p", &profile, error, sizeof error), EX_CONFIG);
        assert_null(strchr(error, '\n'));
        assert_true(strlen(error) > 20);
    }
}

// Every cut of the repository's largest profiles, and every one with a byte turned over: refused with one line or read.
static void cut_and_spoilt_profiles_do_no_harm(void **state)
{
    (void)state;
    static char text[65536], spoilt[65536];
    char names[64][NIC_NAME_MOST + 1];
    int count = nic_profile_names("nic_profiles", names, 64);
    for (int i = 0; i < count; i++) {
        char path[128];
        snprintf(path, sizeof path, "nic_profiles/%.63s.yaml", names[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        for (size_t at = 0; at < size; at += 97) {
            struct nic_profile profile;
            char error[512] = "";
            for (int way = 0; way < 2; way++) {
                memcpy(spoilt, text, size);
                spoilt[way ? size : at] = '\0';
                if (way)
                    spoilt[at] ^= (char)(1 << at % 7);
                write_file(names[i], spoilt);
                if (nic_profile_load(directory, names[i], &profile, error, sizeof error) != 0) {
                    assert_true(strlen(error) > 20);
                    assert_null(strchr(error, '\n'));
                }
            }
        }
    }
}

static void arguments_are_filled_in_and_left_out(void **state)
{
    (void)state;
    struct nic_profile profile = {.args = "path={device},queues={queues},mac={mac},fixed=1"};
    char args[128];
    assert_true(nic_profile_arguments(&profile, "/run/a.sock", 3, "02:00:00:00:00:01", args, sizeof args));
    assert_string_equal(args, "path=/run/a.sock,queues=3,mac=02:00:00:00:00:01,fixed=1");
    assert_true(nic_profile_arguments(&profile, "/run/a.sock", 3, NULL, args, sizeof args));
    assert_string_equal(args, "path=/run/a.sock,queues=3,fixed=1");
    snprintf(profile.args, sizeof profile.args, "mac={mac},tx={device}.out");
    assert_true(nic_profile_arguments(&profile, "x", 1, NULL, args, sizeof args));
    assert_string_equal(args, "tx=x.out");
    snprintf(profile.args, sizeof profile.args, "mac={mac}");
    assert_true(nic_profile_arguments(&profile, "x", 1, NULL, args, sizeof args));
    assert_string_equal(args, "");
}

static void arguments_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct nic_profile profile = {.args = "path={device},queues={queues}"};
    char args[64];
    size_t whole = strlen("path=abc,queues=1") + 1;
    for (size_t size = 1; size < whole; size++)
        assert_false(nic_profile_arguments(&profile, "abc", 1, NULL, args, size));
    assert_true(nic_profile_arguments(&profile, "abc", 1, NULL, args, whole));
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
        cmocka_unit_test_teardown(every_value_says_which_file_it_came_from, clean),
        cmocka_unit_test_teardown(a_base_is_read_but_no_port_may_name_it, clean),
        cmocka_unit_test_teardown(mistakes_of_inheritance_are_told_with_the_mend, clean),
        cmocka_unit_test_teardown(what_is_missing_is_named, clean),
        cmocka_unit_test_teardown(every_wrong_line_is_refused_with_its_place, clean),
        cmocka_unit_test_teardown(whole_files_that_are_no_profile_are_refused, clean),
        cmocka_unit_test_teardown(cut_and_spoilt_profiles_do_no_harm, clean),
        cmocka_unit_test(arguments_are_filled_in_and_left_out),
        cmocka_unit_test(arguments_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
