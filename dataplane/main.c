// SPDX-License-Identifier: Apache-2.0
// crosswire-dataplane: an ordered list of set-ups, mirrored by the tear-down, and a main thread that waits for a signal
// or for a core that fails. Everything that costs time happens on the pinned lcores.
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/config.h"
#include "contract/log.h"
#include "contract/notify.h"
#include "contract/region.h"
#include "contract/version.h"
#include "cores/lcore_loop.h"
#include "cores/role.h"
#include "io/dpdk_version.h"
#include "io/eal.h"
#include "io/port.h"
#include "memory.h"
#include "needs.h"
#include "topology.h"
#include "watchdog.h"

#define WATCH_INTERVAL_NS 20000000L
#define PATIENCE_SECONDS 30 // more for a start or a stop, as long as control shows life
#define DRAIN_SECONDS 10    // without a sign of control, after a stop was asked for
#define FENCE_SECONDS 1     // for what was released before control's journal failed

static const struct role_descriptor *const descriptors[ROLE_COUNT] = {
    [ROLE_GATEWAY] = &gateway_role, [ROLE_MATCHER] = &matcher_role, [ROLE_PUBLISHER] = &publisher_role};

struct running_role {
    const struct role_descriptor *descriptor;
    void *instance;
    struct core_block *block;
    unsigned index;
};

static struct dataplane {
    const char *path;
    struct config *config;
    struct topology topology;
    struct region region;
    struct running_role roles[TOPOLOGY_ROLES_MAX];
    unsigned role_count;
    struct lcore_loop loops[TOPOLOGY_ROLES_MAX];
    unsigned loop_count;
    unsigned launched;
    _Atomic bool quit;
    struct watchdog watchdog;
    bool is_running;        // all cores have been seen in CORE_RUN
    double patience_due;    // when the service manager is next asked to wait
    uint64_t patience_beat; // control's heartbeat then
    bool was_launched;      // from then on the region may hold acknowledged orders
    unsigned stages;        // set up so far
    char error[512];
} plane;

static void our_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
}

// ---- set-ups and their tear-downs, in pairs
// --------------------------------------------------------------------------

static int signals_up(void)
{
    sigset_t signals;
    our_signals(&signals);
    // Before any thread: all inherit it, and only the main thread waits for them.
    return sigprocmask(SIG_BLOCK, &signals, NULL) == 0 ? 0 : EX_OSERR;
}

static int topology_up(void)
{
    int result = topology_build(plane.config, &plane.topology, plane.error, sizeof plane.error);
    for (unsigned i = 0; result == 0 && i < plane.topology.role_count; i++) {
        const struct topology_role *at = &plane.topology.roles[i];
        if (lcore_loop_can_idle(at->idle))
            continue;
        snprintf(plane.error, sizeof plane.error, "lcore %u: `idle: %s` needs a CPU with WAITPKG: write pause, or spin",
                 at->lcore, config_idle_name(at->idle));
        result = EX_CONFIG;
    }
    return result;
}

// Before anything is made: a lack of huge pages that shows in the middle of the start would leave half of it behind.
static int needs_up(void)
{
    static struct needs needs;
    needs_count(plane.config, &plane.topology, descriptors, &needs);
    return needs_check(plane.config, &needs, "", plane.error, sizeof plane.error);
}

static int eal_up(void)
{
    return eal_start(plane.config, plane.error, sizeof plane.error);
}

static int ports_up(void)
{
    return ports_open(plane.config, plane.error, sizeof plane.error);
}

static int region_up(void)
{
    static struct region_plan plan;
    const char *directory = plane.config->run_directory;
    topology_plan(&plane.topology, &plan);
    switch (region_create(&plane.region, directory, plane.config->instance, &plan, plane.config->hash)) {
    case REGION_OK:
        return 0;
    case REGION_BUSY:
        snprintf(plane.error, sizeof plane.error,
                 "another crosswire-dataplane runs instance %s in %s: stop it, or give this one another instance name",
                 plane.config->instance, directory);
        return EX_UNAVAILABLE;
    default:
        snprintf(plane.error, sizeof plane.error,
                 "no region in %s: %s: make the directory, writable and with room (run_directory)", directory,
                 strerror(errno));
        return EX_CANTCREAT;
    }
}

static void region_down(void)
{
    uint64_t generation = plane.region.header->generation;
    if (!plane.was_launched) // nothing can be in it
        region_remove(plane.config->run_directory, plane.config->instance, generation);
    region_leave(&plane.region);
}

