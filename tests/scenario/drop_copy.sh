#!/bin/bash
# A drop copy is told its firm's messages byte for byte, through kills of both processes, from 1 again, and may send no order
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
${CC:-cc} -O1 -o "$XW_HOME/copies" "$XW_ROOT/tests/scenario/copies.c" || xw_fail "copies does not build"
xw_link

xw_configure
password=$(od -An -N4 -tx4 /dev/urandom | tr -d ' \n')
hash=$("$XW_BIN/xwctl" hash-password --fast <<<"$password") || xw_fail "xwctl hash-password"
cat >>"$XW_CONFIG" <<END
snapshots: {every_commands: 2000}
drop_copies:
  - {user: NORTHD, password_hash: "$hash", firm: NRTH}
  - {user: NORTHL, password_hash: "$hash", firm: NRTH}
  - {user: SOUTHD, password_hash: "$hash", accounts: SOUTH}
END
xw_set dataplane window_messages 1024 # what is older comes from control
xw_start

# drop_copy USER QUIET_MS FILE: what it is told since 1, a line each.
drop_copy() {
    timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/example_drop_copy" 10.0.0.1 4000 "$1" "$password" "$2" hex >"$3" 2>"$XW_HOME/drop_copy.log" ||
        xw_fail "example_drop_copy ended with $?: $(tail -n 3 "$XW_HOME/drop_copy.log")"
}

# counter NAME: behind xw_status, of what has been counted until then
counter() { "$XW_BIN/xwctl" -c "$XW_CONFIG" --json counters | jq -s "map(select(.name == \"$1\") | .value) | add"; }

echo "--- live, and both processes killed in the middle of the flow"
drop_copy NORTHL 0 "$XW_HOME/live" & # until the day ends
live_pid=$! xw_aside=$!
xw_may 90
"${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" "${xw_part[@]}" --orders 4000 --resting 500 --rate 6000 --grace 20 --reread \
    --record "$XW_HOME/received.rec" --json "$XW_HOME/summary.json" >"$XW_HOME/replay.log" 2>&1 &
xw_client_pid=$!
xw_await_size "$XW_HOME/received.rec" 200000 60
xw_kill dataplane
xw_kill control
xw_start
xw_await_client 120
[ "$(xw_json "$XW_HOME/summary.json" .recoveries)" -ge 1 ] || xw_fail "the client did not notice the kill"

echo "--- from 1 again"
drop_copy NORTHD 200 "$XW_HOME/again"
"$XW_HOME/copies" "$XW_HOME/received.rec" TRADE1 TRADE2 <"$XW_HOME/again" || xw_fail "the copy of the firm NRTH is wrong"
drop_copy SOUTHD 200 "$XW_HOME/south"
"$XW_HOME/copies" "$XW_HOME/received.rec" TRADE3 TRADE4 <"$XW_HOME/south" || xw_fail "the copy of the account SOUTH is wrong"
grep -Eq ' TRADE1 NORTH [0-9]+ E [0-9]+ [0-9]+ [0-9.]+ liquidity=[AR] match=[0-9]+ \| 45' "$XW_HOME/again" || xw_fail "no execution in the drop copy"

echo "--- a control that was killed, and an order"
xw_kill control
xw_start_control
xw_status
forwarded=$(counter forwarded)
printf 'enter 1 B 100 XWIRE 10000\nwait 100\nend\n' | timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/example_script" 10.0.0.1 4000 NORTHD "$password" \
    >"$XW_HOME/order.log" 2>&1 || xw_fail "example_script ended with $?: $(tail -n 3 "$XW_HOME/order.log")"
drop_copy NORTHD 200 "$XW_HOME/third"
cmp "$XW_HOME/again" "$XW_HOME/third" || xw_fail "the stream is another one after a kill of control"
xw_status
xw_expect "orders of a drop copy discarded" "$(counter discard_READ_ONLY)" 1
xw_expect "orders forwarded" "$(counter forwarded)" "$forwarded"
xw_identity

echo "--- the end of the day, which who has listened all the time was told like everything before"
xw_ctl phase ended --by TEST >/dev/null || xw_fail "xwctl phase ended"
wait "$live_pid" || exit 1
xw_aside=
head -n "$(wc -l <"$XW_HOME/again")" "$XW_HOME/live" | cmp - "$XW_HOME/again" || xw_fail "live the stream was another one"
xw_stop
