// SPDX-License-Identifier: Apache-2.0
// Whether all that control has given to a matching core is durable.
#ifndef CROSSWIRE_CONTROL_RECOVERY_SETTLED_H
#define CROSSWIRE_CONTROL_RECOVERY_SETTLED_H

#include <stdbool.h>
#include <stdint.h>

#include "control/recovery/generation.h"

// From zero for each wait.
struct settled {
    uint64_t heartbeat; // of the core when its ring was seen empty, and 1; 0: not yet
    uint64_t sequence;  // it has taken what was given, up to here; 0: not known yet
};

// Asked again and again. What is given while it is asked may be waited for as well, or not.
bool settled_poll(struct settled *settled, const struct generation *generation, const struct journal_writer *writer,
                  unsigned core);

#endif
