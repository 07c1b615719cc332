# shellcheck shell=bash
# Clock source: the TSC
# SPDX-License-Identifier: Apache-2.0
stage_clocksource() {
    local source=/sys/devices/system/clocksource/clocksource0 available
    get_value $source/available_clocksource || return 0
    available=$got
    if has_flag "$available" tsc; then
        want value $source/current_clocksource tsc 'clock_gettime without a system call, and of the same clock that the cores count by'
    else
        fact bad "this kernel does not trust the TSC: it offers $available" "see 'dmesg | grep -i tsc'; with an invariant TSC, firmware that writes to it is the usual cause"
    fi
}
