// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/sim/posix.h"
#include "tests/sim/seam.h"

enum { FIBERS = 96, STACK_BYTES = 512 * 1024, FUEL = 1 << 30 };

struct sim sim;
int sim_fuel = FUEL;

struct sim_fiber {
    struct sim_process *process; // NULL: free
    void *stack;
    void *sp;
    uint64_t wake_ns;
    const void *waits_on;
    bool woken;
    bool done;
    void *(*run)(void *);
    void *argument;
    int error; // errno
};

static struct sim_fiber fibers[FIBERS], *fibers_end = fibers; // behind the last that ever ran
static struct sim_fiber *running;
static void *scheduler_sp;

void sim_switch(void **save, void *load);
// clang-format off
__asm__(".text\n"
        ".type sim_switch, @function\n"
        "sim_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size sim_switch, . - sim_switch\n");
// clang-format on

void sim_open(uint64_t seed, bool trace)
{
    sim = (struct sim){.seed = seed, .trace = trace, .now_ns = SIM_SECOND};
    struct random root = {seed * UINT64_C(0xD1B54A32D192ED03) + 1};
    sim.schedule.state = random_next(&root);
    sim.disk.state = random_next(&root);
    sim.net.state = random_next(&root);
    sim.client.state = random_next(&root);
    sim.chaos.state = random_next(&root);
    sim.risk.state = random_next(&root);
}

void sim_fail(const char *format, ...)
{
    char text[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fflush(stdout);
    printf("FAILED seed %llu, step %llu, %.6f s: %s\n", (unsigned long long)sim.seed, (unsigned long long)sim.step,
           (double)sim.now_ns / 1e9, text);
    fflush(stdout);
    _Exit(1);
}

void sim_note_bytes(const void *bytes, size_t size)
{
    const char *at = bytes;
    uint64_t word;
    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&word, at, 8);
        sim_note(word);
    }
    word = size;
    memcpy(&word, at, size);
    sim_note(word);
}

void sim_say(const char *format, ...)
{
    if (!sim.trace)
        return;
    va_list list;
    va_start(list, format);
    printf("%10llu %12.6f  ", (unsigned long long)sim.step, (double)sim.now_ns / 1e9);
    vprintf(format, list);
    putchar('\n');
    va_end(list);
}

// ---- events: a binary heap by time, then by age ---------------------------------------------------------------------

struct event_entry {
    uint64_t at_ns, age;
    sim_event *run;
    void *context;
    uint64_t argument;
};

static struct event_entry *heap;
static size_t heap_count, heap_room;
static uint64_t heap_age;

static bool comes_before(const struct event_entry *a, const struct event_entry *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->age < b->age;
}

