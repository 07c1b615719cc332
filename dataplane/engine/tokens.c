// SPDX-License-Identifier: Apache-2.0
#include "engine/tokens.h"

#define SECOND_NS UINT64_C(1000000000)

void tokens_set(struct tokens *tokens, uint64_t rate, uint64_t burst, uint64_t now)
{
    tokens->step = 0;
    if (rate == UINT64_MAX) {
        tokens->slack = TOKENS_ALWAYS;
        return;
    }
    burst = burst == UINT64_MAX ? rate : burst;
    burst = burst < TOKENS_BURST_MAX ? burst : TOKENS_BURST_MAX;
    if (rate == 0 || burst == 0) {
        tokens->slack = TOKENS_NEVER;
        return;
    }
    tokens->step = rate < SECOND_NS ? (SECOND_NS + rate - 1) / rate : 1;
    tokens->slack = (int64_t)((burst - 1) * tokens->step);
    uint64_t empty = now + burst * tokens->step;
    tokens->due = tokens->due < empty ? tokens->due : empty;
}
