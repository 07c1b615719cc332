#!/bin/bash
# Either process killed while a large snapshot is restored, again and again: the next start has the whole book
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
orders=1000000
xw_begin
xw_configure
snapshot_config 0 0
xw_set engine max_orders $((orders * 5 / 4))
"$XW_BIN/bench_recovery" "$XW_CONFIG" book $orders --snapshot 2>"$XW_HOME/made.log" || xw_fail "bench_recovery: $(cat "$XW_HOME/made.log")"
joined=0
for delay in 0 0.02 0.05 0.08 0.11 0.14; do
    [ -n "$xw_control_pid" ] || xw_start_control
    [ -n "$xw_dataplane_pid" ] || xw_start_dataplane
    joined=$((joined + 1))
    xw_await control XW2002 $joined 60
    sleep $delay
    xw_kill control
    [ $((joined % 2)) -eq 0 ] || continue # the next control finds a core that is half restored
    xw_kill dataplane
done
before=$(xw_count control XW2004)
xw_start
xw_await control XW2004 $((before + 1)) 60
snapshot_recovered '.snapshots[0] > 0' = true
xw_status
xw_expect "live orders" "$(xw_json "$XW_HOME/status.json" '[.. | .live_orders? // empty] | max')" $orders
xw_stop
