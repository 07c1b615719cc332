// SPDX-License-Identifier: Apache-2.0
// The SPSC ring: alone, between threads, and over the death of its consumer.
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/ring.h"

#ifdef __has_feature // clang's way to say it; gcc defines macros
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CELLS 500000u // instrumented code is slow, and sees a race with fewer
#else
#define CELLS 10000000u
#endif

static struct ring *make(uint32_t depth, uint32_t cell_size, uint64_t first)
{
    size_t size = ring_footprint(depth, cell_size);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return ring_new(memory, depth, cell_size, first);
}

static void drop(struct ring *ring)
{
    munmap(ring, ring_footprint(ring->depth, ring->cell_size));
}

// Fills the payload of every free slot that a burst takes and publishes it.
static void push(struct ring *ring, uint64_t number, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *cell = ring_slot(ring, i);
        for (uint32_t word = 1; word < ring->cell_size / 8; word++)
            cell[word] = (number + i) * 31 + word;
    }
    ring_publish(ring, count);
}

static bool holds(const struct ring *ring, const uint64_t *cell, uint64_t number)
{
    for (uint32_t word = 1; word < ring->cell_size / 8; word++)
        if (cell[word] != number * 31 + word)
            return false;
    return true;
}

// ---- one thread -----------------------------------------------------------------------------------------------------

static void an_empty_ring_shows_nothing(void **state)
{
    (void)state;
    struct ring *ring = make(8, 64, 0);
    assert_null(ring_peek(ring, 0));
    assert_int_equal(ring_ready(ring, 0, 8), 0);
    assert_int_equal(ring_room(ring, 1), 8);
    drop(ring);
}

static void what_is_published_is_read_in_order(void **state)
{
    (void)state;
    struct ring *ring = make(8, 128, 0);
    push(ring, 0, 3);
    assert_int_equal(ring_ready(ring, 0, 8), 3);
    for (uint32_t i = 0; i < 3; i++) {
        const uint64_t *cell = ring_peek(ring, i);
        assert_non_null(cell);
        assert_int_equal(cell[0], i + 1);
        assert_true(holds(ring, cell, i));
        assert_ptr_equal(cell, ring_at(ring, i));
    }
    assert_null(ring_peek(ring, 3));
    drop(ring);
}

static void a_slot_that_is_written_but_not_published_stays_unseen(void **state)
{
    (void)state;
    struct ring *ring = make(8, 64, 0);
    memset((char *)ring_slot(ring, 0) + 8, 0xFF, 56);
    assert_null(ring_peek(ring, 0));
    assert_int_equal(ring_ready(ring, 0, 1), 0);
    drop(ring);
}

static void a_full_ring_pushes_back_until_cells_are_released(void **state)
{
    (void)state;
    struct ring *ring = make(8, 64, 0);
    push(ring, 0, 8);
    assert_int_equal(ring_room(ring, 1), 0);
    assert_int_equal(ring_ready(ring, 0, 100), 8); // never more than the depth
    assert_non_null(ring_peek(ring, 7));
    assert_int_equal(ring_room(ring, 1), 0); // reading is not releasing
    ring_release(ring, 3);
    assert_int_equal(ring_room(ring, 1), 3);
    drop(ring);
}

static void room_looks_at_the_other_cursor_only_when_it_must(void **state)
{
    (void)state;
    struct ring *ring = make(16, 64, 0);
    push(ring, 0, 10);
    ring_release(ring, 10);
    assert_int_equal(ring_room(ring, 6), 6); // the cached view is enough
    assert_int_equal(ring->consumed_cache, 0);
    assert_int_equal(ring_room(ring, 7), 16);
    assert_int_equal(ring->consumed_cache, 10);
    drop(ring);
}

static void a_reserve_is_left_for_those_who_may_use_it(void **state)
{
    (void)state;
    struct ring *ring = make(64, 128, 0);
    const uint32_t reserve = ring->depth / 16;
    uint32_t orders = 0, refusals = 0;
    while (ring_room(ring, reserve + 1) > reserve)
        push(ring, orders++, 1);
    while (ring_room(ring, 1) > 0)
        push(ring, orders + refusals++, 1);
    assert_int_equal(orders, 60);
    assert_int_equal(refusals, 4);
    ring_release(ring, 4);
    assert_int_equal(ring_room(ring, reserve + 1), reserve); // only the reserve is back: orders still wait
    ring_release(ring, 1);
    assert_int_equal(ring_room(ring, reserve + 1), reserve + 1);
    drop(ring);
}

