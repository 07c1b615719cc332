// SPDX-License-Identifier: Apache-2.0
// Snapshots of random days of every order type, cut anywhere: the restored engine goes on as the one that was never
// interrupted, and gives the same snapshot.
//   XW_SEED=n that day alone    XW_DAYS=n how many days
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/slots.h"
#include "engine/snapshot.h"
#include "engine/state.h"
#include "tests/support/engine_rig.h"
#include "tests/support/market_flow.h"
#include "tests/support/random_flow.h"

#define DAY_COMMANDS 3000
#define CUTS 12

static void step(void *context, struct command *c)
{
    rig_step(context, c);
}

static void assert_same_events(const struct rig *a, const struct rig *b, uint64_t seed, size_t at)
{
    if (a->count != b->count)
        fail_msg("seed %llu, command %zu: %zu events, restored %zu", (unsigned long long)seed, at, a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const char *what = event_difference(&a->events[i], &b->events[i]);
        if (what)
            fail_msg("seed %llu, command %zu: event %zu differs in %s", (unsigned long long)seed, at, i, what);
    }
    assert_int_equal(engine_event_hash(a->engine), engine_event_hash(b->engine));
    assert_int_equal(engine_outcome(a->engine), engine_outcome(b->engine));
    assert_int_equal(engine_live_orders(a->engine), engine_live_orders(b->engine));
}

// Plays the seed's day and a restored twin in lock step; the twin is made anew at every cut, from a snapshot of the
// engine or of the twin before it in turn.
static void play(uint64_t seed)
{
    struct command *commands = malloc(DAY_COMMANDS * sizeof *commands);
    struct rig_snapshot stream = {0}, again = {0};
    struct rig_day day = flow_day(seed, FLOW_ALL | FLOW_KILL);
    struct rig rig, twin;
    bool has_twin = false;
    flow_draw(seed, FLOW_ALL | FLOW_KILL, &day, commands, DAY_COMMANDS);
    if (seed % 2)
        market_flow(seed, &day, commands, DAY_COMMANDS);
    rig_new(&rig, &day, 0);
    rig_opening(&day, step, &rig);
    for (size_t i = 0, cuts = 0; i < DAY_COMMANDS; i++) {
        uint64_t draw = (seed * DAY_COMMANDS + i) * UINT64_C(0x9E3779B97F4A7C15);
        bool cut = (draw >> 40) % (DAY_COMMANDS / CUTS) == 0 || i == 1 || i == DAY_COMMANDS - 1;
        if (cut && snapshot_possible(rig.engine)) {
            rig_snapshot_take(&stream, cuts++ % 3 == 2 && has_twin ? twin.engine : rig.engine);
            if (has_twin)
                rig_free(&twin);
            rig_restore(&twin, &day, &stream);
            has_twin = true;
            rig_snapshot_take(&again, twin.engine);
            assert_int_equal(stream.count, again.count);
            assert_memory_equal(stream.records, again.records, stream.count * sizeof *stream.records);
        }
        struct command c = commands[i], same = commands[i];
        rig_step(&rig, &c);
        if (has_twin) {
            rig_step(&twin, &same);
            assert_same_events(&rig, &twin, seed, i);
        }
    }
    assert_true(has_twin);
    rig_free(&rig);
    rig_free(&twin);
    free(stream.records);
    free(again.records);
    free(commands);
}

static void a_restored_engine_goes_on_like_the_one_that_was_never_interrupted(void **state)
{
    (void)state;
    const char *seed = getenv("XW_SEED"), *days = getenv("XW_DAYS");
    if (seed) {
        play(strtoull(seed, NULL, 0));
        return;
    }
    for (uint64_t i = 1; i <= (days ? strtoull(days, NULL, 0) : 400); i++)
        play(i);
}

static struct rig_snapshot of_day(uint64_t seed, struct rig_day *day)
{
    struct command *commands = malloc(DAY_COMMANDS * sizeof *commands);
    struct rig_snapshot stream = {0};
    struct rig rig;
    *day = flow_day(seed, FLOW_ALL | FLOW_KILL);
    flow_draw(seed, FLOW_ALL | FLOW_KILL, day, commands, DAY_COMMANDS);
    rig_new(&rig, day, 0);
    rig_opening(day, step, &rig);
    for (size_t i = 0; i < DAY_COMMANDS / 2; i++)
        rig_step(&rig, &commands[i]);
    rig_snapshot_take(&stream, rig.engine);
    rig_free(&rig);
    free(commands);
    return stream;
}

