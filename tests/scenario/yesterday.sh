#!/bin/bash
# A data plane that died yesterday with acknowledged orders in its rings: today begins anew, and yesterday's journal has them all
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
XW_ACK=matched XW_DATE=$(date -u -d yesterday +%Y-%m-%d)
xw_begin
xw_configure
yesterday=$XW_HOME/journal/${XW_DATE//-/}
today=$(date -u -d "$XW_DATE + 1 day" +%Y-%m-%d)
on() { sed -i "s/^trading_date:.*/trading_date: $1/" "$XW_CONFIG"; }

xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 3000 --resting 500 --record "$XW_HOME/yesterday.rec"
xw_kill control
# Acknowledged, and only in the rings: control is away, and the clients are known.
xw_play 120 "${XW_CLIENT[@]}" --orders 1000 --resting 500 --seed 2 --record "$XW_HOME/yesterday.rec"
xw_kill dataplane

on "$today"
# With a journal of yesterday that can not be right nothing is drained, and nothing forgotten.
cp "$yesterday/000001.xwj" "$XW_HOME/000001.xwj"
printf x | dd of="$yesterday/000001.xwj" bs=1 seek=20000 conv=notrunc status=none
status=0
timeout 60 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/damaged.log" 2>&1 || status=$?
xw_expect "exit code with a damaged journal of yesterday" $status 65
grep -v '^{' "$XW_HOME/damaged.log" | grep "restore the journal" || xw_fail "no line that says what mends it: $(cat "$XW_HOME/damaged.log")"
cp "$XW_HOME/000001.xwj" "$yesterday/000001.xwj"

xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 1000 --resting 500 --seed 3 --record "$XW_HOME/today.rec" --json "$XW_HOME/today.json"
xw_identity
xw_stop
xw_verify "$XW_HOME/today.rec"
grep '"XW2003"' "$XW_HOME/control.log" | grep -q "\"date\":${XW_DATE//-/}" || xw_fail "yesterday's rings were not drained to yesterday's journal"
[ "$(xw_count control XW2006)" -eq 2 ] || xw_fail "a day was not opened anew"

# Yesterday, as whoever has to audit it sees it.
on "$XW_DATE"
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 100 --resting 10 --seed 4 --record "$XW_HOME/again.rec"
xw_stop
xw_verify "$XW_HOME/yesterday.rec" "$XW_HOME/again.rec" | tee "$XW_HOME/verify.txt"
repeated=$(sed -E 's/.* ([0-9]+) received again.*/\1/' "$XW_HOME/verify.txt")
[ "$repeated" -ge 4000 ] || xw_fail "only $repeated messages of yesterday were fetched again"
"$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "yesterday's journal is not right"
