#!/bin/bash
# Every kind of order by wire, phases, a broken and an adjusted trade: from the client to market data, also after kills
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link tcpdump tshark jq

xw_configure
# Phases that were due before control came are given in order at once: pre-market, then regular hours.
sed -i "s#^ports:#schedule: {pre_market: 00:00:00, market_open: 00:00:01}\n\nports:#" "$XW_CONFIG"
for option in "${XW_CLIENT[@]}"; do
    case $option in
    TRADE1:*) password1=${option#*:} && password1=${password1%%@*} ;;
    TRADE3:*) password3=${option#*:} && password3=${password3%%@*} ;;
    esac
done
capture=$XW_HOME/market_data.pcap
xw_capture "$capture" udp
xw_start
ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }

# client N: gives its standard input to session TRADEN; all that the session was told so far is left in N.log
client() {
    local password=password$1
    "${xw_inside[@]}" timeout 60 "$XW_BIN/example_script" 10.0.0.1 4000 "TRADE$1" "${!password}" >"$XW_HOME/$1.log" ||
        xw_fail "example_script of TRADE$1 ended with $?"
}
told() { grep -Eq "^[0-9]+ $2" "$XW_HOME/$1.log" || xw_fail "TRADE$1 was not told: $2: $(cat "$XW_HOME/$1.log")"; }
match_of() { sed -nE "s/^[0-9]+ E $2 .*match=//p" "$XW_HOME/$1.log" | sed -n "${3:-1}p"; }

client 1 <<'LINES'
enter 1 S 300 XWIRE 100500 floor=100 id=RESERVE
enter 2 S 100 XWIRE 101000 id=TEN
enter 3 S 100 XWIRE 102000 display=A id=TWENTY
enter 4 B 100 XWIRE 90000 post=P expire=3600 tif=6
enter 5 S 100 XWIRE 103000 stop=80000 trail=100
LINES
told 1 'A 1 S 300 XWIRE 100500'
told 1 'A 3 S 100 XWIRE 102000 display=A'
told 1 'A 4 B 100 XWIRE 90000 display=Y tif=6'
told 1 'J 5 '
# A reserve order shows its next part; two stops, of which the first trade triggers none.
client 3 <<'LINES'
enter 1 B 100 XWIRE 100500 tif=3 id=BUYER-ONE
enter 2 B 100 XWIRE 102000 stop=101000 id=STOP-TWO
enter 3 B 300 XWIRE 101000 stop=100600 id=STOP-THREE
enter 4 B 100 XWIRE 104000 trail=1000 display=N
enter 5 B 100 XWIRE 999900 peg=M min=50 id=PEG
cancel 5 0
LINES
told 3 'E 1 100 100500 R'
told 3 'A 2 B 100 XWIRE 102000 .* stop=101000'
told 3 'A 4 B 100 XWIRE 104000 .* trail=1000'
first=$(match_of 3 1)
# The cascade: 250 go through the reserve to 10.10, which triggers both stops; the older one is released first and lifts
# the price for the trailing stop too.
client 3 <<'LINES'
enter 6 B 250 XWIRE 101000 tif=3 id=SWEEP
LINES
told 3 'E 6 50 101000 R'
told 3 'T 2 102000'
told 3 'E 2 50 102000 R'
told 3 'T 3 101000'
second=$(match_of 3 6 3)
client 1 </dev/null
told 1 'R 1 R shows=100'
xw_expect "restatements" "$(grep -c '^[0-9]* R ' "$XW_HOME/1.log")" 2

# A trade is shown, taken back, corrected.
ctl --json trade show "$first" >"$XW_HOME/show.json" || xw_fail "trade show"
xw_expect "the first trade" "$(xw_json "$XW_HOME/show.json" '[.symbol, .price, .quantity, .broken, .taker.user, .taker.cl_ord_id, .maker.user, .maker.cl_ord_id] | map(tostring) | join(" ")')" \
    "XWIRE 100500 100 false TRADE3 BUYER-ONE TRADE1 RESERVE"
ctl trade show "$first" || xw_fail "trade show as text"
ctl --json trade break "$first" --reason E --by ALICE >"$XW_HOME/break.json" || xw_fail "trade break"
xw_expect "the first trade is broken" "$(xw_json "$XW_HOME/break.json" .broken)" true
ctl trade break "$first" --reason E --by ALICE 2>"$XW_HOME/again.log"
xw_expect "the exit code of a second break" $? 65
xw_expect "lines about it" "$(wc -l <"$XW_HOME/again.log")" 1
ctl --json trade adjust "$second" --price 10.0850 --quantity 40 --by ALICE >"$XW_HOME/adjust.json" || xw_fail "trade adjust"
third=$(xw_json "$XW_HOME/adjust.json" .new_match)
ctl trade show $((third + 1000)) 2>"$XW_HOME/again.log"
xw_expect "the exit code of an unknown trade" $? 65
ctl trade show 12345 2>"$XW_HOME/again.log"
xw_expect "the exit code of what can be no match" $? 65
ctl trade break "$third" --reason Z --by ALICE 2>"$XW_HOME/again.log"
xw_expect "the exit code of an unknown reason" $? 64
ctl phase pre --by ALICE 2>"$XW_HOME/again.log"
xw_expect "the exit code of a phase that is over" $? 65
client 3 </dev/null
told 3 "B 1 E BUYER-ONE match=$first"
told 3 "B 6 S SWEEP match=$second"
told 3 "E 6 40 100850 R match=$third"
client 1 </dev/null
told 1 "B 1 E RESERVE match=$first"
told 1 "B 2 S TEN match=$second"
told 1 "E 2 40 100850 A match=$third"

