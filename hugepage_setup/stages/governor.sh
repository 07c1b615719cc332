# shellcheck shell=bash
# Frequency governor of the roles' CPUs: performance
# SPDX-License-Identifier: Apache-2.0
stage_governor() {
    local cpu policy
    [ -n "$role_lcores" ] || fact good "nothing is wanted: give --config FILE, or --lcores LIST"
    for cpu in $(cpus_of "$role_lcores"); do
        policy=/sys/devices/system/cpu/cpu$cpu/cpufreq
        # First, and put back last: under `performance` the kernel takes no other preference.
        [ ! -e "$root$policy/energy_performance_preference" ] ||
            want value "$policy/energy_performance_preference" performance 'the CPU does not slow down to save energy'
        want value "$policy/scaling_governor" performance 'the clock does not follow the load: the first order after a silence is as quick as the next'
    done
}
