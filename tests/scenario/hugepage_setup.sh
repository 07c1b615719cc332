#!/bin/bash
# Host preparation: what every stage applies it reverts exactly, killed anywhere, applied twice, refused or damaged
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${XW_ROOT:?the source tree}" || exit 1
work=${XW_TMP:?a directory to work in}
. tests/scenario/host_tree.sh
host=hugepage_setup/host host_kernel=() busy=
fail() { echo "FAILED: $*"; exit 1; }
# Undo files are synced: on a disk that is busy with other tests that takes a while, and there are hundreds.
memory=/dev/shm
[ -w $memory ] || memory=$work
room=$(mktemp -d "$memory/xw-host.XXXXXX") || exit 1
tree=$room/tree
stop_kernel() { [ ${#host_kernel[@]} -eq 0 ] || { kill "${host_kernel[@]}" && wait "${host_kernel[@]}"; } 2>/dev/null; }
clean() {
    stop_kernel
    [ -z "$busy" ] || kill "$busy" 2>/dev/null
    rm -rf "$room"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP
unset SSH_CONNECTION
wanted=(--root "$tree" --lcores 2-5 --pages 0:2048:512 --pages 1:1048576:12 --device 0000:5e:00.0=vfio-pci)

fresh() {
    stop_kernel
    host_tree "$tree"
    host_tree_kernel "$tree"
    host_state "$tree" >"$work/before"
}
# unchanged WHEN: the tree is what it was
unchanged() {
    host_state "$tree" >"$work/after"
    diff "$work/before" "$work/after" >"$work/diff" || fail "$1: not as before: $(head -n 12 "$work/diff")"
}
# runs CODE WORDS ARGUMENTS..: the exit code, and the words in what is printed
runs() {
    local code=$1 words=$2 status=0
    shift 2
    "$host" "$@" >"$work/out" 2>&1 || status=$?
    [ $status -eq "$code" ] || fail "host $*: exit $status, wanted $code: $(tail -n 5 "$work/out")"
    grep -qE -- "$words" "$work/out" || fail "host $*: does not say '$words': $(tail -n 5 "$work/out")"
}
# holds PATH TEXT
holds() { [ "$(cat "$tree$1")" = "$2" ] || fail "$1 is $(cat "$tree$1"), wanted $2"; }
# refuses WORDS ARGUMENTS..: exit 69, one line on standard error, nothing changed
refuses() {
    local words=$1 status=0
    shift
    "$host" "$@" >"$work/out" 2>"$work/err" || status=$?
    [ $status -eq 69 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -qE -- "$words" "$work/err" ||
        fail "host $*: exit $status, wanted 69 and one line with '$words': $(cat "$work/err")"
    unchanged "refused: $words"
}

# ---- plan changes nothing; apply does what plan says; a second apply and a second revert do nothing ------------------------
fresh
runs 0 'from   10' plan "${wanted[@]}"
unchanged plan
runs 1 'differs' check "${wanted[@]}"
unchanged check
runs 0 'echo 515 >' apply "${wanted[@]}"
holds /sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages 515
holds /sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages 15
holds /proc/irq/default_smp_affinity c3
holds /proc/irq/16/smp_affinity_list 0-1,6-7
holds /proc/irq/17/smp_affinity_list 0
holds /proc/irq/30/smp_affinity_list 6-7
holds /sys/devices/system/cpu/cpu5/cpufreq/scaling_governor performance
holds /sys/devices/system/cpu/cpu6/cpufreq/scaling_governor powersave
holds /sys/devices/system/cpu/cpu2/cpuidle/state3/disable 1
holds /sys/devices/system/cpu/cpu2/cpuidle/state1/disable 0
holds /proc/sys/kernel/sched_rt_runtime_us -1
holds /proc/sys/kernel/sched_autogroup_enabled 0
holds /sys/kernel/mm/transparent_hugepage/enabled never
holds /sys/devices/system/clocksource/clocksource0/current_clocksource tsc
holds /proc/sys/kernel/io_uring_disabled 0
[ "$(basename "$(readlink "$tree/sys/bus/pci/devices/0000:5e:00.0/driver")")" = vfio-pci ] || fail "0000:5e:00.0 is not bound"
grep -q 'isolcpus=managed_irq,domain,2-5 nohz_full=2-5 rcu_nocbs=2-5 irqaffinity=0-1,6-7 hugepagesz=2M hugepages=512 hugepagesz=1G hugepages=1:12 intel_iommu=on iommu=pt' \
    "$tree/etc/default/grub.d/60-crosswire.cfg" || fail "boot parameters: $(cat "$tree/etc/default/grub.d/60-crosswire.cfg")"
grep -qx 'Environment=IRQBALANCE_BANNED_CPULIST=2-5' "$tree/etc/systemd/system/irqbalance.service.d/60-crosswire.conf" || fail irqbalance
for stage in hugepages irq governor cstates noise rt autogroup thp clocksource iouring time; do
    runs 0 '^  ok' check "$stage" "${wanted[@]}"
done
rm -rf "$work/undo"
cp -r "$tree/var/lib/crosswire/host" "$work/undo"
host_state "$tree" >"$work/applied"
# Pages that the appliance itself uses meanwhile are not taken for somebody else's.
echo 0 >"$tree/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages"
runs 0 'is     /proc/irq/default_smp_affinity = c3' apply "${wanted[@]}"
! grep -E '^ +\+ (echo|cat|mkdir|rm)' "$work/out" || fail "the second apply changes something"
diff -r "$work/undo" "$tree/var/lib/crosswire/host" || fail "the second apply changes what is kept"
echo 7 >"$tree/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages"
# A changed configuration: the values from before stay those of the first apply.
runs 0 'echo 603' apply hugepages --root "$tree" --pages 0:2048:600
runs 0 'echo 10 >' revert --root "$tree"
unchanged 'apply, apply, revert'
runs 0 'nothing to put back' revert --root "$tree"
unchanged 'revert without apply'
[ -z "$(find "$tree/var/lib/crosswire/host" -name '*.undo')" ] || fail "undo files are left"

# ---- each stage alone -----------------------------------------------------------------------------------------------
for stage in $("$host" list | awk '{print $1}'); do
    runs 0 "^$stage: " apply "$stage" "${wanted[@]}"
    runs 0 "^$stage: " revert "$stage" --root "$tree"
    unchanged "stage $stage"
done

# ---- killed before and after every step of apply, then of revert -------------------------------------------------------------
# bash runs the trap before each command; the N-th one that could change something on disk kills apply.
cat >"$work/kill.sh" <<'TRAP'
set -T
trap 'case $BASH_COMMAND in "printf "*\>*|mv*|rm*|mkdir*|sync*|\"set_*|set_*|undo_save*|undo_remove*|run_hooks*|reason=*)
    [ "$BASHPID" != "$$" ] || count=$((${count:-0} + 1))
    [ "${count:-0}" -ne "$XW_KILL" ] || kill -KILL "$$" "$BASHPID" ;; esac' DEBUG
TRAP
few=(boot hugepages vfio thp)
killed_run() { # N ACTION..: returns 137 when it was killed
    BASH_ENV=$work/kill.sh XW_KILL=$1 "$host" "${@:2}" >"$work/out" 2>&1
}
sweep() { # ACTION STEP
    local point status=137
    for ((point = 1; status == 137; point += $2)); do
        [ "$1" = apply ] || runs 0 '' apply "${few[@]}" "${wanted[@]}"
        status=0
        killed_run "$point" "$1" "${few[@]}" "${wanted[@]}" 2>/dev/null || status=$?
        [ $status -eq 0 ] || [ $status -eq 137 ] || fail "$1 killed at $point: exit $status: $(tail -n 3 "$work/out")"
        [ "$1" != apply ] || [ $((point % 2)) -eq 0 ] || runs 0 '' apply "${few[@]}" "${wanted[@]}"
        runs 0 '' revert "${few[@]}" "${wanted[@]}"
        unchanged "$1 killed at step $point, then reverted"
    done
    [ "$point" -gt 20 ] || fail "$1 was killed at $point places only: the test sees nothing"
    echo "$1: killed at every $2. of $point steps"
}
# Every step takes minutes: XW_HOST_STEP=1 does it.
sweep apply "${XW_HOST_STEP:-13}"
sweep revert "${XW_HOST_STEP:-11}"

# ---- a reboot: what it undid is not put back, what outlives it is ----------------------------------------------------------
runs 0 '' apply "${wanted[@]}"
echo 99999999-2222-3333-4444-555555555555 >"$tree/proc/sys/kernel/random/boot_id"
echo 4 >"$tree/proc/sys/vm/stat_interval"
runs 0 'went   /proc/sys/vm/stat_interval, with the last reboot' revert --root "$tree"
holds /proc/sys/vm/stat_interval 4
[ ! -e "$tree/etc/default/grub.d" ] || fail "the boot parameters outlive revert"

# ---- an undo file that is damaged: nothing is done, and the line says what to do --------------------------------------------
fresh
runs 0 '' apply rt thp "${wanted[@]}"
host_state "$tree" >"$work/before"
undo=$tree/var/lib/crosswire/host/rt.undo
cp "$undo" "$work/rt.undo"
for damage in 's/950000/950001/' '$d' '1s/.*/something else/' '2,$d'; do
    sed "$damage" "$work/rt.undo" >"$undo"
    for action in revert apply; do
        runs 65 'rt.undo is damaged .*host plan rt.*remove the file' $action rt "${wanted[@]}"
        unchanged "damaged undo file ($damage), $action"
    done
done
: >"$undo"
runs 65 'damaged' revert rt --root "$tree"
cp "$work/rt.undo" "$undo"
# That of another machine, whose image this one is: it says nothing about this one.
echo 00000000000000000000000000000000 >"$tree/etc/machine-id"
host_state "$tree" >"$work/before"
for action in revert apply; do
    runs 65 "rt.undo is another machine's" $action rt "${wanted[@]}"
    unchanged "undo file of another machine, $action"
done
echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
echo left >"$undo.new" # of a writer that was killed
runs 0 '' revert rt thp --root "$tree"
holds /proc/sys/kernel/sched_rt_runtime_us 950000
[ -z "$(find "$tree/var/lib/crosswire/host" -name 'rt.*')" ] || fail "something is left of rt's undo file"

# ---- somebody changes a value after us: revert says so, and puts back what was there first ----------------------------------
fresh
runs 0 '' apply rt "${wanted[@]}"
echo 500000 >"$tree/proc/sys/kernel/sched_rt_runtime_us"
runs 0 'is 500000: somebody has changed it since' revert rt --root "$tree"
unchanged 'changed by somebody else'

# ---- refused: one line, exit 69, nothing half applied -----------------------------------------------------------------------
for device in 0000:3b:00.0 0000:77:00.0; do
    case $device in *3b*) words='default route \(ens1\)' ;; *) words='no PCI device 0000:77:00.0' ;; esac
    refuses "$words" apply vfio --root "$tree" --device $device=vfio-pci
done
mkdir -p "$tree/sys/class/net/bond0"
ln -s ../bond0 "$tree/sys/class/net/ens2/upper_bond0"
sed -i 's/^ens1\t00000000/bond0\t00000000/' "$tree/proc/net/route"
host_state "$tree" >"$work/before"
refuses 'default route \(bond0\)' apply vfio --root "$tree" --device 0000:5e:00.0=vfio-pci
fresh
export SSH_CONNECTION='192.168.0.17 50000 192.168.0.1 22'
refuses 'this SSH session \(ens2\)' apply vfio --root "$tree" --device 0000:5e:00.0=vfio-pci
SSH_CONNECTION='10.10.10.9 50000 10.10.10.1 22'
runs 0 '' apply vfio "${wanted[@]}"
runs 0 '' revert vfio "${wanted[@]}"
unset SSH_CONNECTION
put "$tree" /sys/bus/pci/devices/0000:5e:00.1/class 0x020000
ln -s ../../drivers/ice "$tree/sys/bus/pci/devices/0000:5e:00.1/driver"
ln -s ../../../../bus/pci/devices/0000:5e:00.1 "$tree/sys/kernel/iommu_groups/8/devices/0000:5e:00.1"
host_state "$tree" >"$work/before"
refuses 'IOMMU group 8 of 0000:5e:00.0 also holds 0000:5e:00.1 \(ice\)' apply vfio --root "$tree" --device 0000:5e:00.0=vfio-pci
fresh
rm "$tree/sys/bus/pci/devices/0000:5e:00.0/iommu_group"
host_state "$tree" >"$work/before"
refuses 'no IOMMU group' apply vfio --root "$tree" --device 0000:5e:00.0=vfio-pci
fresh
refuses 'lcore 9 is not there' apply --root "$tree" --lcores 2,9
refuses 'leave one' apply --root "$tree" --lcores 0-7
refuses 'given twice' apply --root "$tree" --device 0000:5e:00.0=vfio-pci --device 0000:5e:00.0=vfio-pci
refuses 'node 2 has no huge pages of 2048' apply hugepages --root "$tree" --pages 2:2048:4
refuses 'no group nobodys' apply hugetlbfs --root "$tree" --group nobodys
runs 66 "^host: $work/none.yaml: No such file" plan rt --root "$tree" --config "$work/none.yaml"
runs 64 'no stage' apply hugpages --root "$tree"
runs 64 'no action' aply --root "$tree"
runs 64 'NODE:KIB:COUNT' plan --root "$tree" --pages 12

# A device that a program has open is not taken from it: unbinding would wait for ever.
runs 0 '' apply vfio "${wanted[@]}"
mkdir -p "$tree/dev/vfio"
cp "$(command -v sleep)" "$tree/dev/vfio/8"
"$tree/dev/vfio/8" 60 & # a file that runs can not be opened for writing: as busy as a group in use
busy=$!
until [ "$(readlink "/proc/$busy/exe")" = "$(realpath "$tree/dev/vfio/8")" ]; do kill -0 $busy || fail "nothing has the device open"; done
runs 71 'a program has it open: stop' revert vfio --root "$tree"
kill $busy
wait $busy 2>/dev/null
busy=
rm -r "$tree/dev/vfio"
runs 0 '' revert vfio --root "$tree"
unchanged 'reverted once the device is free'

# A device that takes its time: some reset themselves for seconds.
echo 3 >"$tree/var/delay"
runs 0 '' apply vfio "${wanted[@]}"
runs 0 '' revert vfio --root "$tree"
rm "$tree/var/delay"
unchanged 'a slow device'

# A driver does not let its device go: what failed is said, though all else could be put back, and what to do.
rm "$tree/sys/bus/pci/drivers/ice/unbind"
mkdir "$tree/sys/bus/pci/drivers/ice/unbind"
host_state "$tree" >"$work/before"
runs 71 '0000:5e:00.0 could not be bound to vfio-pci: Is a directory; the stage is as it was: see what the kernel says of 0000:5e:00.0' apply vfio "${wanted[@]}"
unchanged 'a driver that keeps its device'
[ ! -e "$tree/var/lib/crosswire/host/vfio.undo" ] || fail "an undo file is left of a device that was kept"
fresh

# The kernel refuses the second of two values: the first one is put back, and no undo file is left.
pool=$tree/sys/devices/system/node/node1/hugepages/hugepages-1048576kB
ln -sf /proc/self/oom_score_adj "$pool/nr_hugepages" # takes at most 1000
echo 0 >"$pool/free_hugepages"
host_state "$tree" >"$work/before"
runs 71 'the stage is as it was: memory is in pieces' apply hugepages --root "$tree" --pages 0:2048:512 --pages 1:1048576:5000
unchanged 'refused by the kernel'
[ ! -e "$tree/var/lib/crosswire/host/hugepages.undo" ] || fail "an undo file is left of a stage that was refused"

# A file below /etc that can not be written: what stands in its way is said, and nothing is left of it.
fresh
mkdir -p "$tree/etc/default/grub.d/60-crosswire.cfg.new"
host_state "$tree" >"$work/before"
runs 71 '60-crosswire.cfg could not be written: Is a directory; the stage is as it was: make /etc/default/grub.d writable' apply boot "${wanted[@]}"
unchanged 'a file that can not be written'

# Two at once: the second one does nothing.
fresh
mkdir -p "$tree/var/lib/crosswire/host"
exec {held}>"$tree/var/lib/crosswire/host/lock"
flock "$held"
for action in apply revert; do
    runs 75 'another host works with .*: wait for it' $action rt "${wanted[@]}"
    unchanged "two at once, $action"
done
exec {held}>&-

# No room for the undo file: nothing is changed.
fresh
mkdir -p "$tree/var/lib/crosswire/host/rt.undo.new"
runs 74 'rt.undo can not be written, nothing' apply rt "${wanted[@]}"
unchanged 'no undo file'
echo "all stages: applied, reverted, killed, damaged and refused"
