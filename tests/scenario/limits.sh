#!/bin/bash
# Limits: the file at the opening, a raise by two persons, and a change that kill -9 cuts in the middle goes on at the next start
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
XW_MATCHERS=2
xw_begin
xw_link jq
xw_configure
xw_passwords
limits=$XW_HOME/limits.yaml
xw_set risk limits "$limits"
xw_set risk second_person true
sed -i 's#^ports:#snapshots: {every_commands: 1000000}\n\nports:#' "$XW_CONFIG"
cat >"$limits" <<'LINES'
venue: {alert_percent: 80}
accounts:
  - {account: NORTH, max_quantity: 1000, gross_notional: 1000001.00, working_orders: 7}
symbols:
  - {symbol: XWIRE, reference: 10.00, adv: 1000000}
LINES
# A file with a mistake: control does not start, and says where it is.
sed 's/NORTH/NORHT/' "$limits" >"$XW_HOME/wrong.yaml"
xw_ctl limits check "$XW_HOME/wrong.yaml" 2>"$XW_HOME/wrong.log"
xw_expect "the exit code of a wrong file" $? 78
grep -q "wrong.yaml:3:15: .*no account \`NORHT\`" "$XW_HOME/wrong.log" || xw_fail "the mistake is not told: $(cat "$XW_HOME/wrong.log")"
# comes WHAT WANTED COMMAND..: until it says so. What a start or a signal changes goes step by step, the next when one is durable.
comes() {
    local end=$((SECONDS + 60)) what=$1 wanted=$2
    shift 2
    until [ "$("$@")" = "$wanted" ]; do
        [ $SECONDS -lt $end ] || xw_fail "$what is $("$@"), expected $wanted"
        sleep 0.05
    done
}
xw_start
xw_await control XW2004 1 60
comes "the exit code of a diff after the opening" 0 eval 'xw_ctl limits diff >"$XW_HOME/diff.log"; echo $?'
# Sums over symbols are parts of a whole on each matching core, everything else is the same on both.
xw_ctl --json journal dump >"$XW_HOME/dump.json"
parts() { xw_ctl --json journal dump | jq -r 'select(.type == "limit" and .limit == "'"$1"'") | "\(.core) \(.value)"' | sort | paste -sd' '; }
comes "parts of the gross notional" "0 5000005000 1 5000005000" parts gross_notional
comes "parts of the working orders" "0 4 1 3" parts working_orders
comes "the maximum quantity" "0 1000 1 1000" parts max_quantity

# What risk is measured by, and another volume of it.
xw_expect "what is known of XWIRE" "$(xw_ctl --json reference XWIRE | jq -c '.symbols[0] | [.reference, .adv, .by]')" '[100000,1000000,"file"]'
xw_ctl reference XWIRE --adv 2000000 --by FEED >/dev/null || xw_fail "xwctl reference --adv"
xw_ctl reference | grep -Eq '^XWIRE +10.0000 +2000000 .* FEED$' || xw_fail "xwctl reference: $(xw_ctl reference)"
xw_ctl reference XWIRE --adv 0 --by FEED 2>"$XW_HOME/adv.log"
xw_expect "the exit code of no volume" $? 64
xw_ctl reload --by FEED >/dev/null || xw_fail "reload" # the file's again, as soon as another person agrees
xw_ctl limits approve "$(xw_ctl --json limits pending | jq .requests[0].request)" --by ALICE || xw_fail "limits approve"
xw_ctl limits set account NORTH max_quantity -1 --by ALICE 2>"$XW_HOME/negative.log"
xw_expect "the exit code of a value below 0" $? 65
grep -qF 'is `-1`, negative; give 0 to' "$XW_HOME/negative.log" || xw_fail "a value below 0: $(cat "$XW_HOME/negative.log")"
xw_ctl limits set account NORTH max_quantity 5 --bye ALICE 2>"$XW_HOME/negative.log"
xw_expect "the exit code of an unknown option" $? 64
xw_expect "what is said of it" "$(cat "$XW_HOME/negative.log")" "xwctl: --bye is no option, or lacks its value: see xwctl --help"
# Less is at once; more waits for another person.
xw_ctl limits set account NORTH max_quantity 500 --by ALICE || xw_fail "limits set"
xw_script 1 <<'LINES'
enter 1 B 501 XWIRE 100000
enter 2 B 500 XWIRE 100000
LINES
xw_told 1 'J 1 '
xw_told 1 'A 2 '
xw_ctl limits set account NORTH max_quantity 2000 --by ALICE >"$XW_HOME/raise.log" || xw_fail "limits set"
grep -q 'waits for a second person' "$XW_HOME/raise.log" || xw_fail "a raise does not wait: $(cat "$XW_HOME/raise.log")"
request() { xw_ctl --json limits pending | jq .requests[0].request; }
xw_expect "what runs meanwhile" "$(xw_ctl --json limits show account NORTH | jq -r '.[] | select(.limit == "max_quantity").value')" 500
xw_ctl limits approve "$(request)" --by alice 2>"$XW_HOME/own.log"
xw_expect "the exit code of the same person's approval" $? 77
xw_ctl limits approve "$(request)" --by BOB >"$XW_HOME/approved.log" || xw_fail "limits approve"
grep -q 'approved, in force: account NORTH max_quantity 500 -> 2000$' "$XW_HOME/approved.log" || xw_fail "what was approved is not said: $(cat "$XW_HOME/approved.log")"
xw_script 1 <<<'enter 3 B 501 XWIRE 100000'
xw_told 1 'A 3 '
xw_expect "the working orders in use" "$(xw_ctl --json limits show account NORTH | jq -r '.[] | select(.limit == "working_orders") | "\(.used) \(.value)"')" "2 7"
xw_expect "the maximum quantity then" "$(xw_ctl --json limits show account NORTH | jq -r '.[] | select(.limit == "max_quantity") | "\(.value) \(.by) \(.second)"')" "2000 ALICE BOB"

