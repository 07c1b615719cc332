// SPDX-License-Identifier: Apache-2.0
// The words of risk that commands, events, the limits file and tools share.
#ifndef CROSSWIRE_CONTRACT_RISK_H
#define CROSSWIRE_CONTRACT_RISK_H

#include <stdint.h>

// Whom a limit, a kill or a state is about. A firm's index is that of its first account; a symbol's is its locate.
enum scope { SCOPE_NONE, SCOPE_VENUE, SCOPE_FIRM, SCOPE_ACCOUNT, SCOPE_SESSION, SCOPE_SYMBOL, SCOPE_POSITION };

enum limit {
#define LIMIT(name, key, scopes, unit, reject, help) LIMIT_##name,
#include "contract/limits.def"
#undef LIMIT
    LIMITS
};

#define LIMIT_UNSET UINT64_MAX // no limit; 0 allows nothing

// What holds where no value is set, in millionths: a share where there is a capital, a drawdown likewise, a correlation
// where symbols are in groups, an alert always.
#define LIMIT_UNSET_SHARE UINT64_C(20000)
#define LIMIT_UNSET_DRAWDOWN UINT64_C(150000)
#define LIMIT_UNSET_CORRELATION UINT64_C(700000)
#define LIMIT_UNSET_ALERT UINT64_C(700000)

// What a limit may be at the most, by unit; nobody needs more, and sums of what stays below fit their words. Rates and
// times are never 0.
#define LIMIT_MOST_QUANTITY UINT64_C(1000000000000)
#define LIMIT_MOST_COUNT UINT64_C(1000000000000)
#define LIMIT_MOST_RATE UINT64_C(1000000000)
#define LIMIT_MOST_MONEY UINT64_C(1000000000000000000) // 1/10,000
#define LIMIT_MOST_PPM UINT64_C(1000000)
#define LIMIT_MOST_TICKS UINT64_C(2000000000)
#define LIMIT_MOST_MS UINT64_C(86400000)

// Bits of LIMIT_FORBIDDEN, each with its reject.
enum permission {
    FORBID_MARKET = 1 << 0,      // REJECT_MARKET_ORDER
    FORBID_ISO = 1 << 1,         // REJECT_ISO
    FORBID_PRE_MARKET = 1 << 2,  // REJECT_PRE_MARKET
    FORBID_POST_MARKET = 1 << 3, // REJECT_POST_MARKET
    FORBID_HIDDEN = 1 << 4,      // REJECT_ORDER_TYPE, as the next ones
    FORBID_PEG = 1 << 5,
    FORBID_STOP = 1 << 6,
    FORBID_RESERVE = 1 << 7,
    FORBID_IOC = 1 << 8,
    FORBID_SHORT = 1 << 9,             // REJECT_SHORT_SELL
    FORBID_SHORT_EXEMPT = 1 << 10,     // REJECT_SHORT_EXEMPT
    FORBID_ALL = 1 << 11,              // REJECT_RESTRICTED_STOCK: a restricted symbol, an account that may only cancel
    FORBID_SHORT_UNLOCATED = 1 << 12,  // REJECT_LOCATE_REQUIRED without SharesLocated Y
    FORBID_WITHOUT_STOP_LOSS = 1 << 13 // REJECT_OTHER: an order that opens or adds to a position not covered by a stop
};
#define FORBID_BITS 14

// CMD_HALT, struct of symbols: what trading in a symbol is. The letters are ITCH's trading states.
enum trading_state { STATE_TRADING = 'T', STATE_HALTED = 'H', STATE_PAUSED = 'P', STATE_QUOTATION = 'Q' };

// Reg SHO state of a symbol (CMD_REFERENCE).
enum reg_sho { SHO_UNKNOWN = 0, SHO_NONE = '0', SHO_INTRADAY = '1', SHO_REMAINS = '2' };

// Who wants something blocked: each lifts but its own (CMD_RESET), unless told otherwise.
enum kill_source { KILL_BY_OPERATOR = 1 << 0, KILL_BY_LIMIT = 1 << 1, KILL_BY_BREAKER = 1 << 2 };

// Of the whole venue no limit asks for a kill; a matching core does, by itself, while control is away.
#define KILL_BY_CORE KILL_BY_LIMIT

enum kill_action { KILL_BLOCK = 1 << 0, KILL_CANCEL = 1 << 1 };

// What an alert says: EV_ALERT's reason, struct alert's kind.
enum alert_kind {
    ALERT_LEVEL = 'a',  // a limit is used to its alert level
    ALERT_SLOWED = 's', // orders are slowed
    ALERT_EASED = 'e',  // below the level again
    // Of kills, `reason` is the side, 0 both. KILLED of a command: limit LIMITS, `before` its id, `after` its actions |
    // source << 8; by a limit: `before` the limit, `after` what was reached. ZERO: `before` the id (0: by a limit),
    // `after` how many orders it has canceled. RESET: `before` the id, `after` the blocks that it has lifted.
    ALERT_KILLED = 'k',      // a scope is blocked or being canceled
    ALERT_ZERO = 'z',        // no order rests in a kill's scope: they were counted
    ALERT_RESET = 'r',       // a scope's own blocks are lifted
    ALERT_STATE = 't',       // a symbol's trading state changed
    ALERT_LIMIT_STATE = 'l', // a symbol trades at its band
    ALERT_MMP = 'm',         // market-maker protection has canceled quotes
    ALERT_CHANGED = 'c',     // a limit has another value: before and after
    ALERT_MODE = 'd',        // a degraded mode began or ended
};

// From a matching core to control, so that it can log, tell operators and act. Told again by a replay of the journal,
// so this ring is the one that may drop: what is not read in time is counted, and no order waits for it.
struct alert {
    uint64_t word;    // ring sequence word
    uint64_t cmd_seq; // the command that caused it; durable as that is
    uint64_t time_ns;
    uint8_t kind;  // enum alert_kind
    uint8_t scope; // enum scope
    uint8_t limit; // enum limit, or LIMITS
    char reason;
    uint16_t index;
    uint16_t locate; // SCOPE_POSITION, or LOCATE_NONE
    uint64_t before, after;
    uint64_t dropped; // alerts of this core that found no room, before this one
    uint64_t unused;
};
_Static_assert(sizeof(struct alert) == 64, "one cache line");

#endif
