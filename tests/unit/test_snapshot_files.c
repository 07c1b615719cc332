// SPDX-License-Identifier: Apache-2.0
// Snapshot files: what is written is read again; every flipped bit, every cut, every file of somebody else is noticed.
// And the shadow that writes them: it counts what sessions and feed are told as gateways and publishers number it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/itch_out.h"
#include "contract/ouch_out.h"
#include "contract/told.h"
#include "control/journal/crc32c.h"
#include "control/recovery/snapshot_file.h"
#include "tests/support/engine_rig.h"
#include "tests/support/random_flow.h"

enum { DATE = 20261102, RECORDS = 100, COMMANDS = 2500 };

static char directory[64];
static struct journal_identity identity;

static int set_up(void **state)
{
    char day[96];
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/xw-snapshot.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(day, sizeof day, "%s/%u", directory, DATE);
    assert_int_equal(mkdir(day, 0700), 0);
    identity = (struct journal_identity){.directory = directory, .instance = "test", .date = DATE, .config_hash = 7};
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static struct command record_of(uint64_t number)
{
    struct command record = {.type = CMD_RESTORE_STREAM, .session = (uint16_t)number, .restore_stream.next = number};
    return record;
}

static struct snapshot_writer *begin(uint64_t covered)
{
    struct snapshot_facts facts = {.core = 3, .covered = covered, .event_hash = 5, .opening = 9, .phase = 'R'};
    struct snapshot_writer *writer = snapshot_create(&identity, &facts);
    assert_non_null(writer);
    return writer;
}

static void write_one(uint64_t covered, uint64_t records, unsigned keep)
{
    struct snapshot_writer *writer = begin(covered);
    for (uint64_t i = 0; i < records; i++) {
        struct command record = record_of(i);
        assert_true(snapshot_put(writer, &record));
    }
    assert_true(snapshot_seal(writer));
    assert_true(snapshot_publish(writer, keep));
}

static void path_of(char path[128], uint64_t covered)
{
    char name[SNAPSHOT_NAME_BYTES];
    snapshot_name(name, 3, covered);
    snprintf(path, 128, "%s/%u/%s", directory, DATE, name);
}

// Reads it whole. NULL, or why not.
static const char *read_one(uint64_t covered, uint64_t records)
{
    static char text[256];
    const struct command *record;
    enum snapshot_result result;
    struct snapshot_reader *reader = snapshot_open(&identity, 3, covered, text, sizeof text);
    if (!reader)
        return text;
    uint64_t count = 0;
    while ((result = snapshot_read(reader, &record)) == SNAPSHOT_OK) {
        struct command want = record_of(count++);
        assert_memory_equal(record, &want, sizeof want);
    }
    snprintf(text, sizeof text, "%s", snapshot_text(reader));
    assert_int_equal(snapshot_facts(reader)->phase, 'R');
    snapshot_close(reader);
    if (result == SNAPSHOT_BAD)
        return text;
    assert_int_equal(count, records);
    return NULL;
}

// Whether it is, whatever its records say.
static bool refused(uint64_t covered)
{
    char text[256];
    const struct command *record;
    enum snapshot_result result;
    struct snapshot_reader *reader = snapshot_open(&identity, 3, covered, text, sizeof text);
    if (!reader)
        return true;
    while ((result = snapshot_read(reader, &record)) == SNAPSHOT_OK)
        ;
    snapshot_close(reader);
    return result == SNAPSHOT_BAD;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    for (uint64_t records = 1; records < 70; records += 3) {
        write_one(records, records, 100);
        assert_null(read_one(records, records));
    }
    write_one(5000, 31 * 64 * 3 + 1, 100);
    assert_null(read_one(5000, 31 * 64 * 3 + 1));
}

static void a_flipped_bit_anywhere_is_noticed(void **state)
{
    (void)state;
    char path[128];
    write_one(77, RECORDS, 3);
    path_of(path, 77);
    int file = open(path, O_RDWR);
    off_t size = lseek(file, 0, SEEK_END);
    for (off_t at = 0; at < size; at += at < 256 ? 1 : 13) {
        uint8_t byte, other;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        other = byte ^ (uint8_t)(1u << at % 8);
        assert_int_equal(pwrite(file, &other, 1, at), 1);
        if (!read_one(77, RECORDS))
            fail_msg("byte %ld may be another one", (long)at);
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
    assert_null(read_one(77, RECORDS));
    close(file);
}

static struct journal_key key_of(uint8_t seed_byte)
{
    struct journal_key key;
    uint8_t seed[crypto_sign_SEEDBYTES] = {seed_byte};
    crypto_sign_seed_keypair(key.public, key.secret, seed);
    return key;
}

static void with_a_key_only_what_it_has_signed_is_taken(void **state)
{
    (void)state;
    const struct journal_key mine = key_of(1), other = key_of(2);
    write_one(1, RECORDS, 9);
    identity.key = &other;
    write_one(2, RECORDS, 9);
    assert_null(read_one(2, RECORDS));
    identity.key = &mine;
    assert_non_null(strstr(read_one(1, RECORDS), "not signed"));
    assert_non_null(strstr(read_one(2, RECORDS), "not signed"));
    assert_false(snapshot_stands(&identity, 3, 1));
    write_one(3, RECORDS, 9);
    assert_null(read_one(3, RECORDS));
    assert_true(snapshot_stands(&identity, 3, 1));
    identity.key = NULL; // nothing to hold a signature against
    for (uint64_t covered = 1; covered <= 3; covered++)
        assert_null(read_one(covered, RECORDS));
}

// Somebody who knows the format, and has no key: any byte of any block, with the block's checksum put right.
static void with_a_key_nothing_can_be_changed_by_who_has_it_not(void **state)
{
    (void)state;
    const struct journal_key mine = key_of(1);
    char path[128];
    uint8_t block[SNAPSHOT_BLOCK], good[SNAPSHOT_BLOCK];
    identity.key = &mine;
    write_one(77, RECORDS, 3);
    path_of(path, 77);
    int file = open(path, O_RDWR);
    off_t size = lseek(file, 0, SEEK_END);
    for (off_t from = 0; from < size; from += SNAPSHOT_BLOCK) {
        assert_int_equal(pread(file, good, sizeof good, from), sizeof good);
        // Behind what the last block says nothing counts.
        size_t end = from + SNAPSHOT_BLOCK == size ? sizeof(struct snapshot_block) + sizeof(struct snapshot_end)
                                                   : SNAPSHOT_BLOCK;
        for (size_t at = sizeof(struct snapshot_block); at < end; at += at % 97 ? 1 : 13) {
            memcpy(block, good, sizeof block);
            block[at] ^= 1;
            uint32_t crc = crc32c(0, block + 12, SNAPSHOT_BLOCK - 12);
            memcpy(block + 8, &crc, sizeof crc);
            assert_int_equal(pwrite(file, block, sizeof block, from), sizeof block);
            if (!refused(77))
                fail_msg("byte %ld may be another one", (long)from + (long)at);
        }
        assert_int_equal(pwrite(file, good, sizeof good, from), sizeof good);
    }
    assert_null(read_one(77, RECORDS));
    close(file);
}

// Version 1: an order's record named the one before it in its session, where its place is named now.
static void a_snapshot_whose_records_say_something_else_is_refused(void **state)
{
    (void)state;
    char path[128], text[256];
    uint8_t block[SNAPSHOT_BLOCK];
    const uint32_t version = 1;
    write_one(79, RECORDS, 3);
    path_of(path, 79);
    int file = open(path, O_RDWR);
    for (off_t at = 0; pread(file, block, sizeof block, at) == sizeof block; at += SNAPSHOT_BLOCK) {
        memcpy(block + offsetof(struct snapshot_block, version), &version, sizeof version);
        uint32_t crc = crc32c(0, block + 12, SNAPSHOT_BLOCK - 12);
        memcpy(block + 8, &crc, sizeof crc);
        assert_int_equal(pwrite(file, block, sizeof block, at), sizeof block);
    }
    close(file);
    assert_null(snapshot_open(&identity, 3, 79, text, sizeof text));
    assert_non_null(strstr(text, "format version 1, this build reads 2"));
    assert_false(snapshot_stands(&identity, 3, 79)); // so that the other version's build can still go on
}

static void a_file_cut_anywhere_is_none(void **state)
{
    (void)state;
    char path[128];
    struct stat status;
    write_one(78, RECORDS, 3);
    path_of(path, 78);
    assert_int_equal(stat(path, &status), 0);
    for (off_t size = status.st_size - 1; size >= 0; size -= size % 4096 == 1 ? 1 : 1365) {
        assert_int_equal(truncate(path, size), 0);
        assert_non_null(read_one(78, RECORDS));
    }
}

static void blocks_of_another_snapshot_do_not_pass(void **state)
{
    (void)state;
    char path[128], block[4096];
    write_one(80, RECORDS, 3);
    write_one(81, RECORDS, 3);
    path_of(path, 80);
    int from = open(path, O_RDONLY);
    path_of(path, 81);
    int to = open(path, O_RDWR);
    for (int i = 0; i < 4; i++) {
        char own[4096];
        assert_int_equal(pread(from, block, sizeof block, i * 4096), sizeof block);
        assert_int_equal(pread(to, own, sizeof own, i * 4096), sizeof own);
        assert_int_equal(pwrite(to, block, sizeof block, i * 4096), sizeof block);
        assert_non_null(read_one(81, RECORDS));
        assert_int_equal(pwrite(to, own, sizeof own, i * 4096), sizeof own);
    }
    assert_null(read_one(81, RECORDS));
    close(from);
    close(to);
}

static void a_snapshot_of_somebody_else_is_refused(void **state)
{
    (void)state;
    char from[128], to[128];
    write_one(90, RECORDS, 3);
    identity.instance = "other";
    assert_non_null(read_one(90, RECORDS));
    identity.instance = "test";
    path_of(from, 90);
    path_of(to, 91);
    assert_int_equal(rename(from, to), 0);
    assert_non_null(read_one(91, RECORDS)); // its name says what it does not cover
}

static void the_newest_are_kept_and_what_was_begun_is_swept(void **state)
{
    (void)state;
    uint64_t list[8];
    for (uint64_t covered = 1; covered <= 6; covered++)
        write_one(covered, 1, 3);
    assert_int_equal(snapshot_list(&identity, 3, list, 8), 3);
    assert_true(list[0] == 6 && list[1] == 5 && list[2] == 4);
    assert_int_equal(snapshot_list(&identity, 3, list, 1), 3);
    assert_true(list[0] == 6);
    assert_int_equal(snapshot_list(&identity, 2, list, 8), 0);
    struct snapshot_writer *writer = begin(7); // as a process leaves it that is killed
    char path[160], day[96];
    path_of(path, 7);
    strcat(path, ".tmp");
    assert_int_equal(access(path, F_OK), 0);
    snapshot_clean(&identity);
    assert_int_not_equal(access(path, F_OK), 0);
    snapshot_abandon(writer);
    assert_int_equal(snapshot_list(&identity, 3, list, 8), 3);
    snprintf(day, sizeof day, "%s/%u", directory, DATE);
    assert_int_equal(access(day, F_OK), 0);
}

static void who_is_told_is_who_gets_a_message(void **state)
{
    (void)state;
    uint8_t message[OUCH_OUT_MAX];
    struct command *commands = malloc(COMMANDS * sizeof *commands);
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rig_day day = flow_day(seed, FLOW_ALL | FLOW_KILL);
        struct rig rig;
        flow_draw(seed, FLOW_ALL | FLOW_KILL, &day, commands, COMMANDS);
        rig_open(&rig, &day);
        for (size_t i = 0; i < COMMANDS; i++) {
            rig_step(&rig, &commands[i]);
            for (size_t n = 0; n < rig.count; n++) {
                const struct event *event = &rig.events[n];
                bool told = told_session(event) || told_all(event);
                assert_int_equal(ouch_out_encode(event, OUCH_TAKER, message) != 0, told);
                if (event->type == EV_TRADE)
                    assert_true(ouch_out_encode(event, OUCH_MAKER, message) != 0);
                assert_int_equal(itch_out_encode(event, message) != 0, told_feed(event));
            }
        }
        rig_free(&rig);
    }
    free(commands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flipped_bit_anywhere_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_key_only_what_it_has_signed_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_key_nothing_can_be_changed_by_who_has_it_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_whose_records_say_something_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_cut_anywhere_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_of_another_snapshot_do_not_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_of_somebody_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_are_kept_and_what_was_begun_is_swept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_told_is_who_gets_a_message, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
