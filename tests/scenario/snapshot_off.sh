#!/bin/bash
# With snapshots switched off none is written and the whole journal is replayed, all but the end of it without making the messages
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
xw_stream es_real
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested
xw_begin
xw_configure
snapshot_config 0 0
xw_set dataplane window_messages 1024 # of 4,096 commands messages are made again
snapshot_play
xw_await_size "$record" 1500000 60
snapshot_kill
xw_start
snapshot_recovered .snapshots[0] -eq 0
snapshot_end
xw_stop
[ -z "$(snapshot_files)" ] || xw_fail "there are snapshots: $(snapshot_files)"
