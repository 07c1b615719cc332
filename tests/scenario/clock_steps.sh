#!/bin/bash
# The wall clock steps forward and back, under way and across restarts: the day's time never goes back, nor do ticks come early
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
TICK_MS=100
xw_begin
shim=$XW_HOME/clock_shim.so
${CC:-cc} -shared -fPIC -O1 -o "$shim" "$XW_ROOT/tests/scenario/clock_shim.c" || xw_fail "the shim does not build"
export XW_CLOCK=$XW_HOME/clock
xw_configure
xw_set engine tick_ms $TICK_MS

starts=0 seed=0
# at SECONDS COMMAND..: the wall clock is off by so much from now on; then what is killed is started again, and orders play.
at() {
    echo "$1" >"$XW_CLOCK.new" && mv "$XW_CLOCK.new" "$XW_CLOCK"
    shift
    [ $# -eq 0 ] || "$@"
    [ -n "$xw_dataplane_pid" ] || starts=$((starts + 1))
    LD_PRELOAD=$shim xw_start
    seed=$((seed + 1))
    xw_play 120 "${XW_CLIENT[@]}" --orders 500 --resting 100 --seed $seed --record "$XW_HOME/received.rec"
}
kill_both() { xw_kill dataplane && xw_kill control; }

began=$(date +%s%N)
at 0
grep -q "$shim" "/proc/$xw_control_pid/maps" || xw_skip "preloading is not possible here"
at 3600
at -7200
at -7200 xw_kill control
at -7200 xw_kill dataplane
at 3600 kill_both
at -86400 xw_kill dataplane
at 0 kill_both
xw_identity
xw_stop
took_ms=$((($(date +%s%N) - began) / 1000000))
xw_verify "$XW_HOME/received.rec"

"$XW_BIN/xwctl" -c "$XW_CONFIG" --json journal dump >"$XW_HOME/dump" || xw_fail "xwctl journal dump"
awk -F'"time_ns":' -v most=$((took_ms / TICK_MS + starts)) '
    {
        time = $2 + 0
        if (time < last) {print "goes back at: " $0; wrong = 1}
        # Between two commands of one start no more time can pass than the whole test took.
        if (NR > 1 && time - last > 120e9 && !/"type":"clock"/) {print "jumps at: " $0; wrong = 1}
        if (time - last > 1800e9 && /"type":"clock"/) steps++
        if (/"type":"tick"/) ticks++
        last = time
    }
    END {
        print NR " commands, " ticks " ticks, at most " most " can be due, " steps " steps forward"
        if (ticks > most || ticks < 5) {print "ticks come early or not at all"; wrong = 1}
        # The first command of the day counts from midnight; the other step is that of the start an hour later.
        if (steps < 1) {print "no restart has seen the clock that was set forward"; wrong = 1}
        exit wrong
    }' "$XW_HOME/dump" || xw_fail "the time of the day is wrong"
