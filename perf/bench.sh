#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make bench: every measurement as a ratio to its floor, the two interleaved in the same run, medians of XW_ROUNDS (5) rounds;
# of the wire, XW_PAIRS (5) pairs of turns a round; both odd, so that one lies in the middle. Prints the table of the README and
# leaves build/bench.json.
# XW_ONLY=wire|load|ring|engine limits it; XW_ONLY=journal is the journal alone, without a data plane.
set -u
cd "$(dirname "$0")/.." || exit 1
export XW_ROOT=$PWD
export XW_BIN=${XW_BIN:-$PWD/build} XW_HOME=$PWD/build/bench
rounds=${XW_ROUNDS:-5} only=${XW_ONLY:-wire load ring engine}
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

wants() { [[ " $only " == *" $1 "* ]]; }
note() { printf '%s\n' "$*" >&2; }

# sample NAME VALUE FLOOR: one round; the ratio is taken round by round.
sample() { printf '{"name":"%s","value":%s,"floor":%s}\n' "$1" "$2" "${3:-null}" >>"$samples"; }

# ---- the wire -------------------------------------------------------------------------------------------------------
socket=wire0 # whose peer the client is
bench_client() { # bench_client OUT PHASE [OPTIONS..]
    local out=$1 phase=$2
    shift 2
    timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]/wire0.sock/$socket.sock}" --bench --phase "$phase" --json "$out" "${idle[@]}" "$@" >>"$XW_HOME/client.log" 2>&1 ||
        xw_fail "xwreplay --bench --phase $phase $*: $(tail -n 3 "$XW_HOME/client.log")"
}

# Cycles that all roles spent in polls that found work.
busy_cycles() { "$XW_BIN/xwctl" -c "$XW_CONFIG" --json status | jq '[.cores[].busy_cycles] | add'; }

