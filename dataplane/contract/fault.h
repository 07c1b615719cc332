// SPDX-License-Identifier: Apache-2.0
// Places where a known bug can be planted, so that the simulator shows that it finds it: tests/sim/faults.def lists
// them. In every build but the simulator's own (-DCROSSWIRE_FAULTS) each is the constant 0, and nothing of it is left.
#ifndef CROSSWIRE_CONTRACT_FAULT_H
#define CROSSWIRE_CONTRACT_FAULT_H

#ifdef CROSSWIRE_FAULTS
#define FAULT(name)                \
    __extension__({                \
        extern _Bool fault_##name; \
        fault_##name;              \
    })
#else
#define FAULT(name) 0
#endif

#endif
