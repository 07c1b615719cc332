// SPDX-License-Identifier: Apache-2.0
// The shared region: one file that the dataplane formats and control joins. Each dataplane start makes a generation.
//
//   RUNDIR/INSTANCE.g000007     (hugetlbfs, or tmpfs where there are no huge pages)
//   +--------+--------------+-----------+------------+-------------+-----
//   | header | object table | core_block| ring       | matcher_port| ...
//   +--------+--------------+-----------+------------+-------------+-----
//
// The dataplane holds an exclusive open-file-description lock on the file for as long as it lives, so that control can
// tell a dead generation from a live one whatever process ids do. A generation is unlinked only by control (or by the
// next dataplane start's control), once its journal rings are drained and durable.
#ifndef CROSSWIRE_CONTRACT_REGION_H
#define CROSSWIRE_CONTRACT_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/counters.h"
#include "contract/ring.h"

enum object_kind {
    OBJECT_CORE = 1,        // struct core_block; a = enum role, b = index of the role's instance
    OBJECT_MATCHER = 2,     // struct matcher_port; b = matching core
    OBJECT_COMMANDS = 3,    // ring of struct command, control -> matcher b
    OBJECT_JOURNAL = 4,     // ring of struct command, matcher b -> journal thread; its position is the core's sequence
    OBJECT_REQUESTS = 5,    // ring of struct gateway_request, gateway b -> control
    OBJECT_REPLIES = 6,     // ring of struct gateway_reply, control -> gateway b
    OBJECT_ORDERS = 7,      // ring of struct command, gateway a -> matcher b
    OBJECT_EVENTS = 8,      // ring of struct event, matcher a -> gateway b
    OBJECT_MARKET_DATA = 9, // ring of struct event, matcher a -> publisher b
    OBJECT_ALERTS = 10,     // ring of struct alert, matcher b -> control; may drop
    OBJECT_TALLIES = 11,    // struct session_tally of every session; written by gateway b for its own
    OBJECT_BOARD = 12,      // struct breaker_board; written by control
};

struct region_object {
    uint16_t kind; // enum object_kind
    uint16_t a;
    uint16_t b;
    uint16_t unused;
    uint64_t offset; // from the region's start
    uint64_t size;   // bytes
};

#define REGION_MAGIC UINT64_C(0x4352535357495245)
#define REGION_VERSION 1u
#define REGION_OBJECTS_MAX 512

enum region_stop {
    REGION_STOP_ASKED = 1,  // by the data plane itself, at SIGTERM
    REGION_STOP_FENCED = 2, // by control, whose journal has failed: what is not durable will not be
};

struct region_header {
    _Atomic uint64_t magic; // published last, with release; a reader without it sees a region still being made
    uint32_t version;
    uint32_t object_count;
    uint64_t layout_hash; // of every shared structure's size and offsets
    uint64_t config_hash; // of the configuration text that both processes must agree on
    uint64_t size;        // bytes of the whole region
    uint64_t generation;
    uint64_t dataplane_pid;             // for people; liveness is the lock
    _Atomic uint64_t control_heartbeat; // control counts up here about every CONTROL_SIGN_MS
    _Atomic uint32_t stop;              // enum region_stop: other than 0 asks every role to drain and halt
    _Atomic uint32_t trading_date; // written by control before it feeds anything: whose journal the rings belong to
    // Written by control, from `trips:`.
    _Atomic uint64_t
        answer_limit_ns;           // answers that leave later after their command's time are counted as late; 0: none
    _Atomic uint64_t control_lost; // CONTROL_LOST(..): what a matching core does when control is away; 0: nothing
    struct region_object objects[REGION_OBJECTS_MAX];
};

// What a matching core does by itself: after `ms` without a sign of control, `action`; once control has given signs for
// `quiet_ms`, it takes it back unless `manual`.
#define CONTROL_LOST(ms, action, manual, quiet_ms) \
    ((uint64_t)(ms) | (uint64_t)(action) << 32 | (uint64_t)(manual) << 35 | (uint64_t)(quiet_ms) << 36)
#define CONTROL_LOST_MS(word) ((uint32_t)(word))
#define CONTROL_LOST_ACTION(word) ((unsigned)((word) >> 32 & 7)) // enum trip_action
#define CONTROL_LOST_MANUAL(word) ((word) >> 35 & 1)
#define CONTROL_LOST_QUIET_MS(word) ((uint32_t)((word) >> 36))

// CMD_MODE.mode of what a matching core does by itself; control's own begin at 0, as in `modes:`.
#define MODE_CONTROL_LOST 63

enum core_state { CORE_BOOT = 0, CORE_RUN = 1, CORE_HALT = 2, CORE_FAIL = 3 };

