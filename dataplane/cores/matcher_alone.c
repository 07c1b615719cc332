// SPDX-License-Identifier: Apache-2.0
// What a matching core does when control gives no sign of life: region_header.control_lost says what and when. Its
// commands stand in the journal like all others, so that a replay does the same, and whether they are in force the
// engine says, also after a restart.
//
//   heartbeat stands for `ms`         -> CMD_KILL of the venue: nothing new is taken, cancel_resting: and nothing
//   rests;
//                                        halt: CMD_HALT as well
//   heartbeat moves for `quiet_ms`    -> CMD_RESET of the same, unless an operator has to
#include <string.h>

#include "contract/config.h"
#include "cores/clock.h"
#include "cores/matcher.h"

#define LOST_BIT (UINT64_C(1) << MODE_CONTROL_LOST)

static uint64_t read_modes(const struct engine *engine)
{
    uint64_t on = engine_venue_blocked(engine) & KILL_BY_CORE ? LOST_BIT : 0;
    for (unsigned mode = 0; mode < CONFIG_MODES_MAX; mode++)
        on |= (uint64_t)engine_mode_on(engine, mode) << mode;
    return on;
}

void matcher_watch_control(struct matcher *matcher)
{
    const uint64_t word = atomic_load_explicit(&matcher->header->control_lost, memory_order_relaxed);
    const uint64_t sign = atomic_load_explicit(&matcher->header->control_heartbeat, memory_order_relaxed);
    const uint64_t hz = matcher->tsc_hz, lost = tsc_of_ms(CONTROL_LOST_MS(word), hz);
    const bool may = matcher->state == CORE_RUN && matcher->clocked && engine_day_open(matcher->engine) != 0;
    matcher->modes = may ? read_modes(matcher->engine) : 0; // the engine has memory for them once a day is open
    if (sign != matcher->sign || !may) {
        if (matcher->now - matcher->sign_tsc >= lost)
            matcher->back_tsc = matcher->now;
        matcher->sign = sign;
        matcher->sign_tsc = matcher->now;
    }
    const bool on = matcher->modes & LOST_BIT, away = matcher->now - matcher->sign_tsc >= lost;
    if (!may)
        matcher->lost_due = false;
    else if (!on)
        matcher->lost_due = away && lost && CONTROL_LOST_ACTION(word) != TRIP_ALERT;
    else
        matcher->lost_due = !away && !CONTROL_LOST_MANUAL(word) &&
                            matcher->sign_tsc - matcher->back_tsc >= tsc_of_ms(CONTROL_LOST_QUIET_MS(word), hz);
}

static struct command kill_command(enum command_type type, uint8_t actions)
{
    struct command command;
    memset(&command, 0, sizeof command);
    command.type = (uint8_t)type;
    command.session = SESSION_NONE;
    command.kill.scope = SCOPE_VENUE;
    command.kill.actions = actions;
    command.kill.source = KILL_BY_CORE;
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
    struct command commands[2];
    unsigned count = 0;
    if (on && action == TRIP_HALT)
        commands[count++] = halt_command();
    // Last: if there is no room for it, all of it is done again.
    commands[count++] = on ? kill_command(CMD_KILL, action == TRIP_CANCEL ? KILL_BLOCK | KILL_CANCEL : KILL_BLOCK)
                           : kill_command(CMD_RESET, KILL_BLOCK);
    for (unsigned i = 0; i < count; i++) {
        if (!matcher_can_take(matcher))
            return false;
        give(matcher, &commands[i]);
    }
    matcher->lost_due = false;
    return true;
}
