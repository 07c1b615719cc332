#!/bin/bash
# A halted symbol takes no order, also after a crash; bands hold, and a falling index halts everything
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link tcpdump tshark jq
xw_configure
sed -i -e 's#^ports:#bands: {tier1_percent: 5}\n\nmarket_wide: {close: 1000}\n\nports:#' -e 's#name: ALPHA,#name: ALPHA, tier: 1,#' \
    -e 's#name: BRAVO,#name: BRAVO, index_weight: 1,#' "$XW_CONFIG"
xw_set engine tick_ms 20
for option in "${XW_CLIENT[@]}"; do
    case $option in
    TRADE1:*) password1=${option#*:} && password1=${password1%%@*} ;;
    esac
done
capture=$XW_HOME/market_data.pcap
"${xw_inside[@]}" tcpdump -U -n -i "$xw_far" -w "$capture" udp port 5000 >"$XW_HOME/tcpdump.log" 2>&1 &
tcpdump_pid=$! xw_aside=$!
xw_start 30
ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }
client() {
    "${xw_inside[@]}" timeout 30 "$XW_BIN/example_script" 10.0.0.1 4000 TRADE1 "$password1" >"$XW_HOME/1.log" ||
        xw_fail "example_script ended with $?"
}
told() { grep -Eq "^[0-9]+ $1" "$XW_HOME/1.log" || xw_fail "TRADE1 was not told: $1: $(cat "$XW_HOME/1.log")"; }

ctl halt ALPHA --reason T99 --by ALICE 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a halt for no known reason" $? 64
ctl halt NOSUCH --reason T1 --by ALICE 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a halt of no symbol" $? 64
client <<'LINES'
enter 1 S 100 ALPHA 100000
LINES
told 'A 1 '
ctl reference ALPHA --price 10.00 --by ALICE || xw_fail "xwctl reference"
ctl halt ALPHA --reason T1 --by ALICE || xw_fail "xwctl halt"
client <<'LINES'
enter 2 B 100 ALPHA 100000
LINES
told 'J 2 .*halted'
xw_kill dataplane
xw_kill control
xw_start 30
client <<'LINES'
enter 3 B 100 ALPHA 100000
enter 4 B 100 BRAVO 100000
cancel 4 0
LINES
told 'J 3 .*halted'
told 'A 4 '
end=$((SECONDS + 5))
until ctl --json status | jq -e '.standing | .known and .symbols_count == 1 and .symbols[0].symbol == "ALPHA" and .symbols[0].state == "halted"' >/dev/null; do
    [ $SECONDS -lt $end ] || xw_fail "the halt is not shown after a restart: $(ctl --json status | jq -c .standing)"
    sleep 0.05
done
ctl status | grep -q '^HALTED: ..:..:.. symbol ALPHA: halted' || xw_fail "xwctl status: $(ctl status)"
ctl resume ALPHA --by ALICE || xw_fail "xwctl resume"
xw_expect "symbols that do not trade" "$(ctl --json status | jq .standing.symbols_count)" 0
client <<'LINES'
enter 5 B 100 ALPHA 105100
enter 6 B 100 ALPHA 105000
LINES
told 'J 5 .*market impact'
told 'E 6 100 100000'
# The index is BRAVO alone: a fall by 7 per cent halts everything.
ctl reference BRAVO --price 10.00 --by ALICE || xw_fail "xwctl reference"
client <<'LINES'
enter 7 S 100 BRAVO 93000
enter 8 B 100 BRAVO 93000
LINES
told 'E 8 100 93000'
xw_await control 'by":"index' 1 10
sleep 0.1
client <<'LINES'
enter 9 B 100 ALPHA 100000
LINES
told 'J 9 .*halted'
ctl resume all --by ALICE || xw_fail "xwctl resume all"
client <<'LINES'
enter 10 B 100 ALPHA 100000
LINES
told 'A 10 '
xw_stop
ctl replay >"$XW_HOME/replay.log" || xw_fail "the replay differs"
ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
audit() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
audit '.what == "halt" and .symbol == "ALPHA" and .before == "T" and .after == "H" and .reason == "T1" and .by == "ALICE"'
audit '.what == "halt" and .symbol == "ALPHA" and .before == "H" and .after == "T" and .by == "ALICE"'
audit '.what == "reference" and .symbol == "BRAVO" and .before == 0 and .after == 100000 and .by == "ALICE"'
audit '.what == "bands" and .symbol == "ALPHA" and .before == 0 and .after == 50000 and .by == "configuration"'
audit '.what == "index" and .before == 0 and .after == 1 and .by == "index"'
audit '.what == "note" and .note == "request refused" and .by == "ALICE" and (.why | test("no ITCH code"))'
sleep 0.2
kill "$tcpdump_pid"
wait "$tcpdump_pid" 2>/dev/null
# H 0x48 of ALPHA: halted T1, then trading; J 0x4a of its bands; W 0x57.
tshark -r "$capture" -d udp.port==5000,moldudp64 -T fields -e moldudp64.msgdata 2>/dev/null | tr ',' '\n' | tr -d ':' >"$XW_HOME/itch.txt"
grep -q '^48.*414c50484120202048205431' "$XW_HOME/itch.txt" || xw_fail "no H says that ALPHA is halted"
grep -q '^48.*414c504841202020542020' "$XW_HOME/itch.txt" || xw_fail "no H says that ALPHA trades"
grep -q '^57.*31$' "$XW_HOME/itch.txt" || xw_fail "no W says that the first level is breached"
grep -q '^4a.*414c504841202020000186a0' "$XW_HOME/itch.txt" || xw_fail "no J tells the bands of ALPHA"
