// SPDX-License-Identifier: Apache-2.0
// A command: the only thing that a matching core's engine ever reads.
//
//   gateway --+                       +--> journal ring (the sequenced command, as it will be replayed)
//             +--> matcher: stamps ---+
//   control --+    seq, time_ns,      +--> engine_step()
//                  prev_hash
//
// 128 bytes, two cache lines, what matching needs in the first. The first word is the ring's sequence word while the
// cell stands in a ring; in the journal ring that word *is* the command's sequence, because that ring counts from it.
#ifndef CROSSWIRE_CONTRACT_COMMAND_H
#define CROSSWIRE_CONTRACT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "contract/risk.h"

enum command_type {
    CMD_NONE = 0,
    // Order entry: one OUCH 5.0 message each.
    CMD_ENTER = 1,
    CMD_REPLACE = 2,
    CMD_CANCEL = 3,
    CMD_MODIFY = 4,
    CMD_MASS_CANCEL = 5,
    CMD_DISABLE = 6,
    CMD_ENABLE = 7,
    CMD_QUERY = 8,
    // Sessions, from gateways; after a crash the downs come from control.
    CMD_SESSION_UP = 16,
    CMD_SESSION_DOWN = 17,
    // The day, from control.
    CMD_OPEN_DAY = 32,
    CMD_OPEN_SYMBOL = 33,
    CMD_OPEN_ACCOUNT = 34,
    CMD_OPEN_SESSION = 35,
    CMD_START = 36,     // opening complete: system events, trading begins
    CMD_END_DAY = 37,   // expires day orders, then the end-of-day system event
    CMD_PHASE = 38,     // the session phase changes, always forward
    CMD_OPEN_COPY = 39, // a drop copy of the day: for the journal alone, so that a restart can not have others
    // Trades that are no more, from an authorised operator through control.
    CMD_BREAK = 40,
    CMD_ADJUST = 41,
    // Risk and the state of the market, from control (contract/risk.h). Each is refused by the engine when it makes no
    // sense, and then changes nothing.
    CMD_LIMIT = 50,     // one limit of one scope
    CMD_REFERENCE = 51, // what is known of a symbol before the day, and what changes in it
    CMD_POSITION = 52,  // an account's position in a symbol as the day begins
    CMD_HALT = 53,      // a symbol's trading state
    CMD_INDEX = 54,     // the market-wide index
    CMD_KILL = 55,
    CMD_RESET = 56,
    CMD_MODE = 57,  // degraded modes: limits in part, a rate, or nothing new
    CMD_GROUP = 58, // a symbol belongs to a group of correlated ones
    CMD_BANDS = 59, // price bands and velocity of a symbol
    CMD_NOTE = 60,  // for the audit alone: what control decided, who asked and why
    // Time, from the matching core itself (TICK) and from control (CLOCK: new wall-clock offset).
    CMD_TICK = 48,
    CMD_CLOCK = 49,
    // A snapshot: what an engine holds, in this order (engine/snapshot.h). Never sequenced, never journaled: control
    // feeds them to a matching core in CORE_BOOT, before any history.
    CMD_RESTORE_DAY = 64,
    CMD_RESTORE_SYMBOL = 65,
    CMD_RESTORE_ACCOUNT = 66,
    CMD_RESTORE_SESSION = 67,
    CMD_RESTORE_NUMBERS = 68, // last UserRefNums of a session's channels
    CMD_RESTORE_ORDER = 69,
    CMD_RESTORE_SPECIAL = 70, // of the order just before, which is not plain
    CMD_RESTORE_LIST = 71,    // a symbol's conditional orders, in their order
    CMD_RESTORE_TRADES = 72,
    CMD_RESTORE_END = 73,       // the engine is whole: sequence and hash are those that the snapshot covers
    CMD_RESTORE_LIMITS = 74,    // of one scope
    CMD_RESTORE_EXECUTED = 75,  // what sessions have executed today
    CMD_RESTORE_POSITIONS = 76, // in the order of their coming
    CMD_RESTORE_RATES = 77,     // what rates, results and modes have counted (engine/settle_snapshot.h)
    CMD_RESTORE_MARKET = 78,    // of the market's state (engine/market.h)
    CMD_RESTORE_KILL = 79,      // blocks of one scope (engine/kill.h)
    // The same for gateways and publishers; the engine does not see them.
    CMD_RESTORE_STREAM = 80,   // how many messages a session, or the feed, has been sent
    CMD_RESTORE_MESSAGES = 81, // the last messages of the feed
    // For control alone, first of all: the newest CMD_LIMIT, CMD_REFERENCE, .. of each that control has set, its type
    // in `refuse`. No core is given it.
    CMD_RESTORE_ADMIN = 82,
    // Directives from control to a matching core: never sequenced, never journaled, never shown to the engine.
    DIRECTIVE_RECOVERED = 240, // the journal has been fed: check sequence and hash, then run
    DIRECTIVE_DRAIN = 241,     // stop taking gateway input, finish, halt
    DIRECTIVE_RESET = 242,     // in CORE_BOOT: forget what was restored or fed, as if just started
    DIRECTIVE_COUNT = 243,     // before history: up to this sequence only count what sessions and feed are told
};

