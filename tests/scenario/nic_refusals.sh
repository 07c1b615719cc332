#!/bin/bash
# A port whose profile is for another device, is bound otherwise or cannot steer is refused in one line, before anything starts
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
mkdir -p "$XW_HOME/run"

# refuses NAME CODE WORDS SED..: the example with these edits: exit code, one line with the words, nothing left behind
refuses() {
    local name=$1 code=$2 words=$3 status edits=(-e "s#build/run#$XW_HOME/run#" -e "s#^profile_directory:.*#profile_directory: $XW_ROOT/nic_profiles#") edit
    shift 3
    for edit in "$@"; do edits+=(-e "$edit"); done
    sed "${edits[@]}" "$XW_ROOT/control/crosswire.yaml" >"$XW_HOME/$name.yaml"
    timeout 60 "$XW_BIN/crosswire-dataplane" "$XW_HOME/$name.yaml" >"$XW_HOME/$name.out" 2>"$XW_HOME/$name.err"
    status=$?
    grep -v '^{' "$XW_HOME/$name.err" >"$XW_HOME/$name.line"
    xw_expect "exit code of $name ($(cat "$XW_HOME/$name.line"))" $status "$code"
    xw_expect "lines of $name" "$(wc -l <"$XW_HOME/$name.line")" 1
    grep -q -- "$words" "$XW_HOME/$name.line" || xw_fail "$name says: $(cat "$XW_HOME/$name.line")"
    [ -z "$(ls "$XW_HOME/run")" ] || xw_fail "$name left something behind: $(ls "$XW_HOME/run")"
}

two='s/^  - {lcore: 0, port: wire, queue: 0, udp_port: 4000}/&\n  - {lcore: 0, port: wire, queue: 1, udp_port: 4001}/'
refuses base 78 "only there to be inherited" 's/profile: vhost.*/profile: mlx5/'
refuses one-queue 78 "queue 0 and one lcore" "$two" 's/profile: vhost.*/profile: pcap/'
refuses not-there 69 "wire.*0000:ff:1f.7" 's/profile: vhost.*/profile: e810/' 's#device: .*#device: "0000:ff:1f.7"#' 's/^  main_lcore.*/&\n  eal: --iova-mode=va/'

# The rest needs a NIC on PCI that the kernel drives; nothing of it is changed.
address=$("$XW_BIN/xwctl" --profiles "$XW_ROOT/nic_profiles" --json nic match | jq -r '[.[] | select(.bound == false and .profile != null)][0].address // empty')
[ -n "$address" ] || { echo "no PCI NIC bound to the kernel here: the rest is left out"; exit 0; }
right=$("$XW_BIN/xwctl" --profiles "$XW_ROOT/nic_profiles" --json nic match | jq -r --arg a "$address" '.[] | select(.address == $a) | .profile')
wrong=e810
[ "$right" != e810 ] || wrong=x710
refuses other-device 78 "set the port's profile to $right" "s/profile: vhost.*/profile: $wrong/" "s#device: .*#device: \"$address\"#"
refuses kernel-has-it 78 "not to vfio-pci: .*hugepage_setup/host apply vfio" "s/profile: vhost.*/profile: $right/" "s#device: .*#device: \"$address\"#"
