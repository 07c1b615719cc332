#!/bin/bash
# Under load the pinned threads make no system call, do not block and allocate nothing; the main thread shows that we look
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || xw_skip "strace is missing: apt-get install strace"
xw_begin
xw_configure
xw_start

# The pinned threads are EAL's workers; the main thread waits for signals, fifty times a second.
workers=()
for task in "/proc/$xw_dataplane_pid/task"/*; do
    grep -q worker "$task/comm" && workers+=("${task##*/}")
done
[ ${#workers[@]} -eq 1 ] || xw_fail "${#workers[@]} worker threads instead of one: $(cat "/proc/$xw_dataplane_pid"/task/*/comm)"
worker=${workers[0]}

# sealed_counter FILTER: a number of the appliance's status.
sealed_counter() {
    "$XW_BIN/xwctl" -c "$XW_CONFIG" --json status >"$XW_HOME/status.json" || xw_fail "xwctl status"
    xw_json "$XW_HOME/status.json" "$1"
}
accepted='.messages.accepted + .messages.rejected'
switches() { sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$xw_dataplane_pid/task/$worker/status"; }

timeout -k 5 120 "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 200000 --window 64 --rate 4000 >"$XW_HOME/replay.log" 2>&1 &
xw_client_pid=$!
for _ in $(seq 600); do
    [ "$(sealed_counter "$accepted")" -ge 200 ] && break
    kill -0 "$xw_client_pid" || xw_fail "xwreplay ended early: $(tail -n 3 "$XW_HOME/replay.log")"
    sleep 0.05
done

# Apart from strace, which itself stops the thread when it comes and goes.
blocked=$(switches)
sleep 1
xw_expect "times that the pinned thread blocked" "$(($(switches) - blocked))" 0

before=$(sealed_counter "$accepted")
strace -qq -o "$XW_HOME/strace" -p "$worker" -p "$xw_dataplane_pid" 2>"$XW_HOME/strace.err" &
tracer=$!
# At least two seconds, and on a busy machine until there was load and strace was seen to see.
for _ in $(seq 30); do
    sleep 2
    after=$(sealed_counter "$accepted")
    seen=$(grep -c "^$xw_dataplane_pid .*rt_sigtimedwait" "$XW_HOME/strace")
    [ "$seen" -ge 10 ] && [ $((after - before)) -ge 200 ] && break
    kill -0 "$tracer" 2>/dev/null || break
done
kill -INT "$tracer" 2>/dev/null
wait "$tracer"
if [ ! -s "$XW_HOME/strace" ] && grep -q 'Operation not permitted' "$XW_HOME/strace.err"; then
    xw_skip "this machine does not let strace attach to a process"
fi

# Lines are "TID call(..". Detaching leaves one unfinished line of the main thread, never of the worker.
[ "$seen" -ge 10 ] || xw_fail "strace saw only $seen calls of the main thread: $(cat "$XW_HOME/strace.err")"
if grep "^$worker " "$XW_HOME/strace" >"$XW_HOME/calls"; then
    xw_fail "the pinned thread made system calls: $(sort "$XW_HOME/calls" | head -n 5)"
fi
[ $((after - before)) -ge 200 ] || xw_fail "only $((after - before)) orders were matched while strace looked: that is no load"

# What the answers were is looked at by other tests; here the load has served. Cores stay sealed when their peer dies, too.
kill -KILL "$xw_client_pid" || xw_fail "xwreplay ended before strace did: $(tail -n 5 "$XW_HOME/replay.log")"
wait "$xw_client_pid" 2>/dev/null
xw_client_pid=
xw_status '.cores | length == 3'
xw_expect "bytes that pinned threads took from the heap" "$(xw_json "$XW_HOME/status.json" '[.cores[].heap_bytes] | add')" 0
xw_stop
heap() { sed -n "/\"$1\"/s/.*\"eal_heap_bytes\":\([0-9]*\).*/\1/p" "$XW_HOME/dataplane.log" | tail -n 1; }
[ -n "$(heap XW1006)" ] || xw_fail "no eal_heap_bytes in the log"
# vhost's own thread keeps some 100 KB of a peer that has joined; one allocation an order would be far more.
grown=$(($(heap XW1004) - $(heap XW1006)))
[ "$grown" -le 262144 ] || xw_fail "EAL's heap has grown by $grown bytes"
echo "$((after - before)) orders matched under strace: $seen calls of the main thread, none of the pinned one"
