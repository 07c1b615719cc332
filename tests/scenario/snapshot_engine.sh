#!/bin/bash
# A journal of another engine version is gone on with from the snapshot that covers its end, and is refused without it
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
xw_stream es_real
xw_begin
xw_configure
snapshot_config 60 0
snapshot_play --no-reread
xw_await_size "$record" 15000 40 # soon: every block is written again below, which takes its time
xw_stop
[ -n "$(snapshot_files)" ] || xw_fail "no snapshot was written at the stop"
day=$XW_HOME/journal/${XW_DATE//-/}
[ "$(find "$day" -name '*.xwj' | wc -l)" -eq 1 ] || xw_fail "the day has not one segment: $(ls "$day")"

# Every block says that an engine of version 1 took it, and is right otherwise: bytes 20 to 23, the CRC of 12 to 4095 at 8, and
# at 12 that of the block before.
table=()
for ((i = 0; i < 256; i++)); do
    word=$i
    for _ in 1 2 3 4 5 6 7 8; do word=$((word & 1 ? word >> 1 ^ 0x82F63B78 : word >> 1)); done
    table[i]=$word
done
word_at() { # FILE OFFSET NUMBER
    local i
    for i in 0 8 16 24; do printf "\\x$(printf %x $(($3 >> i & 255)))"; done | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
segment=$day/000001.xwj before=0
find "$day" -name '*.xws' -delete
for ((block = 0; block < $(stat -c %s "$segment") / 4096; block++)); do
    [ "$(od -An -tu8 -j $((block * 4096)) -N 8 "$segment" | tr -d ' ')" != 0 ] || break
    word_at "$segment" $((block * 4096 + 20)) 1
    word_at "$segment" $((block * 4096 + 12)) $before
    crc=4294967295
    for byte in $(od -An -v -tu1 -j $((block * 4096 + 12)) -N 4084 "$segment"); do crc=$((table[(crc ^ byte) & 255] ^ crc >> 8)); done
    before=$((crc ^ 4294967295))
    word_at "$segment" $((block * 4096 + 8)) $before
done
echo "$block blocks are of another engine version now"

mkdir "$XW_HOME/aside"
mv "$day"/*.xwn "$XW_HOME/aside"
status=0
timeout 10 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/refused" 2>&1 || status=$?
xw_expect "exit code without a snapshot" $status 65
grep -qE 'engine version 1, this build has [0-9]+' "$XW_HOME/refused" || xw_fail "the line is: $(cat "$XW_HOME/refused")"

mv "$XW_HOME/aside"/*.xwn "$day"
xw_start
snapshot_recovered .snapshots[0] -gt 0
snapshot_recovered .commands -eq 0
snapshot_end
xw_stop
