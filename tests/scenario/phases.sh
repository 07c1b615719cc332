#!/bin/bash
# Phases come by the clock on every matching core, those that were missed in order, none twice
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
[ "$(date -u +%H%M)" -lt 2358 ] || xw_skip "the day ends in a moment"
XW_MATCHERS=2
xw_begin
xw_configure
# The start waits for pre-market. A machine that is slow to get here only waits less.
in_seconds() { date -u -d "@$((now + $1))" +%H:%M:%S; }
now=$(date +%s)
sed -i "s#^ports:#schedule: {pre_market: '$(in_seconds 4)', market_open: '$(in_seconds 7)', market_close: '$(in_seconds 8)'}\n\nports:#" \
    "$XW_CONFIG"
ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }
days_open() { ctl --json status | jq '[.matchers[].day_open | select(. != 0)] | length'; }
xw_start
xw_await control XW2004 1 60
ctl phase regular --by ALICE 2>"$XW_HOME/early.log"
code=$?
[ "$(date +%s)" -ge $((now + 4)) ] || xw_expect "the exit code of a phase before the start" $code 69
while [ "$(days_open)" != 2 ]; do
    [ "$(date +%s)" -lt $((now + 60)) ] || xw_fail "the day has not started: $(days_open) of 2 cores"
    sleep 0.05
done
[ "$(date +%s)" -ge $((now + 4)) ] || xw_fail "the day started before pre-market"
# Control is away while regular hours begin and end.
xw_kill control
while [ "$(date +%s)" -lt $((now + 9)) ]; do sleep 0.1; done
xw_start_control
xw_await control XW2004 2 60
ctl phase after --by ALICE 2>"$XW_HOME/late.log"
xw_expect "the exit code of a phase that is there already" $? 65
ctl phase closed --by ALICE || xw_fail "xwctl phase closed"
# Nothing is given again after a restart of everything.
xw_kill dataplane
xw_kill control
xw_start
xw_await control XW2004 3 60
ctl phase closed --by ALICE 2>"$XW_HOME/late.log"
xw_expect "the exit code of a phase that is there after a restart" $? 65
xw_stop
ctl --json journal dump | jq -r 'select(.type == "start" or .type == "phase") | "\(.core) \(.type) \(.phase) \(.by // "")"' |
    sort -s -k1,1 >"$XW_HOME/phases.txt"
for core in 0 1; do printf '%s start P \n%s phase R \n%s phase A \n%s phase X ALICE\n' $core $core $core $core; done >"$XW_HOME/expected.txt"
cmp "$XW_HOME/phases.txt" "$XW_HOME/expected.txt" || xw_fail "the journal has other phases: $(cat "$XW_HOME/phases.txt")"
