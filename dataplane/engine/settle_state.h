// SPDX-License-Identifier: Apache-2.0
// What the rates, results and degraded modes of risk.md keep. Only days with positions have any of it.
//
//   session --> struct pace, struct alike     symbol --> struct symbol_pace
//   account, firm --> struct standing
#ifndef CROSSWIRE_ENGINE_SETTLE_STATE_H
#define CROSSWIRE_ENGINE_SETTLE_STATE_H

#include <stdbool.h>

#include "contract/risk.h"
#include "engine/alike.h"
#include "engine/risk_state.h"
#include "engine/tokens.h"

// Sums of results: 2^40 trades of less than 2^51, positions of less than 2^41 shares at prices of less than 2^31, less
// than 2^20 of them.
typedef __int128 wide_money;

#define WINDOW_MS_DEFAULT 1000u // of duplicates, repeated executions and market-maker protection

enum pace_told { // what a session's settling has to tell
    TOLD_ORDERS = 1 << 0,
    TOLD_MESSAGES = 1 << 1,
    TOLD_ALIKE = 1 << 2,
    TOLD_MMP = 1 << 3, // its orders of mmp_locate are to be canceled
};

// A session's, besides struct session_line.
struct pace {
    // What its executions as maker read.
    uint64_t mmp_ns;
    uint64_t mmp_fills, mmp_quantity; // LIMIT_UNSET: none
    uint64_t mmp_seen;                // what has reached the limit mmp_limit
    uint32_t mmp_limit;
    uint16_t mmp_locate;
    uint16_t turned;     // enum pace_told
    uint32_t alike_tell; // so many orders alike are worth an alert
    uint32_t slow_rate;  // that `slowed` is set to, 0 none yet
    uint64_t unused[2];

    struct tokens_rest orders, messages, slowed_rest;
    struct tokens slowed; // in use while its account or firm is slowed, or a mode gives a rate
    uint64_t unused1[4];
};
_Static_assert(sizeof(struct pace) == 192, "three lines");

// The last alert of a session's single orders.
struct single {
    uint64_t until_ns; // nothing is told before
    uint64_t most, used;
    uint16_t locate;
    uint8_t limit;
    bool waits; // for the settling
    uint8_t unused[4];
};
_Static_assert(sizeof(struct single) == 32, "half a line");

#define MARK_NONE UINT32_MAX // no symbol's mark

// A symbol's. An order reads the first line.
struct symbol_pace {
    struct tokens orders;
    struct order_limits limits;
    struct fat_finger fat;
    // What the tightest limits of all sessions and the symbol's come to (risk_plain.h), as long as its mark is in
    // [mark_from, mark_from + mark_span].
    uint32_t mark_from, mark_span; // MARK_NONE, 0: to be worked out
    uint32_t reach;                // so far may a price go beyond the mark
    uint32_t volume;               // so much may a position, or a firm, come to today

    struct tokens_rest rest;
    uint64_t adv;   // average daily volume, 0 unknown
    uint32_t group; // of correlated symbols, 0 none
    uint32_t unused;
    uint64_t unused1[3];
};
_Static_assert(sizeof(struct symbol_pace) == 128, "two lines");

static inline void symbol_forget(struct symbol_pace *symbol)
{
    symbol->mark_from = MARK_NONE;
    symbol->mark_span = 0;
}

// An account's or a firm's result of the day.
struct standing {
    wide_money result, peak; // realised and marked; its highest, at least 0
    wide_money low;          // a result at or below this is to be looked at
    uint32_t repeated;       // an account's REPEATED_EXECUTIONS; UINT32_MAX none
    uint32_t repeated_tell;  // its alert level, 0 none
    uint64_t repeated_ns;
    // Second line.
    uint64_t group_most;  // of a group of symbols, at most GROUP_NEVER
    uint64_t group_watch; // its alert level less one
    bool grouped;         // the account's groups are kept
    uint8_t unused[47];
};
_Static_assert(sizeof(struct standing) == 128, "two lines");

// What a party's levels are of: enum use (risk_state.h), then results. A party has two bits for each.
enum staged { STAGED_LOSS = USES, STAGED_DRAWDOWN, STAGED };
#define TOLD_ALERTED(staged) (1u << (staged))
#define TOLD_SLOWED(staged) (1u << (8 + (staged)))
#define TOLD_SLOWED_ANY 0xFF00u

#define RISK_GROUPS 32u // groups of correlated symbols: 1..32
// An account's row of struct engine's groups. Of each group what is left of group_watch, while they are kept; 0 is no
// group's and never read as one.
#define GROUPS_ROW (RISK_GROUPS + 1)
#define GROUP_NEVER ((uint64_t)INT64_MAX)

#define MODES 256u
struct mode {
    uint32_t percent, rate;
    bool on, block;
    uint8_t unused[2];
};

// What waits for the end of the command's own work (settle.h), and where its walks stand.
struct settling {
    uint64_t *waiting;       // a bit a party (risk.h): accounts, firms, sessions
    uint32_t count;          // of the bits set
    uint32_t first;          // no word of bits before this one has any
    uint32_t told;           // parties of which some stage is told
    uint32_t marks_next;     // place in risk.begun, in rotation from tick to tick
    uint32_t marks_left;     // of this tick
    uint32_t eases_next;     // next party that this tick looks at
    bool eases;              // this command is a tick: what is told may be over
    uint32_t cursor;         // of a market maker's orders, next slot
    uint32_t walking;        // session + 1
    uint32_t regroup_next;   // next account that may have a position in regroup_locate
    uint16_t regroup_locate; // 0 none
    uint8_t regroup_to;
    uint16_t symbol; // its rate has something to tell, 0 none
};

#endif