# A control that is killed while it is asked has done all of it or nothing.
broken=2 # trades that both parties know as broken
for match in $(match_of 3 6 1) $(match_of 3 6 2) $(match_of 3 2 1) $(match_of 3 2 2); do
    before=$(xw_count control XW2004)
    ctl trade break "$match" --reason X --by CAROL >>"$XW_HOME/killed.log" 2>&1 &
    xw_client_pid=$!
    sleep "0.00$((RANDOM % 10))"
    xw_kill control
    wait "$xw_client_pid" && asked=done || asked=$?
    xw_client_pid=
    xw_start
    xw_await control XW2004 $((before + 1)) 60
    state=$(ctl --json trade show "$match" | jq -r .broken)
    echo "match $match: asked: $asked, broken: $state"
    [ "$asked" != done ] || xw_expect "a break that was answered" "$state" true
    [ "$state" = true ] || ctl trade break "$match" --reason X --by CAROL || xw_fail "trade break after a kill"
    broken=$((broken + 1))
    for user in 1 3; do
        client $user </dev/null
        xw_expect "trades that TRADE$user knows as broken" "$(grep -c '^[0-9]* B ' "$XW_HOME/$user.log")" $broken
        told $user "B .*match=$match"
    done
done

# Neither a killed control nor a killed data plane changes what was said, or what is known of a trade.
cp "$XW_HOME/1.log" "$XW_HOME/1.before" && cp "$XW_HOME/3.log" "$XW_HOME/3.before"
for victims in control "dataplane control"; do
    before=$(xw_count control XW2004)
    for victim in $victims; do xw_kill "$victim"; done
    ctl trade show "$first" 2>"$XW_HOME/again.log"
    xw_expect "the exit code without a control" $? 69
    xw_start
    xw_await control XW2004 $((before + 1)) 60
    ctl --json trade show "$first" >"$XW_HOME/show.json" || xw_fail "trade show after a kill"
    xw_expect "the first trade after a kill of $victims" "$(xw_json "$XW_HOME/show.json" '"\(.broken) \(.reason)"')" "true E"
    for user in 1 3; do
        client $user </dev/null
        cmp "$XW_HOME/$user.before" "$XW_HOME/$user.log" || xw_fail "TRADE$user is told other things after a kill of $victims"
    done
done
ctl --json trade break "$third" --reason C --by BOB >"$XW_HOME/break.json" || xw_fail "trade break after the kills"

# After-hours end what lives in regular hours only; closing the venue ends everything.
ctl phase after --by BOB || xw_fail "xwctl phase after"
client 3 <<'LINES'
enter 7 B 100 XWIRE 50000
enter 8 B 100 XWIRE 50000 tif=E
LINES
told 3 'C 3 300 E'
told 3 'C 4 50 E'
told 3 'J 7 '
told 3 'A 8 '
ctl phase closed --by BOB || xw_fail "xwctl phase closed"
client 3 </dev/null
told 3 'C 8 100 E'
client 1 </dev/null
told 1 'C 4 100 E'
xw_identity
ctl journal dump >"$XW_HOME/dump.txt" || xw_fail "xwctl journal dump"
for line in "phase .*phase=R" "break .*match=$first reason=E taker_cl_ord_id=BUYER-ONE maker_cl_ord_id=RESERVE by=ALICE" \
    "adjust .*quantity=40 price=10.0850 match=$second reason=S .*by=ALICE" "phase .*phase=X by=BOB" "enter .*stop_price=10.1000" \
    "enter .*trail_amount=0.1000" "start .*phase=P"; do
    grep -Eq "$line" "$XW_HOME/dump.txt" || xw_fail "the journal's dump has no line: $line"
done
xw_stop
ctl journal verify || xw_fail "xwctl journal verify"
ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
audit() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
audit ".what == \"break\" and .match == $first and (.before | test(\"^[0-9]+ at [0-9.]+$\")) and .after == \"broken\" and .why == \"E\" and .by == \"ALICE\""
audit ".what == \"adjust\" and .match == $second and (.before | test(\"^[0-9]+ at [0-9.]+$\")) and .after == \"40 at 10.0850\" and .by == \"ALICE\""
audit '.what == "phase" and .before == "A" and .after == "X" and .by == "BOB"'
xw_capture_end

# What went over the wire.
shark() {
    local filter=$1 fields=()
    shift
    for field; do fields+=(-e "$field"); done
    tshark -n -r "$capture" -d udp.port==5000,moldudp64 -d udp.port==4000,data -o ip.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y "$filter" -T fields "${fields[@]}" 2>>"$XW_HOME/tshark.log"
}
xw_expect "malformed packets" "$(shark '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0' frame.number | wc -l)" 0
shark 'moldudp64' moldudp64.sequence moldudp64.count >"$XW_HOME/mold.txt"
# The day's first messages went out before anybody could listen, and a restart sends nothing again.
xw_expect "gaps of market data" "$(awk '$2 == 65535 || $2 == 0 {next} next_one && $1 != next_one {gaps++} {next_one = $1 + $2} END {print gaps + 0}' \
    "$XW_HOME/mold.txt")" 0
shark 'moldudp64' moldudp64.msgdata | tr ',' '\n' | tr -d ':' | cut -c1-2 | sort | uniq -c >"$XW_HOME/itch.txt"
count_of() { awk -v type="$1" '$2 == type {print $1}' "$XW_HOME/itch.txt"; }
# B broken, P trade (both adjustments' are of no displayed order), F attributed
xw_expect "ITCH B" "$(count_of 42)" 7
xw_expect "ITCH P" "$(count_of 50)" 1
xw_expect "ITCH F" "$(count_of 46)" 1
