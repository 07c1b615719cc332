// SPDX-License-Identifier: Apache-2.0
// Walks through every interleaving of two or three short threads that share atomics: the code under test itself, not a
// model of it. A test includes this after <stdatomic.h> and before the code, whose atomic operations then become steps.
//
// At each step the explorer chooses which thread goes on, or which store that still stands in a thread's store buffer
// reaches memory. A state (shared memory, every thread's registers and stack, buffers) that was seen is not entered
// again. Memory is that of a machine weaker than x86: a relaxed or plain store may be overtaken by any later one of its
// thread to another place, and a release store waits for all stores before it; a relaxed or plain load may still find
// what was there when its thread last synchronised, by an acquire load or exchange.
//
// What threads share beside atomics they read and write with model_read and model_write. Two such accesses of one word
// by two threads, one of them a write, fail when neither happens before the other (C11, 5.1.2.4): only a release that
// an acquire has read puts them in order. That holds whatever a compiler or a machine makes of the order in between, a
// load that is delayed past a later store of its thread among it, which no store buffer shows.
#ifndef CROSSWIRE_TESTS_SUPPORT_EXPLORER_H
#define CROSSWIRE_TESTS_SUPPORT_EXPLORER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_THREADS = 3, MODEL_PLAIN = 8 /* words that are not atomic */ };

struct model {
    void *shared; // all that the threads share, at most 1 KiB
    size_t size;
    void (*begin)(void);                  // puts `shared` into its first state
    void (*threads[MODEL_THREADS])(void); // NULL: fewer
    void (*always)(void); // after each step: an invariant of shared memory, model_fail when it is broken
    void (*end)(void);    // every thread has returned, all stores have reached memory
};

struct model_result {
    uint64_t states, steps, ends; // seen; taken; ways in which all threads have returned, each end state once
    unsigned depth;               // steps of the longest way
    const char *failure;          // NULL: none
};

// Explores all of it, or until the first failure.
struct model_result model_explore(const struct model *model);

// From threads, `always` and `end`: this must not happen. Does not return to a thread.
void model_fail(const char *what);

uint64_t model_load(const void *at, bool acquire);
void model_store(void *at, uint64_t value, bool release);
bool model_exchange(void *at, uint64_t *expected, uint64_t value, memory_order success, memory_order failure);

uint64_t model_read(const uint64_t *at);
void model_write(uint64_t *at, uint64_t value);

// Every atomic of the code is 8 bytes.
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong_explicit
#define atomic_load_explicit(at, order) model_load((at), (order) != memory_order_relaxed)
#define atomic_store_explicit(at, value, order) \
    model_store((at), (uint64_t)(value), (order) == memory_order_release || (order) == memory_order_seq_cst)
#define atomic_compare_exchange_strong_explicit(at, expected, value, success, failure) \
    model_exchange((at), (expected), (uint64_t)(value), (success), (failure))

#endif
