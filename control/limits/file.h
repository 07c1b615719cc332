// SPDX-License-Identifier: Apache-2.0
// The limits file: YAML, named by the configuration's risk.limits. It is taken as a whole, or refused with one line
// that says where and what mends it.
//
//   venue:      {LIMIT: VALUE, ..}
//   firms:      - {firm: NRTH, shares: [70, 30], LIMIT: VALUE, ..}    per cent by matching core, 100 in all
//   accounts:   - {account: NORTH, shares: .., LIMIT: VALUE, ..}
//   sessions:   - {session: TRADE1, LIMIT: VALUE, ..}
//   symbols:    - {symbol: XWIRE, reference: 10.00, adv: 1000000, reg_sho: none, tier: 1, restricted: false, ..}
//   positions:  - {account: NORTH, symbol: XWIRE, quantity: -100, cost: -1000.00, LIMIT: VALUE, ..}
//   groups:     - {group: metals, symbols: [XWIRE, ALPHA]}            of correlated symbols
//
// Limits: contract/limits.def. `forbidden` is a list of permissions.
#ifndef CROSSWIRE_CONTROL_LIMITS_FILE_H
#define CROSSWIRE_CONTROL_LIMITS_FILE_H

#include "control/limits/rules.h"

struct limits_file {
    struct limits_set rules; // by "file"
    struct limits_shares *shares;
    size_t shares_count;
    uint32_t digest; // of all of it
};

// Reads `path` for the venue of `config`; an empty path gives a file without rules. NULL with one line in `error`
// (path:line:column: what is wrong; what to do). Free it.
struct limits_file *limits_file_read(const char *path, const struct limits_venue *venue, char *error,
                                     size_t error_size);

void limits_file_free(struct limits_file *file);

// The parts of a firm or an account; NULL: equal ones.
const struct limits_shares *limits_file_shares(const struct limits_file *file, uint64_t key);

#endif