// Bits of command.options and event.options: bit n is set when OUCH option tag n was present.
#define OPTION(tag) (1u << (tag))

enum {
    TAG_SECONDARY_REF = 1,
    TAG_FIRM = 2,
    TAG_MIN_QTY = 3,
    TAG_CUSTOMER_TYPE = 4,
    TAG_MAX_FLOOR = 5,
    TAG_PRICE_TYPE = 6,
    TAG_PEG_OFFSET = 7,
    TAG_DISCRETION_PRICE = 9,
    TAG_DISCRETION_PRICE_TYPE = 10,
    TAG_DISCRETION_PEG_OFFSET = 11,
    TAG_POST_ONLY = 12,
    TAG_RANDOM_RESERVES = 13,
    TAG_ROUTE = 14,
    TAG_EXPIRE_TIME = 15,
    TAG_TRADE_NOW = 16,
    TAG_HANDLE_INST = 17,
    TAG_BBO_WEIGHT = 18,
    TAG_STOP_PRICE = 19,   // private: WIRE_TAG_STOP_PRICE on the wire
    TAG_TRAIL_AMOUNT = 20, // private: WIRE_TAG_TRAIL_AMOUNT on the wire
    TAG_DISPLAY_QUANTITY = 22,
    TAG_DISPLAY_PRICE = 23,
    TAG_GROUP_ID = 24,
    TAG_SHARES_LOCATED = 25,
    TAG_LOCATE_BROKER = 26,
    TAG_SIDE = 27,
    TAG_USER_REF_IDX = 28,
    TAG_AIQ_STRATEGY = 29,
    TAG_AIQ_GROUP = 30,
};

// Crosswire's own tags as messages carry them, far from those that OUCH may assign one day: 8-byte prices.
enum { WIRE_TAG_STOP_PRICE = 200, WIRE_TAG_TRAIL_AMOUNT = 201 };

#define CROSSWIRE_ENGINE_VERSION 7u
#define SESSION_NONE UINT16_MAX
#define RESTORE_BLOCKS 96
#define RESTORE_TRADES 2
#define RESTORE_LIMITS 9
#define RESTORE_EXECUTED 5
#define RESTORE_POSITIONS 2
#define LOCATE_NONE 0u           // ITCH stock locates start at 1
#define PRICE_MAX 1999999900u    // 199,999.9900, the highest OUCH limit price
#define PRICE_MARKET 2000000000u // 200,000.0000
#define PRICE_MARKET_CROSS 0x7FFFFFFFu
#define PRICE_INVALID UINT32_MAX // a wire price that does not fit, always with refuse = REJECT_PRICE
#define QUANTITY_MAX 999999u

