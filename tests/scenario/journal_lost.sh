#!/bin/bash
# A write that fails and a journal that is taken away end both processes with one line each; mended, nothing is lost
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
command -v prlimit >/dev/null || xw_skip "prlimit is missing: apt-get install util-linux"
base=$XW_HOME

# A day under way, with a client that goes on through whatever happens.
begin_day() {
    XW_HOME=$base/$1-$XW_ACK
    echo "--- $1, ack: $XW_ACK"
    xw_begin
    xw_configure
    xw_start
    day=$XW_HOME/journal/${XW_DATE//-/}
    xw_play_behind 50 "${XW_CLIENT[@]}" --orders 30000 --rate 10000 --grace 30
    xw_await_size "$XW_HOME/received.rec" 300000 60
}

end_day() {
    xw_start
    xw_await_client 120
    xw_stop
    xw_clean
}

for XW_ACK in durable matched; do
    # Files may not grow, not even be written, past their first megabyte, which ends within a block: a write behind it is
    # too large, one across it has a length that the device refuses.
    begin_day failed-write
    prlimit --pid "$xw_control_pid" --fsize=1000000
    xw_may 90
    xw_both_end 74 "write of block .* failed: (File too large|Invalid argument): mend"
    end_day
done
XW_ACK=durable
begin_day moved
mv "$day" "$XW_HOME/elsewhere"
xw_both_end 74 "put it back"
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
