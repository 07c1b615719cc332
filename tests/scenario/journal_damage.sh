#!/bin/bash
# A journal that is torn goes on where it was; one that is damaged, cut or of another kind is refused in one line; never a wrong book
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
bad=0
xw_begin
xw_configure
day=$XW_HOME/journal/${XW_DATE//-/} kept=$XW_HOME/kept/${XW_DATE//-/}
mkdir "$XW_HOME/kept"

# A day of three segments: two epochs that were closed in order and one that was killed. What clients received is recorded.
for part in 1 2 3; do
    xw_start
    xw_play 120 "${XW_CLIENT[@]}" --orders 3000 --resting 500 --seed $part --record "$XW_HOME/received.rec"
    [ $part -eq 3 ] || xw_stop
done
# Control dies while the last answers are out, then the data plane: its rings stay, with the proof of what was durable.
xw_kill control
xw_kill dataplane
cp -r "$day" "$kept"
cp -r "$XW_RUN" "$XW_HOME/run"
last=$kept/000003.xwj
[ -f "$last" ] || xw_fail "the day has not three segments: $(ls "$kept")"
blocks() { "$XW_BIN/xwctl" --json journal verify "$1" | jq .blocks; }
end=$(blocks "$kept")
for part in 1 2; do end=$((end - $(stat -c %s "$kept/00000$part.xwj") / 4096)); done
[ "$end" -ge 8 ] || xw_fail "the last segment has only $end blocks"

# again [rings]: the journal as it was; the rings of the dead data plane too, or as after a reboot none.
again() {
    rm -rf "$day"
    find "$XW_RUN" -mindepth 1 ! -name owner -delete # whose lock keeps other runs from removing the directory
    cp -r "$kept" "$day"
    [ "${1:-}" != rings ] || cp -r "$XW_HOME/run/." "$XW_RUN"
}

# refuses NAME CODE WORDS: control ends with the code and one line that has the words; the data plane is never run.
refuses() {
    local name=$1 status=0 log=$XW_HOME/$1.err
    timeout 60 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$log" 2>&1 || status=$?
    if [ $status -ne "$2" ] || [ "$(grep -vc '^{' "$log")" -ne 1 ] || ! grep -v '^{' "$log" | grep -qE -- "$3"; then
        echo "$name: exit $status, wanted $2 and one line with '$3'; got:"
        cat "$log"
        bad=1
    else
        echo "$name: $(grep -v '^{' "$log")"
    fi
}

# goes_on NAME TORN: the day goes on, torn or not as it is said, and every client gets the bytes it had.
goes_on() {
    local before
    before=$(xw_count control XW3003)
    echo "--- $1"
    xw_start
    xw_expect "torn tails that control tells of" $(($(xw_count control XW3003) - before)) "$2"
    xw_play 120 "${XW_CLIENT[@]}" --orders 500 --resting 100 --seed 9 --record "$XW_HOME/$1.rec"
    xw_stop
    xw_verify "$XW_HOME/received.rec" "$XW_HOME/$1.rec" || bad=1
}

flip() { # FILE BYTE: one bit of it
    local byte
    byte=$(od -An -tu1 -j"$2" -N1 "$1")
    printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# crc FILE BLOCK: seals the block again, so that nothing but what was changed in it is wrong.
${CC:-cc} -O2 -o "$XW_HOME/reseal" "$XW_ROOT/tests/scenario/reseal.c" || xw_fail "reseal does not build"
crc() { "$XW_HOME/reseal" "$1" block "$2" || xw_fail "reseal ended with $?"; }

# ---- another kind
again
crc "$day/000001.xwj" 0
cmp "$day/000001.xwj" "$kept/000001.xwj" || xw_fail "this test does not know the journal's checksum"
printf '\2' | dd of="$day/000001.xwj" bs=1 seek=16 conv=notrunc status=none
crc "$day/000001.xwj" 0
refuses other-version 65 "format version 2, this build reads 1: use the build"
again && printf '\2' | dd of="$day/000003.xwj" bs=1 seek=16 conv=notrunc status=none && crc "$day/000003.xwj" 0
refuses other-version-later 65 "format version 2, this build reads 1: use the build"
again && printf '\143' | dd of="$day/000001.xwj" bs=1 seek=20 conv=notrunc status=none && crc "$day/000001.xwj" 0
refuses other-engine 65 "engine version 99, this build has [0-9]+: use the build"
again
day_before=$(date -u -d "$XW_DATE - 1 day" +%Y%m%d)
for part in 1 2 3; do
    printf "\\x$(printf %x $((day_before & 255)))\\x$(printf %x $((day_before >> 8 & 255)))" |
        dd of="$day/00000$part.xwj" bs=1 seek=24 conv=notrunc status=none
    crc "$day/00000$part.xwj" 0
done
refuses of-yesterday 65 "of trading date .*: move it"
again && printf '\11' | dd of="$day/000003.xwj" bs=1 seek=48 conv=notrunc status=none && crc "$day/000003.xwj" 0
refuses future-epoch 65 "epoch 9 after 2"

# ---- damage
again && flip "$day/000002.xwj" 10000
refuses flipped-bit 65 "block 2: is damaged.* restore the journal"
again && flip "$day/000003.xwj" 10000
refuses flipped-bit-in-the-last 65 "block 2: is damaged.* restore the journal"
again && rm "$day/000002.xwj"
refuses missing-in-the-middle 65 "segment 000002 is missing: restore it"
again && rm "$day/000001.xwj"
refuses missing-first 65 "segment 000001 is missing: restore it"
again && cp "$day/000001.xwj" "$day/000002.xwj"
refuses doubled 65 "swapped or doubled"
again && mv "$day/000001.xwj" "$day/000000.new" && mv "$day/000002.xwj" "$day/000001.xwj" && mv "$day/000000.new" "$day/000002.xwj"
refuses swapped 65 "swapped or doubled"
again && dd if="$last" of="$day/000003.xwj" bs=4096 skip=$((end - 1)) seek="$end" count=1 conv=notrunc status=none
refuses doubled-block 65 "swapped or doubled"
again && truncate -s 20000 "$day/000002.xwj"
refuses cut-in-the-middle 65 "block 4: is missing.* restore the journal"
again && truncate -s 0 "$day/000002.xwj"
refuses emptied 65 "000002.*restore"
again && rm "$day/000002.xwj" && mkdir "$day/000002.xwj"
refuses directory-as-segment 71 "can not be read"
# The last segment whole, or the end of it: without rings nothing can tell (README says so), with them it is known.
again rings && rm "$day/000003.xwj"
refuses missing-last 65 "were durable: restore it"
again rings && truncate -s $(((end - 2) * 4096)) "$day/000003.xwj"
refuses cut-at-the-end 65 "were durable: restore it"
again rings && rm -r "$day"
refuses missing-whole 65 "were durable: restore it"

# ---- a torn tail: a commit that was under way when the host died
again rings
goes_on untouched 0
again && head -c 9000 /dev/urandom | dd of="$day/000003.xwj" bs=4096 seek="$end" conv=notrunc status=none
goes_on garbage-behind 1
again && head -c 5000 /dev/urandom >"$day/000004.xwj"
goes_on garbage-as-segment 1
again && truncate -s $((end * 4096 + 100)) "$day/000003.xwj" && echo notes >"$day/README" && cp "$last" "$day/000003.xwj.bak"
goes_on short-file 0
xw_clean
exit $bad
