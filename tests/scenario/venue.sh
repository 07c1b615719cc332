#!/bin/bash
# A first order as the README has it: make venue says how to send it, an example client of its own process does, Ctrl-C ends it
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || xw_skip "make venue makes interfaces, which needs root"
command -v ip ethtool >/dev/null || xw_skip "there is no ip or ethtool (make deps)"
said=$XW_HOME/said.log
before=$(ip -br link | grep -c '^xw')

# Started with SIGINT ignored, as everything in the background of a script is: SIGTERM does the same.
XW_HOME=$XW_HOME/venue "$XW_ROOT/perf/venue.sh" >"$said" 2>&1 &
venue=$!
trap 'kill -TERM $venue 2>/dev/null; wait $venue' EXIT
end=$((SECONDS + 60))
until grep -q '^Ctrl-C' "$said"; do
    kill -0 $venue 2>/dev/null || xw_fail "make venue ended: $(tail -n 3 "$said")"
    [ $SECONDS -lt $end ] || xw_fail "make venue does not say that it is open: $(tail -n 3 "$said")"
    sleep 0.1
done
command=$(grep -m 1 example_order "$said")
timeout 60 $command >"$XW_HOME/order.log" 2>&1 || xw_fail "$command ended with $?: $(tail -n 3 "$XW_HOME/order.log")"
grep -Eq ' A number [0-9]+: 100 at 10.0500$' "$XW_HOME/order.log" || xw_fail "the first order is not accepted: $(cat "$XW_HOME/order.log")"
XW_HOME=$XW_HOME/second "$XW_ROOT/perf/venue.sh" >"$XW_HOME/second.log" 2>&1
xw_expect "exit code of a second one" $? 69
xw_expect "lines of a second one" "$(wc -l <"$XW_HOME/second.log")" 1
kill -TERM $venue
status=0
wait $venue || status=$?
trap - EXIT
xw_expect "exit code" $status 0
xw_expect "interfaces left" "$(ip -br link | grep -c '^xw')" "$before"
tail -n 1 "$said"
