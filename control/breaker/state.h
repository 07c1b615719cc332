// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share.
#ifndef CROSSWIRE_CONTROL_BREAKER_STATE_H
#define CROSSWIRE_CONTROL_BREAKER_STATE_H

#include "contract/command.h"
#include "control/breaker/breakers.h"
#include "control/recovery/generation.h"
#include "control/risk/audit.h"

enum {
    BREAKER_STEPS = 4,      // of a standard recovery
    BREAKER_LEVEL_MOST = 6, // doublings of the quiet time
    BREAKER_LETTERS = 64,   // that wait for room in a command ring
    BREAKER_STRAYS = 64,
    BREAKER_NAME = 16,
};

// CMD_KILL.id of breakers begin here, far from those of operators.
#define BREAKER_KILLS (UINT64_C(1) << 62)

// What matching cores are still to be told because a breaker moved.
enum errand { ERRAND_NONE, ERRAND_BLOCK, ERRAND_UNBLOCK, ERRAND_CANCEL, ERRAND_HALT };

// What the journal says of a breaker of earlier controls.
struct past {
    uint8_t state;    // enum breaker_state
    uint8_t scope;    // as in struct part
    uint16_t blocked; // cores where its block is, a bit each
    uint16_t given;   // .. that have been given it and were not told to lift it by the breaker
};

// A block of a breaker that the configuration does not have any more.
struct stray {
    struct command command; // that has set it
    uint16_t cores;         // where it is, a bit each; 0: nowhere
};

// One breaker and what it is measured by.
struct part {
    struct breaker breaker;
    breaker_permit permit; // HALF_OPEN: of the step that is under way, which began at step_ns
    uint64_t step_ns;
    uint64_t from_ns;       // the window's beginning; LEVEL: since when the threshold is reached, 0: it is not
    uint64_t base, base_of; // counters then
    uint64_t value;         // in the condition's unit
    uint32_t events;        // told since then
    bool begun;             // base is there
    uint8_t scope;          // of alerts: enum scope, SCOPE_ACCOUNT or SCOPE_FIRM
    uint8_t errand;         // enum errand
    uint16_t told;          // cores that have been, a bit each
    uint16_t taken;         // .. and have taken it, so that no death of a data plane loses it
    uint64_t errand_id;     // of its command; 0: it has none yet
    bool moved;             // by this control
    struct past past;
};

struct row {
    char name[BREAKER_NAME];
    struct config_trip trip; // its texts are the configuration's, and not looked at
    uint32_t count;
    struct part *parts;
};

// A mode as it should be, or as a matching core was told.
struct mode {
    bool on, block;
    uint32_t percent, rate;
};

// A command that is to be given whatever becomes of the breaker.
struct letter {
    struct command command;
    uint16_t cores; // that have not had it, a bit each; a note is had when it is given, another one when it is taken
    uint16_t given;
};

struct breakers {
    const struct config *config;
    struct row *rows;
    uint32_t rows_count;
    uint64_t generation; // that is joined, 0: none
    bool adopted;        // an earlier control's breakers were looked for
    uint64_t board_due_ns;
    struct mode told[JOURNAL_CORES][CONFIG_MODES_MAX];
    struct letter letters[BREAKER_LETTERS];
    unsigned letters_first, letters_count;
    uint64_t kills; // given so far, and where this control began to count, for their ids
    struct stray strays[BREAKER_STRAYS];
    uint64_t *fresh_ns; // by symbol of the configuration: its newest reference, 0 none yet
    uint64_t *said_ns;  // the same in the time of the journal's commands, while that is read
    uint64_t read_ns;   // the newest time there
    char text[128];
};

// ---- measure.c: whether the row's threshold is reached. `open`: the breaker is, so that a little less counts as well.
bool part_reached(const struct breakers *breakers, const struct row *row, uint32_t index, struct part *part,
                  const struct senses *senses, bool open);
// Whether `now_ns` is in another window than the one before; then begins it.
void part_count(const struct row *row, struct part *part, uint32_t events, uint64_t now_ns);

// ---- act.c: commands for matching cores, as far as there is room.
void breakers_act(struct breakers *breakers, const struct senses *senses);
// Another data plane: what was given to the one before and not seen to be taken is given again.
void breakers_again(struct breakers *breakers);
// The cores that a part of a row is about, a bit each.
uint16_t part_cores(const struct breakers *breakers, const struct row *row, uint32_t index);
// The mode of index `mode` as the breakers want it on `core`.
struct mode mode_wanted(const struct breakers *breakers, uint32_t mode, unsigned core);
// The breaker's row, which is none of the table's any more, is forgotten: what matching cores were told is taken back,
// where no other breaker that is open blocks the same.
void breakers_dismiss(struct breakers *breakers, const struct row *row, uint32_t index);
// The cores on which a breaker that is open, another one than `but`, wants the same scope blocked.
uint16_t breakers_wanted(const struct breakers *breakers, enum scope scope, uint32_t index, const struct part *but);
// What matching cores have done without control is taken back, on behalf of `by`.
void breakers_take_back_alone(struct breakers *breakers, const char *by);
// A transition, for the audit.
void breakers_note(struct breakers *breakers, const struct row *row, uint32_t index, const char *by,
                   enum breaker_state from, enum breaker_state to);

// The symbol's place in the configuration; symbols_count: none.
uint32_t symbol_place(const struct config *config, unsigned core, uint16_t locate);

// A command that resets what `kill` has blocked, in line for `cores`.
void breakers_lift(struct breakers *breakers, const struct command *kill, uint16_t cores);

// ---- board.c
void board_write(struct breakers *breakers, const struct senses *senses);
// What an earlier control has left: its breakers that were not closed, and modes that are on.
void board_adopt(struct breakers *breakers, const struct senses *senses);

// Whom a breaker's block is about; its index is the part's, but for the venue.
static inline enum scope part_scope(const struct row *row, uint32_t index)
{
    switch (config_trip_info(row->trip.is)->each) {
    case EACH_SESSION:
        return SCOPE_SESSION;
    case EACH_ACCOUNT: // or a firm, as the alert said
        return row->parts[index].scope ? (enum scope)row->parts[index].scope : SCOPE_ACCOUNT;
    default:
        return SCOPE_VENUE;
    }
}

static inline void part_begin_errand(struct part *part, enum errand errand, uint16_t told)
{
    part->errand = (uint8_t)errand;
    part->told = part->taken = told;
    part->errand_id = 0;
}

static inline enum breaker_state part_state(const struct part *part)
{
    struct breaker_view view;
    breaker_look(&part->breaker, &view);
    return view.state;
}

#endif
