#!/bin/bash
# Either process killed while a long history is fed, several times: the next start feeds it whole, and the same bytes come again
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_stream s1
[ "$(stat -c %s "$XW_STREAM")" -lt 20000000 ] || xw_skip "s1 is a full stream: make.sh OUT small makes the small ones"
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT_ONE[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --window 256 --record "$XW_HOME/first.rec"
xw_kill dataplane
xw_kill control

# joined: control is about to feed, or does.
joined() {
    local before
    before=$(xw_count control XW2002)
    xw_start_control
    [ -n "$xw_dataplane_pid" ] || xw_start_dataplane
    xw_await control XW2002 $((before + 1)) 60
}
# Each time a little later into the feeding of 300,000 commands.
for pause in 0 0.02 0.05 0.08; do
    joined
    sleep $pause
    xw_kill dataplane
    sleep $pause
    xw_kill control
    joined
    sleep $pause
    xw_kill control
done
runs=$(xw_count dataplane XW1002)
[ "$runs" -le 4 ] || xw_fail "the data plane was never killed before it ran"
# Whether the data plane that stands runs: on a fast machine it may do before the last control is killed.
runs_now() { awk '/"XW1001"/ { runs = 0 } /"XW1002"/ { runs = 1 } END { exit !runs }' "$XW_HOME/dataplane.log"; }
# One that is fed for the fifth time by now, from where the last control stopped.
xw_start_control
for _ in $(seq 600); do
    runs_now && break
    sleep 0.1
done
runs_now || xw_fail "the data plane is not fed within 60 s"
fed=$(grep '"XW2004"' "$XW_HOME/control.log" | tail -n 1 | sed -E 's/.*"commands":([0-9]+).*/\1/')
echo "the last control had $fed commands left to feed"
xw_play 120 "${XW_CLIENT_ONE[@]}" --orders 1000 --resting 100 --record "$XW_HOME/second.rec"
xw_identity
xw_verify "$XW_HOME/first.rec" "$XW_HOME/second.rec"
xw_stop
