// SPDX-License-Identifier: Apache-2.0
#include "control/operator/operator.h"

#include <stdio.h>
#include <stdlib.h>

struct operator_desk {
    struct desk *desk;
    struct desk *kill; // a channel of its own
};

static const struct desk_subject *const subjects[] = {
    &ask_trade_show,   &ask_trade_break, &ask_trade_adjust,  &phase_move,       &limits_set,  &limits_pending,
    &limits_approve,   &limits_reject,   &limits_reload,     &config_show,      &market_halt, &market_reference,
    &market_bands_set, &market_breach,   &market_references, &breaker_reset_by, NULL};
static const struct desk_subject *const kill_subjects[] = {&switch_kill, &switch_reset, &switch_list, &standing_show,
                                                           NULL};

struct operator_desk *operator_new(const struct desk_context *context, char *error, size_t error_size)
{
    static const struct desk_options options = {.name = "control", .subjects = subjects, .requests = 1};
    struct operator_desk *operators = calloc(1, sizeof *operators);
    if (!operators) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    const struct desk_options kill_options = {.name = "kill",
                                              .subjects = kill_subjects,
                                              .requests = DESK_CALLERS,
                                              .group = context->config->control.kill_group};
    operators->desk = desk_new(context, &options, error, error_size);
    if (operators->desk)
        operators->kill = desk_new(context, &kill_options, error, error_size);
    if (operators->kill)
        return operators;
    operator_free(operators);
    return NULL;
}

void operator_free(struct operator_desk *operators)
{
    if (operators) {
        desk_free(operators->desk);
        desk_free(operators->kill);
    }
    free(operators);
}

unsigned operator_poll(struct operator_desk *operators, struct recovery *recovery, uint64_t now_ns)
{
    return desk_poll(operators->kill, recovery, now_ns) + desk_poll(operators->desk, recovery, now_ns);
}
