// SPDX-License-Identifier: Apache-2.0
// What breakers ask of matching cores, as journaled commands. A mode is on as long as some breaker wants it: what is
// wanted is worked out anew each time and compared with what a core was told, so nothing is lost when a ring is full.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract/fault.h"
#include "contract/log.h"
#include "control/breaker/state.h"

#define ALL_CORES(config) ((uint16_t)((1u << (config)->matchers_count) - 1))

uint16_t part_cores(const struct breakers *breakers, const struct row *row, uint32_t index)
{
    const struct config *config = breakers->config;
    switch (config_trip_info(row->trip.is)->each) {
    case EACH_MATCHER:
    case EACH_PUBLISHER: // one a matching core, in their order
        return (uint16_t)(1u << index);
    case EACH_SESSION:
        return (uint16_t)(1u << config_stream(config, index).matcher);
    default:
        return ALL_CORES(config);
    }
}

// ---- commands -------------------------------------------------------------------------------------------------------

static struct command blank(enum command_type type)
{
    struct command command;
    memset(&command, 0, sizeof command);
    command.type = (uint8_t)type;
    command.session = SESSION_NONE;
    return command;
}

static void write_text(char *to, size_t size, const char *text)
{
    memcpy(to, text, strnlen(text, size));
}

static uint64_t new_id(struct breakers *breakers)
{
    return BREAKER_KILLS + ++breakers->kills;
}

static struct command kill_command(const struct row *row, uint32_t index, uint8_t actions, bool reset, uint64_t id)
{
    struct command command = blank(reset ? CMD_RESET : CMD_KILL);
    command.kill.scope = part_scope(row, index);
    command.kill.index = (uint16_t)index; // the venue's is not looked at: for a control that reads it in the journal
    command.kill.actions = actions;
    command.kill.source = KILL_BY_BREAKER;
    command.kill.id = id;
    write_text(command.kill.by, sizeof command.kill.by, "breaker");
    write_text(command.kill.why, sizeof command.kill.why, row->name);
    return command;
}

static struct command halt_command(const struct row *row)
{
    struct command command = blank(CMD_HALT);
    command.halt.locate = LOCATE_NONE;
    command.halt.state = STATE_HALTED;
    memcpy(command.halt.reason, "O1  ", sizeof command.halt.reason);
    write_text(command.halt.by, sizeof command.halt.by, "breaker");
    write_text(command.halt.why, sizeof command.halt.why, row->name);
    return command;
}

static struct command mode_command(const struct config *config, uint32_t mode, const struct mode *wanted)
{
    struct command command = blank(CMD_MODE);
    command.mode.mode = (uint8_t)mode;
    command.mode.on = wanted->on;
    command.mode.block = wanted->block;
    command.mode.percent = wanted->on ? wanted->percent : 100;
    command.mode.rate = wanted->rate;
    write_text(command.mode.name, sizeof command.mode.name,
               mode < config->modes_count ? config->modes[mode].name : "gone");
    write_text(command.mode.by, sizeof command.mode.by, "breaker");
    return command;
}

static struct command errand_command(const struct row *row, uint32_t index)
{
    const struct part *part = &row->parts[index];
    switch ((enum errand)part->errand) {
    case ERRAND_HALT:
        return halt_command(row);
    case ERRAND_CANCEL:
        return kill_command(row, index, KILL_CANCEL, false, part->errand_id);
    default:
        return kill_command(row, index, KILL_BLOCK, part->errand == ERRAND_UNBLOCK, part->errand_id);
    }
}

// ---- modes ----------------------------------------------------------------------------------------------------------

// How far a breaker that is half open has come back, in steps; 0: it is open.
static unsigned steps_back(const struct breaker_view *view)
{
    return view->state == BREAKER_HALF_OPEN ? 1 + view->good : 0;
}

// The mode as one breaker wants it: eased a step at a time.
static struct mode eased(const struct config_mode *mode, unsigned steps)
{
    uint32_t room = 100 - mode->limits_percent;
    uint64_t rate = (uint64_t)mode->rate << steps;
    return (struct mode){.on = true,
                         .block = mode->block && steps == 0,
                         .percent = mode->limits_percent + room * steps / (BREAKER_STEPS + 1),
                         .rate = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX};
}

struct mode mode_wanted(const struct breakers *breakers, uint32_t mode, unsigned core)
{
    const struct config *config = breakers->config;
    unsigned least = UINT32_MAX;
    for (uint32_t i = 0; mode < config->modes_count && i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (row->trip.does != TRIP_THROTTLE || row->trip.mode_index != mode)
            continue;
        for (uint32_t part = 0; part < row->count; part++) {
            struct breaker_view view;
            breaker_look(&row->parts[part].breaker, &view);
            if (view.state == BREAKER_CLOSED || !(part_cores(breakers, row, part) >> core & 1))
                continue;
            least = steps_back(&view) < least ? steps_back(&view) : least;
        }
    }
    if (least == UINT32_MAX)
        return (struct mode){0};
    return eased(&config->modes[mode], least);
}

