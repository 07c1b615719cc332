// SPDX-License-Identifier: Apache-2.0
// A token bucket on command time (risk.md section 4). Kept as the moment at which it would be full again, so that
// taking is a comparison and an addition; the division is made when the rate is set.
#ifndef CROSSWIRE_ENGINE_TOKENS_H
#define CROSSWIRE_ENGINE_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#define TOKENS_BURST_MAX UINT64_C(1000000) // a larger burst counts as this
#define TOKENS_ALWAYS (INT64_C(1) << 62)   // slack: no limit
#define TOKENS_NEVER (-TOKENS_ALWAYS)      // slack: nothing passes

// What every taking reads.
struct tokens {
    uint64_t due;  // when it is full again, if nothing more is taken; ns since midnight, as command time
    uint64_t step; // ns until one token has come back, 0: no limit or nothing allowed
    int64_t watch; // while due is not further ahead than this, it passes and taking tells nothing
};

// The two buckets of a session's orders side by side, so that an order asks and takes both at once.
enum paced { PACED_ORDERS, PACED_MESSAGES, PACED };
struct tokens_pair {
    uint32_t step[PACED]; // at most a second
    uint64_t due[PACED];
    int64_t watch[PACED];
};

static inline struct tokens tokens_of(const struct tokens_pair *pair, enum paced which)
{
    return (struct tokens){pair->due[which], pair->step[which], pair->watch[which]};
}

static inline void tokens_put(struct tokens_pair *pair, enum paced which, struct tokens tokens)
{
    pair->due[which] = tokens.due;
    pair->step[which] = (uint32_t)tokens.step;
    pair->watch[which] = tokens.watch;
}

// What the others read.
struct tokens_rest {
    int64_t slack; // passes while due is not further ahead than this
    // What is in use, in ns: worth an alert, or its end, once it has left [low, low + span).
    uint64_t low, span;
};

// Up to `burst` at once and `rate` a second; each may be UINT64_MAX: not given. A bucket that is then further ahead
// than a whole burst is empty.
void tokens_set(struct tokens *tokens, struct tokens_rest *rest, uint64_t rate, uint64_t burst, uint64_t now);

// How far ahead of now it is, 0 or less: full.
static inline int64_t tokens_ahead(const struct tokens *tokens, uint64_t now)
{
    return (int64_t)(tokens->due - now);
}

// A number, 0 when it is below: without the branch that a comparison may become.
static inline uint64_t positive(int64_t number)
{
    return (uint64_t)number & ((uint64_t)(number < 0) - 1);
}

// When it will be full again, with one more token out.
static inline uint64_t tokens_taken(const struct tokens *tokens, uint64_t now)
{
    return (tokens->due > now ? tokens->due : now) + tokens->step;
}

// Of a bucket that is at most `watch` ahead.
static inline void tokens_take_plainly(struct tokens *tokens, uint64_t now)
{
    tokens->due = tokens_taken(tokens, now);
}

static inline bool tokens_pass(const struct tokens *tokens, const struct tokens_rest *rest, uint64_t now)
{
    return tokens_ahead(tokens, now) <= rest->slack;
}

// Of a bucket that passes. True: tokens_turn is to be called.
static inline bool tokens_take(struct tokens *tokens, const struct tokens_rest *rest, uint64_t now)
{
    tokens->due = tokens_taken(tokens, now);
    return tokens->due - now - rest->low >= rest->span;
}

// From which share of the burst on, in millionths, its use is worth an alert. What has been told stays told.
void tokens_watch(struct tokens *tokens, struct tokens_rest *rest, uint64_t ppm);

// When tokens_take has asked for it: true when the level has been reached, false when its use is below 90% of the level
// again.
bool tokens_turn(struct tokens *tokens, struct tokens_rest *rest, uint64_t ppm);

// How many tokens are out.
uint64_t tokens_used(const struct tokens *tokens, uint64_t now);

#endif
