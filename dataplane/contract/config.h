// SPDX-License-Identifier: Apache-2.0
// The configuration file, read by both processes and the tools. Keys, units, defaults and bounds: config.def.
#ifndef CROSSWIRE_CONTRACT_CONFIG_H
#define CROSSWIRE_CONTRACT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Beside enum session_phase, of the schedule: CMD_END_DAY.
enum { PHASE_DAY_END = 'E' };

enum ack_mode { ACK_MATCHED, ACK_DURABLE, ACK_REPLICATED };

// What a core does after a round that has found nothing to do.
enum idle_policy {
    IDLE_SPIN,   // looks again at once
    IDLE_PAUSE,  // one PAUSE: leaves the sibling thread more of the core
    IDLE_UMWAIT, // sleeps for a microsecond in C0.1 by TPAUSE; CPUs with WAITPKG
    IDLE_YIELD,  // sched_yield: for a core that others have to use as well
};

struct config_port { // one Ethernet port, physical or virtual
    const char *name;
    const char *profile; // file nic_profiles/PROFILE.yaml
    const char *device;  // what the profile's {device} stands for: PCI address, socket path, interface, capture file
    const char *mac;     // aa:bb:cc:dd:ee:ff, empty: the device's own
    const char *address; // IPv4 address
    uint32_t vlan;       // 0: untagged
    // resolved
    uint8_t mac_bytes[6];
    bool has_mac;
    uint32_t ip; // host order
};

struct config_gateway {
    uint32_t lcore;
    const char *idle;
    const char *port;
    uint32_t queue;
    uint32_t udp_port;   // where its clients send
    uint32_t port_index; // resolved
    enum idle_policy idle_policy;
};

struct config_matcher {
    uint32_t lcore;
    const char *idle;
    enum idle_policy idle_policy; // resolved
};

struct config_publisher { // one a matching core, in the order of matchers
    uint32_t lcore;
    const char *idle;
    const char *port;
    uint32_t queue;
    const char *group; // multicast (or unicast) IPv4 destination
    uint32_t udp_port;
    uint32_t request_port; // UDP port for MoldUDP64 retransmission requests, 0: none
    uint32_t port_index;   // resolved
    uint32_t group_ip;     // resolved, host order
    enum idle_policy idle_policy;
};

struct config_symbol {
    const char *name; // 1..8 characters
    uint32_t matcher;
    const char *tick; // decimal price increment, e.g. 0.01
    uint32_t round_lot;
    uint32_t tier, index_weight;
    // resolved
    char wire_name[8];
    uint32_t tick_price; // 1/10,000
    uint16_t locate;     // 1-based within its core
};

struct config_account {
    const char *name;
    const char *firm;           // 1..4 characters
    const char *organisation;   // up to 16 characters, empty: none but the firm itself
    char wire_firm[4];          // resolved
    char wire_organisation[16]; // resolved
};

struct config_session {
    const char *user;          // 1..6 characters, compared without case
    const char *password_hash; // libsodium crypto_pwhash string
    const char *account;
    uint32_t gateway;
    uint32_t matcher;
    bool cancel_on_disconnect, cancel_on_logout;
    const char *post_only; // slide, cancel
    const char *aiq;       // one OUCH strategy
    // resolved
    char wire_user[6]; // upper case, space padded
    uint16_t account_index;
    bool post_only_cancels;
    char aiq_default; // N for none
};

// A read-only stream of what the sessions of a firm, or of some accounts, are told on one matching core. Streams are
// numbered through: sessions first, drop copies behind them (contract/drop_copy.h).
struct config_drop_copy {
    const char *user;
    const char *password_hash;
    const char *firm;     // empty: by accounts
    const char *accounts; // names, blank separated
    uint32_t gateway;
    uint32_t matcher;
    // resolved
    char wire_user[6];
    char wire_firm[4];
};

// What a condition is measured of: one breaker each.
enum trip_each { EACH_HOST, EACH_GATEWAY, EACH_MATCHER, EACH_PUBLISHER, EACH_SESSION, EACH_ACCOUNT };
enum trip_kind { TRIP_LEVEL, TRIP_COUNT, TRIP_PART, TRIP_OWN };

enum trip_condition {
#define TRIP(name, key, each, kind, unit, help) TRIP_##name,
#include "contract/trip.def"
#undef TRIP
    TRIP_CONDITIONS
};

// In the order of severity.
enum trip_action { TRIP_ALERT, TRIP_THROTTLE, TRIP_CANCEL, TRIP_BLOCK, TRIP_HALT };
enum trip_recovery { TRIP_MANUAL, TRIP_STANDARD, TRIP_AGGRESSIVE };

// Control gives matching cores a sign of life so often. Its loop is not always prompt, on a CPU that it shares: with a
// control that is well four signs may be late, so less than five is no time to act on.
#define CONTROL_SIGN_MS 10
#define CONTROL_LOST_LEAST_MS (5 * CONTROL_SIGN_MS)

#define CONFIG_MODES_MAX 16
#define CONFIG_TRIPS_MAX 64
#define MODE_NONE UINT32_MAX

struct config_mode {
    const char *name;
    uint32_t limits_percent;
    uint32_t rate; // 0: as limits say
    bool block;
};

struct config_trip {
    const char *name;
    const char *condition;
    uint32_t threshold; // in the condition's unit
    uint32_t window_ms;
    uint32_t samples;
    const char *action;
    const char *mode;
    const char *recovery;
    uint32_t quiet_ms;
    // resolved
    enum trip_condition is;
    enum trip_action does;
    enum trip_recovery recovers;
    uint32_t mode_index; // MODE_NONE
};

