// SPDX-License-Identifier: Apache-2.0
// Every interleaving of the ring's hand-over, with stores that reach memory late and out of order; and what the
// explorer itself must find.
#include "tests/unit/model_stage.h"

#include "contract/ring.h"

static struct {
    struct ring ring __attribute__((aligned(CACHE_PAIR)));
    uint64_t cells[2][8];
    uint64_t done, sum;
    uint64_t words[2];
} shared __attribute__((aligned(CACHE_PAIR)));

static void explore(const char *what, struct model model, const char *expected)
{
    explore_in(&shared, sizeof shared, what, model, expected);
}

// ---- the explorer itself --------------------------------------------------------------------------------------------

static const char *const at_once = "a word that is not atomic is read and written at once";

static void begin_nothing(void)
{
    memset(&shared, 0, sizeof shared);
}

static void add_badly(void)
{
    uint64_t value = atomic_load_explicit(&shared.words[0], memory_order_acquire);
    atomic_store_explicit(&shared.words[0], value + 1, memory_order_release);
}

static void add_well(void)
{
    uint64_t value = atomic_load_explicit(&shared.words[0], memory_order_acquire);
    while (!atomic_compare_exchange_strong_explicit(&shared.words[0], &value, value + 1, memory_order_acq_rel,
                                                    memory_order_acquire))
        ;
}

static void end_three_added(void)
{
    if (shared.words[0] != 3)
        model_fail("an addition is lost");
}

static void say_relaxed(void)
{
    model_store(&shared.words[0], 7, false);
    atomic_store_explicit(&shared.words[1], 1, memory_order_relaxed);
}

static void say_released(void)
{
    model_store(&shared.words[0], 7, false);
    atomic_store_explicit(&shared.words[1], 1, memory_order_release);
}

static void hear(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_acquire) && model_load(&shared.words[0], false) != 7)
        model_fail("the flag is there before the word");
}

static void hear_relaxed(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_relaxed) && model_load(&shared.words[0], false) != 7)
        model_fail("the flag is there before the word");
}

static void write_and_say_released(void)
{
    model_write(&shared.words[0], 7);
    atomic_store_explicit(&shared.words[1], 1, memory_order_release);
}

static void write_and_swap(void)
{
    uint64_t none = 0;
    model_write(&shared.words[0], 7);
    atomic_compare_exchange_strong_explicit(&shared.words[1], &none, 1, memory_order_release, memory_order_relaxed);
}

static void write_and_swap_relaxed(void)
{
    uint64_t none = 0;
    model_write(&shared.words[0], 7);
    atomic_compare_exchange_strong_explicit(&shared.words[1], &none, 1, memory_order_relaxed, memory_order_relaxed);
}

// Goes on with what the release has said.
static void swap_relaxed(void)
{
    uint64_t one = 1;
    atomic_compare_exchange_strong_explicit(&shared.words[1], &one, 2, memory_order_relaxed, memory_order_relaxed);
}

static void read_when_said(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_acquire) && model_read(&shared.words[0]) != 7)
        model_fail("the flag is there before the word");
}

static void read_unasked(void)
{
    model_read(&shared.words[0]);
}

// No store buffer shows this one: the load would have to come after the store.
static void read_and_say_relaxed(void)
{
    model_read(&shared.words[0]);
    atomic_store_explicit(&shared.words[1], 1, memory_order_relaxed);
}

static void read_and_say_released(void)
{
    model_read(&shared.words[0]);
    atomic_store_explicit(&shared.words[1], 1, memory_order_release);
}

static void write_when_said(void)
{
    if (atomic_load_explicit(&shared.words[1], memory_order_acquire))
        model_write(&shared.words[0], 9);
}

static void the_explorer_finds_accesses_without_order(void **state)
{
    (void)state;
    explore("a word behind a released flag",
            (struct model){.begin = begin_nothing, .threads = {write_and_say_released, read_when_said}}, NULL);
    explore("two who read it",
            (struct model){.begin = begin_nothing, .threads = {read_unasked, read_unasked, read_unasked}}, NULL);
    explore("a word without a flag",
            (struct model){.begin = begin_nothing, .threads = {write_and_say_released, read_unasked}}, at_once);
    explore("a word behind an exchange that releases",
            (struct model){.begin = begin_nothing, .threads = {write_and_swap, read_when_said, swap_relaxed}}, NULL);
    explore("a word behind an exchange that does not",
            (struct model){.begin = begin_nothing, .threads = {write_and_swap_relaxed, read_when_said}}, at_once);
    explore("written once it is read",
            (struct model){.begin = begin_nothing, .threads = {read_and_say_released, write_when_said}}, NULL);
    explore("read later than it says",
            (struct model){.begin = begin_nothing, .threads = {read_and_say_relaxed, write_when_said}}, at_once);
}

