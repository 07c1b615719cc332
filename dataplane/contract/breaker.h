// SPDX-License-Identifier: Apache-2.0
// A circuit breaker without a lock: any number of threads or processes share one in memory that all of them can write.
//
//            failures, consecutive or ratio            recovery time << level
//   CLOSED ---------------------------------> OPEN ---------------------------> HALF_OPEN
//     ^                                        ^                                 |     |
//     |                                        +----- one failure, level + 1 ----+     |
//     +------------------------- as many successes as tokens --------------------------+
//
// Four words. Every transition is one compare-and-swap of `state`; an outcome while CLOSED is one of `window`. Each
// decision reads exactly one word of settings, so that a reload in the middle gives either the old or the new, never a
// mixture. An epoch counts transitions: outcomes of what was allowed before the last one do not count any more, and
// neither do the counts of a window that belongs to another epoch. No call waits: who loses a race looks again.
//
// Time is the caller's, monotonic ns, counted here in units of 2^20 ns, a window's in 2^24 ns. All zero is a CLOSED
// breaker that never opens.
#ifndef CROSSWIRE_CONTRACT_BREAKER_H
#define CROSSWIRE_CONTRACT_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

// Greatest values of settings.
enum {
    BREAKER_COUNT_MAX = 255,
    BREAKER_OUTCOMES_MAX = 4095, // counted in one window; of more, half of all counts are forgotten
    BREAKER_TOKENS_MAX = 31,
    BREAKER_LEVEL_MAX = 16,            // doublings of the recovery time
    BREAKER_WINDOW_MS_MAX = 1 << 24,   // 4.6 hours
    BREAKER_RECOVERY_MS_MAX = 1 << 29, // 6 days, also of the quiet time
};

struct breaker_settings {
    uint32_t failures;      // in one window open it; 0: not
    uint32_t consecutive;   // in one window; 0: not
    uint32_t ratio_percent; // failures of outcomes in one window; 0: not
    uint32_t samples;       // outcomes before the ratio counts
    uint32_t window_ms;     // begins with the first outcome after the one before has ended
    uint32_t tokens;        // allowed at once when half open, and successes that close it; 0: 1
    uint32_t recovery_ms;   // from OPEN to HALF_OPEN, doubled with each level; 0: only breaker_reset leaves OPEN
    uint32_t quiet_ms;      // CLOSED for so long: the next opening begins at level 0 again
    uint32_t level_most;    // doublings
};

struct breaker {
    _Atomic uint64_t state;    // enum breaker_state, level, tokens given, successes, epoch, since
    _Atomic uint64_t window;   // epoch, start, outcomes, failures, streak
    _Atomic uint64_t opening;  // settings that decide over opening, and tokens
    _Atomic uint64_t recovery; // settings that decide over recovery
};

// What a breaker is at the moment, for people.
struct breaker_view {
    enum breaker_state state;
    unsigned level;    // OPEN, HALF_OPEN: doublings in force; CLOSED: those of the next opening within the quiet time
    uint64_t since_ns; // of the last transition, to 2^20 ns; 0: none yet
    unsigned given, good;
    unsigned outcomes, failures, streak; // of the window
};

// Leave to do one thing; 0: refused. Of one epoch.
typedef uint32_t breaker_permit;

// Outcomes of one thread that are not in the window yet: successes of the epoch that `permit` is of. Zero at first.
struct breaker_local {
    breaker_permit permit;
    uint32_t good;
};

// `b` is CLOSED and will be opened by these settings, each cut to what can be held.
void breaker_init(struct breaker *b, const struct breaker_settings *settings);

// Takes new settings into use; the state stays. One thread at a time.
void breaker_set(struct breaker *b, const struct breaker_settings *settings);

// The slow half of breaker_allow.
breaker_permit breaker_try(struct breaker *b, uint64_t now_ns);

// What came of a permit. Of another epoch than the breaker's: nothing happens.
void breaker_record(struct breaker *b, breaker_permit permit, bool good, uint64_t now_ns);

// The slow half of breaker_done.
void breaker_settle(struct breaker *b, struct breaker_local *local, breaker_permit permit, bool good, uint64_t now_ns);

// Puts the thread's successes into the window: in housekeeping, several times a window.
void breaker_flush(struct breaker *b, struct breaker_local *local, uint64_t now_ns);

// Opens it, whatever was counted. False when it is open.
bool breaker_trip(struct breaker *b, uint64_t now_ns);

// An OPEN breaker's recovery time begins again: what opened it goes on.
void breaker_hold(struct breaker *b, uint64_t now_ns);

// Closes it, level 0, nothing counted. False when it is closed.
bool breaker_reset(struct breaker *b, uint64_t now_ns);

void breaker_look(const struct breaker *b, struct breaker_view *view);

// "closed", "open", "half-open".
const char *breaker_state_name(enum breaker_state state);

// Bits of `state`, lowest first.
enum {
    BREAKER_STATE_BITS = 2,
    BREAKER_LEVEL_AT = 2,  // 5 bits
    BREAKER_GIVEN_AT = 7,  // 5
    BREAKER_GOOD_AT = 12,  // 5
    BREAKER_EPOCH_AT = 17, // 11
    BREAKER_SINCE_AT = 28, // 36
    BREAKER_EPOCH_MASK = (1 << 11) - 1,
};

static inline breaker_permit breaker_permit_of(uint64_t state)
{
    return (uint32_t)(state >> BREAKER_EPOCH_AT & BREAKER_EPOCH_MASK) << 1 | 1;
}

// Whether one thing may be done: a permit for breaker_record or breaker_done, or 0. A permit of a half open breaker
// that is never given back is given up after another recovery time.
static inline breaker_permit breaker_allow(struct breaker *b, uint64_t now_ns)
{
    // Acquire pairs with the release of a transition: who is let in sees what was mended before it.
    uint64_t state = atomic_load_explicit(&b->state, memory_order_acquire);
    if (__builtin_expect((state & ((1 << BREAKER_STATE_BITS) - 1)) == BREAKER_CLOSED, 1))
        return breaker_permit_of(state);
    return breaker_try(b, now_ns);
}

// As breaker_record, but successes stay with the thread until it fails or flushes.
static inline void breaker_done(struct breaker *b, struct breaker_local *local, breaker_permit permit, bool good,
                                uint64_t now_ns)
{
    if (__builtin_expect(good && permit == local->permit, 1))
        local->good++;
    else
        breaker_settle(b, local, permit, good, now_ns);
}

// A permit whose outcome is recorded on every path out of its block: failure unless `good` was set. `clock` is where
// the caller's present time stands, read at the beginning and at the end.
//
//   BREAKER_GUARD(guard, breaker, &now);
//   if (!guard.permit)
//       return false;
//   ..
//   guard.good = true;
struct breaker_guard {
    struct breaker *breaker;
    const uint64_t *clock;
    breaker_permit permit;
    bool good;
};

static inline struct breaker_guard breaker_guard_begin(struct breaker *b, const uint64_t *clock)
{
    return (struct breaker_guard){.breaker = b, .clock = clock, .permit = breaker_allow(b, *clock)};
}

static inline void breaker_guard_end(struct breaker_guard *guard)
{
    if (guard->permit)
        breaker_record(guard->breaker, guard->permit, guard->good, *guard->clock);
}

#define BREAKER_GUARD(name, breaker, clock) \
    struct breaker_guard name __attribute__((cleanup(breaker_guard_end))) = breaker_guard_begin((breaker), (clock))

#endif
