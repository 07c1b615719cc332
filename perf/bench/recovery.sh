# From the start of both processes to cores that run: history from the journal, session streams and market data windows included;
# orders from a snapshot; and the first order accepted after a crash.
# SPDX-License-Identifier: Apache-2.0
commands=${XW_RECOVERY_COMMANDS:-10000000} books=${XW_RECOVERY_ORDERS:-1000000 10000000}

key= # that signs snapshots

# recovery_make ORDERS LEVELS ARGUMENTS..: a journal directory of its own; snapshots only as asked for.
recovery_make() {
    local orders=$1 levels=$2
    shift 2
    rm -rf "$XW_HOME/journal" "$XW_RUN"/*.g?????? # and what a data plane left that control did not see die
    xw_configure
    sed -i -e "s/^  max_orders:.*/  max_orders: $orders/" -e "s/^  max_levels:.*/  max_levels: $levels/" \
        -e 's/^engine:$/snapshots:\n  every_seconds: 0\nengine:/' "$XW_CONFIG"
    [ -z "$key" ] || xw_set journal signing_key "$key"
    timeout -k 5 300 "$XW_BIN/bench_recovery" "$XW_CONFIG" "$@" >"$XW_HOME/made.json" 2>>"$XW_HOME/client.log" ||
        xw_fail "bench_recovery $*: $(tail -n 3 "$XW_HOME/client.log")"
}

# Starts, and leaves the newest recovery report in recovered.json.
recovery_run() {
    local before
    before=$(xw_count control XW2004)
    xw_start 120
    xw_await control XW2004 $((before + 1)) 120
    grep '"XW2004"' "$XW_HOME/control.log" | tail -n 1 >"$XW_HOME/recovered.json"
}

recovery_kill() {
    xw_kill dataplane
    xw_kill control
}

recovery_field() { jq "$1" "$XW_HOME/recovered.json"; }

note "recovery: $commands commands, $rounds rounds"
recovery_make 1048576 131072 day "$commands"
for ((round = 0; round < rounds; round++)); do
    recovery_run
    sample recovery.commands_per_s "$(recovery_field .commands_per_s)" null 1/s
    recovery_kill
done
began=$(date +%s%N)
recovery_run
timeout -k 5 60 "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]}" --orders 1 --resting 1 --json "$XW_HOME/first.json" >>"$XW_HOME/client.log" 2>&1 ||
    xw_fail "no order after the recovery: $(tail -n 3 "$XW_HOME/client.log")"
sample recovery.first_order_s "$(jq -n "($(date +%s%N) - $began) / 1e9")" null s
recovery_kill
# recovery_book ORDERS NAME: a snapshot of so many orders.
recovery_book() {
    local orders=$1
    note "recovery: a snapshot of $orders orders${key:+, signed}"
    recovery_make $((orders * 5 / 4)) 131072 book "$orders" --snapshot
    sample "snapshot.$2written_orders_per_s.$orders" "$(jq ".orders / .snapshot_s" "$XW_HOME/made.json")" null 1/s
    for ((round = 0; round < rounds; round++)); do
        recovery_run
        [ "$(recovery_field '.snapshots[0]')" -gt 0 ] || xw_fail "the snapshot was not taken"
        sample "snapshot.$2orders_per_s.$orders" "$(recovery_field "$orders / .restore_ms * 1000")" null 1/s
        recovery_kill
    done
}

for orders in $books; do recovery_book "$orders" ""; done
"$XW_BIN/xwctl" journal keygen "$XW_HOME/key" >/dev/null || xw_fail "no key"
key=$XW_HOME/key
for orders in $books; do recovery_book "$orders" signed_; done
key=
rm -rf "$XW_HOME/journal"