static bool same_mode(const struct mode *a, const struct mode *b)
{
    return a->on == b->on && a->block == b->block && a->percent == b->percent && a->rate == b->rate;
}

// Whether the core has it, or has no use for it any more, because its day is over.
static bool has_it(struct recovery *recovery, unsigned core, const struct command *command)
{
    return recovery_give(recovery, core, command) || (command->type != CMD_NOTE && recovery_ended(recovery, core));
}

static void give_mode(struct breakers *breakers, struct recovery *recovery, uint32_t mode, unsigned core)
{
    const struct mode wanted = mode_wanted(breakers, mode, core);
    struct mode *told = &breakers->told[core][mode];
    if (same_mode(&wanted, told) || recovery_ended(recovery, core))
        return;
    const struct command command = mode_command(breakers->config, mode, &wanted);
    if (!recovery_give(recovery, core, &command))
        return;
    *told = wanted;
    log_event(wanted.on ? LOG_XW2054 : LOG_XW2055,
              "\"mode\":%s,\"core\":%u,\"limits_percent\":%u,\"rate\":%u,\"block\":%s",
              log_quote(mode < breakers->config->modes_count ? breakers->config->modes[mode].name : "gone"), core,
              command.mode.percent, wanted.rate, wanted.block ? "true" : "false");
}

// ---- errands and letters --------------------------------------------------------------------------------------------

uint16_t breakers_wanted(const struct breakers *breakers, enum scope scope, uint32_t index, const struct part *but)
{
    uint16_t cores = 0;
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (row->trip.does != TRIP_BLOCK || row->trip.is == TRIP_BAD_LOGINS)
            continue;
        for (uint32_t part = 0; part < row->count; part++) {
            const bool same = part_scope(row, part) == scope && (scope == SCOPE_VENUE || part == index);
            if (same && &row->parts[part] != but && part_state(&row->parts[part]) == BREAKER_OPEN)
                cores |= part_cores(breakers, row, part);
        }
    }
    return cores;
}

// What is blocked by others stays so.
static uint16_t blocked_by_others(const struct breakers *breakers, const struct row *row, uint32_t index)
{
    return breakers_wanted(breakers, part_scope(row, index), index, &row->parts[index]);
}

// What stands in the command ring is lost with a data plane that dies: an errand ends when it is taken.
static void run_errand(struct breakers *breakers, const struct senses *senses, const struct row *row, uint32_t index)
{
    struct recovery *recovery = senses->recovery;
    struct part *part = &row->parts[index];
    const uint16_t cores = part_cores(breakers, row, index);
    if (FAULT(breaker_blocks_nobody)) {
        part->errand = ERRAND_NONE;
        return;
    }
    if (part->errand_id == 0)
        part->errand_id = new_id(breakers);
    const uint16_t stays = part->errand == ERRAND_UNBLOCK ? cores & blocked_by_others(breakers, row, index) : 0;
    part->told |= stays;
    part->taken |= stays;
    const struct command command = errand_command(row, index);
    for (unsigned core = 0; core < breakers->config->matchers_count; core++) {
        const uint16_t bit = (uint16_t)(1u << core);
        if (cores & bit & part->told && recovery_taken(recovery, core))
            part->taken |= bit;
        if (!(cores & bit & ~part->told) || !has_it(recovery, core, &command))
            continue;
        part->told |= bit;
        if (command.type == CMD_KILL && senses->kills)
            kills_given_by_breaker(senses->kills, core, &command);
    }
    if ((part->taken & cores) == cores)
        part->errand = ERRAND_NONE;
}

void breakers_again(struct breakers *breakers)
{
    for (uint32_t i = 0; i < breakers->rows_count; i++)
        for (uint32_t part = 0; part < breakers->rows[i].count; part++)
            breakers->rows[i].parts[part].told = breakers->rows[i].parts[part].taken;
    for (unsigned i = 0; i < BREAKER_LETTERS; i++)
        breakers->letters[i].given = 0;
}

static void post(struct breakers *breakers, const struct command *command, uint16_t cores)
{
    if (breakers->letters_count == BREAKER_LETTERS) { // no data plane takes any: the log has them all
        breakers->letters_first = (breakers->letters_first + 1) % BREAKER_LETTERS;
        breakers->letters_count--;
    }
    breakers->letters[(breakers->letters_first + breakers->letters_count++) % BREAKER_LETTERS] =
        (struct letter){*command, cores, 0};
}

