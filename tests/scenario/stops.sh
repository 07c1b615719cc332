#!/bin/bash
# SIGTERM and SIGKILL of each process in any order, at a start, under load and during a stop: exit codes as said, the same day goes on
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
base=$XW_HOME

# ended NAME CODES SECONDS: the process ends on its own; its exit code, which matches CODES, is in `status`.
ended() {
    local pid_name=xw_$1_pid pid end=$((SECONDS + $3))
    pid=${!pid_name} status=0
    while kill -0 "$pid" 2>/dev/null; do
        [ $SECONDS -lt $end ] || xw_fail "crosswire-$1 did not end within $3 s"
        sleep 0.02
    done
    wait "$pid" || status=$?
    printf -v "$pid_name" ''
    [[ $status =~ ^($2)$ ]] || xw_fail "exit code of crosswire-$1 is $status, expected $2"
}

# A twentieth of its day more for the client.
go_on() { xw_may $((part += 5)); }

# under_load: until the client has received something that it did not have when this was called.
under_load() {
    local size end=$((SECONDS + 60))
    size=$(stat -c %s "$XW_HOME/received.rec" 2>/dev/null || echo 0)
    go_on
    while [ "$(stat -c %s "$XW_HOME/received.rec" 2>/dev/null || echo 0)" -lt $((size + 20000)) ]; do
        kill -0 "$xw_client_pid" 2>/dev/null || xw_fail "xwreplay has ended: $(tail -n 5 "$XW_HOME/replay.log")"
        [ $SECONDS -lt $end ] || xw_fail "nothing was received in 60 s: $(tail -n 5 "$XW_HOME/replay.log")"
        sleep 0.02
    done
}

# held: until the data plane holds answers that are not durable (ticks alone are nothing to wait for).
held() {
    local end=$((SECONDS + 60))
    go_on
    until [ "$("$XW_BIN/xwctl" -c "$XW_CONFIG" --json status | jq '[.rings[] | select(.ring == "events") | .used] | add')" -gt 0 ]; do
        [ $SECONDS -lt $end ] || xw_fail "everything is durable though control is away: $("$XW_BIN/xwctl" -c "$XW_CONFIG" status)"
        sleep 0.05
    done
}

step() { echo "- $*"; }

for XW_ACK in durable matched; do
    XW_HOME=$base/$XW_ACK
    echo "--- ack: $XW_ACK"
    xw_begin
    xw_configure
    xw_start
    part=0
    xw_play_behind $part "${XW_CLIENT[@]}" --orders 18000 --rate 5000 --resting 1000 --grace 40

    under_load
    step "data plane, then control"
    xw_stop_one dataplane 60
    xw_stop_one control 60
    xw_start

    under_load
    step "control, then data plane, which has nobody to make durable what it holds"
    xw_stop_one control 60
    [ "$XW_ACK" = matched ] || held
    kill -TERM "$xw_dataplane_pid"
    if [ "$XW_ACK" = durable ]; then
        sleep 0.3
        kill -0 "$xw_dataplane_pid" || xw_fail "the data plane has not waited for control"
        kill -TERM "$xw_dataplane_pid" # not wait any longer
        ended dataplane 75 60
        grep '^crosswire-dataplane' "$XW_HOME/dataplane.log" | tail -n 1 | grep -q "start crosswire-control" || xw_fail "no line that says what to do"
    else
        ended dataplane 0 60
    fi
    xw_start

    # Control waits a moment for a data plane that is asked together with it. On a machine that stalls between the two it may
    # have gone before; what the data plane holds is then left to the next control, and it is tried again.
    step "both together, control first"
    for try in 1 2 3 4 5; do
        under_load
        kill -TERM "$xw_control_pid" "$xw_dataplane_pid"
        ended dataplane "0|75" 60
        drained=$status
        ended control 0 60
        xw_start
        [ $drained -ne 0 ] || break
    done
    xw_expect "exit code of a data plane that is stopped together with control, $try times" $drained 0

    under_load
    step "data plane asked while control is dead, which then comes back"
    xw_kill control
    kill -TERM "$xw_dataplane_pid"
    sleep 0.1
    xw_start_control
    ended dataplane 0 60
    xw_start

    under_load
    step "control asked while the data plane is dead"
    xw_kill dataplane
    xw_stop_one control 60
    xw_start

    under_load
    step "killed while they stop"
    kill -TERM "$xw_dataplane_pid"
    xw_kill control
    kill -KILL "$xw_dataplane_pid" 2>/dev/null
    wait "$xw_dataplane_pid" 2>/dev/null
    xw_dataplane_pid=
    xw_start
    under_load
    kill -TERM "$xw_control_pid" "$xw_dataplane_pid"
    sleep 0.01
    kill -KILL "$xw_control_pid" "$xw_dataplane_pid" 2>/dev/null
    wait "$xw_control_pid" "$xw_dataplane_pid" 2>/dev/null
    xw_control_pid= xw_dataplane_pid=
    xw_start

    xw_await_client 120
    xw_stop
    [ -z "$(ls "$XW_RUN"/crosswire.g* 2>/dev/null)" ] || xw_fail "a generation stayed: $(ls "$XW_RUN")"

    step "before recovery there is nothing to wait for"
    before=$(xw_count dataplane XW1001)
    xw_start_dataplane
    xw_await dataplane XW1001 $((before + 1)) 60
    xw_stop_one dataplane 60
    before=$(xw_count control XW2001)
    xw_start_control
    xw_await control XW2001 $((before + 1)) 60
    xw_stop_one control 60
    "$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
    xw_clean
done
