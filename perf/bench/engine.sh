# The engine against its floor program, on the order streams that stand beside the repository.
# SPDX-License-Identifier: Apache-2.0
streams=$XW_ROOT/../shared/streams
if [ -f "$streams/make.sh" ]; then
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