# Control is killed in the middle of a change: the data plane takes nothing, so that only what gives less room is given. The
# rest, core 1's greater share, comes at the next start; what was to be raised as a whole waits for a second person.
sed -i -e 's/working_orders: 7/shares: [30, 70], working_orders: 70/' -e 's/max_quantity: 1000/max_quantity: 900/' "$limits"
xw_freeze "$xw_dataplane_pid"
kill -HUP "$xw_control_pid"
xw_await control XW2021 2 60 # the first was asked for above
xw_kill control
kill -CONT "$xw_dataplane_pid"
comes "parts of the gross notional at the kill" "0 5000005000 1 5000005000" parts gross_notional
xw_start_control
xw_await control XW2004 2 60
comes "parts of the gross notional after the kill" "0 3000003000 0 5000005000 1 5000005000 1 7000007000" parts gross_notional
comes "parts of the working orders after the kill" "0 3 0 4 1 3 1 4" parts working_orders
comes "what differs after the kill" "account NORTH working_orders: running 7 by file, file 70" xw_ctl limits diff
xw_ctl limits reject "$(request)" --by CAROL || xw_fail "limits reject"
sed -i -e 's/working_orders: 70/working_orders: 5/' "$limits"
xw_ctl reload --by CAROL || xw_fail "reload"
xw_ctl limits diff || xw_fail "what runs is not what the file says after a reload"
# A reload that raises waits as well; the rest of it does not.
sed -i -e 's/working_orders: 5/working_orders: 50/' -e 's/max_quantity: 900/max_quantity: 800/' "$limits"
xw_ctl reload --by CAROL || xw_fail "reload"
xw_expect "what differs while the reload waits" "$(xw_ctl limits diff)" "account NORTH working_orders: running 5 by file, file 50"
xw_ctl limits reject "$(request)" --by CAROL || xw_fail "limits reject"
# Restart of both, from a snapshot: what waits is known from what the snapshot says of the limits that run.
xw_stop
xw_start
xw_await control XW2004 3 60
grep '"XW2004"' "$XW_HOME/control.log" | tail -n 1 | grep -Eq '"snapshots":\[[1-9][0-9]*,[1-9][0-9]*\]' || xw_fail "no snapshot was taken"
comes "what differs after a restart" "account NORTH working_orders: running 5 by file, file 50" xw_ctl limits diff
end=$((SECONDS + 60))
until [ "$(xw_ctl --json limits pending | jq -r '.requests[0].by')" = CAROL ]; do
    [ $SECONDS -lt $end ] || xw_fail "who asked for it is not known after a restart: $(xw_ctl limits pending)"
    sleep 0.05
done
xw_ctl limits approve "$(request)" --by carol 2>"$XW_HOME/own.log"
xw_expect "the exit code of the author's own approval after a restart" $? 77
xw_ctl limits approve "$(request)" --by DAVE || xw_fail "limits approve after a restart"
xw_ctl limits diff || xw_fail "the diff is not empty at the end"
xw_ctl config diff || xw_fail "what runs is not what the configuration says"
xw_script 1 <<<'enter 4 B 801 XWIRE 100000'
xw_told 1 'J 4 '
xw_stop
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
audit() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
audit '.what == "limit" and .scope == "account NORTH" and .limit == "max_quantity" and .before == 500 and .after == 2000 and .by == "ALICE" and .second == "BOB"'
audit '.what == "note" and (.note | test("read again and taken over")) and .by == "CAROL" and .why == "passwords 0, limits 1, waiting 1"'
audit '.what == "note" and (.note | test("stands for what waits")) and .by == "CAROL"'
# What another file would have changed, had it held all day: the order of 500.
sed -e "s#limits: .*#limits: $XW_HOME/strict.yaml#" "$XW_CONFIG" >"$XW_HOME/strict.conf"
sed -e 's/max_quantity: 800/max_quantity: 499/' "$limits" >"$XW_HOME/strict.yaml"
xw_ctl replay || xw_fail "replay"
xw_ctl replay --with "$XW_HOME/strict.conf" >"$XW_HOME/with.log" || xw_fail "replay --with"
cat "$XW_HOME/with.log"
grep -Eq '^accepted +then +2 +now +0' "$XW_HOME/with.log" || xw_fail "replay --with: other limits change nothing"