void sim_after(uint64_t delay_ns, sim_event *run, void *context, uint64_t argument)
{
    if (heap_count == heap_room) {
        heap_room = heap_room ? 2 * heap_room : 256;
        heap = realloc(heap, heap_room * sizeof *heap);
        if (!heap)
            sim_fail("no memory");
    }
    struct event_entry entry = {sim.now_ns + delay_ns, heap_age++, run, context, argument};
    size_t at = heap_count++;
    for (; at > 0 && comes_before(&entry, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = entry;
}

static struct event_entry take_event(void)
{
    struct event_entry first = heap[0], last = heap[--heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap_count)
            break;
        if (child + 1 < heap_count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

// ---- fibres ---------------------------------------------------------------------------------------------------------

static void give_way(void)
{
    running->error = errno;
    sim_switch(&running->sp, scheduler_sp);
    errno = running->error;
}

static void fiber_main(void)
{
    struct sim_fiber *fiber = running;
    fiber->run(fiber->argument);
    fiber->done = true;
    fiber->wake_ns = SIM_NEVER;
    sim_wake(fiber, true);
    give_way();
    abort();
}

struct sim_fiber *sim_fiber_start(struct sim_process *process, void *(*run)(void *), void *argument)
{
    struct sim_fiber *fiber = fibers;
    while (fiber < fibers + FIBERS && fiber->process)
        fiber++;
    if (fiber == fibers + FIBERS)
        return NULL;
    fibers_end = fiber < fibers_end ? fibers_end : fiber + 1;
    void *stack = fiber->stack;
    if (!stack) {
        stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stack == MAP_FAILED)
            return NULL;
        mprotect(stack, 4096, PROT_NONE);
    }
    *fiber = (struct sim_fiber){.process = process, .stack = stack, .run = run, .argument = argument};
    fiber->wake_ns = sim.now_ns + random_below(&sim.schedule, 20 * SIM_US);
    uintptr_t *top = (uintptr_t *)((char *)stack + STACK_BYTES);
    *--top = 0; // as if fiber_main had been called: the stack is aligned so
    *--top = (uintptr_t)fiber_main;
    top -= 6; // registers
    memset(top, 0, 6 * sizeof *top);
    fiber->sp = top;
    return fiber;
}

struct sim_fiber *sim_fiber_self(void)
{
    return running;
}

struct sim_process *sim_process_self(void)
{
    return running ? running->process : NULL;
}

bool sim_fiber_done(const struct sim_fiber *fiber)
{
    return fiber->done;
}

void sim_fiber_free(struct sim_fiber *fiber)
{
    fiber->process = NULL;
}

// A scheduler that is not always prompt.
static uint64_t lateness(const struct sim_process *process)
{
    uint64_t late = random_below(&sim.schedule, sim_idle() ? 20 * SIM_US : 300);
    if (process->slow_ns && random_chance(&sim.schedule, 100000))
        late += random_below(&sim.schedule, process->slow_ns);
    return late;
}

void sim_sleep(uint64_t ns)
{
    running->wake_ns = sim.now_ns + ns + lateness(running->process);
    give_way();
}

bool sim_wait(const void *object, uint64_t deadline_ns)
{
    running->waits_on = object;
    running->woken = false;
    running->wake_ns = deadline_ns;
    give_way();
    running->waits_on = NULL;
    return running->woken;
}

void sim_wake(const void *object, bool all)
{
    for (struct sim_fiber *fiber = fibers; fiber < fibers_end; fiber++) {
        if (!fiber->process || fiber->done || fiber->waits_on != object || fiber->woken)
            continue;
        fiber->woken = true;
        fiber->wake_ns = sim.now_ns + lateness(fiber->process);
        if (!all)
            return;
    }
}

void sim_preempt(void)
{
    if (!running) { // the simulator's own use of the same code
        sim_fuel = FUEL;
        return;
    }
    running->wake_ns = sim.now_ns + random_below(&sim.schedule, random_chance(&sim.schedule, 20000) ? SIM_MS : 2000);
    give_way();
}

uint64_t sim_rdtsc(void)
{
    if (running)
        sim_sleep(sim_idle() ? 8 * SIM_US : 50);
    return sim.now_ns * (SIM_TSC_HZ / SIM_SECOND);
}

// ---- processes ------------------------------------------------------------------------------------------------------

static void *process_main(void *argument)
{
    struct sim_process *process = argument;
    static char config[] = "/etc/crosswire.yaml";
    char *list[] = {(char *)(uintptr_t)process->name, config, NULL};
    sim_process_exit(process->main(2, list));
}

void sim_process_start(struct sim_process *process)
{
    size_t size = (size_t)(process->data_end - process->data);
    if (!process->data_image) {
        process->data_image = malloc(size + 1);
        memcpy(process->data_image, process->data, size);
    }
    memcpy(process->data, process->data_image, size);
    memset(process->bss, 0, (size_t)(process->bss_end - process->bss));
    process->alive = true;
    process->killed = false;
    process->signals = 0;
    process->doom = 0;
    process->slow_ns = 0;
    process->starts++;
    process->last_line[0] = '\0';
    sim_note(process->number);
    sim_say("start %s", process->name);
    if (!sim_fiber_start(process, process_main, process))
        sim_fail("no fibre for %s", process->name);
}

static void end(struct sim_process *process, bool killed, int code)
{
    for (struct sim_fiber *fiber = fibers; fiber < fibers_end; fiber++) {
        if (fiber->process == process)
            fiber->process = NULL;
    }
    process->alive = false;
    process->killed = killed;
    process->exit_code = code;
    process->ended_ns = sim.now_ns;
    sim.stats[STAT_KILLS] += killed;
    sim_note((uint64_t)code << 8 | killed);
    sim_say("%s %s %d", process->name, killed ? "killed" : "exits", code);
    sim_release_process(process);
}

void sim_process_kill(struct sim_process *process)
{
    if (process->alive)
        end(process, true, 0);
}

void sim_process_exit(int code)
{
    end(running->process, false, code);
    void *nowhere;
    sim_switch(&nowhere, scheduler_sp);
    abort();
}

void sim_process_signal(struct sim_process *process, int number)
{
    if (!process->alive)
        return;
    process->signals |= 1u << number;
    sim_wake(&process->signals, true);
}

// ---- the loop -------------------------------------------------------------------------------------------------------

static struct sim_fiber *next_fiber(void)
{
    struct sim_fiber *next = NULL;
    for (struct sim_fiber *fiber = fibers; fiber < fibers_end; fiber++) {
        if (fiber->process && fiber->wake_ns != SIM_NEVER && (!next || fiber->wake_ns < next->wake_ns))
            next = fiber;
    }
    return next;
}

static void run_fiber(struct sim_fiber *fiber)
{
    struct sim_process *process = fiber->process;
    int fuel = random_chance(&sim.schedule, 60000) ? (int)random_between(&sim.schedule, 1, 300) : FUEL;
    if (process->doom && process->doom < fuel)
        fuel = process->doom;
    sim_fuel = fuel;
    running = fiber;
    sim_note((uint64_t)(fiber - fibers));
    sim_switch(&scheduler_sp, fiber->sp);
    running = NULL;
    int used = fuel - (sim_fuel > 0 ? sim_fuel : 0);
    sim_fuel = FUEL;
    if (!process->alive || !process->doom)
        return;
    if (used >= process->doom) {
        sim.stats[STAT_KILLS_INSIDE]++;
        sim_process_kill(process);
    } else {
        process->doom -= used;
    }
}

bool sim_run_one(void)
{
    struct sim_fiber *fiber = next_fiber();
    sim.step++;
    if (heap_count && (!fiber || heap[0].at_ns <= fiber->wake_ns)) {
        struct event_entry event = take_event();
        if (event.at_ns > sim.now_ns)
            sim.now_ns = event.at_ns;
        event.run(event.context, event.argument);
        return true;
    }
    if (!fiber)
        return false;
    if (fiber->wake_ns > sim.now_ns)
        sim.now_ns = fiber->wake_ns;
    run_fiber(fiber);
    return true;
}