// Feeds the stream with record `at` left out, or given twice, or with one bit another one.
enum damage { LEFT_OUT, TWICE, BIT };
static enum restore_result feed_damaged(const struct rig_day *day, const struct rig_snapshot *stream, size_t at,
                                        enum damage damage, unsigned bit)
{
    struct restore restore;
    struct rig rig;
    enum restore_result result = RESTORE_MORE;
    rig_new(&rig, day, 0);
    restore_begin(&restore, rig.engine);
    for (size_t i = 0; i < stream->count && result == RESTORE_MORE; i++) {
        struct command c = stream->records[i];
        if (i == at && damage == LEFT_OUT)
            continue;
        if (i == at && damage == BIT)
            ((uint8_t *)&c)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        result = restore_take(&restore, &c);
        if (i == at && damage == TWICE && result == RESTORE_MORE)
            result = restore_take(&restore, &c);
    }
    assert_true(result != RESTORE_REFUSED || restore.refused);
    rig_free(&rig);
    return result;
}

static void a_stream_with_any_bit_changed_is_refused_and_writes_nothing_wild(void **state)
{
    (void)state;
    struct rig_day day;
    struct rig_snapshot stream = of_day(7, &day);
    for (size_t at = 0; at < stream.count; at++) {
        bool last = at + 1 == stream.count;
        assert_int_equal(feed_damaged(&day, &stream, at, LEFT_OUT, 0), last ? RESTORE_MORE : RESTORE_REFUSED);
        if (!last)
            assert_int_equal(feed_damaged(&day, &stream, at, TWICE, 0), RESTORE_REFUSED);
        // All but the ring's word, prev_hash, and, of the last record, what is not compared but restored.
        for (unsigned draw = 0; draw < 6; draw++) {
            unsigned bit = (unsigned)((at * 6 + draw) * UINT64_C(0x9E3779B97F4A7C15) >> 40) % (96 * 8) +
                           offsetof(struct command, payload) * 8;
            if (!last)
                assert_int_equal(feed_damaged(&day, &stream, at, BIT, bit), RESTORE_REFUSED);
        }
        if (!last)
            assert_int_equal(feed_damaged(&day, &stream, at, BIT, COMMAND_KEY * 8 + (unsigned)(at % 96)),
                             RESTORE_REFUSED);
    }
    free(stream.records);
}

// The stream up to its first record of that type, which `change` has made another one: refused there and then, with
// `sentence`, before anything is written where it does not belong.
static void refused_at_once(const struct rig_day *day, const struct rig_snapshot *stream, uint8_t type,
                            void (*change)(struct command *c, uint32_t value), uint32_t value, const char *sentence)
{
    struct restore restore;
    struct rig rig;
    size_t at = 0;
    rig_new(&rig, day, 0);
    restore_begin(&restore, rig.engine);
    for (; at < stream->count && stream->records[at].type != type; at++) {
        struct command c = stream->records[at];
        assert_int_equal(restore_take(&restore, &c), RESTORE_MORE);
    }
    assert_true(at < stream->count);
    struct command c = stream->records[at];
    change(&c, value);
    if (restore_take(&restore, &c) != RESTORE_REFUSED || strcmp(restore.refused, sentence) != 0)
        fail_msg("record %zu of type %u with %u: \"%s\" is said, not \"%s\"", at, type, value,
                 restore.refused ? restore.refused : "nothing", sentence);
    rig_free(&rig);
}

#define CHANGES(record, field)                                               \
    static void change_##record##_##field(struct command *c, uint32_t value) \
    {                                                                        \
        c->record.field = (__typeof__(c->record.field))value;                \
    }
