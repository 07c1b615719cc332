#!/bin/bash
# An operator kills and resets, over deaths of control and data plane: counted zero, blocked until the reset, shown, and in the audit
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link jq
xw_configure
xw_passwords
xw_start

xw_script 1 <<'LINES'
enter 1 B 100 XWIRE 90000
enter 2 S 100 ALPHA 110000
enter 3 B 100 XWIRE 100000 stop=120000
LINES
xw_script 3 <<'LINES'
enter 1 B 100 XWIRE 80000
LINES
# Nobody but who is meant; what makes no sense is refused with one line.
xw_ctl kill account NOBODY --by RISK --why test 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a kill of nobody" $? 64
grep -q '^xwctl: the configuration has no account `NOBODY`: it has NORTH, SOUTH$' "$XW_HOME/refused.log" || xw_fail "a kill of nobody says: $(cat "$XW_HOME/refused.log")"
xw_ctl kil account NORTH --by RISK --why test 2>"$XW_HOME/refused.log"
xw_expect "the exit code of no command" $? 64
xw_expect "what is said of no command" "$(cat "$XW_HOME/refused.log")" "xwctl: kil is no command, did you mean kill? See xwctl --help"
xw_ctl kill account NORTH --why test 2>"$XW_HOME/refused.log"
xw_expect "the exit code of a kill by nobody" $? 64

# The data plane stands still: control dies between the command and its confirmation.
xw_freeze "$xw_dataplane_pid"
xw_ctl kill account NORTH --by RISK --why 'runaway algorithm' >"$XW_HOME/kill.log" 2>&1 &
asking=$!
xw_await control XW2036 1 60
xw_kill control
wait "$asking"
xw_expect "the exit code of a kill whose control died" $? 75
kill -CONT "$xw_dataplane_pid"
xw_start_control
xw_await control XW2004 2 60
xw_await_kills '.complete and (.kills | length == 1 and .[0].confirmed and .[0].active)'
xw_ctl kills | grep -q 'account NORTH: BLOCKED, confirmed, .*by operator RISK: runaway algorithm' || xw_fail "xwctl kills: $(xw_ctl kills)"
xw_status '[.. | .live_orders? // empty] | max == 1' # and no more rest

xw_script 1 <<'LINES'
enter 4 B 100 XWIRE 90000
LINES
xw_told 1 'C 1 100 S'
xw_told 1 'C 2 100 S'
xw_told 1 'C 3 100 S'
xw_told 1 'J 4 '
# The data plane dies before it takes a reset, which nothing repeats; a mass cancel is given to the next one.
refused() {
    local status=0
    wait "$asking" || status=$?
    xw_expect "the exit code of $1" $status "$2"
}
xw_freeze "$xw_dataplane_pid"
xw_ctl reset account NORTH --by RISK --why 'too early' >"$XW_HOME/lost.log" 2>&1 &
asking=$!
xw_await control XW2036 2 60
xw_kill dataplane
refused "a reset that was not taken" 75
grep -q "NOT confirmed: matching core 0 died before it took it; it is not repeated: .*, then xwctl reset account NORTH --by RISK --why 'too early'" \
    "$XW_HOME/lost.log" || xw_fail "the reset says: $(cat "$XW_HOME/lost.log")"
xw_start
xw_await control XW2004 3 60
xw_freeze "$xw_dataplane_pid"
xw_ctl kill account SOUTH --cancel-only --by RISK --why 'asked by phone' >"$XW_HOME/repeated.log" 2>&1 &
asking=$!
xw_await control XW2036 3 60
xw_kill dataplane
xw_start
refused "a mass cancel that was given again" 0
grep -q 'account SOUTH: 1 orders canceled, none rests' "$XW_HOME/repeated.log" || xw_fail "the mass cancel says: $(cat "$XW_HOME/repeated.log")"
xw_ctl status >"$XW_HOME/status.txt"
grep -q '^KILLED: .* account NORTH: BLOCKED, confirmed, 3 canceled, by operator RISK: runaway algorithm' "$XW_HOME/status.txt" ||
    xw_fail "xwctl status does not show the kill: $(cat "$XW_HOME/status.txt")"
xw_expect "kills in force, as JSON" "$(xw_ctl --json status | jq -c '.standing | [.known, .kills_count, .kills[0].name, .kills[0].active]')" \
    '[true,1,"NORTH",true]'
xw_script 3 <<'LINES'
enter 2 B 100 XWIRE 80000
LINES
# A second kill, of a session of it: what the reset of the account says.
xw_ctl kill session TRADE2 --by RISK --why 'his other port' | grep -q 'none rests, counted by 1 matching cores, durable; blocked' ||
    xw_fail "the kill of a session is not confirmed"
