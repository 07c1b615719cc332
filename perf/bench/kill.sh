# The kill switch: from the command to zero resting orders of an account that had 100,000, in the engine.
# SPDX-License-Identifier: Apache-2.0
note "kill: $rounds rounds"
taskset -c "$xw_core_plane" "$XW_BIN/bench_kill" 100000 "$rounds" --json >"$XW_HOME/kill.json" || xw_fail "bench_kill"
jq -c --argjson rounds "$rounds" \
    '{name: "kill.100k_orders_us", value: .us, unit: "us", floor: null, min, max, rounds: $rounds}' "$XW_HOME/kill.json" >>"$results"