// One role instance as others see it. Written by that role alone (in housekeep), read by anybody.
struct core_block {
    _Atomic uint32_t state; // enum core_state
    uint32_t lcore;
    _Atomic uint64_t heartbeat;   // counts housekeeping rounds
    _Atomic uint64_t busy_cycles; // TSC cycles in polls that found work
    _Atomic uint64_t idle_cycles; // in polls that found none
    _Atomic uint64_t heap_bytes;  // bytes that this lcore's thread took from the heap since it began to poll: 0
    uint64_t tsc_hz;
    char pad[CACHE_PAIR - 48];
    _Atomic uint64_t counters[COUNTERS_MAX];
};
_Static_assert(sizeof(struct core_block) == CACHE_PAIR + COUNTERS_MAX * 8, "no padding");

// How far a matching core in CORE_BOOT is with a snapshot. applied_seq is 0 until it is RESTORED.
enum restore_state { CORE_FRESH = 0, CORE_RESTORING = 1, CORE_RESTORED = 2, CORE_REFUSED = 3 };

// What a matching core and control tell each other, one writer a block.
struct matcher_port {
    // Written by control. Release pairs with the acquire in gateways and publishers.
    _Atomic uint64_t durable_seq; // every command up to here is durable (or, with ack matched, need not be)
    char pad0[CACHE_PAIR - 8];
    // Written by the matching core.
    _Atomic uint64_t applied_seq;   // last command the engine has taken
    _Atomic uint64_t event_hash;    // rolling hash after it
    _Atomic uint64_t diverged_seq;  // nonzero: replay stopped here because the hash before this command differs
    _Atomic uint64_t diverged_want; // prev_hash that the journal holds
    _Atomic uint64_t diverged_got;
    _Atomic uint32_t day_open; // trading date once CMD_START has been applied, 0 before, and again after CMD_END_DAY
    _Atomic uint32_t restore;  // enum restore_state; REFUSED until a DIRECTIVE_RESET
    _Atomic uint64_t modes;    // degraded modes that are on, a bit each (CMD_MODE.mode)
    _Atomic int64_t offset_ns; // of the last CMD_CLOCK: tsc_ns(TSC) + offset_ns is a command's time
    // The market-wide index's members here: weight times last sale, or close before the day; weight times close.
    _Atomic uint64_t index_sum, index_base;
    char pad1[CACHE_PAIR - 80];
};
_Static_assert(sizeof(struct matcher_port) == 2 * CACHE_PAIR, "one writer a block");

// What has come of a session's order messages since this start of the data plane.
struct session_tally {
    _Atomic uint64_t messages; // from the session, whatever came of them
    _Atomic uint64_t malformed;
    _Atomic uint64_t rejected; // J sent
    uint64_t unused;
};
_Static_assert(sizeof(struct session_tally) == 32, "half a cache line");

#define BOARD_ENTRIES 256

// The breakers that are not closed, for whoever may look at the region, and for a control that comes after one that was
// killed. Control makes `turn` odd while it writes.
struct breaker_board {
    _Atomic uint64_t turn;
    _Atomic uint64_t count; // of entries; more than BOARD_ENTRIES: that many stand here
    uint64_t unused[14];
    struct board_entry {
        _Atomic uint64_t name[2]; // of the trip
        _Atomic uint64_t state;   // enum breaker_state | level << 8 | of which session, matching core, .. << 32
        _Atomic uint64_t value;   // as measured last
    } entries[BOARD_ENTRIES];
};

// REPLY_FORGET is only a reply, and answers nothing: the session's password may be another one now, so that what the
// gateway remembers as verified does not count any more. REPORT_REFUSED has none: logins that the gateway has refused.
enum gateway_request_kind { REQUEST_LOGIN = 1, REQUEST_MESSAGES = 2, REPLY_FORGET = 3, REPORT_REFUSED = 4 };

// Why a login is refused: by control, and from _USER on by the gateway.
enum login_why {
    LOGIN_WHY_PASSWORD,
    LOGIN_WHY_RATE,
    LOGIN_WHY_CLOSED, // a breaker's doing
    LOGIN_WHY_USER,
    LOGIN_WHY_SESSION, // the password was right, and it names another trading session
    LOGIN_WHY_ENDED,
    LOGIN_WHYS
};

enum login_verdict {
    LOGIN_WRONG = 0,
    LOGIN_RIGHT = 1,
    LOGIN_LIMITED = 2, // not looked at: too many attempts; leave it unanswered (DISCARD_LOGIN_RATE), the client repeats
};

