#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make run [INPUT=FILE]: both processes over vhost, a day of orders, the summary. XW_BIN: where the binaries are.
# Leaves build/run/summary.json, trades.csv, latency.hdr, the logs and the journal.
set -u
cd "$(dirname "$0")/.." || exit 1
export XW_ROOT=$PWD
export XW_BIN=${XW_BIN:-$PWD/build} XW_HOME=$PWD/build/run
INPUT=${INPUT:-}
mkdir -p build
exec {lock}>build/run.lock
flock -w 2 "$lock" || { # a killed one may still be on its way out
    echo "another make run uses build/run of this tree: wait for it, or run in another clone" >&2
    exit 75
}
rm -rf "$XW_HOME"
. perf/appliance.sh

expected= what="a generated day: 300,000 messages of four sessions of two accounts"
if [ -n "$INPUT" ]; then
    [ -r "$INPUT" ] || { echo "INPUT=$INPUT: no such file, or not readable"; exit 66; }
    what=$INPUT
    if [ "$(head -c 8 "$INPUT")" = OBSTRM01 ]; then
        # The header names the number of symbols; expected trades may lie beside the stream.
        count=$(od -An -tu4 -j32 -N4 "$INPUT" | tr -d ' ')
        [ "$count" -le 64 ] || { echo "INPUT=$INPUT: $count symbols, at most 64 can be played"; exit 65; }
        XW_SYMBOLS=$(seq -f 'SYM%02g' 1 "$count" | tr '\n' ' ')
        for expected in "${INPUT%.bin}.trades" "${XW_STREAMS:-}/$(basename "${INPUT%.bin}").trades" ''; do
            [ -n "$expected" ] && [ -r "$expected" ] && break
        done
    else
        # A capture's own symbols are listed, the busiest 64 of them; XW_SYMBOLS names others.
        listed=$("$XW_BIN/xwreplay" --input "$INPUT" --list-symbols) || exit
        [ -n "${XW_SYMBOLS:-}" ] || XW_SYMBOLS=$(head -n 64 <<<"$listed" | cut -d' ' -f1 | tr '\n' ' ')
        what="$INPUT, $(wc -l <<<"$listed") symbols"
    fi
fi

began=$SECONDS
xw_begin
xw_configure
xw_say "crosswire-control and crosswire-dataplane start; logs in ${XW_HOME#"$PWD"/}"
xw_start
xw_say "running; playing $what"
options=(--json "$XW_HOME/summary.json" --trades "$XW_HOME/trades.csv" --hdr "$XW_HOME/latency.hdr"
    --journal "$XW_HOME/journal" --progress --window "${XW_WINDOW:-64}")
if [ -z "$INPUT" ]; then
    options+=("${XW_CLIENT[@]}" --orders 300000)
elif [ "$(head -c 8 "$INPUT")" = OBSTRM01 ]; then
    options+=("${XW_CLIENT_ONE[@]}" --input "$INPUT")
    [ -n "$expected" ] && options+=(--compare "$expected")
else
    options+=("${XW_CLIENT[@]}" --input "$INPUT")
fi
timeout --foreground -k 5 300 "$XW_BIN/xwreplay" "${options[@]}"
played=$?
"$XW_BIN/xwctl" -c "$XW_CONFIG" status >"$XW_HOME/status.txt" 2>&1
xw_stop
[ -f "$XW_HOME/summary.json" ] || xw_fail "xwreplay ended with $played and left no summary"

symbol=${XW_SYMBOLS:-XWIRE}
echo
"$XW_BIN/xwctl" -c "$XW_CONFIG" --depth 5 book "${symbol%% *}" || xw_fail "xwctl book"
echo
xw_say "both processes stopped cleanly; $((SECONDS - began)) s in all"
xw_say "summary  build/run/summary.json"
xw_say "trades   build/run/trades.csv"
xw_say "latency  build/run/latency.hdr"
xw_say "journal  build/run/journal ($(du -sh --apparent-size "$XW_HOME/journal" | cut -f1)), to be read with: xwctl -c build/run/crosswire.yaml journal verify"
[ $played -eq 0 ] || xw_fail "xwreplay ended with $played: what is wrong stands above"