static void the_explorer_finds_what_it_must(void **state)
{
    (void)state;
    explore(
        "load and store",
        (struct model){.begin = begin_nothing, .threads = {add_badly, add_badly, add_badly}, .end = end_three_added},
        "an addition is lost");
    explore("compare and swap",
            (struct model){.begin = begin_nothing, .threads = {add_well, add_well, add_well}, .end = end_three_added},
            NULL);
    explore("relaxed flag", (struct model){.begin = begin_nothing, .threads = {say_relaxed, hear}},
            "the flag is there before the word");
    explore("released flag", (struct model){.begin = begin_nothing, .threads = {say_released, hear}}, NULL);
    explore("flag read without acquire",
            (struct model){.begin = begin_nothing, .threads = {say_released, hear_relaxed}},
            "the flag is there before the word");
}

// ---- the ring -------------------------------------------------------------------------------------------------------

enum { MESSAGES = 4 };

static void begin_ring(void)
{
    memset(&shared, 0, sizeof shared);
    ring_new(&shared.ring, 2, 64, 0);
}

// Bursts of one and of two, as there is room.
static void produce(void)
{
    for (uint64_t sent = 0; sent < MESSAGES;) {
        uint32_t room = ring_room(&shared.ring, 1);
        uint32_t burst = room < MESSAGES - sent ? room : (uint32_t)(MESSAGES - sent);
        for (uint32_t i = 0; i < burst; i++) {
            uint64_t *cell = ring_slot(&shared.ring, i);
            model_write(&cell[1], sent + i + 1);
        }
        if (burst)
            ring_publish(&shared.ring, burst);
        sent += burst;
    }
    shared.done = 1;
}

static void consume(void)
{
    for (uint64_t taken = 0; taken < MESSAGES;) {
        uint64_t *cell = ring_peek(&shared.ring, 0);
        if (!cell)
            continue;
        if (model_read(&cell[1]) != taken + 1)
            model_fail("another message than the next one");
        ring_release(&shared.ring, 1);
        shared.sum += ++taken;
    }
}

static void end_all_taken(void)
{
    if (shared.sum != MESSAGES * (MESSAGES + 1) / 2)
        model_fail("messages are lost");
    if (shared.ring.produced != MESSAGES || shared.ring.consumed != MESSAGES)
        model_fail("cursors do not agree");
}

static void every_message_is_handed_over_once_and_in_order(void **state)
{
    (void)state;
    explore("ring of two cells, four messages",
            (struct model){.begin = begin_ring, .threads = {produce, consume}, .end = end_all_taken}, NULL);
}

// ---- what each release and acquire of the ring is for ---------------------------------------------------------------

static void begin_ring_of_one(void)
{
    memset(&shared, 0, sizeof shared);
    ring_new(&shared.ring, 1, 64, 0);
}

// The first message, and the second into the same cell once it is free.
static void produce_two(void)
{
    for (uint64_t sent = 0; sent < 2;) {
        if (ring_room(&shared.ring, 1) == 0)
            continue;
        uint64_t *cell = ring_slot(&shared.ring, 0);
        model_write(&cell[1], ++sent);
        ring_publish(&shared.ring, 1);
    }
}

static void consume_one(void)
{
    uint64_t *cell = ring_peek(&shared.ring, 0);
    if (cell && model_read(&cell[1]) != 1)
        model_fail("another message than the first");
    if (cell)
        ring_release(&shared.ring, 1);
}

static void publish_relaxed(void)
{
    uint64_t *cell = ring_slot(&shared.ring, 0);
    model_write(&cell[1], 1);
    atomic_store_explicit(cell, 1, memory_order_relaxed);
}

static void peek_relaxed(void)
{
    uint64_t *cell = ring_cell(&shared.ring, 0);
    if (atomic_load_explicit(cell, memory_order_relaxed) == 1 && model_read(&cell[1]) != 1)
        model_fail("another message than the first");
}

static void release_relaxed(void)
{
    uint64_t *cell = ring_peek(&shared.ring, 0);
    if (!cell)
        return;
    model_read(&cell[1]);
    atomic_store_explicit(&shared.ring.consumed, 1, memory_order_relaxed);
}

static void room_relaxed(void)
{
    uint64_t *cell = ring_slot(&shared.ring, 0);
    model_write(&cell[1], 1);
    ring_publish(&shared.ring, 1);
    if (atomic_load_explicit(&shared.ring.consumed, memory_order_relaxed) == 1)
        model_write(&cell[1], 2);
}

static void no_release_or_acquire_of_the_ring_can_be_left_out(void **state)
{
    (void)state;
    explore("ring of one cell, two messages",
            (struct model){.begin = begin_ring_of_one, .threads = {produce_two, consume_one}}, NULL);
    explore("ring published without release",
            (struct model){.begin = begin_ring_of_one, .threads = {publish_relaxed, consume_one}}, at_once);
    explore("ring looked at without acquire",
            (struct model){.begin = begin_ring_of_one, .threads = {produce_two, peek_relaxed}}, at_once);
    explore("cell given back without release",
            (struct model){.begin = begin_ring_of_one, .threads = {produce_two, release_relaxed}}, at_once);
    explore("cell taken again without acquire",
            (struct model){.begin = begin_ring_of_one, .threads = {room_relaxed, consume_one}}, at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_explorer_finds_what_it_must),
        cmocka_unit_test(the_explorer_finds_accesses_without_order),
        cmocka_unit_test(every_message_is_handed_over_once_and_in_order),
        cmocka_unit_test(no_release_or_acquire_of_the_ring_can_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
