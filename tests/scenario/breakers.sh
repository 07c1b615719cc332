#!/bin/bash
# Bad logins close a port for a while, a lack of room throttles until it is over, and a matching core acts alone without control
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_configure
# What this day's trips are: the free space in MiB that trips, how long a port stays closed, and for how long control may be away.
trips() {
    sed -i '/^modes:/,/^ports:/{/^ports:/!d}' "$XW_CONFIG"
    sed -i "s#^ports:#modes: [{name: throttled, rate: 1000}]\ntrips:\\
  - {condition: bad_logins, threshold: 3, window_ms: 60000, action: block_new, quiet_ms: $2}\\
  - {condition: disk_space, threshold: $1, window_ms: 0, action: throttle, mode: throttled, quiet_ms: 400}\\
  - {condition: control_lost, threshold: $3, action: cancel_resting, recovery: aggressive}\n&#" "$XW_CONFIG"
}
reload() {
    local before
    before=$(xw_count control XW2021)
    trips "$@"
    kill -HUP "$xw_control_pid"
    xw_await control XW2021 $((before + 1)) 60
    xw_ctl breakers >/dev/null || xw_fail "xwctl breakers" # answered once the data plane knows the trips too
}
modes() { xw_ctl --json breakers | jq -r '[.modes[].mode] | unique | join(" ")'; }
await_modes() {
    local end=$((SECONDS + 60))
    until [ "$(modes)" = "$1" ]; do
        [ $SECONDS -lt $end ] || xw_fail "the modes are '$(modes)', expected '$1'"
        sleep 0.05
    done
}
trips 1 60000 60000
xw_set engine max_positions 1000 # modes are for days with risk
xw_start

# Three wrong passwords: the fourth login is not looked at, though it is right, until the quiet time is over.
wrong=("${XW_CLIENT_ONE[@]}")
wrong[-1]="TRADE1:WRONG@10.0.0.1:4000/0"
for i in 1 2 3; do
    "$XW_BIN/xwreplay" "${wrong[@]}" --orders 1 >>"$XW_HOME/wrong.log" 2>&1 &
    xw_client_pid=$!
    xw_await control XW4002 "$i" 60
    kill -KILL $xw_client_pid
    wait $xw_client_pid 2>/dev/null
    xw_client_pid=
done
xw_await control XW2051 1 60
end=$((SECONDS + 60))
until [ "$(xw_ctl --json breakers | jq -r '.trips[] | select(.name == "bad_logins") | .open[0] | .of + " " + .state')" = "TRADE1 open" ]; do
    [ $SECONDS -lt $end ] || xw_fail "xwctl breakers does not show TRADE1's port closed"
    sleep 0.05
done
xw_play_behind 100 "${XW_CLIENT_ONE[@]}" --orders 200 --rate 2000 --grace 20
xw_await control XW4003 1 60
reload 1 500 60000
xw_await_client 120
xw_await control XW2053 1 60

# A threshold that is changed while the day goes on; the mode is left by itself, step by step.
reload 4294967295 500 60000
await_modes throttled
xw_ctl status | grep -q '^DEGRADED: mode throttled on matching core 0' || xw_fail "xwctl status does not show the mode"
xw_kill control
xw_start_control
xw_await control XW2004 2 60
xw_expect "modes after control was killed" "$(modes | grep -o throttled)" throttled
reload 1 500 60000
await_modes ""
[ "$(xw_count control XW2054)" -ge 3 ] || xw_fail "the mode was not left in steps"

# Without control: what rests is canceled, nothing new is taken, until it is back. A control that the machine lets wait is away too.
reload 1 500 400
xw_kill control
await_modes control_lost
xw_start_control
xw_await control XW2004 3 60
await_modes ""
reload 1 500 60000 # from here on a machine that stalls trips nothing, and what has tripped is over
await_modes ""
xw_ctl breaker reset nothing --by ALICE 2>"$XW_HOME/reset.log"
xw_expect "the exit code of a reset of no trip" $? 65
xw_ctl breaker reset bad_logins --by ALICE || xw_fail "xwctl breaker reset"
xw_stop
xw_ctl --json journal dump | jq -r 'select(.type | IN("mode", "kill", "reset", "note")) | .type' | sort | uniq -c >"$XW_HOME/commands.txt"
commands() { awk -v type="$1" '$2 == type {n = $1} END {print n + 0}' "$XW_HOME/commands.txt"; }
[ "$(commands kill)" -ge 1 ] || xw_fail "the journal holds no kill of a core without control"
xw_expect "the kills of a core without control" "$(commands kill)" "$(commands reset)"
[ "$(commands mode)" -ge 5 ] && [ "$(commands note)" -ge 5 ] || xw_fail "the journal does not hold what was done: $(cat "$XW_HOME/commands.txt")"
xw_ctl replay || xw_fail "the day does not replay"
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
# Two that came between two looks of control are one entry.
for why in 'wrong password' 'its port is closed'; do
    jq -se 'any(.[]; .note == "login refused" and .scope == "session TRADE1" and .by == "TRADE1" and .times >= 1 and (.why | test("^'"$why"', (last )?from 10.0.0.")))' \
        "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no refused login ($why): $(cat "$XW_HOME/audit.json")"
done
