// SPDX-License-Identifier: Apache-2.0
#include "tests/support/explorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { STACK = 16384, SHARED = 1024, PENDING = 8, DEPTH = 400, BUCKETS = 1 << 22 };

// What happens before: a bit for the last write of each plain word, and one for each thread's reads of it since.
typedef uint64_t known;
#define WRITES(word) ((known)1 << (word) * (MODEL_THREADS + 1))
#define READS(word, thread) (WRITES(word) << (1 + (thread)))
_Static_assert(MODEL_PLAIN *(MODEL_THREADS + 1) <= 64, "a bit each");

struct store {
    void *at;
    uint64_t value;
    known before; // of a release
    bool release;
};

// All that a step can change, and so all that is put back.
struct thread {
    ucontext_t context;
    bool done;
    char view[SHARED]; // memory as it was when the thread last synchronised: what a late load may still find
    known before;
    unsigned pending;
    struct store stores[PENDING];
    char stack[STACK] __attribute__((aligned(64)));
};

static struct thread threads[MODEL_THREADS];
static ucontext_t explorer;
static known published[SHARED / sizeof(uint64_t)]; // with each word of memory: what an acquire of it brings
static const uint64_t *plain[MODEL_PLAIN];         // in the order in which they were first met, on any way
static unsigned running = MODEL_THREADS;           // MODEL_THREADS: none, a check runs
static const struct model *model;
static bool late; // the step that is taken: a load that need not synchronise finds what was there before
static struct model_result result;
static uint64_t *seen; // hashes, open addressing; 0: free

struct snapshot {
    char shared[SHARED];
    known published[SHARED / sizeof(uint64_t)];
    struct {
        ucontext_t context;
        bool done;
        char view[SHARED];
        known before;
        unsigned pending;
        struct store stores[PENDING];
        size_t live; // bytes of stack
        char *stack;
    } threads[MODEL_THREADS];
};

// ---- steps of a thread ----------------------------------------------------------------------------------------------

static void give_way(void)
{
    if (running < MODEL_THREADS)
        swapcontext(&threads[running].context, &explorer);
}

void model_fail(const char *what)
{
    if (!result.failure)
        result.failure = what;
    while (running < MODEL_THREADS)
        give_way(); // never to be gone on with
}