CHANGES(restore_day, slots)
CHANGES(restore_day, phase)
CHANGES(restore_day, max_levels)
CHANGES(restore_symbol, locate)
CHANGES(restore_symbol, tick)
CHANGES(restore_account, account)
CHANGES(restore_session, account)
CHANGES(restore_kill, scope)
CHANGES(restore_numbers, count)
CHANGES(restore_order, slot)
CHANGES(restore_order, way)
CHANGES(restore_order, price)
CHANGES(restore_order, quantity)
CHANGES(restore_order, key)
CHANGES(restore_order, terms)
CHANGES(restore_order, member)
CHANGES(restore_order, behind)
CHANGES(restore_special, slot)
CHANGES(restore_special, kinds)
CHANGES(restore_list, locate)
CHANGES(restore_list, list)
CHANGES(restore_list, count)
CHANGES(restore_trades, count)
CHANGES(restore_trades, first)

static void what_no_engine_holds_is_refused_at_its_record(void **state)
{
    (void)state;
    struct rig_day day;
    struct rig_snapshot stream = {0};
    // A day that holds some of everything.
    unsigned has = 0, all = 1u << CMD_RESTORE_SPECIAL % 32 | 1u << CMD_RESTORE_LIST % 32 |
                            1u << CMD_RESTORE_TRADES % 32 | 1u << CMD_RESTORE_KILL % 32;
    for (uint64_t seed = 1; (has & all) != all; seed++) {
        free(stream.records);
        stream = of_day(seed, &day);
        has = 0;
        for (size_t i = 0; i < stream.count; i++)
            has |= 1u << stream.records[i].type % 32;
    }
#define REFUSED(type, record, field, value, sentence) \
    refused_at_once(&day, &stream, type, change_##record##_##field, value, sentence)
    const char *memory = "its day does not fit this engine's memory";
    REFUSED(CMD_RESTORE_DAY, restore_day, slots, day.max_orders + 1, memory);
    REFUSED(CMD_RESTORE_DAY, restore_day, phase, '?', memory);
    REFUSED(CMD_RESTORE_DAY, restore_day, max_levels, day.max_levels + 1, memory);
    const char *symbol = "it has a symbol that can not be opened";
    REFUSED(CMD_RESTORE_SYMBOL, restore_symbol, locate, LOCATE_NONE, symbol);
    REFUSED(CMD_RESTORE_SYMBOL, restore_symbol, locate, day.symbols + 1u, symbol);
    REFUSED(CMD_RESTORE_SYMBOL, restore_symbol, tick, 0, symbol);
    REFUSED(CMD_RESTORE_ACCOUNT, restore_account, account, day.accounts, "it has an account that can not be opened");
    REFUSED(CMD_RESTORE_SESSION, restore_session, account, day.accounts, "it has a session of no account");
    REFUSED(CMD_RESTORE_KILL, restore_kill, scope, 99, "it has a kill of what it does not have");
    REFUSED(CMD_RESTORE_NUMBERS, restore_numbers, count, 19, "it has numbers of no session");
    const char *order = "it has an order that no engine holds";
    REFUSED(CMD_RESTORE_ORDER, restore_order, slot, 0, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, slot, day.max_orders + 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, price, PRICE_MAX + 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, quantity, 0, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, quantity, QUANTITY_MAX + 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, key, 0, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, terms, 1 | 'X' << 16, order);
    const uint32_t blocks = member_blocks_most(day.max_orders, day.sessions);
    REFUSED(CMD_RESTORE_ORDER, restore_order, member, MEMBER_WAYS - 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, member, MEMBER_WAYS, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, member, (blocks + 1) * MEMBER_WAYS + 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, behind, blocks + 1, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, terms, 'B' << 16, order);
    REFUSED(CMD_RESTORE_ORDER, restore_order, price, 1, "it has an order whose level it can not stand in");
    const char *place = "it has two orders in one place of the live-order table";
    REFUSED(CMD_RESTORE_ORDER, restore_order, way, BUCKET_WAYS, place);
    REFUSED(CMD_RESTORE_ORDER, restore_order, way, 255, place);
    const char *none = "it has special instructions of no order, or more than there is room for";
    REFUSED(CMD_RESTORE_SPECIAL, restore_special, slot, 0, none);
    REFUSED(CMD_RESTORE_SPECIAL, restore_special, slot, UINT32_MAX, none);
    REFUSED(CMD_RESTORE_SPECIAL, restore_special, kinds, 3, none);
    REFUSED(CMD_RESTORE_SPECIAL, restore_special, kinds, 8, none);
    const char *list = "it has a list of no symbol";
    REFUSED(CMD_RESTORE_LIST, restore_list, locate, LOCATE_NONE, list);
    REFUSED(CMD_RESTORE_LIST, restore_list, locate, day.symbols + 1u, list);
    REFUSED(CMD_RESTORE_LIST, restore_list, list, 6, list);
    REFUSED(CMD_RESTORE_LIST, restore_list, count, 24, list);
    const char *trades = "it has more trades than the table";
    REFUSED(CMD_RESTORE_TRADES, restore_trades, count, 3, trades);
    REFUSED(CMD_RESTORE_TRADES, restore_trades, first, day.max_trades, trades);
    REFUSED(CMD_RESTORE_TRADES, restore_trades, first, UINT32_MAX, trades);
    free(stream.records);
}

// The stream up to the first order that stands in the block of one before it, which `spoil` has made another one.
static void refused_in_its_block(const struct rig_day *day, const struct rig_snapshot *stream,
                                 void (*spoil)(struct command *c, const struct command *first))
{
    struct restore restore;
    struct rig rig;
    const struct command *first = NULL;
    rig_new(&rig, day, 0);
    restore_begin(&restore, rig.engine);
    for (size_t at = 0; at < stream->count; at++) {
        struct command c = stream->records[at];
        bool order = c.type == CMD_RESTORE_ORDER;
        if (order && first && c.restore_order.member >> MEMBER_SHIFT == first->restore_order.member >> MEMBER_SHIFT) {
            spoil(&c, first);
            assert_int_equal(restore_take(&restore, &c), RESTORE_REFUSED);
            assert_string_equal(restore.refused, "it has two orders in one place of their session");
            rig_free(&rig);
            return;
        }
        first = order ? &stream->records[at] : first;
        assert_int_equal(restore_take(&restore, &c), RESTORE_MORE);
    }
    fail_msg("no two orders of the day stand in one block");
}

static void in_one_place(struct command *c, const struct command *first)
{
    c->restore_order.member = first->restore_order.member;
}

static void behind_another(struct command *c, const struct command *first)
{
    c->restore_order.behind = first->restore_order.behind + 1;
    c->restore_order.behind += c->restore_order.behind == c->restore_order.member >> MEMBER_SHIFT;
}

static void two_orders_of_a_block_that_disagree_are_refused(void **state)
{
    (void)state;
    struct rig_day day;
    struct rig_snapshot stream = of_day(7, &day);
    refused_in_its_block(&day, &stream, in_one_place);
    refused_in_its_block(&day, &stream, behind_another);
    free(stream.records);
}

static void an_engine_with_less_memory_refuses(void **state)
{
    (void)state;
    struct rig_day day;
    struct rig_snapshot stream = of_day(3, &day);
    day.max_orders /= 2;
    assert_int_equal(feed_damaged(&day, &stream, SIZE_MAX, BIT, 0), RESTORE_REFUSED);
    free(stream.records);
}

static void the_digest_is_that_of_the_stream(void **state)
{
    (void)state;
    struct rig_day day;
    struct rig_snapshot stream = of_day(11, &day);
    struct rig rig;
    rig_restore(&rig, &day, &stream);
    uint64_t digest = SNAPSHOT_DIGEST_SEED;
    for (size_t i = 0; i < stream.count; i++)
        digest = snapshot_digest_add(digest, &stream.records[i]);
    assert_int_equal(snapshot_digest(rig.engine), digest);
    rig_free(&rig);
    free(stream.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_engine_goes_on_like_the_one_that_was_never_interrupted),
        cmocka_unit_test(a_stream_with_any_bit_changed_is_refused_and_writes_nothing_wild),
        cmocka_unit_test(what_no_engine_holds_is_refused_at_its_record),
        cmocka_unit_test(two_orders_of_a_block_that_disagree_are_refused),
        cmocka_unit_test(an_engine_with_less_memory_refuses),
        cmocka_unit_test(the_digest_is_that_of_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