static struct lcore_loop *loop_of(const struct topology_role *role)
{
    for (unsigned i = 0; i < plane.loop_count; i++) {
        if (plane.loops[i].lcore == role->lcore)
            return &plane.loops[i];
    }
    struct lcore_loop *loop = &plane.loops[plane.loop_count++];
    *loop = (struct lcore_loop){.lcore = role->lcore,
                                .tsc_hz = eal_tsc_hz(),
                                .idle = role->idle,
                                .header = plane.region.header,
                                .quit = &plane.quit};
    return loop;
}

// Runs the role's init on its own CPU, so that the memory that it touches is near.
static void *init_near(const struct role_descriptor *descriptor, unsigned index, struct core_block *block,
                       uint32_t lcore)
{
    cpu_set_t before, there;
    CPU_ZERO(&there);
    CPU_SET(lcore, &there);
    sched_getaffinity(0, sizeof before, &before);
    sched_setaffinity(0, sizeof there, &there);
    struct role_context *context = memory_take(sizeof *context, "roles");
    *context = (struct role_context){plane.config, &plane.region, index, block, memory_take, eal_tsc_hz()};
    void *instance = descriptor->init(context, plane.error, sizeof plane.error);
    sched_setaffinity(0, sizeof before, &before);
    return instance;
}

static int roles_up(void)
{
    for (unsigned i = 0; i < plane.topology.role_count; i++) {
        const struct topology_role *at = &plane.topology.roles[i];
        const struct role_descriptor *descriptor = descriptors[at->role];
        struct core_block *block = region_find(&plane.region, OBJECT_CORE, at->role, at->index);
        xw_assert(block && descriptor);
        struct lcore_loop *loop = loop_of(at);
        void *instance = init_near(descriptor, at->index, block, at->lcore);
        if (!instance)
            return EX_CONFIG;
        lcore_loop_add(loop, descriptor, instance, block);
        plane.roles[plane.role_count++] = (struct running_role){descriptor, instance, block, at->index};
        watchdog_add(&plane.watchdog, block);
    }
    memory_seal();
    return 0;
}

static void roles_down(void)
{
    while (plane.role_count > 0) {
        const struct running_role *role = &plane.roles[--plane.role_count];
        if (role->descriptor->fini)
            role->descriptor->fini(role->instance);
    }
}

static int lcores_up(void)
{
    plane.was_launched = true;
    for (; plane.launched < plane.loop_count; plane.launched++) {
        struct lcore_loop *loop = &plane.loops[plane.launched];
        if (!eal_launch(loop->lcore, lcore_loop_run, loop)) {
            snprintf(plane.error, sizeof plane.error, "lcore %u did not start: give its roles another lcore",
                     loop->lcore);
            return EX_OSERR;
        }
    }
    log_event(LOG_XW1001, "\"generation\":%" PRIu64 ",\"region\":%s,\"roles\":%u,\"lcores\":%u",
              plane.region.header->generation, log_quote(plane.region.path), plane.role_count, plane.loop_count);
    notify_status("waits for crosswire-control to recover the day");
    return 0;
}

static void lcores_down(void)
{
    atomic_store_explicit(&plane.quit, true, memory_order_release);
    while (plane.launched > 0)
        eal_join(plane.loops[--plane.launched].lcore);
}

static const struct stage {
    int (*up)(void); // 0, or a sysexits code with a line in plane.error
    void (*down)(void);
} stages[] = {
    {signals_up, NULL},      {topology_up, NULL},      {needs_up, NULL},       {eal_up, eal_stop},
    {ports_up, ports_close}, {region_up, region_down}, {roles_up, roles_down}, {lcores_up, lcores_down},
};
#define STAGES (sizeof stages / sizeof stages[0])

static void tear_down(void)
{
    while (plane.stages > 0) {
        const struct stage *stage = &stages[--plane.stages];
        if (stage->down)
            stage->down();
    }
}

static void no_memory(const char *text)
{
    char line[512];
    snprintf(line, sizeof line, "%s", text);
    roles_down(); // the stage that asks for memory is not complete yet
    tear_down();
    fail_with(EX_OSERR, "%s", line);
}

static void set_up(void)
{
    memory_open(plane.config->dataplane.huge_pages, no_memory);
    for (; plane.stages < STAGES; plane.stages++) {
        int result = stages[plane.stages].up();
        if (result == 0)
            continue;
        // What a stage has begun its own tear-down ends.
        if (stages[plane.stages].up == roles_up || stages[plane.stages].up == lcores_up)
            plane.stages++;
        tear_down();
        fail_with(result, "%s", plane.error);
    }
}

// ---- watching -------------------------------------------------------------------------------------------------------

static bool all_in(enum core_state state)
{
    for (unsigned i = 0; i < plane.role_count; i++) {
        // Acquire pairs with the release of CORE_HALT in the lcore's loop.
        if (atomic_load_explicit(&plane.roles[i].block->state, memory_order_acquire) != state)
            return false;
    }
    return true;
}

