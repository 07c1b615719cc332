#!/bin/bash
# A journal disk that is full or read-only in mid-day ends both processes with one line; with room again nothing is lost
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
# Disks of our own, in a mount namespace of our own: they go with it.
if [ -z "${XW_OWN_MOUNTS:-}" ]; then
    [ "$(id -u)" -eq 0 ] || xw_skip "mounting a disk needs root"
    unshare -m true 2>/dev/null || xw_skip "no mount namespace can be made"
    XW_OWN_MOUNTS=1 exec unshare -m "$0"
fi
base=$XW_HOME

# A day under way on the journal disk that `mounts` mounts.
begin_day() {
    XW_HOME=$base/$1-$XW_ACK
    echo "--- $1, ack: $XW_ACK"
    xw_begin
    xw_configure
    xw_set journal segment_mb 1
    mounts || xw_skip "the test's disk can not be mounted"
    xw_start
    # What is left of it fills the segment in use and the next, which is made already, however well orders fill their blocks.
    xw_play_behind 20 "${XW_CLIENT[@]}" --orders 60000 --rate 20000 --grace 30
    xw_await_size "$XW_HOME/received.rec" 300000 60
}

end_day() {
    xw_start
    xw_await_client 120
    xw_stop
    "$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
    umount "$XW_HOME/journal"
    xw_clean
}

mounts() { mount -t tmpfs -o size=64m none "$XW_HOME/journal"; }
for XW_ACK in durable matched; do
    begin_day full
    head -c 64M /dev/zero >"$XW_HOME/journal/filler" 2>/dev/null # in a moment all is taken
    xw_may 90
    xw_both_end 74 "No space left on device: free or add disk space, then start control again"
    grep -q '"XW3004"' "$XW_HOME/control.log" || xw_fail "control did not warn before"
    # Still full.
    status=0
    "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/still.log" 2>&1 || status=$?
    xw_expect "exit code on a full disk" $status 74
    grep -v '^{' "$XW_HOME/still.log" | grep "make room" || xw_fail "no line that says to make room: $(cat "$XW_HOME/still.log")"
    rm "$XW_HOME/journal/filler"
    end_day
done

# A file system that has found itself damaged, as by errors=remount-ro, is read-only from one moment to the next.
mounts() {
    truncate -s 64M "$XW_HOME/disk" && mkfs.ext4 -q -F "$XW_HOME/disk" && back_again &&
        device=$(basename "$(findmnt -no SOURCE "$XW_HOME/journal")") && [ -w "/sys/fs/ext4/$device/trigger_fs_error" ]
}
back_again() { mount -o loop,errors=remount-ro "$XW_HOME/disk" "$XW_HOME/journal"; }
for XW_ACK in durable matched; do
    begin_day read-only
    echo "made by a test" >"/sys/fs/ext4/$device/trigger_fs_error"
    xw_may 90
    xw_both_end 74 "Read-only file system: .*(mend the disk|remount it writable)"
    status=0
    "$XW_BIN/crosswire-control" "$XW_CONFIG" >"$XW_HOME/still.log" 2>&1 || status=$?
    xw_expect "exit code on a read-only disk" $status 74
    grep -v '^{' "$XW_HOME/still.log" | grep "writable" || xw_fail "no line that says what mends it: $(cat "$XW_HOME/still.log")"
    umount "$XW_HOME/journal"
    back_again
    end_day
done
