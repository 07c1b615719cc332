#!/bin/bash
# A write that fails and a journal that is taken away end both processes with one line each; mended, nothing is lost
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
command -v prlimit >/dev/null || xw_skip "prlimit is missing: apt-get install util-linux"
base=$XW_HOME

# both_end CONTROL-CODE WORDS: both ended on their own, each with its code and its line.
both_end() {
    local end=$((SECONDS + 8)) pid status
    for pid in "$xw_control_pid" "$xw_dataplane_pid"; do
        while kill -0 "$pid" 2>/dev/null; do
            [ $SECONDS -lt $end ] || xw_fail "process $pid goes on though the journal has failed"
            sleep 0.05
        done
    done
    status=0
    wait "$xw_control_pid" || status=$?
    xw_expect "exit code of control" $status "$1"
    status=0
    wait "$xw_dataplane_pid" || status=$?
    xw_expect "exit code of the data plane" $status 74
    xw_control_pid= xw_dataplane_pid=
    xw_expect "lines of control" "$(grep -vc '^{' "$XW_HOME/control.log")" 1
    xw_expect "lines of the data plane" "$(grep '^crosswire-dataplane' "$XW_HOME/dataplane.log" | grep -c 'journal has failed')" 1
    grep -v '^{' "$XW_HOME/control.log" | grep -qE "$2" || xw_fail "the line does not say '$2'"
    grep -v '^{' "$XW_HOME/control.log"
}

# A day under way, with a client that goes on through whatever happens.
begin_day() {
    XW_HOME=$base/$1-$XW_ACK
    echo "--- $1, ack: $XW_ACK"
    xw_begin
    xw_configure
    xw_start
    day=$XW_HOME/journal/${XW_DATE//-/}
    "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 30000 --rate 10000 --grace 30 --record "$XW_HOME/received.rec" \
        >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
    xw_await_size "$XW_HOME/received.rec" 300000 10
}

end_day() {
    local status=0
    xw_start
    xw_await_end 20
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status: $(tail -n 5 "$XW_HOME/replay.log")"
    xw_verify "$XW_HOME/received.rec"
    xw_stop
    xw_clean
}

for XW_ACK in durable matched; do
    # Files may not grow, not even be written, past their first megabyte.
    begin_day failed-write
    prlimit --pid "$xw_control_pid" --fsize=1000000
    both_end 74 "write of block .* failed: File too large: mend"
    end_day
done
XW_ACK=durable
begin_day moved
mv "$day" "$XW_HOME/elsewhere"
both_end 74 "put it back"
# What the rings prove to have been durable is not begun anew without it.
xw_start_control
status=0
wait "$xw_control_pid" || status=$?
xw_control_pid=
xw_expect "exit code without its journal" $status 65
grep -v '^{' "$XW_HOME/control.log" | tail -n 1 | grep "restore it" || xw_fail "no line that says what mends it"
rm -rf "$day"
mv "$XW_HOME/elsewhere" "$day"
end_day
