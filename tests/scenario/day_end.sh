#!/bin/bash
# The schedule ends the day: what is live expires, clients and feed are told, the journal is sealed; it stays ended, tomorrow is new
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
[ "$(date -u +%H%M)" -lt 2358 ] || xw_skip "the day ends in a moment"
command -v tshark >/dev/null || xw_skip "there is no tshark (make deps)"
XW_MATCHERS=2
xw_begin
xw_configure
ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }
dump() { ctl --json journal dump | jq -r "$1"; }
xw_start
# Orders that stay in the book, and clients that are still there when the day ends: half of theirs is to come.
xw_may 50
"$XW_BIN/xwreplay" "${XW_CLIENT[@]}" "${xw_part[@]}" --orders 8000 --resting 1000 --rate 4000 --grace 5 --pcap "$XW_HOME/wire.pcap" \
    --record "$XW_HOME/received.rec" >"$XW_HOME/replay.log" 2>&1 &
xw_client_pid=$!
xw_await_size "$XW_HOME/received.rec" 250000 60
# The end is in a moment; where it is past before the reload is there, that is refused, and a later one is set.
for tries in 1 2 3 4 5; do
    ends=$(date -u -d "@$(($(date +%s) + 2 * tries))" +%H:%M:%S)
    sed -i -e '/^schedule:/d' -e "s#^ports:#schedule: {day_end: '$ends'}\n&#" "$XW_CONFIG"
    ctl reload --by ALICE && break
done
xw_await control 'phase":"E' 2 60
xw_may 100
xw_await_end 120
xw_client_pid=
seals=0
for ((tries = 0; tries < 600 && seals == 0; tries++)); do
    seals=$(compgen -G "$XW_HOME/journal/${XW_DATE//-/}/*.xws" | wc -l)
    sleep 0.1
done
[ "$seals" -ge 1 ] || xw_fail "the day's segment is not sealed while both still run: $(ls "$XW_HOME/journal/${XW_DATE//-/}")"
xw_expect "cores whose day is open" "$(ctl --json status | jq '[.matchers[].day_open | select(. != 0)] | length')" 0
ends() { tshark -r "$XW_HOME/wire.pcap" -Y "$1" 2>"$XW_HOME/tshark.log" | wc -l; }
[ "$(ends 'udp.srcport == 4000 && udp.length == 13 && udp.payload[0:1] == 45')" -ge 4 ] || xw_fail "not every session was told its end"
[ "$(ends 'udp.dstport == 5000 && udp.payload[18:2] == ff:ff')" -ge 2 ] || xw_fail "not every feed says its end"

# It stays ended.
xw_kill dataplane
xw_kill control
xw_start
xw_await control XW2004 2 60
xw_expect "cores whose day is open after a restart" "$(ctl --json status | jq '[.matchers[].day_open | select(. != 0)] | length')" 0
xw_stop
xw_expect "ends of the day" "$(dump 'select(.type == "end_day") | .core' | sort | tr '\n' ' ')" "0 1 "
ctl journal verify || xw_fail "the journal is not right"
[ "$(dump 'select(.type == "enter") | .seq' | wc -l)" -ge 1000 ] || xw_fail "hardly an order was taken before the end"

# The next date begins anew.
sed -i -e "s/^trading_date:.*/trading_date: $(date -u -d "$XW_DATE + 1 day" +%Y-%m-%d)/" -e '/^schedule:/d' "$XW_CONFIG"
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 1000 --resting 100 --record "$XW_HOME/tomorrow.rec"
xw_identity
ctl phase ended --by ALICE || xw_fail "xwctl phase ended"
ctl phase closed --by ALICE 2>"$XW_HOME/late.log"
xw_expect "the exit code of a phase when the day is over" $? 65
xw_expect "cores whose day is open" "$(ctl --json status | jq '[.matchers[].day_open | select(. != 0)] | length')" 0
ctl status | grep -q '^phase: ended; no order is taken' || xw_fail "xwctl status does not say that the day is over: $(ctl status)"
# Whoever asks for something then is refused with what is so, and nothing of it stands in the journal; nor of breakers that open.
over() {
    ctl "$@" --by ALICE 2>"$XW_HOME/over.log"
    xw_expect "the exit code of $1 when the day is over" $? 69
    grep -q "^xwctl: the day ${tomorrow} has ended: " "$XW_HOME/over.log" || xw_fail "$1 says: $(cat "$XW_HOME/over.log")"
}
tomorrow=$(date -u -d "$XW_DATE + 1 day" +%Y-%m-%d)
over halt XWIRE --reason T1
over resume all
over kill account NORTH --why test
over reset symbol XWIRE --why test
over limits set account NORTH max_quantity 5
over reference XWIRE --price 5
over bands XWIRE off
over breach 1
sed -i "s#^trips:#&\n  - {name: full, condition: disk_space, threshold: 4294967295, window_ms: 0, action: block_new, recovery: manual}#" "$XW_CONFIG"
ctl reload --by ALICE >"$XW_HOME/over.log" || xw_fail "xwctl reload when the day is over"
grep -q '^reloaded: .*; the day has ended: the next date begins with the limits of the file' "$XW_HOME/over.log" ||
    xw_fail "xwctl reload says: $(cat "$XW_HOME/over.log")"
xw_await control XW2051 1 60
xw_stop
xw_expect "commands behind the end of the day" \
    "$(dump 'select(.type != "tick" and .type != "clock") | "\(.core) \(.type)"' |
        awk '$2 == "end_day" {over[$1] = 1} over[$1] && !/end_day|note|session_/' | sort | uniq -c)" ""
xw_expect "ends of the day by an operator" "$(dump 'select(.type == "end_day") | "\(.core) \(.by)"' | sort | tr '\n' ' ')" "0 ALICE 1 ALICE "