struct trip_info {
    const char *key, *unit, *help;
    enum trip_each each;
    enum trip_kind kind;
};

// Of trip.def.
const struct trip_info *config_trip_info(enum trip_condition condition);

// The words of the configuration.
const char *config_action_name(enum trip_action action);
const char *config_recovery_name(enum trip_recovery recovery);

struct config {
    const char *instance;
    const char *trading_date; // YYYY-MM-DD, or today
    const char *ack;
    const char *run_directory;
    const char *journal_directory;
    const char *profile_directory;

    struct {
        const char *eal; // extra EAL arguments, blank separated
        bool huge_pages; // false: --no-huge
        uint32_t memory_mb;
        uint32_t main_lcore; // EAL's main thread: not a pinned role
        const char *idle;
        uint32_t burst; // gateway receive burst cap, frames
        uint32_t order_ring_depth, event_ring_depth, command_ring_depth, journal_ring_depth;
        uint32_t window_messages; // sequenced messages a session kept for retransmission without control
        uint32_t session_timeout_ms, heartbeat_ms;
    } dataplane;
    struct {
        uint32_t segment_mb;
        uint32_t commit_kb;          // largest single journal write
        const char *signing_key;     // file of the secret key, empty: seals are not signed
        bool compress;               // segments of earlier dates
        uint32_t keep_days, keep_mb; // 0: for ever
        bool yield;                  // idle by sched_yield instead of sleeping a few microseconds
    } journal;
    struct {
        uint32_t every_seconds, every_commands; // both 0: none are written
        uint32_t keep;
    } snapshots;
    struct {
        uint32_t max_orders; // live orders a matching core
        uint32_t max_levels;
        uint32_t max_trades, max_special, max_conditional, max_positions;
        uint32_t tick_ms;
    } engine;
    struct {
        uint32_t login_attempts_per_minute; // a source address
        const char *password_file;          // lines of USER HASH, empty: none
        const char *kill_group;             // whose members may use the kill switch, empty: none
    } control;
    struct {
        const char *pre_market, *market_open, *market_close, *venue_close, *day_end; // HH:MM:SS, empty: not given
    } schedule;
    struct {
        const char *tier1_percent, *tier2_percent;
        uint32_t wide_factor, open_minutes, close_minutes;
        uint32_t limit_state_seconds, pause_seconds;
        const char *velocity_percent;
        uint32_t velocity_seconds;
    } bands;
    struct {
        const char *close;
        uint32_t late_minutes;
    } market_wide;

    struct {
        const char *limits; // file, empty: none
        bool second_person; // has to agree where a limit gives more room
        uint32_t approval_seconds;
    } risk;

    struct config_port *ports;
    uint32_t ports_count;
    struct config_gateway *gateways;
    uint32_t gateways_count;
    struct config_matcher *matchers;
    uint32_t matchers_count;
    struct config_publisher *publishers;
    uint32_t publishers_count;
    struct config_symbol *symbols;
    uint32_t symbols_count;
    struct config_account *accounts;
    uint32_t accounts_count;
    struct config_session *sessions;
    uint32_t sessions_count;
    struct config_drop_copy *drop_copies;
    uint32_t drop_copies_count;
    struct config_mode *modes;
    uint32_t modes_count;
    struct config_trip *trips;
    uint32_t trips_count;

    // resolved
    enum ack_mode ack_mode;
    uint32_t date; // yyyymmdd
    uint64_t hash; // of the resolved date and every value that can not change while the appliance runs
    struct config_phase {
        uint64_t time_ns; // since midnight of the trading date
        char phase;       // enum session_phase, or PHASE_DAY_END
    } phases[5];          // of the schedule, in order
    uint32_t phases_count;
    uint32_t tier_parts[3];  // of the bands by tier, millionths; 0 none
    uint32_t velocity_parts; // the same
    uint32_t index_close;    // 1/10,000, 0 none
};

// Reads, checks and resolves `path`. Returns the configuration, owned by the caller until config_free; or NULL with one
// line in `error` (path:line:column: what is wrong; what to do).
struct config *config_load(const char *path, char *error, size_t error_size);

void config_free(struct config *config);

// Whether an appliance that runs with `running` can go on with `next`: they differ in nothing but what may change at
// run time (`--describe-config` marks it). Otherwise one line in `text` names the first other key.
bool config_fits(const struct config *running, const struct config *next, char *text, size_t size);

// Takes from `next`, which fits, what may change at run time. `next` gets what was there before; free it all the same.
void config_take_over(struct config *running, struct config *next);

// Is given a value, as the file has it: `path` is section.key, or section[index].key; `live`: it may change at run
// time.
typedef void config_taker(void *context, const char *path, const char *value, bool live);

// Gives every value, in the order of the table.
void config_list(const struct config *config, config_taker *take, void *context);

// The word for a policy.
const char *config_idle_name(enum idle_policy policy);

// A UFO stream: of a session, or of a drop copy. Who logs in, and where.
struct config_stream {
    const char *user;
    const char *wire_user;
    const char *password_hash;
    uint32_t gateway, matcher;
};

// Streams are numbered: 0 .. sessions_count - 1 are the sessions, drop copies follow.
static inline uint32_t config_streams(const struct config *config)
{
    return config->sessions_count + config->drop_copies_count;
}

struct config_stream config_stream(const struct config *config, uint32_t index);

// Whether pre-trade risk is kept and checked: for the whole of a day. Without it orders cost nothing more, and no limit
// can be set.
static inline bool config_has_risk(const struct config *config)
{
    return (config->risk.limits && config->risk.limits[0] != '\0') || config->engine.max_positions != 0;
}

// Prints every key with type, unit, default, bounds and help, from the table.
void config_describe(void);

#endif
