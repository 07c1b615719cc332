# shellcheck shell=bash
# VFIO: takes NICs from the kernel and gives them to the data plane
# SPDX-License-Identifier: Apache-2.0
stage_vfio() {
    local i device wanted=0
    for i in "${!devices[@]}"; do
        device=${devices[i]}
        if [ ! -d "$root/sys/bus/pci/devices/$device" ]; then
            refuse "there is no PCI device $device: see lspci -D, and mend the port's device in the configuration"
        elif [ "${device_drivers[i]}" != vfio-pci ]; then
            look_at_bifurcated "$device" "${device_drivers[i]}"
        else
            wanted=$((wanted + 1))
            check_interfaces "$device"
            check_group "$device"
        fi
    done
    if [ $wanted -eq 0 ]; then
        [ ${#devices[@]} -gt 0 ] || fact good 'no device is wanted: no port of the configuration is one that VFIO serves'
        return
    fi
    want module vfio-pci loaded 'the driver that hands PCI devices to user space' soft
    want_file /etc/udev/rules.d/60-crosswire-vfio.rules "# Made by Crosswire's host preparation; host revert vfio removes it.
SUBSYSTEM==\"vfio\", GROUP=\"$group\", MODE=\"0660\"
" "members of $group may open the devices: the data plane runs without root" 'stays after=udev'
    for i in "${!devices[@]}"; do
        [ "${device_drivers[i]}" = vfio-pci ] || continue
        want driver "${devices[i]}" 'vfio-pci vfio-pci' 'a port of the configuration: the data plane drives it itself'
    done
}

look_at_bifurcated() {
    get_driver "$1"
    if [ "${got% *}" = "$2" ]; then
        fact good "$1 stays with its kernel driver $2, which shares it"
    else
        fact bad "$1 is driven by ${got% *}, and its profile wants the kernel's own $2" "modprobe $2; echo $1 > /sys/bus/pci/drivers/$2/bind"
    fi
}

# Names of the device's interfaces, those of a virtio device below it included.
interfaces_of() {
    local at
    for at in "$root/sys/bus/pci/devices/$1"/net/* "$root/sys/bus/pci/devices/$1"/virtio*/net/*; do
        [ ! -e "$at" ] || basename "$at"
    done
}

# An interface and whatever stands on it: bonds, bridges, VLANs.
with_uppers() {
    local at
    echo "$1"
    for at in "$root/sys/class/net/$1"/upper_*; do
        [ ! -e "$at" ] || with_uppers "${at##*/upper_}"
    done
}

check_interfaces() {
    local interface name default session
    default=$(default_interfaces)
    session=$(session_interface)
    for interface in $(interfaces_of "$1"); do
        for name in $(with_uppers "$interface"); do
            if has_flag "$default" "$name"; then
                refuse "$1 carries the default route ($name): bind another device, or move the route first"
            elif has_flag "$session" "$name"; then
                refuse "$1 carries this SSH session ($name): come in by another interface or the console"
            fi
        done
    done
}

default_interfaces() {
    {
        awk 'NR > 1 && $2 == "00000000" && $8 == "00000000" {print $1}' "$root/proc/net/route"
        awk '$1 == "00000000000000000000000000000000" && $2 == "00" && $NF != "lo" {print $NF}' "$root/proc/net/ipv6_route"
    } 2>/dev/null | sort -u | tr '\n' ' '
}

# Who this session talks to. sudo takes the variable away: the shells above it still have it.
session_peer() {
    local pid=$$ words
    if [ -n "${SSH_CONNECTION:-}" ]; then
        echo "${SSH_CONNECTION%% *}"
        return
    fi
    while [ "$pid" -gt 1 ]; do
        words=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
        [ -z "$words" ] || { echo "${words%% *}" && return; }
        pid=$(sed 's/.*) . //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) || return
        [ -n "$pid" ] || return
    done
}

# The interface that leads to the other end of this SSH session.
session_interface() {
    local peer
    peer=$(session_peer)
    peer=${peer#::ffff:}
    case $peer in
    '') ;;
    *:*) [ -n "$root" ] || ip -6 route get "$peer" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' ;;
    *) route_to "$peer" ;;
    esac
}

# The longest match in the routing table, whose addresses are hexadecimal in the CPU's byte order.
route_to() {
    local a b c d address mask best=-1 to='' name destination _ genmask rest
    IFS=. read -r a b c d <<<"$1"
    address=$((d << 24 | c << 16 | b << 8 | a))
    while read -r name destination _ _ _ _ _ genmask rest; do
        [[ $destination =~ ^[0-9A-F]{8}$ ]] || continue
        mask=$((16#$genmask))
        if (((address & mask) == 16#$destination && $(bits_of $mask) > best)); then
            best=$(bits_of $mask) to=$name
        fi
    done <"$root/proc/net/route"
    echo "$to"
}

bits_of() {
    local left=$1 count=0
    for (( ; left; left >>= 1)); do count=$((count + (left & 1))); done
    echo $count
}

# A group is handed over whole: whatever else is in it must be out of the kernel's hands too.
check_group() {
    local link=$root/sys/bus/pci/devices/$1/iommu_group member class number others=()
    if [ ! -e "$link" ]; then
        refuse "$1 is in no IOMMU group: turn the IOMMU on in the firmware, then host apply boot and reboot"
        return
    fi
    number=$(basename "$(readlink -f "$link")")
    for member in "$link"/devices/*; do
        member=$(basename "$member")
        [ "$member" != "$1" ] && [ -d "$root/sys/bus/pci/devices/$member" ] || continue
        read -r class <"$root/sys/bus/pci/devices/$member/class"
        [[ $class != 0x0604* ]] || continue # a bridge
        get_driver "$member"
        case ${got% *} in none | vfio-pci | pci-stub) continue ;; esac
        [[ " ${devices[*]} " != *" $member "* ]] || continue
        others+=("$member (${got% *})")
    done
    if [ ${#others[@]} -gt 0 ]; then
        refuse "IOMMU group $number of $1 also holds ${others[*]}: give it too (--device ${others[0]%% *}=vfio-pci), or move the card to another slot"
    fi
}
