#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make bench: every measurement as a ratio to its floor, the two interleaved in the same run, medians of XW_ROUNDS (5) rounds;
# of the wire, XW_PAIRS (5) pairs of turns a round; both odd, so that one lies in the middle. Prints the table of the README and
# leaves build/bench.json.
# XW_ONLY="PART .." limits it to these parts; the default is all of them. A part is a file of perf/bench/, which takes
# samples round by round, or puts results of its own into $results.
set -u
cd "$(dirname "$0")/.." || exit 1
export XW_ROOT=$PWD
export XW_BIN=${XW_BIN:-$PWD/build} XW_HOME=$PWD/build/bench
rounds=${XW_ROUNDS:-5}
rm -rf "$XW_HOME"
mkdir -p "$XW_HOME"
. perf/appliance.sh
xw_begin
reflector= writer=
bench_clean() {
    local pid
    for pid in $reflector $writer; do kill -KILL "$pid" 2>/dev/null; done
    xw_clean
}
trap bench_clean EXIT
# With all processes in the root scheduling group, client and journal thread may yield to each other and to the kernel's disk
# workers; otherwise they sleep for some microseconds, and every durable figure holds that.
autogroup=/proc/sys/kernel/sched_autogroup_enabled idle=()
if [ "$(id -u)" -eq 0 ] && [ -w $autogroup ]; then
    was=$(cat $autogroup)
    trap 'echo "$was" >$autogroup; bench_clean' EXIT
    echo 0 >$autogroup
    idle=(--yield)
    echo "kernel.sched_autogroup_enabled is 0 until the end (root): client and journal thread idle by sched_yield" >&2
fi
results=$XW_HOME/results.jsonl # one {"name","value","unit","floor","min","max","rounds"} a line
samples=$XW_HOME/samples.jsonl # one {"name","value","floor"} a round
: >"$results" >"$samples"

note() { printf '%s\n' "$*" >&2; }

# sample NAME VALUE [FLOOR|null [UNIT]]: one round; with a floor it is a ratio, taken round by round. UNIT of those without: ns.
sample() { printf '{"name":"%s","value":%s,"floor":%s,"unit":"%s"}\n' "$1" "$2" "${3:-null}" "${4:-ns}" >>"$samples"; }

appliance_up() { # appliance_up ACK
    rm -rf "$XW_HOME/journal"
    XW_ACK=$1
    xw_configure
    [ ${#idle[@]} -eq 0 ] || xw_set journal yield true
    xw_start 30
}

for part in ${XW_ONLY:-load wire idle engine risk kill ring breaker journal recovery}; do
    [ -f "perf/bench/$part.sh" ] || xw_fail "there is no part $part: say $(basename -s .sh perf/bench/*.sh | paste -sd' ')"
    . "perf/bench/$part.sh"
done

# A round's ratio is value over floor; the result is the median of the rounds' ratios, or of the values without a floor.
jq -sc 'def median: sort | .[length / 2 | floor];
    group_by(.name)[] | {name: .[0].name, n: length, unit: (if .[0].floor != null then "ratio" else .[0].unit end),
        r: map(if .floor != null then .value / .floor else .value end),
        floor: (map(.floor | select(. != null)) | if length > 0 then median else null end)} |
    {name, value: (.r | median), unit, floor, min: (.r | min), max: (.r | max), rounds: .n}' "$samples" >>"$results"

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
jq -s --arg cpu "$cpu" --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" \
    '{machine: {cpu: $cpu, cpus: $cpus, kernel: $kernel}, results: .}' "$results" >"$XW_ROOT/build/bench.json"
echo "$cpu, $(nproc) CPUs, kernel $(uname -r)"
echo
echo "| measurement | median | least | most | unit | floor | rounds |"
echo "|---|---|---|---|---|---|---|"
jq -r 'def figure: if . == null then "" elif . >= 100 then (. | round | tostring) else (. * 1000 | round / 1000 | tostring) end;
    .results[] | "| \(.name) | \(.value | figure) | \(.min | figure) | \(.max | figure) | \(.unit) | \(.floor | figure) | \(.rounds) |"' \
    "$XW_ROOT/build/bench.json"
