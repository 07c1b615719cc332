// SPDX-License-Identifier: Apache-2.0
#include "engine/tokens.h"

#include "contract/assert.h"

#define SECOND_NS UINT64_C(1000000000)

static void watch_set(struct tokens *tokens, const struct tokens_rest *rest)
{
    uint64_t quiet = rest->span - tokens->step - 1; // of a span above step: below slack, where there is an alert at all
    tokens->watch = TOKENS_NEVER;
    if (rest->low == 0 && rest->span > tokens->step)
        tokens->watch = quiet < (uint64_t)TOKENS_ALWAYS ? (int64_t)quiet : rest->slack;
}

void tokens_set(struct tokens *tokens, struct tokens_rest *rest, uint64_t rate, uint64_t burst, uint64_t now)
{
    tokens->watch = TOKENS_NEVER; // until tokens_watch
    tokens->step = 0;
    if (rate == UINT64_MAX) {
        rest->slack = TOKENS_ALWAYS;
        return;
    }
    burst = burst == UINT64_MAX ? rate : burst;
    burst = burst < TOKENS_BURST_MAX ? burst : TOKENS_BURST_MAX;
    if (rate == 0 || burst == 0) {
        rest->slack = TOKENS_NEVER;
        return;
    }
    tokens->step = rate < SECOND_NS ? (SECOND_NS + rate - 1) / rate : 1;
    rest->slack = (int64_t)((burst - 1) * tokens->step);
    uint64_t empty = now + burst * tokens->step;
    tokens->due = tokens->due < empty ? tokens->due : empty;
}

static uint64_t level_of(const struct tokens *tokens, const struct tokens_rest *rest, uint64_t ppm)
{
    unsigned __int128 share = (unsigned __int128)((uint64_t)rest->slack + tokens->step) * ppm; // < 2^51 * 2^20
    uint64_t level = (uint64_t)((share + 999999) / 1000000);
    return level ? level : 1;
}

void tokens_watch(struct tokens *tokens, struct tokens_rest *rest, uint64_t ppm)
{
    if (tokens->step == 0) {
        rest->low = 0;
        rest->span = UINT64_MAX;
        watch_set(tokens, rest);
        return;
    }
    uint64_t level = level_of(tokens, rest, ppm);
    bool told = rest->low != 0;
    rest->low = told ? level - level / 10 : 0;
    rest->span = told ? UINT64_MAX / 2 : level;
    watch_set(tokens, rest);
}

bool tokens_turn(struct tokens *tokens, struct tokens_rest *rest, uint64_t ppm)
{
    bool told = rest->low != 0;
    rest->low = !told;
    tokens_watch(tokens, rest, ppm);
    return !told;
}

uint64_t tokens_used(const struct tokens *tokens, uint64_t now)
{
    xw_assert(tokens->step != 0 && tokens->due > now); // one has just been taken
    return (tokens->due - now + tokens->step - 1) / tokens->step;
}
