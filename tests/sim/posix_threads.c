// SPDX-License-Identifier: Apache-2.0
// Threads, their locks, time, signals, chance: everything by which a thread waits or learns of the outside.
#include "tests/sim/posix.h"

#include <errno.h>
#include <string.h>

// ---- threads --------------------------------------------------------------------------------------------------------

int sys_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    (void)attributes;
    struct sim_fiber *fiber = sim_fiber_start(sim_process_self(), run, argument);
    if (!fiber)
        return EAGAIN;
    *thread = (pthread_t)fiber;
    return 0;
}

int sys_pthread_join(pthread_t thread, void **result)
{
    struct sim_fiber *fiber = (struct sim_fiber *)thread;
    while (!sim_fiber_done(fiber))
        sim_wait(fiber, SIM_NEVER);
    sim_fiber_free(fiber);
    if (result)
        *result = NULL;
    return 0;
}

pthread_t sys_pthread_self(void)
{
    return (pthread_t)sim_fiber_self();
}

int sys_pthread_once(pthread_once_t *once, void (*run)(void))
{
    if (*once != 2) {
        *once = 2;
        run();
    }
    return 0;
}

// A mutex's first word says who holds it.
static struct sim_fiber **holder(pthread_mutex_t *mutex)
{
    return (struct sim_fiber **)(void *)mutex;
}

int sys_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    (void)attributes;
    memset(mutex, 0, sizeof *mutex);
    return 0;
}

int sys_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int sys_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (*holder(mutex) && *holder(mutex) == sim_fiber_self())
        sim_fail("a thread locks a mutex that it holds");
    while (*holder(mutex))
        sim_wait(mutex, SIM_NEVER);
    *holder(mutex) = sim_fiber_self();
    return 0;
}

int sys_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    *holder(mutex) = NULL;
    sim_wake(mutex, true);
    return 0;
}

int sys_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    (void)attributes;
    memset(condition, 0, sizeof *condition);
    return 0;
}

int sys_pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

static int wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    *holder(mutex) = NULL;
    sim_wake(mutex, true);
    bool woken = sim_wait(condition, deadline_ns);
    sys_pthread_mutex_lock(mutex);
    return woken ? 0 : ETIMEDOUT;
}

int sys_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return wait_until(condition, mutex, SIM_NEVER);
}

// Against the wall clock, which is what a condition has unless told otherwise.
int sys_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    uint64_t wall_ns = (uint64_t)until->tv_sec * SIM_SECOND + (uint64_t)until->tv_nsec;
    uint64_t now_ns = sim.now_ns + sim.wall_ns;
    return wait_until(condition, mutex, sim.now_ns + (wall_ns > now_ns ? wall_ns - now_ns : 0));
}

int sys_pthread_cond_signal(pthread_cond_t *condition)
{
    sim_wake(condition, false);
    return 0;
}

int sys_pthread_cond_broadcast(pthread_cond_t *condition)
{
    sim_wake(condition, true);
    return 0;
}

int sys_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
    (void)thread, (void)size, (void)set;
    return 0;
}

int sys_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters)
{
    (void)thread, (void)policy, (void)parameters;
    return 0;
}

int sys_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    memset(set, 0, size);
    return 0;
}

int sys_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    (void)pid, (void)size, (void)set;
    return 0;
}

int sys_setpriority(int which, id_t who, int priority)
{
    (void)which, (void)who, (void)priority;
    return 0;
}

int sys_prctl(int option, ...)
{
    (void)option;
    return 0;
}

long sys_syscall(long number, ...)
{
    (void)number;
    return 0;
}

int sys_sched_yield(void)
{
    sim_sleep(0);
    return 0;
}

int sys_nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)rest;
    uint64_t ns = (uint64_t)time->tv_sec * SIM_SECOND + (uint64_t)time->tv_nsec;
    sim_sleep(sim_idle() ? ns + 20 * SIM_US : ns);
    return 0;
}

// ---- signals --------------------------------------------------------------------------------------------------------

