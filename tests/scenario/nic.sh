#!/bin/bash
# xwctl nic lists profiles, shows where a value comes from, and matches them with the NICs of a host
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
cd "$XW_ROOT" || exit 1
xwctl=$XW_BIN/xwctl
root=$XW_HOME/root
out=$XW_HOME/out.json

# A host with a few NICs, as the kernel shows them: device ADDRESS VENDOR DEVICE NODE DRIVER GROUP INTERFACE ('-': none)
device() {
    local at=$root/sys/bus/pci/devices/$1
    mkdir -p "$at" "$root/proc/net"
    echo "0x$2" >"$at/vendor"
    echo "0x$3" >"$at/device"
    echo 0x020000 >"$at/class"
    echo "$4" >"$at/numa_node"
    [ "$5" = - ] || { mkdir -p "$root/sys/bus/pci/drivers/$5" && ln -s "../../drivers/$5" "$at/driver"; }
    [ "$6" = - ] || { mkdir -p "$root/sys/kernel/iommu_groups/$6/devices/$1" && ln -s "../../../../kernel/iommu_groups/$6" "$at/iommu_group"; }
    [ "$7" = - ] || mkdir -p "$at/net/$7"
}
device 0000:3b:00.0 15b3 101d 0 mlx5_core 17 ens2
device 0000:3b:00.1 15b3 101d 0 vfio-pci 17 -
device 0000:81:00.0 8086 1592 1 ice 42 ens1
device 0000:81:00.1 8086 1592 1 vfio-pci 43 -
device 0000:05:00.0 10ec 8168 -1 r8169 - eth9
device 0000:06:00.0 1af4 1041 -1 virtio-pci - eth0
# And one on Hyper-V's bus, beside another device there.
vmbus=$root/sys/bus/vmbus/devices
mkdir -p "$vmbus"/{0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11/net/eth5,eb765408-105f-49b6-b4aa-c123b64d17d4} "$root/sys/bus/vmbus/drivers/hv_netvsc"
echo '{f8615163-df3e-46c5-913f-f2d2f965ed0e}' >"$vmbus/0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11/class_id"
ln -s ../../drivers/hv_netvsc "$vmbus/0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11/driver"
echo '{ba6163d9-04a1-4d29-b605-72e2ffb1dc7f}' >"$vmbus/eb765408-105f-49b6-b4aa-c123b64d17d4/class_id"
printf 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n%s\n%s\n' \
    $'ens1\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF' $'eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000' >"$root/proc/net/route"

# matched ADDRESS FIELD WANTED: what `match` says of a device
matched() { xw_expect "$2 of $1" "$(jq -r --arg a "$1" ".[] | select(.address == \$a) | .$2" "$out")" "$3"; }
mended() {
    jq -r --arg a "$1" '.[] | select(.address == $a) | .mend' "$out" | grep -q -- "$2" || xw_fail "the mend of $1 lacks: $2"
}
"$xwctl" --root "$root" --json nic match >"$out" || xw_fail "nic match ended with $?"
xw_expect "devices" "$(jq length "$out")" 7
matched 0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11 profile azure
matched 0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11 bound false
matched 0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11 interfaces eth5
mended 0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11 'driverctl -b vmbus set-override 0a51bd74-a1e1-4a84-9d4c-2ea9ec4f1b11 uio_hv_generic'
matched 0000:3b:00.0 profile connectx6
matched 0000:3b:00.0 bound true
matched 0000:3b:00.0 numa_node 0
matched 0000:3b:00.0 iommu_group 17
matched 0000:3b:00.0 group_devices 2
matched 0000:3b:00.1 bound false
mended 0000:3b:00.1 '0000:3b:00.1 >/sys/bus/pci/drivers/mlx5_core/bind'
matched 0000:81:00.0 profile e810
matched 0000:81:00.0 driver ice
matched 0000:81:00.0 numa_node 1
mended 0000:81:00.0 'profile: e810, device: 0000:81:00.0'
mended 0000:81:00.0 'hugepage_setup/host apply vfio'
matched 0000:81:00.1 bound true
mended 0000:81:00.1 nothing
matched 0000:05:00.0 profile null
mended 0000:05:00.0 physical
mended 0000:06:00.0 'default route'
"$xwctl" --root "$root" nic match >"$XW_HOME/match.txt" || xw_fail "nic match ended with $?"
grep -q '^0000:81:00.0 *8086:1592 *e810 *ice *ens1 *1 *42 of 1' "$XW_HOME/match.txt" || xw_fail "the text of match: $(cat "$XW_HOME/match.txt")"

