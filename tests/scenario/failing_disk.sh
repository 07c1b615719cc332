#!/bin/bash
# Writes that fail in their middle or fall short, and a sync that fails, end both processes; a slow disk does not; nothing is lost
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
shim=$XW_HOME/disk_shim.so
${CC:-cc} -shared -fPIC -O1 -o "$shim" "$XW_ROOT/tests/scenario/disk_shim.c" -luring || xw_fail "the shim does not build"
export XW_DISK=$XW_HOME/disk.fault
disk() { printf %s "$1" >"$XW_DISK.new" && mv "$XW_DISK.new" "$XW_DISK"; }
xw_begin
xw_configure
xw_set journal segment_mb 1
start() {
    disk ""
    LD_PRELOAD=$shim xw_start_control
    xw_start
}

start
grep -q "$shim" "/proc/$xw_control_pid/maps" || xw_skip "preloading is not possible here"
xw_play_behind 0 "${XW_CLIENT[@]}" --orders 30000 --rate 10000 --grace 30 --timeout 1
part=0
# A tenth of its day more for the client: something is written whatever has been so far.
go_on() { xw_may $((part += 10)); }
# more BYTES: until the client has received so much more.
more() {
    local received
    received=$(($(stat -c %s "$XW_HOME/received.rec" 2>/dev/null || echo 0) + $1))
    go_on
    xw_await_size "$XW_HOME/received.rec" $received 60
}
more 50000
disk slow
more 1000
disk ""
for fault in "sync Input/output error" "eio Input/output error" "short was cut short"; do
    echo "--- ${fault%% *}"
    more 20000
    disk "${fault%% *}"
    go_on
    xw_both_end 74 "${fault#* }.*: mend the disk|${fault#* }"
    cat "$XW_HOME/control.log" >>"$XW_HOME/control.all"
    : >"$XW_HOME/control.log"
    : >"$XW_HOME/dataplane.log"
    start
done
xw_await_client 120
xw_stop
"$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