static uint64_t memory_at(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

// The place of a word of shared memory.
static size_t word_of(const void *at)
{
    return (size_t)((const char *)at - (const char *)model->shared) / sizeof(uint64_t);
}

static void reach_memory(struct thread *thread, unsigned index)
{
    memcpy(thread->stores[index].at, &thread->stores[index].value, sizeof(uint64_t));
    published[word_of(thread->stores[index].at)] = thread->stores[index].before;
    memmove(&thread->stores[index], &thread->stores[index + 1], (--thread->pending - index) * sizeof thread->stores[0]);
    memset(&thread->stores[thread->pending], 0, sizeof thread->stores[0]);
}

// Where the thread's view has it.
static char *viewed(struct thread *thread, const void *at)
{
    return thread->view + word_of(at) * sizeof(uint64_t);
}

static void synchronise(struct thread *thread)
{
    memcpy(thread->view, model->shared, model->size);
    for (unsigned i = 0; i < thread->pending; i++) // its own stores it always sees
        memcpy(viewed(thread, thread->stores[i].at), &thread->stores[i].value, sizeof(uint64_t));
}

uint64_t model_load(const void *at, bool acquire)
{
    give_way();
    if (running == MODEL_THREADS)
        return memory_at(at);
    struct thread *thread = &threads[running];
    for (unsigned i = thread->pending; i-- > 0;)
        if (thread->stores[i].at == at)
            return thread->stores[i].value;
    if (acquire) {
        synchronise(thread);
        thread->before |= published[word_of(at)];
    } else if (!late) {
        memcpy(viewed(thread, at), at, sizeof(uint64_t));
    }
    return memory_at(viewed(thread, at));
}

void model_store(void *at, uint64_t value, bool release)
{
    if (running == MODEL_THREADS) {
        memcpy(at, &value, sizeof value);
        return;
    }
    give_way();
    struct thread *thread = &threads[running];
    while (thread->pending == PENDING)
        reach_memory(thread, 0);
    thread->stores[thread->pending++] = (struct store){at, value, release ? thread->before : 0, release};
    memcpy(viewed(thread, at), &value, sizeof value);
}

static bool stands_pending(const struct thread *thread, const void *at)
{
    for (unsigned i = 0; i < thread->pending; i++)
        if (thread->stores[i].at == at)
            return true;
    return false;
}

static bool acquires(memory_order order)
{
    return order == memory_order_acquire || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

static bool releases(memory_order order)
{
    return order == memory_order_release || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

// A check's, not a thread's.
static bool exchange_now(void *at, uint64_t *expected, uint64_t value)
{
    uint64_t found = memory_at(at);
    bool same = found == *expected;
    if (same)
        memcpy(at, &value, sizeof value);
    *expected = found;
    return same;
}

// It finds what is newest, and goes on with what releases before it have said of the place.
bool model_exchange(void *at, uint64_t *expected, uint64_t value, memory_order success, memory_order failure)
{
    if (running == MODEL_THREADS)
        return exchange_now(at, expected, value);
    give_way();
    struct thread *thread = &threads[running];
    while (thread->pending && (releases(success) || stands_pending(thread, at)))
        reach_memory(thread, 0);
    bool same = exchange_now(at, expected, value);
    if (acquires(same ? success : failure)) {
        synchronise(thread);
        thread->before |= published[word_of(at)];
    }
    memcpy(viewed(thread, at), at, sizeof(uint64_t));
    if (same && releases(success))
        published[word_of(at)] |= thread->before;
    return same;
}

// ---- words that are not atomic --------------------------------------------------------------------------------------

static unsigned number_of(const uint64_t *at)
{
    unsigned number = 0;
    while (number < MODEL_PLAIN && plain[number] && plain[number] != at)
        number++;
    if (number == MODEL_PLAIN)
        abort();
    plain[number] = at;
    return number;
}

// Something has been done that nobody but this thread knows of yet, not by what was released earlier either.
static void forget(known what)
{
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        threads[i].before &= i == running ? ~(known)0 : ~what;
        for (unsigned store = 0; store < threads[i].pending; store++)
            threads[i].stores[store].before &= ~what;
    }
    for (unsigned i = 0; i < sizeof published / sizeof *published; i++)
        published[i] &= ~what;
}

static const char *const race = "a word that is not atomic is read and written at once";

uint64_t model_read(const uint64_t *at)
{
    uint64_t value = model_load(at, false);
    if (running == MODEL_THREADS)
        return value;
    unsigned word = number_of(at);
    if ((threads[running].before & WRITES(word)) == 0)
        model_fail(race);
    forget(READS(word, running));
    return value;
}

void model_write(uint64_t *at, uint64_t value)
{
    model_store(at, value, false);
    if (running == MODEL_THREADS)
        return;
    unsigned word = number_of(at);
    known all = WRITES(word);
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        all |= READS(word, i);
    if ((threads[running].before & all) != all)
        model_fail(race);
    forget(WRITES(word)); // who knows of this write knows of all reads before it
    threads[running].before |= all;
}

// ---- states ---------------------------------------------------------------------------------------------------------

static void enter(void)
{
    model->threads[running]();
    threads[running].done = true;
    for (;;)
        give_way();
}

static char *stack_pointer(const struct thread *thread)
{
    char *at = (char *)(uintptr_t)thread->context.uc_mcontext.gregs[REG_RSP];
    return at >= thread->stack && at <= thread->stack + STACK ? at : (char *)thread->stack;
}

static struct snapshot *keep(void)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        abort();
    memcpy(snapshot->shared, model->shared, model->size);
    memcpy(snapshot->published, published, sizeof published);
    for (unsigned i = 0; i < MODEL_THREADS && model->threads[i]; i++) {
        struct thread *thread = &threads[i];
        char *from = stack_pointer(thread) - 128; // the red zone
        snapshot->threads[i].context = thread->context;
        snapshot->threads[i].done = thread->done;
        memcpy(snapshot->threads[i].view, thread->view, model->size);
        snapshot->threads[i].before = thread->before;
        snapshot->threads[i].pending = thread->pending;
        memcpy(snapshot->threads[i].stores, thread->stores, sizeof thread->stores);
        snapshot->threads[i].live = (size_t)(thread->stack + STACK - from);
        snapshot->threads[i].stack = malloc(snapshot->threads[i].live);
        if (!snapshot->threads[i].stack)
            abort();
        memcpy(snapshot->threads[i].stack, from, snapshot->threads[i].live);
    }
    return snapshot;
}

static void put_back(const struct snapshot *snapshot)
{
    memcpy(model->shared, snapshot->shared, model->size);
    memcpy(published, snapshot->published, sizeof published);
    for (unsigned i = 0; i < MODEL_THREADS && model->threads[i]; i++) {
        struct thread *thread = &threads[i];
        size_t live = snapshot->threads[i].live;
        thread->context = snapshot->threads[i].context;
        thread->done = snapshot->threads[i].done;
        memcpy(thread->view, snapshot->threads[i].view, model->size);
        thread->before = snapshot->threads[i].before;
        thread->pending = snapshot->threads[i].pending;
        memcpy(thread->stores, snapshot->threads[i].stores, sizeof thread->stores);
        memcpy(thread->stack + STACK - live, snapshot->threads[i].stack, live);
    }
}

static void drop(struct snapshot *snapshot)
{
    for (unsigned i = 0; i < MODEL_THREADS; i++)
        free(snapshot->threads[i].stack);
    free(snapshot);
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    for (; size > 0; size--)
        hash = (hash ^ *at++) * UINT64_C(0x100000001B3);
    return hash;
}

// Of all that decides what can come: registers that a call keeps, and the stack that is in use.
static uint64_t hash_now(void)
{
    static const int registers[] = {REG_RIP, REG_RSP, REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};
    uint64_t hash = mix(UINT64_C(0xCBF29CE484222325), model->shared, model->size);
    hash = mix(hash, published, model->size);
    for (unsigned i = 0; i < MODEL_THREADS && model->threads[i]; i++) {
        const struct thread *thread = &threads[i];
        hash = mix(hash, &thread->done, sizeof thread->done);
        hash = mix(hash, &thread->before, sizeof thread->before);
        hash = mix(hash, &thread->pending, sizeof thread->pending);
        hash = mix(hash, thread->stores, thread->pending * sizeof thread->stores[0]);
        if (thread->done)
            continue;
        hash = mix(hash, thread->view, model->size);
        for (unsigned r = 0; r < sizeof registers / sizeof registers[0]; r++)
            hash = mix(hash, &thread->context.uc_mcontext.gregs[registers[r]], sizeof(greg_t));
        const char *from = stack_pointer(thread);
        hash = mix(hash, from, (size_t)(thread->stack + STACK - from));
    }
    return hash ? hash : 1;
}

static bool is_new(uint64_t hash)
{
    size_t at = hash >> 40 & (BUCKETS - 1);
    while (seen[at] && seen[at] != hash)
        at = (at + 1) & (BUCKETS - 1);
    if (seen[at] == hash)
        return false;
    if (result.states > BUCKETS / 4 * 3)
        model_fail("more states than the explorer has room for: bound the test");
    seen[at] = hash;
    return true;
}

// ---- the walk -------------------------------------------------------------------------------------------------------

// Whether store `index` may reach memory next: a release after all before it, others after those to the same place.
static bool may_reach(const struct thread *thread, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (thread->stores[index].release || thread->stores[i].at == thread->stores[index].at)
            return false;
    return true;
}

static void check(void)
{
    running = MODEL_THREADS;
    if (model->always)
        model->always();
}

static void walk(unsigned depth)
{
    uint64_t hash = hash_now();
    if (result.failure || !is_new(hash))
        return;
    result.states++;
    result.depth = depth > result.depth ? depth : result.depth;
    if (depth == DEPTH) {
        model_fail("a thread never ends: bound the test");
        return;
    }
    struct snapshot *here = keep();
    bool any = false;
    for (unsigned i = 0; i < MODEL_THREADS && model->threads[i]; i++) {
        for (unsigned turn = 0; !threads[i].done && turn < 2; turn++) {
            any = true;
            running = i;
            late = turn == 1;
            swapcontext(&explorer, &threads[i].context);
            result.steps++;
            check();
            walk(depth + 1);
            put_back(here);
        }
        for (unsigned store = 0; store < threads[i].pending; store++) {
            if (!may_reach(&threads[i], store))
                continue;
            any = true;
            reach_memory(&threads[i], store);
            result.steps++;
            check();
            walk(depth + 1);
            put_back(here);
        }
    }
    if (!any) {
        result.ends++;
        if (model->end)
            model->end();
    }
    drop(here);
}

struct model_result model_explore(const struct model *what)
{
    model = what;
    result = (struct model_result){0};
    seen = calloc(BUCKETS, sizeof *seen);
    if (!seen || model->size > SHARED)
        abort();
    memset(threads, 0, sizeof threads);
    memset(plain, 0, sizeof plain);
    memset(published, 0xFF, sizeof published); // everybody knows the beginning
    running = MODEL_THREADS;
    model->begin();
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        synchronise(&threads[i]);
        threads[i].before = ~(known)0;
    }
    for (unsigned i = 0; i < MODEL_THREADS && model->threads[i]; i++) {
        getcontext(&threads[i].context);
        threads[i].context.uc_stack.ss_sp = threads[i].stack;
        threads[i].context.uc_stack.ss_size = STACK;
        threads[i].context.uc_link = NULL;
        makecontext(&threads[i].context, enter, 0);
    }
    walk(0);
    running = MODEL_THREADS;
    free(seen);
    return result;
}
