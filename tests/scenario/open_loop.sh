#!/bin/bash
# Open-loop latency counts from the intended time: a data plane that stands still shows in every order that was due
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
RATE=2000 ORDERS=8000 STOP_MS=400
XW_ACK=matched # the disk's latency is not what is measured
xw_begin
xw_configure
xw_start
# The disk settles after the start of a day.
xw_play 120 "${XW_CLIENT[@]}" --orders 2000 --resting 200

# stopped NAME OPTIONS..: a day in which the data plane stands still once
stopped() {
    local name=$1 status=0
    shift
    "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders $ORDERS --resting 200 --seed 7 --json "$XW_HOME/$name.json" \
        --hdr "$XW_HOME/$name.hdr" --record "$XW_HOME/$name.rec" --journal "$XW_HOME/journal" "$@" >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
    xw_await_size "$XW_HOME/$name.rec" 250000 60
    kill -STOP "$xw_dataplane_pid"
    sleep "0.$STOP_MS"
    kill -CONT "$xw_dataplane_pid"
    xw_await_end 120
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    cat "$XW_HOME/replay.log"
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status"
}

# later FILE MS: how many values of an HdrHistogram text are above
later() { awk -v ns=$(($2 * 1000000)) '/^#/ || NF < 3 || $1 == "Value" {next} $1 <= ns {below = $3} {all = $3} END {print all - below}' "$1"; }

# 400 ms at 2,000 a second are 800 orders; 600 of them were due more than 100 ms before anything moved again. The rows of
# the text are steps, so the count is a rough one.
stopped open --rate $RATE
late=$(later "$XW_HOME/open.hdr" 100)
[ "$late" -ge 400 ] || xw_fail "only $late orders show the $STOP_MS ms, though about 600 were due in them"
[ "$(xw_json "$XW_HOME/open.json" '.latency_ns.max >= 380000000 and .latency_ns.p99 >= 200000000')" = true ] ||
    xw_fail "the summary does not show it: $(xw_json "$XW_HOME/open.json" '.latency_ns | tostring')"
# The others do not show it, where the machine has kept the schedule: one that has not is late with any of them.
awk -v took="$(xw_json "$XW_HOME/open.json" .seconds)" -v due=$((ORDERS / RATE)) 'BEGIN {exit !(took > due * 1.1)}' ||
    [ "$(xw_json "$XW_HOME/open.json" '.latency_ns.p50 < 100000000')" = true ] ||
    xw_fail "every order shows it: $(xw_json "$XW_HOME/open.json" '.latency_ns | tostring')"

# What the design names must be in the summary.
missing=$(xw_json "$XW_HOME/open.json" '. as $all | ["sent", "accepted", "rejected", "executions", "silent_by_rule", "unanswered",
    "sequence_gaps", "journal_bytes", "latency_ns"] + (["p50", "p90", "p99", "p999", "max"] | map("latency_ns." + .)) |
    map(select(. as $path | $all | getpath($path | split(".")) | type != "number" and type != "object")) | join(" ")')
xw_expect "what the summary lacks" "$missing" ""

# The text that the HdrHistogram plotter reads: header, empty line, ascending rows of four columns, a last one of three
# for everything, three footer lines that agree with the rows.
awk '
    NR == 1 {if ($0 !~ /^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/) bad("header"); next}
    NR == 2 {if ($0 != "") bad("second line"); next}
    /^#\[Mean    = +[0-9.]+, StdDeviation   = +[0-9.]+\]$/ {footers++; next}
    /^#\[Max     = +[0-9.]+, Total count    = +[0-9]+\]$/ {footers++; max = $3 + 0; total = $7 + 0; next}
    /^#\[Buckets = +[0-9]+, SubBuckets     = +[0-9]+\]$/ {footers++; next}
    last {bad("a row after the last")}
    NF == 4 || NF == 3 {
        if ($1 < value || $2 < percentile || $3 < count) bad("row goes down")
        if (NF == 4 && ($4 - 1 / (1 - $2) > 0.01 * $4 || 1 / (1 - $2) - $4 > 0.01 * $4)) bad("1/(1-Percentile)")
        value = $1; percentile = $2; count = $3; last = NF == 3; rows++; next
    }
    {bad("line")}
    END {if (!wrong && (footers != 3 || !last || percentile != 1 || max != value || total != count || rows < 20)) bad("end")
         exit wrong}
    function bad(what) {print what " " NR ": " $0; wrong = 1}' "$XW_HOME/open.hdr" || xw_fail "open.hdr is not HdrHistogram's text"
xw_expect "the maximum of both" "$(sed -nE 's/^#\[Max     = +([0-9]+)\..*/\1/p' "$XW_HOME/open.hdr")" \
    "$(xw_json "$XW_HOME/open.json" .latency_ns.max)"

# Closed-loop, one outstanding: the same pause is one slow order.
stopped closed --window 1
late=$(later "$XW_HOME/closed.hdr" 100)
# Each of them has taken 100 ms of the day alone; the rows are steps of the count, which the 20 are for.
[ "$late" -le $(($(xw_json "$XW_HOME/closed.json" '.seconds * 10 | ceil') + 20)) ] || xw_fail "$late orders show the pause, though one was outstanding"
xw_stop

# The summary counts the journal that is written, not the space prepared for what may come.
written=$(xw_json "$XW_HOME/closed.json" .journal_bytes)
blocks=$("$XW_BIN/xwctl" -c "$XW_CONFIG" --json journal verify | jq .blocks)
[ "$written" -le $((blocks * 4096)) ] && [ "$written" -ge $((blocks * 4096 * 9 / 10)) ] ||
    xw_fail "the summary says $written bytes of journal, but $blocks blocks are written"
