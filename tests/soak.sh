#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The random tests and the kills with fresh seeds, until XW_SOAK minutes are over (at least one round). Prints what it draws;
# stops at the first failure with the command that does the same again; ends with N passed, N failed, N skipped.
#   tests/soak.sh BUILD            XW_SOAK=MINUTES [30]   XW_COMMANDS [1000000] a random engine test   XW_ORDERS [100000] a day
#   tests/soak.sh BUILD day SEED   one generated day alone: the seed decides layout, durability, orders and kills; XW_KILLS=N kills so often
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${1:?usage: tests/soak.sh BUILD}")
export XW_BIN=$build XW_ROOT=$PWD XW_STREAMS=${XW_STREAMS:-$build/streams}
export XW_COMMANDS=${XW_COMMANDS:-1000000} XW_ORDERS=${XW_ORDERS:-100000}
work=$build/soak-work

# A day of orders of several sessions, both processes or one of them killed now and then: nothing unanswered, nothing
# lost, the same bytes for the same sequence number. To be run in a process of its own.
day() {
    local seed=$1 status=0 victim
    export XW_TMP=$work/day
    mkdir -p "$XW_TMP"
    . tests/scenario/lib.sh
    RANDOM=$((seed % 32768))
    XW_GATEWAYS=$((RANDOM % 2 + 1)) XW_MATCHERS=$((RANDOM % 2 + 1))
    XW_ACK=$([ $((RANDOM % 3)) -eq 0 ] && echo matched || echo durable)
    local window=$((1 << RANDOM % 9)) pack=$((RANDOM % 4 == 0 ? 8 : 1)) resting=$((RANDOM % 5000 + 10)) kills=${XW_KILLS:-$((RANDOM % 4))}
    local pace=()
    [ $window -ge $pack ] || window=$pack
    # A day that is to be killed must last.
    [ "$kills" -eq 0 ] || pace=(--rate $((XW_ORDERS / (2 * kills) + 1)))
    echo "gateways $XW_GATEWAYS, matchers $XW_MATCHERS, ack $XW_ACK, window $window, pack $pack, resting $resting, kills $kills"
    xw_begin
    xw_configure
    xw_start
    "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders "$XW_ORDERS" --seed "$seed" --window $window --pack $pack --resting $resting \
        "${pace[@]}" --grace 30 --record "$XW_HOME/received.rec" --reread --json "$XW_HOME/summary.json" >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
    while [ "$kills" -gt 0 ]; do
        sleep "0.$((RANDOM % 900 + 100))"
        kill -0 "$xw_client_pid" 2>/dev/null || break # the day is over
        victim=$((RANDOM % 3))
        [ $victim -eq 0 ] || xw_kill dataplane
        [ $victim -eq 1 ] || xw_kill control
        echo "killed $(set -- control dataplane both; shift $victim; echo "$1")"
        sleep "0.$((RANDOM % 5))"
        xw_start 60
        kills=$((kills - 1))
    done
    xw_await_end 200
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    cat "$XW_HOME/replay.log"
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status"
    xw_verify "$XW_HOME/received.rec"
    xw_stop
    "$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
}

if [ "${2:-}" = day ]; then
    day "${3:?usage: tests/soak.sh BUILD day SEED}"
    exit
fi

passed=0 failed=0 skipped=0
summary() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
}
trap 'summary; exit 130' INT TERM

# run WHAT COMMAND..: counts it; a failure prints its log and what to type to see it again, and ends the run.
run() {
    local what=$1 log=$work/log status=0 began=$SECONDS
    shift
    rm -rf "$work/scenario"
    mkdir -p "$work/scenario"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    case $status in
    0)
        passed=$((passed + 1))
        echo "passed   $what ($((SECONDS - began)) s)"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "skipped  $what ($(tail -n 1 "$log"))"
        ;;
    *)
        failed=$((failed + 1))
        echo "FAILED   $what (exit $status, log $log)"
        tail -n 40 "$log"
        echo "again:   $*"
        summary
        exit 1
        ;;
    esac
}

draw() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

rm -rf "$work"
mkdir -p "$work"
end=$((SECONDS + ${XW_SOAK:-30} * 60))
again() { [ $SECONDS -lt $end ]; }
round=0
while [ $round -eq 0 ] || again; do
    round=$((round + 1))
    seed=$(draw)
    echo "round $round, seed $seed"
    run "engine, $XW_COMMANDS random commands, seed $seed" \
        env XW_SEED="$seed" XW_COMMANDS=4000 XW_DAYS=$((XW_COMMANDS / 4000 + 1)) "$build/tests/unit/test_engine_random"
    run "engine with limits, kills and halts, $XW_COMMANDS random commands, seed $seed" \
        env XW_SEED="$seed" XW_COMMANDS=4000 XW_DAYS=$((XW_COMMANDS / 28000 + 1)) "$build/tests/unit/test_engine_random_risk"
    # Its seeds are fixed, XW_SOAK makes it longer: once is enough.
    [ $round -eq 1 ] && [ -x "$build/tests/eal/test_gateway_hostile" ] &&
        run "gateway, hostile input, long" env XW_SOAK=1 "$build/tests/eal/test_gateway_hostile"
    run "control, killed and replaced, seed $seed" env XW_SEED="$seed" XW_ROUNDS=100 XW_TMP="$work" "$build/tests/unit/test_control_kill"
    run "a generated day, seed $seed" env XW_ORDERS="$XW_ORDERS" tests/soak.sh "$build" day "$seed"
    # The fixed kill scenarios play a real day, which differs by the moment of the kill alone: one of them a round.
    kills=(tests/scenario/kill_*.sh)
    [ $round -eq 1 ] || again || break
    run "$(sed -n '2s/^# *//p' "${kills[round % ${#kills[@]}]}")" \
        env XW_BIN="$build" XW_STREAMS="$XW_STREAMS" XW_TMP="$work/scenario" "${kills[round % ${#kills[@]}]}"
done
summary
