#!/bin/bash
# A data plane on huge pages starts with exactly as many as --needs says, and says in one line when there is one too few
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${XW_ROOT:?the source tree}" || exit 1
[ "$(id -u)" -eq 0 ] || { echo "skipped because taking huge pages needs root"; exit 77; }
pool=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
[ -w $pool/nr_hugepages ] || { echo "skipped because this kernel gives no huge pages by node"; exit 77; }
exec {lock}</sys/kernel/mm # one test of the host at a time on this machine
flock -w 300 "$lock" || { echo "another test of the host does not end"; exit 1; }
[ "$(cat $pool/nr_hugepages)" -eq 0 ] || { echo "skipped because this machine has huge pages for somebody already"; exit 77; }
. tests/scenario/lib.sh
# Outside of the test's own directory: what a run that was killed has left is put back by the next one.
state=/run/xw-pages-test place=/dev/hugepages-xw-run
[ ! -d $state ] || hugepage_setup/host revert --state $state >/dev/null || xw_fail "what an earlier run has left can not be put back: see $state"
put_back() {
    xw_clean
    hugepage_setup/host revert --state $state >/dev/null 2>&1
    echo 0 >$pool/nr_hugepages
    rm -rf $state
}
xw_begin
trap put_back EXIT
xw_configure
xw_set dataplane huge_pages true

# A mount of our own, so that the region is on huge pages too. Sockets stay where they are.
hugepage_setup/host apply hugetlbfs --config "$XW_CONFIG" --group root --mount $place --state $state || xw_fail "no hugetlbfs can be mounted"
sed -i -e "s#^run_directory:.*#run_directory: $place#" "$XW_CONFIG"
"$XW_BIN/crosswire-dataplane" "$XW_CONFIG" --needs >"$XW_HOME/needs" || xw_fail "--needs"
cat "$XW_HOME/needs"
pages=$(awk '$1 == "pages" && $3 == 2048 {sum += $4} END {print sum}' "$XW_HOME/needs")
region=$(($(awk '$1 == "region_bytes" {print $2}' "$XW_HOME/needs") / 2097152))
[ "$pages" -gt $((32 + region)) ] || xw_fail "$pages pages are not enough for anything"

# One too few: one line, and nothing is left of the start.
echo $((pages - 1)) >$pool/nr_hugepages
xw_expect "huge pages of this machine" "$(cat $pool/nr_hugepages)" $((pages - 1))
status=0
timeout 60 "$XW_BIN/crosswire-dataplane" "$XW_CONFIG" 2>"$XW_HOME/few.err" || status=$?
cat "$XW_HOME/few.err"
xw_expect "exit code with one page too few" $status 69
xw_expect "lines" "$(wc -l <"$XW_HOME/few.err")" 1
grep -q "$pages huge pages of 2 MB wanted .* $((pages - 1)) are free: .*vm.nr_hugepages=$pages)" "$XW_HOME/few.err" || xw_fail "the line says something else"
xw_expect "files in run_directory" "$(ls $place)" ''
! "$XW_BIN/xwctl" -c "$XW_CONFIG" doctor >"$XW_HOME/doctor" || xw_fail "doctor passes with one page too few"
grep -q "FAIL  huge_pages  node 0: $pages huge pages of 2048 KiB are wanted, $((pages - 1)) are free" "$XW_HOME/doctor" || xw_fail "doctor: $(cat "$XW_HOME/doctor")"
echo 0 >$pool/nr_hugepages

# The command of the line mends it: orders are played, and no page is left over or missing.
hugepage_setup/host apply hugepages --config "$XW_CONFIG" --state $state || xw_fail "host apply hugepages"
xw_expect "huge pages of this machine" "$(cat $pool/nr_hugepages)" "$pages"
xw_start
xw_expect "pages left over" "$(cat $pool/free_hugepages)" 0
mapped=$(sed -n 's/.*"XW1006".*"mapped_bytes":\([0-9]*\).*/\1/p' "$XW_HOME/dataplane.log")
xw_expect "pages of the roles as counted before" $((mapped / 2097152)) $((pages - region - 32))
xw_play 120 "${XW_CLIENT[@]}" --orders 2000
xw_identity
! "$XW_BIN/xwctl" -c "$XW_CONFIG" doctor >"$XW_HOME/doctor" || xw_fail "doctor passes a second start"
grep -q "FAIL  instance .*runs already: crosswire-dataplane, pid $xw_dataplane_pid" "$XW_HOME/doctor" || xw_fail "doctor: $(cat "$XW_HOME/doctor")"
xw_stop
rm -f $place/*
xw_expect "pages that are free again" "$(cat $pool/free_hugepages)" "$pages"
hugepage_setup/host revert --state $state || xw_fail "host revert"
xw_expect "huge pages at the end" "$(cat $pool/nr_hugepages)" 0
! grep -q $place /proc/mounts || xw_fail "$place is still mounted"
