#!/bin/bash
# A capture that xwreplay makes opens in Wireshark, and plays again: in its own time, scaled, at once, packed, by make run
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
command -v tshark >/dev/null || xw_skip "there is no tshark (make deps)"
base=$XW_HOME

# fresh NAME: an appliance at the start of a day
fresh() {
    XW_HOME=$base/$1
    mkdir -p "$XW_HOME"
    xw_begin
    xw_configure
    xw_start
}

# shark FILTER FIELD..: fields of the packets that pass, port 5000 taken as MoldUDP64, port 4000 not guessed at: Wireshark
# does not know UFO
shark() {
    local filter=$1 fields=()
    shift
    for field; do fields+=(-e "$field"); done
    tshark -n -r "$capture" -d udp.port==5000,moldudp64 -d udp.port==4000,data -o ip.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y "$filter" -T fields "${fields[@]}" 2>>"$base/tshark.log"
}

fresh made
capture=$base/day.pcap
xw_play 120 "${XW_CLIENT[@]}" --orders 4000 --resting 500 --window 16 --rate 4000 --pcap "$capture" --json "$XW_HOME/summary.json"
xw_stop
xw_clean

xw_expect "malformed packets" "$(shark '_ws.malformed' frame.number | wc -l)" 0
xw_expect "packets with a bad checksum" "$(shark 'ip.checksum.status == 0 || udp.checksum.status == 0' frame.number | wc -l)" 0
[ "$(shark 'udp.dstport == 4000' frame.number | wc -l)" -ge 4000 ] || xw_fail "not every order is in the capture"
# How many go into a packet the disk decides: the shortest, a Canceled, has 18 bytes and two for its length.
shark 'udp.srcport == 4000' udp.length |
    awk -v answers="$(xw_json "$base/made/summary.json" '.messages | add')" '{bytes += $1} END {exit !(answers >= 4000 && bytes >= 20 * answers)}' ||
    xw_fail "answers are not in the capture"
# The market data of the day, gap-free: each packet begins where the one before it ended.
shark 'moldudp64' moldudp64.sequence moldudp64.count moldudp64.session >"$base/mold.txt"
# At most 64 orders wait at once (four sessions, a window of 16), so that 4,000 are at least 62 commits.
[ "$(wc -l <"$base/mold.txt")" -ge 50 ] || xw_fail "only $(wc -l <"$base/mold.txt") MoldUDP64 packets"
xw_expect "gaps of market data" "$(awk '$2 == 65535 || $2 == 0 {next} next_one && $1 != next_one {gaps++} {next_one = $1 + $2} END {print gaps + 0}' \
    "$base/mold.txt")" 0
xw_expect "market data sessions" "$(cut -f3 "$base/mold.txt" | sort -u | wc -l)" 1
seconds=$(shark 'udp.dstport == 4000' frame.time_relative | awk 'NR == 1 {first = $1} {last = $1} END {print last - first}')

sent=$(xw_json "$base/made/summary.json" .sent)
# replay NAME OPTIONS..: the capture's orders on a fresh day
replay() {
    local name=$1
    shift
    fresh "$name"
    xw_play 120 "${XW_CLIENT[@]}" --input "$capture" --json "$XW_HOME/summary.json" "$@"
    xw_identity
    xw_stop
    xw_clean
    [ "$(xw_json "$XW_HOME/summary.json" .sent)" -ge "$sent" ] || xw_fail "$name: fewer were sent than the capture has"
    [ "$(xw_json "$XW_HOME/summary.json" .accepted)" -ge 2000 ] || xw_fail "$name: the orders were not accepted"
}
took() { xw_json "$base/$1/summary.json" .seconds; }

replay at_once
replay packed --pack 8
replay in_time --timing 1
awk -v took="$(took in_time)" -v was="$seconds" 'BEGIN {exit !(took > was * 0.8)}' ||
    xw_fail "in its own time the capture took $(took in_time) s, it was $seconds s long"
# A machine that stalls takes longer than it was told to: once of five times it does not.
for try in 1 2 3 4 5; do
    replay scaled$try --timing 4
    awk -v took="$(took scaled$try)" -v was="$seconds" 'BEGIN {exit !(took > was * 0.2)}' ||
        xw_fail "four times faster the capture took $(took scaled$try) s, it was $seconds s long"
    awk -v took="$(took scaled$try)" -v was="$seconds" 'BEGIN {exit !(took < was * 0.8 + 1)}' && break
    [ $try -lt 5 ] || xw_fail "four times faster the capture took $(took scaled$try) s, it was $seconds s long"
done