// Fields carry the OUCH names and values (characters as on the wire); prices are 1/10,000 of the currency unit.
struct command {
    uint64_t seq;         // ring sequence word; in the journal (core << 56 | sequence)
    uint64_t time_ns;     // ns since midnight of the trading date; never runs backwards within a core
    uint32_t user_ref;    // CMD_ENTER .. CMD_QUERY; this word is the order's key (COMMAND_KEY)
    uint16_t session;     // index of the session, SESSION_NONE for none
    uint8_t user_ref_idx; // CMD_ENTER .. CMD_QUERY
    uint8_t zero;
    uint8_t type;       // enum command_type
    uint8_t refuse;     // enum reject that the gateway found; the engine turns it into a J with the engine's numbering
    char aiq_group[2];  // CMD_ENTER, CMD_REPLACE
    uint32_t prev_hash; // low half of the rolling event hash before this command: shows the first divergence at replay
    union {
        struct { // CMD_ENTER .. CMD_QUERY
            uint32_t quantity;
            uint32_t price;
            char symbol[8];         // as on the wire, also when it is unknown
            uint16_t locate;        // stock locate of symbol, LOCATE_NONE when unknown on this core
            char side;              // B S T E
            char tif;               // 0 3 5 6 E
            char display;           // Y N A
            char capacity;          // A P R O
            char iso;               // Y N
            char cross;             // N O C H S R E A
            uint32_t orig_user_ref; // CMD_REPLACE
            uint32_t options;       // OPTION(tag) of what was present; the field of a tag that was not is zero

