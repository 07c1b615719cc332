#!/bin/bash
# A drawdown of 15 % kills an account by itself; both processes die at that moment, and it stays killed until it is reset
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link jq
xw_configure
xw_passwords
password=$(od -An -N4 -tx4 /dev/urandom | tr -d ' \n')
hash=$("$XW_BIN/xwctl" hash-password --fast <<<"$password") || xw_fail "xwctl hash-password"
printf 'drop_copies:\n  - {user: NORTHD, password_hash: "%s", firm: NRTH}\n' "$hash" >>"$XW_CONFIG"
xw_set risk limits "$XW_HOME/limits.yaml"
xw_set engine tick_ms 20
cat >"$XW_HOME/limits.yaml" <<'LINES'
accounts:
  - {account: NORTH, capital: 100000.00, position_share_percent: 100}
symbols:
  - {symbol: XWIRE, reference: 10.00}
LINES
xw_start

# NORTH buys 5,000 at 10.00 and has a bid and an offer more. Then others trade at 7.01, which it has lost 14,950.00 by.
xw_script 3 <<<'enter 1 S 5000 XWIRE 100000'
xw_script 1 <<'LINES'
enter 1 B 5000 XWIRE 100000
enter 2 B 100 XWIRE 60000
enter 3 S 100 ALPHA 110000
LINES
xw_told 1 'E 1 5000 100000'
xw_script 3 <<'LINES'
enter 2 S 100 XWIRE 70100
enter 3 B 100 XWIRE 70100
wait 100
LINES
xw_expect "kills at a drawdown of 14.95 %" "$(xw_ctl --json kills | jq '.kills | length')" 0
# At 7.00 it is 15 % of 100,000.00. The data plane has acted, control stands still and has journaled nothing, and both are gone.
xw_freeze "$xw_control_pid"
resting() { "$XW_BIN/xwctl" -c "$XW_CONFIG" --json counters | jq -s 'map(select(.name == "live_orders") | .value) | add'; }
await_resting() {
    local end=$((SECONDS + 60))
    until [ "$(resting)" = "$1" ]; do
        [ $SECONDS -lt $end ] || xw_fail "$(resting) orders rest instead of $1"
        sleep 0.02
    done
}
await_resting 2
printf 'enter 4 S 100 XWIRE 70000\nenter 5 B 100 XWIRE 70000\nwait 400\n' | "${xw_inside[@]}" timeout 60 "$XW_BIN/example_script" \
    10.0.0.1 4000 TRADE3 "${xw_password[3]}" >"$XW_HOME/fall.log" 2>&1 &
xw_aside=$!
await_resting 0 # the account is killed
xw_kill control
xw_kill dataplane
wait "$xw_aside"
xw_aside=
xw_start
xw_script 1 <<'LINES'
enter 5 B 100 XWIRE 60000
enter 6 S 100 XWIRE 60000
LINES
for order in 2 3; do xw_told 1 "C $order 100 S"; done
for order in 5 6; do xw_told 1 "J $order "; done
xw_await_kills '.complete and (.kills | length == 1 and .[0].active and .[0].confirmed and .[0].source == "limit" and .[0].name == "NORTH")'
xw_ctl kills | grep -q 'account NORTH: BLOCKED, confirmed, .*drawdown_percent' || xw_fail "xwctl kills: $(xw_ctl kills)"
# A reset while it is so kills it again at once; a higher limit first, and it trades.
xw_ctl reset account NORTH --by RISK --why 'too early' >"$XW_HOME/reset.log" 2>&1
grep -q '2 stay blocked' "$XW_HOME/reset.log" || xw_fail "a reset at the same drawdown says: $(cat "$XW_HOME/reset.log")"
xw_ctl limits set account NORTH drawdown_percent 50 --by RISK || xw_fail "limits set"
xw_ctl reset account NORTH --by RISK --why 'more capital' || xw_fail "xwctl reset"
xw_script 1 <<<'enter 8 B 100 XWIRE 60000'
xw_told 1 'A 8 '
"${xw_inside[@]}" timeout 60 "$XW_BIN/example_drop_copy" 10.0.0.1 4000 NORTHD "$password" 200 >"$XW_HOME/copy.log" 2>&1 ||
    xw_fail "example_drop_copy: $(tail -n 3 "$XW_HOME/copy.log")"
for order in 2 3; do
    grep -Eq "TRADE1 NORTH [0-9]+ C $order 100 reason=S" "$XW_HOME/copy.log" || xw_fail "the drop copy has no cancel of order $order: $(cat "$XW_HOME/copy.log")"
done
xw_stop
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
# line FILTER: a line of the audit for which it holds
line() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
line '.what == "killed" and .scope == "account NORTH" and .limit == "drawdown_percent" and .before == 150000000'
line '.what == "note" and .note == "kill confirmed: no order rests" and .by == "limit" and .after == 2'
line '.what == "no order rests" and .scope == "account NORTH" and .after == 2'
line '.what == "reset" and .scope == "account NORTH" and .why == "more capital"'
