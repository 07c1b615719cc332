// SPDX-License-Identifier: Apache-2.0
// What a day with risk is limited by: a few limits of every scope, drawn so that orders meet them; what trips what,
// with short times; bands, the index and short-sale states of its symbols.
#include <stdlib.h>
#include <string.h>

#include "tests/sim/operators.h"
#include "tests/sim/posix.h"
#include "tests/sim/world.h"

struct world_limits world_limits[WORLD_ACCOUNTS], world_firm_limits[WORLD_ACCOUNTS];
struct world_limits world_session_limits[WORLD_SESSIONS];
uint64_t world_position_most = LIMIT_UNSET;

static struct world_text limits_file;
static unsigned tier, weight;

#define say(...) world_say(&limits_file, __VA_ARGS__)

static uint64_t draw(uint64_t least, uint64_t most)
{
    return random_between(&sim.risk, least, most);
}

static bool maybe(unsigned percent)
{
    return random_below(&sim.risk, 100) < percent;
}

// ---- the limits file ------------------------------------------------------------------------------------------------

// A limit in its own unit, perhaps; money is given in 1/10,000.
static void perhaps(struct world_limits *limits, unsigned percent, enum limit limit, const char *key, uint64_t least,
                    uint64_t most)
{
    const bool money = limit == LIMIT_GROSS_NOTIONAL || limit == LIMIT_NET_NOTIONAL || limit == LIMIT_DAY_VALUE ||
                       limit == LIMIT_LOSS || limit == LIMIT_MAX_NOTIONAL;
    if (!maybe(percent))
        return;
    uint64_t value = draw(least, most);
    say(", %s: %llu%s", key, (unsigned long long)value, money ? ".00" : "");
    limits->most[limit] = money ? value * 10000 : value;
}

static void clear(struct world_limits *limits)
{
    for (unsigned i = 0; i < LIMITS; i++)
        limits->most[i] = LIMIT_UNSET;
}

static void add_sums(struct world_limits *limits, unsigned percent)
{
    perhaps(limits, percent, LIMIT_GROSS_NOTIONAL, "gross_notional", 400000, 3000000);
    perhaps(limits, percent, LIMIT_NET_NOTIONAL, "net_notional", 400000, 3000000);
    perhaps(limits, percent, LIMIT_DAY_QUANTITY, "day_quantity", 5000, 400000);
    perhaps(limits, percent, LIMIT_DAY_VALUE, "day_value", 500000, 40000000);
    perhaps(limits, percent, LIMIT_WORKING_ORDERS, "working_orders", 20, 120);
    perhaps(limits, percent, LIMIT_LOSS, "loss", 100, 1000);
}

static void add_account(unsigned number, const char *name)
{
    struct world_limits *limits = &world_limits[number];
    clear(limits);
    say("  - {account: %s, max_quantity: 900", name);
    limits->most[LIMIT_MAX_QUANTITY] = WORLD_MOST_QUANTITY;
    add_sums(limits, 30);
    perhaps(limits, 40, LIMIT_LONG_POSITION, "long_position", 2000, 15000);
    perhaps(limits, 40, LIMIT_SHORT_POSITION, "short_position", 2000, 15000);
    if (maybe(30)) {
        say(", capital: 1000000.00, position_share_percent: 100, drawdown_percent: 0.0%llu",
            (unsigned long long)draw(1, 9));
        limits->most[LIMIT_DRAWDOWN] = 0;
    }
    if (maybe(20))
        say(", fat_finger_percent: 0.1");
    if (maybe(20))
        say(", collar_percent: 0.05");
    if (maybe(20))
        say(", duplicates: 3, duplicate_ms: 50ms");
    if (maybe(20))
        say(", repeated_executions: 40, repeated_ms: 20ms");
    if (maybe(20))
        say(", adv_percent: 20");
    if (maybe(20))
        say(", slow_percent: 80, slow_rate: 100");
    say("}\n");
}

