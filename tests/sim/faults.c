// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/faults.h"

#include <string.h>

#define FAULT(name, seed, text) _Bool fault_##name;
#include "tests/sim/faults.def"
#undef FAULT

const struct fault faults[] = {
#define FAULT(name, seed, text) {#name, text, seed, &fault_##name},
#include "tests/sim/faults.def"
#undef FAULT
};
const unsigned faults_count = sizeof faults / sizeof faults[0];

bool fault_plant(const char *name)
{
    for (unsigned i = 0; i < faults_count; i++) {
        if (strcmp(faults[i].name, name) != 0)
            continue;
        *faults[i].planted = true;
        return true;
    }
    return false;
}
