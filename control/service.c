// SPDX-License-Identifier: Apache-2.0
// One instance's control.
//
//   set-up:      service_start.c
//   serve loop:  sweep for generations -> recover the live one -> serve its gateways; about once a millisecond when
//   idle tear-down:   what is published made durable, journal closed, all in reverse
#include "control/service.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "contract/config.h"
#include "contract/fault.h"
#include "contract/log.h"
#include "contract/notify.h"
#include "control/memory_report.h"
#include "control/reload.h"
#include "control/service_state.h"

#define MS_NS UINT64_C(1000000)

enum {
    LIVENESS_MS = 20,
    SWEEP_MS = 50,
    PRESENCE_MS = 500,
    SCHEDULE_MS = 5,
    BREAKERS_MS = 20,
    HALT_GRACE_MS = 1000,
    TOGETHER_MS = 200,
    ALERT_MS = 5,
    PATIENCE_MS = 5000,
    PATIENCE_SECONDS = 30
};

uint64_t service_now_ns(void)
{
    struct timespec now;
    clock_gettime(FAULT(timer_by_wall_clock) ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Whether something that is done every `period_ms` is due.
static bool is_due(uint64_t *due_ns, uint64_t now_ns, unsigned period_ms)
{
    if (now_ns < *due_ns)
        return false;
    *due_ns = now_ns + period_ms * MS_NS;
    return true;
}

// ---- what the service manager shows ---------------------------------------------------------------------------------

__attribute__((format(printf, 2, 3))) static void note_status(struct service *service, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(service->status, sizeof service->status, format, list);
    va_end(list);
}

// What this process does, and what the venue can not do at the moment.
static void tell_status(const struct service *service)
{
    const char *text = breakers_text(service->breakers);
    const bool normal = strcmp(text, "normal") == 0;
    notify_status("%s%s%s%s%s", service->status, normal ? "" : "; ", normal ? "" : text, service->stands[0] ? "; " : "",
                  service->stands);
}

// ---- the serve loop -------------------------------------------------------------------------------------------------

static void leave_generation(struct service *service)
{
    requests_free(service->requests);
    recovery_free(service->recovery);
    service->requests = NULL;
    service->recovery = NULL;
    generation_leave(&service->generation);
}

// Whether the joined data plane has drained and halted in order.
static bool all_halted(const struct generation *generation)
{
    for (unsigned core = 0; core < generation->cores; core++) {
        if (atomic_load_explicit(&generation->blocks[core]->state, memory_order_acquire) != CORE_HALT)
            return false;
    }
    return true;
}

// Where the cores have ended, for the snapshots of the end.
static void note_end(struct service *service)
{
    const struct generation *generation = &service->generation;
    for (unsigned core = 0; core < generation->cores; core++) {
        const struct matcher_port *port = generation->ports[core];
        service->end.applied[core] = atomic_load_explicit(&port->applied_seq, memory_order_acquire);
        service->end.event_hash[core] = atomic_load_explicit(&port->event_hash, memory_order_relaxed);
    }
    service->ended = true;
}

static void watch_dataplane(struct service *service)
{
    struct generation *generation = &service->generation;
    if (generation_alive(generation))
        return;
    follower_hold(service->follower, true); // the next one's recovery comes first
    if (service->requests)
        while (alerts_poll(service->alerts, generation))
            ;
    kills_doubt(service->kills);
    service->lost = true;
    if (all_halted(generation))
        note_end(service);
    else
        log_event(LOG_XW2009, "\"generation\":%" PRIu64 ",\"undrained\":%" PRIu64,
                  generation->region.header->generation, generation_undrained(generation));
    leave_generation(service);
    service->sweep_due_ns = 0; // drains and removes it
    note_status(service, "waits for a data plane");
    tell_status(service);
}

static void look_for_dataplane(struct service *service)
{
    generation_sweep(&service->generation, service->config, service->writer);
    if (service->lost)
        retell_all(service->retell);
    service->lost = false;
    service->looked = true;
    if (!service->generation.joined)
        return;
    note_status(service, "recovers the day, generation %" PRIu64, service->generation.region.header->generation);
    tell_status(service);
    service->ended = false;
    service->recovery = recovery_new(&service->generation, service->config, &service->history, service->writer,
                                     &service->tail, service->limits, service->clocks);
}

static unsigned serve_generation(struct service *service, uint64_t now_ns)
{
    if (is_due(&service->heartbeat_due_ns, now_ns, CONTROL_SIGN_MS))
        atomic_fetch_add_explicit(&service->generation.region.header->control_heartbeat, 1, memory_order_relaxed);
    if (!recovery_done(service->recovery))
        return recovery_poll(service->recovery);
    if (is_due(&service->schedule_due_ns, now_ns, SCHEDULE_MS))
        recovery_keep_time(service->recovery);
    if (!service->requests) {
        service->requests = requests_new(&service->generation.region, service->config, service->auth, service->outbound,
                                         service->writer, service->logins);
        if (!service->requests)
            fail_with(EX_OSERR, "no memory");
        note_status(service, "serves generation %" PRIu64 " of %u", service->generation.region.header->generation,
                    service->config->date);
        tell_status(service);
        follower_hold(service->follower, false);
    }
    return requests_poll(service->requests, now_ns);
}

// What is wrong, without the folders of the file.
static void note_refused_reload(struct service *service, enum reload_result result, const char *by, const char *text)
{
    const char *why = text;
    for (const char *at = text; *at != '\0' && *at != ' '; at++)
        why = *at == '/' ? at + 1 : why;
    audit_note(service->audit, &(struct audit_entry){.what = result == RELOAD_LIMITS_REFUSED ? NOTE_LIMITS_REFUSED
                                                                                             : NOTE_RELOAD_REFUSED,
                                                     .by = by,
                                                     .why = why});
}

// The recovery of a data plane that runs a recovered day, or NULL.
static struct recovery *running(const struct service *service)
{
    return service->recovery && recovery_done(service->recovery) ? service->recovery : NULL;
}

// Not while the data plane stops: it has to come to an end of its inputs.
static void poll_breakers(struct service *service)
{
    struct senses senses = {.generation = NULL};
    const struct recovery *live = running(service);
    breakers_sense(service->config, &senses);
    if (live && !atomic_load_explicit(&service->generation.region.header->stop, memory_order_relaxed)) {
        senses.generation = &service->generation;
        senses.recovery = service->recovery;
        senses.kills = service->kills;
        for (unsigned core = 0; core < service->config->matchers_count; core++) {
            const char phase = recovery_phase(service->recovery, core);
            senses.trading |= (uint32_t)(phase == PHASE_PRE || phase == PHASE_REGULAR || phase == PHASE_AFTER) << core;
        }
    }
    char before[sizeof service->stands];
    memcpy(before, service->stands, sizeof before);
    standing_text(service->standing, service->kills, service->stands, sizeof service->stands);
    const bool other = breakers_poll(service->breakers, &senses) || strcmp(before, service->stands) != 0;
    if (other && service->ready && service->stops == 0)
        tell_status(service);
}

static bool take_configuration(struct service *service, const char *by, char *text, size_t size)
{
    const bool told = service->ready && service->stops == 0;
    if (told)
        notify_reloading();
    const char phase = running(service) ? phase_of(service->config, service->recovery) : 0;
    const enum reload_result result = reload(service->config, phase, service->path, service->auth, service->requests,
                                             service->limits, by, text, size);
    const bool taken = result == RELOAD_TAKEN;
    if (taken)
        audit_note(service->audit, &(struct audit_entry){.what = NOTE_RELOADED, .by = by, .why = text});
    else
        note_refused_reload(service, result, by, text);
    if (taken && !breakers_reload(service->breakers))
        fail_with(EX_OSERR, "no memory");
    if (taken)
        poll_breakers(service); // who is told that it is taken may kill this process: the data plane has it by then
    if (told && taken)
        notify_ready("reloaded");
    else if (told)
        notify_ready("reload refused: %s", text);
    return taken;
}

// For an operator who asks for it.
bool service_reload_asked(void *context, const char *by, char *text, size_t size)
{
    return take_configuration(context, by, text, size);
}

static void take_signal(struct service *service, int signal_number)
{
    if (signal_number == SIGUSR1) {
        memory_report("asked");
    } else if (signal_number == SIGHUP) {
        char text[512];
        take_configuration(service, LIMITS_FILE, text, sizeof text);
    } else if (signal_number > 0) {
        if (service->stops++ == 0) {
            service->asked_ns = service_now_ns();
            logins_flush(service->logins);
            log_event(LOG_XW2007, "\"signal\":%d", signal_number);
            notify_stopping("stops once all that was taken is durable");
        }
    }
}

// Asked to stop: not before a data plane that drains has halted and all it published is durable; when it runs on as
// soon as it can not have been asked at the same time, because the next control goes on where this one stops.
static bool may_stop(struct service *service, uint64_t now_ns)
{
    const struct generation *generation = &service->generation;
    if (service->stops == 0)
        return false;
    if (service->stops > 1 || !generation->joined)
        return true;
    if (!atomic_load_explicit(&generation->region.header->stop, memory_order_acquire))
        return now_ns - service->asked_ns > TOGETHER_MS * MS_NS;
    if (!all_halted(generation) || generation_undrained(generation) > 0)
        return false;
    // It is about to exit; once it has, its generation can be removed. One that does not is left for the next start.
    if (service->halted_ns == 0)
        service->halted_ns = now_ns;
    note_end(service);
    return now_ns - service->halted_ns > HALT_GRACE_MS * MS_NS;
}

// Once the journal has failed nothing more may leave the box: both processes end.
static void watch_journal(struct service *service, uint64_t now_ns)
{
    enum journal_result result = journal_writer_result(service->writer);
    if (result != JOURNAL_OK) {
        generation_fence(&service->generation, service->config, service->writer);
        fail_with(journal_exit_code(result), "%s", journal_writer_text(service->writer));
    }
    if (!is_due(&service->presence_due_ns, now_ns, PRESENCE_MS) || journal_writer_present(service->writer))
        return;
    generation_fence(&service->generation, service->config, service->writer);
    fail_with(
        EX_IOERR,
        "the journal of %u is not in %s any more, it was moved or removed while it was written: put it back, then "
        "start control again",
        service->config->date, service->config->journal_directory);
}

// Up is: the journal is open, and a data plane that is there runs a recovered day. One that is not there is not waited
// for: the service manager starts it only once we are up.
static void tell_ready(struct service *service)
{
    if (service->ready || !service->looked || (service->generation.joined && !running(service)))
        return;
    service->ready = true;
    if (service->generation.joined)
        notify_ready("serves generation %" PRIu64 " of %u", service->generation.region.header->generation,
                     service->config->date);
    else
        notify_ready("waits for a data plane");
}

// A start or a stop takes what it takes, as long as something is done.
static void ask_for_patience(struct service *service, unsigned work, uint64_t now_ns)
{
    service->worked |= work > 0;
    if ((service->ready && service->stops == 0) || !service->worked ||
        !is_due(&service->patience_due_ns, now_ns, PATIENCE_MS))
        return;
    service->worked = false;
    notify_patience(PATIENCE_SECONDS);
}

// This loop goes round, and the journal's thread as well, where it runs.
static void feed_watchdog(struct service *service, uint64_t now_ns)
{
    if (service->watchdog_ns == 0 || now_ns < service->watchdog_due_ns)
        return;
    const struct journal_thread *thread = service->generation.joined ? service->generation.thread : NULL;
    uint64_t turns = thread ? journal_thread_turns(thread) : service->journal_turns + 1;
    if (turns == service->journal_turns)
        return;
    service->journal_turns = turns;
    service->watchdog_due_ns = now_ns + service->watchdog_ns;
    notify_alive();
}

static void serve(struct service *service)
{
    static const struct timespec no_wait = {0}, soon = {.tv_nsec = 20000}, wait = {.tv_nsec = (long)MS_NS};
    uint64_t now_ns = service_now_ns(), worked_ns = 0;
    for (; !may_stop(service, now_ns); now_ns = service_now_ns()) {
        unsigned work = 0;
        if (service->generation.joined) {
            if (is_due(&service->liveness_due_ns, now_ns, LIVENESS_MS))
                watch_dataplane(service);
        } else if (is_due(&service->sweep_due_ns, now_ns, SWEEP_MS)) {
            look_for_dataplane(service);
        }
        if (service->generation.joined)
            work = serve_generation(service, now_ns);
        if (running(service))
            work += alerts_poll(service->alerts, &service->generation);
        work += operator_poll(service->desk, running(service), now_ns);
        if (running(service))
            work += history_poll(service->past, now_ns);
        if (history_complete(service->past))
            retell_poll(service->retell, running(service) ? &service->generation : NULL, now_ns);
        work += kills_poll(service->kills, running(service), now_ns);
        work += logins_poll(service->logins, now_ns);
        work += audit_poll(service->audit, running(service));
        watch_journal(service, now_ns);
        if (is_due(&service->breakers_due_ns, now_ns, BREAKERS_MS))
            poll_breakers(service);
        tell_ready(service);
        ask_for_patience(service, work, now_ns);
        feed_watchdog(service, now_ns);
        // A client that fetches a long stream asks again as soon as it is answered: be there.
        if (work)
            worked_ns = now_ns;
        const struct timespec *pause = work ? &no_wait : now_ns - worked_ns < ALERT_MS * MS_NS ? &soon : &wait;
        take_signal(service, sigtimedwait(&service->signals, NULL, pause));
    }
}

// ---- the whole ------------------------------------------------------------------------------------------------------

static int close_journal(struct service *service)
{
    // The data plane that has just halted and gone leaves a generation that nobody needs any more.
    if (!service->generation.joined && service->stops == 1)
        generation_sweep(&service->generation, service->config, service->writer);
    leave_generation(service);
    follower_stop(service->follower, service->ended ? &service->end : NULL);
    watch_journal(service, UINT64_MAX - PRESENCE_MS * MS_NS);
    enum journal_result result = journal_writer_close(service->writer);
    journal_keeper_stop(service->keeper, true);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result),
                  "journal %s/%08u: its end can not be written: mend the disk, then start control again",
                  service->config->journal_directory, service->config->date);
    return EX_OK;
}

int service_run(const char *path)
{
    struct service service = {.lock_fd = -1, .path = path, .watchdog_ns = notify_watchdog_ns() / 4};
    service_begin(&service, path);

    serve(&service);

    memory_report("stop");
    operator_free(service.desk);
    kills_free(service.kills);
    standing_free(service.standing);
    retell_free(service.retell);
    second_free(service.second);
    history_free(service.past);
    logins_free(service.logins);
    audit_free(service.audit);
    alerts_free(service.alerts);
    int exit_code = close_journal(&service);
    outbound_free(service.outbound);
    limits_desk_free(service.limits);
    auth_free(service.auth);
    breakers_free(service.breakers);
    log_event(LOG_XW2008, "\"exit\":%d", exit_code);
    close(service.lock_fd);
    config_free(service.config);
    return exit_code;
}
