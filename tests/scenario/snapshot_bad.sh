#!/bin/bash
# A damaged snapshot is passed over for the one before it, and with all of them damaged the whole journal is replayed
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
xw_stream es_real
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested
xw_begin
xw_configure
snapshot_config 0 2000
snapshot_play
xw_await_size "$record" 1500000 60
snapshot_await 3 ""
snapshot_three files
before=$(snapshot_covered "${files[1]}")

# One byte of the newest, in the middle: found on the way, when the matching core is half restored.
snapshot_flip "${files[2]}"
xw_start
snapshot_recovered .snapshots[0] -eq "$before"
snapshot_recovered .passed_over -eq 1

xw_await_size "$record" 2500000 60
snapshot_await 3 "${files[2]}" # none that is damaged already stays
snapshot_three files
truncate -s -4096 "${files[0]}"
truncate -s 5000 "${files[1]}"
snapshot_flip "${files[2]}"
xw_start
snapshot_recovered .snapshots[0] -eq 0
snapshot_recovered .passed_over -eq 3
snapshot_recovered .restored -eq 0
snapshot_end
xw_stop
