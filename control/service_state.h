// SPDX-License-Identifier: Apache-2.0
// What service.c and service_start.c share: one instance's control, whole.
#ifndef CROSSWIRE_CONTROL_SERVICE_STATE_H
#define CROSSWIRE_CONTROL_SERVICE_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/auth.h"
#include "control/breaker/breakers.h"
#include "control/journal/journal.h"
#include "control/journal/keeper.h"
#include "control/operator/operator.h"
#include "control/recovery/follower.h"
#include "control/recovery/generation.h"
#include "control/recovery/outbound.h"
#include "control/recovery/recovery.h"
#include "control/requests.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"
#include "control/risk/history.h"
#include "control/risk/kills.h"
#include "control/risk/logins.h"
#include "control/risk/retell.h"
#include "control/risk/second.h"
#include "control/risk/standing.h"

struct service {
    const char *path;
    struct config *config;
    sigset_t signals;
    int lock_fd;
    struct journal_identity identity;
    struct journal_identity history; // the same; also for what another engine version wrote, where snapshots cover it
    struct journal_report tail;
    struct journal_writer *writer;
    struct journal_key key; // that signs seals, when the configuration names one
    struct journal_keeper *keeper;
    struct auth *auth;
    struct breakers *breakers;
    struct limits_desk *limits;
    struct outbound *outbound;
    struct alerts *alerts;
    struct audit *audit;
    struct logins *logins;
    struct history *past;
    struct retell *retell;
    bool lost; // a data plane, whose alerts are to be told again once its journal is whole
    struct standing *standing;
    struct kills *kills;
    struct second *second;
    struct desk_context for_operators;
    struct operator_desk *desk;
    struct follower *follower; // NULL: no snapshots are wanted
    bool ended;                // the data plane has halted in order,
    struct follower_end end;   // here
    struct generation generation;
    struct recovery *recovery; // while a generation is joined
    struct opening_clock clocks[JOURNAL_CORES];
    struct requests *requests; // once it is recovered
    unsigned stops;            // SIGTERM and SIGINT so far
    uint64_t asked_ns;         // when the first of them came
    uint64_t halted_ns;        // when the data plane was first seen halted while we stop
    bool looked, ready;        // for a data plane; and the service manager knows that all is up
    bool worked;               // something, since patience was last asked for
    uint64_t patience_due_ns;
    uint64_t watchdog_ns, watchdog_due_ns; // how often it is fed, 0: not at all
    uint64_t journal_turns;                // as they were when it was fed last
    uint64_t heartbeat_due_ns, liveness_due_ns, sweep_due_ns, presence_due_ns, schedule_due_ns, breakers_due_ns;
    char status[80];  // what the service manager was told last, but for breakers
    char stands[200]; // .. and what is killed or halted
};

// Set-up, in order. Each ends the process with one line when it can not be done.
void service_begin(struct service *service, const char *path);

// For an operator who asks for a reload: as desk_context.reload.
bool service_reload_asked(void *context, const char *by, char *text, size_t size);

uint64_t service_now_ns(void); // monotonic

#endif
