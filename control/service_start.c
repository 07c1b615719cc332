// SPDX-License-Identifier: Apache-2.0
// The set-up of one instance's control: signals, config, log, lock, journal, auth, outbound, risk, desks.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/config.h"
#include "contract/log.h"
#include "control/memory_report.h"
#include "control/passwords.h"
#include "control/recovery/snapshot_file.h"
#include "control/service_state.h"

// Before any thread is made, so that all of them leave the signals to the loop.
static void block_signals(struct service *service)
{
    sigemptyset(&service->signals);
    sigaddset(&service->signals, SIGTERM);
    sigaddset(&service->signals, SIGINT);
    sigaddset(&service->signals, SIGUSR1);
    sigaddset(&service->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &service->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is a failed write like others
}

static void load_config(struct service *service, const char *path)
{
    char error[1024];
    log_open("crosswire-control", "");
    service->config = config_load(path, error, sizeof error);
    if (!service->config)
        fail_with(access(path, R_OK) ? EX_NOINPUT : EX_CONFIG, "%s", error);
    log_open("crosswire-control", service->config->instance);
    if (service->config->ack_mode == ACK_REPLICATED)
        fail_with(EX_CONFIG, "%s: ack: replicated is not available: set ack to durable or matched", path);
    const char *limits = service->config->risk.limits;
    service->limits = limits_desk_new(service->config, limits, error, sizeof error);
    if (!service->limits)
        fail_with(limits[0] && access(limits, R_OK) ? EX_NOINPUT : EX_CONFIG, "%s", error);
}

// One control an instance: two would write one journal.
static void take_lock(struct service *service)
{
    const struct config *config = service->config;
    char path[512];
    region_control_lock(path, sizeof path, config->run_directory, config->instance);
    service->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (service->lock_fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
        fail_with(EX_NOPERM, "%s: %s: run as the user whose it is, or who may write to the directory: ls -ld %s %s",
                  path, strerror(errno), config->run_directory, path);
    if (service->lock_fd < 0)
        fail_with(EX_CANTCREAT, "%s: %s: make run_directory with: mkdir -p %s", path, strerror(errno),
                  config->run_directory);
    if (flock(service->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return;
    fail_with(EX_UNAVAILABLE,
              "%s is held: another crosswire-control of instance %s runs: stop it, or set another instance", path,
              config->instance);
}

// Before the journal is opened: a key that can not be had must not be found missing in mid-day.
static void load_key(struct service *service)
{
    char text[512];
    if (service->config->journal.signing_key[0] == '\0')
        return;
    int code = journal_key_load(service->config->journal.signing_key, &service->key, text, sizeof text);
    if (code)
        fail_with(code, "journal.signing_key: %s", text);
}

static void start_keeper(struct service *service)
{
    const struct config *config = service->config;
    const struct journal_keeper_options options = {
        .key = config->journal.signing_key[0] ? &service->key : NULL,
        .compress = config->journal.compress,
        .keep_days = config->journal.keep_days,
        .keep_mb = config->journal.keep_mb,
        .unread = service->tail.unread,
    };
    service->keeper = journal_keeper_start(&service->history, &options);
    if (!service->keeper)
        fail_with(EX_OSERR, "can not start the thread that seals the journal: %s", strerror(errno));
}

// Commands of another engine version are not replayed: what it has taken must stand in snapshots. Decided before
// anything is written, so that the build of that version can still go on.
static bool snapshots_stand(const struct service *service)
{
    for (unsigned core = 0; core < service->config->matchers_count; core++) {
        uint64_t foreign = service->tail.foreign[core];
        if (foreign && !snapshot_stands(&service->identity, core, foreign))
            return false;
    }
    return true;
}

// What the newest snapshot of each core covers. One that turns out to be bad is no harm: what is then read of the
// journal is checked as it is read.
static void note_covered(const struct service *service, uint64_t covered[JOURNAL_CORES])
{
    for (unsigned core = 0; core < service->config->matchers_count; core++)
        snapshot_list(&service->identity, core, &covered[core], 1);
}

static enum journal_result scan(struct service *service)
{
    uint64_t covered[JOURNAL_CORES] = {0};
    service->history = service->identity;
    note_covered(service, covered);
    enum journal_result result = journal_scan_after(&service->identity, covered, &service->tail);
    if (result != JOURNAL_ENGINE)
        return result;
    struct journal_report refusal = service->tail;
    service->history.any_engine = true;
    if (journal_scan(&service->history, &service->tail) == JOURNAL_OK && snapshots_stand(service))
        return JOURNAL_OK;
    service->tail = refusal;
    return JOURNAL_ENGINE;
}

static void open_journal(struct service *service)
{
    const struct config *config = service->config;
    char text[256];
    service->identity = (struct journal_identity){.directory = config->journal_directory,
                                                  .instance = config->instance,
                                                  .date = config->date,
                                                  .config_hash = config->hash,
                                                  .key = config->journal.signing_key[0] ? &service->key : NULL};
    struct journal_writer_options options = {.segment_mb = config->journal.segment_mb,
                                             .commit_kb = config->journal.commit_kb};
    if (access(config->journal_directory, F_OK) != 0)
        fail_with(EX_CANTCREAT, "journal_directory %s: %s: make it with: mkdir -p %s", config->journal_directory,
                  strerror(errno), config->journal_directory);
    struct stat status;
    if (stat(config->journal_directory, &status) == 0 && !S_ISDIR(status.st_mode))
        fail_with(EX_CANTCREAT, "journal_directory %s is a file: name a directory", config->journal_directory);
    if (access(config->journal_directory, W_OK | X_OK) != 0)
        fail_with(errno == EACCES ? EX_NOPERM : EX_CANTCREAT,
                  "journal_directory %s: %s: give this user the right to write there, or remount it writable",
                  config->journal_directory, strerror(errno));
    enum journal_result result = scan(service);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", service->tail.text);
    if (service->tail.torn)
        log_event(LOG_XW3003, "\"segment\":%u,\"block\":%u,\"blocks\":%u", service->tail.torn_at.segment,
                  service->tail.torn_at.block, service->tail.torn_blocks);
    result = journal_writer_open(&service->writer, &service->identity, &options, &service->tail, text, sizeof text);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", text);
}

static void tell_breakers(void *context, unsigned core, const struct alert *alert)
{
    const struct service *service = context;
    (void)core;
    breakers_alert(service->breakers, alert, service_now_ns());
}

static void tell_reference(void *context, unsigned core, const struct command *command)
{
    const struct service *service = context;
    breakers_reference(service->breakers, core, command, service_now_ns());
}

static void read_for_breakers(void *context, const struct command *record)
{
    const struct service *service = context;
    breakers_read(service->breakers, record);
}

static void end_of_history(void *context, uint64_t now_ns)
{
    const struct service *service = context;
    breakers_read_end(service->breakers, now_ns);
    retell_all(service->retell);
}

static void open_services(struct service *service)
{
    service->auth = auth_new(service->config);
    if (!service->auth)
        fail_with(EX_OSERR, "can not start the login thread: %s", strerror(errno));
    service->breakers = breakers_new(service->config);
    if (!service->breakers)
        fail_with(EX_OSERR, "no memory");
    auth_watch(service->auth, service->breakers);
    char error[512];
    service->outbound = outbound_new(service->config, &service->identity);
    if (!service->outbound)
        fail_with(EX_OSERR, "no memory");
    snapshot_clean(&service->identity);
    if (service->config->snapshots.every_seconds || service->config->snapshots.every_commands) {
        service->follower = follower_start(service->config, &service->history, service->writer);
        if (!service->follower)
            fail_with(EX_OSERR, "can not start the thread that writes snapshots: %s", strerror(errno));
    }
    struct passwords passwords;
    int result = passwords_read(service->config, &passwords, error, sizeof error);
    if (result != 0)
        fail_with(result, "%s", error);
    for (uint32_t i = 0; i < passwords.count; i++)
        auth_set_hash(service->auth, i, passwords.hash[i]);
    passwords_free(&passwords);
    service->alerts = alerts_new(service->config);
    if (service->alerts)
        alerts_register(service->alerts, tell_breakers, service);
    service->audit = audit_new();
    service->logins = service->audit ? logins_new(service->config, service->audit) : NULL;
    service->past = history_new(&service->history, service->writer);
    service->retell = retell_new(service->config, &service->history, service->writer);
    if (service->alerts && service->audit && service->past && service->retell) {
        service->kills = kills_new(service->config, service->writer, service->past, service->retell, service->alerts,
                                   service->audit);
        service->standing = standing_new(service->config, service->retell, service->alerts);
    }
    if (service->kills && service->standing)
        service->second = second_new(service->limits, service->past, service->audit);
    if (!service->second || !service->logins)
        fail_with(EX_OSERR, "no memory");
    limits_desk_hear(service->limits, tell_reference, service);
    history_register(service->past, read_for_breakers, end_of_history, service);
    service->for_operators = (struct desk_context){.config = service->config,
                                                   .outbound = service->outbound,
                                                   .writer = service->writer,
                                                   .kills = service->kills,
                                                   .standing = service->standing,
                                                   .audit = service->audit,
                                                   .limits = service->limits,
                                                   .breakers = service->breakers,
                                                   .reload = service_reload_asked,
                                                   .service = service};
    service->desk = operator_new(&service->for_operators, error, sizeof error);
    if (!service->desk)
        fail_with(EX_CANTCREAT, "%s", error);
}

void service_begin(struct service *service, const char *path)
{
    block_signals(service);
    load_config(service, path);
    take_lock(service);
    load_key(service);
    open_journal(service);
    start_keeper(service);
    open_services(service);
    log_event(LOG_XW2001, "\"date\":%u,\"ack\":\"%s\",\"epoch\":%" PRIu64, service->config->date, service->config->ack,
              journal_writer_epoch(service->writer));
    memory_report("start");
}