static void add_session(unsigned number)
{
    say("  - {session: USER%u, order_rate: 20000, order_burst: 200", number);
    if (maybe(30))
        say(", message_rate: %u", (unsigned)draw(50, 500));
    if (maybe(40))
        say(", mmp_ms: 10, %s", maybe(50) ? "mmp_fills: 5" : "mmp_quantity: 3000");
    if (maybe(20)) {
        say(", max_notional: 80000.00");
        world_session_limits[number].most[LIMIT_MAX_NOTIONAL] = UINT64_C(800000000);
    }
    if (maybe(20))
        say(", fat_finger_ticks: 8");
    if (maybe(20)) {
        say(", working_orders: 40");
        world_session_limits[number].most[LIMIT_WORKING_ORDERS] = 40;
    }
    if (maybe(20))
        say(", forbidden: [%s]", maybe(50) ? "ioc" : "short_unlocated");
    say("}\n");
}

static void write_limits(unsigned symbols, unsigned sessions)
{
    static const char *const states[] = {"none", "intraday", "remains"};
    const bool falling = maybe(15); // what trades is 7 or 14 per cent below the close
    unsigned close = falling ? (maybe(50) ? 108 : 117) : 100;
    limits_file.used = 0;
    tier = falling ? 0 : maybe(40) ? 1 : 0;
    weight = falling ? 1 : 0;
    say("venue: {alert_percent: 50%s}\nfirms:\n", maybe(20) ? ", slow_percent: 90, slow_rate: 200" : "");
    for (unsigned i = 0; i < WORLD_ACCOUNTS; i++) {
        clear(&world_firm_limits[i]);
        say("  - {firm: %s, max_quantity: 950", i ? "SOTH" : "NRTH");
        world_firm_limits[i].most[LIMIT_MAX_QUANTITY] = 950;
        add_sums(&world_firm_limits[i], 10);
        say("}\n");
    }
    say("accounts:\n");
    add_account(0, "NORTH");
    add_account(1, "SOUTH");
    say("sessions:\n");
    for (unsigned i = 0; i < WORLD_SESSIONS; i++)
        clear(&world_session_limits[i]);
    for (unsigned i = 0; i < sessions; i += 2 - i % 2)
        add_session(i);
    say("symbols:\n");
    for (unsigned i = 0; i < symbols; i++)
        say("  - {symbol: SYM%u, reference: %u.10, adv: 60000, reg_sho: %s%s}\n", i, close, states[draw(0, 2)],
            maybe(20) ? ", symbol_order_rate: 300" : "");
    world_position_most = 25000;
    say("positions:\n  - {account: NORTH, symbol: SYM0, long_position: %llu}\n",
        (unsigned long long)world_position_most);
    if (maybe(40))
        say("groups:\n  - {group: pair, symbols: [SYM0, SYM1]}\n");
    posix_put_file("/etc", "limits.yaml", limits_file.bytes, limits_file.used);
}

void world_mend_limits(void)
{
    posix_put_file("/etc", "limits.yaml", limits_file.bytes, limits_file.used);
}

void world_spoil_limits(void)
{
    static const char *const mistakes[] = {
        "accounts:\n  - {account: NOBODY, max_quantity: 1}\n",
        "accounts:\n  - {account: NORTH, max_quantity: -1}\n",
        "accounts:\n  - {account: NORTH, max_quantity: 18446744073709551616}\n",
        "accounts:\n  - {account: NORTH, max_quantity: 1}\n  - {account: NORTH, max_quantity: 2}\n",
        "accounts:\n  - {account: NORTH, max_quantity: 1}\nsymbols:\n  - {symbol: NONE, reference: 1.00}\n",
        "accounts:\n  - {account: NORTH, max_quantity: 1, max_quantity: 2}\n",
        "accounts:\n  - {account: NORTH, max_quantity: 1\n",
    };
    const char *mistake = mistakes[draw(0, sizeof mistakes / sizeof mistakes[0] - 1)];
    posix_put_file("/etc", "limits.yaml", mistake, strlen(mistake));
}