// From a gateway to control. Secrets are overwritten by control when it has read them.
struct gateway_request {
    uint64_t word;
    uint64_t id;        // echoed in replies
    uint32_t kind;      // enum gateway_request_kind
    uint16_t session;   // REFUSED: SESSION_NONE for no such user
    uint16_t count;     // MESSAGES: how many; REFUSED: as well, of which the rest is about the last
    uint32_t first;     // MESSAGES: first sequence; REFUSED: enum login_why
    uint32_t source_ip; // LOGIN, REFUSED: host order, for rate limits and the log
    uint16_t source_port;
    char user[6];
    char password[10];
    char unused[14];
};
_Static_assert(sizeof(struct gateway_request) == 64, "one cache line");

#define REPLY_BYTES 220 // drop_copy.h: STREAM_MESSAGE_MAX

// From control to a gateway. LOGIN: verdict. MESSAGES: one message a cell, in order; the gateway packs and sends them.
struct gateway_reply {
    uint64_t word;
    uint64_t id;
    uint32_t kind;
    uint16_t session;
    uint16_t verdict;  // LOGIN: enum login_verdict; MESSAGES: cells of this request that follow this one
    uint32_t sequence; // MESSAGES: of this message
    uint16_t length;   // MESSAGES: bytes of it; 0: none can be had now, and no cell follows
    uint16_t unused;
    char message[REPLY_BYTES];
    char unused2[4];
};
_Static_assert(sizeof(struct gateway_reply) == 256, "four cache lines");

// A mapped region, in either process or in a tool. Filled by region_create and region_join.
struct region {
    struct region_header *header; // start of the mapping
    size_t size;
    int fd;      // keeps the lock in the process that created it
    int lock_fd; // DIR/INSTANCE.lock, held by the creator: one live dataplane an instance; -1 in others
    char path[256];
};

struct region_plan {
    struct region_object objects[REGION_OBJECTS_MAX];
    uint32_t depths[REGION_OBJECTS_MAX]; // rings only
    unsigned count;
};

enum region_result {
    REGION_OK = 0,
    REGION_SYSTEM,  // errno says why
    REGION_ABSENT,  // no such generation
    REGION_LAYOUT,  // made by another build: version or layout hash differ
    REGION_UNREADY, // magic not published
    REGION_BUSY,    // create: another live dataplane holds the newest generation
};

// Adds an object to the plan. For rings `depth` is in cells, for tallies in sessions, and 0 otherwise.
void region_plan_add(struct region_plan *plan, enum object_kind kind, unsigned a, unsigned b, uint32_t depth);

// Bytes of the file that region_create makes for the plan in `directory`, whole pages of its file system; `page` is
// their size where that is hugetlbfs, else 0. Returns 0 with errno when the directory can not be looked at.
size_t region_plan_bytes(const struct region_plan *plan, const char *directory, size_t *page);

// Creates generation newest+1 in `directory` (which exists), formats what `plan` lists, publishes the magic last, holds
// the lock. It is made under a temporary name: whatever kills it in the middle leaves nothing that can be joined, and
// what it leaves is removed by the next call. A number is never used twice in a directory. All memory is present on
// return. REGION_BUSY: a live dataplane has this instance. REGION_SYSTEM: errno; ENOSPC and ENOMEM mean too little
// memory or too few huge pages, the file's size is in region->size.
enum region_result region_create(struct region *region, const char *directory, const char *instance,
                                 const struct region_plan *plan, uint64_t config_hash);

// Maps generation `generation`; read-only unless `writable`. Checks magic, version, layout hash, and that every object
// lies inside the file.
enum region_result region_join(struct region *region, const char *directory, const char *instance, uint64_t generation,
                               bool writable);

// Unmaps and closes; the file stays.
void region_leave(struct region *region);

// Lists generations present, ascending, into `list` (room for `most`, the oldest); returns how many there are in all,
// or -1 with errno.
int region_list(const char *directory, const char *instance, uint64_t *list, int most);

// Whether a live dataplane holds the region's lock. The region may be joined read-only.
bool region_alive(const struct region *region);

// The path of the file that an instance's crosswire-control holds an flock of for as long as it lives.
void region_control_lock(char *path, size_t size, const char *directory, const char *instance);

// Whether a crosswire-control of this instance lives.
bool region_control_alive(const char *directory, const char *instance);

// Removes the file of a generation. Returns 0, or -1 with errno.
int region_remove(const char *directory, const char *instance, uint64_t generation);

// The object, or NULL when the region has none such.
void *region_find(const struct region *region, enum object_kind kind, unsigned a, unsigned b);

// Hash over the sizes and offsets of all shared structures of this build.
uint64_t region_layout_hash(void);

#endif
