#!/bin/bash
# The small streams too give the known trades when either process is killed in the middle
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
base=$XW_HOME
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested: kill_*.sh have every victim with both kinds of answers

# in_the_middle STREAM VICTIM BYTES: when the client has received a part of it; the other half of the day is played after it.
in_the_middle() {
    local victim=$2
    xw_stream "$1"
    [ "$(stat -c %s "$XW_STREAM")" -lt 20000000 ] || xw_skip "$1 is a full stream: make.sh OUT small makes the small ones"
    XW_HOME=$base/$1-$2
    echo "--- $1: $victim killed"
    xw_stream_symbols
    xw_begin
    xw_configure
    xw_start
    xw_play_behind 90 "${XW_CLIENT_ONE[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --window 256 --grace 30
    xw_await_size "$XW_HOME/received.rec" "$3" 60
    [ "$victim" = control ] || xw_kill dataplane
    [ "$victim" = dataplane ] || xw_kill control
    xw_start
    xw_await_client 120
    xw_expect "trades as expected" "$(xw_json "$XW_HOME/summary.json" .trades_equal)" true
    [ "$victim" = control ] || [ "$(xw_json "$XW_HOME/summary.json" .recoveries)" -ge 1 ] || xw_fail "the client did not notice the kill"
    xw_stop
    xw_clean
}

# stream       killed     after bytes received
in_the_middle s1hot dataplane 6000000
in_the_middle s1    control   10000000
in_the_middle s64   both      16000000
