// SPDX-License-Identifier: Apache-2.0
// {"ask":"phase"}: the session phase, forward, on every matching core.
#include <string.h>
#include <sysexits.h>

#include "contract/command.h"
#include "contract/log.h"
#include "control/operator/operator.h"
#include "control/recovery/opening.h"

#define CONFIRM_NS (10000 * DESK_MS)

enum stage { STAGE_GIVE, STAGE_START, STAGE_TAKEN };

struct phase_request {
    char phase;
    char by[17];
    uint32_t given_to; // cores, a bit each
};

static const char *read_phase(struct request *request, const json_t *root)
{
    struct phase_request *ask = request->state;
    ask->phase = desk_letter(root, "phase");
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    return opening_phase_rank(ask->phase) ? NULL : "the phase is none of pre, regular, after, closed, ended";
}

char phase_of(const struct config *config, const struct recovery *recovery)
{
    char present = PHASE_DAY_END;
    for (unsigned core = 0; core < config->matchers_count; core++) {
        const char phase = recovery_phase(recovery, core);
        if (opening_phase_rank(phase) < opening_phase_rank(present))
            present = phase;
    }
    return present;
}

static void give(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    struct phase_request *ask = request->state;
    unsigned wanted = opening_phase_rank(ask->phase);
    if (!recovery) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    const char present = phase_of(request->context->config, recovery);
    if (present == 0 && recovery_start_by(recovery, ask->by)) {
        request->stage = STAGE_START; // into pre-market, from where it goes on
        request->deadline_ns = now_ns + CONFIRM_NS;
        return;
    }
    if (present == 0) {
        desk_refuse(request, EX_UNAVAILABLE, "the day has not started on every matching core: ask again then");
        return;
    }
    if (opening_phase_rank(present) >= wanted) {
        desk_refuse(request, EX_DATAERR,
                    "the venue is in phase `%s` already, and phases go forward only: nothing to do",
                    opening_phase_word(present));
        return;
    }
    const bool ends = ask->phase == PHASE_DAY_END;
    struct command command = {
        .type = ends ? CMD_END_DAY : CMD_PHASE, .session = SESSION_NONE, .phase.phase = ends ? 0 : ask->phase};
    memcpy(command.phase.by, ask->by, sizeof command.phase.by);
    for (unsigned core = 0; core < request->context->config->matchers_count; core++) {
        if (opening_phase_rank(recovery_phase(recovery, core)) >= wanted || !recovery_give(recovery, core, &command))
            continue; // a core without room stays behind: the operator is told
        ask->given_to |= 1u << core;
        log_event(LOG_XW2012, "\"core\":%u,\"phase\":\"%c\",\"by\":%s", core, ask->phase, log_quote(ask->by));
    }
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

// Waits for a start that was held. What was asked for may be no more than that.
static void start(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    struct phase_request *ask = request->state;
    const char present = recovery ? phase_of(request->context->config, recovery) : 0;
    if (present == 0) {
        if (!recovery || now_ns > request->deadline_ns)
            desk_refuse(request, EX_TEMPFAIL, "it is not known whether the day starts: see xwctl status");
        return;
    }
    if (opening_phase_rank(present) < opening_phase_rank(ask->phase)) {
        give(request, recovery, now_ns);
        return;
    }
    ask->given_to = desk_all_cores(request->context->config);
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_NS;
}

static void confirm(struct request *request, const struct recovery *recovery)
{
    const struct phase_request *ask = request->state;
    unsigned behind = 0;
    for (unsigned core = 0; core < request->context->config->matchers_count; core++)
        behind += opening_phase_rank(recovery_phase(recovery, core)) < opening_phase_rank(ask->phase);
    if (behind)
        desk_refuse(request, EX_TEMPFAIL, "%u matching cores took nothing just now: ask again", behind);
    else
        desk_answer(request, json_pack("{s:b, s:o}", "ok", 1, "phase", desk_text(&ask->phase, 1)));
}

static void go_on(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct phase_request *ask = request->state;
    if (request->stage == STAGE_GIVE)
        give(request, recovery, now_ns);
    else if (request->stage == STAGE_START)
        start(request, recovery, now_ns);
    else if (recovery && desk_taken(request, recovery, ask->given_to))
        confirm(request, recovery);
    else if (!recovery || now_ns > request->deadline_ns)
        desk_refuse(request, EX_TEMPFAIL, "it is not known whether that was taken: see xwctl journal dump");
}

const struct desk_subject phase_move = {
    .ask = "phase", .size = sizeof(struct phase_request), .read = read_phase, .go_on = go_on};
