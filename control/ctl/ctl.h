// SPDX-License-Identifier: Apache-2.0
// The commands of xwctl, one a file: ctl_NAME.c. Each is given the words that follow its name and returns an exit code;
// what is wrong with the input ends the process with one line.
#ifndef CROSSWIRE_CONTROL_CTL_CTL_H
#define CROSSWIRE_CONTROL_CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "control/journal/journal.h"

struct ctl {
    const char *config_path; // -c, NULL: not given
    bool json;               // --json
    bool fast;               // --fast
    unsigned depth;          // --depth
    const char *profiles;    // --profiles, of nic: the directory of NIC profiles; NULL: not given
    // What an operator's request says; NULL: not given.
    const char *reason, *price, *quantity, *adv, *by, *why, *side;
    bool block_only, cancel_only; // --block-only, --cancel-only, of kill
    const char *socket;           // --socket: of the kill switch, for who may not read the configuration
    const char *since;            // --since HH:MM:SS, of audit
    const char *root;             // --root, of doctor: a made-up /sys, /proc and /etc; NULL: the host's
    // Which day, and how far into it; NULL: not given.
    const char *date, *core, *until, *at;
    const char *format, *out; // of an export
    const char *with;         // another configuration, for replay
    const char *key;          // public keys, for verify
    bool all;                 // every date
};

int ctl_status(const struct ctl *ctl, int argc, char **argv);
int ctl_counters(const struct ctl *ctl, int argc, char **argv);
int ctl_book(const struct ctl *ctl, int argc, char **argv);
int ctl_journal(const struct ctl *ctl, int argc, char **argv);
int ctl_replay(const struct ctl *ctl, int argc, char **argv);
int ctl_order(const struct ctl *ctl, int argc, char **argv);
int ctl_account(const struct ctl *ctl, int argc, char **argv);
int ctl_trade(const struct ctl *ctl, int argc, char **argv);
int ctl_phase(const struct ctl *ctl, int argc, char **argv);
int ctl_kill(const struct ctl *ctl, int argc, char **argv);
int ctl_reset(const struct ctl *ctl, int argc, char **argv);
int ctl_kills(const struct ctl *ctl, int argc, char **argv);
int ctl_audit(const struct ctl *ctl, int argc, char **argv);
int ctl_breakers(const struct ctl *ctl, int argc, char **argv);
int ctl_breaker(const struct ctl *ctl, int argc, char **argv);
int ctl_halt(const struct ctl *ctl, int argc, char **argv);
int ctl_pause(const struct ctl *ctl, int argc, char **argv);
int ctl_resume(const struct ctl *ctl, int argc, char **argv);
int ctl_reference(const struct ctl *ctl, int argc, char **argv);
int ctl_reg_sho(const struct ctl *ctl, int argc, char **argv);
int ctl_bands(const struct ctl *ctl, int argc, char **argv);
int ctl_breach(const struct ctl *ctl, int argc, char **argv);
int ctl_limits(const struct ctl *ctl, int argc, char **argv);
int ctl_reload(const struct ctl *ctl, int argc, char **argv);
int ctl_config(const struct ctl *ctl, int argc, char **argv);
int ctl_doctor(const struct ctl *ctl, int argc, char **argv);
int ctl_nic(const struct ctl *ctl, int argc, char **argv);
int ctl_hash_password(const struct ctl *ctl, int argc, char **argv);

// Of the limits file `path`, NULL for the configuration's: EX_OK when it is right; 0 when it says what runs, 1 when
// not.
int ctl_limits_check(const struct ctl *ctl, const char *path);
int ctl_limits_diff(const struct ctl *ctl, const char *path);

// ---- helpers of the commands ----------------------------------------------------------------------------------------

// The configuration that -c names; ends the process when there is none or it does not load. config_free it.
struct config *ctl_load_config(const struct ctl *ctl);

// The folder that this program stands in, ending with a slash; empty when that can not be seen.
void ctl_own_folder(char *folder, size_t size);

// Joins the newest generation read-only; ends the process with 69 when there is none.
void ctl_join(struct region *region, const struct config *config);

// Figures of one core, all from between the same two housekeeping rounds.
struct ctl_core_sample {
    uint64_t heartbeat, busy, idle, heap_bytes;
    uint32_t state;
    uint64_t counters[COUNTERS_MAX];
};
void ctl_sample_core(const struct core_block *block, struct ctl_core_sample *sample);

// What the gateways and matching cores together have made of all messages, design section 4.
struct ctl_accounts {
    uint64_t received, session_messages, forwarded, discarded;    // gateways
    uint64_t messages, accepted, rejected, duplicates, no_effect; // matching cores
    int64_t in_flight;                                            // forwarded, not yet taken by a matching core
    int64_t unfinished;                                           // taken, outcome not counted yet: at most one a core
    bool holds;
};
void ctl_sum_accounts(const struct region *region, struct ctl_accounts *accounts);

// The journal that is asked for: of directory DIR (JOURNALDIR/YYYYMMDD) when `directory` is not NULL, else of the
// configuration's instance on --date, or on its own trading date. With memory of its own until it is forgotten, which a
// command that ends need not do.
void ctl_find_journal(const struct ctl *ctl, const char *directory, struct journal_identity *identity);

// Frees what ctl_find_journal has made of this `directory`; a configuration's texts stay.
void ctl_forget_journal(const char *directory, struct journal_identity *identity);

// "enter", "replace", ..; NULL for a type that a journal can not hold.
const char *ctl_command_name(unsigned type);

#endif
