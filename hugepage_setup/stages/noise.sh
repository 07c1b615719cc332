# shellcheck shell=bash
# The kernel's own housekeeping: not on the roles' CPUs, or less often
# SPDX-License-Identifier: Apache-2.0
stage_noise() {
    want value /proc/sys/kernel/numa_balancing 0 'it unmaps pages to see who uses them: a fault in the order path'
    want value /proc/sys/vm/stat_interval 120 'seconds between the rounds of the worker that folds statistics of each CPU'
    want value /proc/sys/kernel/nmi_watchdog 0 'its interrupts can not be masked, and reach isolated CPUs'
    if [ -n "$role_lcores" ] && get_value /sys/devices/virtual/workqueue/cpumask; then
        want value /sys/devices/virtual/workqueue/cpumask "$(cpu_mask "$(housekeeping_cpus)" "$got")" 'unbound kernel work (write-back, and more) stays on the other CPUs'
    fi
}
