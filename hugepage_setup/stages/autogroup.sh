# shellcheck shell=bash
# Autogroups of the scheduler: off
# SPDX-License-Identifier: Apache-2.0
stage_autogroup() {
    want value /proc/sys/kernel/sched_autogroup_enabled 0 "busy yielding threads of one session's group keep kernel workers, which complete the journal's writes, off their CPU (seen on Linux 6.18)"
}
