# shellcheck shell=bash
# Real-time throttling: off
# SPDX-License-Identifier: Apache-2.0
stage_rt() {
    want value /proc/sys/kernel/sched_rt_runtime_us -1 'otherwise a real-time thread that never sleeps, as a polling one, is stopped for 50 ms of each second'
}
