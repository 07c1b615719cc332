// SPDX-License-Identifier: Apache-2.0
// Travels through a day: its journal's records, fed to engines as the data plane was. Needs no configuration: who the
// sessions are, and how large the engines must be, stands in the journal's own opening commands.
#ifndef CROSSWIRE_CONTROL_CTL_WALK_H
#define CROSSWIRE_CONTROL_CTL_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "control/ctl/ctl.h"
#include "control/recovery/replica.h"

#define CTL_ALL_CORES UINT32_MAX
#define CTL_NO_ACCOUNT UINT16_MAX

struct ctl_symbol {
    char name[9];
    uint8_t core;
    uint16_t locate;
};

// Who took part, by index as in commands, as far as the walk has come.
struct ctl_day {
    char (*users)[7]; // by session, empty: not opened
    uint16_t *accounts_of;
    char (*accounts)[17]; // by account
    char (*firms)[4];     // of the account
    struct ctl_symbol *symbols;
    unsigned symbols_count, symbols_room;
};

struct ctl_walk {
    const struct journal_identity *identity;
    uint32_t core;      // the only one that is walked, or CTL_ALL_CORES
    uint64_t until_seq; // the last record of each core; UINT64_MAX: no limit
    uint64_t until_ns;  // records later than this are left out; UINT64_MAX: no limit
    bool records_only;  // no engines, no events
    // Both may be NULL. A record is shown before its events.
    void (*on_record)(void *context, const struct command *record);
    void (*on_event)(void *context, unsigned core, const struct event *event);
    void *context;
    // What it makes.
    struct ctl_day day;
    struct replica *replicas[JOURNAL_CORES]; // NULL: nothing of this core in the journal
    uint64_t records;                        // walked
    double seconds;
};

// HH:MM:SS[.fraction] as nanoseconds; ends the process with 64 when it is none.
uint64_t ctl_read_time(const char *option, const char *text);

// The limits that the options say (--core, --until, --at), over `identity`'s day.
struct ctl_walk ctl_walk_of(const struct ctl *ctl, const struct journal_identity *identity);

// Walks; shows progress on a terminal. Ends the process with one line when the journal is damaged or does not replay.
// May be called once.
void ctl_walk(struct ctl_walk *walk);

// The index of an account's firm: that of its first account.
uint16_t ctl_walk_firm(const struct ctl_walk *walk, uint16_t account);

void ctl_walk_free(struct ctl_walk *walk);

// Index of the session of user `user`, in any case; ends the process with 66 when the day has none.
uint16_t ctl_walk_session(const struct ctl_walk *walk, const char *user);

#endif
