#!/bin/bash
# The power goes: of the journal's disk only what was synced is left, and the rings are gone; what clients were told is still true
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/snapshot.sh"
# A disk of our own, in a mount namespace of our own: it goes with it.
if [ -z "${XW_OWN_MOUNTS:-}" ]; then
    [ "$(id -u)" -eq 0 ] || xw_skip "mounting a disk needs root"
    unshare -m true 2>/dev/null || xw_skip "no mount namespace can be made"
    XW_OWN_MOUNTS=1 exec unshare -m "$0"
fi
xw_begin
xw_configure
xw_set journal segment_mb 4
"$XW_BIN/xwctl" journal keygen "$XW_HOME/key" >/dev/null || xw_fail "no key can be made"
xw_set journal signing_key "$XW_HOME/key"
sed -i 's#^ports:#snapshots: {every_commands: 3000}\n\nports:#' "$XW_CONFIG"
# Nothing but a sync makes this file system write: its own commits are minutes away.
disk() { mount -o loop,commit=300 "$XW_RUN/disk" "$XW_HOME/journal"; }
truncate -s 256M "$XW_RUN/disk" && mkfs.ext4 -q -F "$XW_RUN/disk" && disk || xw_skip "the test's disk can not be mounted"

# Until what is on its way to the disk has arrived: for a twentieth of a second nothing was.
at_rest() {
    local looks=0 device
    device=$(basename "$(findmnt -no SOURCE "$XW_HOME/journal")")
    while [ $looks -lt 5 ]; do
        sleep 0.01
        if [ "$(tr -d ' ' <"/sys/block/$device/inflight")" = 00 ]; then looks=$((looks + 1)); else looks=0; fi
    done
}

# The disk as it is at this moment, without what only the kernel knows, is all that a new start finds.
cut() {
    echo unsynced >"$XW_HOME/journal/unsynced"
    kill -STOP "$xw_dataplane_pid" "$xw_control_pid"
    at_rest
    cp --sparse=always "$XW_RUN/disk" "$XW_RUN/left"
    xw_kill dataplane
    xw_kill control
    umount "$XW_HOME/journal"
    mv "$XW_RUN/left" "$XW_RUN/disk"
    rm -f "$XW_RUN"/crosswire.g*
    disk || xw_fail "what is left of the disk can not be mounted"
    [ ! -s "$XW_HOME/journal/unsynced" ] || xw_fail "this is no power cut: what was not synced is still there"
}

xw_start
xw_play_behind 0 "${XW_CLIENT[@]}" --orders 40000 --rate 10000 --grace 30 --timeout 1
newest=
for round in 1 2 3 4; do
    xw_may $((round * 20 + 10))
    xw_await_size "$XW_HOME/received.rec" $((round * 500000)) 60
    snapshot_await 1 "$newest"
    newest=$(snapshot_files | tail -n 1)
    cut
    xw_start
    xw_await control XW2004 $((round + 1)) 60
done
xw_await_client 120
xw_stop
used=$(jq -Rr 'fromjson? | select(.code == "XW2004") | "\(.snapshots[0]) \(.passed_over)"' "$XW_HOME/control.log")
grep -q '^[1-9]' <<<"$used" || xw_fail "no start was from a snapshot: $used"
grep -q ' [1-9]' <<<"$used" && xw_fail "a signed snapshot was passed over: $used"
"$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify --key "$XW_HOME/key.pub" || xw_fail "the journal is not right"
umount "$XW_HOME/journal"