appliance_up() { # appliance_up ACK
    rm -rf "$XW_HOME/journal"
    XW_ACK=$1
    xw_configure
    [ ${#idle[@]} -eq 0 ] || sed -i 's/^journal:$/journal:\n  yield: true/' "$XW_CONFIG"
    xw_start 30
}

# The reflector stands beside the appliance, at a socket of its own, with the same settings and the same control alive.
# Of the two, the one that is not measured is stopped (SIGSTOP), so that they take turns every second on the same lcore:
# this machine's speed changes by half within seconds, and what is compared must lie close together.
reflector_up() {
    sed -e 's/wire0\.sock/floor0.sock/' -e 's/^instance:.*/instance: floor/' "$XW_CONFIG" >"$XW_HOME/floor.yaml"
    "$XW_BIN/floor_reflector" "$XW_HOME/floor.yaml" >"$XW_HOME/reflector.json" 2>>"$XW_HOME/dataplane.log" &
    reflector=$!
    until [ -S "$XW_RUN/floor0.sock" ]; do
        kill -0 $reflector 2>/dev/null || xw_fail "floor_reflector ended"
        sleep 0.05
    done
}

reflector_down() {
    kill -CONT $reflector
    kill -TERM $reflector
    wait $reflector 2>/dev/null
    reflector=
}

turn_of() { # turn_of venue|reflector
    if [ "$1" = venue ]; then
        kill -STOP $reflector
        kill -CONT "$xw_dataplane_pid"
    else
        kill -STOP "$xw_dataplane_pid"
        kill -CONT $reflector
    fi
}

# Cycles a packet since the last call.
reflector_cycles() {
    local lines
    lines=$(wc -l <"$XW_HOME/reflector.json")
    kill -USR1 $reflector
    until [ "$(wc -l <"$XW_HOME/reflector.json")" -gt "$lines" ]; do sleep 0.01; done
    tail -n 1 "$XW_HOME/reflector.json" | jq .cycles_per_packet
}

# The disk is as busy as the journal would make it: 132 bytes an order, a 128-byte record and its share of the header.
reflect() { # reflect OUT PHASE ORDERS_PER_S OPTIONS..
    local out=$1 phase=$2 rate=$3
    shift 3
    taskset -c "$xw_core_rest" "$XW_BIN/floor_writer" "$XW_HOME" "$(jq -n "$rate * 132 | floor")" &
    writer=$!
    sleep 0.3
    socket=floor0
    bench_client "$out" "$phase" --reflect "$@"
    socket=wire0
    kill -TERM $writer
    wait $writer 2>/dev/null
    writer=
}

venue_turn() {
    local before after
    turn_of venue
    bench_client "$XW_HOME/trips.json" trips --orders 100000
    before=$(busy_cycles)
    bench_client "$XW_HOME/stream.json" stream --orders 1000000 --window 256
    after=$(busy_cycles)
    jq --argjson cycles $((after - before)) '.streaming.cycles = $cycles / .streaming.sent' "$XW_HOME/stream.json" >"$XW_HOME/stream1.json"
}

reflector_turn() {
    turn_of reflector
    reflect "$XW_HOME/reflect_trips.json" trips "$(jq .round_trip.rate "$XW_HOME/trips.json")" --orders 100000
    reflector_cycles >/dev/null
    reflect "$XW_HOME/reflect_stream.json" stream "$(jq .streaming.rate "$XW_HOME/stream1.json")" --orders 1000000 --window 256
    reflector_cycles >"$XW_HOME/reflect_cycles.json"
}

durable_round() {
    appliance_up durable
    bench_client "$XW_HOME/durable.json" trips --orders 20000
    xw_stop
    "$XW_BIN/floor_sync" "$XW_HOME" 4000 --json >"$XW_HOME/sync.json"
}

pair_samples() {
    local trip=$XW_HOME/trips.json stream=$XW_HOME/stream1.json
    sample wire.matched.p50_over_reflector "$(jq .round_trip.p50_ns "$trip")" "$(jq .round_trip.p50_ns "$XW_HOME/reflect_trips.json")"
    sample wire.matched.p99_over_reflector "$(jq .round_trip.p99_ns "$trip")" "$(jq .round_trip.p99_ns "$XW_HOME/reflect_trips.json")"
    sample stream.rate_over_reflector "$(jq .streaming.rate "$stream")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    sample stream.cycles_over_reflector "$(jq .streaming.cycles "$stream")" "$(cat "$XW_HOME/reflect_cycles.json")"
    sample stream.lost "$(jq .streaming.lost "$stream")"
}

wire_round() {
    local pair trip=$XW_HOME/trips.json durable
    appliance_up matched
    reflector_up
    venue_turn # warms up, and says how many bytes the reflector's disk is to take
    for ((pair = 0; pair < ${XW_PAIRS:-5}; pair++)); do
        if ((pair % 2)); then venue_turn; reflector_turn; else reflector_turn; venue_turn; fi
        pair_samples
    done
    turn_of venue
    bench_client "$XW_HOME/stream8.json" stream --orders 4000000 --window 256 --pack 8
    sample stream.pack8_rate_over_reflector "$(jq .streaming.rate "$XW_HOME/stream8.json")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    reflector_down
    xw_stop
    durable_round
    durable=$XW_HOME/durable.json
    pair=$(jq -s '.[0].round_trip.p50_ns + (.[1][] | select(.name=="sync.p50") | .value)' "$trip" "$XW_HOME/sync.json")
    sample wire.durable.p50_ratio "$(jq .round_trip.p50_ns "$durable")" "$pair"
    sample wire.durable.p50 "$(jq .round_trip.p50_ns "$durable")"
    sample wire.durable.p99 "$(jq .round_trip.p99_ns "$durable")"
}

# Latency under load: open-loop from the intended send time, four sessions, a generated day.
load_round() { # load_round ACK
    local rate
    for rate in ${XW_RATES:-50 200 400 800}; do
        appliance_up "$1"
        timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" "${idle[@]}" --types plain --window 4096 --orders $((rate * 1000)) --rate $((rate * 1000)) --json "$XW_HOME/load.json" \
            >>"$XW_HOME/client.log" 2>&1 || xw_fail "xwreplay --rate ${rate}000: $(tail -n 3 "$XW_HOME/client.log")"
        xw_stop
        sample "load.$1.${rate}k.p50" "$(jq .latency_ns.p50 "$XW_HOME/load.json")"
        sample "load.$1.${rate}k.p99" "$(jq .latency_ns.p99 "$XW_HOME/load.json")"
    done
}

if wants load; then
    for ((round = 1; round <= rounds; round++)); do
        note "load: round $round of $rounds"
        load_round matched
        load_round durable
    done
fi

if wants wire; then
    for ((round = 1; round <= rounds; round++)); do
        note "wire: round $round of $rounds"
        wire_round
    done
fi

# ---- the engine against its floor program -------------------------------------------------------------------------------
if wants engine; then
    streams=$XW_ROOT/../shared/streams
    if [ -x "$streams/make.sh" ] || [ -f "$streams/make.sh" ]; then
        out=$XW_BIN/streams-full
        [ -f "$out/s64.trades" ] || { note "engine: making the streams"; bash "$streams/make.sh" "$out" >"$XW_HOME/streams.log" 2>&1; }
        for ((round = 1; round <= rounds; round++)); do
            for stream in s1hot s1 s64 es_real; do
                note "engine: round $round of $rounds, $stream"
                floor=$(taskset -c "$xw_core_plane" "$out/floor" "$out/$stream.bin" thr | jq .ns_per_msg)
                ours=$(taskset -c "$xw_core_plane" "$XW_BIN/bench_engine" "$out/$stream.bin" 1 --json | jq .ns)
                sample "engine.$stream.over_floor" "$ours" "$floor"
            done
        done
    else
        note "engine: no streams beside the repository, left out"
    fi
fi

# A round's ratio is value over floor; the result is the median of the rounds' ratios, or of the values without a floor.
jq -sc 'def median: sort | .[length / 2 | floor];
    group_by(.name)[] | {name: .[0].name, n: length, ratio: (.[0].floor != null),
        r: map(if .floor != null then .value / .floor else .value end),
        floor: (map(.floor | select(. != null)) | if length > 0 then median else null end)} |
    {name, value: (.r | median), unit: (if .ratio then "ratio" elif (.name | test("lost")) then "messages" else "ns" end),
     floor, min: (.r | min), max: (.r | max), rounds: .n}' "$samples" >>"$results"

if wants ring; then
    note "ring: $rounds rounds"
    "$XW_BIN/bench_ring" --json "$rounds" | jq -c '.[]' >>"$results"
fi
if wants journal; then
    note "journal: $rounds rounds"
    mkdir -p "$XW_HOME/disk"
    timeout -k 5 300 "$XW_BIN/bench_journal" "$XW_HOME/disk" "$rounds" --json | jq -c '.[]' >>"$results"
    rm -rf "$XW_HOME/disk"
fi

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
