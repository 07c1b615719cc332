// SPDX-License-Identifier: Apache-2.0
#include "contract/breaker.h"

#include <string.h>

// ---- words ----------------------------------------------------------------------------------------------------------

struct state {
    unsigned state, level, given, good, epoch;
    uint64_t since; // units
};

struct window {
    uint32_t start; // 2^24 ns, 3 days; differences count
    unsigned epoch; // low 8 bits
    uint32_t outcomes, failures, streak;
};

#define WINDOW_SKEW 64 // a caller's time may lie so much before the window's beginning, in its units: a second

#define UNITS(ns) ((ns) >> 20)
#define SINCE_MASK ((UINT64_C(1) << 36) - 1)
#define MS_UNITS(ms) (((uint64_t)(ms)*1000000) >> 20)

static uint64_t field(uint64_t word, unsigned at, unsigned bits)
{
    return word >> at & ((UINT64_C(1) << bits) - 1);
}

static struct state unpack_state(uint64_t word)
{
    return (struct state){.state = (unsigned)field(word, 0, 2),
                          .level = (unsigned)field(word, BREAKER_LEVEL_AT, 5),
                          .given = (unsigned)field(word, BREAKER_GIVEN_AT, 5),
                          .good = (unsigned)field(word, BREAKER_GOOD_AT, 5),
                          .epoch = (unsigned)field(word, BREAKER_EPOCH_AT, 11),
                          .since = word >> BREAKER_SINCE_AT};
}

static uint64_t pack_state(struct state state)
{
    return state.state | (uint64_t)state.level << BREAKER_LEVEL_AT | (uint64_t)state.given << BREAKER_GIVEN_AT |
           (uint64_t)state.good << BREAKER_GOOD_AT | (uint64_t)(state.epoch & BREAKER_EPOCH_MASK) << BREAKER_EPOCH_AT |
           (state.since & SINCE_MASK) << BREAKER_SINCE_AT;
}

static struct window unpack_window(uint64_t word)
{
    return (struct window){.start = (uint32_t)field(word, 0, 24),
                           .epoch = (unsigned)field(word, 24, 8),
                           .outcomes = (uint32_t)field(word, 32, 12),
                           .failures = (uint32_t)field(word, 44, 12),
                           .streak = (uint32_t)field(word, 56, 8)};
}

static uint64_t pack_window(struct window window)
{
    return window.start | (uint64_t)(window.epoch & 0xFF) << 24 | (uint64_t)window.outcomes << 32 |
           (uint64_t)window.failures << 44 | (uint64_t)window.streak << 56;
}

