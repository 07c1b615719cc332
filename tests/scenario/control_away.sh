#!/bin/bash
# Control away or stopped until the rings are full: the session loses a suffix, counted, resends it, and no trade differs
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_stream s64
base=$XW_HOME

ring_full() {
    "$XW_BIN/xwctl" -c "$XW_CONFIG" --json status >"$XW_HOME/status.json" || xw_fail "xwctl status"
    xw_json "$XW_HOME/status.json" '[.. | objects | .discard_RING_FULL? // empty] | add'
}

# Until orders are discarded for want of room.
await_full() {
    local end=$((SECONDS + 60))
    while [ "$(ring_full)" -eq 0 ]; do
        kill -0 "$xw_client_pid" 2>/dev/null || xw_fail "xwreplay ended before the rings were full: $(tail -n 5 "$XW_HOME/replay.log")"
        [ $SECONDS -lt $end ] || xw_fail "the rings are not full after 60 s"
        sleep 0.02
    done
}

# The client has more outstanding than all rings hold, in a part of the stream that is orders only, and keeps the stream's
# order: were a hole left among what is taken, the trades would be others.
# away killed|stopped ACK stream|day: a stream's trades are known, but where a replacement waits for trades it waits for the disk.
away() {
    local how=$1 flow
    XW_HOME=$base/$1-$2 XW_ACK=$2
    echo "--- control $1, ack: $2"
    xw_begin
    xw_configure
    xw_set dataplane journal_ring_depth 8192
    xw_set dataplane order_ring_depth 512
    xw_start
    flow=("${XW_CLIENT_ONE[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED")
    [ "$3" = stream ] || flow=("${XW_CLIENT[@]}" --orders 60000)
    xw_play_behind 50 "${flow[@]}" --window 10240 --grace 30 --timeout 30 # a data plane without a CPU for 3 s is not what is tested
    xw_await_size "$XW_HOME/received.rec" 1500000 60
    if [ "$how" = killed ]; then
        xw_kill control
        xw_may 100
        await_full
        xw_start_control
    else
        kill -STOP "$xw_control_pid"
        xw_may 100
        await_full
        sleep 1
        kill -CONT "$xw_control_pid"
    fi
    xw_await_client 120
    [ "$3" = day ] || xw_expect "trades as expected" "$(xw_json "$XW_HOME/summary.json" .trades_equal)" true
    xw_expect "times logged in again" "$(xw_json "$XW_HOME/summary.json" .recoveries)" 0
    xw_identity
    xw_stop
    "$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
    xw_clean
}

xw_stream_symbols
away killed durable day
away stopped durable day
away killed matched stream
away stopped matched stream