static const struct running_role *failed_role(void)
{
    for (unsigned i = 0; i < plane.role_count; i++) {
        if (atomic_load_explicit(&plane.roles[i].block->state, memory_order_acquire) == CORE_FAIL)
            return &plane.roles[i];
    }
    return NULL;
}

// A failed core's reason to the log and, as one line, to plane.error. Returns the exit code.
static int report_failure(const struct running_role *role)
{
    const struct matcher_port *port =
        role->descriptor->role == ROLE_MATCHER ? region_find(&plane.region, OBJECT_MATCHER, 0, role->index) : NULL;
    uint64_t at = port ? atomic_load_explicit(&port->diverged_seq, memory_order_acquire) : 0;
    if (at == 0) {
        log_event(LOG_XW1005, "\"role\":%s,\"index\":%u", log_quote(role->descriptor->name), role->index);
        snprintf(plane.error, sizeof plane.error,
                 "%s %u failed: report it with the log and the journal; a restart recovers the day",
                 role->descriptor->name, role->index);
        return EX_SOFTWARE;
    }
    uint64_t want = atomic_load(&port->diverged_want), got = atomic_load(&port->diverged_got);
    log_event(LOG_XW1005,
              "\"role\":%s,\"index\":%u,\"reason\":\"diverged\",\"sequence\":%" PRIu64 ",\"journal_hash\":\"%" PRIx64
              "\",\"engine_hash\":\"%" PRIx64 "\"",
              log_quote(role->descriptor->name), role->index, at, want, got);
    snprintf(plane.error, sizeof plane.error,
             "matcher %u: before command %" PRIu64 " this engine's events differ from the journal's (hash %" PRIx64
             ", journal %" PRIx64 "): start the version that wrote the journal",
             role->index, at, got, want);
    return EX_DATAERR;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// SIGHUP: no key of the data plane can change while it runs. Tells whether the file is one that it goes on with.
static void reload(void)
{
    char text[512];
    if (plane.is_running)
        notify_reloading();
    struct config *next = config_load(plane.path, text, sizeof text);
    bool fits = next && config_fits(plane.config, next, text, sizeof text);
    if (fits)
        log_event(LOG_XW1009, "\"path\":%s", log_quote(plane.path));
    else
        log_event(LOG_XW1010, "\"reason\":%s", log_quote(text));
    if (plane.is_running && fits)
        notify_ready("running");
    else if (plane.is_running)
        notify_ready("running; reload refused: %s", text);
    config_free(next);
}

// Waits for a signal for one interval of the watch. Returns whether it asks us to stop.
static bool asked_to_stop(void)
{
    const struct timespec interval = {.tv_nsec = WATCH_INTERVAL_NS};
    sigset_t signals;
    our_signals(&signals);
    int number = sigtimedwait(&signals, NULL, &interval);
    if (watchdog_due(&plane.watchdog, (uint64_t)(seconds_now() * 1e9)))
        notify_alive();
    if (number == SIGHUP)
        reload();
    return number > 0 && number != SIGHUP;
}

// A start or a stop may take what it takes as long as control works on it: the service manager is told to wait.
static void ask_for_patience(void)
{
    uint64_t beat = atomic_load(&plane.region.header->control_heartbeat);
    if (seconds_now() < plane.patience_due || beat == plane.patience_beat)
        return;
    plane.patience_due = seconds_now() + PATIENCE_SECONDS / 4.0;
    plane.patience_beat = beat;
    notify_patience(PATIENCE_SECONDS);
}

// Whether control has closed the gates for good.
static bool is_fenced(void)
{
    return atomic_load_explicit(&plane.region.header->stop, memory_order_acquire) == REGION_STOP_FENCED;
}

// Runs until a signal, until control fences us off or until a core fails. Returns 0 or an exit code.
static int watch(void)
{
    while (!asked_to_stop() && !is_fenced()) {
        const struct running_role *failed = failed_role();
        if (failed)
            return report_failure(failed);
        if (!plane.is_running && all_in(CORE_RUN)) {
            plane.is_running = true;
            log_event(LOG_XW1002, "\"generation\":%" PRIu64, plane.region.header->generation);
            notify_ready("running");
        } else if (!plane.is_running) {
            ask_for_patience();
        }
    }
    return 0;
}

// The line for an end with something left. Returns the exit code.
static int report_undrained(bool fenced)
{
    uint64_t generation = plane.region.header->generation;
    log_event(LOG_XW1008, "\"generation\":%" PRIu64 ",\"fenced\":%s", generation, fenced ? "true" : "false");
    snprintf(plane.error, sizeof plane.error, "%s: start crosswire-control%s, which drains generation %" PRIu64,
             fenced ? "the journal has failed, nothing more is acknowledged"
                    : "stopped before everything was durable and sent",
             fenced ? " once what its log says is mended" : "", generation);
    return fenced ? EX_IOERR : EX_TEMPFAIL;
}

// Asks every role to drain and waits until all have halted. While control shows life it may take what it takes; a
// second signal, or DRAIN_SECONDS without control, ends the wait. Once fenced nothing is waited for that can not come.
static int drain(void)
{
    const _Atomic uint64_t *control = &plane.region.header->control_heartbeat;
    uint64_t beat = atomic_load(control);
    double since = seconds_now();
    log_event(LOG_XW1003, "\"generation\":%" PRIu64, plane.region.header->generation);
    notify_stopping("draining: what was taken is made durable and sent");
    plane.is_running = false; // no reload speaks of readiness any more
    // Release pairs with the acquire in the lcores' loops and in the roles.
    uint32_t runs = 0;
    atomic_compare_exchange_strong_explicit(&plane.region.header->stop, &runs, REGION_STOP_ASKED, memory_order_release,
                                            memory_order_relaxed);
    while (!all_in(CORE_HALT)) {
        const struct running_role *failed = failed_role();
        if (failed)
            return report_failure(failed);
        if (atomic_load(control) != beat) {
            beat = atomic_load(control);
            since = seconds_now();
            ask_for_patience();
        }
        if (asked_to_stop() || seconds_now() - since > (is_fenced() ? FENCE_SECONDS : DRAIN_SECONDS))
            return report_undrained(is_fenced());
    }
    return is_fenced() ? report_undrained(true) : 0;
}

static struct config *load(const char *path)
{
    if (access(path, R_OK) != 0)
        fail_with(EX_NOINPUT, "%s: %s: name a configuration file (an example: control/crosswire.yaml)", path,
                  strerror(errno));
    struct config *config = config_load(path, plane.error, sizeof plane.error);
    if (!config)
        fail_with(EX_CONFIG, "%s", plane.error);
    return config;
}

static void print_topology(const char *path)
{
    plane.config = load(path);
    int result = topology_up();
    if (result != 0)
        fail_with(result, "%s", plane.error);
    topology_print(&plane.topology, stdout);
    config_free(plane.config);
    exit(EX_OK);
}

static void print_needs(const char *path)
{
    static struct needs needs;
    plane.config = load(path);
    int result = topology_up();
    if (result != 0)
        fail_with(result, "%s", plane.error);
    needs_count(plane.config, &plane.topology, descriptors, &needs);
    needs_print(plane.config, &plane.topology, &needs, stdout);
    config_free(plane.config);
    exit(EX_OK);
}

static void print_version(void)
{
    version_print("crosswire-dataplane");
    printf("DPDK %s built against, %s running\n", dpdk_version_built(), dpdk_version_running());
    exit(EX_OK);
}

static const char *arguments(int count, char **list)
{
    static const char usage[] =
        "usage: crosswire-dataplane CONFIG             run the data plane in the foreground\n"
        "       crosswire-dataplane CONFIG --topology  print roles, lcores and rings, and end\n"
        "       crosswire-dataplane CONFIG --needs     print what it needs of the host, and end\n"
        "       crosswire-dataplane --version | --help\n"
        "CONFIG is YAML: crosswire-control --describe-config lists its keys. SIGTERM drains and ends; SIGHUP reads it "
        "again.\n";
    if (count == 2 && strcmp(list[1], "--help") == 0) {
        fputs(usage, stdout);
        exit(EX_OK);
    }
    if (count == 2 && strcmp(list[1], "--version") == 0)
        print_version();
    if (count == 3 && strcmp(list[2], "--topology") == 0)
        print_topology(list[1]);
    if (count == 3 && strcmp(list[2], "--needs") == 0)
        print_needs(list[1]);
    if (count != 2 || list[1][0] == '-')
        fail_with(EX_USAGE, "one configuration file wanted: crosswire-dataplane CONFIG, or --help");
    return list[1];
}

int main(int count, char **list)
{
    log_open("crosswire-dataplane", "");
    plane.path = arguments(count, list);
    plane.config = load(plane.path);
    log_open("crosswire-dataplane", plane.config->instance);
    watchdog_open(&plane.watchdog, notify_watchdog_ns());
    set_up();
    int result = watch();
    if (result == 0)
        result = drain();
    lcores_down();
    if (result == 0)
        log_event(LOG_XW1004, "\"generation\":%" PRIu64 ",\"eal_heap_bytes\":%" PRIu64, plane.region.header->generation,
                  eal_heap_bytes());
    tear_down();
    config_free(plane.config);
    if (result != 0)
        fail_with(result, "%s", plane.error);
    return EX_OK;
}
