# What each way of a core to idle costs a round trip, over spinning in the turn before or after: one order outstanding, acknowledged when matched.
# SPDX-License-Identifier: Apache-2.0
idle_turn() { # idle_turn POLICY
    rm -rf "$XW_HOME/journal"
    XW_ACK=matched
    xw_configure
    xw_set dataplane idle "$1"
    [ ${#idle[@]} -eq 0 ] || xw_set journal yield true
    xw_start 30
    timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]}" --bench --phase trips --orders 200000 --json "$XW_HOME/idle_$1.json" "${idle[@]}" \
        >>"$XW_HOME/client.log" 2>&1 || xw_fail "xwreplay --bench with idle: $1: $(tail -n 3 "$XW_HOME/client.log")"
    xw_stop
}

idle_policies=(pause yield)
if grep -qw waitpkg /proc/cpuinfo; then idle_policies+=(umwait); else note "idle: this CPU has no WAITPKG, umwait is left out"; fi
for ((round = 1; round <= rounds; round++)); do
    note "idle: round $round of $rounds"
    for policy in "${idle_policies[@]}"; do
        if ((round % 2)); then idle_turn spin; idle_turn "$policy"; else idle_turn "$policy"; idle_turn spin; fi
        for figure in p50 p99; do
            sample "idle.$policy.${figure}_over_spin" "$(jq ".round_trip.${figure}_ns" "$XW_HOME/idle_$policy.json")" \
                "$(jq ".round_trip.${figure}_ns" "$XW_HOME/idle_spin.json")"
        done
    done
done
