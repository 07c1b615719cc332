// SPDX-License-Identifier: Apache-2.0
#include "cores/lcore_loop.h"

#include <cpuid.h>
#include <sched.h>
#include <stddef.h>
#include <x86intrin.h>

#include "contract/assert.h"

// jemalloc's control call where it is linked in; elsewhere heap_bytes stays 0 and says nothing.
int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size) __attribute__((weak));

// One call of a round.
struct step {
    unsigned (*run)(void *instance, uint64_t now);
    void *instance;
    struct lcore_role *role;
};

struct round {
    struct step steps[2 * LCORE_ROLES_MAX];
    unsigned count;
};

bool lcore_loop_can_idle(enum idle_policy policy)
{
    unsigned a, b, c, d;
    if (policy != IDLE_UMWAIT)
        return true;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 5; // WAITPKG
}

void lcore_loop_add(struct lcore_loop *loop, const struct role_descriptor *descriptor, void *instance,
                    struct core_block *block)
{
    xw_assert(loop->count < LCORE_ROLES_MAX);
    xw_assert(descriptor->poll && descriptor->housekeep && instance && block);
    loop->roles[loop->count++] = (struct lcore_role){.descriptor = descriptor, .instance = instance, .block = block};
    block->lcore = loop->lcore;
    block->tsc_hz = loop->tsc_hz;
}

static void add_steps(struct round *round, struct lcore_loop *loop, enum role role, bool flush)
{
    for (unsigned i = 0; i < loop->count; i++) {
        struct lcore_role *at = &loop->roles[i];
        unsigned (*run)(void *, uint64_t) = flush ? at->descriptor->flush : at->descriptor->poll;
        if (at->descriptor->role == role && run)
            round->steps[round->count++] = (struct step){run, at->instance, at};
    }
}

static void order_steps(struct round *round, struct lcore_loop *loop)
{
    round->count = 0;
    add_steps(round, loop, ROLE_GATEWAY, false);
    add_steps(round, loop, ROLE_MATCHER, false);
    add_steps(round, loop, ROLE_MATCHER, true);
    add_steps(round, loop, ROLE_GATEWAY, true);
    add_steps(round, loop, ROLE_PUBLISHER, false);
    add_steps(round, loop, ROLE_PUBLISHER, true);
}

// Where jemalloc counts what this thread has allocated, or NULL.
static const uint64_t *heap_counter(void)
{
    uint64_t *counter = NULL;
    size_t size = sizeof counter;
    if (!mallctl || mallctl("thread.allocatedp", &counter, &size, NULL, 0) != 0)
        return NULL;
    return counter;
}

static void housekeep(struct lcore_loop *loop, struct lcore_role *role, uint64_t now, uint64_t heap_bytes)
{
    struct core_block *block = role->block;
    role->descriptor->housekeep(role->instance, now);
    atomic_store_explicit(&block->heartbeat, ++role->beats, memory_order_relaxed);
    atomic_store_explicit(&block->busy_cycles, role->busy_cycles, memory_order_relaxed);
    atomic_store_explicit(&block->idle_cycles, role->idle_cycles, memory_order_relaxed);
    atomic_store_explicit(&block->heap_bytes, heap_bytes, memory_order_relaxed);
    // Acquire pairs with the release of the main thread's stop; HALT is released to it with all that the role wrote.
    if (atomic_load_explicit(&loop->header->stop, memory_order_acquire) &&
        atomic_load_explicit(&block->state, memory_order_relaxed) != CORE_FAIL &&
        (!role->descriptor->drained || role->descriptor->drained(role->instance)))
        atomic_store_explicit(&block->state, CORE_HALT, memory_order_release);
}

// A core has many things to look at, and one address can be waited for: so it waits for time. C0.1, the lighter state.
__attribute__((target("waitpkg"))) static void wait_until(uint64_t tsc)
{
    _tpause(1, tsc);
}

static void idle(const struct lcore_loop *loop, uint64_t now)
{
    switch (loop->idle) {
    case IDLE_SPIN:
        break;
    case IDLE_PAUSE:
        _mm_pause();
        break;
    case IDLE_UMWAIT:
        wait_until(now + loop->tsc_hz / 1000000);
        break;
    case IDLE_YIELD:
        sched_yield();
        break;
    }
}

int lcore_loop_run(void *argument)
{
    struct lcore_loop *loop = argument;
    xw_assert(loop->count > 0 && loop->tsc_hz > 0);
    struct round round;
    order_steps(&round, loop);
    const uint64_t *heap = heap_counter();
    const uint64_t heap_before = heap ? *heap : 0;
    // One role at a time, so that no round carries the housekeeping of all.
    const uint64_t interval = loop->tsc_hz / 1000000 * HOUSEKEEP_INTERVAL_US / loop->count;
    uint64_t now = __rdtsc(), next = now;
    unsigned turn = 0;
    while (!atomic_load_explicit(loop->quit, memory_order_relaxed)) {
        unsigned found = loop->idle == IDLE_SPIN; // as good as busy: nothing is done then
        for (unsigned i = 0; i < round.count; i++) {
            const struct step *step = &round.steps[i];
            unsigned work = step->run(step->instance, now);
            uint64_t end = __rdtsc();
            *(work ? &step->role->busy_cycles : &step->role->idle_cycles) += end - now;
            found |= work;
            now = end;
        }
        if (__builtin_expect(found == 0, 0)) {
            idle(loop, now);
            uint64_t end = __rdtsc();
            loop->roles[0].idle_cycles += end - now;
            now = end;
        }
        if (now < next)
            continue;
        next = now + interval;
        housekeep(loop, &loop->roles[turn], now, heap ? *heap - heap_before : 0);
        turn = turn + 1 == loop->count ? 0 : turn + 1;
        now = __rdtsc();
    }
    return 0;
}