static void words_of_the_lap_before_are_never_taken_for_new_ones(void **state)
{
    (void)state;
    const uint64_t first = (UINT64_C(1) << 32) - 13; // positions cross 32 bits
    struct ring *ring = make(8, 192, first);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_null(ring_peek(ring, 0));
        push(ring, i, 1);
        const uint64_t *cell = ring_peek(ring, 0);
        assert_non_null(cell);
        assert_int_equal(cell[0], first + i + 1);
        assert_true(holds(ring, cell, i));
        assert_null(ring_peek(ring, 1));
        ring_release(ring, 1);
    }
    drop(ring);
}

static void a_rebased_ring_counts_from_the_new_position(void **state)
{
    (void)state;
    struct ring *ring = make(8, 128, 0);
    ring_rebase(ring, 41);
    assert_null(ring_peek(ring, 0));
    assert_int_equal(ring_room(ring, 8), 8);
    push(ring, 0, 8);
    assert_int_equal(*(const uint64_t *)ring_peek(ring, 0), 42);
    assert_int_equal(ring_room(ring, 1), 0);
    drop(ring);
}

static void a_consumer_that_died_before_release_is_followed_by_one_that_reads_the_same_cells(void **state)
{
    (void)state;
    struct ring *ring = make(8, 128, 0);
    push(ring, 0, 6);
    ring_release(ring, 2);
    assert_true(holds(ring, ring_peek(ring, 0), 2)); // the first one reads four cells, and is gone
    assert_int_equal(ring_ready(ring, 0, 8), 4);
    for (uint64_t number = 2; number < 6; number++) {
        assert_true(holds(ring, ring_peek(ring, 0), number));
        ring_release(ring, 1);
    }
    assert_null(ring_peek(ring, 0));
    drop(ring);
}

// ---- two threads ----------------------------------------------------------------------------------------------------

struct side {
    struct ring *ring;
    uint32_t cells;
    unsigned slowness; // empty loops a burst
    uint64_t wrong;
    uint64_t empty_or_full; // times that this side found nothing to do
};

// Waits without burning a whole time slice when both threads share a core.
static void wait_a_little(struct side *side)
{
    if (++side->empty_or_full % 64 == 0)
        sched_yield();
}

static void dawdle(unsigned loops)
{
    for (volatile unsigned i = 0; i < loops; i++)
        ;
}

static uint32_t next_burst(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 + (uint32_t)(*seed >> 33) % 40;
}

