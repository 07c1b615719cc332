// SPDX-License-Identifier: Apache-2.0
// The envelope of a drop copy, which drop copies carry which session, and what of them a configuration may not say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/drop_copy.h"
#include "client/ouch.h"
#include "contract/drop_copy.h"
#include "control/recovery/opening.h"
#include "tests/support/config_text.h"

static const char names[DROP_COPY_NAMES] = "TRADE1NORTH           ";

static size_t envelope(uint8_t *out, uint32_t sequence, const void *message, size_t size)
{
    drop_copy_head(out, names, sequence);
    memcpy(out + DROP_COPY_HEADER, message, size);
    return DROP_COPY_HEADER + size;
}

static void an_envelope_says_whose_message_it_holds(void **state)
{
    (void)state;
    const uint8_t system[] = {'S', 0, 0, 0, 0, 0, 0, 0, 5, 'S'};
    uint8_t bytes[STREAM_MESSAGE_MAX];
    struct xw_drop_copy copy;
    char line[80];
    size_t size = envelope(bytes, 70000, system, sizeof system);
    assert_memory_equal(bytes, "cTRADE1NORTH           \x00\x01\x11\x70S", 28); // the layout that receivers are told
    assert_true(xw_drop_copy_decode(bytes, size, &copy));
    assert_string_equal(copy.user, "TRADE1");
    assert_string_equal(copy.account, "NORTH");
    assert_int_equal(copy.sequence, 70000);
    assert_int_equal(copy.size, sizeof system);
    assert_memory_equal(copy.message, system, sizeof system);
    assert_int_equal(xw_drop_copy_print(&copy, line, sizeof line), strlen("TRADE1 NORTH 70000 S S"));
    assert_string_equal(line, "TRADE1 NORTH 70000 S S");
}

static void an_execution_is_a_trade_report(void **state)
{
    (void)state;
    uint8_t bytes[STREAM_MESSAGE_MAX], executed[36] = {'E', [25] = 'R'};
    put_be32(executed + 9, 7);
    put_be32(executed + 13, 100);
    put_be64(executed + 17, 100000);
    put_be64(executed + 26, 42);
    struct xw_drop_copy copy;
    struct xw_ouch ouch;
    char line[120];
    size_t size = envelope(bytes, 8, executed, sizeof executed);
    assert_true(xw_drop_copy_decode(bytes, size, &copy));
    assert_true(xw_ouch_decode(copy.message, copy.size, &ouch));
    xw_drop_copy_print(&copy, line, sizeof line);
    assert_string_equal(line, "TRADE1 NORTH 8 E 7 100 10.0000 liquidity=R match=42");
    assert_int_equal(xw_drop_copy_print(&copy, line, 10), 9); // cut
    assert_string_equal(line, "TRADE1 NO");
    assert_int_equal(xw_drop_copy_print(&copy, line, 0), 0);
}

static void what_is_no_envelope_is_not_read(void **state)
{
    (void)state;
    uint8_t bytes[STREAM_MESSAGE_MAX];
    struct xw_drop_copy copy;
    size_t size = envelope(bytes, 1, "S", 1);
    assert_true(xw_drop_copy_decode(bytes, size, &copy));
    for (size_t less = 0; less < size; less++)
        assert_false(xw_drop_copy_decode(bytes, less, &copy));
    bytes[0] = 'S'; // an OUCH message
    assert_false(xw_drop_copy_decode(bytes, size, &copy));
    size = envelope(bytes, 0, "S", 1);
    assert_false(xw_drop_copy_decode(bytes, size, &copy));
}

// Bytes of exactly their size on the heap, so that a sanitizer sees what is read behind them.
static void random_bytes_are_read_without_harm(void **state)
{
    (void)state;
    uint64_t seed = 7;
    unsigned read = 0;
    for (unsigned round = 0; round < 200000; round++) {
        struct xw_drop_copy copy;
        char line[64];
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t size = seed >> 33 & 127;
        uint8_t *bytes = malloc(size + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 40);
        }
        uint8_t *exact = memcpy(malloc(size ? size : 1), bytes, size);
        if (size && seed >> 62)
            exact[0] = DROP_COPY_TYPE;
        if (size > DROP_COPY_HEADER)
            exact[DROP_COPY_HEADER] = (uint8_t) "SAUCDEBJPITMRXGKQ"[seed >> 50 & 15];
        if (xw_drop_copy_decode(exact, size, &copy)) {
            read++;
            assert_true(strlen(copy.user) <= 6 && strlen(copy.account) <= 16);
            assert_ptr_equal(copy.message + copy.size, exact + size);
            assert_true(xw_drop_copy_print(&copy, line, sizeof line) < sizeof line);
        }
        free(exact);
        free(bytes);
    }
    assert_true(read > 1000);
}

// ---- the configuration ----------------------------------------------------------------------------------------------

#define WITH(entries) "drop_copies:\n" entries "journal:\n"
#define HASH "password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'"
#define OF(who) "  - {user: " who ", " HASH "}\n"