// ---- what trips what ------------------------------------------------------------------------------------------------

static void add_trip(struct world_text *config, const char *condition, unsigned threshold, unsigned window_ms,
                     unsigned actions)
{
    // In the order of their mildness; a breaker may do the first `actions` of them.
    static const char *const words[] = {
        "alert",          "throttle, mode: throttled", "throttle, mode: half", "block_new",
        "cancel_resting", "halt, recovery: manual"};
    static const char *const recoveries[] = {"", "", "", ", recovery: aggressive", ", recovery: manual"};
    unsigned action = (unsigned)draw(0, actions);
    if (!maybe(75))
        return;
    world_say(config, "  - {condition: %s, threshold: %u, window_ms: %u, samples: 30, quiet_ms: 100, action: %s%s}\n",
              condition, threshold, window_ms, words[action], action == 5 ? "" : recoveries[draw(0, 4)]);
}

static void add_control_lost(struct world_text *config)
{
    static const char *const words[] = {"alert", "block_new", "cancel_resting", "halt, recovery: manual"};
    static const char *const recoveries[] = {"", ", recovery: aggressive", ", recovery: manual"};
    unsigned action = (unsigned)draw(0, 3);
    if (maybe(70))
        world_say(config, "  - {condition: control_lost, threshold: %llu, window_ms: 0, quiet_ms: 100, action: %s%s}\n",
                  (unsigned long long)draw(CONTROL_LOST_LEAST_MS, CONTROL_LOST_LEAST_MS + 5), words[action],
                  action == 3 ? "" : recoveries[draw(0, 2)]);
}

static void add_trips(struct world_text *config)
{
    enum { TO_ALERT = 0, TO_MODE = 2, TO_BLOCK = 3, TO_CANCEL = 4, TO_HALT = 5 };
    world_say(config, "modes: [{name: throttled, rate: 2000}, {name: half, limits_percent: 50}]\ntrips:\n");
    world_say(
        config,
        "  - {condition: reject_ratio, threshold: %u, samples: 30, window_ms: 100, action: throttle, mode: throttled, "
        "quiet_ms: 100}\n",
        (unsigned[]){2, 5, 50}[draw(0, 2)]);
    add_trip(config, "malformed_ratio", 1, 100, TO_BLOCK);
    add_trip(config, "latency", 5000, 100, TO_MODE);
    add_trip(config, "backlog", 1, 0, TO_HALT);
    add_trip(config, "journal_lag", 20, 0, TO_CANCEL);
    add_trip(config, "clock_step", 500, 1000, TO_CANCEL);
    add_trip(config, "disk_space", 1, 0, TO_BLOCK);
    add_trip(config, "loss", 1, 1000, TO_BLOCK);
    add_trip(config, "drawdown", 1, 1000, TO_BLOCK);
    if (maybe(60))
        world_say(config,
                  "  - {condition: bad_logins, threshold: 2, window_ms: 1000, action: block_new, quiet_ms: 100}\n");
    add_control_lost(config);
}

void world_add_risk(struct world_text *config, unsigned symbols, unsigned sessions)
{
    write_limits(symbols, sessions);
    world_say(config, "risk: {limits: /etc/limits.yaml, second_person: %s}\n", maybe(50) ? "true" : "false");
    if (tier)
        world_say(config, "bands: {tier1_percent: \"%s\", limit_state_seconds: %u, pause_seconds: 1%s}\n",
                  maybe(50) ? "0.1" : "5", (unsigned)draw(0, 1),
                  maybe(50) ? ", velocity_percent: \"0.18\", velocity_seconds: 1" : "");
    if (weight)
        world_say(config, "market_wide: {close: \"1000.00\"}\n");
    add_trips(config);
}

unsigned world_tier(void)
{
    return tier;
}

unsigned world_weight(void)
{
    return weight;
}
