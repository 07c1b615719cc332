#!/bin/bash
# Two gateways and two matching cores play a day together, each session on its own core, through a kill and a restart
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
XW_GATEWAYS=2 XW_MATCHERS=2
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 40000 --record "$XW_HOME/received.rec" --json "$XW_HOME/first.json"
xw_identity
xw_expect "rejected" "$(xw_json "$XW_HOME/first.json" .rejected)" 0
[ "$(xw_json "$XW_HOME/first.json" .executions)" -gt 100 ] || xw_fail "hardly a trade"
xw_kill dataplane
sleep 0.2
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 5000 --seed 2 --record "$XW_HOME/again.rec"
xw_identity
xw_verify "$XW_HOME/received.rec" "$XW_HOME/again.rec"
xw_stop
