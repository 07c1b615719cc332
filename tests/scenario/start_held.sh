#!/bin/bash
# A wall clock that is set ahead starts no day; set right again it starts at its time, and an operator may start it before
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link jq
shim=$XW_HOME/clock_shim.so
${CC:-cc} -shared -fPIC -O1 -o "$shim" "$XW_ROOT/tests/scenario/clock_shim.c" || xw_fail "the shim does not build"
export XW_CLOCK=$XW_HOME/clock
xw_configure
xw_passwords
sed -i "s#^ports:#schedule: {pre_market: '07:00:00', market_open: '12:00:00', market_close: '22:00:00'}\n\nports:#" "$XW_CONFIG"
# at HH:MM: the wall clock says so, today.
at() {
    echo $(($(date -u -d "$1" +%s) - $(date +%s))) >"$XW_CLOCK.new" && mv "$XW_CLOCK.new" "$XW_CLOCK"
}
phase() { xw_ctl --json status | jq -r .standing.phase; }
at 05:00
LD_PRELOAD=$shim xw_start
grep -q "$shim" "/proc/$xw_control_pid/maps" || xw_skip "preloading is not possible here"
xw_await control XW2004 1 60
xw_expect "the phase before pre-market" "$(phase)" none
xw_ctl phase pre --by ALICE 2>"$XW_HOME/early.log"
xw_expect "the exit code of a phase before the start" $? 69

at 13:00
xw_await control XW2023 1 60
xw_expect "the phase once the clock was set ahead" "$(phase)" none
# A schedule whose first phase is past is not told to be given by hand.
sed -i "s/pre_market: '07:00:00'/pre_market: '06:00:00'/" "$XW_CONFIG"
xw_ctl reload --by ALICE 2>"$XW_HOME/reload.log"
xw_expect "the exit code of a reload whose first phase is past" $? 78
grep -q '06:00:00 UTC is past.*: give a later time$' "$XW_HOME/reload.log" || xw_fail "the reload says: $(cat "$XW_HOME/reload.log")"
sed -i "s/pre_market: '06:00:00'/pre_market: '07:00:00'/" "$XW_CONFIG"

at 05:30
xw_ctl reload --by ALICE >/dev/null || xw_fail "a reload of the same schedule" # control has looked at the clock by then
xw_expect "the phase once the clock was set right" "$(phase)" none
at 13:00
xw_await control XW2023 2 60
xw_ctl phase regular --by ALICE || xw_fail "xwctl phase regular"
xw_expect "the phase that an operator gave" "$(phase)" regular
xw_script 1 <<<'enter 1 B 100 XWIRE 90000'
xw_told 1 'A 1 '
# The clock goes on over the same hours.
at 06:59
xw_kill dataplane
LD_PRELOAD=$shim xw_start
xw_await control XW2004 2 60
xw_expect "the phase after a restart" "$(phase)" regular
xw_stop
xw_ctl --json journal dump | jq -r 'select(.type == "start" or .type == "phase") | "\(.type) \(.phase) \(.by // "")"' >"$XW_HOME/phases.txt"
printf 'start P ALICE\nphase R ALICE\n' | cmp - "$XW_HOME/phases.txt" || xw_fail "the journal has other phases: $(cat "$XW_HOME/phases.txt")"
