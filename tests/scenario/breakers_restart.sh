#!/bin/bash
# Both processes die while a breaker blocks the venue and a raise waits: the next ones go on with the breaker, and the audit has what lapsed
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link jq
xw_configure
xw_passwords
# trips DISK: what this day's trip is; DISK is the free space in MiB that trips.
trips() {
    sed -i '/^trips:/,/^ports:/{/^ports:/!d}' "$XW_CONFIG"
    sed -i "s#^ports:#trips:\n  - {name: room, condition: disk_space, threshold: $1, window_ms: 0, action: block_new, recovery: manual}\n  - {condition: risk_data_stale, threshold: 3, window_ms: 0, action: throttle, mode: conservative, recovery: aggressive}\n&#" "$XW_CONFIG"
}
xw_set engine max_positions 1000
xw_set risk second_person true
trips 1
xw_start
xw_await control XW2004 1 60
xw_ctl limits set account NORTH max_quantity 500 --by ALICE >/dev/null || xw_fail "limits set"
xw_ctl limits set account NORTH max_quantity 900 --by ALICE >"$XW_HOME/raise.log" || xw_fail "limits set"
grep -q 'waits for a second person' "$XW_HOME/raise.log" || xw_fail "a raise does not wait: $(cat "$XW_HOME/raise.log")"
sed -i 's/^ports:/nonsense: 1\n&/' "$XW_CONFIG"
kill -HUP "$xw_control_pid"
xw_await control XW2022 1 60
sed -i '/^nonsense/d' "$XW_CONFIG"
trips 4294967295
kill -HUP "$xw_control_pid"
xw_await control XW2051 1 60
xw_await_kills '.kills | length == 1 and .[0].active and .[0].confirmed and .[0].source == "breaker"'
# The trip is named, as it happens and after a restart.
xw_ctl kills | grep -q 'by breaker breaker: room$' || xw_fail "xwctl kills names no trip: $(xw_ctl kills)"
xw_ctl status | grep -q 'xwctl breaker reset room --by NAME$' || xw_fail "xwctl status names no trip: $(xw_ctl status)"
xw_script 1 <<<'enter 1 B 100 XWIRE 90000'
xw_told 1 'J 1 '

# There is room again, but the breaker is manual: neither end forgets it.
trips 1
xw_kill control
xw_kill dataplane
xw_start
xw_await control XW2056 1 60
xw_await_kills '.kills | length == 1 and .[0].active and .[0].confirmed and .[0].why == "room"'
xw_script 1 <<<'enter 2 B 100 XWIRE 90000'
xw_told 1 'J 2 '
xw_ctl breakers | grep -q '^    host open' || xw_fail "xwctl breakers: $(xw_ctl breakers)"
xw_expect "breakers that were reset" "$(xw_ctl --json breaker reset room --by ALICE | jq .reset)" 1
xw_await_kills '.kills | all(.active | not)'
xw_script 1 <<<'enter 3 B 100 XWIRE 90000'
xw_told 1 'A 3 '
# References are old by now; each symbol is given one, and the limits are whole again.
await_modes() {
    local end=$((SECONDS + 60))
    until [ "$(xw_ctl --json breakers | jq -r '[.modes[].mode] | unique | join(" ")')" = "$1" ]; do
        [ $SECONDS -lt $end ] || xw_fail "the modes are not '$1': $(xw_ctl breakers)"
        sleep 0.05
    done
}
await_modes conservative
xw_ctl status | grep -q '^DEGRADED: mode conservative' || xw_fail "xwctl status does not show the mode: $(xw_ctl status)"
for symbol in $(sed -n "/^symbols:/,/^[a-z]*:\$/s/.*name: \([A-Z]*\).*/\1/p" "$XW_CONFIG"); do
    xw_ctl reference "$symbol" --price 10.00 --by FEED >/dev/null || xw_fail "xwctl reference $symbol"
done
await_modes ""
xw_expect "requests that wait" "$(xw_ctl --json limits pending | jq '.requests | length')" 0
xw_stop
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
line() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
line '.note == "waits for a second person" and .scope == "account NORTH" and .before == 500 and .after == 900 and .by == "ALICE"'
line '.note == "nobody agreed in time" and .scope == "account NORTH" and .after == 900 and .by == "ALICE"'
line '.note == "reload of the configuration refused" and (.why | test("nonsense"))'
xw_ctl replay || xw_fail "the day does not replay"
