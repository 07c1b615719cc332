#!/bin/bash
# make run INPUT=CAPTURE lists the capture's own symbols; with others it says what is rejected, and plays the rest
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
base=$XW_HOME XW_SYMBOLS="MIKE NOVEMBER OSCAR"
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 3000 --resting 300 --pcap "$base/day.pcap" --json "$base/made.json"
xw_stop
xw_clean
xw_expect "the symbols of the capture" "$("$XW_BIN/xwreplay" --input "$base/day.pcap" --list-symbols | cut -d' ' -f1 | sort | paste -sd' ')" \
    "MIKE NOVEMBER OSCAR"

# A tree of its own: make run leaves its results in build/run.
tree=$base/tree
mkdir -p "$tree"
for name in perf control nic_profiles; do ln -s "$XW_ROOT/$name" "$tree/$name"; done
unset XW_SYMBOLS XW_RUN
INPUT=$base/day.pcap "$tree/perf/run.sh" >"$base/own.txt" 2>&1 || xw_fail "with the capture's symbols: $(cat "$base/own.txt")"
! grep 'are rejected' "$base/own.txt" || xw_fail "the capture's own symbols are not all listed"
xw_expect "rejected with the capture's symbols" "$(xw_json "$tree/build/run/summary.json" .rejected)" "$(xw_json "$base/made.json" .rejected)"
INPUT=$base/day.pcap XW_SYMBOLS="MIKE XWIRE" "$tree/perf/run.sh" >"$base/other.txt" 2>&1 || xw_fail "with other symbols: $(cat "$base/other.txt")"
lost=$(sed -nE 's/^([0-9]+) of [0-9]+ orders are for 2 symbols that this run does not list, and are rejected:.*/\1/p' "$base/other.txt")
[ "${lost:-0}" -gt 0 ] || xw_fail "nothing is said of unknown symbols: $(cat "$base/other.txt")"
[ "$(xw_json "$tree/build/run/summary.json" .rejected)" -ge "$lost" ] || xw_fail "fewer were rejected than was said"
[ "$(xw_json "$tree/build/run/summary.json" .accepted)" -gt 0 ] || xw_fail "the symbol that is listed was not played"
xw_expect "unanswered with other symbols" "$(xw_json "$tree/build/run/summary.json" .unanswered)" 0
