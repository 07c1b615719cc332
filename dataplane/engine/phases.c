// SPDX-License-Identifier: Apache-2.0
#include "engine/phases.h"

#include "engine/terms.h"

void phase_set(struct engine *e, char phase)
{
    e->phase = phase ? phase : PHASE_REGULAR;
    // A word that no command's terms can be: nothing is plain then, and the long way finds the reason.
    e->plain_terms[0] = e->phase == PHASE_REGULAR ? terms_plain('0') : TERMS_NEVER;
    e->plain_terms[1] = e->phase == PHASE_CLOSED ? TERMS_NEVER : terms_plain('3');
}

void phase_change(struct engine *e, const struct command *c, struct out *out)
{
    (void)e, (void)c, (void)out;
}

void phase_continue(struct engine *e, struct out *out)
{
    (void)e, (void)out;
}

void expiry_add(struct engine *e, uint32_t special)
{
    (void)e, (void)special;
}

void expiry_remove(struct engine *e, uint32_t special)
{
    (void)e, (void)special;
}

void expiry_run(struct engine *e, struct out *out)
{
    (void)e, (void)out;
}
