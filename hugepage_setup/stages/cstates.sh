# shellcheck shell=bash
# Idle states of the roles' CPUs: none that takes longer than 2 us to leave
# SPDX-License-Identifier: Apache-2.0
stage_cstates() {
    local cpu state
    [ -n "$role_lcores" ] || fact good "nothing is wanted: give --config FILE, or --lcores LIST"
    for cpu in $(cpus_of "$role_lcores"); do
        [ -d "$root/sys/devices/system/cpu/cpu$cpu/cpuidle" ] || fact good "CPU $cpu has no idle states that the kernel knows"
        for state in "$root/sys/devices/system/cpu/cpu$cpu/cpuidle"/state*; do
            get_value "${state#"$root"}/latency" && [ "$got" -gt 2 ] || continue
            want value "${state#"$root"}/disable" 1 "waking from it takes $got us, and its caches may be gone; matters where a role idles by pause, umwait or yield"
        done
    done
}