// Session 0 is north's on core 0, session 1 south's on core 1.
static void a_drop_copy_carries_its_firm_or_its_accounts_of_one_matching_core(void **state)
{
    (void)state;
    struct config *config =
        config_accepted("journal:\n", WITH(OF("d1, firm: NRTH") OF("d2, accounts: ' south  north ', matcher: 1")
                                               OF("d3, accounts: north, gateway: 1")));
    static const bool carries[3][2] = {{true, false}, {false, true}, {true, false}};
    assert_int_equal(config_streams(config), 5);
    assert_memory_equal(config_stream(config, 2).wire_user, "D1    ", 6);
    assert_string_equal(config_stream(config, 1).user, "x2");
    assert_int_equal(config_stream(config, 4).gateway, 1);
    for (unsigned copy = 0; copy < 3; copy++)
        for (unsigned session = 0; session < 2; session++)
            assert_int_equal(drop_copy_carries(config, copy, session), carries[copy][session]);
    char got[DROP_COPY_NAMES];
    drop_copy_names(config, 1, got);
    assert_memory_equal(got, "X2    south           ", DROP_COPY_NAMES);

    struct copy_map map;
    void *memory = malloc(copy_map_footprint(config, COPY_MAP_ALL));
    copy_map_new(&map, memory, config, COPY_MAP_ALL);
    assert_memory_equal(map.first, ((const uint32_t[]){0, 2, 3}), 12);
    assert_memory_equal(map.streams, ((const uint16_t[]){2, 4, 3}), 6);
    copy_map_new(&map, memory, config, 1); // of the second gateway
    assert_memory_equal(map.first, ((const uint32_t[]){0, 1, 1}), 12);
    assert_int_equal(map.streams[0], 4);
    copy_map_new(&map, NULL, config, 2);
    assert_null(map.first);
    free(memory);
    config_free(config);
}

static void a_drop_copy_that_can_not_be_is_refused(void **state)
{
    (void)state;
    config_refused("journal:\n", WITH(OF("d1, firm: NRT")), "10:22", "`firm` is `NRT`, which no entry");
    config_refused("journal:\n", WITH(OF("d1, accounts: 'north nort'")), "10:26",
                   "`accounts` names `nort`, which is not under `accounts:`");
    config_refused("journal:\n", WITH(OF("d1")), "10:5", "give `firm`, or `accounts`");
    config_refused("journal:\n", WITH(OF("d1, accounts: '  '")), "10:5", "give `firm`, or `accounts`");
    config_refused("journal:\n", WITH(OF("d1, firm: NRTH, accounts: north")), "10:38", "not both");
    config_refused("journal:\n", WITH(OF("d1, firm: NRTH, matcher: 1")), "10:37",
                   "no session of `NRTH` trades on matching core 1");
    config_refused("journal:\n", WITH(OF("d1, firm: NRTH, matcher: 2")), "10:37", "give 0 to 1");
    config_refused("journal:\n", WITH(OF("d1, firm: NRTH, gateway: 2")), "10:37", "give 0 to 1");
    config_refused("journal:\n", WITH(OF("tRADE1, firm: NRTH")), "10:12", "who is a session or a drop copy already");
    config_refused("journal:\n", WITH(OF("d1, firm: NRTH") OF("D1, accounts: north")), "11:12",
                   "who is a session or a drop copy already");
    config_refused("journal:\n", WITH(OF("'d 1', firm: NRTH")), "10:12", "use letters and digits");
    config_refused("journal:\n", WITH("  - {user: d1, firm: NRTH}\n"), "10:5", "no $argon2 string");
    config_refused("journal:\n", WITH("  - {firm: NRTH}\n"), "10:5", "`user` is missing");
}

// A stream must not become another one within the day.
static void a_restart_with_other_drop_copies_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"journal:\n", WITH(OF("d1, accounts: south, matcher: 1")),
                                         WITH(OF("d2, firm: NRTH")), WITH(OF("d1, firm: NRTH") OF("d2, firm: NRTH"))};
    struct config *config = config_accepted("journal:\n", WITH(OF("d1, firm: NRTH")));
    for (unsigned i = 0; i <= sizeof others / sizeof others[0]; i++) {
        const bool same = i == 0; // as it is, but by accounts and at another gateway: the stream is the same
        struct config *next =
            config_accepted("journal:\n", same ? WITH(OF("d1, accounts: north, gateway: 1")) : others[i - 1]);
        struct opening was, is;
        assert_true(opening_init(&was, config, 0) && opening_init(&is, next, 0));
        for (unsigned n = 0; n < was.count; n++)
            opening_note(&is, &was.list[n]);
        assert_int_equal(is.mismatch == NULL, same);
        assert_int_equal(opening_digest(&was) == opening_digest(&is), same);
        opening_free(&was);
        opening_free(&is);
        config_free(next);
    }
    config_free(config);
}

#define CONFIG(test) cmocka_unit_test_setup_teardown(test, config_make, config_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_says_whose_message_it_holds),
        cmocka_unit_test(an_execution_is_a_trade_report),
        cmocka_unit_test(what_is_no_envelope_is_not_read),
        cmocka_unit_test(random_bytes_are_read_without_harm),
        CONFIG(a_drop_copy_carries_its_firm_or_its_accounts_of_one_matching_core),
        CONFIG(a_drop_copy_that_can_not_be_is_refused),
        CONFIG(a_restart_with_other_drop_copies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