static void *produce(void *argument)
{
    struct side *side = argument;
    uint64_t seed = 1;
    for (uint32_t sent = 0; sent < side->cells;) {
        uint32_t burst = next_burst(&seed), room = ring_room(side->ring, burst);
        burst = burst < room ? burst : room;
        burst = burst < side->cells - sent ? burst : side->cells - sent;
        if (burst == 0) {
            wait_a_little(side);
            continue;
        }
        push(side->ring, sent, burst);
        sent += burst;
        dawdle(side->slowness);
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct side *side = argument;
    uint64_t seed = 2;
    for (uint32_t taken = 0; taken < side->cells;) {
        uint32_t ready = ring_ready(side->ring, 0, next_burst(&seed));
        if (ready == 0) {
            wait_a_little(side);
            continue;
        }
        for (uint32_t i = 0; i < ready; i++)
            side->wrong += !holds(side->ring, ring_peek(side->ring, i), taken + i);
        ring_release(side->ring, ready);
        taken += ready;
        dawdle(side->slowness);
    }
    return NULL;
}

static void move(uint32_t cell_size, uint32_t cells, unsigned slow_producer, unsigned slow_consumer)
{
    struct ring *ring = make(64, cell_size, 0);
    struct side producer = {ring, cells, slow_producer, 0, 0}, consumer = {ring, cells, slow_consumer, 0, 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
    consume(&consumer);
    pthread_join(thread, NULL);
    assert_int_equal(consumer.wrong, 0);
    assert_null(ring_peek(ring, 0));
    assert_int_equal(ring->consumed, cells);
    assert_int_equal(ring->produced, cells);
    if (slow_producer)
        assert_true(consumer.empty_or_full > 0);
    if (slow_consumer)
        assert_true(producer.empty_or_full > 0);
    drop(ring);
}

static void two_threads_move_cells_of_one_line(void **state)
{
    (void)state;
    move(64, CELLS, 0, 0);
}

static void two_threads_move_cells_of_two_lines(void **state)
{
    (void)state;
    move(128, CELLS, 0, 0);
}

static void two_threads_move_cells_of_three_lines(void **state)
{
    (void)state;
    move(192, CELLS, 0, 0);
}

static void nothing_is_lost_when_the_ring_is_mostly_full(void **state)
{
    (void)state;
    move(128, CELLS / 10, 0, 2000);
}

static void nothing_is_lost_when_the_ring_is_mostly_empty(void **state)
{
    (void)state;
    move(128, CELLS / 10, 2000, 0);
}

// ---- a consumer that is killed --------------------------------------------------------------------------------------

enum { KILL_CELLS = 100000, KILL_BATCH = 7 };

// What the consumer process leaves behind: how often it saw each cell.
struct memory {
    _Atomic uint64_t taken;
    _Atomic uint64_t wrong;
    _Atomic uint8_t seen[KILL_CELLS];
};

// Reads from the ring's cursor on, as whoever follows it will.
_Noreturn static void consumer_process(struct ring *ring, struct memory *memory)
{
    for (;;) {
        uint64_t position = atomic_load(&ring->consumed);
        if (position == KILL_CELLS)
            _exit(0);
        uint32_t ready = ring_ready(ring, 0, KILL_BATCH);
        for (uint32_t i = 0; i < ready; i++) {
            memory->wrong += !holds(ring, ring_peek(ring, i), position + i);
            memory->seen[position + i]++;
        }
        ring_release(ring, ready);
        memory->taken += ready;
        if (ready == 0)
            sched_yield();
    }
}

static pid_t start_consumer(struct ring *ring, struct memory *memory)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        consumer_process(ring, memory);
    return child;
}

static void push_one(struct ring *ring, uint64_t number)
{
    while (ring_room(ring, 1) == 0)
        sched_yield();
    push(ring, number, 1);
}

static void a_killed_consumer_process_loses_nothing_and_repeats_at_most_its_batch(void **state)
{
    (void)state;
    struct ring *ring = make(256, 128, 0);
    struct memory *memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    pid_t child = start_consumer(ring, memory);
    unsigned kills = 0;
    int status;
    for (uint64_t number = 0; number < KILL_CELLS; number++) {
        push_one(ring, number);
        if (number % 5000 != 4999)
            continue;
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        kills += WIFSIGNALED(status);
        child = start_consumer(ring, memory);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    uint64_t repeated = 0;
    for (unsigned i = 0; i < KILL_CELLS; i++) {
        assert_true(memory->seen[i] >= 1);
        repeated += memory->seen[i] - 1u;
    }
    assert_int_equal(memory->wrong, 0);
    assert_true(kills > 0);
    assert_true(repeated <= kills * KILL_BATCH);
    munmap(memory, sizeof *memory);
    drop(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_shows_nothing),
        cmocka_unit_test(what_is_published_is_read_in_order),
        cmocka_unit_test(a_slot_that_is_written_but_not_published_stays_unseen),
        cmocka_unit_test(a_full_ring_pushes_back_until_cells_are_released),
        cmocka_unit_test(room_looks_at_the_other_cursor_only_when_it_must),
        cmocka_unit_test(a_reserve_is_left_for_those_who_may_use_it),
        cmocka_unit_test(words_of_the_lap_before_are_never_taken_for_new_ones),
        cmocka_unit_test(a_rebased_ring_counts_from_the_new_position),
        cmocka_unit_test(a_consumer_that_died_before_release_is_followed_by_one_that_reads_the_same_cells),
        cmocka_unit_test(two_threads_move_cells_of_one_line),
        cmocka_unit_test(two_threads_move_cells_of_two_lines),
        cmocka_unit_test(two_threads_move_cells_of_three_lines),
        cmocka_unit_test(nothing_is_lost_when_the_ring_is_mostly_full),
        cmocka_unit_test(nothing_is_lost_when_the_ring_is_mostly_empty),
        cmocka_unit_test(a_killed_consumer_process_loses_nothing_and_repeats_at_most_its_batch),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