# This machine's own devices, whatever they are.
"$xwctl" --json nic match | jq -e 'type == "array"' >/dev/null || xw_fail "nic match on this machine"

"$xwctl" --json nic list >"$out" || xw_fail "nic list ended with $?"
for name in connectx5 connectx6 connectx7 e810 x710 82599 x550 bnxt solarflare ena gvnic azure virtio vmxnet3 vhost virtio_user \
    af_xdp af_packet tap pcap memif; do
    jq -e --arg n "$name" 'any(.[]; .name == $n)' "$out" >/dev/null || xw_fail "nic list lacks $name"
done
xw_expect "families that claim to be tested on hardware" "$(jq '[.[] | select(.kind != "vdev" and .tested)] | length' "$out")" 0
xw_expect "bases listed" "$(jq '[.[] | select(.name == "mlx5" or .name == "virtual")] | length' "$out")" 0

"$xwctl" --json nic show connectx6 >"$out" || xw_fail "nic show ended with $?"
xw_expect "files" "$(jq -r '.files | join(" ")' "$out")" "connectx6 mlx5 physical"
xw_expect "where the ids come from" "$(jq -r .keys.pci_ids.from "$out")" connectx6
xw_expect "where the arguments come from" "$(jq -r .keys.args.from "$out")" mlx5
xw_expect "where the descriptors come from" "$(jq -r .keys.rx_descriptors.from "$out")" physical
"$xwctl" nic show connectx6 | grep -Eq '^binding +mlx5 +bifurcated$' || xw_fail "nic show as text"

# refused CODE WORDS ARGUMENTS..: the exit code, and one line with the words
refused() {
    local code=$1 words=$2 status
    shift 2
    "$xwctl" "$@" >/dev/null 2>"$XW_HOME/refused"
    status=$?
    xw_expect "exit code of $*" $status "$code"
    xw_expect "lines of $*" "$(wc -l <"$XW_HOME/refused")" 1
    grep -q -- "$words" "$XW_HOME/refused" || xw_fail "$* says: $(cat "$XW_HOME/refused")"
}
mkdir "$XW_HOME/own"
cp nic_profiles/*.yaml "$XW_HOME/own"
echo 'rx_descriptors: 70000' >>"$XW_HOME/own/memif.yaml"
refused 64 usage nic
refused 64 usage nic show
refused 66 profile_directory nic show nothing
refused 78 'not a plain name' nic show ../nic_profiles/vhost
refused 66 /nonexistent --profiles /nonexistent nic list
refused 66 /nonexistent --profiles /nonexistent nic match
refused 66 bus/pci --root /nonexistent nic match
refused 78 'memif.yaml:[0-9]*:17: .rx_descriptors.' --profiles "$XW_HOME/own" nic list
"$xwctl" --profiles "$XW_HOME/own" nic list 2>/dev/null | grep -q '^vhost ' || xw_fail "one wrong file hides the others"
refused 78 'memif.yaml:[0-9]*:17: .rx_descriptors.' --profiles "$XW_HOME/own" nic show memif
sed "s#^profile_directory:.*#profile_directory: $XW_HOME/own#" control/crosswire.yaml >"$XW_HOME/crosswire.yaml"
refused 78 'memif.yaml' -c "$XW_HOME/crosswire.yaml" nic show memif
