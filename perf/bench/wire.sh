# Round trip and streaming over the reflector, by turns; the durable round trip over the device and the matched one.
# SPDX-License-Identifier: Apache-2.0
socket=wire0 # whose peer the client is
bench_client() { # bench_client OUT PHASE [OPTIONS..]
    local out=$1 phase=$2
    shift 2
    timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]/wire0.sock/$socket.sock}" --bench --phase "$phase" --json "$out" "${idle[@]}" "$@" >>"$XW_HOME/client.log" 2>&1 ||
        xw_fail "xwreplay --bench --phase $phase $*: $(tail -n 3 "$XW_HOME/client.log")"
}

# Cycles that all roles spent in polls that found work.
busy_cycles() { "$XW_BIN/xwctl" -c "$XW_CONFIG" --json status | jq '[.cores[].busy_cycles] | add'; }

# The reflector stands beside the appliance, at a socket of its own, with the same settings and the same control alive.
# Of the two, the one that is not measured is stopped (SIGSTOP), so that they take turns within a second on the same lcore:
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

venue_trips() {
    turn_of venue
    bench_client "$XW_HOME/trips.json" trips --orders 100000
}

reflector_trips() {
    turn_of reflector
    reflect "$XW_HOME/reflect_trips.json" trips "$(jq .round_trip.rate "$XW_HOME/trips.json")" --orders 100000
}

trips_samples() {
    local trip=$XW_HOME/trips.json floor=$XW_HOME/reflect_trips.json
    sample wire.matched.p50_over_reflector "$(jq .round_trip.p50_ns "$trip")" "$(jq .round_trip.p50_ns "$floor")"
    sample wire.matched.p99_over_reflector "$(jq .round_trip.p99_ns "$trip")" "$(jq .round_trip.p99_ns "$floor")"
}

venue_stream() {
    local before after
    turn_of venue
    before=$(busy_cycles)
    bench_client "$XW_HOME/stream.json" stream --orders 1000000 --window 256
    after=$(busy_cycles)
    jq --argjson cycles $((after - before)) '.streaming.cycles = $cycles / .streaming.sent' "$XW_HOME/stream.json" >"$XW_HOME/stream1.json"
}

reflector_stream() {
    turn_of reflector
    reflector_cycles >/dev/null
    reflect "$XW_HOME/reflect_stream.json" stream "$(jq .streaming.rate "$XW_HOME/stream1.json")" --orders 1000000 --window 256
    reflector_cycles >"$XW_HOME/reflect_cycles.json"
}

stream_samples() {
    local stream=$XW_HOME/stream1.json
    sample stream.rate_over_reflector "$(jq .streaming.rate "$stream")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    sample stream.cycles_over_reflector "$(jq .streaming.cycles "$stream")" "$(cat "$XW_HOME/reflect_cycles.json")"
    sample stream.lost "$(jq .streaming.lost "$stream")" null messages
}

# The device is timed between the turns, with both processes stopped, so that nothing of ours delays it.
durable_turn() {
    local durable=$XW_HOME/durable.json sum
    bench_client "$durable" trips --orders 10000
    kill -STOP "$xw_dataplane_pid" "$xw_control_pid"
    "$XW_BIN/floor_sync" "$XW_HOME" 1000 --json >"$XW_HOME/sync.json"
    kill -CONT "$xw_dataplane_pid" "$xw_control_pid"
    sum=$(jq -s '.[0].round_trip.p50_ns + (.[1][] | select(.name=="sync.p50") | .value)' "$XW_HOME/trips.json" "$XW_HOME/sync.json")
    sample wire.durable.p50_ratio "$(jq .round_trip.p50_ns "$durable")" "$sum"
    sample wire.durable.p50 "$(jq .round_trip.p50_ns "$durable")"
    sample wire.durable.p99 "$(jq .round_trip.p99_ns "$durable")"
}

wire_round() {
    local pairs=${XW_PAIRS:-5} pair phase
    appliance_up matched
    reflector_up
    venue_trips # warms up, and says how many bytes the reflector's disk is to take
    venue_stream
    for ((pair = 0; pair < pairs; pair++)); do
        for phase in trips stream; do
            if ((pair % 2)); then venue_$phase; reflector_$phase; else reflector_$phase; venue_$phase; fi
            ${phase}_samples
        done
    done
    turn_of venue
    bench_client "$XW_HOME/stream8.json" stream --orders 4000000 --window 256 --pack 8
    sample stream.pack8_rate_over_reflector "$(jq .streaming.rate "$XW_HOME/stream8.json")" "$(jq .streaming.rate "$XW_HOME/reflect_stream.json")"
    reflector_down
    xw_stop
    appliance_up durable
    for ((pair = 0; pair < pairs; pair++)); do durable_turn; done
    xw_stop
}

for ((round = 1; round <= rounds; round++)); do
    note "wire: round $round of $rounds"
    wire_round
done