            char cl_ord_id[14]; // second cache line from here
            uint16_t group_id;
            char firm[4];
            uint32_t min_qty;
            uint32_t max_floor;
            int32_t peg_offset;
            uint32_t discretion_price;
            int32_t discretion_peg_offset;
            uint32_t random_reserves;
            uint32_t expire_s; // OUCH ExpireTime, seconds to live
            char locate_broker[4];
            char customer_type;
            char price_type;
            char discretion_price_type;
            char post_only;
            char trade_now;
            char handle_inst;
            char shares_located;
            char aiq_strategy;
            uint32_t trigger; // TAG_STOP_PRICE: stop price; TAG_TRAIL_AMOUNT: trail amount
        };
        struct {                 // CMD_SESSION_UP, CMD_SESSION_DOWN
            uint8_t down_reason; // enum down_reason
        } link;
        struct {                   // CMD_OPEN_DAY: first command of every day on every core
            uint32_t trading_date; // yyyymmdd
            uint32_t engine_version;
            uint64_t lookup_key; // secret key of the live-order table, drawn for the day
            uint32_t max_orders; // live orders on this core
            uint32_t max_levels;
            uint16_t max_symbols;
            uint16_t max_accounts;
            uint16_t max_sessions;
            uint8_t core;
            uint8_t unused;
            uint32_t max_trades;      // of the day, in the table that breaks and adjustments need
            uint32_t max_special;     // live orders that are not plain
            uint32_t max_conditional; // stops, pegs and discretionary orders of one symbol
            uint64_t seed;            // of random reserves
            uint32_t max_positions;   // accounts times symbols; 0: no risk today
        } day;
        struct { // CMD_OPEN_SYMBOL
            char name[8];
            uint32_t tick; // price increment, 1/10,000
            uint32_t round_lot;
            uint16_t locate;
        } open_symbol;
        struct { // CMD_OPEN_ACCOUNT
            char name[16];
            char firm[4];
            uint16_t account;
            char organisation[16]; // blank: none but the firm itself
        } open_account;
        struct { // CMD_OPEN_SESSION; the session's index is command.session
            uint16_t account;
            uint8_t cancel_on_disconnect; // enum cancel_when
            char user[6];
            uint8_t post_only_cancels; // a post-only order that would trade is canceled; otherwise its price slides
            char aiq_default;          // what AIQ strategy '*', or none, stands for; 0 as N
        } open_session;
        struct { // CMD_OPEN_COPY; its stream's index is command.session
            char user[6];
            uint16_t sessions; // that it carries
            uint64_t digest;   // over their indexes
        } open_copy;
        struct {         // CMD_START, CMD_PHASE
            char phase;  // enum session_phase; CMD_START: 0 is PHASE_REGULAR
            char by[16]; // CMD_PHASE: the operator, for the audit; zero: the schedule
        } phase;
        struct { // CMD_BREAK, CMD_ADJUST
            uint64_t match;
            uint32_t price; // CMD_ADJUST: as it should have been
            uint32_t quantity;
            char reason; // of the Broken Trade: E C S X
            char taker_cl_ord_id[14];
            char maker_cl_ord_id[14];
            char by[16]; // the operator, for the audit
        } trade;
        struct {             // CMD_LIMIT: takes effect between two commands
            uint64_t value;  // LIMIT_UNSET: no limit
            uint16_t index;  // by scope
            uint16_t locate; // SCOPE_POSITION: of the symbol
            uint8_t scope;   // enum scope
            uint8_t limit;   // enum limit
            char by[16];     // who asked, for the audit
            char second[16]; // who agreed, where a raise needs two
            uint64_t whole;  // for control: the venue's value, of which `value` is this core's part
            uint32_t change; // for control: the number of the change, counted up through the day
            uint32_t file;   // for control: digest of the limits file at that time
        } limit;
        struct {                // CMD_REFERENCE
            uint32_t reference; // price, 0 none: the closing price of the day before
            uint64_t adv;       // shares, 0 unknown
            uint16_t locate;
            char reg_sho; // enum reg_sho
            uint8_t tier; // of its bands, 1 or 2
            char by[16];
        } reference;
        struct {              // CMD_POSITION
            int64_t quantity; // negative: short
            int64_t cost;     // 1/10,000
            uint16_t account;
            uint16_t locate;
            char by[16];
        } position;
        struct {             // CMD_HALT
            uint16_t locate; // LOCATE_NONE: every symbol
            char state;      // enum trading_state
            char reason[4];  // ITCH Trading Action's reason code
            char by[16];
            char why[32];
        } halt;
        struct {                  // CMD_INDEX
            uint32_t level;       // 1/10,000 of the prior close is 10,000
            uint8_t breached;     // 0..3: market-wide level that control has seen breached
            uint64_t declared[3]; // index values of the levels, ITCH's 8 decimals; all 0: as before
            uint64_t last_ns;     // time of the day from which levels 1 and 2 stop nothing any more
            char by[16];
        } index;
        struct {             // CMD_KILL, CMD_RESET
            uint16_t index;  // by scope
            uint8_t scope;   // enum scope
            char side;       // B, S, or 0: both
            uint8_t actions; // CMD_KILL: enum kill_action
            uint8_t source;  // enum kill_source, 0 the operator; CMD_RESET: whose blocks are lifted, 0 all
            uint64_t id;     // control's number of this kill, in its alerts
            char by[16];
            char why[40];
        } kill;
        struct {          // CMD_MODE
            uint8_t mode; // a number that control gives it
            uint8_t on;
            uint8_t block;    // no new orders
            uint32_t percent; // of every limit, 100: all of it
            uint32_t rate;    // orders a second of a session, 0: as configured
            char name[16];
            char by[16];
        } mode;
        struct { // CMD_GROUP
            uint16_t locate;
            uint16_t group; // 1.., 0 none
        } group;
        struct {                   // CMD_BANDS
            uint32_t percent;      // PPM of the reference, 0 no bands
            uint32_t wide_percent; // near the opening and the close
            uint32_t limit_state_ms;
            uint32_t pause_ms;
            uint32_t velocity_percent; // PPM within velocity_ms, 0 none
            uint32_t velocity_ms;
            uint64_t wide_until_ns, wide_from_ns; // times of the day: wide before the one and from the other on
            uint16_t locate;
            char by[16];
        } bands;
        struct { // CMD_NOTE
            uint64_t before, after;
            uint16_t index;
            uint8_t scope;
            uint8_t what; // a number of control's (control/audit.def)
            char by[16];
            char why[56];
            uint32_t number; // of control's, by `what`
        } note;
        struct {                 // CMD_TICK
            uint64_t event_hash; // whole rolling hash before this tick
        } tick;
        struct {               // CMD_CLOCK
            int64_t offset_ns; // added to the monotonic clock to get ns since midnight of the trading date
        } clock;
        struct {          // DIRECTIVE_RECOVERED, DIRECTIVE_COUNT
            uint64_t seq; // last sequence in the journal for this core; last that is only counted
        } recovered;
        // CMD_RESTORE_*: time_ns is the engine's; session as named. Slots are the numbers of orders within a snapshot.
        struct {
            uint64_t key0, key1; // of the live-order table
            uint64_t next_ref, next_match;
            uint64_t generator; // of random reserves
            uint32_t trading_date;
            uint32_t max_orders, max_levels, max_trades, max_special, max_conditional;
            uint16_t max_symbols, max_accounts, max_sessions;
            uint8_t core;
            char phase;     // enum session_phase
            uint32_t slots; // the highest
            uint8_t ended;
            uint32_t max_positions;
        } restore_day;
        struct {
            char name[8];
            uint32_t tick, round_lot;
            uint32_t last_trade;
            uint32_t looked[2];
            uint32_t low, high, fall, rise; // of trades since the stops were settled, and what they must reach
            uint32_t buy_from, sell_from, fall_from, rise_from;
            uint16_t locate;
        } restore_symbol;
        struct {
            char name[16];
            char firm[4];
            char organisation[16];
            uint16_t account;
        } restore_account;
        struct {
            uint16_t account;
            uint8_t up, disabled, cancel_on_disconnect, post_only_cancels;
            char aiq_default;
        } restore_session;
        struct {
            uint8_t scope; // enum scope
            uint8_t blocks;
            uint16_t index;
        } restore_kill;
        struct {
            uint32_t last[18];
            uint8_t channels[18];
            uint8_t count;
        } restore_numbers;
        struct {
            uint32_t index;
            uint16_t told;
            uint8_t kind, place;
            uint64_t values[9];
        } restore_rates;
        struct { // in the order of its level's queue
            uint64_t key, ref;
            uint32_t slot;
            uint32_t member; // its place among its session's orders
            uint32_t quantity, price;
            uint64_t terms; // struct order has the same
            uint32_t executed;
            uint16_t group_id;
            uint8_t flags; // enum restore_flag
            uint8_t way;   // its place in its bucket
            struct {
                uint32_t options;
                char firm[4];
                char price_type, post_only, trade_now, handle_inst;
                char aiq_strategy, aiq_group[2];
                char unused;
            } echo;
            uint32_t behind; // block of places before its own, 0 none
        } restore_order;
        struct {
            uint64_t entered, expire_ns;
            uint32_t slot;
            uint32_t min_qty, max_floor, random_reserves, reserve, limit;
            int32_t peg_offset;
            uint32_t discretion_price;
            int32_t discretion_peg_offset;
            uint32_t trigger, stop, extreme;
            uint32_t expire_s, asked;
            char price_type, discretion_type, trigger_type, post_only;
            char aiq_strategy, aiq_group[2];
            uint8_t kinds, refreshes;
        } restore_special;
        struct {
            uint16_t locate;
            uint8_t list; // enum restore_list
            uint8_t count;
            uint32_t slots[23];
        } restore_list;
        struct {
            uint32_t first; // how many trades came before
            uint32_t count;
            struct {
                uint64_t taker, maker;
                uint32_t quantity, price;
                uint16_t locate;
                char taker_side, maker_side;
                char maker_liquidity;
                uint8_t broken;
                uint8_t unused[2];
            } trades[RESTORE_TRADES];
        } restore_trades;
        struct { // engine/market.h, of one symbol; MARKET_VENUE: of all
            uint16_t locate;
            uint8_t part; // enum restore_market
            uint8_t count;
            uint32_t first;
            union {
                struct {
                    uint64_t pause_end_ns, limit_since_ns, referenced_ns, adv;
                    uint32_t close, reference, lower, upper;
                    char told_reason[4], halt_reason[4], pause_reason[4], resume_reason[4];
                    char told, halt, limit_side, reg_sho;
                    uint8_t tier, wide;
                } state;
                struct {
                    uint64_t wide_until_ns, wide_from_ns, interval_end_ns, step_end_ns;
                    uint32_t percent, wide_percent, limit_state_ms, pause_ms, velocity_percent, velocity_ms;
                    uint32_t low, high;
                    uint8_t interval, step;
                } bands;
                struct {
                    uint64_t sum;
                    uint32_t count, number;
                } intervals[5];
                struct {
                    uint32_t low, high, number;
                } steps[4];
                struct {
                    uint64_t due_ns, sweep_ns, halt_end_ns, declared[3];
                    uint8_t breached;
                } venue;
            };
        } restore_market;
        struct { // those that are set
            uint64_t values[RESTORE_LIMITS];
            uint16_t index, locate; // as in CMD_LIMIT
            uint8_t scope;
            uint8_t count;
            uint8_t limits[RESTORE_LIMITS];
        } restore_limits;
        struct {
            uint64_t quantity[RESTORE_EXECUTED], value[RESTORE_EXECUTED];
            uint16_t sessions[RESTORE_EXECUTED];
            uint8_t count;
        } restore_executed;
        struct {
            struct {
                int64_t quantity, cost, cash;
                uint32_t day;
                uint16_t account, locate;
            } positions[RESTORE_POSITIONS];
            uint8_t count;
        } restore_positions;
        struct {
            uint64_t sequence, event_hash;
            uint64_t records; // before this one
            uint64_t digest;  // over them
            uint32_t orders, levels, specials, conditionals;
        } restore_end;
        struct {           // session, or SESSION_NONE for the feed
            uint64_t next; // sequence of the next message
        } restore_stream;
        struct { // {2 big-endian length, message}.., a length of 0 or the end ends them
            uint8_t blocks[RESTORE_BLOCKS];
        } restore_messages;
        uint8_t payload[96];
    };
};

