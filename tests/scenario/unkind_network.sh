#!/bin/bash
# Datagrams lost, doubled, swapped and late, a storm of junk, a dead client and one that comes back elsewhere: sessions trade on
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
${CC:-cc} -O1 -o "$XW_HOME/relay" "$XW_ROOT/tests/scenario/relay.c" || xw_fail "the relay does not build"
xw_link

XW_DISCONNECT=true
xw_configure
xw_set dataplane session_timeout_ms 2000
xw_start

# The client's options over the relay.
relayed=()
for option in "${XW_CLIENT[@]}"; do relayed+=("${option//10.0.0.1:4000/127.0.0.1:7000}"); done
# await_counter NAME TEST VALUE
await_counter() { xw_status "[.. | objects | .$1? // empty | numbers] | add $2 $3"; }

echo "--- an unkind network"
"${xw_inside[@]}" "$XW_HOME/relay" relay 7000 10.0.0.1 4000 1 >"$XW_HOME/relay.log" &
relay_pid=$! xw_aside=$!
timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${relayed[@]}" --orders 8000 --resting 1000 --window 16 --rate 4000 --grace 20 \
    --record "$XW_HOME/received.rec" --json "$XW_HOME/summary.json" || xw_fail "xwreplay over the relay ended with $?"
kill -TERM "$relay_pid"
wait "$relay_pid"
xw_aside=
cat "$XW_HOME/relay.log"
xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
await_counter duplicates ">" 100

echo "--- a storm while others trade"
"${xw_inside[@]}" "$XW_HOME/relay" storm 10.0.0.1 4000 2 2 >"$XW_HOME/storm.log" &
storm_pid=$! xw_aside=$!
timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 4000 --resting 500 --window 16 --rate 2000 --seed 2 \
    --grace 20 --record "$XW_HOME/received.rec" --json "$XW_HOME/summary.json" || xw_fail "xwreplay in the storm ended with $?"
wait "$storm_pid" || xw_fail "the storm ended with $?"
xw_aside=
cat "$XW_HOME/storm.log"
xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
await_counter discard_NOT_LOGGED_IN ">" 1000

echo "--- a dead client, and one that comes back from elsewhere"
"${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 20000 --resting 1000 --rate 2000 --seed 3 --local-port 41000 \
    --record "$XW_HOME/dead.rec" >"$XW_HOME/replay.log" 2>&1 &
xw_client_pid=$!
xw_await_size "$XW_HOME/dead.rec" 1300000 60 # what was before it, and something of its own
xw_kill client
# At once, before its sessions time out: they are taken over, and what it had missed is fetched.
timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 2000 --resting 500 --seed 4 --window 16 --local-port 42000 \
    --record "$XW_HOME/received.rec" || xw_fail "xwreplay from another port ended with $?"
"${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 20000 --resting 1000 --rate 2000 --seed 5 --local-port 43000 \
    --record "$XW_HOME/gone.rec" >"$XW_HOME/replay.log" 2>&1 &
xw_client_pid=$!
await_counter live_orders ">" 100
xw_kill client
# Now nobody comes back: after the time-out the sessions are down, and so are their orders.
await_counter sessions_up == 0
await_counter live_orders == 0
xw_identity
xw_stop
xw_verify "$XW_HOME/received.rec" "$XW_HOME/dead.rec" "$XW_HOME/gone.rec"
