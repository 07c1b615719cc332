// SPDX-License-Identifier: Apache-2.0
// Whole stream files through the engine: every trade, in order, and the digest are those of the stream's own oracle.
// The streams lie in the directory XW_STREAMS, else in ../shared/streams beside the repository.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract/assert.h"
#include "perf/engine_stream.h"

struct play {
    struct engine_stream stream;
    const struct stream_trade *expected;
    size_t expected_count;
    struct engine *engine;
    struct event events[ENGINE_EVENTS_MAX];
};

static void watch(struct play *play, unsigned count, uint64_t record)
{
    struct stream_trade got;
    for (unsigned i = 0; i < count; i++) {
        if (!engine_stream_watch(&play->stream, &play->events[i], &got))
            continue;
        uint64_t index = play->stream.trades - 1;
        got.record = record;
        if (index >= play->expected_count || memcmp(&got, &play->expected[index], sizeof got) != 0)
            fail_msg("record %llu: trade %llu differs: maker %llu, taker %llu, quantity %u, price %u",
                     (unsigned long long)record, (unsigned long long)index, (unsigned long long)got.maker,
                     (unsigned long long)got.taker, got.quantity, got.price);
    }
}

static void step(struct play *play, struct command *c, uint64_t record)
{
    c->seq = engine_sequence(play->engine) + 1;
    c->time_ns = c->seq;
    watch(play, engine_step(play->engine, c, play->events), record);
    while (engine_unfinished(play->engine))
        watch(play, engine_continue(play->engine, play->events), record);
}

static uint64_t digest_of(const struct stream_trade *trades, size_t count)
{
    uint64_t digest = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < count; i++) {
        uint64_t h =
            digest ^ (trades[i].maker * UINT64_C(0x9E3779B97F4A7C15) + trades[i].taker * UINT64_C(0xC2B2AE3D27D4EB4F) +
                      ((uint64_t)trades[i].quantity << 32 | trades[i].price) * UINT64_C(0x165667B19E3779F9));
        digest = (h << 27 | h >> 37) * UINT64_C(0x9FB21C651E98DF25);
    }
    return digest;
}

static void play_all(struct play *play)
{
    uint32_t orders = 1024;
    while (orders < play->stream.prefill * 9 / 8)
        orders *= 2;
    struct engine_capacity capacity = {.max_orders = orders,
                                       .max_levels = 65536,
                                       .max_symbols = (uint16_t)play->stream.symbols,
                                       .max_accounts = 1,
                                       .max_sessions = 1};
    size_t size = engine_footprint(&capacity);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    play->engine = engine_new(memory, &capacity);
    engine_stream_rewind(&play->stream);
    struct command c;
    for (uint32_t i = 0; engine_stream_opening(&play->stream, &capacity, i, &c); i++)
        step(play, &c, 0);
    uint64_t late = 0, silent = 0;
    for (uint64_t i = 0; i < play->stream.count; i++) {
        engine_stream_command(&play->stream, i, &c);
        step(play, &c, i);
        late += play->stream.records[i].flags & 1;
        silent += engine_outcome(play->engine) == OUTCOME_NO_EFFECT;
        assert_int_not_equal(engine_outcome(play->engine), OUTCOME_REJECTED);
        assert_int_not_equal(engine_outcome(play->engine), OUTCOME_DUPLICATE);
    }
    assert_int_equal(play->stream.trades, play->expected_count);
    assert_true(play->stream.digest == digest_of(play->expected, play->expected_count));
    assert_true(silent >= late); // a request that comes too late is dropped without an answer
    assert_null(engine_check(play->engine));
    printf("%llu records, %llu trades, digest %016llx\n", (unsigned long long)play->stream.count,
           (unsigned long long)play->stream.trades, (unsigned long long)play->stream.digest);
    munmap(memory, size);
}

static void play_stream(const char *name)
{
    char path[4096];
    const char *directory = getenv("XW_STREAMS");
    if (!directory)
        directory = "../shared/streams";
    static struct play play;
    snprintf(path, sizeof path, "%s/%s.bin", directory, name);
    if (access(path, R_OK) != 0) {
        printf("skipped: no %s; XW_STREAMS names the directory of the streams\n", path);
        skip();
    }
    if (!engine_stream_open(&play.stream, path))
        fail_msg("%s is no order stream", path);
    snprintf(path, sizeof path, "%s/%s.trades", directory, name);
    size_t size;
    play.expected = engine_stream_map(path, &size);
    if (!play.expected)
        fail_msg("%s: the expected trades are missing", path);
    play.expected_count = size / sizeof *play.expected;
    play_all(&play);
    munmap((void *)(uintptr_t)play.expected, size);
    engine_stream_close(&play.stream);
}

static void real_futures_flow_gives_its_trades(void **state)
{
    (void)state;
    play_stream("es_real");
}

static void a_small_hot_book_gives_its_trades(void **state)
{
    (void)state;
    play_stream("s1hot");
}

static void a_deep_book_gives_its_trades(void **state)
{
    (void)state;
    play_stream("s1");
}

static void sixty_four_symbols_give_their_trades(void **state)
{
    (void)state;
    play_stream("s64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_futures_flow_gives_its_trades),
        cmocka_unit_test(a_small_hot_book_gives_its_trades),
        cmocka_unit_test(a_deep_book_gives_its_trades),
        cmocka_unit_test(sixty_four_symbols_give_their_trades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
