#!/bin/bash
# Both processes killed in the middle of a day with snapshots go on from the newest, and every session reads its whole stream
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
xw_stream es_real
xw_begin
xw_configure
snapshot_config 0 3000
snapshot_play
for round in 1 2; do
    xw_await_size "$record" $((round * 1500000)) 60
    snapshot_await 1 "${newest:-}"
    snapshot_kill
    newest=$(snapshot_files | tail -n 1)
    xw_start
    snapshot_recovered .snapshots[0] -ge "$(snapshot_covered "$newest")"
done
snapshot_end
xw_stop
[ "$(snapshot_files | wc -l)" -le 3 ] || xw_fail "more snapshots than the three that are kept: $(snapshot_files)"
newest=$(snapshot_files | tail -n 1)
xw_start
snapshot_recovered .snapshots[0] -eq "$(snapshot_covered "$newest")"
snapshot_recovered .commands -eq 0
xw_stop
