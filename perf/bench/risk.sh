# What the checks of risk cost: every limit of every scope set and none met, over a day without risk, rounds in turns.
# SPDX-License-Identifier: Apache-2.0
streams=$XW_ROOT/../shared/streams

risk_row() { # risk_row NAME STREAM ACCOUNTS
    note "risk: $2, $3 accounts"
    taskset -c "$xw_core_plane" "$XW_BIN/bench_risk" "$out/$2.bin" "$3" "$rounds" --json >"$XW_HOME/risk.json" || xw_fail "bench_risk"
    jq -c --arg name "$1" --argjson rounds "$rounds" \
        '{name: $name, value: .added, unit: "ns a command", floor: null, min, max, rounds: $rounds},
         {name: "\($name).without", value: .none, unit: "ns a command", floor: null, min: .none, max: .none, rounds: $rounds},
         {name: "\($name).no_limits", value: (.idle - .none), unit: "ns a command", floor: null, min: (.idle - .none), max: (.idle - .none), rounds: $rounds}' \
        "$XW_HOME/risk.json" >>"$results"
}

if [ -f "$streams/make.sh" ]; then
    out=$XW_BIN/streams-full
    [ -f "$out/s64.trades" ] || { note "risk: making the streams"; bash "$streams/make.sh" "$out" >"$XW_HOME/streams.log" 2>&1; }
    risk_row risk.ns_per_command s1hot 64
    risk_row risk.ns_per_command.s64 s64 1000
else
    note "risk: no streams beside the repository, left out"
fi
