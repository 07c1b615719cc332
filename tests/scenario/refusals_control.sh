#!/bin/bash
# A control that cannot start says in one line what is wrong and what mends it, with the exit code of sysexits
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
control=$XW_BIN/crosswire-control
bad=0
xw_begin
xw_configure
day=$XW_HOME/journal/${XW_DATE//-/}

# variant NAME EDITS..: a copy of the configuration, changed by sed expressions.
variant() {
    local file=$XW_HOME/$1.yaml edits=()
    shift
    for edit in "$@"; do edits+=(-e "$edit"); done
    sed "${edits[@]}" "$XW_CONFIG" >"$file"
    echo "$file"
}

# told NAME STATUS CODE WORDS: the code, the words in the last line, and beside it nothing but log lines.
told() {
    local log=$XW_HOME/$1.err
    if [ "$2" -ne "$3" ] || [ "$(grep -vc '^{' "$log")" -ne 1 ] || ! grep -v '^{' "$log" | grep -qE -- "$4"; then
        echo "$1: exit $2, wanted $3 and one line with '$4'; got:"
        cat "$log"
        bad=1
    else
        echo "$1: $(grep -v '^{' "$log")"
    fi
}

# refuses NAME CODE WORDS COMMAND..
refuses() {
    local name=$1 code=$2 words=$3 status=0
    shift 3
    timeout 60 "$@" >"$XW_HOME/$name.err" 2>&1 || status=$?
    told "$name" "$status" "$code" "$words"
}

# ---- what a control finds on its own
refuses no-arguments 64 usage "$control"
refuses no-file 66 none.yaml "$control" "$XW_HOME/none.yaml"
refuses unknown-key 78 oders "$control" "$(variant unknown-key 's/order_ring_depth/oders/')"
refuses replicated 78 "durable, or matched" "$control" "$(variant replicated 's/^ack:.*/ack: replicated/')"
refuses no-run-directory 73 "mkdir -p" "$control" "$(variant no-run 's#^run_directory:.*#run_directory: /nonexistent/run#')"
refuses no-journal-directory 73 "mkdir -p" "$control" \
    "$(variant no-journal 's#^journal_directory:.*#journal_directory: /nonexistent/journal#')"
printf x >"$XW_HOME/file"
refuses file-as-journal 73 "file" "$control" "$(variant file "s#^journal_directory:.*#journal_directory: $XW_HOME/file#")"

# Another user's: root without the right to read everything finds what a user finds.
as_user=()
[ "$(id -u)" -ne 0 ] || as_user=(setpriv --bounding-set=-dac_override,-dac_read_search)
if "${as_user[@]}" true 2>/dev/null; then
    for left in crosswire.control.lock crosswire.g000007; do
        : >"$XW_RUN/$left"
        chmod 0 "$XW_RUN/$left"
        refuses "other-users-${left#crosswire.}" 77 "(ls -ld|rm) .*$left" "${as_user[@]}" "$control" "$XW_CONFIG"
        rm -f "$XW_RUN/$left"
    done
    rm -rf "$day"
fi

# Disks that we may only make in a mount namespace of our own.
if unshare -rm mount -t tmpfs none "$XW_HOME/journal" 2>/dev/null; then
    on_disk() { unshare -rm bash -c 'mount -t tmpfs -o "$1" none "$2" && exec "$3" "$4"' - "$1" "$XW_HOME/journal" "$control" "$XW_CONFIG"; }
    export -f on_disk
    export XW_HOME XW_CONFIG control
    refuses full-disk 74 "make room|free" bash -c 'on_disk size=2m'
    refuses read-only-disk 73 "writable" bash -c 'on_disk ro'
fi

# ---- a day that was journaled, and what may have become of it
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 3000
refuses second-control 69 "stop it" "$control" "$XW_CONFIG"
refuses other-configuration 69 "another" "$control" "$(variant other 's/round_lot: 100/round_lot: 10/')"
xw_stop
cp -r "$day" "$XW_HOME/day"
again() { rm -rf "$day" && cp -r "$XW_HOME/day" "$day"; }

# flip FILE BYTE: one bit of it.
flip() {
    local byte
    byte=$(od -An -tu1 -j"$2" -N1 "$1")
    printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
flip "$day/000001.xwj" 20000
refuses flipped-bit 65 "restore" "$control" "$XW_CONFIG"
again && flip "$day/000001.xwj" 40
refuses flipped-header 65 "restore" "$control" "$XW_CONFIG"
again && mv "$day/000001.xwj" "$day/000002.xwj"
refuses renamed-segment 65 "restore|missing" "$control" "$XW_CONFIG"
again
refuses other-instance 65 "instance" "$control" "$(variant other-instance 's/^instance:.*/instance: somebody/')"

# ---- what only shows when it meets a data plane
# meets NAME CODE WORDS DATAPLANE-CONFIG CONTROL-CONFIG
meets() {
    local status=0
    "$XW_BIN/crosswire-dataplane" "$4" >"$XW_HOME/$1.dataplane" 2>&1 &
    xw_dataplane_pid=$!
    for _ in $(seq 1200); do
        grep -q XW1001 "$XW_HOME/$1.dataplane" && break
        sleep 0.05
    done
    timeout 60 "$control" "$5" >"$XW_HOME/$1.err" 2>&1 || status=$?
    told "$1" $status "$2" "$3"
    xw_kill dataplane
}
meets other-file 78 "same file" "$XW_CONFIG" "$(variant other-file 's/tick_ms: 1000/tick_ms: 500/')"
changed=$(variant changed 's/name: CARGO/name: DELTA/')
meets changed-during-the-day 78 "restore the configuration" "$changed" "$changed"
smaller=$(variant smaller 's/max_orders: [0-9]*/max_orders: 65536/')
meets smaller-during-the-day 78 "restore the configuration" "$smaller" "$smaller"
yesterday=$(variant yesterday "s/^trading_date:.*/trading_date: 2020-01-02/")
meets other-date 78 "same file" "$XW_CONFIG" "$yesterday"
# And with everything as it was, the day goes on.
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 500 --seed 2
xw_stop
exit $bad
