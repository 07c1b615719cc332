#!/bin/bash
# Bad logins close a port for a while, a lack of room throttles until it is over, and a matching core acts alone without control
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_configure
# What this day's trips are; DISK is the free space in MiB that trips.
trips() {
    sed -i '/^modes:/,/^ports:/{/^ports:/!d}' "$XW_CONFIG"
    sed -i "s#^ports:#modes: [{name: throttled, rate: 1000}]\ntrips:\\
  - {condition: bad_logins, threshold: 3, window_ms: 60000, action: block_new, quiet_ms: 1500}\\
  - {condition: disk_space, threshold: $1, window_ms: 0, action: throttle, mode: throttled, quiet_ms: 400}\\
  - {condition: control_lost, threshold: 400, action: cancel_resting, recovery: aggressive}\n&#" "$XW_CONFIG"
}
reload() {
    local before
    before=$(xw_count control XW2021)
    trips "$1"
    kill -HUP "$xw_control_pid"
    xw_await control XW2021 $((before + 1)) 5
}
modes() { xw_ctl --json breakers | jq -r '[.modes[].mode] | unique | join(" ")'; }
await_modes() {
    local end=$((SECONDS + 5))
    until [ "$(modes)" = "$1" ]; do
        [ $SECONDS -lt $end ] || xw_fail "the modes are '$(modes)', expected '$1'"
        sleep 0.05
    done
}
trips 1
xw_set engine max_positions 1000 # modes are for days with risk
xw_start

# Three wrong passwords: the fourth login is not looked at, though it is right, until the quiet time is over.
wrong=("${XW_CLIENT_ONE[@]}")
wrong[-1]="TRADE1:WRONG@10.0.0.1:4000/0"
for i in 1 2 3; do
    "$XW_BIN/xwreplay" "${wrong[@]}" --orders 1 >>"$XW_HOME/wrong.log" 2>&1 &
    xw_client_pid=$!
    xw_await control XW4002 "$i" 5
    kill -KILL $xw_client_pid
    wait $xw_client_pid 2>/dev/null
    xw_client_pid=
done
xw_await control XW2051 1 5
end=$((SECONDS + 5))
until [ "$(xw_ctl --json breakers | jq -r '.trips[] | select(.name == "bad_logins") | .open[0] | .of + " " + .state')" = "TRADE1 open" ]; do
    [ $SECONDS -lt $end ] || xw_fail "xwctl breakers does not show TRADE1's port closed"
    sleep 0.05
done
xw_play 20 "${XW_CLIENT_ONE[@]}" --orders 200 --rate 2000 --grace 5 >"$XW_HOME/right.log"
[ "$(xw_count control XW4003)" -ge 1 ] || xw_fail "no login was left alone while the port was closed"
xw_await control XW2053 1 5

# A threshold that is changed while the day goes on; the mode is left by itself, step by step.
reload 4294967295
await_modes throttled
xw_ctl status | grep -q '^DEGRADED: mode throttled on matching core 0' || xw_fail "xwctl status does not show the mode"
xw_kill control
xw_start_control
xw_await control XW2004 2 10
xw_expect "modes after control was killed" "$(modes | grep -o throttled)" throttled
reload 1
await_modes ""
[ "$(xw_count control XW2054)" -ge 3 ] || xw_fail "the mode was not left in steps"

# Without control: what rests is canceled, nothing new is taken, until it is back.
xw_kill control
await_modes control_lost
xw_start_control
xw_await control XW2004 3 10
await_modes ""
xw_ctl breaker reset nothing --by ALICE 2>"$XW_HOME/reset.log"
xw_expect "the exit code of a reset of no trip" $? 65
xw_ctl breaker reset bad_logins --by ALICE || xw_fail "xwctl breaker reset"
xw_stop
xw_ctl --json journal dump | jq -r 'select(.type == "mode" or .type == "kill" or .type == "note") | .type' | sort | uniq -c >"$XW_HOME/commands.txt"
commands() { awk -v type="$1" '$2 == type {n = $1} END {print n + 0}' "$XW_HOME/commands.txt"; }
xw_expect "the kills of a core without control" "$(commands kill)" 1
[ "$(commands mode)" -ge 5 ] && [ "$(commands note)" -ge 5 ] || xw_fail "the journal does not hold what was done: $(cat "$XW_HOME/commands.txt")"
xw_ctl replay || xw_fail "the day does not replay"
