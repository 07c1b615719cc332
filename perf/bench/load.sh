# Latency under load: open-loop from the intended send time, four sessions, a generated day.
# SPDX-License-Identifier: Apache-2.0
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

for ((round = 1; round <= rounds; round++)); do
    note "load: round $round of $rounds"
    load_round matched
    load_round durable
done
