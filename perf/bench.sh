#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make bench: every measurement as a ratio to its floor, the two interleaved in the same run, medians of XW_ROUNDS (5) rounds.
# Prints the table of the README and leaves build/bench.json. XW_ONLY=wire|load|ring|engine limits it; XW_ONLY=journal is the
# journal alone, without a data plane.
set -u
cd "$(dirname "$0")/.." || exit 1
export XW_ROOT=$PWD
export XW_BIN=${XW_BIN:-$PWD/build} XW_HOME=$PWD/build/bench
rounds=${XW_ROUNDS:-5} only=${XW_ONLY:-wire load ring engine}
rm -rf "$XW_HOME"
mkdir -p "$XW_HOME"
. perf/appliance.sh
xw_begin
# With all processes in the root scheduling group, client and journal thread may yield to each other and to the kernel's disk
# workers; otherwise they sleep for some microseconds, and every durable figure holds that.
autogroup=/proc/sys/kernel/sched_autogroup_enabled idle=()
if [ "$(id -u)" -eq 0 ] && [ -w $autogroup ]; then
    was=$(cat $autogroup)
    trap 'echo "$was" >$autogroup; xw_clean' EXIT
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
bench_client() { # bench_client OUT PHASE [OPTIONS..]
    local out=$1 phase=$2
    shift 2
    timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]}" --bench --phase "$phase" --json "$out" "${idle[@]}" "$@" >>"$XW_HOME/client.log" 2>&1 ||
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

venue_round() {
    local before after
    appliance_up matched
    bench_client "$XW_HOME/trips.json" trips --orders 100000
    before=$(busy_cycles)
    bench_client "$XW_HOME/stream.json" stream --orders 2000000 --window 256
    after=$(busy_cycles)
    jq --argjson cycles $((after - before)) '.streaming.cycles = $cycles / .streaming.sent' "$XW_HOME/stream.json" >"$XW_HOME/stream1.json"
    bench_client "$XW_HOME/stream8.json" stream --orders 4000000 --window 256 --pack 8
    xw_stop
}

reflector_phase() { # reflector_phase OUT PHASE BYTES_PER_S OPTIONS..
    local out=$1 phase=$2 bytes=$3 reflector writer
    shift 3
    rm -rf "$XW_HOME/journal"
    XW_ACK=matched
    xw_configure
    xw_start_control
    taskset -c "$xw_core_rest" "$XW_BIN/floor_writer" "$XW_HOME" "$bytes" &
    writer=$!
    "$XW_BIN/floor_reflector" "$XW_CONFIG" >"$XW_HOME/reflector.json" 2>>"$XW_HOME/dataplane.log" &
    reflector=$!
    sleep 1
    bench_client "$out" "$phase" --reflect "$@"
    kill -TERM $reflector $writer
    wait $reflector $writer 2>/dev/null
    xw_stop
}

durable_round() {
    appliance_up durable
    bench_client "$XW_HOME/durable.json" trips --orders 20000
    xw_stop
    "$XW_BIN/floor_sync" "$XW_HOME" 4000 --json >"$XW_HOME/sync.json"
}

wire_round() {
    local trip stream pair
    venue_round
    trip=$XW_HOME/trips.json stream=$XW_HOME/stream1.json
    # 132 bytes of journal an order: a 128-byte record and its share of the block header.
    reflector_phase "$XW_HOME/reflect_trips.json" trips "$(jq '.round_trip.rate * 132 | floor' "$trip")" --orders 100000
    reflector_phase "$XW_HOME/reflect_stream.json" stream "$(jq '.streaming.rate * 132 | floor' "$stream")" --orders 2000000 --window 256
    durable_round
    sample wire.matched.p50_over_reflector "$(jq .round_trip.p50_ns "$trip")" "$(jq .round_trip.p50_ns "$XW_HOME/reflect_trips.json")"
    sample wire.matched.p99_over_reflector "$(jq .round_trip.p99_ns "$trip")" "$(jq .round_trip.p99_ns "$XW_HOME/reflect_trips.json")"
    pair=$(jq -s '.[0].round_trip.p50_ns + (.[1][] | select(.name=="sync.p50") | .value)' "$trip" "$XW_HOME/sync.json")
    sample wire.durable.p50_ratio "$(jq .round_trip.p50_ns "$XW_HOME/durable.json")" "$pair"
    sample wire.durable.p50 "$(jq .round_trip.p50_ns "$XW_HOME/durable.json")"
    sample wire.durable.p99 "$(jq .round_trip.p99_ns "$XW_HOME/durable.json")"
    sample stream.rate_over_reflector "$(jq .streaming.rate "$stream")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    sample stream.cycles_over_reflector "$(jq .streaming.cycles "$stream")" "$(jq .cycles_per_packet "$XW_HOME/reflector.json")"
    sample stream.pack8_rate_over_reflector "$(jq .streaming.rate "$XW_HOME/stream8.json")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    sample stream.lost "$(jq .streaming.lost "$stream")"
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
