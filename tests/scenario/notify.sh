#!/bin/bash
# The service manager hears of both when they are ready and stop, and from the data plane's watchdog only while every core moves
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
for tool in notify_listener halt_thread; do
    cc -O1 -Wall -o "$XW_HOME/$tool" "$XW_ROOT/tests/scenario/$tool.c" || xw_fail "$tool does not compile"
done
listeners=() halting=
notify_clean() {
    local pid
    for pid in "${listeners[@]}" $halting; do kill -KILL "$pid" 2>/dev/null; done
    xw_clean
}
xw_begin
trap notify_clean EXIT
xw_configure
for name in control dataplane; do
    setpriv --pdeathsig KILL "$XW_HOME/notify_listener" "$XW_RUN/$name.notify" >"$XW_HOME/$name.told" &
    listeners+=($!)
    until [ -S "$XW_RUN/$name.notify" ]; do sleep 0.02; done
done

told() { grep -cx -- "$2" "$XW_HOME/$1.told"; }

# hears WHO LINE TIMES: until it was told so often.
hears() {
    local end=$((SECONDS + 60))
    until [ "$(told "$1" "$2")" -ge "$3" ]; do
        [ $SECONDS -lt $end ] || xw_fail "$1 has not told $2 $3 times: $(sort "$XW_HOME/$1.told" | uniq -c)"
        sleep 0.02
    done
}

export WATCHDOG_USEC=400000
NOTIFY_SOCKET=$XW_RUN/control.notify xw_start_control
hears control READY=1 1 # and does not wait for a data plane
xw_expect "control's status" "$(grep STATUS "$XW_HOME/control.told" | tail -n 1)" "STATUS=waits for a data plane"
NOTIFY_SOCKET=$XW_RUN/dataplane.notify xw_start_dataplane
hears dataplane READY=1 1
[ "$(xw_count dataplane XW1002)" -eq 1 ] || xw_fail "ready is told before all cores run"
xw_expect "first status" "$(grep -m 1 STATUS "$XW_HOME/dataplane.told")" "STATUS=waits for crosswire-control to recover the day"

hears dataplane WATCHDOG=1 3
hears control WATCHDOG=1 3
thread=$(grep -lE "^Cpus_allowed_list:\s*$xw_core_plane$" /proc/"$xw_dataplane_pid"/task/*/status | head -n 1 | cut -d/ -f5)
"$XW_HOME/halt_thread" "$thread" >"$XW_HOME/halted" 2>"$XW_HOME/halt.log" &
halting=$!
until grep -q halted "$XW_HOME/halted"; do
    kill -0 $halting 2>/dev/null || xw_skip "a thread can not be halted here: $(cat "$XW_HOME/halt.log")"
    sleep 0.02
done
# What moved before it was halted may be on its way, however late; then nothing comes while control tells twelve times.
end=$((SECONDS + 60)) signs=
until [ "$signs" = "$(told dataplane WATCHDOG=1)" ]; do
    [ $SECONDS -lt $end ] || xw_fail "there are signs of life though a core stands still"
    signs=$(told dataplane WATCHDOG=1)
    hears control WATCHDOG=1 $(($(told control WATCHDOG=1) + 12))
done
kill -KILL $halting
halting=
hears dataplane WATCHDOG=1 $((signs + 2)) # it was only late

kill -HUP "$xw_dataplane_pid"
hears dataplane RELOADING=1 1
hears dataplane READY=1 2
xw_stop_one dataplane 60
hears dataplane STOPPING=1 1
xw_stop_one control 60
hears control STOPPING=1 1
