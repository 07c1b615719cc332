# The engine alone: against its floor program on the order streams that stand beside the repository, each message by itself,
# instructions and modelled cache misses a command, and how it grows with orders and symbols.
# SPDX-License-Identifier: Apache-2.0
streams=$XW_ROOT/../shared/streams
names="s1hot s1 s64 es_real"

stream_round() { # stream_round STREAM
    taskset -c "$xw_core_plane" "$XW_BIN/bench_engine" "$out/$1.bin" 1 --floor "$XW_HOME/floor.so" --json >"$XW_HOME/engine.json" ||
        xw_fail "bench_engine $1"
    sample "engine.$1.over_floor" "$(jq .ns "$XW_HOME/engine.json")" "$(jq .floor_ns "$XW_HOME/engine.json")"
    for figure in p50 p99 p999; do sample "engine.$1.$figure" "$(jq ".$figure" "$XW_HOME/engine.json")"; done
}

# By callgrind's model (first level 32 KiB, last 1 MiB, as the second level of a core), on the small streams: the same on
# every machine.
stream_model() { # stream_model STREAM
    local total messages
    valgrind --tool=callgrind --cache-sim=yes --I1=32768,8,64 --D1=32768,8,64 --LL=1048576,16,64 --toggle-collect='time_batch*' \
        --callgrind-out-file="$XW_HOME/callgrind.out" "$XW_BIN/bench_engine" "$small/$1.bin" 1 >/dev/null 2>"$XW_HOME/valgrind.log" ||
        xw_fail "valgrind: $(tail -n 2 "$XW_HOME/valgrind.log")"
    messages=$(od -An -tu8 -j16 -N16 "$small/$1.bin" | awk '{ print $1 - $2 }')
    read -ra total <<<"$(sed -n 's/^\(summary\|totals\): //p' "$XW_HOME/callgrind.out" | tail -n 1)"
    # events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
    sample "engine.$1.instructions" "$(jq -n "${total[0]} / $messages")" null "a command"
    sample "engine.$1.d1_misses" "$(jq -n "(${total[4]} + ${total[5]}) / $messages")" null "a command"
    sample "engine.$1.ll_misses" "$(jq -n "(${total[7]} + ${total[8]}) / $messages")" null "a command"
}

growth() { # growth NAME ORDERS SYMBOLS
    note "engine: $2 orders, $3 symbols"
    taskset -c "$xw_core_plane" "$XW_BIN/bench_growth" "$2" "$3" "$rounds" --json >"$XW_HOME/growth.json" || xw_fail "bench_growth"
    jq -c --arg name "engine.$1" --argjson rounds "$rounds" \
        '{name: "\($name).ns", value: .ns, unit: "ns", floor: null, min, max, rounds: $rounds},
         (.bytes / .orders | {name: "\($name).bytes_an_order", value: ., unit: "bytes", floor: null, min: ., max: ., rounds: 1})' \
        "$XW_HOME/growth.json" >>"$results"
}

if [ -f "$streams/make.sh" ]; then
    out=$XW_BIN/streams-full small=$XW_BIN/streams-small
    [ -f "$out/s64.trades" ] || { note "engine: making the streams"; bash "$streams/make.sh" "$out" >"$XW_HOME/streams.log" 2>&1; }
    [ -f "$small/s64.trades" ] || bash "$streams/make.sh" "$small" small >"$XW_HOME/streams.log" 2>&1
    gcc -O3 -march=native -std=gnu11 -w -fPIC -fvisibility=hidden -shared -include stdbool.h -I "$streams" \
        -o "$XW_HOME/floor.so" perf/bench/floor_turns.c || xw_fail "the floor does not compile"
    for ((round = 1; round <= rounds; round++)); do
        for stream in $names; do
            note "engine: round $round of $rounds, $stream"
            stream_round "$stream"
        done
    done
    if command -v valgrind >/dev/null; then
        for stream in $names; do
            note "engine: instructions and cache misses, $stream"
            stream_model "$stream"
        done
    fi
else
    note "engine: no streams beside the repository, left out"
fi
for orders in 1000 10000 100000 1000000 10000000; do growth "orders_$orders" "$orders" 64; done
for symbols in 1 64 4096; do growth "symbols_$symbols" 100000 "$symbols"; done
