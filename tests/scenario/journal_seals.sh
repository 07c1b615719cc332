#!/bin/bash
# Segments are sealed and signed; verify names what was altered, cut, swapped or left out; old dates are compressed, then removed
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
bad=0
xw_begin
XW_DATE=$(date -u -d '2 days ago' +%Y-%m-%d)
xw_configure
first=${XW_DATE//-/} second=$(date -u -d yesterday +%Y%m%d) third=$(date -u +%Y%m%d)
on() { sed -i "s/^trading_date:.*/trading_date: ${1:0:4}-${1:4:2}-${1:6:2}/" "$XW_CONFIG"; }
"$XW_BIN/xwctl" journal keygen "$XW_HOME/key" || xw_fail "no key can be made"
"$XW_BIN/xwctl" journal keygen "$XW_HOME/other" >/dev/null || xw_fail "no key can be made"
xw_set journal segment_mb 1
xw_set journal signing_key "$XW_HOME/key"

# A key that others may read is not taken.
chmod 644 "$XW_HOME/key"
status=0
timeout 60 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/key.err" 2>&1 || status=$?
xw_expect "exit code with a key that others may read" $status 77
grep -v '^{' "$XW_HOME/key.err" | grep -q "chmod 600" || xw_fail "no line that says what mends it: $(cat "$XW_HOME/key.err")"
chmod 600 "$XW_HOME/key"

day() { # day DATE SEED
    on "$1"
    xw_start
    xw_play 120 "${XW_CLIENT[@]}" --orders 20000 --resting 500 --seed "$2" --record "$XW_HOME/$1.rec"
}
verify() { "$XW_BIN/xwctl" journal verify "$@"; }
await_files() { # await_files COUNT PATTERN
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        [ "$(compgen -G "$2" | wc -l)" -ge "$1" ] && return
        sleep 0.1
    done
    xw_fail "fewer than $1 of $2: $(ls "$(dirname "$2")")"
}

# Full segments are sealed while orders go on; a kill leaves the rest to the next start.
day "$first" 1
await_files 2 "$XW_HOME/journal/$first/*.xws"
xw_kill control
xw_kill dataplane
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 1000 --resting 500 --seed 2 --record "$XW_HOME/$first.rec"
xw_stop
segments=$(compgen -G "$XW_HOME/journal/$first/*.xwj" | wc -l)
xw_expect "seals after an orderly stop" "$(compgen -G "$XW_HOME/journal/$first/*.xws" | wc -l)" "$segments"
verify "$XW_HOME/journal/$first" --key "$XW_HOME/key.pub" | grep "seals: $segments, signed by the key" || xw_fail "not verified"

# The next date goes on from it, and compresses it; what clients received of it is still what its journal gives.
day "$second" 3
await_files "$segments" "$XW_HOME/journal/$first/*.xwj.zst"
xw_stop
compgen -G "$XW_HOME/journal/$first/*.xwj" && xw_fail "plain segments stand beside their compressed ones"
"$XW_BIN/xwctl" --json journal inspect "$XW_HOME/journal/$first" | grep '"segment":1,' | grep -q '"bytes":[1-9][0-9]*,"compressed":true' ||
    xw_fail "inspect does not tell a compressed segment's size"
verify "$XW_HOME/journal/$first" --key "$XW_HOME/key.pub" --all >"$XW_HOME/all.txt" || xw_fail "not verified"
grep "date $second.* goes on from date: $first" "$XW_HOME/all.txt" || xw_fail "no chain over the dates: $(cat "$XW_HOME/all.txt")"

# ---- faults, on copies that have only the public key beside them
copy=$XW_HOME/copy
again() { rm -rf "$copy" && cp -r "$XW_HOME/journal" "$copy"; }
refuses() { # refuses NAME CODE WORDS ARGUMENTS..
    local name=$1 code=$2 words=$3 status=0 log=$XW_HOME/$1.err
    shift 3
    verify "$@" >"$XW_HOME/$name.out" 2>"$log" || status=$?
    if [ $status -ne "$code" ] || [ "$(wc -l <"$log")" -ne 1 ] || ! grep -qE -- "$words" "$log"; then
        echo "$name: exit $status, wanted $code and one line with '$words'; got:" && cat "$log"
        bad=1
    else
        echo "$name: $(cat "$log")"
    fi
}
flip() { # FILE BYTE: one bit of it
    local byte
    byte=$(od -An -tu1 -j"$2" -N1 "$1")
    printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
key=(--key "$XW_HOME/key.pub")
again && refuses other-key 65 "seal 000001.xws is not signed by the key" "$copy/$first" --key "$XW_HOME/other.pub"
again && refuses no-key 66 "nowhere.pub: No such file" "$copy/$first" --key "$XW_HOME/nowhere.pub"
again && flip "$copy/$second/000002.xwj" 50000
refuses flipped-bit 65 "000002.xwj, block 12: is damaged" "$copy/$second" "${key[@]}"
again && flip "$copy/$first/000002.xwj.zst" 50000
refuses flipped-bit-compressed 65 "000002.xwj, block [0-9]+: .*damaged" "$copy/$first" "${key[@]}"
again && truncate -s -5000 "$copy/$first/000001.xwj.zst"
refuses cut-compressed 65 "000001.xwj, block [0-9]+: the compressed segment is damaged" "$copy/$first" "${key[@]}"
again && flip "$copy/$second/000001.xws" 100
refuses flipped-bit-in-seal 65 "seal 000001.xws: is damaged" "$copy/$second" "${key[@]}"
again && truncate -s 50 "$copy/$second/000001.xws"
refuses cut-seal 65 "seal 000001.xws: is cut short" "$copy/$second" "${key[@]}"
again && rm "$copy/$second/000001.xws"
refuses missing-seal 65 "seal 000001.xws is missing, and that of segment 2 stands" "$copy/$second" "${key[@]}"
again && cp "$copy/$second/000002.xws" "$copy/$second/000001.xws"
refuses doubled-seal 65 "seal 000001.xws: is that of segment 2" "$copy/$second" "${key[@]}"
again && cp "$copy/$first/000001.xws" "$copy/$second/000001.xws"
refuses seal-of-another-date 65 "seal 000001.xws: of trading date $first, not $second" "$copy/$second" "${key[@]}"
again && rm "$copy/$second/$(ls "$copy/$second" | grep xwj | tail -n 1)"
refuses missing-last-segment 65 "is missing: its seal stands" "$copy/$second" "${key[@]}"
again && truncate -s 8192 "$copy/$second/$(ls "$copy/$second" | grep xwj | tail -n 1)"
refuses cut-last-segment 65 "is missing: the segment's seal has" "$copy/$second" "${key[@]}"
again && rm -r "${copy:?}/$first" && mkdir "$copy/$first" && cp "$XW_HOME/journal/$second"/* "$copy/$first"
refuses date-replaced 65 "of trading date $second, not $first" "$copy/$first" "${key[@]}"
# A whole date that was made again, with segments that are right in themselves: the chain over dates shows it.
again && rm "$copy/$first"/*.xws
refuses unsealed-date 65 "segment 000001 and what follows are not sealed" "$copy/$second" "${key[@]}" --all

# ---- a start holds the journal against its seals, as well
on "$second"
last=$XW_HOME/journal/$second/$(ls "$XW_HOME/journal/$second" | grep xwj | tail -n 1)
mv "$last" "$XW_HOME/kept.xwj"
rm -f "$XW_HOME/journal/$second"/*.xwn
status=0
timeout 60 "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/cut.err" 2>&1 || status=$?
xw_expect "exit code of a start without the last segment" $status 65
grep -v '^{' "$XW_HOME/cut.err" | grep "its seal stands" || xw_fail "no line that says so: $(cat "$XW_HOME/cut.err")"
mv "$XW_HOME/kept.xwj" "$last"

# ---- retention: what is too old goes, today's stays
xw_set journal keep_days 1
day "$third" 4
for ((tries = 0; tries < 600; tries++)); do
    [ -d "$XW_HOME/journal/$first" ] || break
    sleep 0.1
done
xw_stop
[ ! -d "$XW_HOME/journal/$first" ] && [ -d "$XW_HOME/journal/$second" ] && [ -d "$XW_HOME/journal/$third" ] ||
    xw_fail "kept: $(ls "$XW_HOME/journal")"
grep '"XW3007"' "$XW_HOME/control.log" | grep -q "\"date\":$first" || xw_fail "the removal was not told"
verify "$XW_HOME/journal/$third" "${key[@]}" --all || xw_fail "what is left is not right"
xw_clean
exit $bad
