#!/bin/bash
# A journal of another engine version is gone on with from the snapshot that covers its end, and is refused without it
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
xw_stream es_real
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested
xw_begin
xw_configure
snapshot_config 60 0
snapshot_play --no-reread
xw_await_size "$record" 15000 60
xw_stop
[ -n "$(snapshot_files)" ] || xw_fail "no snapshot was written at the stop"
day=$XW_HOME/journal/${XW_DATE//-/}
[ "$(find "$day" -name '*.xwj' | wc -l)" -eq 1 ] || xw_fail "the day has not one segment: $(ls "$day")"

# Every block says that an engine of version 1 took it, and is right otherwise.
${CC:-cc} -O2 -o "$XW_HOME/reseal" "$XW_ROOT/tests/scenario/reseal.c" || xw_fail "reseal does not build"
segment=$day/000001.xwj
find "$day" -name '*.xws' -delete
blocks=$("$XW_HOME/reseal" "$segment" engine 1) || xw_fail "reseal ended with $?"
[ "$blocks" -gt 3 ] || xw_fail "the segment has $blocks blocks only"
echo "$blocks blocks are of another engine version now"

mkdir "$XW_HOME/aside"
mv "$day"/*.xwn "$XW_HOME/aside"
status=0
timeout 60 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/refused" 2>&1 || status=$?
xw_expect "exit code without a snapshot" $status 65
grep -qE 'engine version 1, this build has [0-9]+' "$XW_HOME/refused" || xw_fail "the line is: $(cat "$XW_HOME/refused")"

mv "$XW_HOME/aside"/*.xwn "$day"
xw_start
snapshot_recovered .snapshots[0] -gt 0
snapshot_recovered .commands -eq 0
snapshot_end
xw_stop
