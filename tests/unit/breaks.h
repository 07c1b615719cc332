// SPDX-License-Identifier: Apache-2.0
// A sound engine is broken in one place after the other: the invariants must say which.
#ifndef CROSSWIRE_TESTS_UNIT_BREAKS_H
#define CROSSWIRE_TESTS_UNIT_BREAKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

static unsigned broken_places;

static void breaks_say(const struct engine *engine, const char *place, const char *sentence)
{
    const char *said = engine_check(engine);
    broken_places++;
    if (!said || strcmp(said, sentence) != 0)
        print_error("%s: \"%s\" is said, not \"%s\"\n", place, said ? said : "nothing", sentence);
    assert_string_equal(said ? said : "nothing", sentence);
}

// Whatever stands at the place is another one while the invariants of the test's engine, `e`, are walked.
#define BREAKS(place, value, sentence)                \
    do {                                              \
        __typeof__(&(place)) at_ = &(place);          \
        __typeof__(place) was_ = *at_;                \
        *at_ = (__typeof__(place))(value);            \
        breaks_say(e, #place " = " #value, sentence); \
        *at_ = was_;                                  \
    } while (0)

#endif