// The block that a letter lifts stays where a breaker has opened since that wants it.
static uint16_t wanted_again(const struct breakers *breakers, const struct command *command)
{
    if (command->type != CMD_RESET || command->kill.source != KILL_BY_BREAKER)
        return 0;
    return breakers_wanted(breakers, (enum scope)command->kill.scope, command->kill.index, NULL);
}

static void send_letter(const struct breakers *breakers, struct recovery *recovery, struct letter *letter)
{
    letter->cores &= ALL_CORES(breakers->config) & (uint16_t)~wanted_again(breakers, &letter->command);
    for (unsigned core = 0; core < breakers->config->matchers_count; core++) {
        const uint16_t bit = (uint16_t)(1u << core);
        if (!(letter->cores & bit))
            continue;
        bool had = letter->given & bit && recovery_taken(recovery, core);
        if (!(letter->given & bit) && has_it(recovery, core, &letter->command)) {
            letter->given |= bit;
            had = letter->command.type == CMD_NOTE || recovery_ended(recovery, core);
        }
        if (had)
            letter->cores &= (uint16_t)~bit;
    }
}

static void send_letters(struct breakers *breakers, struct recovery *recovery)
{
    for (unsigned i = 0; i < breakers->letters_count; i++)
        send_letter(breakers, recovery, &breakers->letters[(breakers->letters_first + i) % BREAKER_LETTERS]);
    while (breakers->letters_count && !breakers->letters[breakers->letters_first].cores) {
        breakers->letters_first = (breakers->letters_first + 1) % BREAKER_LETTERS;
        breakers->letters_count--;
    }
}

void breakers_note(struct breakers *breakers, const struct row *row, uint32_t index, const char *by,
                   enum breaker_state from, enum breaker_state to)
{
    struct command note = blank(CMD_NOTE);
    const uint16_t cores = part_cores(breakers, row, index);
    note.note.before = from;
    note.note.after = to;
    note.note.index = (uint16_t)index;
    note.note.scope = part_scope(row, index);
    note.note.what = NOTE_BREAKER_MOVED;
    note.note.number = row->parts[index].value < UINT32_MAX ? (uint32_t)row->parts[index].value : UINT32_MAX;
    write_text(note.note.by, sizeof note.note.by, by);
    snprintf(note.note.why, sizeof note.note.why, "%s: %s", row->name, config_action_name(row->trip.does));
    post(breakers, &note, cores & -cores); // one core's chain is enough
}

void breakers_take_back_alone(struct breakers *breakers, const char *by)
{
    struct command command = blank(CMD_RESET);
    command.kill.scope = SCOPE_VENUE;
    command.kill.actions = KILL_BLOCK;
    command.kill.source = KILL_BY_CORE;
    command.kill.id = new_id(breakers);
    write_text(command.kill.by, sizeof command.kill.by, by);
    write_text(command.kill.why, sizeof command.kill.why, "control_lost");
    post(breakers, &command, ALL_CORES(breakers->config));
}

void breakers_lift(struct breakers *breakers, const struct command *kill, uint16_t cores)
{
    struct command command = blank(CMD_RESET);
    command.kill = kill->kill;
    command.kill.actions = KILL_BLOCK;
    command.kill.source = KILL_BY_BREAKER;
    command.kill.id = new_id(breakers);
    post(breakers, &command, cores);
}

void breakers_dismiss(struct breakers *breakers, const struct row *row, uint32_t index)
{
    const struct part *part = &row->parts[index];
    const bool open = part_state(part) == BREAKER_OPEN, lifts = part->errand == ERRAND_UNBLOCK;
    if (row->trip.does != TRIP_BLOCK || row->trip.is == TRIP_BAD_LOGINS || !(open || lifts))
        return;
    const uint16_t stays = blocked_by_others(breakers, row, index) | (lifts ? part->taken : 0);
    const uint16_t cores = part_cores(breakers, row, index) & (uint16_t)~stays;
    const struct command command = kill_command(row, index, KILL_BLOCK, true, new_id(breakers));
    if (cores)
        post(breakers, &command, cores);
}

void breakers_act(struct breakers *breakers, const struct senses *senses)
{
    struct recovery *recovery = senses->recovery;
    if (!recovery)
        return;
    for (unsigned core = 0; core < breakers->config->matchers_count; core++)
        for (uint32_t mode = 0; mode < CONFIG_MODES_MAX; mode++)
            give_mode(breakers, recovery, mode, core);
    for (uint32_t i = 0; i < breakers->rows_count; i++)
        for (uint32_t part = 0; part < breakers->rows[i].count; part++)
            if (breakers->rows[i].parts[part].errand != ERRAND_NONE)
                run_errand(breakers, senses, &breakers->rows[i], part);
    send_letters(breakers, recovery);
}
