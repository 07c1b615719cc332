// SPDX-License-Identifier: Apache-2.0
// The bugs of faults.def, of which at most one is planted at a time.
#ifndef CROSSWIRE_TESTS_SIM_FAULTS_H
#define CROSSWIRE_TESTS_SIM_FAULTS_H

#include <stdbool.h>

struct fault {
    const char *name, *text;
    unsigned seed; // begin with
    _Bool *planted;
};
extern const struct fault faults[];
extern const unsigned faults_count;

// Plants the fault; false when there is none of that name.
bool fault_plant(const char *name);

#endif
