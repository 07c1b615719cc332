// SPDX-License-Identifier: Apache-2.0
// The schedule as such: the order of its phases, its clock, and which other one may follow it in a day.
#include <stdio.h>
#include <string.h>

#include "control/recovery/opening.h"

#define SECOND_NS UINT64_C(1000000000)

const char *opening_phase_word(char phase)
{
    static const char *const words[] = {"none", "pre", "regular", "after", "closed", "ended"};
    return words[opening_phase_rank(phase)];
}

unsigned opening_phase_rank(char phase)
{
    static const char order[] = {PHASE_PRE, PHASE_REGULAR, PHASE_AFTER, PHASE_CLOSED, PHASE_DAY_END, 0};
    const char *at = phase ? strchr(order, phase) : NULL;
    return at ? (unsigned)(at - order) + 1 : 0;
}

// Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the leap day is the last one.
static int64_t days_of(uint32_t date)
{
    int64_t year = date / 10000, month = date / 100 % 100, day = date % 100;
    if (month <= 2)
        year--;
    int64_t march_month = (month + 9) % 12;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * march_month + 2) / 5 + day - 1 - 719468;
}

int64_t opening_clock_offset(uint32_t date, uint64_t unix_ns, uint64_t monotonic_ns)
{
    int64_t midnight_ns = days_of(date) * INT64_C(86400000000000);
    int64_t since_midnight_ns = (int64_t)unix_ns - midnight_ns;
    if (since_midnight_ns < 0) // a trading date that has not begun: its time begins now, and never is negative
        since_midnight_ns = 0;
    return since_midnight_ns - (int64_t)monotonic_ns;
}

bool opening_may_follow(const struct config *running, const struct config *next, char phase, uint64_t unix_ns,
                        char *text, size_t size)
{
    const uint64_t now_ns = (uint64_t)opening_clock_offset(next->date, unix_ns, 0);
    for (unsigned i = 0; i < next->phases_count; i++) {
        const struct config_phase *at = &next->phases[i];
        bool same = false;
        for (unsigned j = 0; j < running->phases_count; j++)
            same |= running->phases[j].phase == at->phase && running->phases[j].time_ns == at->time_ns;
        if (same || at->time_ns > now_ns || opening_phase_rank(at->phase) <= opening_phase_rank(phase))
            continue;
        const unsigned seconds = (unsigned)(at->time_ns / SECOND_NS);
        const int used = snprintf(text, size,
                                  "`schedule`: %02u:%02u:%02u UTC is past, so that this phase would come at once: give "
                                  "a later time",
                                  seconds / 3600, seconds / 60 % 60, seconds % 60);
        if (phase && (size_t)used < size) // before the day has started no phase can be given
            snprintf(text + used, size - (size_t)used, ", or xwctl phase %s --by NAME", opening_phase_word(at->phase));
        return false;
    }
    return true;
}