static uint32_t least(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

// failures 8, consecutive 8, ratio 7, samples 8, window_ms 25, tokens 5
static uint64_t pack_opening(const struct breaker_settings *settings)
{
    uint32_t tokens = least(settings->tokens, BREAKER_TOKENS_MAX);
    return least(settings->failures, BREAKER_COUNT_MAX) |
           (uint64_t)least(settings->consecutive, BREAKER_COUNT_MAX) << 8 |
           (uint64_t)least(settings->ratio_percent, 100) << 16 |
           (uint64_t)least(settings->samples, BREAKER_COUNT_MAX) << 23 |
           (uint64_t)least(settings->window_ms, BREAKER_WINDOW_MS_MAX) << 31 | (uint64_t)(tokens ? tokens : 1) << 56;
}

// recovery_ms 29, quiet_ms 29, level_most 5
static uint64_t pack_recovery(const struct breaker_settings *settings)
{
    return least(settings->recovery_ms, BREAKER_RECOVERY_MS_MAX - 1) |
           (uint64_t)least(settings->quiet_ms, BREAKER_RECOVERY_MS_MAX - 1) << 29 |
           (uint64_t)least(settings->level_most, BREAKER_LEVEL_MAX) << 58;
}

static unsigned tokens_of(uint64_t opening)
{
    return (unsigned)field(opening, 56, 5);
}

// Units from OPEN to HALF_OPEN at a level; 0: never.
static uint64_t recovery_of(uint64_t recovery, unsigned level)
{
    uint32_t ms = (uint32_t)field(recovery, 0, 29);
    unsigned most = (unsigned)field(recovery, 58, 5);
    uint64_t units = MS_UNITS(ms) << (level < most ? level : most);
    return ms && !units ? 1 : units;
}

static unsigned next_level(unsigned level)
{
    return level < BREAKER_LEVEL_MAX ? level + 1 : level;
}

// 0 also for a caller whose time was read before the transition.
static uint64_t age_of(struct state state, uint64_t now_ns)
{
    uint64_t age = (UNITS(now_ns) - state.since) & SINCE_MASK;
    return age <= SINCE_MASK / 2 ? age : 0;
}

// ---- transitions ----------------------------------------------------------------------------------------------------

// One compare-and-swap from `word`; on failure `word` is what stands there. Release pairs with the acquire of
// breaker_allow.
static bool change(struct breaker *b, uint64_t *word, struct state to)
{
    return atomic_compare_exchange_strong_explicit(&b->state, word, pack_state(to), memory_order_acq_rel,
                                                   memory_order_acquire);
}

static struct state moved(struct state from, enum breaker_state to, unsigned level, uint64_t now_ns)
{
    return (struct state){
        .state = to, .level = level, .epoch = (from.epoch + 1) & BREAKER_EPOCH_MASK, .since = UNITS(now_ns)};
}

// From CLOSED, at the level that is remembered while it is within the quiet time.
static struct state opened(const struct breaker *b, struct state from, uint64_t now_ns)
{
    uint64_t recovery = atomic_load_explicit(&b->recovery, memory_order_relaxed);
    bool quiet = age_of(from, now_ns) >= MS_UNITS(field(recovery, 29, 29));
    return moved(from, BREAKER_OPEN, quiet ? 0 : from.level, now_ns);
}

void breaker_set(struct breaker *b, const struct breaker_settings *settings)
{
    atomic_store_explicit(&b->opening, pack_opening(settings), memory_order_relaxed);
    atomic_store_explicit(&b->recovery, pack_recovery(settings), memory_order_relaxed);
}

void breaker_init(struct breaker *b, const struct breaker_settings *settings)
{
    memset(b, 0, sizeof *b);
    breaker_set(b, settings);
}

breaker_permit breaker_try(struct breaker *b, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    for (;;) {
        struct state state = unpack_state(word), next = state;
        if (state.state == BREAKER_CLOSED)
            return breaker_permit_of(word);
        uint64_t recovery = recovery_of(atomic_load_explicit(&b->recovery, memory_order_relaxed), state.level);
        bool due = recovery && age_of(state, now_ns) >= recovery;
        if (state.state == BREAKER_OPEN) {
            if (!due)
                return 0;
            next = moved(state, BREAKER_HALF_OPEN, state.level, now_ns);
            next.given = 1;
        } else if (state.given < tokens_of(atomic_load_explicit(&b->opening, memory_order_relaxed))) {
            next.given++;
        } else if (due) {
            next = moved(state, BREAKER_OPEN, state.level, now_ns); // permits were lost: their holders have died
        } else {
            return 0;
        }
        if (change(b, &word, next))
            return next.state == BREAKER_OPEN ? 0 : breaker_permit_of(pack_state(next));
    }
}

// ---- outcomes -------------------------------------------------------------------------------------------------------

// Adds `good` successes and then, perhaps, a failure.
static struct window add(struct window window, uint64_t opening, unsigned epoch, uint32_t good, bool failed,
                         uint64_t now_ns)
{
    const uint32_t start_mask = (1 << 24) - 1, now = (uint32_t)(now_ns >> 24) & start_mask;
    uint32_t length = (uint32_t)(MS_UNITS(field(opening, 31, 25)) >> 4);
    uint32_t age = (now - window.start) & start_mask;
    if (age > start_mask - WINDOW_SKEW)
        age = 0;
    if (window.epoch != (epoch & 0xFF) || window.outcomes == 0 || age >= (length ? length : 1))
        window = (struct window){.start = now, .epoch = epoch & 0xFF};
    uint64_t outcomes = (uint64_t)window.outcomes + good + failed;
    window.failures += failed;
    window.streak = least((good ? 0 : window.streak) + failed, BREAKER_COUNT_MAX);
    for (; outcomes > BREAKER_OUTCOMES_MAX; outcomes /= 2)
        window.failures = (window.failures + 1) / 2;
    window.outcomes = (uint32_t)outcomes;
    return window;
}

static bool opens(struct window window, uint64_t opening)
{
    uint32_t failures = (uint32_t)field(opening, 0, 8), consecutive = (uint32_t)field(opening, 8, 8);
    uint32_t percent = (uint32_t)field(opening, 16, 7), samples = (uint32_t)field(opening, 23, 8);
    return (failures && window.failures >= failures) || (consecutive && window.streak >= consecutive) ||
           (percent && window.outcomes >= samples && window.failures * 100 >= window.outcomes * percent);
}

// `word` is the CLOSED state that these outcomes belong to.
static void count(struct breaker *b, uint64_t word, uint32_t good, bool failed, uint64_t now_ns)
{
    uint64_t opening = atomic_load_explicit(&b->opening, memory_order_relaxed);
    uint64_t old = atomic_load_explicit(&b->window, memory_order_relaxed);
    struct state state = unpack_state(word);
    struct window window;
    do {
        window = unpack_window(old);
        // The window of a later epoch must not be lost to an outcome that comes too late.
        if (window.epoch != (state.epoch & 0xFF) && atomic_load_explicit(&b->state, memory_order_acquire) != word)
            return;
        window = add(window, opening, state.epoch, good, failed, now_ns);
    } while (!atomic_compare_exchange_strong_explicit(&b->window, &old, pack_window(window), memory_order_relaxed,
                                                      memory_order_relaxed));
    // A CLOSED word changes by a transition alone: if this fails, somebody else has made one.
    if (failed && opens(window, opening))
        change(b, &word, opened(b, state, now_ns));
}

// An outcome while half open.
static void conclude(struct breaker *b, uint64_t word, breaker_permit permit, bool good, uint64_t now_ns)
{
    for (;;) {
        struct state state = unpack_state(word), next = state;
        if (permit != breaker_permit_of(word) || state.state != BREAKER_HALF_OPEN)
            return;
        next.good++;
        if (!good)
            next = moved(state, BREAKER_OPEN, next_level(state.level), now_ns);
        else if (next.good >= tokens_of(atomic_load_explicit(&b->opening, memory_order_relaxed)))
            next = moved(state, BREAKER_CLOSED, next_level(state.level), now_ns);
        if (change(b, &word, next))
            return;
    }
}

void breaker_record(struct breaker *b, breaker_permit permit, bool good, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    if (permit != breaker_permit_of(word))
        return;
    if ((word & 3) == BREAKER_CLOSED)
        count(b, word, good, !good, now_ns);
    else if ((word & 3) == BREAKER_HALF_OPEN)
        conclude(b, word, permit, good, now_ns);
}

void breaker_settle(struct breaker *b, struct breaker_local *local, breaker_permit permit, bool good, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    if (permit != breaker_permit_of(word) || (word & 3) != BREAKER_CLOSED) {
        *local = (struct breaker_local){0};
        breaker_record(b, permit, good, now_ns);
        return;
    }
    if (local->permit != permit)
        *local = (struct breaker_local){.permit = permit};
    if (good) {
        local->good++;
        return;
    }
    count(b, word, local->good, true, now_ns);
    local->good = 0;
}

void breaker_flush(struct breaker *b, struct breaker_local *local, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    if (local->good && local->permit == breaker_permit_of(word) && (word & 3) == BREAKER_CLOSED)
        count(b, word, local->good, false, now_ns);
    local->good = 0;
}

// ---- from outside ---------------------------------------------------------------------------------------------------

bool breaker_trip(struct breaker *b, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    for (;;) {
        struct state state = unpack_state(word);
        if (state.state == BREAKER_OPEN)
            return false;
        struct state next = state.state == BREAKER_CLOSED ? opened(b, state, now_ns)
                                                          : moved(state, BREAKER_OPEN, next_level(state.level), now_ns);
        if (change(b, &word, next))
            return true;
    }
}

void breaker_hold(struct breaker *b, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    struct state state = unpack_state(word);
    state.since = UNITS(now_ns);
    if (state.state == BREAKER_OPEN)
        change(b, &word, state); // if this fails it has been held, or left, by somebody else
}

bool breaker_reset(struct breaker *b, uint64_t now_ns)
{
    uint64_t word = atomic_load_explicit(&b->state, memory_order_acquire);
    do {
        if ((word & 3) == BREAKER_CLOSED)
            return false;
    } while (!change(b, &word, moved(unpack_state(word), BREAKER_CLOSED, 0, now_ns)));
    return true;
}

void breaker_look(const struct breaker *b, struct breaker_view *view)
{
    struct state state = unpack_state(atomic_load_explicit(&b->state, memory_order_acquire));
    struct window window = unpack_window(atomic_load_explicit(&b->window, memory_order_relaxed));
    if (window.epoch != (state.epoch & 0xFF))
        window = (struct window){0};
    *view = (struct breaker_view){.state = (enum breaker_state)state.state,
                                  .level = state.level,
                                  .since_ns = state.since << 20,
                                  .given = state.given,
                                  .good = state.good,
                                  .outcomes = window.outcomes,
                                  .failures = window.failures,
                                  .streak = window.streak};
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    return state <= BREAKER_HALF_OPEN ? names[state] : "?";
}
