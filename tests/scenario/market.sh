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
xw_passwords
capture=$XW_HOME/market_data.pcap
xw_capture "$capture" "udp port 5000"
xw_start

xw_ctl halt ALPHA --reason T99 --by ALICE 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a halt for no known reason" $? 64
xw_ctl halt NOSUCH --reason T1 --by ALICE 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a halt of no symbol" $? 64
xw_script 1 <<'LINES'
enter 1 S 100 ALPHA 100000
LINES
xw_told 1 'A 1 '
xw_ctl reference ALPHA --price 10.00 --by ALICE || xw_fail "xwctl reference"
xw_ctl halt ALPHA --reason T1 --by ALICE || xw_fail "xwctl halt"
xw_script 1 <<'LINES'
enter 2 B 100 ALPHA 100000
LINES
xw_told 1 'J 2 .*halted'
xw_kill dataplane
xw_kill control
xw_start
xw_script 1 <<'LINES'
enter 3 B 100 ALPHA 100000
enter 4 B 100 BRAVO 100000
cancel 4 0
LINES
xw_told 1 'J 3 .*halted'
xw_told 1 'A 4 '
end=$((SECONDS + 60))
until xw_ctl --json status | jq -e '.standing | .known and .symbols_count == 1 and .symbols[0].symbol == "ALPHA" and .symbols[0].state == "halted"' >/dev/null; do
    [ $SECONDS -lt $end ] || xw_fail "the halt is not shown after a restart: $(xw_ctl --json status | jq -c .standing)"
    sleep 0.05
done
xw_ctl status | grep -q '^HALTED: ..:..:.. symbol ALPHA: halted' || xw_fail "xwctl status: $(xw_ctl status)"
xw_ctl resume ALPHA --by ALICE || xw_fail "xwctl resume"
xw_expect "symbols that do not trade" "$(xw_ctl --json status | jq .standing.symbols_count)" 0
xw_script 1 <<'LINES'
enter 5 B 100 ALPHA 105100
enter 6 B 100 ALPHA 105000
LINES
xw_told 1 'J 5 .*market impact'
xw_told 1 'E 6 100 100000'
# The index is BRAVO alone: a fall by 7 per cent halts everything.
xw_ctl reference BRAVO --price 10.00 --by ALICE || xw_fail "xwctl reference"
xw_script 1 <<'LINES'
enter 7 S 100 BRAVO 93000
enter 8 B 100 BRAVO 93000
LINES
xw_told 1 'E 8 100 93000'
xw_await control 'by":"index' 1 60
xw_await control 'scope":"venue".*"reason":"W' 1 60 # the matching core says that it has halted
xw_script 1 <<'LINES'
enter 9 B 100 ALPHA 100000
LINES
xw_told 1 'J 9 .*halted'
xw_ctl resume all --by ALICE || xw_fail "xwctl resume all"
xw_script 1 <<'LINES'
enter 10 B 100 ALPHA 100000
LINES
xw_told 1 'A 10 '
xw_stop
xw_ctl replay >"$XW_HOME/replay.log" || xw_fail "the replay differs"
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
audit() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
audit '.what == "halt" and .symbol == "ALPHA" and .before == "T" and .after == "H" and .reason == "T1" and .by == "ALICE"'
audit '.what == "halt" and .symbol == "ALPHA" and .before == "H" and .after == "T" and .by == "ALICE"'
audit '.what == "reference" and .symbol == "BRAVO" and .before == 0 and .after == 100000 and .by == "ALICE"'
audit '.what == "bands" and .symbol == "ALPHA" and .before == 0 and .after == 50000 and .by == "configuration"'
audit '.what == "index" and .before == 0 and .after == 1 and .by == "index"'
audit '.what == "note" and .note == "request refused" and .by == "ALICE" and (.why | test("no ITCH code"))'
xw_capture_end
# H 0x48 of ALPHA: halted T1, then trading; J 0x4a of its bands; W 0x57.
tshark -r "$capture" -d udp.port==5000,moldudp64 -T fields -e moldudp64.msgdata 2>/dev/null | tr ',' '\n' | tr -d ':' >"$XW_HOME/itch.txt"
grep -q '^48.*414c50484120202048205431' "$XW_HOME/itch.txt" || xw_fail "no H says that ALPHA is halted"
grep -q '^48.*414c504841202020542020' "$XW_HOME/itch.txt" || xw_fail "no H says that ALPHA trades"
grep -q '^57.*31$' "$XW_HOME/itch.txt" || xw_fail "no W says that the first level is breached"
grep -q '^4a.*414c504841202020000186a0' "$XW_HOME/itch.txt" || xw_fail "no J tells the bands of ALPHA"