int sys_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how, (void)set, (void)old;
    return 0;
}

int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how, (void)set, (void)old;
    return 0;
}

__sighandler_t sys_signal(int number, __sighandler_t handler)
{
    (void)number, (void)handler;
    return SIG_DFL;
}

static int pending(struct sim_process *process, const sigset_t *set)
{
    for (int number = 1; number < 32; number++) {
        if ((process->signals >> number & 1) && sigismember(set, number)) {
            process->signals &= ~(1u << number);
            return number;
        }
    }
    return 0;
}

int sys_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    (void)info;
    struct sim_process *process = sim_process_self();
    uint64_t ns = timeout ? (uint64_t)timeout->tv_sec * SIM_SECOND + (uint64_t)timeout->tv_nsec : SIM_NEVER;
    int number = pending(process, set);
    if (!number && ns == 0) {
        sim_is_active();
        sim_sleep(SIM_US);
    } else if (!number) {
        sim_wait(&process->signals, timeout ? sim.now_ns + ns + random_below(&sim.schedule, 20 * SIM_US) : SIM_NEVER);
        number = pending(process, set);
    }
    if (number)
        return number;
    errno = EAGAIN;
    return -1;
}

// ---- time -----------------------------------------------------------------------------------------------------------

int sys_clock_gettime(clockid_t clock, struct timespec *time)
{
    uint64_t ns = sim.now_ns + (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? sim.wall_ns : 0);
    time->tv_sec = (time_t)(ns / SIM_SECOND);
    time->tv_nsec = (long)(ns % SIM_SECOND);
    return 0;
}

// The simulated clock is synchronised; what breakers are for when it is not, their own tests show.
int sys_adjtimex(struct timex *clock)
{
    *clock = (struct timex){.status = STA_PLL, .maxerror = 1000};
    return TIME_OK;
}

time_t sys_time(time_t *out)
{
    time_t now = (time_t)((sim.now_ns + sim.wall_ns) / SIM_SECOND);
    if (out)
        *out = now;
    return now;
}

// ---- the process ----------------------------------------------------------------------------------------------------

pid_t sys_getpid(void)
{
    return 1000 + (pid_t)sim_process_self()->number;
}

pid_t sys_gettid(void)
{
    return sys_getpid();
}

uid_t sys_geteuid(void)
{
    return 0;
}

// No service manager has started these processes.
char *sys_getenv(const char *name)
{
    (void)name;
    return NULL;
}

int sys_sd_notify(int unset_environment, const char *state)
{
    (void)unset_environment, (void)state;
    return 0;
}

int sys_sd_notifyf(int unset_environment, const char *format, ...)
{
    (void)unset_environment, (void)format;
    return 0;
}

int sys_sd_watchdog_enabled(int unset_environment, uint64_t *interval_us)
{
    (void)unset_environment;
    *interval_us = 0;
    return 0;
}

int sys_getcpu(unsigned *cpu, unsigned *node)
{
    if (cpu)
        *cpu = 0;
    if (node)
        *node = 0;
    return 0;
}

void sys_exit(int code)
{
    sim_process_exit(code);
}

void sys_abort(void)
{
    struct sim_process *process = sim_process_self();
    sim_fail("%s aborts", process ? process->name : "the simulator");
}

ssize_t sys_getrandom(void *out, size_t size, unsigned flags)
{
    (void)flags;
    sys_randombytes_buf(out, size);
    return (ssize_t)size;
}

void sys_randombytes_buf(void *out, size_t size)
{
    for (char *at = out; size > 0; size--)
        *at++ = (char)random_next(&sim.schedule);
}

// The real hash takes milliseconds by design; the simulated users' hashes end with what their passwords end with.
int sys_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long length)
{
    sim_sleep(random_between(&sim.schedule, 100 * SIM_US, 5 * SIM_MS));
    size_t end = strlen(hash);
    return end > 0 && length > 0 && hash[end - 1] == password[length - 1] ? 0 : -1;
}
