#!/bin/bash
# Host preparation on this very machine: huge pages, mount, switches and swap, applied, killed, reverted, and nothing is left
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${XW_ROOT:?the source tree}" || exit 1
work=${XW_TMP:?a directory to work in}
host=hugepage_setup/host
fail() { echo "FAILED: $*"; exit 1; }
[ "$(id -u)" -eq 0 ] || { echo "skipped because changing the kernel's switches needs root"; exit 77; }
grep -qw hugetlbfs /proc/filesystems || { echo "skipped because this kernel has no hugetlbfs"; exit 77; }

# One at a time on this machine. What a run that was killed has left is put back first.
exec {lock}</sys/kernel/mm # one test of the host at a time on this machine
flock -w 300 "$lock" || fail "another test of the host does not end"
state=/run/xw-host-test area=$work/swap place=/dev/hugepages-xw-test
[ ! -d $state ] || "$host" revert --state $state >/dev/null || fail "what an earlier run has left can not be put back: see $state"
clean() {
    "$host" revert --state $state >/dev/null 2>&1
    swapoff "$area" 2>/dev/null
    rm -rf "$area" $state
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

switches=(/proc/sys/kernel/sched_rt_runtime_us /proc/sys/kernel/sched_autogroup_enabled /proc/sys/vm/swappiness
    /proc/sys/vm/stat_interval /proc/sys/kernel/numa_balancing /proc/sys/kernel/nmi_watchdog
    /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/transparent_hugepage/defrag
    /sys/kernel/mm/transparent_hugepage/khugepaged/defrag /proc/sys/vm/nr_hugepages
    /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages)
live_state() {
    local file
    for file in "${switches[@]}"; do [ ! -e "$file" ] || echo "$file $(cat "$file")"; done
    grep hugetlbfs /proc/mounts
    ls -d $place 2>&1
    awk 'NR > 1 {print $1}' /proc/swaps
}
unchanged() {
    live_state >"$work/after"
    diff "$work/before" "$work/after" || fail "$1: this machine is not as before"
}
runs() {
    local code=$1 status=0
    shift
    "$host" "$@" --state $state >"$work/out" 2>&1 || status=$?
    [ $status -eq "$code" ] || fail "host $*: exit $status, wanted $code: $(tail -n 5 "$work/out")"
}

# A small swap area of our own, where this machine has none and lets us have one.
stages=(hugepages hugetlbfs noise rt autogroup thp)
if [ "$(wc -l </proc/swaps)" -eq 1 ] && dd if=/dev/zero of="$area" bs=64k count=16 status=none && chmod 600 "$area" &&
    mkswap "$area" >/dev/null 2>&1 && swapon "$area" 2>/dev/null; then
    stages+=(swap)
else
    echo "swap is left out: this machine has some, or takes none"
fi
live_state >"$work/before"
wanted=("${stages[@]}" --pages 0:2048:8 --group daemon --mount "$place")
runs 0 plan "${wanted[@]}"
unchanged plan
runs 0 apply "${wanted[@]}"
cat "$work/out"
for stage in "${stages[@]}"; do
    runs 0 check "$stage" "${wanted[@]:${#stages[@]}}"
    ! grep -E '^  differs' "$work/out" || fail "$stage is not as wanted after apply"
done
[ "$(cat /proc/sys/kernel/sched_rt_runtime_us)" = -1 ] || fail "real-time throttling is on"
[ "$(cat /sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages)" -ge 8 ] || fail "8 huge pages are not free"
[ "$(stat -c '%a %G' $place)" = '770 daemon' ] || fail "rights of the mount: $(stat -c '%a %G' $place)"
setpriv --reuid daemon --regid daemon --clear-groups fallocate -l 2M $place/file || fail "a member of the group gets no page"
rm $place/file
! setpriv --reuid nobody --regid nogroup --clear-groups ls $place >/dev/null 2>&1 || fail "anybody may look into the mount"
cp $state/*.undo "$work/"
runs 0 apply "${wanted[@]}"
! grep -E '^    \+' "$work/out" || fail "the second apply changes something"
for file in "$state"/*.undo; do cmp "$file" "$work/$(basename "$file")" || fail "the second apply changes what is kept"; done
runs 0 revert
unchanged revert

# Killed in the middle of apply, and of revert.
cat >"$work/kill.sh" <<'TRAP'
set -T
trap 'case $BASH_COMMAND in \"set_*) count=$((${count:-0} + 1))
    [ "$count" -ne "$XW_KILL" ] || kill -KILL "$$" ;; esac' DEBUG
TRAP
for point in 1 3 4 7; do
    for action in apply revert; do
        [ $action = apply ] || runs 0 apply "${wanted[@]}"
        status=0
        BASH_ENV=$work/kill.sh XW_KILL=$point "$host" $action "${wanted[@]}" --state $state >/dev/null 2>&1 || status=$?
        [ $status -eq 137 ] || fail "$action was not killed at change $point: exit $status"
        runs 0 revert
        unchanged "$action killed at change $point"
    done
done 2>/dev/null
runs 0 revert
echo "applied, killed and reverted on this machine: ${stages[*]}"