xw_ctl reset account NORTH --side B --by RISK --why 'looked into' >/dev/null || xw_fail "xwctl reset --side B"
xw_ctl kills | grep -q 'account NORTH: BLOCKED still on side S, confirmed' || xw_fail "xwctl kills after the reset of one side: $(xw_ctl kills)"
xw_ctl reset account NORTH --by RISK --why 'looked into' >"$XW_HOME/reset.log" || xw_fail "xwctl reset: $(cat "$XW_HOME/reset.log")"
grep -q 'reset; 1 sessions of it may enter orders, 1 stay blocked' "$XW_HOME/reset.log" || xw_fail "xwctl reset says: $(cat "$XW_HOME/reset.log")"
grep -q 'session TRADE2: session TRADE2 is killed' "$XW_HOME/reset.log" || xw_fail "xwctl reset says: $(cat "$XW_HOME/reset.log")"
xw_script 1 <<'LINES'
enter 5 S 100 XWIRE 80000
LINES
xw_told 1 'E 5 100 80000 R'
# An operator's mass cancel on behalf of a firm blocks nothing.
xw_script 3 <<'LINES'
enter 3 B 100 XWIRE 70000
LINES
xw_ctl kill firm SOTH --cancel-only --by DESK --why 'asked by phone' | grep -q ': 1 orders canceled, none rests.*; not blocked' ||
    xw_fail "the mass cancel is not confirmed"
# A symbol's reset says what is taken again, and what stays: sessions that are killed, and a halt.
says() {
    local pattern=$1
    shift
    xw_ctl "$@" >"$XW_HOME/says.log" 2>&1 || xw_fail "xwctl $*: $(cat "$XW_HOME/says.log")"
    grep -Eq "$pattern" "$XW_HOME/says.log" || xw_fail "xwctl $* does not say '$pattern': $(cat "$XW_HOME/says.log")"
}
why=(--by RISK --why test)
xw_ctl kill symbol XWIRE --block-only "${why[@]}" >/dev/null || xw_fail "xwctl kill symbol"
says '^reset; symbol XWIRE does not take all orders yet$' reset symbol XWIRE --side B "${why[@]}"
grep -q '^  symbol XWIRE side S: is killed itself: xwctl reset symbol XWIRE' "$XW_HOME/says.log" || xw_fail "half a reset says: $(cat "$XW_HOME/says.log")"
says '^reset; symbol XWIRE takes orders again, from 3 sessions; 1 stay blocked$' reset symbol XWIRE "${why[@]}"
grep -q '^  session TRADE2: session TRADE2 is killed$' "$XW_HOME/says.log" || xw_fail "a symbol's reset says: $(cat "$XW_HOME/says.log")"
says '^it was not blocked by itself; symbol XWIRE takes orders, from 3 sessions; 1 stay' reset symbol XWIRE "${why[@]}"
xw_ctl halt XWIRE --reason T1 --by RISK >/dev/null || xw_fail "xwctl halt"
says '^  symbol XWIRE: halted: xwctl resume XWIRE --by NAME$' reset symbol XWIRE "${why[@]}"
says '^  symbol XWIRE: halted' reset venue "${why[@]}"
says '^  session TRADE2: session TRADE2 is killed' reset symbol ALPHA "${why[@]}"
! grep -q 'symbol XWIRE' "$XW_HOME/says.log" || xw_fail "a reset of ALPHA is about XWIRE: $(cat "$XW_HOME/says.log")"
# By the socket alone, without a configuration, from its own folder too.
socket=$(sed -n 's/^run_directory: *//p' "$XW_CONFIG")/$(sed -n 's/^instance: *\([^ ]*\).*/\1/p' "$XW_CONFIG").kill.sock
"$XW_BIN/xwctl" --socket "$socket" kills | grep -q 'firm SOTH: cancel only, confirmed, 1 canceled, by operator DESK' ||
    xw_fail "xwctl --socket kills: $("$XW_BIN/xwctl" --socket "$socket" kills)"
(cd "$(dirname "$socket")" && "$XW_BIN/xwctl" --socket "$(basename "$socket")" kills >/dev/null) || xw_fail "xwctl --socket without a folder"
"$XW_BIN/xwctl" --socket /nothing.sock kills 2>"$XW_HOME/no_socket.log"
xw_expect "the exit code where no socket is" $? 69
grep -q '/nothing.sock: No such file' "$XW_HOME/no_socket.log" || xw_fail "no socket: $(cat "$XW_HOME/no_socket.log")"
xw_stop
xw_ctl --json audit >"$XW_HOME/audit.json" || xw_fail "xwctl audit"
# line FILTER: a line of the audit for which it holds
line() { jq -se "any(.[]; $1)" "$XW_HOME/audit.json" >/dev/null || xw_fail "the audit has no line with $1: $(cat "$XW_HOME/audit.json")"; }
line '.what == "kill" and .scope == "account NORTH" and .by == "RISK" and .why == "runaway algorithm"'
line '.what == "no order rests" and .scope == "account NORTH" and .after == 3'
line '.what == "note" and .note == "kill confirmed: no order rests" and .by == "RISK"'
line '.what == "reset" and .scope == "account NORTH" and .why == "looked into"'
line '.what == "kill" and .scope == "firm of SOUTH" and .actions == "cancel" and .by == "DESK"'
line '.what == "note" and .note == "request refused" and .by == "RISK"'
xw_say "killed, counted, reset; the audit has $(wc -l <"$XW_HOME/audit.json") lines"
