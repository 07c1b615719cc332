// SPDX-License-Identifier: Apache-2.0
// What must hold on every day whatever happens, judged by the plain venue's sums and by the events alone.
#ifndef CROSSWIRE_TESTS_PROPERTIES_H
#define CROSSWIRE_TESTS_PROPERTIES_H

#include "tests/support/naive_risk.h"

enum property {               // bits of a set
    PROPERTY_SHARES = 1 << 0, // no order brings an account's quantities, in the worst case, above a limit
    PROPERTY_MONEY = 1 << 1,  // nor its notionals: of days on which every order has a limit price
};

struct worst {
    wide use;
    uint64_t limit;
};

struct dead { // a scope and side that was blocked and canceled
    uint8_t scope;
    uint16_t index;
    bool buys;
    unsigned blocks, canceled;
};

struct properties {
    struct worst worst[2][2048];
    size_t count;
    struct dead dead[1024];
    size_t dead_count;
};

// After a command with its events; NULL: all holds. `v` has taken the command.
const char *properties_check(struct properties *p, struct naive_venue *v, unsigned which, const struct event *events,
                             size_t count);

#endif