enum restore_flag { RESTORE_ECHO = 1, RESTORE_AWAY = 2, RESTORE_SPECIAL = 4, RESTORE_NEWEST = 8, RESTORE_WAITS = 16 };
enum restore_list {
    RESTORE_PEGS,
    RESTORE_DISCRETION_BUY,
    RESTORE_DISCRETION_SELL,
    RESTORE_STOPS_BUY,
    RESTORE_STOPS_SELL,
    RESTORE_TRIGGERED // of a symbol that stands still
};

enum restore_market { MARKET_STATE, MARKET_BANDS, MARKET_INTERVALS, MARKET_STEPS, MARKET_VENUE };

enum session_phase { PHASE_PRE = 'P', PHASE_REGULAR = 'R', PHASE_AFTER = 'A', PHASE_CLOSED = 'X' };

// When the orders of a session that goes down are canceled, a bit each: when it logs off, and when it is lost.
enum cancel_when { CANCEL_WHEN_LOST = 1, CANCEL_WHEN_OFF = 2 };

enum down_reason { DOWN_LOGOFF = 1, DOWN_TIMEOUT = 2, DOWN_RESTART = 3, DOWN_RELOGIN = 4, DOWN_SHUTDOWN = 5 };

// User_ref, session and user_ref_idx as one word.
#define COMMAND_KEY 16
_Static_assert(offsetof(struct command, user_ref) == COMMAND_KEY && offsetof(struct command, session) == 20 &&
                   offsetof(struct command, user_ref_idx) == 22 && offsetof(struct command, zero) == 23,
               "one word");
_Static_assert(sizeof(struct command) == 128, "a command is two cache lines");
_Static_assert(offsetof(struct command, cl_ord_id) == 64, "matching reads the first cache line only");
_Static_assert(offsetof(struct command, restore_order.terms) == 64, "what names memory is in the first line");

#define COMMAND_SEQ_BITS 56
#define COMMAND_SEQ_MASK ((UINT64_C(1) << COMMAND_SEQ_BITS) - 1)

#endif
