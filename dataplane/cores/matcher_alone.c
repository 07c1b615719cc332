// SPDX-License-Identifier: Apache-2.0
// What a matching core does when control gives no sign of life: region_header.control_lost says what and when. Its
// commands stand in the journal like all others, so that a replay does the same.
//
//   heartbeat stands for `ms`          -> CMD_MODE control_lost on (nothing new is taken), then CMD_KILL or CMD_HALT
//   heartbeat moves for `quiet_ms`     -> CMD_MODE control_lost off, unless an operator has to
#include <string.h>

#include "contract/config.h"
#include "cores/clock.h"
#include "cores/matcher.h"

#define LOST_BIT (UINT64_C(1) << MODE_CONTROL_LOST)
#define LOST_COMMANDS 2 // of one decision, at the most

void matcher_note_mode(struct matcher *matcher, const struct command *command)
{
    if (command->type == CMD_OPEN_DAY)
        matcher->modes = 0;
    if (command->type != CMD_MODE || command->mode.mode > MODE_CONTROL_LOST)
        return;
    const uint64_t bit = UINT64_C(1) << command->mode.mode;
    matcher->modes = command->mode.on ? matcher->modes | bit : matcher->modes & ~bit;
}

void matcher_watch_control(struct matcher *matcher)
{
    const uint64_t word = atomic_load_explicit(&matcher->header->control_lost, memory_order_relaxed);
    const uint64_t sign = atomic_load_explicit(&matcher->header->control_heartbeat, memory_order_relaxed);
    const uint64_t hz = matcher->tsc_hz, lost = tsc_of_ms(CONTROL_LOST_MS(word), hz);
    if (sign != matcher->sign || matcher->state != CORE_RUN || !matcher->clocked) {
        if (matcher->now - matcher->sign_tsc >= lost)
            matcher->back_tsc = matcher->now;
        matcher->sign = sign;
        matcher->sign_tsc = matcher->now;
    }
    const bool on = matcher->modes & LOST_BIT, away = matcher->now - matcher->sign_tsc >= lost;
    if (matcher->state != CORE_RUN || !matcher->clocked)
        matcher->lost_due = false;
    else if (!on)
        matcher->lost_due = away && lost && CONTROL_LOST_ACTION(word) != TRIP_ALERT;
    else
        matcher->lost_due = !away && !CONTROL_LOST_MANUAL(word) &&
                            matcher->sign_tsc - matcher->back_tsc >= tsc_of_ms(CONTROL_LOST_QUIET_MS(word), hz);
}

static struct command mode_command(bool on)
{
    struct command command;
    memset(&command, 0, sizeof command);
    command.type = CMD_MODE;
    command.session = SESSION_NONE;
    command.mode.mode = MODE_CONTROL_LOST;
    command.mode.on = on;
    command.mode.block = true;
    command.mode.percent = 100;
    memcpy(command.mode.name, "control_lost", 12);
    memcpy(command.mode.by, "matching core", 13);
    return command;
}

static struct command cancel_command(void)
{
    struct command command;
    memset(&command, 0, sizeof command);
    command.type = CMD_KILL;
    command.session = SESSION_NONE;
    command.kill.scope = SCOPE_VENUE;
    command.kill.actions = KILL_CANCEL;
    command.kill.source = KILL_BY_BREAKER;
    memcpy(command.kill.by, "matching core", 13);
    memcpy(command.kill.why, "control_lost", 12);
    return command;
}

static struct command halt_command(void)
{
    struct command command;
    memset(&command, 0, sizeof command);
    command.type = CMD_HALT;
    command.session = SESSION_NONE;
    command.halt.locate = LOCATE_NONE;
    command.halt.state = STATE_HALTED;
    memcpy(command.halt.reason, "O1  ", 4);
    memcpy(command.halt.by, "matching core", 13);
    memcpy(command.halt.why, "control_lost", 12);
    return command;
}

bool matcher_act_alone(struct matcher *matcher, void (*give)(struct matcher *, const struct command *))
{
    const uint64_t word = atomic_load_explicit(&matcher->header->control_lost, memory_order_relaxed);
    const bool on = !(matcher->modes & LOST_BIT);
    const unsigned action = CONTROL_LOST_ACTION(word);
    struct command commands[LOST_COMMANDS];
    unsigned count = 0;
    if (on && action == TRIP_CANCEL)
        commands[count++] = cancel_command();
    else if (on && action == TRIP_HALT)
        commands[count++] = halt_command();
    commands[count++] = mode_command(on); // last: if there is no room for it, all of it is done again
    for (unsigned i = 0; i < count; i++) {
        if (!matcher_can_take(matcher))
            return false;
        give(matcher, &commands[i]);
    }
    matcher->lost_due = false;
    return true;
}
